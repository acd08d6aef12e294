//! `worker`: like a node group or an add-on of a cluster, which follow its version.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits, Way};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::Value;

use crate::client::Client;
use crate::cloud::{Action, IdScheme, Reference, Refusal, Rules, Situation};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// A worker, as [`Resource`].
#[derive(Debug)]
pub struct Worker;

/// Something that works on a platform and has its release.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The platform.
    #[attribute(replace, refers_to = "platform", holds)]
    platform: String,
    /// The release, that of the platform.
    #[attribute(follows = "platform.release")]
    release: Option<i64>,
    /// The driver. A new worker gets the cloud's choice, and goes on with the platform.
    #[attribute(follows = "platform.release")]
    driver: Option<String>,
    /// What it runs.
    #[attribute(replace)]
    image: Option<String>,
    /// How many of them there are.
    #[attribute(default = 1)]
    count: Option<i64>,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows: nothing but the id.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {}

pub(super) const RULES: Rules = Rules {
    references: &[Reference { attribute: "platform", holds: true }],
    takes_token: true,
    fixed: &["platform", "image"],
    pending: Duration::from_mins(4),
    updating: Duration::from_mins(3),
    deleting: Duration::from_mins(2),
    fill: |values, _| {
        let release = values.entry("release".to_owned()).or_insert(Value::Integer(1));
        let Value::Integer(release) = *release else { return };
        values.entry("driver".to_owned()).or_insert_with(|| driver(release));
        values.entry("count".to_owned()).or_insert(Value::Integer(1));
    },
    refuse: has_the_platforms_release,
    ..Rules::new("worker", IdScheme::Number("work"))
};

/// Returns the driver that goes with a release.
fn driver(release: i64) -> Value {
    Value::from(format!("driver-{release}"))
}

fn has_the_platforms_release(situation: &Situation<'_>) -> Result<(), Refusal> {
    let is_making = matches!(situation.action, Action::Create { .. });
    let (Action::Create { attributes, .. } | Action::Change { attributes, .. }) = situation.action else {
        return Ok(());
    };
    let platform = situation.text("platform").unwrap_or_default();
    let platform = situation.cloud.live().find(|object| object.id == platform);
    let wanted = platform.and_then(|platform| platform.attributes.get("release").cloned());
    let has = attributes.get("release").cloned().or_else(|| is_making.then_some(Value::Integer(1)));
    if has.is_some() && has != wanted {
        let message = "a worker has the release of its platform";
        return Err(Refusal::new(ErrorClass::Rejected, "InvalidParameter", message));
    }
    Ok(())
}

impl CloudKind for Worker {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListWorkers";
}

impl Resource for Worker {
    const KIND: &'static str = "worker";
    const TRAITS: Traits = Traits {
        service: "compute",
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(60),
        poll: Duration::from_secs(20),
    };

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn follow(attribute: &str, followed: &Value, found: Option<&Observed<Inputs, Outputs>>) -> Option<Value> {
        match (attribute, followed) {
            ("driver", Value::Integer(release)) => found.map(|_| driver(*release)),
            _ => Some(followed.clone()),
        }
    }

    /// A release that the spec sets waits for the platform, and never goes back.
    fn waypoint(attribute: &str, way: &Way<'_>) -> Option<Value> {
        match (attribute, way.from, way.to, way.followed) {
            ("release", Value::Integer(from), Value::Integer(to), Some(Value::Integer(platform)))
                if platform < to =>
            {
                Some(Value::Integer(*platform.max(from)))
            }
            _ => None,
        }
    }

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "CreateWorker", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteWorker")) };
        let attributes = ["release", "driver", "count"];
        CloudStep::first_change("UpdateWorker", &observed.inputs, desired, &attributes)
            .or_else(|| CloudStep::tags(observed.inputs.tags.as_ref(), desired.tags.as_ref()))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &CloudStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        calls::perform::<Self>(client, id, step).await
    }

    async fn find(client: &Client, intent: &Intent, _: &Inputs) -> Result<Vec<RemoteId>, ProviderError> {
        calls::find_by_operation::<Self>(client, intent).await
    }
}
