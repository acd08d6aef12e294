//! Replacements whose old object is held: something that is only changed in place uses it until it
//! is told of the new one, and nothing that is used can be deleted. So the new one should come first.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::{Change, ChangeAction, Plan, Reason};
use crate::registry::Registry;
use crate::resource::ReplaceOrder;
use crate::spec::Spec;
use crate::value::Value;

const DELETE_FIRST: ChangeAction = ChangeAction::Replace(ReplaceOrder::DeleteFirst);

/// Warns of the replacements that delete something first which is held until the new object is there.
#[must_use]
pub fn held(plan: &Plan, spec: &Spec, registry: &Registry) -> Diagnostics {
    let goes_first = goes_first(plan);
    let mut warnings = Diagnostics::default();
    for (held, holders) in holders(plan, registry) {
        let change = &plan.changes[held];
        let obstacle = Obstacle::of(change, &goes_first, spec, registry);
        warnings.push(warning(&change.address, &holders, obstacle.as_ref(), spec));
    }
    warnings
}

fn goes_first(plan: &Plan) -> BTreeSet<Address> {
    let goes_first = plan.changes.iter().filter(|change| change.action == DELETE_FIRST);
    goes_first.map(|change| change.address.clone()).collect()
}

fn warning(held: &Address, holders: &[&Address], obstacle: Option<&Obstacle>, spec: &Spec) -> Diagnostic {
    let names: Vec<_> = holders.iter().map(ToString::to_string).collect();
    let two_steps =
        "Replace it in two steps: make another one beside it, and delete it once nothing uses it.";
    let hint = match obstacle {
        None => {
            "`replace_order = \"create_first\"` lets the new one come first, if there may be two for a while."
                .to_owned()
        }
        Some(Obstacle::TurnedAround) => two_steps.to_owned(),
        Some(Obstacle::SameClaim(attributes)) => {
            format!("Change {attributes} as well: only one that differs in that can come first.")
        }
        Some(Obstacle::StandsOn(address)) => {
            format!("It stands on {address}, whose old object goes first too. {two_steps}")
        }
    };
    let warning = Diagnostic::warning("held", "something is deleted while it is used")
        .with_detail(format!(
            "The old object of {held} goes before the new one comes, and until then it is used by {}. The \
             service may refuse to delete it until the time limit is over.",
            names.join(", ")
        ))
        .with_hint(hint)
        .with_address(held.clone());
    match spec.resources.get(held) {
        Some(node) => warning.with_span(node.span, ""),
        None => warning,
    }
}

/// Returns the positions of the changes whose old object goes first although something holds it that
/// is changed in place, with what holds it.
fn holders<'p>(plan: &'p Plan, registry: &Registry) -> BTreeMap<usize, Vec<&'p Address>> {
    let goes_first = plan.changes.iter().enumerate().filter(|(_, change)| change.action == DELETE_FIRST);
    let goes_first: BTreeMap<&str, usize> = goes_first
        .filter_map(|(position, change)| Some((change.remote_id.as_ref()?.as_str(), position)))
        .collect();
    let mut holders: BTreeMap<usize, Vec<&Address>> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| change.action == ChangeAction::Update) {
        let held = named(change, registry).into_iter().filter_map(|id| goes_first.get(id));
        for position in held.collect::<BTreeSet<_>>() {
            holders.entry(*position).or_default().push(&change.address);
        }
    }
    holders
}

/// Returns the ids that a change stops holding.
fn named<'p>(change: &'p Change, registry: &Registry) -> Vec<&'p str> {
    let Some(kind) = registry.kind(change.kind.as_str()) else { return Vec::new() };
    let holds = |name: &str| kind.schema().input(name).is_some_and(|attribute| attribute.holds);
    let values = change.attributes.iter().filter(|attribute| holds(&attribute.name)).map(|it| &it.before);
    let items = values.flat_map(|value| value.as_list().unwrap_or(std::slice::from_ref(value)));
    items.filter_map(Value::as_str).collect()
}

/// Why the new object of a replacement does not come first.
enum Obstacle {
    /// The spec wants that it does, or moves it to another account, and there is no such order.
    TurnedAround,
    /// It would have the same of what only one can have: these attributes.
    SameClaim(String),
    /// It stands on something whose old object goes first.
    StandsOn(Address),
}

impl Obstacle {
    fn of(change: &Change, goes_first: &BTreeSet<Address>, spec: &Spec, registry: &Registry) -> Option<Self> {
        if change.reasons.iter().any(|reason| matches!(reason, Reason::Moved { .. })) {
            return Some(Self::TurnedAround);
        }
        let kind = registry.kind(change.kind.as_str())?;
        let exclusive = kind.exclusive();
        let changes = |name: &&str| change.attributes.iter().any(|attribute| attribute.name == *name);
        if !exclusive.is_empty() && !exclusive.iter().any(changes) {
            let names: Vec<_> = exclusive.iter().map(|name| format!("`{name}`")).collect();
            return Some(Self::SameClaim(names.join(" or ")));
        }
        let dependencies = &spec.resources.get(&change.address)?.dependencies;
        if let Some(first) = dependencies.iter().find(|dependency| goes_first.contains(*dependency)) {
            return Some(Self::StandsOn(first.clone()));
        }
        let chosen = change.lifecycle.replace_order == Some(ReplaceOrder::CreateFirst);
        chosen.then_some(Self::TurnedAround)
    }
}
