//! `segment`: like a subnet.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::Value;

use crate::client::Client;
use crate::cloud::{IdScheme, Reference, Rules};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};
use crate::kinds::range;

/// A segment, as [`Resource`].
#[derive(Debug)]
pub struct Segment;

/// A part of a network's range.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The network.
    #[attribute(replace, refers_to = "network")]
    network: String,
    /// The range of addresses.
    #[attribute(replace, normalize = range::normalize)]
    range: String,
    /// Whether what stands here gets a public address.
    #[attribute(default = false)]
    public: Option<bool>,
    /// Whether what stands here is told its name.
    #[attribute(default = false)]
    names: Option<bool>,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {
    /// How many addresses are free.
    #[attribute(volatile)]
    free: i64,
}

pub(super) const RULES: Rules = Rules {
    references: &[Reference { attribute: "network", holds: true }],
    natural_key: &["network", "range"],
    fixed: &["network", "range"],
    defaults: &[("public", false), ("names", false)],
    pending: Duration::from_secs(5),
    fill: |values, _| {
        values.insert("free".to_owned(), Value::from(251));
    },
    ..Rules::new("segment", IdScheme::Number("seg"))
};

impl CloudKind for Segment {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListSegments";
}

impl Resource for Segment {
    const KIND: &'static str = "segment";
    const TRAITS: Traits = Traits {
        service: "fabric",
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(2),
    };
    const EXCLUSIVE: &'static [&'static str] = &["network", "range"];

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    /// The switches are steps, since the create does not take them.
    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        let bare = Inputs { public: None, names: None, ..inputs.clone() };
        calls::create::<Self>(client, "CreateSegment", intent, &bare).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteSegment")) };
        CloudStep::first_change("ModifySegmentAttribute", &observed.inputs, desired, &["public", "names"])
            .or_else(|| CloudStep::tags(observed.inputs.tags.as_ref(), desired.tags.as_ref()))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &CloudStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        calls::perform::<Self>(client, id, step).await
    }

    /// A twin that another operation made is somebody else's: it does not have our tag.
    async fn find(client: &Client, intent: &Intent, _: &Inputs) -> Result<Vec<RemoteId>, ProviderError> {
        calls::find_by_operation::<Self>(client, intent).await
    }
}
