//! The JSON protocols: of EKS and RAM, and of services whose operation is in a header.

use serde_json::{Map, Value, json};

use crate::call::{Parameters, Refusal};
use crate::server::{Incoming, Outgoing};

/// Reads a request whose operation is in the header `x-amz-target`, such as
/// `AWSOrganizationsV20161128.DescribeOrganization`.
pub(crate) fn read_targeted(request: &Incoming) -> Result<(String, Parameters), Refusal> {
    let target = request.header("x-amz-target").and_then(|target| target.split_once('.'));
    let unknown = || Refusal::new("UnknownOperationException", "the header x-amz-target names no operation");
    let (_, operation) = target.ok_or_else(unknown)?;
    Ok((operation.to_owned(), body(request)?))
}

/// Reads a request whose operation is its path in small letters, such as `/createresourceshare`.
/// Some take parameters in the query string.
pub(crate) fn read_rest(request: &Incoming) -> Result<(String, Parameters), Refusal> {
    let mut parameters = body(request)?;
    for (name, value) in request.query() {
        parameters.0.insert(name, Value::String(value));
    }
    Ok((request.path.trim_matches('/').to_owned(), parameters))
}

pub(super) fn body(request: &Incoming) -> Result<Parameters, Refusal> {
    if request.body.is_empty() {
        return Ok(Parameters(Map::new()));
    }
    let malformed = || Refusal::new("SerializationException", "the body is no JSON object");
    let value: Value = serde_json::from_slice(&request.body).map_err(|_| malformed())?;
    match value {
        Value::Object(entries) => Ok(Parameters(entries)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(malformed())
        }
    }
}

/// Writes an answer.
pub(crate) fn answer(body: &Value, request_id: &str) -> Outgoing {
    Outgoing::json(200, &without_nulls(body), request_id)
}

/// Writes a refusal.
pub(crate) fn refusal(refusal: &Refusal, request_id: &str) -> Outgoing {
    let mut body = json!({ "__type": refusal.code, "message": refusal.message });
    if let Some(body) = body.as_object_mut() {
        body.extend(refusal.members.clone());
    }
    let answer = Outgoing::json(refusal.status, &body, request_id);
    answer.with_header("x-amzn-errortype", &refusal.code)
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let kept = entries.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
