//! What the answers and the parameters of IAM have in common: pages, paths, times, documents.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value, json};

use crate::call::{Answer, Parameters, Refusal};
use crate::signature::RESERVED;
use crate::validation;

/// How many things a page has if the call does not say it.
const PAGE: i64 = 100;

/// Answers with a page of things, which come in the order of their keys. A marker holds the last
/// key, so that things which come and go in between neither repeat nor skip others.
pub(super) fn page<'a, T>(
    parameters: &Parameters,
    list: &str,
    things: impl Iterator<Item = (&'a String, T)>,
    shown: impl Fn(T) -> Value,
) -> Answer {
    let after = marker(parameters)?;
    let size = validation::integer(parameters, "MaxItems", 1, 1000)?.unwrap_or(PAGE);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let (mut page, mut end, mut marker) = (Vec::new(), None, None);
    for (key, thing) in things.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after)) {
        if page.len() == size {
            marker = end.map(|key: &String| BASE64URL_NOPAD.encode(key.as_bytes()));
            break;
        }
        page.push(shown(thing));
        end = Some(key);
    }
    Ok(json!({ list: page, "IsTruncated": marker.is_some(), "Marker": marker }))
}

fn marker(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    let Some(marker) = parameters.text("Marker") else { return Ok(None) };
    let key = BASE64URL_NOPAD.decode(marker.as_bytes()).ok().and_then(|key| String::from_utf8(key).ok());
    key.map(Some).ok_or_else(|| Refusal::new("ValidationError", format!("Invalid Marker: {marker}")))
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
