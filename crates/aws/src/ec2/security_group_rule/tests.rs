//! The calls of rules, and how what EC2 answers is read.

use types::{ReferencedSecurityGroup, SecurityGroupRule as Found};

use super::*;
use crate::client::OwnIds;
use crate::ec2::testing::{place, tag, tags};

fn found() -> types::builders::SecurityGroupRuleBuilder {
    let rule =
        Found::builder().security_group_rule_id("sgr-1").group_id("sg-1").group_owner_id("111122223333");
    let rule = rule.is_egress(false).ip_protocol("tcp").from_port(80).to_port(80);
    rule.cidr_ipv4("10.0.0.0/16").description("web")
}

fn from_group(group: &str) -> Found {
    let info = ReferencedSecurityGroup::builder().group_id(group).user_id("444455556666").build();
    found().set_cidr_ipv4(None).referenced_group_info(info).build()
}

fn observe(rule: Found) -> Observed<SecurityGroupRuleInputs, SecurityGroupRuleOutputs> {
    let listing = SecurityGroups::new(place(), OwnIds::default(), Vec::new(), vec![rule]);
    SecurityGroupRule::observe(&listing, &RemoteId::new("sgr-1")).expect("it is listed")
}

fn desired() -> SecurityGroupRuleInputs {
    observe(found().build()).inputs
}

fn step(wanted: &SecurityGroupRuleInputs) -> Option<SecurityGroupRuleStep> {
    SecurityGroupRule::next_step(&observe(found().build()), Some(wanted))
}

fn modified_to(wanted: &SecurityGroupRuleInputs) -> SecurityGroupRuleInputs {
    match step(wanted) {
        Some(SecurityGroupRuleStep::Modify(inputs)) => *inputs,
        other => panic!("the step is {other:?}"),
    }
}

fn check(inputs: &[(&str, &str)]) -> Vec<&'static str> {
    let base = [("security_group_id", "sg-1"), ("direction", "ingress")];
    let inputs = base.iter().chain(inputs).map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    SecurityGroupRule::check(&inputs.collect()).into_iter().map(|problem| problem.attribute).collect()
}

fn intent() -> Intent {
    let address = "security_group_rule.a".parse().expect("it is an address");
    Intent { address, operation_id: "1".to_owned(), token: String::new() }
}

#[test]
fn what_was_found_is_observed() {
    let observed = observe(found().build());
    assert_eq!(observed.inputs.direction, "ingress");
    assert_eq!(observed.inputs.ports.as_deref(), Some("80"));
    assert_eq!(observed.outputs.arn, "arn:aws:ec2:us-east-1:111122223333:security-group-rule/sgr-1");
    let other = observe(from_group("sg-2")).inputs;
    assert_eq!(
        (other.source.as_deref(), other.source_account.as_deref()),
        (Some("sg-2"), Some("444455556666"))
    );
    assert_eq!(observe(from_group("sg-1")).inputs.source.as_deref(), Some("self"));
}

#[test]
fn what_a_rule_allows_changes_in_place() {
    assert_eq!(step(&desired()), None);
    let ports = SecurityGroupRuleInputs { ports: Some("81-90".to_owned()), ..desired() };
    assert_eq!(modified_to(&ports).ports.as_deref(), Some("81-90"));
    let text = SecurityGroupRuleInputs { description: Some(String::new()), ..desired() };
    assert_eq!(modified_to(&text).description.as_deref(), Some(""));
}

#[test]
fn a_description_that_the_spec_leaves_open_stays() {
    let ports = SecurityGroupRuleInputs { ports: Some("81".to_owned()), description: None, ..desired() };
    assert_eq!(modified_to(&ports).description.as_deref(), Some("web"));
    assert_eq!(step(&SecurityGroupRuleInputs { description: None, ..desired() }), None);
}

#[test]
fn the_account_of_a_source_is_no_change_by_itself() {
    let observed = observe(from_group("sg-2"));
    let wanted = SecurityGroupRuleInputs { source_account: None, ..observed.inputs.clone() };
    assert_eq!(SecurityGroupRule::next_step(&observed, Some(&wanted)), None);
}

#[test]
fn tags_are_set_after_the_rest() {
    let wanted = SecurityGroupRuleInputs { tags: Some(tags([("Name", "web")])), ..desired() };
    let set = TagStep::Set(tags([("Name", "web")]).0);
    assert_eq!(step(&wanted), Some(SecurityGroupRuleStep::Tag(set)));
}

#[test]
fn a_rule_is_revoked_from_its_group_and_direction() {
    let gone = |rule| SecurityGroupRule::next_step(&observe(rule), None);
    let group_id = || "sg-1".to_owned();
    let ingress = SecurityGroupRuleStep::RevokeIngress { group_id: group_id() };
    assert_eq!(gone(found().build()), Some(ingress));
    let egress = SecurityGroupRuleStep::RevokeEgress { group_id: group_id() };
    assert_eq!(gone(found().is_egress(true).build()), Some(egress));
}

#[test]
fn another_sort_of_other_side_is_another_rule() {
    let replaces =
        |attribute, before: Value, after: Value| SecurityGroupRule::must_replace(attribute, &before, &after);
    assert!(!replaces("cidr", "10.0.0.0/8".into(), "10.0.0.0/16".into()));
    assert!(replaces("cidr", "10.0.0.0/8".into(), "::/0".into()));
    assert!(replaces("cidr", Value::Null, "::/0".into()));
    let unknown = Value::unknown("vpc.a".parse().expect("it is an address"), "cidr_block");
    assert!(replaces("cidr", "10.0.0.0/8".into(), unknown));
    assert!(!replaces("prefix_list_id", "pl-1".into(), "pl-2".into()));
    assert!(replaces("prefix_list_id", Value::Null, "pl-2".into()));
    assert!(replaces("source", "sg-1".into(), "sg-2".into()));
    assert!(replaces("direction", "ingress".into(), "egress".into()));
}

#[test]
fn the_rule_of_this_operation_goes_before_its_likes() {
    let mine = found().security_group_rule_id("sgr-2").from_port(81).tags(tag("straddle:op", "1")).build();
    let rules = [found().build(), mine];
    assert_eq!(matching(&rules, &intent(), &desired()), [RemoteId::new("sgr-2")]);
}

#[test]
fn a_like_rule_is_adopted_unless_another_stack_has_it() {
    let wanted = SecurityGroupRuleInputs {
        description: Some("another text".to_owned()),
        tags: Some(tags([(STACK_TAG, "ours")])),
        ..desired()
    };
    let adopted = |rule: Found| matching(&[rule], &intent(), &wanted);
    assert_eq!(adopted(found().build()), [RemoteId::new("sgr-1")]);
    assert_eq!(adopted(found().tags(tag(STACK_TAG, "ours")).build()), [RemoteId::new("sgr-1")]);
    assert_eq!(adopted(found().tags(tag(STACK_TAG, "theirs")).build()), []);
    assert_eq!(adopted(found().is_egress(true).build()), []);
    assert_eq!(adopted(found().to_port(81).build()), []);
    assert_eq!(adopted(from_group("sg-2")), []);
}

#[test]
fn rules_are_made_with_their_one_other_side() {
    let made = permission(&desired());
    assert_eq!(made.ip_ranges()[0].description(), Some("web"));
    let ipv6 = SecurityGroupRuleInputs { cidr: Some("::/0".to_owned()), ..desired() };
    assert_eq!(permission(&ipv6).ipv6_ranges()[0].cidr_ipv6(), Some("::/0"));
    let list = SecurityGroupRuleInputs { cidr: None, prefix_list_id: Some("pl-1".to_owned()), ..desired() };
    assert_eq!(permission(&list).prefix_list_ids()[0].prefix_list_id(), Some("pl-1"));
    let pair = permission(&observe(from_group("sg-2")).inputs);
    let pair = &pair.user_id_group_pairs()[0];
    assert_eq!((pair.group_id(), pair.user_id()), (Some("sg-2"), Some("444455556666")));
    let own = permission(&observe(from_group("sg-1")).inputs);
    assert_eq!(own.user_id_group_pairs()[0].group_id(), Some("sg-1"));
}

#[test]
fn a_changed_rule_is_said_whole() {
    let ipv6 = SecurityGroupRuleInputs { cidr: Some("::/0".to_owned()), description: None, ..desired() };
    let request = request(&ipv6);
    assert_eq!((request.cidr_ipv4(), request.cidr_ipv6()), (None, Some("::/0")));
    assert_eq!((request.from_port(), request.to_port()), (Some(80), Some(80)));
    assert_eq!(request.description(), Some(""));
}

#[test]
fn a_rule_has_one_other_side() {
    let tcp = ("protocol", "tcp");
    assert_eq!(check(&[tcp, ("ports", "80"), ("cidr", "10.0.0.0/8")]), [""; 0]);
    assert_eq!(check(&[tcp, ("ports", "80")]), ["direction"]);
    assert_eq!(check(&[tcp, ("ports", "80"), ("cidr", "10.0.0.0/8"), ("source", "self")]), ["source"]);
}

#[test]
fn sources_are_groups() {
    let tcp = [("protocol", "tcp"), ("ports", "80")];
    let with = |source| check(&[tcp[0], tcp[1], ("source", source)]);
    assert_eq!(with("self"), [""; 0]);
    assert_eq!(with("sg-2"), [""; 0]);
    assert_eq!(with("10.0.0.0/8"), ["source"]);
    assert_eq!(with("sg-1"), ["source"]);
    let account = |id| check(&[tcp[0], tcp[1], ("source", "sg-2"), ("source_account", id)]);
    assert_eq!(account("444455556666"), [""; 0]);
    assert_eq!(account("apps"), ["source_account"]);
    assert_eq!(
        check(&[tcp[0], tcp[1], ("cidr", "::/0"), ("source_account", "444455556666")]),
        ["source_account"]
    );
}

#[test]
fn ports_fit_their_protocol() {
    let with = |protocol, ports| check(&[("protocol", protocol), ("ports", ports), ("source", "self")]);
    let without = |protocol| check(&[("protocol", protocol), ("source", "self")]);
    assert_eq!(without("all"), [""; 0]);
    assert_eq!(without("50"), [""; 0]);
    assert_eq!(without("tcp"), ["protocol"]);
    assert_eq!(without("icmp"), ["protocol"]);
    assert_eq!(with("udp", "all"), [""; 0]);
    assert_eq!(with("all", "all"), [""; 0]);
    assert_eq!(with("all", "80"), ["ports"]);
    assert_eq!(with("tcp", "3/4"), ["ports"]);
    assert_eq!(with("icmp", "3/4"), [""; 0]);
    assert_eq!(with("icmp", "8"), [""; 0]);
    assert_eq!(with("icmp", "8080"), ["ports"]);
    assert_eq!(with("icmpv6", "80-90"), ["ports"]);
}
