//! What the server does itself to an object that is written: what it keeps, counts and compares.

use serde_json::{Value, json};

use super::body;
use super::kind::Kind;
use super::managed::{self, Manager};
use super::status::{Cause, Failure};

/// Puts the number that a scale wants into an object.
pub(super) fn rescaled(object: &Value, scale: &Value) -> Result<Value, Failure> {
    let replicas = &scale["spec"]["replicas"];
    if replicas.as_i64().is_none_or(|replicas| replicas < 0) {
        let name = body::text(&object["metadata"]["name"]);
        let cause = Cause::invalid("spec.replicas", replicas, "must be greater than or equal to 0");
        return Err(Failure::invalid("autoscaling", "Scale", name, &[cause]));
    }
    let mut object = object.clone();
    object["spec"]["replicas"] = replicas.clone();
    Ok(object)
}

/// Tells whether something that is to be deleted has nothing left that holds it.
pub(super) fn is_released(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let is_free = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    !metadata["deletionTimestamp"].is_null()
        && is_free(&metadata["finalizers"])
        && is_free(&object["spec"]["finalizers"])
        && metadata["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) == 0
}

/// Puts back what a write to this part of an object does not change.
pub(super) fn keep_what_is_not_written(kind: &Kind, subresource: &str, old: &Value, new: &mut Value) {
    let kept = [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
        "generateName",
    ];
    let metadata = body::metadata(new);
    for field in kept {
        match old["metadata"].get(field) {
            Some(value) => drop(metadata.insert(field.to_owned(), value.clone())),
            None => drop(metadata.shift_remove(field)),
        }
    }
    let Some(table) = new.as_object_mut() else { return };
    let mut put_back = |field: &str| match old.get(field) {
        Some(value) => drop(table.insert(field.to_owned(), value.clone())),
        None => drop(table.shift_remove(field)),
    };
    if subresource == "status" {
        let fields = old.as_object().into_iter().flatten();
        fields.filter(|(field, _)| !["metadata", "status"].contains(&field.as_str())).for_each(
            |(field, _)| {
                put_back(field);
            },
        );
    } else if kind.subresource("status").is_some() {
        put_back("status");
    }
    table.shift_remove("kind");
    table.shift_remove("apiVersion");
}

/// Counts a change of what is wanted.
pub(super) fn raise_generation(kind: &Kind, old: &Value, new: &mut Value) {
    if !has_generation(kind) {
        return;
    }
    let wanted = |object: &Value| {
        let fields = object.as_object().into_iter().flatten();
        let told = ["metadata", "status", "kind", "apiVersion"];
        let fields = fields.filter(|(field, _)| !told.contains(&field.as_str()));
        fields.map(|(field, value)| (field.clone(), value.clone())).collect::<Value>()
    };
    let before = old["metadata"]["generation"].as_i64().unwrap_or(1);
    let is_other = wanted(old) != wanted(new);
    new["metadata"]["generation"] = json!(before + i64::from(is_other));
}

/// Tells whether objects of a kind count their changes.
pub(super) fn has_generation(kind: &Kind) -> bool {
    let without = [
        "bindings",
        "configmaps",
        "endpoints",
        "events",
        "limitranges",
        "namespaces",
        "nodes",
        "persistentvolumeclaims",
        "persistentvolumes",
        "resourcequotas",
        "secrets",
        "serviceaccounts",
        "services",
        "clusterroles.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
        "roles.rbac.authorization.k8s.io",
        "rolebindings.rbac.authorization.k8s.io",
        "leases.coordination.k8s.io",
        "controllerrevisions.apps",
        "horizontalpodautoscalers.autoscaling",
        "storageclasses.storage.k8s.io",
    ];
    !without.contains(&kind.stored_as().as_str())
}

/// Tells whether two objects differ in nothing but when their fields were written.
pub(super) fn is_same(old: &Value, new: &Value) -> bool {
    let timeless = |object: &Value| {
        let mut object = object.clone();
        let managers: Vec<_> =
            managed::take(&mut object).into_iter().map(|manager| Manager { time: None, ..manager }).collect();
        body::metadata(&mut object).shift_remove("resourceVersion");
        (object, managers)
    };
    let ((old, mut before), (new, mut after)) = (timeless(old), timeless(new));
    let order = |managers: &mut Vec<Manager>| {
        managers
            .sort_by_key(|manager| (manager.name.clone(), manager.has_applied, manager.subresource.clone()));
    };
    order(&mut before);
    order(&mut after);
    old == new && before == after
}
