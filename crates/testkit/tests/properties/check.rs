//! What must hold at every moment, whatever went wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use straddle_engine::resource::{ADDRESS_TAG, OPERATION_TAG};
use straddle_engine::state::{Object as Recorded, State};
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::cloud::{Cloud, Object};
use straddle_testkit::kinds::rules_of;

/// Every live thing of ours is in the state, or the state has the create that may have made it.
pub(crate) fn nothing_is_unknown(cloud: &Cloud, state: Option<&State>) {
    for object in cloud.live().filter(|object| !object.foreign) {
        let known = state.is_some_and(|state| is_known(object, state));
        assert!(known, "{} {} is live and nobody knows it: {object:#?}\n{state:#?}", object.kind, object.id);
    }
}

fn is_known(object: &Object, state: &State) -> bool {
    let recorded = state.resources.values().any(|resource| {
        resource.kind.as_str() == object.kind
            && resource.account_id == object.account
            && recorded(resource).any(|recorded| {
                recorded.remote_id.as_str() == object.id || is_same_untaggable(object, &recorded.inputs)
            })
    });
    let pending = state.pending.iter().any(|(operation_id, pending)| {
        pending.kind.as_str() == object.kind
            && pending.account_id == object.account
            && (object.tags.get(OPERATION_TAG) == Some(operation_id)
                || is_same_untaggable(object, &pending.inputs))
    });
    recorded || pending
}

fn recorded(resource: &straddle_engine::state::ResourceState) -> impl Iterator<Item = &Recorded> {
    resource.object.iter().chain(&resource.deposed)
}

/// What has no tags is its natural key.
fn is_same_untaggable(object: &Object, inputs: &ValueMap) -> bool {
    let rules = rules_of(&object.kind);
    let mut key = rules.natural_key.iter();
    !rules.taggable
        && key.all(|attribute| object.text(attribute) == inputs.get(*attribute).and_then(Value::as_str))
}

/// No operation ever made two things, and no address has two that are not known to be surplus.
pub(crate) fn nothing_is_double(cloud: &Cloud, state: Option<&State>) {
    let mut makers = BTreeMap::new();
    for object in cloud.objects() {
        let Some(operation) = object.tags.get(OPERATION_TAG) else { continue };
        let twin = makers.insert(operation, &object.id);
        assert_eq!(twin, None, "the operation {operation} made {} too", object.id);
    }
    let Some(state) = state else { return };
    let deposed: BTreeSet<_> = state
        .resources
        .values()
        .flat_map(|resource| resource.deposed.iter().map(|object| object.remote_id.as_str()))
        .collect();
    let mut owners = BTreeMap::new();
    let counted = cloud.live().filter(|object| {
        let pending = object.tags.get(OPERATION_TAG).is_some_and(|id| state.pending.contains_key(id));
        !object.foreign && !pending && !deposed.contains(object.id.as_str())
    });
    for object in counted {
        let Some(address) = object.tags.get(ADDRESS_TAG) else { continue };
        let twin = owners.insert((address, &object.kind), &object.id);
        assert_eq!(twin, None, "{address} is {} too", object.id);
    }
}

/// What others made is as they left it.
pub(crate) fn foreign_things_are_untouched(cloud: &Cloud, foreign: &[Object]) {
    for before in foreign {
        let now = cloud.live().find(|object| object.id == before.id && object.foreign);
        assert_eq!(now, Some(before), "{} of somebody else was touched", before.id);
    }
}

/// Tags that others set on our things stay.
pub(crate) fn foreign_tags_are_untouched(cloud: &Cloud, tagged: &BTreeSet<(String, Duration)>) {
    for object in cloud.live().filter(|object| tagged.contains(&(object.id.clone(), object.created))) {
        assert!(object.tags.contains_key(FOREIGN_TAG), "the tag of others on {} is gone", object.id);
    }
}

/// The key of the tag that others set.
pub(crate) const FOREIGN_TAG: &str = "others";
