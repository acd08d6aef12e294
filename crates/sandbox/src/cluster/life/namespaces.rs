//! Namespaces: one that is deleted takes along everything in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{MANAGER, accounts, is_going, set_condition};
use crate::cluster::store::Key;
use crate::cluster::{ControlPlane, time};

/// Looks at a namespace.
pub(super) fn look(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let Some(namespace) = plane.store.get(key).cloned() else { return };
    if !is_going(&namespace) {
        accounts::equip(plane, &key.name, now);
        return;
    }
    let inside: Vec<Key> = plane.store.keys_in(&key.name);
    for object in inside {
        let is_left = plane.store.get(&object).is_some_and(|object| is_going(object));
        if !is_left {
            plane.discard(&object, "Background", now);
        }
    }
    let left = plane.store.keys_in(&key.name);
    let mut remaining: BTreeMap<String, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for object in &left {
        *remaining.entry(object.resource.clone()).or_default() += 1;
        let found =
            plane.store.get(object).and_then(|object| object["metadata"]["finalizers"].as_array().cloned());
        for finalizer in
            found.into_iter().flatten().filter_map(|finalizer| finalizer.as_str().map(str::to_owned))
        {
            *finalizers.entry(finalizer).or_default() += 1;
        }
    }
    let shown = conditions(&remaining, &finalizers, now);
    let was_waiting = namespace["status"]["conditions"].is_array();
    if !left.is_empty() || was_waiting {
        plane.change(MANAGER, key, "status", now, |namespace| {
            for condition in shown {
                set_condition(&mut namespace["status"]["conditions"], condition);
            }
        });
    }
    if left.is_empty() {
        plane.store.delete(key);
    }
}

fn conditions(
    remaining: &BTreeMap<String, usize>,
    finalizers: &BTreeMap<String, usize>,
    now: Timestamp,
) -> Vec<Value> {
    let condition = |of: &str, is: bool, reason: &str, message: String| {
        json!({
            "type": of, "status": if is { "True" } else { "False" }, "lastTransitionTime": time(now),
            "reason": reason, "message": message,
        })
    };
    let of_kinds: Vec<_> = remaining
        .iter()
        .map(|(resource, count)| {
            let resource = resource.split_once('.').map_or((resource.as_str(), ""), |parts| parts);
            format!("{}.{} has {count} resource instances", resource.0, resource.1)
        })
        .collect();
    let of_finalizers: Vec<_> =
        finalizers.iter().map(|(name, count)| format!("{name} in {count} resource instances")).collect();
    let is_left = !remaining.is_empty();
    let content = if is_left {
        condition(
            "NamespaceContentRemaining",
            true,
            "SomeResourcesRemain",
            format!("Some resources are remaining: {}", of_kinds.join(", ")),
        )
    } else {
        condition(
            "NamespaceContentRemaining",
            false,
            "ContentRemoved",
            "All content successfully removed".into(),
        )
    };
    let held = if of_finalizers.is_empty() {
        condition(
            "NamespaceFinalizersRemaining",
            false,
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished".into(),
        )
    } else {
        condition(
            "NamespaceFinalizersRemaining",
            true,
            "SomeFinalizersRemain",
            format!("Some content in the namespace has finalizers remaining: {}", of_finalizers.join(", ")),
        )
    };
    vec![
        condition(
            "NamespaceDeletionDiscoveryFailure",
            false,
            "ResourcesDiscovered",
            "All resources successfully discovered".into(),
        ),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed".into(),
        ),
        condition(
            "NamespaceDeletionContentFailure",
            false,
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization".into(),
        ),
        content,
        held,
    ]
}
