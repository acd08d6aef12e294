//! The plan: what has to change, why, and in which order. Pure: no reads, no writes, no clock.

mod check;
mod decide;
mod diff;
mod inputs;
mod model;
mod renames;
mod values;

use std::collections::BTreeMap;

pub use check::check;
pub(crate) use diff::owned_tags;
pub(crate) use inputs::{desired_inputs, exclusive_values};
pub use model::{
    AttributeChange, Change, ChangeAction, Drift, Mode, OutputChange, Plan, PlannedAccount, Reason, Rename,
};
pub(crate) use renames::renames;
pub use values::{ResourceValues, Values, keeps_promise};

use crate::address::{AccountName, Address};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::graph::Graph;
use crate::observation::Observations;
use crate::plan::decide::Decisions;
use crate::registry::Registry;
use crate::spec::Spec;
use crate::state::State;
use crate::value::Value;

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
    /// What is there.
    pub observations: &'a Observations,
    /// Whether the stack is to be made or to be destroyed.
    pub mode: Mode,
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
}

/// Makes a plan. `nonce` tells it from every other.
///
/// # Errors
/// If the plan is not allowed: something protected would go, an expression cannot be evaluated.
pub fn make(request: &Request<'_>, nonce: String) -> Result<Planned, Diagnostics> {
    let Request { registry, spec, state, renames, observations, mode } = *request;
    let mut decisions = Decisions::new(registry, spec, state, observations);
    match mode {
        Mode::Apply => decide_apply(&mut decisions, spec, state)?,
        Mode::Destroy => {
            for (address, prior) in &state.resources {
                decisions.unwanted(address, prior, &Reason::Destroy);
            }
        }
    }
    let outputs = output_changes(&mut decisions, spec, state, mode);
    let Decisions { values, mut changes, mut drift, unchanged, diagnostics, .. } = decisions;
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    tell_renames(&mut changes, renames);
    drift.sort_by(|one, other| one.address.cmp(&other.address));
    let mut plan = Plan {
        mode,
        stack: state.stack.clone(),
        lineage: state.lineage.clone(),
        serial: state.serial,
        spec_digest: spec.digest.clone(),
        nonce,
        accounts: accounts(&changes),
        renames: renames.iter().map(|(from, to)| Rename { from: from.clone(), to: to.clone() }).collect(),
        changes,
        drift,
        unchanged,
        outputs,
    };
    let graph = Graph::arrange(&mut plan, request)?;
    let problems = check(&plan);
    if problems.is_empty() { Ok(Planned { plan, values, graph }) } else { Err(defects(problems)) }
}

fn decide_apply(decisions: &mut Decisions<'_>, spec: &Spec, state: &State) -> Result<(), Diagnostics> {
    for address in crate::graph::dependency_order(spec)? {
        decisions.wanted(&spec.resources[&address]);
    }
    let unwanted = state.resources.iter().filter(|(address, _)| !spec.resources.contains_key(*address));
    for (address, prior) in unwanted {
        decisions.unwanted(address, prior, &Reason::NotInSpec);
    }
    Ok(())
}

/// Lets what changes and has a new name say so.
fn tell_renames(changes: &mut [Change], renames: &BTreeMap<Address, Address>) {
    let former: BTreeMap<_, _> = renames.iter().map(|(from, to)| (to, from)).collect();
    for change in changes {
        let from = former.get(&change.address).map(|from| (*from).clone());
        change.reasons.extend(from.map(|from| Reason::Renamed { from }));
    }
}

fn output_changes(
    decisions: &mut Decisions<'_>,
    spec: &Spec,
    state: &State,
    mode: Mode,
) -> Vec<OutputChange> {
    let mut outputs = BTreeMap::new();
    if mode == Mode::Apply {
        for (name, node) in &spec.outputs {
            match node.value.evaluate(&decisions.values) {
                Ok(value) => drop(outputs.insert(name.clone(), value)),
                Err(error) => decisions.diagnostics.push(*error.diagnostic),
            }
        }
    }
    let names = outputs.keys().chain(state.outputs.keys().filter(|name| !outputs.contains_key(*name)));
    let of =
        |values: &BTreeMap<String, Value>, name: &String| values.get(name).cloned().unwrap_or(Value::Null);
    let change = |name: &String| OutputChange {
        name: name.clone(),
        before: of(&state.outputs, name),
        after: of(&outputs, name),
    };
    names.map(change).filter(|change| change.before != change.after).collect()
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
