//! What the answers and the parameters of IAM have in common: pages, paths, times, documents.

use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value, json};

use crate::call::{Answer, Parameters, Refusal};
use crate::page::Paging;
use crate::signature::RESERVED;
use crate::validation;

/// The pages of all lists (`MaxItems`, API reference).
pub(super) const PAGING: Paging = Paging {
    size: "MaxItems",
    token: "Marker",
    usual: 100,
    most: 1000,
    wrong_size: "ValidationError",
    wrong_token: "ValidationError",
};

/// Answers with a page of things, which come in the order of their keys.
pub(super) fn page<'a, T>(
    parameters: &Parameters,
    list: &str,
    things: impl Iterator<Item = (&'a String, T)>,
    shown: impl Fn(T) -> Value,
) -> Answer {
    let things = things.map(|(key, thing)| (key.clone(), shown(thing)));
    let (page, marker) = PAGING.cut(parameters, things)?;
    Ok(json!({ list: page, "IsTruncated": marker.is_some(), "Marker": marker }))
}

/// Returns the path that a new thing gets, which begins and ends with a slash.
pub(super) fn path(parameters: &Parameters) -> Result<String, Refusal> {
    let Some(path) = parameters.text("Path") else { return Ok("/".to_owned()) };
    validation::length("Path", path, 1, 512)?;
    let is_whole = path.starts_with('/') && path.ends_with('/') && !path.contains("//");
    if is_whole && path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(path.to_owned());
    }
    let message = "The specified value for path is invalid. It must begin and end with / and contain only \
                   alphanumeric characters and/or / characters.";
    Err(Refusal::new("ValidationError", message))
}

/// Returns a test for the beginning of paths that a list is limited to.
pub(super) fn path_prefix(parameters: &Parameters) -> impl Fn(&str) -> bool {
    let prefix = parameters.text("PathPrefix").unwrap_or("/").to_owned();
    move |path| path.starts_with(&prefix)
}

/// Returns a time as answers have it, in whole seconds.
pub(crate) fn time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// Returns a document as answers have it: "URL-encoded compliant with RFC 3986".
pub(super) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// Puts a thing into the element that holds it.
pub(super) fn within(name: &str, thing: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), thing)]))
}
