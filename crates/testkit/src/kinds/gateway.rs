//! `gateway`: like an internet gateway.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::Value;

use crate::client::Client;
use crate::cloud::{Action, Cloud, IdScheme, Reference, Refusal, Rules, Situation};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// A gateway, as [`Resource`].
#[derive(Debug)]
pub struct Gateway;

/// What stands for the network of a gateway that is attached to none.
const DETACHED: &str = "";

/// The way from a network to the outside.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The network that it is attached to. Taking it out of the spec detaches the gateway.
    #[attribute(refers_to = "network", default = DETACHED)]
    network: Option<String>,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows: nothing but the id.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {}

pub(super) const RULES: Rules = Rules {
    references: &[Reference { attribute: "network", holds: true }],
    refuse,
    ..Rules::new("gateway", IdScheme::Number("gate"))
};

fn refuse(situation: &Situation<'_>) -> Result<(), Refusal> {
    let Some(gateway) = situation.object else { return Ok(()) };
    let (before, after) = (gateway.text("network"), situation.text("network"));
    match situation.action {
        Action::Delete { .. } if before.is_some() => {
            Err(Refusal::new(ErrorClass::Dependency, "DependencyViolation", "the gateway is attached"))
        }
        Action::Change { .. } if before.is_some() && after.is_some() && before != after => {
            Err(Refusal::new(ErrorClass::Rejected, "AlreadyAttached", "the gateway is attached elsewhere"))
        }
        Action::Change { .. } if let Some(network) = after => free_for(situation.cloud, &gateway.id, network),
        Action::Change { .. } if let Some(network) = before => unused(situation.cloud, network),
        Action::Create { .. }
        | Action::Change { .. }
        | Action::Reissue { .. }
        | Action::SetTags { .. }
        | Action::RemoveTags { .. }
        | Action::Delete { .. }
        | Action::Add { .. }
        | Action::Take { .. }
        | Action::List { .. } => Ok(()),
    }
}

/// A network has one gateway.
fn free_for(cloud: &Cloud, gateway: &str, network: &str) -> Result<(), Refusal> {
    let other = attached(cloud, network).filter(|other| *other != gateway);
    other.map_or(Ok(()), |other| {
        Err(Refusal::new(ErrorClass::Rejected, "AlreadyAttached", format!("{other} is attached there")))
    })
}

/// A gateway stays attached as long as public addresses lead through it.
fn unused(cloud: &Cloud, network: &str) -> Result<(), Refusal> {
    let inside =
        |segment: &str| cloud.latest(segment).is_some_and(|segment| segment.text("network") == Some(network));
    let relay = cloud.live().find(|other| other.kind == "relay" && other.text("segment").is_some_and(inside));
    relay.map_or(Ok(()), |relay| {
        let message = format!("{} has a public address", relay.id);
        Err(Refusal::new(ErrorClass::Dependency, "DependencyViolation", message))
    })
}

/// Returns the gateway of a network.
pub(super) fn attached<'a>(cloud: &'a Cloud, network: &str) -> Option<&'a str> {
    let gateway =
        cloud.live().find(|other| other.kind == "gateway" && other.text("network") == Some(network))?;
    Some(&gateway.id)
}

impl CloudKind for Gateway {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListGateways";
}

impl Resource for Gateway {
    const KIND: &'static str = "gateway";
    const TRAITS: Traits = Traits {
        service: "fabric",
        recovery: Recovery::TagSearch,
        // A network takes no second one.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(20),
        poll: Duration::from_secs(2),
    };
    const EXCLUSIVE: &'static [&'static str] = &["network"];

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        let mut observed = listing.observe::<Inputs, Outputs>(id)?;
        observed.inputs.network.get_or_insert_default();
        Some(observed)
    }

    /// Attaching is a step, since the create does not do it.
    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        let bare = Inputs { network: None, ..inputs.clone() };
        calls::create::<Self>(client, "CreateGateway", intent, &bare).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let found = observed.inputs.network.as_deref().filter(|network| *network != DETACHED);
        let detach = found.map(|_| CloudStep::change("DetachGateway", "network", Value::Null));
        let Some(desired) = desired else { return detach.or(Some(CloudStep::delete("DeleteGateway"))) };
        if let Some(network) = desired.network.as_deref()
            && network != found.unwrap_or(DETACHED)
        {
            return detach.or(Some(CloudStep::change("AttachGateway", "network", Value::from(network))));
        }
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
