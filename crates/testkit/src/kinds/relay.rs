//! `relay`: like a NAT gateway.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::{Attributes, Tags};

use crate::client::Client;
use crate::cloud::{IdScheme, Reference, Refusal, Rules, Situation};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};
use crate::kinds::gateway;

/// A relay, as [`Resource`].
#[derive(Debug)]
pub struct Relay;

/// The way to the outside for what has no public address.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The segment that it stands in. Its network needs a gateway.
    #[attribute(replace, refers_to = "segment")]
    segment: String,
    /// Its public address.
    #[attribute(replace, refers_to = "address")]
    address: String,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows: nothing but the id.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {}

pub(super) const RULES: Rules = Rules {
    references: &[
        Reference { attribute: "segment", holds: true },
        Reference { attribute: "address", holds: true },
    ],
    takes_token: true,
    may_fail: true,
    fixed: &["segment", "address"],
    pending: Duration::from_mins(2),
    deleting: Duration::from_mins(1),
    lingers: Duration::from_hours(1),
    refuse: one_for_each_address,
    doom: no_way_out,
    ..Rules::new("relay", IdScheme::Number("relay"))
};

fn one_for_each_address(situation: &Situation<'_>) -> Result<(), Refusal> {
    let address = situation.text("address");
    let twin = situation.cloud.live().find(|other| {
        situation.object.is_none() && other.kind == "relay" && other.text("address") == address
    });
    twin.map_or(Ok(()), |twin| {
        let message = format!("{} has this address", twin.id);
        Err(Refusal::new(ErrorClass::Rejected, "AlreadyAssociated", message))
    })
}

fn no_way_out(situation: &Situation<'_>) -> Option<String> {
    let segment = situation.cloud.latest(situation.text("segment")?)?;
    let gateway = gateway::attached(situation.cloud, segment.text("network")?);
    gateway.is_none().then(|| "GatewayNotAttached".to_owned())
}

impl CloudKind for Relay {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListRelays";
}

impl Resource for Relay {
    const KIND: &'static str = "relay";
    const TRAITS: Traits = Traits {
        service: "fabric",
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(15),
    };
    const EXCLUSIVE: &'static [&'static str] = &["address"];

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "CreateRelay", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteRelay")) };
        CloudStep::tags(observed.inputs.tags.as_ref(), desired.tags.as_ref())
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
