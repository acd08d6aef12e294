//! `host`: like a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use crate::client::Client;
use crate::cloud::{IdScheme, Reference, Rules};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// A host, as [`Resource`].
#[derive(Debug)]
pub struct Host;

/// Something that runs in segments, which may be another account's.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// What it runs.
    #[attribute(replace)]
    image: String,
    /// The segments that it stands in.
    #[attribute(refers_to = "segment", holds)]
    segments: BTreeSet<String>,
    /// How many processors it has.
    #[attribute(default = 1)]
    size: Option<i64>,
    /// Words about it.
    labels: Option<BTreeMap<String, String>>,
    /// How much it may use.
    limits: Option<Limits>,
    /// Tags.
    tags: Option<Tags>,
}

/// How much a host may use.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(super) struct Limits {
    /// How many files it may have open.
    #[attribute(default = 1024)]
    files: Option<i64>,
    /// How much memory it may take, in megabytes; the cloud decides if it is not set.
    memory: Option<i64>,
    /// How many threads it has now; the cloud changes that as it needs them.
    #[attribute(handed_over)]
    threads: Option<i64>,
    /// What of the limits its tenants get.
    #[attribute(replace)]
    tenancy: Option<String>,
}

/// What only the cloud knows.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {
    /// Where it is reached.
    endpoint: String,
}

pub(super) const RULES: Rules = Rules {
    references: &[Reference { attribute: "segments", holds: true }],
    takes_token: true,
    may_fail: true,
    fixed: &["image"],
    pending: Duration::from_mins(10),
    updating: Duration::from_mins(5),
    deleting: Duration::from_mins(5),
    fill: |values, id| {
        values.insert("endpoint".to_owned(), Value::from(format!("https://{id}.example")));
        values.entry("size".to_owned()).or_insert(Value::Integer(1));
        let limits = values.entry("limits".to_owned()).or_insert_with(|| Value::Map(ValueMap::new()));
        if let Value::Map(limits) = limits {
            limits.entry("files".to_owned()).or_insert(Value::Integer(1024));
            limits.entry("memory".to_owned()).or_insert(Value::Integer(512));
            limits.entry("threads".to_owned()).or_insert(Value::Integer(1));
            limits.entry("tenancy".to_owned()).or_insert(Value::from("equal"));
        }
    },
    ..Rules::new("host", IdScheme::Number("host"))
};

impl CloudKind for Host {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListHosts";
}

impl Resource for Host {
    const KIND: &'static str = "host";
    const TRAITS: Traits = Traits {
        service: "compute",
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(30),
        poll: Duration::from_secs(20),
    };

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "CreateHost", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteHost")) };
        let attributes = ["size", "segments", "labels", "limits"];
        let whole = Inputs { limits: whole_limits(&observed.inputs, desired), ..desired.clone() };
        CloudStep::first_change("UpdateHost", &observed.inputs, &whole, &attributes)
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

/// Returns the limits to send: the call takes all of them at once.
fn whole_limits(found: &Inputs, desired: &Inputs) -> Option<Limits> {
    let found = found.limits.clone().unwrap_or_default();
    let desired = desired.limits.as_ref()?;
    Some(Limits {
        files: desired.files.or(found.files),
        memory: desired.memory.or(found.memory),
        threads: desired.threads.or(found.threads),
        tenancy: found.tenancy,
    })
}
