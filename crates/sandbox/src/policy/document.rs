//! The documents: what they may hold, read strictly.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use straddle_engine::policy::pattern::{matches, matches_any_case};

use super::condition::Condition;
use super::{Principal, Question};

/// A policy.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(super) statements: Vec<Statement>,
}

/// Why a text is no policy, or none that the sandbox can evaluate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(super) String);

/// One statement.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) allows: bool,
    principals: Option<Principals>,
    actions: Choice,
    /// Trust policies name no resource.
    resources: Option<Choice>,
    conditions: Vec<Condition>,
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone)]
struct Principals {
    named: Vec<Principal>,
    anybody: bool,
    negated: bool,
}

/// Patterns, or everything but these patterns.
#[derive(Debug, Clone)]
struct Choice {
    patterns: Vec<String>,
    negated: bool,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// If it is no policy, or has something that is not known here.
    pub(crate) fn read(text: &str) -> Result<Self, Malformed> {
        let value: Value =
            serde_json::from_str(text).map_err(|_| malformed("This policy contains invalid Json"))?;
        let document = value.as_object().ok_or_else(|| malformed("a policy is an object"))?;
        check_names(document, &["Version", "Id", "Statement"])?;
        match document.get("Version").map(Value::as_str) {
            None | Some(Some("2012-10-17" | "2008-10-17")) => {}
            Some(_) => return Err(malformed("the Version is 2012-10-17 or 2008-10-17")),
        }
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(statement) => std::slice::from_ref(statement),
            None => return Err(malformed("the Statement is missing")),
        };
        check_names_of_statements(statements)?;
        let statements = statements.iter().map(Statement::read).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    /// Reads a policy that says what its holder may do: it has resources and no principals.
    ///
    /// # Errors
    /// As [`Self::read`], and if it is another kind of policy.
    pub(crate) fn permissions(text: &str) -> Result<Self, Malformed> {
        let document = Self::read(text)?;
        for statement in &document.statements {
            if statement.principals.is_some() {
                return Err(malformed("Policy document should not specify a principal."));
            }
            let Some(resources) = &statement.resources else {
                return Err(malformed("Policy statement must contain resources."));
            };
            let misnamed = |name: &&String| *name != "*" && !name.starts_with("arn:");
            if let Some(name) = resources.patterns.iter().find(misnamed) {
                return Err(malformed(format!("Resource {name} must be in ARN format or \"*\".")));
            }
            statement.check_actions()?;
        }
        Ok(document)
    }

    /// Reads a policy that says who may assume a role: it has principals and no resources.
    ///
    /// # Errors
    /// As [`Self::read`], and if it is another kind of policy.
    pub(crate) fn trust(text: &str) -> Result<Self, Malformed> {
        let document = Self::read(text)?;
        for statement in &document.statements {
            if statement.principals.is_none() {
                return Err(malformed("A trust policy has to name principals."));
            }
            if statement.resources.is_some() {
                return Err(malformed("Has prohibited field Resource"));
            }
            statement.check_actions()?;
            let assumes = |action: &String| action.to_lowercase().starts_with("sts:");
            if !statement.actions.patterns.iter().all(assumes) {
                return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
            }
        }
        Ok(document)
    }

    /// Returns the keys of conditions that a question has no values for.
    pub(crate) fn missing_keys(&self, question: &Question<'_>) -> Vec<String> {
        let statements = self.statements.iter().filter(|statement| statement.is_about(question));
        let keys = statements.flat_map(|statement| &statement.conditions).map(Condition::key);
        keys.filter(|key| !question.context.contains_key(*key)).map(str::to_owned).collect()
    }

    /// Returns the principals that are named, the one for anybody aside.
    pub(crate) fn principals(&self) -> impl Iterator<Item = &Principal> {
        let principals = self.statements.iter().filter_map(|statement| statement.principals.as_ref());
        principals.flat_map(|principals| &principals.named)
    }
}

impl Statement {
    fn read(value: &Value) -> Result<Self, Malformed> {
        const NAMES: [&str; 9] = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        let entries = value.as_object().ok_or_else(|| malformed("a statement is an object"))?;
        check_names(entries, &NAMES)?;
        let allows = match entries.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(malformed("the Effect is Allow or Deny")),
        };
        let actions = Choice::read(entries, "Action", "NotAction")?;
        Ok(Self {
            allows,
            principals: Principals::read(entries)?,
            actions: actions.ok_or_else(|| malformed("the Action is missing"))?,
            resources: Choice::read(entries, "Resource", "NotResource")?,
            conditions: entries.get("Condition").map_or(Ok(Vec::new()), Condition::read_all)?,
        })
    }

    /// Checks that each action names its service.
    fn check_actions(&self) -> Result<(), Malformed> {
        let unnamed = |action: &&String| *action != "*" && !action.contains(':');
        let message = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
        self.actions.patterns.iter().find(unnamed).map_or(Ok(()), |_| Err(malformed(message)))
    }

    /// Tells whether the statement says something about what is asked.
    pub(super) fn concerns(&self, question: &Question<'_>) -> bool {
        self.is_about(question) && self.conditions.iter().all(|condition| condition.holds(&question.context))
    }

    /// Tells whether it would say something if its conditions held.
    fn is_about(&self, question: &Question<'_>) -> bool {
        self.actions.holds(|pattern| matches_any_case(pattern, question.action))
            && self
                .resources
                .as_ref()
                .is_none_or(|resources| resources.holds(|pattern| matches(pattern, question.resource)))
            && self.principals.as_ref().is_none_or(|principals| principals.hold(question.principals))
    }
}

impl Choice {
    fn read(entries: &Map<String, Value>, name: &str, negated: &str) -> Result<Option<Self>, Malformed> {
        match (entries.get(name), entries.get(negated)) {
            (None, None) => Ok(None),
            (Some(value), None) => Ok(Some(Self { patterns: texts(value)?, negated: false })),
            (None, Some(value)) => Ok(Some(Self { patterns: texts(value)?, negated: true })),
            (Some(_), Some(_)) => Err(malformed(format!("{name} and {negated} exclude each other"))),
        }
    }

    fn holds(&self, matches: impl Fn(&str) -> bool) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern)) != self.negated
    }
}

impl Principals {
    fn read(entries: &Map<String, Value>) -> Result<Option<Self>, Malformed> {
        let (value, negated) = match (entries.get("Principal"), entries.get("NotPrincipal")) {
            (None, None) => return Ok(None),
            (Some(value), None) => (value, false),
            (None, Some(value)) => (value, true),
            (Some(_), Some(_)) => return Err(malformed("Principal and NotPrincipal exclude each other")),
        };
        let mut principals = Self { named: Vec::new(), anybody: false, negated };
        if value.as_str() == Some("*") {
            principals.anybody = true;
            return Ok(Some(principals));
        }
        let kinds = value.as_object().ok_or_else(|| malformed("a Principal is \"*\" or an object"))?;
        for (kind, names) in kinds {
            for name in texts(names)? {
                match kind.as_str() {
                    "AWS" if name == "*" => principals.anybody = true,
                    "AWS" => principals.named.push(Principal::Aws(as_arn(&name))),
                    "Federated" => principals.named.push(Principal::Federated(name)),
                    "Service" => principals.named.push(Principal::Service(name)),
                    _ => {
                        return Err(malformed(format!(
                            "the sandbox does not know principals of kind {kind}"
                        )));
                    }
                }
            }
        }
        Ok(Some(principals))
    }

    fn hold(&self, caller: &[Principal]) -> bool {
        let named = self.anybody || self.named.iter().any(|name| caller.contains(name));
        named != self.negated
    }
}

/// Returns the ARN of an account for its number: IAM treats both alike.
fn as_arn(name: &str) -> String {
    let is_number = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("arn:aws:iam::{name}:root") } else { name.to_owned() }
}

/// Returns the texts of a value that is one text or a list of them.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Malformed> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(value)
        }
    };
    let text = |item: &Value| match item {
        Value::String(text) if text.contains("${") => {
            Err(malformed(format!("the sandbox does not evaluate the policy variable in {text}")))
        }
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(malformed(format!("{item} is no text"))),
    };
    items.iter().map(text).collect()
}

/// "The Sid must be unique within a JSON policy", of letters and digits.
fn check_names_of_statements(statements: &[Value]) -> Result<(), Malformed> {
    let mut seen = BTreeSet::new();
    for name in statements.iter().filter_map(|statement| statement.get("Sid")) {
        let name = name.as_str().ok_or_else(|| malformed("a Sid is a text"))?;
        if !name.chars().all(|character| character.is_ascii_alphanumeric()) {
            return Err(malformed("Statement IDs (SID) can only contain letters and digits."));
        }
        if !name.is_empty() && !seen.insert(name) {
            return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
        }
    }
    Ok(())
}

fn check_names(entries: &Map<String, Value>, known: &[&str]) -> Result<(), Malformed> {
    let unknown = entries.keys().find(|name| !known.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| Err(malformed(format!("the element {name} is not known"))))
}

pub(super) fn malformed(text: impl Into<String>) -> Malformed {
    Malformed(text.into())
}
