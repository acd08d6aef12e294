//! The guard against a wrong account, region or endpoint: there, everything seems to be gone, and
//! a plan would make all of it anew, or forget all of it.

use std::collections::BTreeMap;

use crate::address::{AccountName, Address};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::{Mode, Request};
use crate::state::{ResourceState, Status};

/// Fewer things than this may be gone in an account without a question.
const FEWEST: usize = 3;
/// How many of a hundred things may be gone in an account without a question.
const PERCENT: usize = 30;
/// How many of the things that are gone are named.
const NAMED: usize = 5;

/// Checks that not too much of what the state has in an account is gone.
///
/// What an earlier run began to change or to delete and did not end counts as there: that it is
/// gone may be that run's work.
///
/// # Errors
/// With each account in which too much is gone, unless the user allows it.
pub(super) fn check(request: &Request<'_>) -> Result<(), Diagnostics> {
    if request.options.allow_missing {
        return Ok(());
    }
    let mut diagnostics = Diagnostics::default();
    for (account, found) in found(request) {
        if is_too_much(found.gone.len(), found.recorded) {
            diagnostics.push(refusal(request.mode, account, &found));
        }
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// What the reads found of an account's resources.
#[derive(Default)]
struct Found<'a> {
    /// How many the state has.
    recorded: usize,
    /// Those that are gone.
    gone: Vec<(&'a Address, &'a ResourceState)>,
}

fn found<'a>(request: &Request<'a>) -> BTreeMap<&'a AccountName, Found<'a>> {
    let mut accounts: BTreeMap<_, Found<'a>> = BTreeMap::new();
    for (address, resource) in &request.state.resources {
        let Some(object) = &resource.object else { continue };
        let found = accounts.entry(&resource.account).or_default();
        found.recorded += 1;
        let seen = request.observations.get(address);
        let is_there = seen.is_some_and(|seen| seen.object.is_some() || seen.is_out_of_reach);
        if !is_there && object.status == Status::Ready {
            found.gone.push((address, resource));
        }
    }
    accounts
}

fn is_too_much(gone: usize, recorded: usize) -> bool {
    gone >= FEWEST && gone * 100 > recorded * PERCENT
}

fn refusal(mode: Mode, account: &AccountName, found: &Found<'_>) -> Diagnostic {
    let Found { recorded, gone } = found;
    let (_, first) = gone[0];
    let mut names: Vec<_> = gone.iter().take(NAMED).map(|(address, _)| address.to_string()).collect();
    if gone.len() > NAMED {
        names.push(format!("{} more", gone.len() - NAMED));
    }
    let last = names.pop().unwrap_or_default();
    let names = if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) };
    let consequence = match mode {
        Mode::Apply => "then what the spec still has is made anew, and the rest is forgotten",
        Mode::Destroy => "then they are only dropped from the state",
        Mode::Refresh => "then they are forgotten once that is recorded",
    };
    Diagnostic::error("resources-missing", format!("much of the account `{account}` seems to be gone"))
        .with_detail(format!(
            "Of {recorded} resources that the state has in the account `{account}` ({} {}), {} were not found: {names}. Nothing was changed.",
            first.account_id, first.region, gone.len()
        ))
        .with_hint(format!(
            "Is this the right endpoint, and may the credentials of [account.{account}] see everything? \
             If the resources really are gone, say so with --allow-missing: {consequence}."
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_may_be_gone_and_a_third_may_not() {
        for (gone, recorded, expected) in [
            (0, 0, false),
            (2, 2, false),
            (3, 3, true),
            (3, 9, true),
            (3, 10, false),
            (4, 10, true),
            (3000, 10_000, false),
            (3001, 10_000, true),
        ] {
            assert_eq!(is_too_much(gone, recorded), expected, "{gone} of {recorded}");
        }
    }
}
