//! Tests of the steps, the observation and the checks of `nat_gateway`.

use super::*;
use crate::ec2::testing::{found, tag, tags};

type Seen = Observed<NatGatewayInputs, NatGatewayOutputs>;

fn address(primary: bool) -> types::builders::NatGatewayAddressBuilder {
    types::NatGatewayAddress::builder().is_primary(primary).status(NatGatewayAddressStatus::Succeeded)
}

fn builder() -> types::builders::NatGatewayBuilder {
    types::NatGateway::builder()
        .nat_gateway_id("nat-1")
        .subnet_id("subnet-1")
        .state(NatGatewayState::Available)
        .nat_gateway_addresses(
            address(true)
                .allocation_id("eipalloc-1")
                .association_id("eipassoc-1")
                .public_ip("192.0.2.1")
                .private_ip("10.0.0.4")
                .network_interface_id("eni-1")
                .build(),
        )
        .tags(tag("Name", "main"))
}

fn try_observe(gateway: types::NatGateway) -> Option<Seen> {
    NatGateway::observe(&found(gateway), &RemoteId::new("nat-1"))
}

fn observe(gateway: types::NatGateway) -> Seen {
    try_observe(gateway).expect("it is listed")
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

/// Returns the step that makes the change.
fn step_for(observed: &Seen, change: impl FnOnce(&mut NatGatewayInputs)) -> Option<NatGatewayStep> {
    let mut desired = observed.inputs.clone();
    change(&mut desired);
    NatGateway::next_step(observed, Some(&desired))
}

#[test]
fn secondary_addresses_go_before_others_come() {
    let secondary = address(false).allocation_id("eipalloc-2").association_id("eipassoc-2").build();
    let observed = observe(builder().nat_gateway_addresses(secondary).build());
    assert_eq!(step_for(&observed, |_| ()), None);
    let disassociate =
        NatGatewayStep::DisassociateAddresses { association_ids: vec!["eipassoc-2".to_owned()] };
    assert_eq!(
        step_for(&observed, |gateway| gateway.secondary_allocation_ids = Some(set(["eipalloc-3"]))),
        Some(disassociate)
    );
    let associate = NatGatewayStep::AssociateAddresses { allocation_ids: vec!["eipalloc-3".to_owned()] };
    assert_eq!(
        step_for(&observed, |gateway| gateway.secondary_allocation_ids =
            Some(set(["eipalloc-2", "eipalloc-3"]))),
        Some(associate)
    );
    assert_eq!(step_for(&observed, |gateway| gateway.secondary_allocation_ids = None), None);
}

#[test]
fn private_addresses_are_assigned_and_unassigned() {
    let gateway = builder()
        .connectivity_type(ConnectivityType::Private)
        .nat_gateway_addresses(address(false).private_ip("10.0.0.5").build());
    let observed = observe(gateway.build());
    let addresses = |address: &str| vec![address.to_owned()];
    assert_eq!(step_for(&observed, |_| ()), None);
    assert_eq!(
        step_for(&observed, |gateway| gateway.secondary_private_ip_addresses = Some(set([]))),
        Some(NatGatewayStep::UnassignPrivateAddresses(addresses("10.0.0.5")))
    );
    assert_eq!(
        step_for(&observed, |gateway| gateway.secondary_private_ip_addresses =
            Some(set(["10.0.0.5", "10.0.0.6"]))),
        Some(NatGatewayStep::AssignPrivateAddresses(addresses("10.0.0.6")))
    );
}

#[test]
fn tags_are_set() {
    let name = tags([("Name", "new")]);
    let step = NatGatewayStep::Tag(TagStep::Set(name.0.clone()));
    assert_eq!(step_for(&observe(builder().build()), |gateway| gateway.tags = Some(name)), Some(step));
}

#[test]
fn a_failed_gateway_says_why_and_can_only_be_deleted() {
    let failed = observe(
        builder()
            .state(NatGatewayState::Failed)
            .failure_code("Gateway.NotAttached")
            .failure_message("Network vpc-1 has no Internet gateway attached")
            .build(),
    );
    let reason = "Gateway.NotAttached: Network vpc-1 has no Internet gateway attached";
    assert_eq!(failed.readiness, Readiness::Failed(reason.to_owned()));
    assert_eq!(
        step_for(&failed, |gateway| gateway.secondary_allocation_ids = Some(set(["eipalloc-3"]))),
        None
    );
    assert_eq!(NatGateway::next_step(&failed, None), Some(NatGatewayStep::Delete));
}

#[test]
fn a_deleted_gateway_is_gone() {
    let with = |state| try_observe(builder().state(state).build()).map(|observed| observed.readiness);
    assert_eq!(with(NatGatewayState::Deleted), None);
    assert_eq!(with(NatGatewayState::Deleting), Some(Readiness::Pending("deleting".to_owned())));
    assert_eq!(with(NatGatewayState::Pending), Some(Readiness::Pending("pending".to_owned())));
    assert_eq!(with(NatGatewayState::Available), Some(Readiness::Ready));
}

#[test]
fn added_addresses_are_waited_for() {
    let with = |status| {
        let secondary = address(false).allocation_id("eipalloc-2").failure_message("no room").status(status);
        observe(builder().nat_gateway_addresses(secondary.build()).build()).readiness
    };
    let pending = with(NatGatewayAddressStatus::Associating);
    assert_eq!(pending, Readiness::Pending("associating".to_owned()));
    assert_eq!(with(NatGatewayAddressStatus::Failed), Readiness::Failed("eipalloc-2: no room".to_owned()));
    assert_eq!(with(NatGatewayAddressStatus::Succeeded), Readiness::Ready);
}

#[test]
fn what_was_found_is_observed() {
    let Observed { inputs, outputs, .. } = observe(builder().build());
    assert_eq!(inputs.connectivity_type.as_deref(), Some("public"));
    assert_eq!(inputs.allocation_id.as_deref(), Some("eipalloc-1"));
    assert_eq!(inputs.private_ip.as_deref(), Some("10.0.0.4"));
    assert_eq!(outputs.arn, "arn:aws:ec2:us-east-1:111122223333:natgateway/nat-1");
    assert_eq!(outputs.public_ip.as_deref(), Some("192.0.2.1"));
    assert_eq!(outputs.association_id.as_deref(), Some("eipassoc-1"));
}

/// Checks at which attributes the problems are.
#[track_caller]
fn check_problems<const N: usize>(inputs: [(&str, Value); N], expected: &[&str]) {
    let inputs = inputs.map(|(name, value)| (name.to_owned(), value)).into();
    let problems: Vec<_> = NatGateway::check(&inputs).iter().map(|problem| problem.attribute).collect();
    assert_eq!(problems, expected);
}

#[test]
fn addresses_fit_the_connectivity_type() {
    let eip = || ("allocation_id", Value::from("eipalloc-1"));
    let private = || ("connectivity_type", Value::from("private"));
    let secondary = |name| (name, Value::from(vec!["x"]));
    check_problems([eip()], &[]);
    check_problems([], &["allocation_id"]);
    check_problems([private()], &[]);
    check_problems([private(), eip()], &["allocation_id"]);
    check_problems([private(), secondary("secondary_allocation_ids")], &["secondary_allocation_ids"]);
    check_problems([eip(), secondary("secondary_private_ip_addresses")], &["secondary_private_ip_addresses"]);
    check_problems([private(), secondary("secondary_private_ip_addresses")], &[]);
}
