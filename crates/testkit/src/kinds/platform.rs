//! `platform`: like a control plane of Kubernetes, whose version goes one minor by one.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Observed, Problem, Recovery, ReplaceOrder, Resource, Timeouts, Traits, Way,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::Value;

use crate::client::Client;
use crate::cloud::{Action, IdScheme, Refusal, Rules, Situation};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// A platform, as [`Resource`].
#[derive(Debug)]
pub struct Platform;

/// Something whose release goes up by one at a time, and only once all its workers have come as far.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The release. The first one is 1.
    #[attribute(stepwise)]
    release: Option<i64>,
    /// Words about it.
    note: Option<String>,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {
    /// Where it is reached.
    endpoint: String,
}

pub(super) const RULES: Rules = Rules {
    takes_token: true,
    pending: Duration::from_mins(10),
    updating: Duration::from_mins(8),
    deleting: Duration::from_mins(5),
    fill: |values, id| {
        values.insert("endpoint".to_owned(), Value::from(format!("https://{id}.example")));
        values.entry("release".to_owned()).or_insert(Value::Integer(1));
    },
    refuse: one_release_at_a_time,
    ..Rules::new("platform", IdScheme::Number("plat"))
};

fn one_release_at_a_time(situation: &Situation<'_>) -> Result<(), Refusal> {
    let refused = |message: &str| Err(Refusal::new(ErrorClass::Rejected, "InvalidParameter", message));
    let (Action::Change { .. }, Some(platform)) = (situation.action, situation.object) else { return Ok(()) };
    let release = |values: &straddle_engine::value::ValueMap| match values.get("release") {
        Some(Value::Integer(release)) => *release,
        _ => 0,
    };
    let (before, after) = (release(&platform.attributes), release(situation.attributes));
    if after == before {
        return Ok(());
    }
    if after != before + 1 {
        return refused("a platform goes up by one release at a time");
    }
    let mut workers = situation.cloud.live().filter(|object| object.text("platform") == Some(&platform.id));
    if workers.any(|worker| release(&worker.attributes) != before) {
        return refused("a worker is behind");
    }
    Ok(())
}

impl CloudKind for Platform {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListPlatforms";
}

impl Resource for Platform {
    const KIND: &'static str = "platform";
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

    fn waypoint(attribute: &str, way: &Way<'_>) -> Option<Value> {
        match (attribute, way.from, way.to) {
            ("release", Value::Integer(from), Value::Integer(to)) if from + 1 < *to => {
                Some(Value::Integer(from + 1))
            }
            _ => None,
        }
    }

    fn check_change(attribute: &'static str, before: &Value, after: &Value) -> Option<Problem> {
        let (Value::Integer(before), Value::Integer(after)) = (before, after) else { return None };
        (attribute == "release" && after < before).then(|| Problem {
            attribute,
            message: format!("A platform of release {before} never goes back to {after}."),
            hint: Some(format!("Write `release = {before}` or a later one.")),
        })
    }

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "CreatePlatform", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeletePlatform")) };
        let attributes = ["release", "note"];
        CloudStep::first_change("UpdatePlatform", &observed.inputs, desired, &attributes)
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
