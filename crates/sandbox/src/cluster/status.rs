//! Why a request is refused, as a `Status` says it.

use serde_json::{Value, json};

use super::kind::Kind;
use crate::call::Refusal;

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) code: u16,
    /// Such as `NotFound`; some refusals have none.
    reason: String,
    message: String,
    details: Option<Box<Value>>,
    /// What a client may do to go on with a list.
    carry_on: Option<String>,
    /// Whether the answer is text and no `Status`.
    is_text: bool,
    warnings: Vec<String>,
}

/// Why one field is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cause {
    reason: &'static str,
    message: String,
    field: String,
}

impl Cause {
    pub(super) fn required(field: impl Into<String>, detail: &str) -> Self {
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        let message = format!("Required value{detail}");
        Self { reason: "FieldValueRequired", message, field: field.into() }
    }

    pub(super) fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        let message = format!("Invalid value: {value}: {detail}");
        Self { reason: "FieldValueInvalid", message, field: field.into() }
    }

    pub(super) fn unsupported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let supported: Vec<_> = supported.iter().map(|value| format!("{value:?}")).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", supported.join(", "));
        Self { reason: "FieldValueNotSupported", message, field: field.into() }
    }

    pub(super) fn too_long(field: impl Into<String>, most: usize) -> Self {
        let message = format!("Too long: may not be more than {most} bytes");
        Self { reason: "FieldValueTooLong", message, field: field.into() }
    }

    pub(super) fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        let message = format!("Forbidden: {detail}");
        Self { reason: "FieldValueForbidden", message, field: field.into() }
    }
}

impl Failure {
    pub(super) fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        let (reason, message) = (reason.to_owned(), message.into());
        Self { code, reason, message, details: None, carry_on: None, is_text: false, warnings: Vec::new() }
    }

    pub(super) fn with_details(self, details: Value) -> Self {
        Self { details: Some(Box::new(details)), ..self }
    }

    /// Warns as well.
    pub(super) fn warning(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    pub(super) fn carried_on_with(self, token: String) -> Self {
        Self { carry_on: Some(token), ..self }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// Says that there is nothing at a path.
    pub(super) fn no_path() -> Self {
        Self { is_text: true, ..Self::new(404, "NotFound", "404 page not found\n") }
    }

    /// Says that a group or version has no such resource.
    pub(super) fn no_resource() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(404, "NotFound", message).with_details(json!({}))
    }

    pub(super) fn not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).with_details(json!({}))
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(super) fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {name:?} not found", kind.resource());
        Self::new(404, "NotFound", message).with_details(details(&kind.group, &kind.plural, name))
    }

    pub(super) fn exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", kind.resource());
        Self::new(409, "AlreadyExists", message).with_details(details(&kind.group, &kind.plural, name))
    }

    pub(super) fn modified(kind: &Kind, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::unfulfilled(&kind.group, &kind.plural, name, why)
    }

    /// Refuses an operation in the state in which the object is.
    pub(super) fn unfulfilled(group: &str, kind: &str, name: &str, why: &str) -> Self {
        let of = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let message = format!("Operation cannot be fulfilled on {of} {name:?}: {why}");
        Self::new(409, "Conflict", message).with_details(details(group, kind, name))
    }

    pub(super) fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let subject = if name.is_empty() { kind.resource() } else { format!("{} {name:?}", kind.resource()) };
        let message = format!("{subject} is forbidden: {why}");
        Self::new(403, "Forbidden", message).with_details(details(&kind.group, &kind.plural, name))
    }

    /// Adds a cause to the details.
    pub(super) fn with_cause(mut self, reason: &str, message: &str, field: &str) -> Self {
        let details = self.details.get_or_insert_with(|| Box::new(json!({})));
        details["causes"] = json!([{ "reason": reason, "message": message, "field": field }]);
        self
    }

    pub(super) fn invalid(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let of = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut told: Vec<_> =
            causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        told.dedup();
        let told = if let [one] = told.as_slice() { one.clone() } else { format!("[{}]", told.join(", ")) };
        let mut details = details(group, kind, name);
        let shown = causes.iter().map(|Cause { reason, message, field }| {
            json!({ "reason": reason, "message": message, "field": field })
        });
        details["causes"] = shown.collect();
        Self::new(422, "Invalid", format!("{of} {name:?} is invalid: {told}")).with_details(details)
    }

    /// Returns the refusal of the call.
    pub(super) fn refusal(self) -> Refusal {
        let refusal = Refusal { status: self.code, ..Refusal::new(self.reason, self.message) };
        let refusal = match self.details {
            Some(details) => refusal.with("details", *details),
            None => refusal,
        };
        let refusal = match self.carry_on {
            Some(token) => refusal.with("continue", token),
            None => refusal,
        };
        let refusal =
            if self.warnings.is_empty() { refusal } else { refusal.with("warnings", self.warnings) };
        if self.is_text { refusal.with("text", true) } else { refusal }
    }

    /// Returns the body of an answer.
    pub(super) fn body(self) -> Value {
        body(&self.refusal())
    }
}

fn details(group: &str, kind: &str, name: &str) -> Value {
    let mut details = json!({});
    for (field, value) in [("name", name), ("group", group), ("kind", kind)] {
        if !value.is_empty() {
            details[field] = json!(value);
        }
    }
    details
}

/// Returns the `Status` of a refused call.
pub(super) fn body(refusal: &Refusal) -> Value {
    let member = |name: &str| refusal.members.iter().find(|(of, _)| of == name).map(|(_, value)| value);
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": refusal.message,
    });
    if !refusal.code.is_empty() {
        status["reason"] = json!(refusal.code);
    }
    if let Some(details) = member("details") {
        status["details"] = details.clone();
    }
    if let Some(token) = member("continue") {
        status["metadata"]["continue"] = token.clone();
    }
    status["code"] = json!(refusal.status);
    status
}

/// Tells whether a refusal is told as text.
pub(super) fn is_text(refusal: &Refusal) -> bool {
    refusal.members.iter().any(|(name, _)| name == "text")
}

/// Returns the warnings that go with a refusal.
pub(super) fn warnings(refusal: &Refusal) -> Vec<String> {
    let found = refusal.members.iter().find(|(name, _)| name == "warnings");
    let texts = found.and_then(|(_, value)| value.as_array()).into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}
