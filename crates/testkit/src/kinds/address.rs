//! `address`: like an elastic IP.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::Value;

use crate::client::Client;
use crate::cloud::{IdScheme, Rules};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// An address, as [`Resource`].
#[derive(Debug)]
pub struct Address;

/// A public address.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// Where the address comes from.
    #[attribute(replace, default = "standard")]
    pool: Option<String>,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {
    /// The address itself.
    number: String,
}

pub(super) const RULES: Rules = Rules {
    fixed: &["pool"],
    quota: 5,
    fill: |values, id| {
        values.insert(
            "number".to_owned(),
            Value::from(format!("198.51.100.{}", id.trim_start_matches("addr-"))),
        );
        values.entry("pool".to_owned()).or_insert_with(|| Value::from("standard"));
    },
    ..Rules::new("address", IdScheme::Number("addr"))
};

impl CloudKind for Address {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListAddresses";
}

impl Resource for Address {
    const KIND: &'static str = "address";
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

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "AllocateAddress", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("ReleaseAddress")) };
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
