//! Tests of the steps, the observation, the search and the checks of `subnet`.

use straddle_engine::address::Address;
use straddle_engine::value::Value;

use super::*;
use crate::ec2::testing::{found, tag, tags};

fn builder() -> types::builders::SubnetBuilder {
    let names = types::PrivateDnsNameOptionsOnLaunch::builder().hostname_type(HostnameType::IpName).build();
    types::Subnet::builder()
        .subnet_id("subnet-1")
        .vpc_id("vpc-1")
        .cidr_block("10.0.0.0/20")
        .availability_zone_id("use1-az1")
        .availability_zone("us-east-1a")
        .owner_id("111122223333")
        .state(SubnetState::Available)
        .private_dns_name_options_on_launch(names)
        .tags(tag("Name", "main"))
}

fn observe(subnet: types::Subnet) -> Observed<SubnetInputs, SubnetOutputs> {
    Subnet::observe(&found(subnet), &RemoteId::new("subnet-1")).expect("it is listed")
}

fn ipv6_association(state: SubnetCidrBlockStateCode) -> types::SubnetIpv6CidrBlockAssociation {
    types::SubnetIpv6CidrBlockAssociation::builder()
        .association_id("subnet-cidr-assoc-1")
        .ipv6_cidr_block("2001:db8::/64")
        .ipv6_cidr_block_state(types::SubnetCidrBlockState::builder().state(state).build())
        .build()
}

/// Returns the step that makes the change.
fn step_for(change: impl FnOnce(&mut SubnetInputs)) -> Option<SubnetStep> {
    let observed = observe(builder().build());
    let mut desired = observed.inputs.clone();
    change(&mut desired);
    Subnet::next_step(&observed, Some(&desired))
}

#[test]
fn each_attribute_changes_by_its_own_step() {
    let on = |switch| Some(SubnetStep::Set(switch, true));
    assert_eq!(step_for(|_| ()), None);
    assert_eq!(step_for(|subnet| subnet.map_public_ip_on_launch = Some(true)), on(Switch::MapPublicIp));
    assert_eq!(
        step_for(|subnet| subnet.assign_ipv6_address_on_creation = Some(true)),
        on(Switch::AssignIpv6)
    );
    assert_eq!(step_for(|subnet| subnet.enable_dns64 = Some(true)), on(Switch::Dns64));
    assert_eq!(
        step_for(|subnet| subnet.enable_resource_name_dns_a_record_on_launch = Some(true)),
        on(Switch::ARecord)
    );
    assert_eq!(
        step_for(|subnet| subnet.enable_resource_name_dns_aaaa_record_on_launch = Some(true)),
        on(Switch::AaaaRecord)
    );
    assert_eq!(
        step_for(|subnet| subnet.private_dns_hostname_type_on_launch = Some("resource-name".to_owned())),
        Some(SubnetStep::SetHostnameType("resource-name".to_owned()))
    );
    assert_eq!(
        step_for(|subnet| subnet.ipv6_cidr_block = Some("2001:db8::/64".to_owned())),
        Some(SubnetStep::AssociateIpv6Range("2001:db8::/64".to_owned()))
    );
    let name = tags([("Name", "new")]);
    let step = SubnetStep::Tag(TagStep::Set(name.0.clone()));
    assert_eq!(step_for(|subnet| subnet.tags = Some(name)), Some(step));
}

#[test]
fn what_the_spec_leaves_open_stays() {
    let open = |subnet: &mut SubnetInputs| {
        let SubnetInputs { vpc_id, cidr_block, .. } = subnet.clone();
        *subnet = SubnetInputs { vpc_id, cidr_block, ..SubnetInputs::default() };
    };
    assert_eq!(step_for(open), None);
}

#[test]
fn an_ipv6_range_goes_before_the_next_one_comes() {
    let range = ipv6_association(SubnetCidrBlockStateCode::Associated);
    let mut observed = observe(
        builder().ipv6_cidr_block_association_set(range).assign_ipv6_address_on_creation(true).build(),
    );
    let mut desired = observed.inputs.clone();
    assert_eq!(Subnet::next_step(&observed, Some(&desired)), None);
    desired.ipv6_cidr_block = Some("2001:db8:1::/64".to_owned());
    let assign_off = SubnetStep::Set(Switch::AssignIpv6, false);
    assert_eq!(Subnet::next_step(&observed, Some(&desired)), Some(assign_off));
    observed.inputs.assign_ipv6_address_on_creation = Some(false);
    let disassociate = SubnetStep::DisassociateIpv6Range { association_id: "subnet-cidr-assoc-1".to_owned() };
    assert_eq!(Subnet::next_step(&observed, Some(&desired)), Some(disassociate));
}

#[test]
fn an_ipv6_range_is_waited_for() {
    let observe = |state| observe(builder().ipv6_cidr_block_association_set(ipv6_association(state)).build());
    let associating = observe(SubnetCidrBlockStateCode::Associating);
    assert_eq!(associating.readiness, Readiness::Pending("associating".to_owned()));
    assert_eq!(associating.inputs.ipv6_cidr_block.as_deref(), Some("2001:db8::/64"));
    let gone = observe(SubnetCidrBlockStateCode::Disassociated);
    assert_eq!((gone.readiness, gone.inputs.ipv6_cidr_block), (Readiness::Ready, None));
}

#[test]
fn deletion_is_one_call() {
    assert_eq!(Subnet::next_step(&observe(builder().build()), None), Some(SubnetStep::Delete));
}

#[test]
fn states_are_observed() {
    let readiness = |state: &str| observe(builder().state(SubnetState::from(state)).build()).readiness;
    assert_eq!(readiness("available"), Readiness::Ready);
    assert_eq!(readiness("pending"), Readiness::Pending("pending".to_owned()));
    assert_eq!(
        readiness("failed-insufficient-capacity"),
        Readiness::Failed("failed-insufficient-capacity".to_owned())
    );
}

#[test]
fn what_was_found_is_observed() {
    let Observed { inputs, outputs, .. } = observe(builder().subnet_arn("arn:x").build());
    assert_eq!(inputs.availability_zone_id.as_deref(), Some("use1-az1"));
    assert_eq!(inputs.availability_zone.as_deref(), Some("us-east-1a"));
    assert_eq!(inputs.enable_dns64, Some(false));
    assert_eq!(outputs.arn, "arn:x");
    assert_eq!(outputs.availability_zone.as_deref(), Some("us-east-1a"));
}

#[test]
fn a_zone_is_named_by_its_id_or_by_its_name() {
    let inputs = |id: Option<&str>, name: Option<&str>| SubnetInputs {
        availability_zone_id: id.map(str::to_owned),
        availability_zone: name.map(str::to_owned),
        ..SubnetInputs::default()
    };
    assert_eq!(zone_name(&inputs(None, Some("us-east-1a"))).as_deref(), Some("us-east-1a"));
    assert_eq!(zone_name(&inputs(Some("use1-az1"), Some("us-east-1a"))), None);
}

#[test]
fn only_a_subnet_with_our_tags_is_adopted() {
    let intent = Intent {
        address: Address::new("subnet", "main"),
        operation_id: "op-1".to_owned(),
        token: "token".to_owned(),
    };
    let owned = tags([(STACK_TAG, "lineage"), (ADDRESS_TAG, "subnet.main")]);
    let inputs = SubnetInputs { tags: Some(owned), ..SubnetInputs::default() };
    let is_ours = |found: &[types::Tag]| is_ours(found, &intent, &inputs);
    assert!(is_ours(&[tag("straddle:op", "op-1")]));
    assert!(is_ours(&[tag(STACK_TAG, "lineage"), tag(ADDRESS_TAG, "subnet.main")]));
    assert!(!is_ours(&[tag(STACK_TAG, "lineage"), tag(ADDRESS_TAG, "subnet.other")]));
    assert!(!is_ours(&[tag("straddle:op", "op-2")]));
    assert!(!is_ours(&[]));
}

/// Checks at which attributes the problems are.
#[track_caller]
fn check_problems<const N: usize>(inputs: [(&str, Value); N], expected: &[&str]) {
    let inputs = inputs.map(|(name, value)| (name.to_owned(), value)).into();
    let problems: Vec<_> = Subnet::check(&inputs).iter().map(|problem| problem.attribute).collect();
    assert_eq!(problems, expected);
}

#[test]
fn sizes_and_ipv6_are_checked() {
    check_problems([("cidr_block", Value::from("10.0.0.0/28"))], &[]);
    check_problems([("cidr_block", Value::from("10.0.0.0/29"))], &["cidr_block"]);
    let assign = || ("assign_ipv6_address_on_creation", Value::from(true));
    check_problems([assign()], &["assign_ipv6_address_on_creation"]);
    let range = Value::unknown(Address::new("vpc", "main"), "ipv6_cidr_block");
    check_problems([assign(), ("ipv6_cidr_block", range)], &[]);
}
