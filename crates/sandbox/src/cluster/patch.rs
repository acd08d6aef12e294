//! Patches: what comes of an object by each of the forms that clients send.

use serde_json::{Map, Value, json};

use super::schema::{ListForm, Type};
use super::status::Failure;

/// Applies a JSON merge patch (RFC 7396).
pub(crate) fn merge(object: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut merged = object.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            merged.shift_remove(name);
        } else {
            let before = merged.get(name).unwrap_or(&Value::Null);
            let after = merge(before, value);
            merged.insert(name.clone(), after);
        }
    }
    Value::Object(merged)
}

/// Applies a JSON patch (RFC 6902).
pub(super) fn operations(object: &Value, patch: &Value) -> Result<Value, Failure> {
    let patch: json_patch::Patch = serde_json::from_value(patch.clone())
        .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
    let mut patched = object.clone();
    json_patch::patch(&mut patched, &patch).map_err(|_| {
        let message = "the server rejected our request due to an error in our request";
        Failure::new(422, "Invalid", message).with_details(json!({}))
    })?;
    Ok(patched)
}

/// What a strategic merge patch says in the place of values.
const DIRECTIVES: [&str; 2] = ["$patch", "$retainKeys"];

/// Applies a strategic merge patch: a merge that knows by which field items of lists are told apart.
pub(super) fn strategic(of: &Type, object: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    if patch.get("$patch").is_some_and(|directive| directive == "replace") {
        return Value::Object(without_directives(patch));
    }
    let mut merged = object.as_object().cloned().unwrap_or_default();
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        merged.retain(|name, _| kept.iter().any(|kept| kept == name));
    }
    for (name, value) in patch {
        if DIRECTIVES.contains(&name.as_str()) || name.starts_with("$setElementOrder/") {
            continue;
        }
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().cloned().unwrap_or_default();
            if let Some(items) = merged.get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if value.is_null() {
            merged.shift_remove(name);
            continue;
        }
        let (of, _) = of.field(name).unwrap_or((Type::Any, false));
        let before = merged.get(name).unwrap_or(&Value::Null);
        let is_deleted = value.get("$patch").is_some_and(|directive| directive == "delete");
        if is_deleted {
            merged.shift_remove(name);
            continue;
        }
        let order = patch.get(&format!("$setElementOrder/{name}"));
        let after = strategic_value(&of, before, value, order);
        merged.insert(name.clone(), after);
    }
    for (name, order) in patch {
        let Some(list) = name.strip_prefix("$setElementOrder/").filter(|list| !patch.contains_key(*list))
        else {
            continue;
        };
        if let (Some((of, _)), Some(items)) = (of.field(list), merged.get_mut(list)) {
            *items = ordered(&of, items, order);
        }
    }
    Value::Object(merged)
}

fn without_directives(patch: &Map<String, Value>) -> Map<String, Value> {
    let kept = patch.iter().filter(|(name, _)| !name.starts_with('$'));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn strategic_value(of: &Type, before: &Value, patch: &Value, order: Option<&Value>) -> Value {
    match (of, patch) {
        (Type::List { merge_key: Some(key), items, form }, Value::Array(patches)) => {
            let before = before.as_array().cloned().unwrap_or_default();
            let merged = if key == "." || *form == ListForm::Set {
                merge_set(before, patches)
            } else {
                merge_items(key, items, before, patches)
            };
            order.map_or(merged.clone(), |order| ordered(of, &merged, order))
        }
        (Type::Map { items, .. }, Value::Object(entries)) => {
            let mut merged = before.as_object().cloned().unwrap_or_default();
            for (name, value) in entries.iter().filter(|(name, _)| !name.starts_with('$')) {
                if value.is_null() {
                    merged.shift_remove(name);
                } else {
                    let before = merged.get(name).unwrap_or(&Value::Null);
                    let after = strategic_value(items, before, value, None);
                    merged.insert(name.clone(), after);
                }
            }
            Value::Object(merged)
        }
        (_, Value::Object(_)) => strategic(of, before, patch),
        _ => patch.clone(),
    }
}

fn merge_set(mut before: Vec<Value>, patches: &[Value]) -> Value {
    for item in patches {
        if !before.contains(item) {
            before.push(item.clone());
        }
    }
    Value::Array(before)
}

fn merge_items(key: &str, items: &Type, mut before: Vec<Value>, patches: &[Value]) -> Value {
    if patches.iter().any(|patch| patch["$patch"] == "replace" && patch.get(key).is_none()) {
        before.clear();
    }
    for patch in patches {
        let Some(name) = patch.get(key) else { continue };
        let place = before.iter().position(|item| item.get(key) == Some(name));
        match (patch["$patch"].as_str(), place) {
            (Some("delete"), Some(place)) => drop(before.remove(place)),
            (Some("delete"), None) => {}
            (_, Some(place)) => before[place] = strategic(items, &before[place], patch),
            (_, None) => before.push(strategic(items, &json!({}), patch)),
        }
    }
    Value::Array(before)
}

/// Puts the items of a list in the order that a patch wants; those that it does not name keep theirs.
fn ordered(of: &Type, list: &Value, order: &Value) -> Value {
    let Type::List { merge_key: Some(key), .. } = of else { return list.clone() };
    let name = |item: &Value| if key == "." { item.clone() } else { item[key].clone() };
    let order: Vec<_> = order.as_array().into_iter().flatten().map(name).collect();
    let mut items = list.as_array().cloned().unwrap_or_default();
    items.sort_by_key(|item| {
        let name = name(item);
        order.iter().position(|wanted| *wanted == name).unwrap_or(usize::MAX)
    });
    Value::Array(items)
}
