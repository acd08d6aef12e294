//! `table`: like a route table.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::{Attributes, Expansion, ExpansionShape, Tags};

use crate::client::Client;
use crate::cloud::{IdScheme, Reference, Rules};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// A table, as [`Resource`].
#[derive(Debug)]
pub struct Table;

/// Where in a network packets go.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The network.
    #[attribute(replace, refers_to = "network")]
    network: String,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows: nothing but the id.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {}

pub(super) const RULES: Rules = Rules {
    references: &[Reference { attribute: "network", holds: true }],
    takes_token: true,
    fixed: &["network"],
    ..Rules::new("table", IdScheme::Number("table"))
};

impl CloudKind for Table {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListTables";
}

impl Resource for Table {
    const KIND: &'static str = "table";
    const TRAITS: Traits = Traits {
        service: "fabric",
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(2),
    };

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Self>;
    type Step = CloudStep;

    fn expansions() -> Vec<Expansion> {
        vec![
            Expansion {
                attribute: "entries",
                documentation: "Where packets go, by destination.",
                child_kind: "table_entry",
                role: "entry",
                parent_attribute: "table",
                shape: ExpansionShape::Entries { key: "destination", value: "target" },
            },
            Expansion {
                attribute: "segments",
                documentation: "The segments whose packets it directs.",
                child_kind: "table_link",
                role: "link",
                parent_attribute: "table",
                shape: ExpansionShape::Items { value: "segment" },
            },
        ]
    }

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "CreateTable", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteTable")) };
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
