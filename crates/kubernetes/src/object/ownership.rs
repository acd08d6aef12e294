//! What of an object is ours: the fields that the API server notes under our name.
//!
//! A write of somebody else takes a field over, so what is missing here and is wanted has been changed
//! or taken away. Source: "Server-Side Apply", documentation of Kubernetes.

use serde_json::{Map, Value as Json};

/// The name under which fields are set.
pub(crate) const MANAGER: &str = "straddle";
/// Names the operation that has made an object.
pub(crate) const OPERATION_ANNOTATION: &str = "straddle/operation";

/// Returns the part of an object that is set under our name.
pub(crate) fn owned(object: &Json) -> Json {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let ours = entries.filter(|entry| entry["manager"] == MANAGER && entry["operation"] == "Apply");
    let mut owned = Map::new();
    for entry in ours.filter(|entry| entry.get("subresource").is_none()) {
        if let Json::Object(part) = part(object, &entry["fieldsV1"]) {
            merge(&mut owned, part);
        }
    }
    for key in ["apiVersion", "kind"] {
        owned.insert(key.to_owned(), object[key].clone());
    }
    let metadata = owned.entry("metadata").or_insert_with(|| Json::Object(Map::new()));
    for key in ["name", "namespace"] {
        if let Some(value) = object["metadata"].get(key) {
            metadata[key] = value.clone();
        }
    }
    without_operation(&mut owned);
    Json::Object(owned)
}

/// Takes away the annotation that only the making of an object has.
pub(crate) fn without_operation(object: &mut Map<String, Json>) {
    let Some(Json::Object(metadata)) = object.get_mut("metadata") else { return };
    let Some(Json::Object(annotations)) = metadata.get_mut("annotations") else { return };
    annotations.shift_remove(OPERATION_ANNOTATION);
    if annotations.is_empty() {
        metadata.shift_remove("annotations");
    }
}

fn merge(into: &mut Map<String, Json>, from: Map<String, Json>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Json::Object(into)), Json::Object(from)) => merge(into, from),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// Returns the part of a value that a set of fields names; without names inside, the whole of it.
fn part(value: &Json, fields: &Json) -> Json {
    let Some(fields) = fields.as_object().filter(|fields| fields.keys().any(|key| key != ".")) else {
        return value.clone();
    };
    match value {
        Json::Object(entries) => {
            let mut found = Map::new();
            for (key, inside) in fields {
                if let Some(name) = key.strip_prefix("f:")
                    && let Some(value) = entries.get(name)
                {
                    found.insert(name.to_owned(), part(value, inside));
                }
            }
            Json::Object(found)
        }
        Json::Array(items) => {
            let named =
                |item: &Json| fields.iter().find(|(key, _)| names(key, item)).map(|(_, inside)| inside);
            Json::Array(items.iter().filter_map(|item| Some(part(item, named(item)?))).collect())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}

/// Tells whether a word of a set of fields names an item of a list.
fn names(key: &str, item: &Json) -> bool {
    if let Some(value) = key.strip_prefix("v:") {
        return serde_json::from_str::<Json>(value).is_ok_and(|value| value == *item);
    }
    let Some(keys) = key.strip_prefix("k:") else { return false };
    let Ok(Json::Object(keys)) = serde_json::from_str(keys) else { return false };
    keys.iter().all(|(name, value)| item.get(name) == Some(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object() -> Json {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "web", "namespace": "game", "uid": "u", "resourceVersion": "7",
                "labels": {"a": "b", "theirs": "x"},
                "annotations": {OPERATION_ANNOTATION: "op"},
                "finalizers": ["theirs", "ours"],
                "managedFields": [
                    {"manager": "straddle", "operation": "Apply", "fieldsV1": {
                        "f:metadata": {
                            "f:labels": {"f:a": {}},
                            "f:annotations": {"f:straddle/operation": {}},
                            "f:finalizers": {"v:\"ours\"": {}},
                        },
                        "f:spec": {
                            "f:selector": {},
                            "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:targetPort": {}}},
                        },
                    }},
                    {"manager": "straddle", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {"f:theirs": {}}}}},
                ],
            },
            "spec": {
                "selector": {"app": "web"}, "type": "NodePort",
                "ports": [
                    {"port": 443, "protocol": "TCP", "targetPort": 443},
                    {"port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 30000},
                ],
            },
        })
    }

    #[test]
    fn only_what_we_apply_is_ours() {
        assert_eq!(
            owned(&object()),
            json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "web", "namespace": "game", "labels": {"a": "b"}, "finalizers": ["ours"]},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
            })
        );
    }

    #[test]
    fn of_an_object_of_others_only_the_name_is_known() {
        let mut object = object();
        object["metadata"]["managedFields"] = json!([]);
        let expected =
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "game"}});
        assert_eq!(owned(&object), expected);
    }
}
