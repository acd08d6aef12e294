//! The plan: what has to change, why, and in which order. Pure: no reads, no writes, no clock.

mod check;
mod decide;
pub(crate) mod diff;
mod drift;
mod guard;
mod held;
mod imports;
mod inputs;
mod likely_renames;
pub(crate) mod members;
mod model;
mod options;
mod outputs;
mod renames;
mod repair;
mod rounds;
mod selection;
mod takeovers;
mod values;

use std::collections::{BTreeMap, BTreeSet};

pub use check::check;
pub(crate) use drift::{as_observed, differs_from_applied};
pub use held::held;
pub(crate) use inputs::{desired_inputs, inputs_so_far};
pub use likely_renames::likely_renames;
pub(crate) use members::{add_promised, owned, owned_tags};
pub use model::{
    AttributeChange, Change, ChangeAction, Drift, Import, LeftOut, LeftOutBecause, LookedUp, Mode,
    OutputChange, Plan, PlannedAccount, Reason, Rename, Round,
};
pub use options::Options;
pub(crate) use renames::renames;
pub use repair::needed_by_others;
pub(crate) use takeovers::{given_up, taken};
pub use values::{ResourceValues, Values, keeps_promise};

use crate::address::{AccountName, Address};
use crate::diagnostic::{Diagnostic, Diagnostics};
pub use crate::foresee::Foretold;
use crate::graph::Graph;
use crate::lookup::{Found, Wanted, is_lookup};
use crate::observation::Observations;
use crate::plan::decide::Decisions;
use crate::registry::Registry;
use crate::spec::Spec;
use crate::state::State;

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The kinds.
    pub registry: &'a Registry,
    /// What the user wants.
    pub spec: &'a Spec,
    /// What was last applied, under the names that the spec has now.
    pub state: &'a State,
    /// The resources that the state knows under other names yet: the new name, by the old one.
    pub renames: &'a BTreeMap<Address, Address>,
    /// The things that become resources of the stack; the state has them already.
    pub imports: &'a [Import],
    /// What lookups have found so far.
    pub lookups: &'a Found,
    /// What services would make of the changes, as far as they were asked.
    pub foreseen: &'a Foretold,
    /// What is there.
    pub observations: &'a Observations,
    /// Whether the stack is to be made, to be destroyed, or only to be looked at.
    pub mode: Mode,
    /// What the user asks for besides.
    pub options: &'a Options,
}

/// A plan with what carrying it out needs besides.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What references see, as far as it is known.
    pub values: Values,
    /// The order in which the changes are made.
    pub graph: Graph,
    /// The resources that stay as they are, and are recorded as they were, whatever the spec says.
    pub left_out: BTreeSet<Address>,
}

/// Makes a plan. `nonce` tells it from every other.
///
/// # Errors
/// If the plan is not allowed: something protected would go, an expression cannot be evaluated,
/// something is asked for that is not there, too much is gone.
pub fn make(request: &Request<'_>, nonce: String) -> Result<Planned, Diagnostics> {
    options::check(request)?;
    guard::check(request)?;
    let mut decisions = decide_with_exchanges(request)?;
    if request.mode == Mode::Apply {
        rounds::add(request, &decisions.values, &mut decisions.changes)?;
    }
    let mut plan = whole(request, nonce, &mut decisions);
    let left_out: BTreeSet<Address> = selection::leave_out(&mut plan, request)?.into_keys().collect();
    plan.imports.retain(|import| !left_out.contains(&import.address));
    plan.lookups.retain(|lookup| !left_out.contains(&lookup.address));
    for address in &left_out {
        decisions.leave(address);
    }
    plan.accounts = accounts(&plan.changes);
    plan.outputs = outputs::changes(request, &mut decisions, &plan.changes, &left_out);
    let Decisions { values, mut diagnostics, .. } = decisions;
    diagnostics.extend(imports::replaced(&plan, request.spec));
    let diagnostics = concerning(diagnostics, &left_out);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let graph = match request.mode {
        Mode::Apply | Mode::Destroy => Graph::arrange(&mut plan, request)?,
        Mode::Refresh => Graph::default(),
    };
    let problems = check(&plan);
    if problems.is_empty() { Ok(Planned { plan, values, graph, left_out }) } else { Err(defects(problems)) }
}

/// Returns the lookups that can be read now and have not been, but those that are left out of the plan.
///
/// # Errors
/// If resources need each other in a circle, or something is asked for that is not there.
pub(crate) fn unread(request: &Request<'_>) -> Result<Wanted, Diagnostics> {
    if request.mode != Mode::Apply || !request.spec.resources.values().any(|node| is_lookup(&node.kind)) {
        return Ok(Wanted::new());
    }
    let mut decisions = decide(request, BTreeMap::new())?;
    let mut unread = std::mem::take(&mut decisions.unread);
    if !unread.is_empty() && request.options.is_partial() {
        options::check(request)?;
        let mut plan = whole(request, String::new(), &mut decisions);
        let left_out = selection::leave_out(&mut plan, request)?;
        unread.retain(|(address, _)| !left_out.contains_key(address));
    }
    Ok(unread)
}

/// Decides, and decides anew where things would have to exchange what only one can have: then one
/// of them is replaced, and what refers to it has to know.
fn decide_with_exchanges<'a>(request: &Request<'a>) -> Result<Decisions<'a>, Diagnostics> {
    let mut exchanged = BTreeMap::new();
    loop {
        let decisions = decide(request, exchanged.clone())?;
        let found = takeovers::exchanges(request, &decisions.changes);
        if found.is_empty() {
            return Ok(decisions);
        }
        exchanged.extend(found);
    }
}

fn decide<'a>(
    request: &Request<'a>,
    exchanged: BTreeMap<Address, Address>,
) -> Result<Decisions<'a>, Diagnostics> {
    let Request { spec, state, mode, .. } = *request;
    let mut decisions = Decisions::new(request, exchanged);
    match mode {
        Mode::Apply => {
            for address in crate::graph::dependency_order(spec)? {
                decisions.wanted(&spec.resources[&address]);
            }
            let unwanted =
                state.resources.iter().filter(|(address, _)| !spec.resources.contains_key(*address));
            for (address, prior) in unwanted {
                decisions.unwanted(address, prior, &Reason::NotInSpec);
            }
        }
        Mode::Destroy => {
            for (address, prior) in &state.resources {
                decisions.unwanted(address, prior, &Reason::Destroy);
            }
        }
        Mode::Refresh => {}
    }
    Ok(decisions)
}

/// Returns a plan with everything that was decided, its outputs aside.
fn whole(request: &Request<'_>, nonce: String, decisions: &mut Decisions<'_>) -> Plan {
    let Request { spec, state, renames, mode, options, .. } = *request;
    let mut changes = std::mem::take(&mut decisions.changes);
    let mut lookups = std::mem::take(&mut decisions.lookups);
    lookups.sort_by(|one, other| one.address.cmp(&other.address));
    tell_renames(&mut changes, renames);
    imports::tell(&mut changes, request.imports);
    let drift = drift::drift(request);
    let unchanged = match mode {
        Mode::Apply | Mode::Destroy => decisions.unchanged,
        Mode::Refresh => state.resources.len() - drift.len(),
    };
    Plan {
        mode,
        options: options.clone(),
        stack: state.stack.clone(),
        lineage: state.lineage.clone(),
        serial: state.serial,
        spec_digest: spec.digest.clone(),
        nonce,
        accounts: BTreeMap::new(),
        renames: renames.iter().map(|(from, to)| Rename { from: from.clone(), to: to.clone() }).collect(),
        imports: request.imports.to_vec(),
        lookups,
        changes,
        left_out: Vec::new(),
        drift,
        unchanged,
        outputs: Vec::new(),
        told: Vec::new(),
    }
}

/// Lets what changes and has a new name say so.
fn tell_renames(changes: &mut [Change], renames: &BTreeMap<Address, Address>) {
    let former: BTreeMap<_, _> = renames.iter().map(|(from, to)| (to, from)).collect();
    for change in changes {
        let from = former.get(&change.address).map(|from| (*from).clone());
        change.reasons.extend(from.map(|from| Reason::Renamed { from }));
    }
}

/// Returns the problems of what is not left out.
fn concerning(diagnostics: Diagnostics, left_out: &BTreeSet<Address>) -> Diagnostics {
    let concerns = |problem: &Diagnostic| !problem.address.as_ref().is_some_and(|it| left_out.contains(it));
    let mut concerning = Diagnostics::default();
    concerning.extend(diagnostics.into_iter().filter(concerns));
    concerning
}

fn accounts(changes: &[Change]) -> BTreeMap<AccountName, PlannedAccount> {
    let account = |change: &Change| {
        let planned = PlannedAccount { id: change.account_id.clone(), region: change.region.clone() };
        (change.account.clone(), planned)
    };
    changes.iter().map(account).collect()
}

fn defects(problems: Vec<String>) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    diagnostics.extend(problems.into_iter().map(|problem| {
        Diagnostic::error("defect", "the plan contradicts itself")
            .with_detail(problem)
            .with_hint("This is a defect of straddle; nothing was changed. Please report it with the plan.")
    }));
    diagnostics
}
