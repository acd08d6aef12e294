//! What a change of a policy gives and takes away: its grants, and which of them are far-reaching.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::canonical;
use crate::json;
use crate::value::{Value, ValueMap};

/// What one statement says of some actions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Grant {
    /// Whether it allows them or denies them.
    pub effect: Effect,
    /// The actions, sorted; patterns stay patterns. `not` in front of all others, such as `not iam:*`.
    pub actions: BTreeSet<String>,
    /// With what; empty in a policy that belongs to a thing.
    pub resources: BTreeSet<String>,
    /// Who may, such as `AWS 111122223333` or `Service eks.amazonaws.com`; empty in a policy of an identity.
    pub principals: BTreeSet<String>,
    /// The conditions as JSON text; empty if there are none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever allows it.
    Deny,
}

/// What a change of a policy gives and takes away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GrantChanges {
    /// What only the new policy says.
    pub gained: Vec<Grant>,
    /// What only the old policy says.
    pub lost: Vec<Grant>,
}

/// Why somebody should look at a grant twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// It allows every action of a service or of all.
    EveryAction,
    /// It allows actions that change something with everything there is.
    EveryResource,
    /// It lets everybody in.
    Everybody,
    /// It has to do with this other account.
    OtherAccount(String),
}

impl GrantChanges {
    /// Compares two policies. Returns `None` if a part of one is not known, or is no policy.
    #[must_use]
    pub fn between(before: &Value, after: &Value) -> Option<Self> {
        let (before, after) = (grants(before)?, grants(after)?);
        Some(Self { gained: without(&after, &before), lost: without(&before, &after) })
    }

    /// Tells whether the policies say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty()
    }
}

impl Grant {
    /// Returns why somebody should look twice; `account` is the policy's own.
    #[must_use]
    pub fn remarks(&self, account: &str) -> BTreeSet<Remark> {
        if self.effect == Effect::Deny {
            return BTreeSet::new();
        }
        let mut remarks = BTreeSet::new();
        if self.actions.iter().any(|action| is_every(action)) {
            remarks.insert(Remark::EveryAction);
        }
        if self.resources.contains("*")
            && self.condition.is_empty()
            && !self.actions.iter().all(|action| only_reads(action))
        {
            remarks.insert(Remark::EveryResource);
        }
        if self.principals.iter().any(|principal| principal == "AWS *") {
            remarks.insert(Remark::Everybody);
        }
        let named = self.principals.iter().chain(&self.resources);
        let others = named.filter_map(|name| account_in(name)).filter(|other| *other != account);
        remarks.extend(others.map(|other| Remark::OtherAccount(other.to_owned())));
        remarks
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EveryAction => formatter.write_str("every action"),
            Self::EveryResource => formatter.write_str("with everything"),
            Self::Everybody => formatter.write_str("everybody"),
            Self::OtherAccount(account) => write!(formatter, "other account {account}"),
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let verb = match self.effect {
            Effect::Allow => "allows",
            Effect::Deny => "denies",
        };
        formatter.write_str(verb)?;
        if !self.principals.is_empty() {
            write!(formatter, " {}", list(&self.principals))?;
        }
        write!(formatter, " {}", list(&self.actions))?;
        if !self.resources.is_empty() {
            write!(formatter, " on {}", list(&self.resources))?;
        }
        if !self.condition.is_empty() {
            write!(formatter, " if {}", self.condition)?;
        }
        Ok(())
    }
}

/// What a grant says beside its actions.
type Terms = (Effect, BTreeSet<String>, BTreeSet<String>, String);

/// Every action by what is said of it: the terms are few, the actions many.
type ByTerms = BTreeMap<Terms, BTreeSet<String>>;

fn grants(policy: &Value) -> Option<ByTerms> {
    let canonical = canonical(policy);
    let statements = canonical.as_map()?.get("Statement")?;
    let mut found = ByTerms::new();
    for statement in statements.items() {
        let (terms, actions) = grant(statement.as_map()?)?;
        found.entry(terms).or_default().extend(actions);
    }
    Some(found)
}

fn grant(statement: &ValueMap) -> Option<(Terms, BTreeSet<String>)> {
    let effect = match statement.get("Effect")?.as_str()? {
        "Deny" => Effect::Deny,
        _ => Effect::Allow,
    };
    let actions = named(statement, "Action", "NotAction")?;
    let resources = named(statement, "Resource", "NotResource")?;
    let mut principals = principals(statement.get("Principal"), "")?;
    principals.extend(self::principals(statement.get("NotPrincipal"), "not ")?);
    let condition = statement.get("Condition").map_or(Some(String::new()), json::encode)?;
    Some(((effect, resources, principals, condition), actions))
}

fn named(statement: &ValueMap, element: &str, negated: &str) -> Option<BTreeSet<String>> {
    let mut names = texts(statement.get(element), "")?;
    names.extend(texts(statement.get(negated), "not ")?);
    Some(names)
}

fn principals(principal: Option<&Value>, prefix: &str) -> Option<BTreeSet<String>> {
    let Some(principal) = principal else { return Some(BTreeSet::new()) };
    let mut found = BTreeSet::new();
    for (sort, names) in principal.as_map()? {
        found.extend(texts(Some(names), &format!("{prefix}{sort} "))?);
    }
    Some(found)
}

fn texts(value: Option<&Value>, prefix: &str) -> Option<BTreeSet<String>> {
    let Some(value) = value else { return Some(BTreeSet::new()) };
    value.items().iter().map(|item| item.as_str().map(|text| format!("{prefix}{text}"))).collect()
}

/// Returns what `one` says and `other` does not.
fn without(one: &ByTerms, other: &ByTerms) -> Vec<Grant> {
    let nothing = BTreeSet::new();
    let left = one.iter().map(|(terms, actions)| {
        let said = other.get(terms).unwrap_or(&nothing);
        let actions: BTreeSet<_> = actions.difference(said).cloned().collect();
        let (effect, resources, principals, condition) = terms.clone();
        Grant { effect, actions, resources, principals, condition }
    });
    left.filter(|grant| !grant.actions.is_empty()).collect()
}

fn is_every(action: &str) -> bool {
    action == "*" || action.ends_with(":*") || action.starts_with("not ")
}

/// Goes by the names that AWS's services give to what changes nothing.
fn only_reads(action: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    ["Describe", "Get", "List"].into_iter().any(|verb| name.starts_with(verb))
}

/// Returns the account's number in an ARN, or the number itself.
fn account_in(name: &str) -> Option<&str> {
    let name = name.rsplit(' ').next()?;
    let number = name.split(':').nth(4).unwrap_or(name);
    (number.len() == 12 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(before: &str, after: &str) -> GrantChanges {
        let policy = |text: &str| json::decode(text).expect("the test's policy is JSON");
        GrantChanges::between(&policy(before), &policy(after)).expect("every part is known")
    }

    fn shown(grants: &[Grant]) -> Vec<String> {
        grants.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_changes_is_named_however_it_is_written() {
        let before = r#"{"Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "a"}]}"#;
        let after = r#"{"Statement": [
            {"Sid": "Other", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": ["*"]},
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectTagging"], "Resource": "*"}]}"#;
        let changes = changes(before, after);
        assert_eq!(shown(&changes.gained), ["allows s3:GetObjectTagging on *"]);
        assert_eq!(shown(&changes.lost), ["denies s3:PutObject on a"]);
    }

    #[test]
    fn another_condition_is_another_grant() {
        let trust = |subject: &str| {
            format!(
                r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Federated": "arn:p"}},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {{"StringEquals": {{"sub": "{subject}"}}}}}}}}"#
            )
        };
        let changes = changes(&trust("one"), &trust("two"));
        let expected =
            r#"allows Federated arn:p sts:AssumeRoleWithWebIdentity if {"StringEquals":{"sub":["two"]}}"#;
        assert_eq!(shown(&changes.gained), [expected]);
        assert_eq!(changes.lost.len(), 1);
    }

    #[test]
    fn far_reaching_grants_are_remarked() {
        let remarks = |statement: &str| {
            let after = format!(r#"{{"Statement": {{"Effect": "Allow", {statement}}}}}"#);
            let changes = changes(r#"{"Statement": []}"#, &after);
            let remarks = changes.gained[0].remarks("111122223333");
            remarks.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(remarks(r#""Action": "s3:*", "Resource": "arn:x""#), ["every action"]);
        assert_eq!(remarks(r#""Action": "s3:PutObject", "Resource": "*""#), ["with everything"]);
        assert_eq!(remarks(r#""Action": "s3:GetObject", "Resource": "*""#), Vec::<String>::new());
        assert_eq!(remarks(r#""Action": "sts:AssumeRole", "Principal": "*""#), ["everybody"]);
        let other = r#""Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::444455556666:role/x"}"#;
        assert_eq!(remarks(other), ["other account 444455556666"]);
        let own = r#""Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}"#;
        assert_eq!(remarks(own), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        let known = json::decode(r#"{"Statement": []}"#).expect("it is JSON");
        assert_eq!(
            GrantChanges::between(&known, &Value::unknown(crate::address::Address::new("a", "b"), "c")),
            None
        );
        assert_eq!(GrantChanges::between(&known, &Value::from("no policy")), None);
    }
}
