//! Tests of the steps, the observation and the checks of `vpc`.

use straddle_engine::resource::Readiness;

use super::*;
use crate::ec2::testing::{found, tag, tags};

fn listing(state: VpcState) -> Vpcs {
    let vpc = types::Vpc::builder()
        .vpc_id("vpc-1")
        .cidr_block("10.0.0.0/16")
        .instance_tenancy(Tenancy::Default)
        .owner_id("111122223333")
        .dhcp_options_id("dopt-1")
        .state(state)
        .tags(tag("Name", "main"))
        .build();
    let dns = DnsAttributes { support: Some(true), hostnames: Some(false), usage_metrics: Some(false) };
    Vpcs { found: found(vpc), attributes: BTreeMap::from([("vpc-1".to_owned(), dns)]) }
}

fn observed() -> Observed<VpcInputs, VpcOutputs> {
    Vpc::observe(&listing(VpcState::Available), &RemoteId::new("vpc-1")).expect("it is listed")
}

/// Returns the step that makes the change.
fn step_for(change: impl FnOnce(&mut VpcInputs)) -> Option<VpcStep> {
    let observed = observed();
    let mut desired = observed.inputs.clone();
    change(&mut desired);
    Vpc::next_step(&observed, Some(&desired))
}

#[test]
fn each_attribute_changes_by_its_own_step() {
    assert_eq!(step_for(|_| ()), None);
    assert_eq!(step_for(|vpc| vpc.enable_dns_support = Some(false)), Some(VpcStep::SetDnsSupport(false)));
    assert_eq!(step_for(|vpc| vpc.enable_dns_hostnames = Some(true)), Some(VpcStep::SetDnsHostnames(true)));
    assert_eq!(
        step_for(|vpc| vpc.enable_network_address_usage_metrics = Some(true)),
        Some(VpcStep::SetUsageMetrics(true))
    );
    let name = tags([("Name", "new")]);
    let step = VpcStep::Tag(TagStep::Set(name.0.clone()));
    assert_eq!(step_for(|vpc| vpc.tags = Some(name)), Some(step));
}

#[test]
fn what_the_spec_leaves_open_stays() {
    assert_eq!(
        step_for(|vpc| *vpc = VpcInputs { cidr_block: vpc.cidr_block.clone(), ..VpcInputs::default() }),
        None
    );
}

#[test]
fn dedicated_tenancy_ends_in_place_and_begins_with_another_vpc() {
    let mut found = observed();
    let desired = found.inputs.clone();
    found.inputs.instance_tenancy = Some("dedicated".to_owned());
    assert_eq!(Vpc::next_step(&found, Some(&desired)), Some(VpcStep::EndDedicatedTenancy));
    let (dedicated, default) = (Value::from("dedicated"), Value::from("default"));
    assert!(!Vpc::must_replace("instance_tenancy", &dedicated, &default));
    assert!(Vpc::must_replace("instance_tenancy", &default, &dedicated));
    assert!(Vpc::must_replace("cidr_block", &Value::from("10.0.0.0/16"), &Value::from("10.1.0.0/16")));
}

#[test]
fn host_names_come_after_support_and_go_before_it() {
    let mut found = observed();
    found.inputs.enable_dns_support = Some(false);
    let both = VpcInputs {
        enable_dns_support: Some(true),
        enable_dns_hostnames: Some(true),
        ..VpcInputs::default()
    };
    assert_eq!(Vpc::next_step(&found, Some(&both)), Some(VpcStep::SetDnsSupport(true)));
    let none = VpcInputs {
        enable_dns_support: Some(false),
        enable_dns_hostnames: Some(false),
        ..VpcInputs::default()
    };
    found.inputs = both;
    assert_eq!(Vpc::next_step(&found, Some(&none)), Some(VpcStep::SetDnsHostnames(false)));
}

#[test]
fn deletion_is_one_call() {
    assert_eq!(Vpc::next_step(&observed(), None), Some(VpcStep::Delete));
}

#[test]
fn a_vpc_is_pending_until_it_is_available() {
    let id = RemoteId::new("vpc-1");
    assert_eq!(observed().readiness, Readiness::Ready);
    let pending = Vpc::observe(&listing(VpcState::Pending), &id).expect("it is listed");
    assert_eq!(pending.readiness, Readiness::Pending("pending".to_owned()));
    assert_eq!(Vpc::observe(&listing(VpcState::Available), &RemoteId::new("vpc-2")), None);
}

#[test]
fn what_was_found_is_observed() {
    let Observed { inputs, outputs, .. } = observed();
    assert_eq!(inputs.cidr_block.as_deref(), Some("10.0.0.0/16"));
    assert_eq!(inputs.tags, Some(tags([("Name", "main")])));
    assert_eq!(outputs.arn, "arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1");
    assert_eq!(outputs.dhcp_options_id.as_deref(), Some("dopt-1"));
}

/// Checks at which attributes the problems are.
#[track_caller]
fn check_problems<const N: usize>(inputs: [(&str, Value); N], expected: &[&str]) {
    let inputs = inputs.map(|(name, value)| (name.to_owned(), value)).into();
    let problems: Vec<_> = Vpc::check(&inputs).iter().map(|problem| problem.attribute).collect();
    assert_eq!(problems, expected);
}

#[test]
fn a_range_is_given_once() {
    let range = || ("cidr_block", Value::from("10.0.0.0/16"));
    let pool = || ("ipv4_ipam_pool_id", Value::from("ipam-pool-1"));
    let length = || ("ipv4_netmask_length", Value::from(20));
    check_problems([range()], &[]);
    check_problems([pool(), length()], &[]);
    check_problems([pool()], &["cidr_block"]);
    check_problems([], &["cidr_block"]);
    check_problems([range(), pool(), length()], &["cidr_block"]);
    check_problems([("cidr_block", Value::from("10.0.0.0/8"))], &["cidr_block"]);
}

#[test]
fn host_names_need_support() {
    let inputs = |support: bool| {
        [
            ("cidr_block", Value::from("10.0.0.0/16")),
            ("enable_dns_hostnames", Value::from(true)),
            ("enable_dns_support", Value::from(support)),
        ]
    };
    check_problems(inputs(true), &[]);
    check_problems(inputs(false), &["enable_dns_hostnames"]);
}
