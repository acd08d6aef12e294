//! What IAM answers about roles is read, and the next call named.

use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::AttachedPermissionsBoundary;

use super::*;
use crate::iam::testing::{json, tag, tags};

const TRUST: &str = r#"{"Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"},
    "Action": "sts:AssumeRole"}], "Version": "2012-10-17"}"#;
const POLICY: &str = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";

fn role() -> types::builders::RoleBuilder {
    types::Role::builder()
        .role_name("cluster")
        .path("/")
        .role_id("AROA1")
        .arn("arn:aws:iam::111122223333:role/cluster")
        .create_date(DateTime::from_secs(0))
        .assume_role_policy_document(TRUST.replace(' ', "%20"))
        .max_session_duration(3600)
        .tags(tag("team", "a"))
}

fn listing(role: types::builders::RoleBuilder) -> Roles {
    let whole = WholeRole {
        role: role.build().expect("it has every part"),
        inline_names: BTreeSet::new(),
        profiles: Some(BTreeSet::new()),
        has_details: true,
    };
    Roles { whole: [(RemoteId::new("cluster"), whole)].into(), ..Roles::default() }
}

/// Adds policies to the role in a listing.
fn with_policies(listing: &mut Roles) {
    listing.attached.insert(RemoteId::new("cluster"), [POLICY.to_owned()].into());
    let whole = listing.whole.values_mut().next().expect("there is one");
    whole.inline_names.insert("read".to_owned());
}

fn observe(listing: &Roles) -> Observed<RoleInputs, RoleOutputs> {
    Role::observe(listing, &RemoteId::new("cluster")).expect("it is listed")
}

fn desired() -> RoleInputs {
    RoleInputs {
        name: "cluster".to_owned(),
        trust: Some(Policy::from_text(TRUST)),
        foreign_policies: Some(BTreeSet::new()),
        tags: Some(tags([("team", "a")])),
        ..RoleInputs::default()
    }
}

#[track_caller]
fn check_step(desired: &RoleInputs, expected: impl Into<Option<RoleStep>>) {
    assert_eq!(Role::next_step(&observe(&listing(role())), Some(desired)), expected.into());
}

#[test]
fn a_role_that_is_as_it_should_be_needs_nothing() {
    check_step(&desired(), None);
    let observed = observe(&listing(role()));
    assert_eq!(observed.readiness, Readiness::Ready);
    assert_eq!(observed.outputs.arn, "arn:aws:iam::111122223333:role/cluster");
    assert_eq!(observed.inputs.description, Some(String::new()));
    assert_eq!(observed.inputs.permissions_boundary, Some(String::new()));
}

#[test]
fn each_difference_has_its_call() {
    let trust = Policy::from(trust::nobody());
    check_step(&RoleInputs { trust: Some(trust.clone()), ..desired() }, RoleStep::Trust(trust));
    check_step(
        &RoleInputs { description: Some("x".to_owned()), ..desired() },
        RoleStep::Update { description: "x".to_owned(), max_session_duration: 3600 },
    );
    check_step(
        &RoleInputs { max_session_duration: Some(7200), ..desired() },
        RoleStep::Update { description: String::new(), max_session_duration: 7200 },
    );
    let boundary = RoleInputs { permissions_boundary: Some(POLICY.to_owned()), ..desired() };
    check_step(&boundary, RoleStep::PutBoundary(POLICY.to_owned()));
    let tagged = RoleInputs { tags: Some(tags([("team", "b")])), ..desired() };
    check_step(&tagged, RoleStep::Tag(TagStep::Set(tags([("team", "b")]).0)));
    check_step(&RoleInputs { trust: None, ..desired() }, None);
}

#[test]
fn a_boundary_that_is_not_wanted_goes() {
    let boundary = AttachedPermissionsBoundary::builder().permissions_boundary_arn(POLICY).build();
    let observed = observe(&listing(role().permissions_boundary(boundary)));
    assert_eq!(Role::next_step(&observed, Some(&desired())), None);
    let without = RoleInputs { permissions_boundary: Some(String::new()), ..desired() };
    assert_eq!(Role::next_step(&observed, Some(&without)), Some(RoleStep::DeleteBoundary));
}

#[test]
fn policies_that_no_spec_has_are_taken_off_unless_they_are_left_alone() {
    let mut listing = listing(role());
    with_policies(&mut listing);
    let observed = observe(&listing);
    let foreign: Vec<_> = observed.inputs.foreign_policies.clone().into_iter().flatten().collect();
    assert_eq!(foreign, [POLICY, "read"]);
    assert_eq!(Role::next_step(&observed, Some(&desired())), Some(RoleStep::Detach(POLICY.to_owned())));
    assert_eq!(take_off("read"), RoleStep::DeleteInline("read".to_owned()));
    let left_alone = RoleInputs { foreign_policies: observed.inputs.foreign_policies.clone(), ..desired() };
    assert_eq!(Role::next_step(&observed, Some(&left_alone)), None);
    listing.own.add([format!("cluster/{POLICY}").as_str(), "cluster:read"]);
    assert_eq!(observe(&listing).inputs.foreign_policies, Some(BTreeSet::new()));
}

#[test]
fn whatever_holds_a_role_goes_first() {
    let mut listing = listing(role());
    with_policies(&mut listing);
    let whole = listing.whole.values_mut().next().expect("there is one");
    whole.profiles = Some(["nodes".to_owned()].into());
    // Also what is the stack's own.
    listing.own.add([format!("cluster/{POLICY}").as_str()]);
    let mut outputs = observe(&listing).outputs;
    assert_eq!(towards_deletion(&outputs), RoleStep::RemoveFromProfile("nodes".to_owned()));
    outputs.instance_profile_names = Some(BTreeSet::new());
    assert_eq!(towards_deletion(&outputs), RoleStep::Detach(POLICY.to_owned()));
    outputs.attached_policy_arns.clear();
    assert_eq!(towards_deletion(&outputs), RoleStep::DeleteInline("read".to_owned()));
    outputs.inline_policy_names.clear();
    assert_eq!(towards_deletion(&outputs), RoleStep::Delete);
}

#[test]
fn a_role_without_its_arn_is_not_ready() {
    assert!(matches!(observe(&listing(role().arn("AROA1"))).readiness, Readiness::Pending(_)));
}

#[test]
fn sessions_have_limits() {
    let inputs = |seconds: i64| [("max_session_duration".to_owned(), Value::Integer(seconds))].into();
    assert_eq!(Role::check(&inputs(43_200)), []);
    assert_eq!(Role::check(&inputs(43_201)).len(), 1);
    assert_eq!(Role::check(&inputs(60)).len(), 1);
}

#[test]
fn foreign_policies_cannot_be_wished_for() {
    let inputs = ValueMap::from([("foreign_policies".to_owned(), Value::from(vec!["read"]))]);
    assert_eq!(Role::check(&inputs).len(), 1);
}

#[test]
fn a_short_form_is_the_document() {
    let short = ValueMap::from([("trust".to_owned(), json(r#"{"service": "eks.amazonaws.com"}"#))]);
    let home = Home { account_id: "111122223333", region: "us-east-1" };
    let inputs = Role::canonical(home, short).expect("the form is right");
    assert_eq!(Policy::from(inputs["trust"].clone()), Policy::from_text(TRUST));
}
