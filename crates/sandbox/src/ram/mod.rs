//! RAM: what accounts share with one another.

mod associations;
mod invitations;
mod listing;
mod member;
mod organization;
mod principal;
mod share;
mod shares;
mod sight;
mod tags;
#[cfg(test)]
mod testing;

use jiff::SignedDuration;

use crate::access::{Context, of_tags};
use crate::call::{Call, Operation, Refusal};
use crate::page::Paging;
use crate::world::World;

pub(crate) use share::Shares;
pub(crate) use sight::look_anew;
pub(crate) use tags::tagged;

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    let tables = [
        shares::OPERATIONS,
        associations::OPERATIONS,
        listing::OPERATIONS,
        invitations::OPERATIONS,
        organization::OPERATIONS,
        tags::OPERATIONS,
    ];
    tables.into_iter().flatten()
}

/// What the operations on a share are done to.
const SHARE: &[(&str, &str)] = &[("resourceShareArn", "resource-share")];

/// Returns the condition keys of a share: its tags.
pub(crate) fn context(world: &World, call: &Call, arn: &str) -> Context {
    let share = world.shares.get(&call.region).and_then(|shares| shares.by_arn.get(arn));
    share.map(|share| of_tags(&share.tags, "ram")).unwrap_or_default()
}

const PAGING: Paging = Paging {
    size: "maxResults",
    token: "nextToken",
    usual: 500,
    most: 500,
    wrong_size: "InvalidParameterException",
    wrong_token: "InvalidNextTokenException",
};

/// How long it takes until something is in a share, or out of it. Estimated.
const ASSOCIATING: SignedDuration = SignedDuration::from_secs(6);

/// How much later a participant sees what is shared with it: the participant's read may follow
/// the association by seconds. Estimated.
const SIGHT: SignedDuration = SignedDuration::from_secs(10);

/// How long shares and associations are listed after they ended: about two hours.
const KEPT: SignedDuration = SignedDuration::from_hours(2);

/// Returns a parameter that the operation cannot do without.
fn required<'a>(call: &'a Call, name: &str) -> Result<&'a str, Refusal> {
    let given = call.parameters.text(name).filter(|text| !text.is_empty());
    given.ok_or_else(|| {
        Refusal::new("MissingRequiredParameterException", format!("The parameter {name} is missing."))
    })
}

/// Refuses a parameter's value.
fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

/// Refuses what is not found.
fn unknown(message: impl Into<String>) -> Refusal {
    Refusal::new("UnknownResourceException", message)
}
