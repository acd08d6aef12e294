//! What a plan says of things that become resources of the stack.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::plan::{Change, ChangeAction, Import, Plan, Reason};
use crate::spec::Spec;
use crate::value::Value;

/// Lets what changes and was imported say so.
pub(super) fn tell(changes: &mut [Change], imports: &[Import]) {
    let imported: BTreeSet<_> = imports.iter().map(|import| &import.address).collect();
    for change in changes {
        change.reasons.extend(imported.contains(&change.address).then_some(Reason::Imported));
    }
}

/// Refuses imports of what would be replaced at once: whoever imports a thing wants to keep it.
pub(super) fn replaced(plan: &Plan, spec: &Spec) -> Vec<Diagnostic> {
    let replaced = |change: &&Change| {
        matches!(change.action, ChangeAction::Replace(_)) && change.reasons.contains(&Reason::Imported)
    };
    plan.changes.iter().filter(replaced).map(|change| refusal(change, spec)).collect()
}

fn refusal(change: &Change, spec: &Spec) -> Diagnostic {
    let address = &change.address;
    let fixed: Vec<_> = change.attributes.iter().filter(|attribute| attribute.replaces).collect();
    let differs = fixed.iter().map(|attribute| {
        let name = &attribute.name;
        if attribute.sensitive || !attribute.before.is_known() || !attribute.after.is_known() {
            return format!(" `{name}` is another one.");
        }
        format!(" `{name}` is {}, and the spec says {}.", text(&attribute.before), text(&attribute.after))
    });
    let failed = change.reasons.iter().filter_map(|reason| {
        if let Reason::Failed { reason } = reason {
            Some(format!(" The service says: {reason}."))
        } else {
            None
        }
    });
    let why: String = differs.chain(failed).collect();
    let id = change.remote_id.as_ref().map(ToString::to_string).unwrap_or_default();
    let problem = Diagnostic::error(
        "import-replaces",
        format!("{address} would be replaced right after its import"),
    )
    .with_address(address.clone())
    .with_detail(format!(
        "{id} is to become {address}, and is not what the spec wants.{why} It cannot be changed in place."
    ))
    .with_hint("Write into the block what is there, or take the import away to have another one made.");
    match spec.resources.get(address) {
        Some(node) => problem.with_span(node.span, "differs from what is imported"),
        None => problem,
    }
}

fn text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| value.type_name().to_owned())
}
