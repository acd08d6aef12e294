//! What EC2 answers about endpoints is read, and the next call named.

use aws_sdk_ec2::types::DnsEntry;

use super::*;
use crate::ec2::testing::{found, tag, tags};

fn endpoint() -> types::builders::VpcEndpointBuilder {
    types::VpcEndpoint::builder()
        .vpc_endpoint_id("vpce-1")
        .service_name("com.amazonaws.us-east-1.s3")
        .vpc_id("vpc-1")
        .owner_id("111122223333")
        .vpc_endpoint_type(VpcEndpointType::Gateway)
        .state(State::Available)
        .route_table_ids("rtb-1")
        .set_policy_document(full_access().to_text())
        .tags(tag("Name", "s3"))
}

fn observe(endpoint: types::VpcEndpoint) -> Option<Observed<VpcEndpointInputs, VpcEndpointOutputs>> {
    VpcEndpoint::observe(&found(endpoint), &RemoteId::new("vpce-1"))
}

fn observed() -> Observed<VpcEndpointInputs, VpcEndpointOutputs> {
    observe(endpoint().build()).expect("it is listed")
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn changes(desired: &VpcEndpointInputs) -> Changes {
    match VpcEndpoint::next_step(&observed(), Some(desired)) {
        Some(VpcEndpointStep::Modify(changes)) => *changes,
        other => panic!("the step is {other:?}"),
    }
}

fn readiness(state: &str) -> Option<Readiness> {
    endpoint_readiness(&endpoint().state(State::from(state)).build())
}

#[test]
fn states_are_read_in_any_case() {
    assert_eq!(readiness("available"), Some(Readiness::Ready));
    assert_eq!(readiness("Available"), Some(Readiness::Ready));
    assert_eq!(readiness("PendingAcceptance"), Some(Readiness::Ready));
    assert_eq!(readiness("pending"), Some(Readiness::Pending("pending".to_owned())));
    assert_eq!(readiness("Deleting"), Some(Readiness::Pending("deleting".to_owned())));
    assert_eq!(readiness("deleted"), None);
    assert_eq!(readiness("Rejected"), Some(Readiness::Failed("rejected".to_owned())));
}

#[test]
fn a_failed_endpoint_says_why() {
    let error = types::LastError::builder().code("X").message("no such zone").build();
    let failed = endpoint().state(State::Failed).last_error(error).build();
    assert_eq!(endpoint_readiness(&failed), Some(Readiness::Failed("failed: no such zone".to_owned())));
    let failed = endpoint().state(State::Failed).failure_reason("no room").build();
    assert_eq!(endpoint_readiness(&failed), Some(Readiness::Failed("failed: no room".to_owned())));
}

#[test]
fn what_was_found_is_observed() {
    let entry = DnsEntry::builder().dns_name("vpce-1.s3.us-east-1.vpce.amazonaws.com").build();
    let observed = observe(endpoint().dns_entries(entry).build()).expect("it is listed");
    assert_eq!(observed.inputs.route_table_ids, Some(set(&["rtb-1"])));
    assert_eq!(observed.inputs.policy, Some(full_access()));
    assert_eq!(observed.outputs.arn, "arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/vpce-1");
    assert_eq!(observed.outputs.dns_names.map(|names| names.len()), Some(1));
}

#[test]
fn lists_are_changed_by_their_difference() {
    assert_eq!(VpcEndpoint::next_step(&observed(), Some(&observed().inputs)), None);
    let desired = VpcEndpointInputs { route_table_ids: Some(set(&["rtb-2"])), ..observed().inputs };
    let tables = changes(&desired).route_tables;
    assert_eq!((tables.added, tables.removed), (vec!["rtb-2".to_owned()], vec!["rtb-1".to_owned()]));
    let open = VpcEndpointInputs { route_table_ids: None, policy: None, ..observed().inputs };
    assert_eq!(VpcEndpoint::next_step(&observed(), Some(&open)), None);
}

#[test]
fn policies_are_compared_by_what_they_mean() {
    let text = r#"{ "Statement": {"Resource":["*"], "Action": "*","Principal":{"AWS": "*"},"Effect":"Allow"},
        "Version":"2008-10-17" }"#;
    let other = observe(endpoint().policy_document(text).build()).expect("it is listed");
    assert_eq!(VpcEndpoint::next_step(&other, Some(&observed().inputs)), None);
    let narrow = Policy::from_text(r#"{"Version": "2012-10-17"}"#);
    let desired = VpcEndpointInputs { policy: Some(narrow.clone()), ..observed().inputs };
    assert_eq!(changes(&desired).policy, Some(narrow));
}

#[test]
fn the_rest_is_set_after_the_lists() {
    let desired = VpcEndpointInputs { private_dns_enabled: Some(true), ..observed().inputs };
    assert_eq!(changes(&desired).private_dns_enabled, Some(true));
    let desired = VpcEndpointInputs { tags: Some(tags([("Name", "new")])), ..observed().inputs };
    let step = VpcEndpointStep::Tag(TagStep::Set(tags([("Name", "new")]).0));
    assert_eq!(VpcEndpoint::next_step(&observed(), Some(&desired)), Some(step));
    assert_eq!(VpcEndpoint::next_step(&observed(), None), Some(VpcEndpointStep::Delete));
}

#[test]
fn attributes_fit_the_type() {
    let check = |inputs: &[(&str, Value)]| {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        VpcEndpoint::check(&inputs).into_iter().map(|problem| problem.attribute).collect::<Vec<_>>()
    };
    let list = || Value::from(vec!["x"]);
    let interface = || ("endpoint_type", Value::from("Interface"));
    assert_eq!(check(&[("route_table_ids", list())]), [""; 0]);
    assert_eq!(check(&[("subnet_ids", list())]), ["subnet_ids"]);
    assert_eq!(check(&[interface(), ("subnet_ids", list())]), [""; 0]);
    assert_eq!(check(&[interface(), ("route_table_ids", list())]), ["route_table_ids"]);
}
