//! `OpenAPI` documents, by which clients learn how objects look and are merged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::discovery::hash;
use super::kind::Kind;
use super::request::Reply;
use super::schema::{ListForm, Type};
use super::status::Failure;

/// Answers with the documents that there are, each with its hash.
pub(super) fn index(kinds: &[Arc<Kind>]) -> Reply {
    let versions: BTreeSet<_> = kinds.iter().map(|kind| path(kind)).collect();
    let paths: Map<String, Value> = versions
        .into_iter()
        .map(|path| {
            let hash = hash(&text(kinds, &path));
            (path.clone(), json!({ "serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}") }))
        })
        .collect();
    Reply::text("text/plain; charset=utf-8", json!({ "paths": paths }).to_string())
}

/// Answers with the document of a group's version.
pub(super) fn document(kinds: &[Arc<Kind>], segments: &[&str]) -> Result<Reply, Failure> {
    let wanted = segments.join("/");
    if !kinds.iter().any(|kind| path(kind) == wanted) {
        return Err(Failure::no_path());
    }
    Ok(Reply::text("application/json", text(kinds, &wanted)))
}

fn path(kind: &Kind) -> String {
    if kind.group.is_empty() {
        format!("api/{}", kind.version)
    } else {
        format!("apis/{}", kind.api_version())
    }
}

fn text(kinds: &[Arc<Kind>], wanted: &str) -> String {
    let own = kinds.iter().filter(|kind| path(kind) == wanted);
    let (mut paths, mut schemas) = (Map::new(), BTreeMap::new());
    for kind in own {
        let name = if let Type::Named { name, .. } = kind.of() {
            name
        } else {
            format!("{}.{}", kind.api_version().replace('/', "."), kind.kind)
        };
        let of_kind = json!({ "group": kind.group, "version": kind.version, "kind": kind.kind });
        add(&kind.of(), &name, &mut schemas);
        if let Some(schema) = schemas.get_mut(&name) {
            schema["x-kubernetes-group-version-kind"] = json!([of_kind]);
        }
        let namespace = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
        paths.insert(format!("/{wanted}{namespace}/{}", kind.plural), collection(&of_kind));
        paths.insert(format!("/{wanted}{namespace}/{}/{{name}}", kind.plural), object(&of_kind));
    }
    let document = json!({
        "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "unversioned" },
        "paths": paths, "components": { "schemas": schemas },
    });
    document.to_string()
}

/// Returns an operation with the parameters by which clients know what they may ask for.
fn operation(action: &str, of_kind: &Value) -> Value {
    let parameters: Vec<_> = ["dryRun", "fieldManager", "fieldValidation", "force"]
        .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } }))
        .to_vec();
    json!({
        "parameters": parameters, "responses": { "200": { "description": "OK" } },
        "x-kubernetes-action": action, "x-kubernetes-group-version-kind": of_kind,
    })
}

fn collection(of_kind: &Value) -> Value {
    json!({ "get": operation("list", of_kind), "post": operation("post", of_kind) })
}

fn object(of_kind: &Value) -> Value {
    let actions = [("get", "get"), ("put", "put"), ("patch", "patch"), ("delete", "delete")];
    actions.into_iter().map(|(method, action)| (method.to_owned(), operation(action, of_kind))).collect()
}

fn add(of: &Type, name: &str, schemas: &mut BTreeMap<String, Value>) {
    let Some(fields) = of.fields() else { return };
    if schemas.contains_key(name) {
        return;
    }
    schemas.insert(name.to_owned(), Value::Null);
    let properties: Map<String, Value> =
        fields.fields.iter().map(|(name, field)| (name.clone(), schema(&field.of, schemas))).collect();
    let required: Vec<_> =
        fields.fields.iter().filter(|(_, field)| field.is_required).map(|(name, _)| name).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if fields.is_atomic {
        schema["x-kubernetes-map-type"] = json!("atomic");
    }
    if fields.is_open {
        schema["x-kubernetes-preserve-unknown-fields"] = json!(true);
    }
    schemas.insert(name.to_owned(), schema);
}

fn schema(of: &Type, schemas: &mut BTreeMap<String, Value>) -> Value {
    match of {
        Type::Text => json!({ "type": "string" }),
        Type::Bytes => json!({ "type": "string", "format": "byte" }),
        Type::Integer => json!({ "type": "integer", "format": "int64" }),
        Type::Number => json!({ "type": "number", "format": "double" }),
        Type::Flag => json!({ "type": "boolean" }),
        Type::Port => {
            json!({ "format": "int-or-string", "oneOf": [{ "type": "integer" }, { "type": "string" }] })
        }
        Type::Quantity => json!({ "oneOf": [{ "type": "string" }, { "type": "number" }] }),
        Type::Time | Type::MicroTime => json!({ "type": "string", "format": "date-time" }),
        Type::Any => json!({ "x-kubernetes-preserve-unknown-fields": true }),
        Type::Named { name, is_atomic } => {
            add(of, name, schemas);
            let mut schema = json!({ "allOf": [{ "$ref": format!("#/components/schemas/{name}") }] });
            if *is_atomic {
                schema["x-kubernetes-map-type"] = json!("atomic");
            }
            schema
        }
        Type::Struct(fields) => {
            let mut nested = BTreeMap::new();
            add(&Type::Struct(Arc::clone(fields)), "", &mut nested);
            let schema = nested.remove("").unwrap_or_default();
            schemas.extend(nested);
            schema
        }
        Type::Map { items, is_atomic } => {
            let mut schema =
                json!({ "type": "object", "additionalProperties": self::schema(items, schemas) });
            if *is_atomic {
                schema["x-kubernetes-map-type"] = json!("atomic");
            }
            schema
        }
        Type::List { form, merge_key, items } => {
            let mut schema = json!({ "type": "array", "items": self::schema(items, schemas) });
            let (form, keys) = match form {
                ListForm::Atomic => ("atomic", None),
                ListForm::Set => ("set", None),
                ListForm::Map(keys) => ("map", Some(keys)),
            };
            schema["x-kubernetes-list-type"] = json!(form);
            if let Some(keys) = keys {
                schema["x-kubernetes-list-map-keys"] = json!(keys);
            }
            if let Some(key) = merge_key {
                schema["x-kubernetes-patch-strategy"] = json!("merge");
                if key != "." {
                    schema["x-kubernetes-patch-merge-key"] = json!(key);
                }
            }
            schema
        }
    }
}
