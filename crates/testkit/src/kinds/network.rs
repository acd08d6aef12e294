//! `network`: like a VPC.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Observed, Problem, Recovery, ReplaceOrder, Resource, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use crate::client::Client;
use crate::cloud::{Action, IdScheme, Refusal, Rules, Situation};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};
use crate::kinds::range;

/// A network, as [`Resource`].
#[derive(Debug)]
pub struct Network;

/// A range of addresses in which everything else has its place.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The range of addresses.
    #[attribute(replace, normalize = range::normalize)]
    range: String,
    /// Whether the hardware is shared with others. From `dedicated` to `shared` can be changed in place.
    #[attribute(replace, default = "shared", one_of = ["shared", "dedicated"])]
    tenancy: Option<String>,
    /// Whether names are resolved.
    #[attribute(default = true)]
    dns: Option<bool>,
    /// Whether hosts get names. Needs `dns`.
    #[attribute(default = false)]
    names: Option<bool>,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {
    /// The account that owns it, and its id.
    locator: String,
}

pub(super) const RULES: Rules = Rules {
    fixed: &["range"],
    defaults: &[("dns", true), ("names", false)],
    pending: Duration::from_secs(5),
    quota: 5,
    fill: |values, id| {
        values.insert("locator".to_owned(), Value::from(format!("cloud:network/{id}")));
        values.entry("tenancy".to_owned()).or_insert_with(|| Value::from("shared"));
    },
    refuse: names_need_dns,
    ..Rules::new("network", IdScheme::Number("net"))
};

fn names_need_dns(situation: &Situation<'_>) -> Result<(), Refusal> {
    let is = |attribute: &str| situation.attributes.get(attribute) == Some(&Value::Bool(true));
    if matches!(situation.action, Action::Change { .. }) && is("names") && !is("dns") {
        return Err(Refusal::new(ErrorClass::Rejected, "InvalidParameter", "names need dns"));
    }
    Ok(())
}

impl CloudKind for Network {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListNetworks";
}

impl Resource for Network {
    const KIND: &'static str = "network";
    const TRAITS: Traits = Traits {
        service: "fabric",
        recovery: Recovery::TagSearch,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(2),
    };

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let is = |attribute: &str, value: bool| inputs.get(attribute) == Some(&Value::Bool(value));
        let wrong = is("names", true) && is("dns", false);
        let problem = Problem {
            attribute: "names",
            message: "Hosts cannot have names that nobody resolves.".to_owned(),
            hint: Some("Set `dns = true`.".to_owned()),
        };
        wrong.then_some(problem).into_iter().collect()
    }

    fn must_replace(attribute: &str, before: &Value, after: &Value) -> bool {
        attribute != "tenancy" || (before.as_str(), after.as_str()) != (Some("dedicated"), Some("shared"))
    }

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    /// The switches are steps, since the create does not take them.
    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        let bare = Inputs { dns: None, names: None, ..inputs.clone() };
        calls::create::<Self>(client, "CreateNetwork", intent, &bare).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteNetwork")) };
        // Names need dns: it is switched on before, and off after them.
        let switches = if desired.names == Some(true) { ["dns", "names"] } else { ["names", "dns"] };
        CloudStep::first_change("ModifyNetworkAttribute", &observed.inputs, desired, &switches)
            .or_else(|| {
                CloudStep::first_change("ModifyNetworkTenancy", &observed.inputs, desired, &["tenancy"])
            })
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
