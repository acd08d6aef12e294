//! Policies of IAM that allow just what is needed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::permission::grants::Grant;
use crate::permission::pattern::{ANYTHING, distinct};
use crate::provider::{Account, Provider};

/// How many characters a managed policy may have, white space aside ("IAM and AWS STS quotas").
pub const LONGEST: usize = 6144;

/// Returns the policies that allow what is needed in an account: one, or as many as it takes for
/// each to be short enough, which belong together.
#[must_use]
pub fn documents(grants: &[Grant], account: &Account, provider: &dyn Provider) -> Vec<Value> {
    let statements = statements(grants, account, provider);
    let mut documents = Vec::new();
    let mut open = Vec::new();
    for statement in statements.into_iter().flat_map(Statement::short_enough) {
        let statement = statement.to_json();
        if !open.is_empty() && length(&document(&open)) + length(&statement) + 1 > LONGEST {
            documents.push(document(&open));
            open.clear();
        }
        open.push(statement);
    }
    if !open.is_empty() {
        documents.push(document(&open));
    }
    documents
}

/// Returns how many characters of a policy count.
#[must_use]
pub fn length(policy: &Value) -> usize {
    policy.to_string().chars().filter(|character| !character.is_whitespace()).count()
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// What is allowed on the same things under the same conditions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
    conditions: BTreeMap<String, String>,
}

fn statements(grants: &[Grant], account: &Account, provider: &dyn Provider) -> Vec<Statement> {
    let mut by_action = BTreeMap::<_, BTreeSet<_>>::new();
    for grant in grants.iter().filter(|grant| grant.account == account.name) {
        let mut conditions = grant.conditions.clone();
        let anything = grant.resources.iter().all(|resource| resource == ANYTHING);
        let service = grant.action.split(':').next().unwrap_or_default();
        if anything && provider.is_regional(service) {
            conditions.insert(REGION.to_owned(), account.region.clone());
        }
        by_action.entry((&grant.action, conditions)).or_default().extend(grant.resources.iter().cloned());
    }
    let mut by_resources = BTreeMap::<_, BTreeSet<_>>::new();
    for ((action, conditions), resources) in by_action {
        by_resources.entry((distinct(resources), conditions)).or_default().insert(action.clone());
    }
    let statement = |((resources, conditions), actions)| Statement { actions, resources, conditions };
    let mut statements: Vec<_> = by_resources.into_iter().map(statement).collect();
    statements.sort();
    statements
}

/// The key whose value is the region that a call is sent to.
const REGION: &str = "aws:RequestedRegion";

impl Statement {
    /// Returns the statement, or several that mean the same where it alone is too long.
    fn short_enough(self) -> Vec<Self> {
        if length(&document(&[self.to_json()])) <= LONGEST {
            return vec![self];
        }
        let halves = |texts: &BTreeSet<String>| {
            let middle = texts.len() / 2;
            let first: BTreeSet<_> = texts.iter().take(middle).cloned().collect();
            let second = texts.iter().skip(middle).cloned().collect();
            [first, second]
        };
        let parts = if self.resources.len() > 1 {
            halves(&self.resources).map(|resources| Self { resources, ..self.clone() })
        } else if self.actions.len() > 1 {
            halves(&self.actions).map(|actions| Self { actions, ..self.clone() })
        } else {
            // One action on one thing is never that long.
            return vec![self];
        };
        parts.into_iter().flat_map(Self::short_enough).collect()
    }

    fn to_json(&self) -> Value {
        let mut statement = Map::new();
        statement.insert("Effect".to_owned(), json!("Allow"));
        statement.insert("Action".to_owned(), one_or_all(&self.actions));
        statement.insert("Resource".to_owned(), one_or_all(&self.resources));
        if !self.conditions.is_empty() {
            statement.insert("Condition".to_owned(), json!({ "StringEquals": self.conditions }));
        }
        Value::Object(statement)
    }
}

/// A list of one is written without brackets.
fn one_or_all(texts: &BTreeSet<String>) -> Value {
    match texts.first() {
        Some(only) if texts.len() == 1 => json!(only),
        _ => json!(texts),
    }
}

#[cfg(test)]
mod tests {
    use crate::address::AccountName;
    use crate::provider::{BoxFuture, Connection, ProviderError};
    use crate::schema::AttributeSchema;
    use crate::value::ValueMap;

    use super::*;

    struct Cloud;

    impl Provider for Cloud {
        fn account_attributes(&self) -> Vec<AttributeSchema> {
            Vec::new()
        }

        fn is_regional(&self, service: &str) -> bool {
            service != "iam"
        }

        fn connect<'a>(&'a self, _: &'a Account) -> BoxFuture<'a, Result<Connection, ProviderError>> {
            unreachable!("nothing is asked here")
        }
    }

    fn account() -> Account {
        Account {
            name: AccountName::new("network"),
            id: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            settings: ValueMap::new(),
            stack: "shop".to_owned(),
            sandbox: None,
            outside: crate::outside::Outside::Direct,
        }
    }

    fn grant(action: &str, resources: &[&str], conditions: &[(&str, &str)]) -> Grant {
        let owned = |text: &&str| (*text).to_owned();
        Grant {
            account: AccountName::new("network"),
            action: action.to_owned(),
            conditions: conditions.iter().map(|(key, value)| (owned(key), owned(value))).collect(),
            resources: resources.iter().map(owned).collect(),
        }
    }

    fn policies(grants: &[Grant]) -> Vec<Value> {
        documents(grants, &account(), &Cloud)
    }

    #[test]
    fn what_is_done_to_the_same_things_is_one_statement() {
        let role = "arn:aws:iam::111122223333:role/x";
        let other = Grant { account: AccountName::new("apps"), ..grant("ec2:DeleteVpc", &["*"], &[]) };
        let made = policies(&[
            grant("ec2:DescribeVpcs", &["*"], &[]),
            grant("ec2:DescribeSubnets", &["*"], &[]),
            grant("iam:ListRoles", &["*"], &[]),
            grant("iam:GetRole", &[role], &[]),
            grant("iam:GetRole", &["arn:aws:iam::111122223333:role/*"], &[]),
            grant("iam:PassRole", &[role], &[("iam:PassedToService", "eks.amazonaws.com")]),
            other,
        ]);
        let expected = json!([{ "Version": "2012-10-17", "Statement": [
            {
                "Effect": "Allow",
                "Action": ["ec2:DescribeSubnets", "ec2:DescribeVpcs"],
                "Resource": "*",
                "Condition": { "StringEquals": { "aws:RequestedRegion": "us-east-1" } },
            },
            { "Effect": "Allow", "Action": "iam:GetRole", "Resource": "arn:aws:iam::111122223333:role/*" },
            { "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*" },
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": role,
                "Condition": { "StringEquals": { "iam:PassedToService": "eks.amazonaws.com" } },
            },
        ]}]);
        assert_eq!(json!(made), expected);
        assert!(policies(&[]).is_empty());
    }

    #[test]
    fn no_policy_is_longer_than_iam_takes_and_nothing_is_lost() {
        let subnet = |number: u32| format!("arn:aws:ec2:us-east-1:111122223333:subnet/subnet-{number:017}");
        let subnets: Vec<_> = (0..300).map(subnet).collect();
        let subnets: Vec<_> = subnets.iter().map(String::as_str).collect();
        let mut grants = vec![grant("ec2:DeleteSubnet", &subnets, &[])];
        grants.extend((0..40).map(|number| grant(&format!("ec2:Do{number}"), &[subnets[number]], &[])));
        let made = policies(&grants);
        assert!(made.len() > 3 && made.iter().all(|policy| length(policy) <= LONGEST), "{}", made.len());
        let text = made.iter().map(ToString::to_string).collect::<String>();
        assert!(subnets.iter().all(|subnet| text.contains(subnet)));
        assert!((0..40).all(|number| text.contains(&format!("\"ec2:Do{number}\""))));
    }
}
