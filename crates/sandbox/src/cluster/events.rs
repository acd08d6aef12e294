//! Events, which are the same objects in two groups with other names of fields.

use serde_json::{Value, json};

/// The names of fields in the group `events.k8s.io`, by those in the core.
const NEWER: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// Returns an event as the group `events.k8s.io` shows it.
pub(super) fn newer(event: &Value) -> Value {
    renamed(event, |name| NEWER.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new))
}

/// Returns an event of the group `events.k8s.io` as it is kept.
pub(super) fn older(event: &Value) -> Value {
    renamed(event, |name| NEWER.iter().find(|(_, new)| *new == name).map_or(name, |(old, _)| old))
}

fn renamed(event: &Value, name_of: impl Fn(&str) -> &str) -> Value {
    let fields = event.as_object().into_iter().flatten();
    let is_told = |name: &str, value: &Value| !(name.starts_with("reporting") && *value == json!(""));
    let fields = fields.filter(|(name, value)| is_told(name, value));
    fields.map(|(name, value)| (name_of(name).to_owned(), value.clone())).collect()
}
