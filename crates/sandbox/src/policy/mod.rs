//! Policies: what a document allows, as IAM decides it ("Policy evaluation logic", IAM user guide).
//!
//! An operator or an element that is not known here is refused when the document is read: a
//! policy whose condition is ignored would allow what AWS denies.

mod condition;
mod document;

use std::collections::BTreeMap;

pub(crate) use document::{Document, Malformed};

/// What is asked of a policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question<'a> {
    /// Such as `ec2:CreateVpc`.
    pub(crate) action: &'a str,
    /// The ARN of what the action is done to; `*` if it is done to nothing.
    pub(crate) resource: &'a str,
    /// The names of the caller that a policy may give: ARNs, account numbers, services.
    pub(crate) principals: &'a [Principal],
    /// The values of condition keys, in small letters.
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

/// One name of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// An account, a role, a user or a session.
    Aws(String),
    /// A provider of web identities.
    Federated(String),
    /// A service.
    Service(String),
}

/// What a policy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A statement denies it, which nothing outweighs.
    Denied,
    /// No statement says anything of it.
    Silent,
}

impl Document {
    /// Answers a question.
    pub(crate) fn decide(&self, question: &Question<'_>) -> Decision {
        let mut decision = Decision::Silent;
        for statement in self.statements.iter().filter(|statement| statement.concerns(question)) {
            if !statement.allows {
                return Decision::Denied;
            }
            decision = Decision::Allowed;
        }
        decision
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn decide(statements: &Value, action: &str, context: &[(&str, &str)]) -> Decision {
        let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let document = Document::read(&text).expect("the policy is well formed");
        let context =
            context.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect();
        let caller = [Principal::Aws("arn:aws:iam::111122223333:root".to_owned())];
        document.decide(&Question { action, resource: "arn:aws:ec2:r:1:vpc/v", principals: &caller, context })
    }

    #[test]
    fn what_is_denied_is_denied_whatever_allows_it() {
        let both = json!([
            { "Effect": "Allow", "Action": "ec2:*", "Resource": "*" },
            { "Effect": "Deny", "Action": ["ec2:Delete*"], "Resource": "arn:aws:ec2:*:*:vpc/*" },
        ]);
        assert_eq!(decide(&both, "ec2:CreateVpc", &[]), Decision::Allowed);
        assert_eq!(decide(&both, "EC2:deletevpc", &[]), Decision::Denied);
        assert_eq!(decide(&both, "iam:GetRole", &[]), Decision::Silent);
        let others = json!({ "Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::*" });
        assert_eq!(decide(&others, "ec2:CreateVpc", &[]), Decision::Allowed);
        assert_eq!(decide(&others, "iam:GetRole", &[]), Decision::Silent);
    }

    #[test]
    fn principals_are_compared() {
        let trust = |principal: Value| json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
        for principal in [
            json!("*"),
            json!({ "AWS": "*" }),
            json!({ "AWS": ["arn:aws:iam::111122223333:root"] }),
            json!({ "AWS": "111122223333" }),
        ] {
            assert_eq!(decide(&trust(principal), "sts:AssumeRole", &[]), Decision::Allowed);
        }
        for principal in [json!({ "AWS": "444455556666" }), json!({ "Service": "ec2.amazonaws.com" })] {
            assert_eq!(decide(&trust(principal), "sts:AssumeRole", &[]), Decision::Silent);
        }
    }

    #[test]
    fn every_condition_has_to_hold() {
        let conditioned = |condition: Value| json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition });
        let check = |condition: Value, context: &[(&str, &str)], expected: Decision| {
            assert_eq!(decide(&conditioned(condition.clone()), "x:Y", context), expected, "{condition}");
        };
        let equal = json!({ "StringEquals": { "sts:ExternalId": ["a", "b"] } });
        check(equal.clone(), &[("sts:externalid", "b")], Decision::Allowed);
        check(equal.clone(), &[("sts:externalid", "c")], Decision::Silent);
        check(equal, &[], Decision::Silent);
        let like = json!({ "StringLike": { "x:sub": "system:*:a?" } });
        check(like.clone(), &[("x:sub", "system:serviceaccount:ab")], Decision::Allowed);
        check(like, &[("x:sub", "system:serviceaccount:a")], Decision::Silent);
        check(json!({ "Null": { "aws:RequestTag/k": "true" } }), &[], Decision::Allowed);
        check(json!({ "Null": { "aws:RequestTag/k": "false" } }), &[], Decision::Silent);
        check(json!({ "StringEqualsIfExists": { "k": "a" } }), &[], Decision::Allowed);
        check(json!({ "StringNotEquals": { "k": "a" } }), &[], Decision::Allowed);
        check(
            json!({ "Bool": { "aws:SecureTransport": "true" } }),
            &[("aws:securetransport", "true")],
            Decision::Allowed,
        );
        let any = json!({ "ForAnyValue:StringEquals": { "aws:TagKeys": ["a"] } });
        check(any.clone(), &[("aws:tagkeys", "a")], Decision::Allowed);
        check(any, &[], Decision::Silent);
        let all = json!({ "ForAllValues:StringEquals": { "aws:TagKeys": ["a"] } });
        check(all.clone(), &[], Decision::Allowed);
        check(all, &[("aws:tagkeys", "b")], Decision::Silent);
    }

    #[test]
    fn a_document_is_of_one_kind() {
        let document = |statement: Value| json!({ "Statement": [statement] }).to_string();
        let permission = document(json!({ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" }));
        let trust = document(json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*" }));
        Document::permissions(&permission).expect("it is one of permissions");
        Document::permissions(&trust).expect_err("it names principals");
        Document::trust(&trust).expect("it is one of trust");
        Document::trust(&permission).expect_err("it names resources");
        for statement in [
            json!({ "Effect": "Allow", "Action": "ec2:*" }),
            json!({ "Effect": "Allow", "Action": "CreateVpc", "Resource": "*" }),
            json!({ "Effect": "Allow", "Action": "ec2:CreateVpc", "Resource": "vpc" }),
        ] {
            Document::permissions(&document(statement.clone())).expect_err(&statement.to_string());
        }
        let other = json!({ "Effect": "Allow", "Action": "ec2:CreateVpc", "Principal": "*" });
        Document::trust(&document(other)).expect_err("it allows something else than assuming a role");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let statement = |more: Value| {
            let mut statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
            statement
                .as_object_mut()
                .expect("it is a table")
                .extend(more.as_object().cloned().expect("a table"));
            json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
        };
        for text in [
            "{".to_owned(),
            "{}".to_owned(),
            json!({ "Version": "2020-01-01", "Statement": [] }).to_string(),
            statement(json!({ "Effect": "Maybe" })),
            statement(json!({ "Colour": "red" })),
            statement(json!({ "NotAction": "*" })),
            statement(json!({ "Condition": { "DateEquals": { "k": "2020-01-01T00:00:00Z" } } })),
            statement(json!({ "Condition": { "StringEquals": "x" } })),
            statement(json!({ "Principal": { "Somebody": "x" } })),
            statement(json!({ "Resource": "arn:aws:iam::1:user/${aws:username}" })),
            statement(json!({ "Sid": "not one word" })),
        ] {
            Document::read(&text).expect_err(&text);
        }
    }
}
