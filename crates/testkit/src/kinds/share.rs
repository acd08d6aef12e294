//! `share`: like a resource share of RAM.

use std::collections::BTreeSet;
use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, Observed, Recovery, ReplaceOrder, Resource, Timeouts, Traits};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::sharing::{Cover, Shareable, Sharing};

use crate::client::Client;
use crate::cloud::{IdScheme, Reference, Rules};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// How the cloud's accounts lend things to each other.
pub(super) const SHARING: Sharing = Sharing {
    share: "share",
    resources: RESOURCES,
    principals: PRINCIPALS,
    shareable: &[
        Shareable { kind: "segment", cover: Cover::Itself { attribute: "id" } },
        Shareable { kind: "network", cover: Cover::Part { kind: "segment", attribute: "network" } },
    ],
    precondition: None,
    accepter: None,
    advice: "Look whether the share holds the segment and names the account, and apply again.",
};

/// The attribute that names the shared things.
pub(crate) const RESOURCES: &str = "resources";
/// The attribute that names the accounts that they are shared with.
pub(crate) const PRINCIPALS: &str = "principals";

/// A share, as [`Resource`].
#[derive(Debug)]
pub struct Share;

/// Segments that other accounts can use.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// What it is called.
    name: Option<String>,
    /// The segments.
    #[attribute(refers_to = "segment")]
    resources: BTreeSet<String>,
    /// The ids of the accounts.
    principals: BTreeSet<String>,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows: nothing but the id.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {}

pub(super) const RULES: Rules = Rules {
    references: &[Reference { attribute: RESOURCES, holds: false }],
    takes_token: true,
    may_fail: true,
    pending: Duration::from_secs(20),
    updating: Duration::from_secs(10),
    lingers: Duration::from_hours(2),
    ..Rules::new("share", IdScheme::Number("share"))
};

impl CloudKind for Share {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListShares";
}

impl Resource for Share {
    const KIND: &'static str = "share";
    const TRAITS: Traits = Traits {
        service: "sharing",
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(5),
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
        calls::create::<Self>(client, "CreateShare", intent, inputs).await
    }

    /// One member a call, and what is to be shared before what is not to be any more.
    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteShare")) };
        let found = &observed.inputs;
        let sets = [
            (RESOURCES, &found.resources, &desired.resources),
            (PRINCIPALS, &found.principals, &desired.principals),
        ];
        let first = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).next().cloned();
        let add = sets.iter().find_map(|(name, found, desired)| {
            Some(CloudStep::add("AssociateShare", name, first(desired, found)?))
        });
        let take = || {
            sets.iter().find_map(|(name, found, desired)| {
                Some(CloudStep::take("DisassociateShare", name, first(found, desired)?))
            })
        };
        add.or_else(take)
            .or_else(|| CloudStep::first_change("UpdateShare", found, desired, &["name"]))
            .or_else(|| CloudStep::tags(found.tags.as_ref(), desired.tags.as_ref()))
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
