//! `intake`: like an Ingress. A controller on a host makes a spout for it, and takes that away later.

use std::collections::BTreeSet;
use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::Attributes;

use crate::client::Client;
use crate::cloud::{Filter, IdScheme, Reference, Rules};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// An intake, as [`Resource`].
#[derive(Debug)]
pub struct Intake;

/// What somebody is to make a spout for.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The name, of which an account has only one.
    #[attribute(replace)]
    name: String,
    /// The host of the controller.
    #[attribute(replace, refers_to = "host")]
    host: String,
    /// The segments that the spout stands in.
    segments: BTreeSet<String>,
    /// What is written on the spout.
    label: Option<String>,
    /// The id of the account that the spout is made in.
    #[attribute(replace)]
    spout_account: String,
}

/// What only the cloud knows: nothing but the id.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {}

pub(super) const RULES: Rules = Rules {
    // Nobody notices when what it names goes, as with the names in an Ingress.
    references: &[Reference { attribute: "host", holds: false }],
    natural_key: &["name"],
    fixed: &["name", "host", "spout_account"],
    taggable: false,
    ..Rules::new("intake", IdScheme::NaturalKey)
};

impl CloudKind for Intake {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListIntakes";
}

impl Resource for Intake {
    const KIND: &'static str = "intake";
    const TRAITS: Traits = Traits {
        service: "fabric",
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(5),
    };
    const EXCLUSIVE: &'static [&'static str] = &["name"];
    const IDENTITY: &'static [&'static str] = &["name"];

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "CreateIntake", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteIntake")) };
        CloudStep::first_change("ChangeIntake", &observed.inputs, desired, &["segments", "label"])
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &CloudStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        calls::perform::<Self>(client, id, step).await
    }

    async fn find(client: &Client, _: &Intent, inputs: &Inputs) -> Result<Vec<RemoteId>, ProviderError> {
        let found = calls::list::<Self>(client, Filter::Ids([inputs.name.clone()].into())).await?;
        Ok(found.into_iter().map(|seen| RemoteId::new(seen.id)).collect())
    }
}
