//! Custom resources: their definitions, and what these say about objects.

use serde_json::{Map, Value, json};

use super::body::text;
use super::status::Cause;

/// What holds a definition until its objects are gone.
pub(super) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Fills in what a definition does not say.
pub(super) fn set_defaults(definition: &mut Value) {
    let spec = &mut definition["spec"];
    let names = &mut spec["names"];
    if text(&names["singular"]).is_empty() {
        names["singular"] = json!(text(&names["kind"]).to_lowercase());
    }
    if text(&names["listKind"]).is_empty() {
        names["listKind"] = json!(format!("{}List", text(&names["kind"])));
    }
    if spec["conversion"].is_null() {
        spec["conversion"] = json!({ "strategy": "None" });
    }
    let stored = spec["versions"].as_array().into_iter().flatten().find(|version| version["storage"] == true);
    let stored = stored.map(|version| version["name"].clone());
    if definition["status"].is_null() {
        definition["status"] = json!({
            "conditions": null,
            "acceptedNames": { "plural": "", "kind": "" },
            "storedVersions": stored.into_iter().collect::<Vec<_>>(),
        });
    }
}

/// Checks what a definition says of itself.
pub(super) fn check_definition(definition: &Value, causes: &mut Vec<Cause>) {
    let spec = &definition["spec"];
    let expected = format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]));
    let name = text(&definition["metadata"]["name"]);
    if name != expected {
        let why = "must be spec.names.plural+\".\"+spec.group".to_string();
        causes.push(Cause::invalid("metadata.name", &json!(name), &why));
    }
    let scopes = ["Cluster", "Namespaced"];
    if !scopes.contains(&text(&spec["scope"])) {
        causes.push(Cause::unsupported("spec.scope", &spec["scope"], &scopes));
    }
    let versions = spec["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        let why = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &spec["versions"], why));
    }
    for (index, version) in versions.iter().enumerate() {
        if version["schema"]["openAPIV3Schema"].is_null() {
            let field = format!("spec.versions[{index}].schema.openAPIV3Schema");
            causes.push(Cause::required(field, "schemas are required"));
        }
    }
}

/// Fills in the values that a schema has for fields that are not set.
pub(super) fn set_values(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(table) => {
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(default) = field.get("default")
                    && !table.contains_key(name)
                {
                    table.insert(name.clone(), default.clone());
                }
                if let Some(value) = table.get_mut(name) {
                    set_values(field, value);
                }
            }
            if schema["additionalProperties"].is_object() {
                table.values_mut().for_each(|value| set_values(&schema["additionalProperties"], value));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| set_values(&schema["items"], item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Checks an object by its schema.
pub(super) fn check(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    if value.is_null() {
        return;
    }
    check_value(schema, value, path, causes);
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(table) => {
            for name in schema["required"].as_array().into_iter().flatten().map(text) {
                if !table.contains_key(name) {
                    causes.push(Cause::required(join(name), ""));
                }
            }
            let empty = Map::new();
            let fields = schema["properties"].as_object().unwrap_or(&empty);
            for (name, value) in table.iter().filter(|_| true) {
                let of = fields.get(name).unwrap_or(&schema["additionalProperties"]);
                if of.is_object() {
                    check(of, value, &join(name), causes);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check(&schema["items"], item, &format!("{path}[{index}]"), causes);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn check_value(schema: &Value, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    let fits = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !fits {
        let wanted = text(&schema["type"]);
        let why = format!("{path} in body must be of type {wanted}");
        causes.push(Cause::invalid(path, value, &why));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        let allowed: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
        causes.push(Cause::unsupported(path, value, &allowed));
    }
    let number = |field: &str| schema[field].as_f64();
    if let Some(given) = value.as_f64() {
        if let Some(least) = number("minimum").filter(|least| given < *least) {
            let why = format!("{path} in body should be greater than or equal to {least}");
            causes.push(Cause::invalid(path, value, &why));
        }
        if let Some(most) = number("maximum").filter(|most| given > *most) {
            let why = format!("{path} in body should be less than or equal to {most}");
            causes.push(Cause::invalid(path, value, &why));
        }
    }
    if let Some(given) = value.as_str() {
        let length = u64::try_from(given.chars().count()).unwrap_or(u64::MAX);
        if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
            let why = format!("{path} in body should be at least {least} chars long");
            causes.push(Cause::invalid(path, value, &why));
        }
    }
    if let (Some(items), Some(least)) = (value.as_array(), schema["minItems"].as_u64())
        && u64::try_from(items.len()).unwrap_or(u64::MAX) < least
    {
        causes.push(Cause::invalid(
            path,
            value,
            &format!("{path} in body should have at least {least} items"),
        ));
    }
}
