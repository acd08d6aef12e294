//! What a failed call means: from the answers of API servers to the engine's classes.

use std::error::Error;

use http::StatusCode;
use serde_json::Value as Json;
use straddle_engine::provider::{ErrorClass, ProviderError};

/// Describes an answer that is no success. `has_answered` tells whether the cluster has let the caller
/// do something before: until then, what EKS knows of the caller may be on its way.
pub(crate) fn refused(
    operation: &str,
    status: StatusCode,
    answer: &Json,
    is_read: bool,
    has_answered: bool,
) -> ProviderError {
    let reason = answer["reason"].as_str().unwrap_or_default();
    let message = answer["message"].as_str().unwrap_or_default();
    let class = class_of(status, answer, is_read, has_answered);
    let message = match status {
        StatusCode::UNAUTHORIZED => format!(
            "{message}: the cluster does not know who is calling. It needs an `eks_access_entry` for the caller, or \
             an entry in the ConfigMap kube-system/aws-auth"
        ),
        _ if is_field_conflict(answer) => conflicts(answer),
        _ => message.replace('\n', " "),
    };
    let code = if reason.is_empty() { status.as_str().to_owned() } else { reason.to_owned() };
    ProviderError { code, ..ProviderError::new(class, operation, message) }
}

fn class_of(status: StatusCode, answer: &Json, is_read: bool, has_answered: bool) -> ErrorClass {
    let message = answer["message"].as_str().unwrap_or_default();
    let lost = if is_read { ErrorClass::Throttled } else { ErrorClass::Ambiguous };
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GONE => {
            ErrorClass::Throttled
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if is_terminating(answer) => ErrorClass::Busy,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if is_read || has_answered => {
            ErrorClass::AccessDenied
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorClass::Propagation,
        StatusCode::NOT_FOUND => ErrorClass::NotFound,
        StatusCode::CONFLICT if answer["reason"] == "AlreadyExists" => ErrorClass::AlreadyExists,
        StatusCode::CONFLICT if is_field_conflict(answer) => ErrorClass::Rejected,
        StatusCode::CONFLICT => ErrorClass::Busy,
        StatusCode::INTERNAL_SERVER_ERROR if message.starts_with("failed to create typed patch") => {
            ErrorClass::Rejected
        }
        // The pods behind a webhook may be on their way.
        StatusCode::INTERNAL_SERVER_ERROR if is_webhook(message) => ErrorClass::Propagation,
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => lost,
        _ if status.is_server_error() => lost,
        _ => ErrorClass::Rejected,
    }
}

/// Tells whether a webhook could not be asked.
pub(crate) fn is_webhook(message: &str) -> bool {
    message.contains("failed calling webhook")
}

fn causes_of(answer: &Json) -> impl Iterator<Item = (&str, &str, &str)> {
    let causes = answer["details"]["causes"].as_array().into_iter().flatten();
    causes.map(|cause| {
        let text = |key: &str| cause[key].as_str().unwrap_or_default();
        (text("reason"), text("field"), text("message"))
    })
}

fn is_terminating(answer: &Json) -> bool {
    causes_of(answer).any(|(reason, ..)| reason == "NamespaceTerminating")
}

fn is_field_conflict(answer: &Json) -> bool {
    causes_of(answer).any(|(reason, ..)| reason == "FieldManagerConflict")
}

/// Names who has which fields.
fn conflicts(answer: &Json) -> String {
    let conflicts: Vec<_> = causes_of(answer)
        .map(|(_, field, message)| {
            let manager = message.strip_prefix("conflict with ").unwrap_or(message);
            format!("{} is set by {manager}", field.trim_start_matches('.'))
        })
        .collect();
    conflicts.join(", ")
}

/// The fields that a refusal is about, with what is said of each.
pub(crate) fn fields(answer: &Json) -> Vec<(String, String)> {
    causes_of(answer).map(|(_, field, message)| (field.to_owned(), message.to_owned())).collect()
}

/// Tells whether a call without an answer may have reached the cluster.
pub(crate) fn was_sent(error: &kube::Error) -> bool {
    !chain(error).any(|error| {
        let connecting = error.downcast_ref::<hyper_util::client::legacy::Error>();
        connecting.is_some_and(hyper_util::client::legacy::Error::is_connect)
    })
}

/// Returns the whole reason of a failure, each part once.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in chain(error).map(ToString::to_string) {
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.retain(|known| !text.contains(known.as_str()));
            texts.push(text);
        }
    }
    texts.join(": ")
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn class(status: u16, answer: &Json) -> ErrorClass {
        let status = StatusCode::from_u16(status).unwrap();
        refused("patch", status, answer, false, true).class
    }

    #[test]
    fn answers_mean_what_the_api_server_means() {
        let webhook = "Internal error occurred: failed calling webhook \"v\": no endpoints available";
        for (status, answer, expected) in [
            (429, json!({"message": "Too many requests, please try again later."}), ErrorClass::Throttled),
            (404, json!({"message": "404 page not found"}), ErrorClass::NotFound),
            (422, json!({"reason": "Invalid"}), ErrorClass::Rejected),
            (
                500,
                json!({"message": "failed to create typed patch object (a/b; v1): x"}),
                ErrorClass::Rejected,
            ),
            (500, json!({"message": webhook, "reason": "InternalError"}), ErrorClass::Propagation),
            (504, json!({"reason": "Timeout"}), ErrorClass::Ambiguous),
            (403, json!({"reason": "Forbidden"}), ErrorClass::AccessDenied),
            (403, json!({"details": {"causes": [{"reason": "NamespaceTerminating"}]}}), ErrorClass::Busy),
            (409, json!({"reason": "Conflict", "message": "please apply your changes"}), ErrorClass::Busy),
            (409, json!({"reason": "AlreadyExists"}), ErrorClass::AlreadyExists),
        ] {
            assert_eq!(class(status, &answer), expected, "{status} {answer}");
        }
    }

    #[test]
    fn a_conflict_names_each_field_and_who_has_it() {
        let cause = |field: &str| json!({"reason": "FieldManagerConflict", "message": "conflict with \"other\" using v1", "field": field});
        let answer =
            json!({"reason": "Conflict", "details": {"causes": [cause(".data.a"), cause(".data.b")]}});
        let error = refused("patch", StatusCode::CONFLICT, &answer, false, true);
        assert_eq!(error.message, "data.a is set by \"other\" using v1, data.b is set by \"other\" using v1");
        assert_eq!(error.class, ErrorClass::Rejected);
    }

    #[test]
    fn who_has_never_been_let_in_may_be_let_in_soon() {
        let unknown = |is_read, has_answered| {
            refused("patch", StatusCode::UNAUTHORIZED, &json!({}), is_read, has_answered).class
        };
        assert_eq!(unknown(false, false), ErrorClass::Propagation);
        assert_eq!(unknown(false, true), ErrorClass::AccessDenied);
        assert_eq!(unknown(true, false), ErrorClass::AccessDenied);
    }
}
