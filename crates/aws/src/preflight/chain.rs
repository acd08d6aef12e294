//! A step from one role to another: whether the one lets the other in, and whether that may go there.

use straddle_engine::preflight::{Finding, Item, Subject};
use straddle_engine::value::{Value, ValueMap};

use super::controller::{policies, refers_to};
use crate::iam::controller::lacking;
use crate::iam::trust::{ACCOUNT, EXTERNAL_ID, ROLE, SESSION_TAGS};

const ASSUME: &str = "sts:AssumeRole";
const TAG: &str = "sts:TagSession";

/// A step from one role to another.
pub(super) struct Step<'a> {
    pub(super) from: &'a Item,
    pub(super) to: &'a Item,
    pub(super) external_id: ExternalId<'a>,
    /// Whether the session has tags.
    pub(super) has_tags: bool,
}

/// What is said at the door.
#[derive(Debug, Clone, Copy)]
pub(super) enum ExternalId<'a> {
    /// What EKS makes up for an association.
    Of(&'a Item),
    /// What is written, known or not; `None` is nothing.
    Written(Option<&'a Value>),
}

/// Says what is wrong with a step; nothing, as far as it can be seen, if it can be gone.
pub(super) fn judge(step: &Step<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = judge_doors(step, subject).into_iter().collect();
    if let Some(policies) = policies(step.from, subject) {
        let wanted = if step.has_tags { &[ASSUME, TAG][..] } else { &[ASSUME] };
        let lacking = lacking(&policies.iter().collect::<Vec<_>>(), wanted.iter().copied());
        if !lacking.is_empty() {
            let Item { account, address, .. } = step.from;
            findings.push(Finding::failed(
                account,
                format!(
                    "{address} takes {}, and its policies do not allow {}.",
                    step.to.address,
                    lacking.join(", ")
                ),
                format!(
                    "Allow it on `Resource = \"${{{}.arn}}\"`, in `inline_policies` of {address}.",
                    step.to.address
                ),
            ));
        }
    }
    findings
}

/// Those whom a role lets in, by one statement of its trust.
#[derive(Debug, Clone)]
struct Door {
    /// ARNs of roles and accounts, and ids of accounts.
    principals: Vec<Value>,
    /// One of which has to be said; any may if there are none.
    external_ids: Vec<Value>,
    admits_tags: bool,
}

fn judge_doors(step: &Step<'_>, subject: &Subject<'_>) -> Option<Finding> {
    let Step { from, to, .. } = step;
    let others = subject.lasting("iam_role_trust").filter(|trust| refers_to(trust, "role", to, subject));
    let doors: Option<Vec<_>> = std::iter::once(*to).chain(others).map(|item| doors(item, subject)).collect();
    // What is not known yet may let everybody in.
    let doors = doors?.concat();
    let mut own = doors.iter().filter(|door| door.is_for(from, subject)).peekable();
    let remedy = || {
        let tags = if step.has_tags { ", session_tags = true" } else { "" };
        let id = match step.external_id {
            ExternalId::Of(association) => {
                format!(", external_id = \"${{{}.external_id}}\"", association.address)
            }
            ExternalId::Written(Some(_)) => ", external_id = \"...\"".to_owned(),
            ExternalId::Written(None) => String::new(),
        };
        let trust = format!("{{ role = \"${{{}.arn}}\"{id}{tags} }}", from.address);
        format!(
            "Write `trust = {trust}` for {}, in an `iam_role_trust` where it would be a circle.",
            to.address
        )
    };
    let failed = |message: String| Some(Finding::failed(&to.account, message, remedy()));
    if own.peek().is_none() {
        return failed(format!("{} takes {}, which does not trust it.", from.address, to.address));
    }
    let open: Vec<_> = own.filter(|door| door.opens_to(step.external_id, subject)).collect();
    if open.is_empty() {
        return failed(format!(
            "{} takes {}, which asks for another external id than it is given.",
            from.address, to.address
        ));
    }
    if step.has_tags && !doors.iter().any(|door| door.admits_tags && door.is_for(from, subject)) {
        return failed(format!(
            "{} takes {} with tags of its session, which that does not allow.",
            from.address, to.address
        ));
    }
    None
}

/// Returns the statements of a trust; `None` if it cannot be told what they say.
fn doors(item: &Item, subject: &Subject<'_>) -> Option<Vec<Door>> {
    let written = subject.written(item, "trust");
    if let Some(short) =
        written.as_ref().and_then(Value::as_map).filter(|trust| !trust.contains_key("Statement"))
    {
        return Some(vec![of_short_form(short)]);
    }
    let Some(trust) = item.value("trust") else { return Some(Vec::new()) };
    if trust.first_unknown().is_some() {
        return None;
    }
    let statements = trust.as_map().and_then(|trust| trust.get("Statement")).map(Value::items);
    Some(statements.unwrap_or_default().iter().filter_map(Value::as_map).filter_map(of_statement).collect())
}

fn of_short_form(short: &ValueMap) -> Door {
    let items = |name: &str| short.get(name).map(Value::items).unwrap_or_default().to_vec();
    Door {
        principals: [items(ROLE), items(ACCOUNT)].concat(),
        external_ids: items(EXTERNAL_ID),
        admits_tags: short.get(SESSION_TAGS) == Some(&Value::Bool(true)),
    }
}

fn of_statement(statement: &ValueMap) -> Option<Door> {
    let is_allow = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    let principal = statement.get("Principal")?;
    let principals = match principal.as_map() {
        Some(principals) => principals.get("AWS")?.items().to_vec(),
        None => vec![principal.clone()],
    };
    let actions = statement.get("Action").map(Value::items).unwrap_or_default();
    let has = |wanted: &str| {
        let mut actions = actions.iter().filter_map(Value::as_str);
        actions.any(|action| straddle_engine::policy::pattern::matches_any_case(action, wanted))
    };
    let conditions = statement.get("Condition").and_then(Value::as_map).into_iter().flatten();
    let keys = conditions.filter_map(|(_, keys)| keys.as_map()).flatten();
    let ids =
        keys.filter(|(key, _)| key.eq_ignore_ascii_case("sts:ExternalId")).flat_map(|(_, ids)| ids.items());
    let external_ids: Vec<_> = ids.cloned().collect();
    (is_allow && (has(ASSUME) || has(TAG))).then(|| Door { principals, external_ids, admits_tags: has(TAG) })
}

impl Door {
    fn is_for(&self, role: &Item, subject: &Subject<'_>) -> bool {
        let account = &subject.account(&role.account).0.id;
        self.principals.iter().any(|principal| match principal.as_str() {
            Some(name) => {
                name == "*"
                    || name == account
                    || name.ends_with(&format!(":iam::{account}:root"))
                    || Some(name) == role.text("arn")
            }
            None => subject.named(principal).is_none_or(|named| named.address == role.address),
        })
    }

    fn opens_to(&self, said: ExternalId<'_>, subject: &Subject<'_>) -> bool {
        let is_it = |asked: &Value| match said {
            ExternalId::Of(association) => match asked.as_str() {
                Some(asked) => association.text("external_id") == Some(asked),
                None => subject.named(asked).is_none_or(|named| named.address == association.address),
            },
            ExternalId::Written(None) => false,
            ExternalId::Written(Some(said)) => match (asked.as_str(), said.as_str()) {
                (Some(asked), Some(said)) => asked == said,
                (None, _) | (_, None) => true,
            },
        };
        self.external_ids.is_empty() || self.external_ids.iter().any(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::testing::json;

    #[test]
    fn a_statement_tells_whom_it_lets_in_and_what_has_to_be_said() {
        let statement = |text: &str| {
            let statement = json(text);
            of_statement(statement.as_map().expect("it is a table"))
        };
        let door = statement(
            r#"{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::1:role/a"]}, "Action": "sts:*",
                "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}"#,
        );
        let door = door.expect("it lets somebody in");
        assert_eq!((door.principals.len(), door.admits_tags), (1, true));
        assert_eq!(door.external_ids, [Value::from("x")]);
        for other in [
            r#"{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}"#,
            r#"{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}"#,
            r#"{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRoleWithSAML"}"#,
        ] {
            assert!(statement(other).is_none(), "{other}");
        }
    }
}
