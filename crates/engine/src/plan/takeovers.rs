//! What only one thing can have at a time: who gives it up, who takes it over, and who would have to
//! do both in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{Address, Kind};
use crate::plan::inputs::exclusive_values;
use crate::plan::{Change, ChangeAction, Request};
use crate::resource::Home;
use crate::value::ValueMap;

/// What only one thing can have at a time: where that is, the kind, and the values of the kind's
/// exclusive attributes.
pub(crate) type Exclusive<'a> = (Home<'a>, &'a Kind, Vec<String>);

/// Returns what a change gives up that only one thing can have; `None` if that is nothing.
pub(crate) fn given_up<'a>(request: &Request<'_>, change: &'a Change) -> Option<Exclusive<'a>> {
    match change.action {
        ChangeAction::Create => None,
        ChangeAction::Update => {
            let had = had(request, change)?;
            (exclusive(request, change, &change.inputs).as_ref() != Some(&had)).then_some(had)
        }
        ChangeAction::Replace(_)
        | ChangeAction::Delete
        | ChangeAction::DeleteDeposed
        | ChangeAction::Forget => had(request, change),
    }
}

/// Returns what a change takes that only one thing can have; `None` if that is nothing, or not known.
pub(crate) fn taken<'a>(request: &Request<'_>, change: &'a Change) -> Option<Exclusive<'a>> {
    match change.action {
        ChangeAction::Create | ChangeAction::Replace(_) => exclusive(request, change, &change.inputs),
        ChangeAction::Update => {
            let takes = exclusive(request, change, &change.inputs)?;
            (had(request, change).as_ref() != Some(&takes)).then_some(takes)
        }
        ChangeAction::Delete | ChangeAction::DeleteDeposed | ChangeAction::Forget => None,
    }
}

/// Returns a resource of each circle in which things that change in place take over from one
/// another what only one can have, with the one that it takes it over from: one of them has to go
/// before any of the others can change.
pub(super) fn exchanges(request: &Request<'_>, changes: &[Change]) -> BTreeMap<Address, Address> {
    let updates = || changes.iter().filter(|change| change.action == ChangeAction::Update);
    let givers: BTreeMap<_, _> =
        updates().filter_map(|change| Some((given_up(request, change)?, change))).collect();
    let mut exchanges = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for first in givers.values() {
        let mut way = Vec::new();
        let mut next = Some(*first);
        while let Some(change) = next.filter(|change| seen.insert(&change.address)) {
            way.push(change);
            next = taken(request, change).and_then(|takes| givers.get(&takes).copied());
        }
        let Some(start) = next.and_then(|again| way.iter().position(|change| *change == again)) else {
            continue;
        };
        exchanges.extend(broken_up(request, &way[start..]));
    }
    exchanges
}

/// Returns the one of a circle that goes, with the one that it takes over from: the first that
/// nothing protects. If all are protected, the plan says so of the first one.
fn broken_up(request: &Request<'_>, circle: &[&Change]) -> Option<(Address, Address)> {
    let protected = |change: &Change| {
        let prior = request.state.resources.get(&change.address);
        change.lifecycle.prevent_destroy || prior.is_some_and(|prior| prior.lifecycle.prevent_destroy)
    };
    let pairs = || circle.iter().zip(circle.iter().cycle().skip(1));
    let free = pairs().filter(|(change, _)| !protected(change));
    let (goes, giver) = free.min_by_key(|(change, _)| &change.address).or_else(|| pairs().next())?;
    Some((goes.address.clone(), giver.address.clone()))
}

/// Returns what the object that a change is about has to itself.
fn had<'a>(request: &Request<'_>, change: &'a Change) -> Option<Exclusive<'a>> {
    let prior = request.state.resources.get(&change.address)?;
    let mut objects = prior.object.iter().chain(&prior.deposed);
    let object = objects.find(|object| Some(&object.remote_id) == change.remote_id.as_ref())?;
    if change.action != ChangeAction::Update {
        return exclusive(request, change, &object.inputs);
    }
    // Others may have changed it since.
    let mut inputs = object.inputs.clone();
    for attribute in &change.attributes {
        if attribute.before.is_null() {
            inputs.remove(&attribute.name);
        } else {
            inputs.insert(attribute.name.clone(), attribute.before.clone());
        }
    }
    exclusive(request, change, &inputs)
}

/// Returns what a thing with these inputs has to itself; `None` if that is nothing, or not known.
fn exclusive<'a>(request: &Request<'_>, change: &'a Change, inputs: &ValueMap) -> Option<Exclusive<'a>> {
    let kind = request.registry.kind(change.kind.as_str())?;
    let scope = request.registry.scope(&change.kind, change.home());
    Some((scope, &change.kind, exclusive_values(&**kind, inputs)?))
}
