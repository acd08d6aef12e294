//! What callers may do where policies decide.

mod controller;
mod identities;
mod network;

use serde_json::{Value, json};

use crate::testing::Account;

/// Makes a user whose own policy has these statements, and returns its access key.
fn user(account: &mut Account, name: &str, statements: &Value) -> Value {
    account.ok("iam:CreateUser", json!({ "UserName": name }));
    grant(account, name, statements);
    account.ok("iam:CreateAccessKey", json!({ "UserName": name }))["AccessKey"].clone()
}

/// Gives a user another policy of its own.
fn grant(account: &mut Account, user: &str, statements: &Value) {
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let policy = json!({ "UserName": user, "PolicyName": "own", "PolicyDocument": document });
    account.ok("iam:PutUserPolicy", policy);
}

fn allow(actions: &Value) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": "*" })
}
