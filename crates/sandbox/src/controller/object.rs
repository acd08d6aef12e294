//! What every object has.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::reach::{Done, Reach, Resource};

/// Returns a text in an object, by a JSON pointer; empty if there is none.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a list in an object, by a JSON pointer; empty if there is none.
pub(super) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Takes a list out of an object; empty if there is none.
pub(super) fn taken(object: &mut Value, name: &str) -> Vec<Value> {
    if let Value::Array(items) = object[name].take() { items } else { Vec::new() }
}

/// Returns a table of texts in an object, by a JSON pointer.
pub(super) fn texts(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let table = object.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
    table.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Returns an object's name.
pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// Returns an object's namespace.
pub(super) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// Returns the namespace and name of an object.
pub(super) fn key(object: &Value) -> Key {
    (namespace(object).to_owned(), name(object).to_owned())
}

/// The namespace and name of an object.
pub(super) type Key = (String, String);

/// Tells whether an object is being deleted.
pub(super) fn is_leaving(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// Returns an object's finalizers.
pub(super) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    items(object, "/metadata/finalizers").iter().filter_map(Value::as_str)
}

/// Tells whether an object has a finalizer.
pub(super) fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    finalizers(object).any(|present| present == finalizer)
}

/// Adds a finalizer to an object that does not have it. It is not if somebody else changed the object meanwhile.
pub(super) fn add_finalizer(
    reach: &mut dyn Reach,
    resource: Resource,
    object: &Value,
    finalizer: &str,
) -> Done<()> {
    if has_finalizer(object, finalizer) {
        return Ok(());
    }
    let all: Vec<_> = finalizers(object).chain([finalizer]).collect();
    set_finalizers(reach, resource, object, &json!(all))
}

/// Takes a finalizer away. The object may be gone then.
pub(super) fn remove_finalizer(
    reach: &mut dyn Reach,
    resource: Resource,
    object: &Value,
    finalizer: &str,
) -> Done<()> {
    if !has_finalizer(object, finalizer) {
        return Ok(());
    }
    let others: Vec<_> = finalizers(object).filter(|present| *present != finalizer).collect();
    let others = if others.is_empty() { Value::Null } else { json!(others) };
    set_finalizers(reach, resource, object, &others)
}

fn set_finalizers(reach: &mut dyn Reach, resource: Resource, object: &Value, all: &Value) -> Done<()> {
    let version = text(object, "/metadata/resourceVersion");
    let patch = json!({ "metadata": { "finalizers": all, "resourceVersion": version } });
    match resource.merge(reach, (namespace(object), name(object)), "", patch) {
        Err(trouble) if trouble.is_not_found() => Ok(()),
        result => result.map(drop),
    }
}
