//! One call of an operation: who, what, with which parameters; and why it is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::identity::Caller;
use crate::protocol::Service;
use crate::world::World;

/// A call, as the operations see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) service: Service,
    /// The operation's name in the API, such as `DescribeVpcs`.
    pub(crate) operation: String,
    /// Such as `us-east-1`.
    pub(crate) region: String,
    pub(crate) caller: Caller,
    pub(crate) parameters: Parameters,
    /// Ids that do not exist for this call, being too new.
    #[serde(skip)]
    pub(crate) hidden: BTreeSet<String>,
}

/// What an operation does: the body of the answer without its envelope, or a refusal.
pub(crate) type Answer = Result<Value, Refusal>;

/// An operation of a service.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// The names of its top-level parameters. Any other is refused, since ignoring what a caller
    /// asks for would be a lie.
    pub(crate) parameters: &'static [&'static str],
    pub(crate) run: fn(&mut World, &Call) -> Answer,
    pub(crate) access: Access,
}

/// What a caller has to be allowed, beside the action with the operation's name.
///
/// What is not said here is done to the resource `*`, with the tags that are in the call. EC2, whose
/// ids tell what they are of, has its own rules (`ec2::needs`).
#[derive(Clone, Copy)]
pub(crate) struct Access {
    pub(crate) permission: Permission,
    /// What it is done to: parameters with a name or id, and the kind of what that names.
    pub(crate) on: &'static [(&'static str, &'static str)],
    /// What else is needed.
    pub(crate) also: Option<fn(&World, &Call) -> Vec<Need>>,
}

/// Whether policies decide about an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// The caller's policies have to allow it.
    Needed,
    /// The operation decides itself, or every caller may do it.
    Free,
    /// Callers do not even need credentials.
    Open,
}

/// One action that has to be allowed on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Need {
    /// Such as `ec2:CreateTags`.
    pub(crate) action: String,
    /// An ARN, or `*`.
    pub(crate) resource: String,
    /// The condition keys that this action on this resource has beside those of the call.
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

impl Operation {
    /// Names an operation, its parameters and what carries it out.
    pub(crate) const fn new(
        name: &'static str,
        parameters: &'static [&'static str],
        run: fn(&mut World, &Call) -> Answer,
    ) -> Self {
        let access = Access { permission: Permission::Needed, on: &[], also: None };
        Self { name, parameters, run, access }
    }

    /// Says which parameters name what it is done to, and of which kind that is.
    pub(crate) const fn on(mut self, named: &'static [(&'static str, &'static str)]) -> Self {
        self.access.on = named;
        self
    }

    /// Says what else has to be allowed.
    pub(crate) const fn also(mut self, needs: fn(&World, &Call) -> Vec<Need>) -> Self {
        self.access.also = Some(needs);
        self
    }

    /// Says that policies do not decide, or not before it runs.
    pub(crate) const fn with(mut self, permission: Permission) -> Self {
        self.access.permission = permission;
        self
    }

    /// Returns the name of its parameter that makes it safe to repeat, if it has one.
    pub(crate) fn token(&self) -> Option<&'static str> {
        const TOKENS: [&str; 2] = ["clienttoken", "clientrequesttoken"];
        self.parameters.iter().copied().find(|name| TOKENS.contains(&name.to_ascii_lowercase().as_str()))
    }

    /// Tells whether it changes nothing, which the services' names say.
    pub(crate) fn is_read(&self) -> bool {
        let is_read = ["Decode", "Describe", "Get", "List", "Search", "Simulate"];
        // These issue credentials.
        let is_write = ["GetFederationToken", "GetSessionToken"];
        is_read.iter().any(|begin| self.name.starts_with(begin)) && !is_write.contains(&self.name)
    }
}

/// The parameters of a call, whatever protocol they came by: texts, lists and tables by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameters(pub(crate) Map<String, Value>);

impl Parameters {
    /// Returns a parameter that the operation cannot do without.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            Refusal::new("MissingParameter", format!("The request must contain the parameter {name}"))
        })
    }

    /// Returns a parameter that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Returns a parameter that is true or false; absent is `None`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(other) => Err(Refusal::value(name, &other.to_string())),
        }
    }

    /// Returns a parameter that is a whole number; absent is `None`.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let wrong = |value: &Value| Refusal::value(name, &value.to_string());
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| Refusal::value(name, text)),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| wrong(value)),
        }
    }

    /// Returns a parameter that is a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        let items = self.0.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Returns a parameter that is a list of tables.
    pub(crate) fn tables(&self, name: &str) -> Vec<Self> {
        let items = self.0.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_object).cloned().map(Self).collect()
    }

    /// Returns a parameter that is a table; an absent one is empty.
    pub(crate) fn table(&self, name: &str) -> Self {
        Self(self.0.get(name).and_then(Value::as_object).cloned().unwrap_or_default())
    }
}

/// Why a call is refused, in the service's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The service's code, such as `InvalidVpcID.NotFound`.
    pub(crate) code: String,
    /// The service's text.
    pub(crate) message: String,
    /// What services that answer in JSON say beside: members of the error's shape.
    pub(crate) members: Vec<(String, Value)>,
}

impl Refusal {
    /// Makes a refusal with the status 400.
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.into(), message: message.into(), members: Vec::new() }
    }

    /// Makes a refusal with the status 403.
    pub(crate) fn forbidden(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: 403, ..Self::new(code, message) }
    }

    /// Adds a member of the error's shape.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.push((name.to_owned(), value.into()));
        self
    }

    /// Refuses the value of a parameter.
    pub(crate) fn value(name: &str, value: &str) -> Self {
        Self::new("InvalidParameterValue", format!("Value ({value}) for parameter {name} is invalid."))
    }
}
