//! What IAM answers about policies is read, and the next call named.

use super::*;
use crate::iam::testing::{tag, tags};

const ARN: &str = "arn:aws:iam::111122223333:policy/reports";

fn document(action: &str) -> Policy {
    Policy::from_text(&format!(
        r#"{{"Statement": [{{"Effect": "Allow", "Action": ["{action}"], "Resource": "*"}}]}}"#
    ))
}

/// A policy whose version in force allows `found`, with other versions, of which the newest allows
/// `newest`.
fn observe(
    found: &str,
    others: &[&str],
    newest: Option<&str>,
) -> Observed<ManagedPolicyInputs, ManagedPolicyOutputs> {
    let policy = types::Policy::builder()
        .policy_name("reports")
        .policy_id("ANPA1")
        .arn(ARN)
        .path("/")
        .default_version_id("v9")
        .tags(tag("team", "a"))
        .build();
    let whole = WholePolicy {
        policy,
        document: document(found),
        others: Some(others.iter().map(|version| (*version).to_owned()).collect()),
        newest: newest.map(document),
    };
    let listing = Policies { policies: [(RemoteId::new(ARN), whole)].into() };
    ManagedPolicy::observe(&listing, &RemoteId::new(ARN)).expect("it is listed")
}

fn desired(action: &str) -> ManagedPolicyInputs {
    let observed = observe(action, &[], None);
    ManagedPolicyInputs { description: None, path: None, ..observed.inputs }
}

#[track_caller]
fn check(others: &[&str], newest: Option<&str>, expected: ManagedPolicyStep) {
    let step = ManagedPolicy::next_step(&observe("s3:Get*", others, newest), Some(&desired("s3:List*")));
    assert_eq!(step, Some(expected));
}

#[test]
fn a_change_makes_a_version_and_then_puts_it_in_force() {
    assert_eq!(
        ManagedPolicy::next_step(&observe("s3:Get*", &["v1"], Some("x:Y")), Some(&desired("s3:Get*"))),
        None
    );
    let create = ManagedPolicyStep::CreateVersion(document("s3:List*"));
    check(&[], None, create.clone());
    check(&["v6", "v7", "v8"], Some("s3:Put*"), create);
    check(&["v8", "v10"], Some("s3:List*"), ManagedPolicyStep::SetDefault("v10".to_owned()));
}

#[test]
fn where_there_are_five_versions_the_oldest_goes_first() {
    let oldest = ManagedPolicyStep::DeleteVersion("v5".to_owned());
    check(&["v5", "v6", "v7", "v8"], Some("s3:Put*"), oldest);
    let made = ManagedPolicyStep::SetDefault("v10".to_owned());
    check(&["v6", "v7", "v8", "v10"], Some("s3:List*"), made);
}

#[test]
fn versions_go_before_their_policy() {
    let step = |others: &[&str]| ManagedPolicy::next_step(&observe("s3:Get*", others, Some("x:Y")), None);
    assert_eq!(step(&["v1", "v2"]), Some(ManagedPolicyStep::DeleteVersion("v1".to_owned())));
    assert_eq!(step(&[]), Some(ManagedPolicyStep::Delete));
}

#[test]
fn tags_change_in_place() {
    let wanted = ManagedPolicyInputs { tags: Some(tags([("team", "b")])), ..desired("s3:Get*") };
    let step = ManagedPolicy::next_step(&observe("s3:Get*", &[], None), Some(&wanted));
    assert_eq!(step, Some(ManagedPolicyStep::Tag(TagStep::Set(tags([("team", "b")]).0))));
}

#[test]
fn what_is_read_is_whole() {
    let observed = observe("s3:Get*", &["v8"], Some("s3:Put*"));
    assert_eq!(observed.inputs.description, Some(String::new()));
    assert_eq!(observed.outputs.default_version_id, "v9");
    assert_eq!(observed.outputs.newest_document, Some(document("s3:Put*")));
}
