//! Leaves out of a plan what the user does not want to change now, and what cannot without it.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{Address, Target};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::graph::{Held, Reach};
use crate::plan::options::covered;
use crate::plan::{Change, LeftOut, LeftOutBecause, Plan, Request};

/// Why a resource stays as it is, for each that does.
pub(crate) type LeftOutResources = BTreeMap<Address, LeftOutBecause>;

/// Takes out of a whole plan what is not to change. Returns every resource that is left out,
/// also those with nothing to change.
///
/// # Errors
/// If something that is asked for is left out.
pub(crate) fn leave_out(plan: &mut Plan, request: &Request<'_>) -> Result<LeftOutResources, Diagnostics> {
    let options = request.options;
    if !options.is_partial() {
        return Ok(LeftOutResources::new());
    }
    let left_out = left_out(plan, request);
    let contradictions = contradictions(request, &left_out);
    if !contradictions.is_empty() {
        return Err(contradictions);
    }
    let (out, kept): (Vec<Change>, Vec<Change>) = std::mem::take(&mut plan.changes)
        .into_iter()
        .partition(|change| left_out.contains_key(&change.address));
    plan.changes = kept;
    let mut out: Vec<_> = out
        .into_iter()
        .map(|change| LeftOut {
            because: left_out[&change.address].clone(),
            address: change.address,
            account: change.account,
            region: change.region,
            action: change.action,
        })
        .collect();
    out.sort_by(|one, other| one.address.cmp(&other.address));
    plan.left_out = out;
    Ok(left_out)
}

fn left_out(plan: &Plan, request: &Request<'_>) -> LeftOutResources {
    let options = request.options;
    let reach = Reach::of(plan, request);
    let all: BTreeSet<&Address> =
        request.spec.resources.keys().chain(request.state.resources.keys()).collect();
    let mut left_out = LeftOutResources::new();
    if !options.target.is_empty() {
        let selected = reach.with_what_they_need(covered(&options.target, all.iter().copied()));
        let others = all.iter().filter(|address| !selected.contains(**address));
        left_out.extend(others.map(|address| ((*address).clone(), LeftOutBecause::NotTargeted)));
    }
    let held = reach.with_what_needs_them(covered(&options.exclude, all.iter().copied()));
    left_out.extend(held.into_iter().map(|(address, held)| (address, because(held))));
    left_out
}

/// Returns every resource that the spec or the state has.
fn resources<'a>(request: &Request<'a>) -> BTreeSet<&'a Address> {
    request.spec.resources.keys().chain(request.state.resources.keys()).collect()
}

fn because(held: Held) -> LeftOutBecause {
    match held {
        Held::Itself => LeftOutBecause::Excluded,
        Held::Needs(address) => LeftOutBecause::Needs { address },
        Held::NeededBy(address) => LeftOutBecause::NeededBy { address },
    }
}

/// Returns what is asked for and left out nevertheless.
fn contradictions(request: &Request<'_>, left_out: &LeftOutResources) -> Diagnostics {
    let options = request.options;
    let mut problems = Diagnostics::default();
    for (option, asked) in [("--target", &options.target), ("--replace", &options.replace)] {
        for asked in asked {
            // Children and some of the instances may be left out: they have not been named.
            let all = resources(request).into_iter();
            let mut named = all.filter(|address| asked.covers_whole(address)).peekable();
            let first = named.peek().and_then(|first| Some((*first, left_out.get(*first)?)));
            if let Some((address, because)) = first
                && named.all(|address| left_out.contains_key(address))
            {
                problems.push(contradiction(option, asked, address, because));
            }
        }
    }
    problems
}

fn contradiction(option: &str, asked: &Target, address: &Address, because: &LeftOutBecause) -> Diagnostic {
    let why = match because {
        LeftOutBecause::NotTargeted => "it is not among the targets".to_owned(),
        LeftOutBecause::Excluded => "it is excluded as well".to_owned(),
        LeftOutBecause::Needs { address } => format!("it needs {address}, which is excluded"),
        LeftOutBecause::NeededBy { address } => format!("{address}, which is left out too, stands on it"),
    };
    Diagnostic::error("contradiction", format!("{option} asks for something that is left out"))
        .with_address(address.clone())
        .with_detail(format!("{option} asks for {asked}, and {address} is left out: {why}."))
        .with_hint("Take one of the options away.")
}
