//! What must hold of every plan, whatever it was made from. A plan that fails here is a defect
//! of this program, and is not carried out.

use std::collections::BTreeSet;

use crate::plan::{Change, ChangeAction, Plan, Reason};
use crate::value::Value;

/// Returns what is wrong with a plan, in whole sentences; empty if nothing is.
#[must_use]
pub fn check(plan: &Plan) -> Vec<String> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for change in &plan.changes {
        if !seen.insert((&change.address, &change.remote_id)) {
            problems.push(format!("{} is changed twice.", change.address));
        }
        problems.extend(check_change(change).map(|problem| format!("{}: {problem}", change.address)));
        if !plan.accounts.contains_key(&change.account) {
            problems.push(format!(
                "{} is in the account `{}`, which the plan does not have.",
                change.address, change.account
            ));
        }
    }
    problems
}

fn check_change(change: &Change) -> Option<&'static str> {
    if change.reasons.is_empty() {
        return Some("it changes without a reason.");
    }
    if change
        .rounds
        .iter()
        .any(|round| round.attributes.is_empty() || change.last_round <= Some(round.number))
    {
        return Some("it has a round in which nothing changes, or that comes after the last one.");
    }
    match change.action {
        ChangeAction::Create if change.remote_id.is_some() => Some("it is created and has an id already."),
        ChangeAction::Update if change.attributes.iter().any(|attribute| attribute.replaces) => {
            Some("it is changed in place although an attribute cannot be.")
        }
        ChangeAction::Update | ChangeAction::Delete | ChangeAction::DeleteDeposed | ChangeAction::Forget
            if change.remote_id.is_none() =>
        {
            Some("it is changed and has no id.")
        }
        ChangeAction::Replace(_) if change.lifecycle.prevent_destroy => {
            Some("it is protected and would be replaced.")
        }
        ChangeAction::Replace(_) if change.remote_id.is_none() => Some("it is replaced and has no id."),
        ChangeAction::Replace(_) if !explains_replacement(change) => Some("it is replaced without need."),
        ChangeAction::Delete if change.lifecycle.prevent_destroy => {
            Some("it is protected and would be deleted.")
        }
        ChangeAction::Update if change.inputs.values().any(Value::is_null) => Some("an input is null."),
        ChangeAction::Create
        | ChangeAction::Update
        | ChangeAction::Replace(_)
        | ChangeAction::Delete
        | ChangeAction::DeleteDeposed
        | ChangeAction::Forget => None,
    }
}

fn explains_replacement(change: &Change) -> bool {
    change.reasons.iter().any(|reason| {
        matches!(
            reason,
            Reason::CannotChange { .. }
                | Reason::Failed { .. }
                | Reason::Moved { .. }
                | Reason::Exchanged { .. }
                | Reason::Asked
        )
    })
}
