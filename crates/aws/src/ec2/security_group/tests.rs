//! What EC2 answers about groups is read, and the next call named.

use aws_sdk_ec2::types::{IpPermission, SecurityGroupRule};

use super::*;
use crate::client::OwnIds;
use crate::ec2::testing::{place, tag, tags};

fn group() -> types::SecurityGroup {
    types::SecurityGroup::builder()
        .group_id("sg-1")
        .group_name("web")
        .description("Web servers")
        .vpc_id("vpc-1")
        .owner_id("111122223333")
        .ip_permissions_egress(IpPermission::builder().ip_protocol("-1").build())
        .tags(tag(STACK_TAG, "ours"))
        .tags(tag(ADDRESS_TAG, "security_group.web"))
        .build()
}

fn default_egress() -> types::builders::SecurityGroupRuleBuilder {
    let rule = SecurityGroupRule::builder().security_group_rule_id("sgr-1").group_id("sg-1");
    rule.is_egress(true).ip_protocol("-1").from_port(-1).to_port(-1).cidr_ipv4("0.0.0.0/0")
}

fn observe(
    rules: Vec<SecurityGroupRule>,
    own: &[&str],
) -> Observed<SecurityGroupInputs, SecurityGroupOutputs> {
    let ids = OwnIds::default();
    ids.add(own.iter().copied());
    let listing = SecurityGroups::new(place(), ids, vec![group()], rules);
    SecurityGroup::observe(&listing, &RemoteId::new("sg-1")).expect("it is listed")
}

fn foreign_rules(rules: Vec<SecurityGroupRule>, own: &[&str]) -> Vec<String> {
    observe(rules, own).inputs.foreign_rules.into_iter().flatten().collect()
}

fn desired() -> SecurityGroupInputs {
    let inputs = observe(Vec::new(), &[]).inputs;
    SecurityGroupInputs { foreign_rules: Some(BTreeSet::new()), ..inputs }
}

#[test]
fn the_rule_that_a_group_is_born_with_is_revoked() {
    let observed = observe(vec![default_egress().build()], &[]);
    let foreign = observed.inputs.foreign_rules.clone().unwrap_or_default();
    assert_eq!(Vec::from_iter(foreign), ["sgr-1 egress all to 0.0.0.0/0"]);
    let step = SecurityGroup::next_step(&observed, Some(&desired()));
    assert_eq!(step, Some(SecurityGroupStep::RevokeEgress { rule_id: "sgr-1".to_owned() }));
}

#[test]
fn a_group_whose_rules_are_not_listed_yet_is_not_ready() {
    assert!(matches!(observe(Vec::new(), &[]).readiness, Readiness::Pending(_)));
    assert_eq!(observe(vec![default_egress().build()], &[]).readiness, Readiness::Ready);
}

#[test]
fn rules_of_a_stack_are_not_foreign() {
    for key in [STACK_TAG, ADDRESS_TAG, "straddle:op"] {
        assert_eq!(foreign_rules(vec![default_egress().tags(tag(key, "x")).build()], &[]), [""; 0]);
    }
    assert_eq!(foreign_rules(vec![default_egress().tags(tag("Name", "x")).build()], &[]).len(), 1);
}

#[test]
fn a_rule_of_ours_without_its_tags_is_not_foreign() {
    assert_eq!(foreign_rules(vec![default_egress().build()], &["sgr-1"]), [""; 0]);
    assert_eq!(foreign_rules(vec![default_egress().build()], &["sgr-2"]).len(), 1);
}

#[test]
fn rules_that_are_left_alone_stay() {
    let observed = observe(vec![default_egress().build()], &[]);
    assert_eq!(SecurityGroup::next_step(&observed, Some(&observed.inputs)), None);
    let not_said = SecurityGroupInputs { foreign_rules: None, ..desired() };
    assert_eq!(SecurityGroup::next_step(&observed, Some(&not_said)), None);
}

#[test]
fn a_group_that_goes_lets_go_of_others_first() {
    let other = types::ReferencedSecurityGroup::builder().group_id("sg-2").build();
    let rule = SecurityGroupRule::builder().security_group_rule_id("sgr-2").group_id("sg-1");
    let rule = rule.is_egress(false).ip_protocol("-1").referenced_group_info(other).build();
    let observed = observe(vec![default_egress().build(), rule], &[]);
    let step = SecurityGroup::next_step(&observed, None);
    assert_eq!(step, Some(SecurityGroupStep::RevokeIngress { rule_id: "sgr-2".to_owned() }));
    let observed = observe(vec![default_egress().build()], &[]);
    assert_eq!(SecurityGroup::next_step(&observed, None), Some(SecurityGroupStep::Delete));
}

#[test]
fn only_a_group_of_our_own_is_adopted() {
    let intent = |operation: &str| Intent {
        address: "security_group.web".parse().expect("it is an address"),
        operation_id: operation.to_owned(),
        token: String::new(),
    };
    let wanted = |stack, address| SecurityGroupInputs {
        tags: Some(tags([(STACK_TAG, stack), (ADDRESS_TAG, address)])),
        ..desired()
    };
    assert!(is_ours(&group(), &intent("1"), &wanted("ours", "security_group.web")));
    assert!(!is_ours(&group(), &intent("1"), &wanted("ours", "security_group.other")));
    assert!(!is_ours(&group(), &intent("1"), &wanted("theirs", "security_group.web")));
    assert!(!is_ours(&group(), &intent("1"), &SecurityGroupInputs::default()));
    let made = types::SecurityGroup::builder().tags(tag("straddle:op", "1")).build();
    assert!(is_ours(&made, &intent("1"), &wanted("ours", "security_group.web")));
}

#[test]
fn names_and_descriptions_are_those_that_aws_takes() {
    assert_eq!(normalize_name("game-2048-alb"), Ok("game-2048-alb".to_owned()));
    for wrong in ["", "sg-web", "SG-web", "web ", "it's", &"x".repeat(256)] {
        normalize_name(wrong).expect_err("AWS refuses it or changes it");
    }
    normalize_group_description("").expect_err("AWS wants one");
}

#[test]
fn foreign_rules_cannot_be_wished_for() {
    let inputs = |rules: &[&str]| [("foreign_rules".to_owned(), Value::from(rules.to_vec()))].into();
    assert_eq!(SecurityGroup::check(&inputs(&[])), []);
    assert_eq!(SecurityGroup::check(&inputs(&["sgr-1"])).len(), 1);
}
