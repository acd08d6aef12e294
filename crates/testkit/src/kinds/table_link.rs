//! `table_link`: like the association of a route table with a subnet.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::Attributes;
use straddle_engine::value::Value;

use crate::client::Client;
use crate::cloud::{Filter, IdScheme, Reference, Rules};
use crate::kinds::Table;
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// A link of a table to a segment, as [`Resource`].
#[derive(Debug)]
pub struct TableLink;

/// That a table directs the packets of a segment.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The table. Another one gives the link another id.
    #[attribute(refers_to = "table", holds)]
    table: String,
    /// The segment, which can have one table.
    #[attribute(replace, refers_to = "segment")]
    segment: String,
}

/// What only the cloud knows: nothing but the id.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {}

pub(super) const RULES: Rules = Rules {
    references: &[
        Reference { attribute: "table", holds: true },
        Reference { attribute: "segment", holds: false },
    ],
    natural_key: &["segment"],
    taggable: false,
    part_of: Some("table"),
    fixed: &["segment"],
    ..Rules::new("table_link", IdScheme::Number("link"))
};

impl CloudKind for TableLink {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListTables";
}

impl Resource for TableLink {
    const KIND: &'static str = "table_link";
    const TRAITS: Traits = Traits {
        service: "fabric",
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const EXCLUSIVE: &'static [&'static str] = &["segment"];

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Things<Table>;
    type Step = CloudStep;

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        listing.observe(id)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        calls::create::<Self>(client, "LinkTable", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("UnlinkTable")) };
        let moved = observed.inputs.table != desired.table;
        moved.then(|| CloudStep::reissue("ReplaceTableLink", "table", Value::from(desired.table.as_str())))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &CloudStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        calls::perform::<Self>(client, id, step).await
    }

    /// Whoever made the link, and to whichever table: a segment has one link.
    async fn find(client: &Client, _: &Intent, inputs: &Inputs) -> Result<Vec<RemoteId>, ProviderError> {
        let found = calls::list::<Table>(
            client,
            Filter::Part { attribute: "segment".to_owned(), value: inputs.segment.clone() },
        )
        .await?;
        let links = found
            .into_iter()
            .filter(|seen| seen.kind == Self::KIND && seen.text("segment") == Some(&inputs.segment));
        Ok(links.map(|seen| RemoteId::new(seen.id)).collect())
    }
}
