//! `table_entry`: like a route.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::Attributes;

use crate::client::Client;
use crate::cloud::{Filter, IdScheme, Reference, Rules};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};
use crate::kinds::{Table, range};

/// An entry of a table, as [`Resource`].
#[derive(Debug)]
pub struct TableEntry;

/// Where the packets to one range of addresses go.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The table.
    #[attribute(replace, refers_to = "table")]
    table: String,
    /// The range of addresses.
    #[attribute(replace, normalize = range::normalize)]
    destination: String,
    /// Where the packets go.
    #[attribute(refers_to = ["gateway", "relay"])]
    target: String,
}

/// What only the cloud knows: nothing but the id.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {}

/// What an entry leads to can go: the entry then leads nowhere.
pub(super) const RULES: Rules = Rules {
    references: &[
        Reference { attribute: "table", holds: false },
        Reference { attribute: "target", holds: false },
    ],
    natural_key: &["table", "destination"],
    taggable: false,
    part_of: Some("table"),
    fixed: &["table", "destination"],
    ..Rules::new("table_entry", IdScheme::NaturalKey)
};

impl CloudKind for TableEntry {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListTables";
}

impl Resource for TableEntry {
    const KIND: &'static str = "table_entry";
    const TRAITS: Traits = Traits {
        service: "fabric",
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const EXCLUSIVE: &'static [&'static str] = &["table", "destination"];
    const IDENTITY: &'static [&'static str] = &["table", "destination"];

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Table>;
    type Step = CloudStep;

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "CreateTableEntry", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteTableEntry")) };
        CloudStep::first_change("ReplaceTableEntry", &observed.inputs, desired, &["target"])
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &CloudStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        calls::perform::<Self>(client, id, step).await
    }

    /// Whoever made the entry: a destination has one entry.
    async fn find(client: &Client, _: &Intent, inputs: &Inputs) -> Result<Vec<RemoteId>, ProviderError> {
        let found = calls::list::<Table>(client, Filter::from_iter([inputs.table.clone()])).await?;
        let entries = found
            .into_iter()
            .filter(|seen| seen.kind == Self::KIND && seen.text("destination") == Some(&inputs.destination));
        Ok(entries.map(|seen| RemoteId::new(seen.id)).collect())
    }
}
