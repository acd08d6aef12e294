//! What templates find in the cluster: the objects of their own release, as the last apply left them.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use serde_json::{Map, Value as Json};
use straddle_engine::bundle::Context;
use straddle_engine::value::{Value, ValueMap};

use crate::helm::{Answers, Query};
use crate::object::to_json;

/// Returns an object of the release as the last apply left it.
pub(super) fn standing_object(inputs: &ValueMap) -> Json {
    let mut object = inputs.get("manifest").map(to_json).unwrap_or_default();
    if let (Some(data), Some(entries)) =
        (inputs.get("secret_data").and_then(Value::as_map), object.as_object_mut())
    {
        entries.insert("data".to_owned(), to_json(&Value::Map(data.clone())));
    }
    object
}

/// Returns the same with the data of a Secret under both of its names, as a template may write either.
pub(super) fn with_string_data(mut object: Json) -> Json {
    if object["kind"] != "Secret" {
        return object;
    }
    let decoded = |(key, value): (&String, &Json)| {
        let bytes = BASE64.decode(value.as_str()?.as_bytes()).ok()?;
        Some((key.clone(), Json::from(String::from_utf8(bytes).ok()?)))
    };
    let text: Map<_, _> = object["data"].as_object().into_iter().flatten().filter_map(decoded).collect();
    if let Some(entries) = object.as_object_mut() {
        entries.insert("stringData".to_owned(), Json::Object(text));
    }
    object
}

/// Returns what templates find that have asked for something.
pub(super) fn answers(asked: &BTreeSet<Query>, context: &Context<'_>) -> Answers {
    if asked.is_empty() {
        return Answers::new();
    }
    let standing: Vec<_> = context.all_standing().map(|(_, inputs)| standing_object(inputs)).collect();
    let answer = |query: &Query| {
        let mut fitting = standing.iter().filter(|object| fits(object, query));
        if query.name.is_empty() {
            let items: Vec<_> = fitting.cloned().collect();
            let kind = format!("{}List", query.kind);
            let list = serde_json::json!({ "apiVersion": query.api_version, "kind": kind, "items": items });
            return (!items.is_empty()).then_some(list);
        }
        fitting.next().cloned()
    };
    asked.iter().filter_map(|query| Some((query.clone(), answer(query)?))).collect()
}

fn fits(object: &Json, query: &Query) -> bool {
    let metadata = &object["metadata"];
    let is_there = |wanted: &str, found: &Json| wanted.is_empty() || *found == wanted;
    object["apiVersion"] == query.api_version.as_str()
        && object["kind"] == query.kind.as_str()
        && is_there(&query.name, &metadata["name"])
        && is_there(&query.namespace, &metadata["namespace"])
}
