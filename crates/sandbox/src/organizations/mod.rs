//! AWS Organizations: the accounts, the units that they are in, what they may do at most, and the services
//! that are trusted.

mod accounts;
mod policies;
mod services;
mod units;

use crate::call::{Call, Operation, Refusal};
use crate::page::Paging;
use crate::world::{Organization, World};

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    [accounts::OPERATIONS, policies::OPERATIONS, services::OPERATIONS, units::OPERATIONS]
        .into_iter()
        .flatten()
}

/// A page has at most 20 things (API reference, `ListAccounts`).
const PAGING: Paging = Paging {
    size: "MaxResults",
    token: "NextToken",
    usual: 20,
    most: 20,
    wrong_size: "InvalidInputException",
    wrong_token: "InvalidInputException",
};

/// Returns the organization of the caller.
fn organization<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Organization, Refusal> {
    if world.organization.has(&call.caller.account) {
        return Ok(&mut world.organization);
    }
    let message = "Your account is not a member of an organization.";
    Err(Refusal::new("AWSOrganizationsNotInUseException", message))
}

/// Returns the organization that the caller manages: all but a few operations "can be called only
/// from the organization's management account".
fn managed<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Organization, Refusal> {
    let organization = organization(world, call)?;
    if organization.management == call.caller.account {
        return Ok(organization);
    }
    let message = "You don't have permissions to access this resource.";
    Err(Refusal::new("AccessDeniedException", message))
}

/// Returns a parameter that the operation cannot do without.
fn required<'a>(call: &'a Call, name: &str) -> Result<&'a str, Refusal> {
    let given = call.parameters.text(name).filter(|text| !text.is_empty());
    given
        .ok_or_else(|| Refusal::new("InvalidInputException", format!("You must specify a value for {name}.")))
}
