//! `spout`: like the load balancer that a controller makes for an Ingress, in another account.

use std::collections::BTreeSet;
use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, MadeByOthers, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;

use crate::client::Client;
use crate::cloud::{Filter, IdScheme, Reference, Rules};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// A spout, as [`Resource`].
#[derive(Debug)]
pub struct Spout;

/// What comes of an intake.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The intake.
    #[attribute(replace, refers_to = "intake")]
    intake: String,
    /// What is written on it.
    label: Option<String>,
}

/// What only the cloud knows.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {
    /// The segments that it stands in.
    #[attribute(volatile)]
    segments: BTreeSet<String>,
}

pub(super) const RULES: Rules = Rules {
    references: &[Reference { attribute: "segments", holds: true }],
    natural_key: &["intake"],
    taggable: false,
    pending: Duration::from_mins(2),
    deleting: Duration::from_mins(2),
    ..Rules::new("spout", IdScheme::Number("spout"))
};

impl CloudKind for Spout {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListSpouts";
}

impl Resource for Spout {
    const KIND: &'static str = "spout";
    const TRAITS: Traits = Traits {
        service: "fabric",
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(5),
    };
    const MADE_BY: Option<MadeByOthers> = Some(MadeByOthers {
        of: &["intake"],
        advice_missing: "Look at the controller on the host.",
        advice_left: "Bring the controller back.",
    });
    const IDENTITY: &'static [&'static str] = &["intake"];

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        let found = Self::find(client, intent, inputs).await?.pop();
        let missing = || ProviderError::new(ErrorClass::Busy, Self::LIST, "there is no spout yet");
        found.ok_or_else(missing)
    }

    fn next_step(_: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        desired.is_none().then(|| CloudStep::delete("DeleteSpout"))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &CloudStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        calls::perform::<Self>(client, id, step).await
    }

    fn remains(observed: &Observed<Inputs, Outputs>) -> Option<String> {
        Some(format!("the spout of {} is still there", observed.inputs.intake))
    }

    async fn find(client: &Client, _: &Intent, inputs: &Inputs) -> Result<Vec<RemoteId>, ProviderError> {
        let found = calls::list::<Self>(client, Filter::All).await?;
        let of_intake = found.into_iter().filter(|seen| seen.text("intake") == Some(&inputs.intake));
        Ok(of_intake.map(|seen| RemoteId::new(seen.id)).collect())
    }
}
