//! Tests of what is told of network interfaces.

use aws_sdk_ec2::types::{NetworkInterface, NetworkInterfaceAttachment, NetworkInterfaceStatus};
use straddle_engine::diagnosis::held_by;

use super::interface;

fn told(description: &str) -> String {
    let interface = NetworkInterface::builder()
        .network_interface_id("eni-1")
        .owner_id("444455556666")
        .status(NetworkInterfaceStatus::InUse)
        .description(description)
        .build();
    held_by(&[interface::blocker(&interface)]).expect("there is one")
}

#[test]
fn what_a_service_made_is_told_by_its_description() {
    let known = [
        ("ELB app/k8s-web/50dc6c49", "application load balancer k8s-web"),
        ("ELB net/web/50dc6c49", "network load balancer web"),
        ("ELB old", "classic load balancer old"),
        ("Interface for NAT Gateway nat-1", "NAT gateway nat-1"),
        ("VPC Endpoint Interface vpce-1", "VPC endpoint vpce-1"),
        ("Amazon EKS main", "EKS cluster main"),
        ("aws-K8S-i-1", "node i-1"),
        ("AWS Lambda VPC ENI-hello-1", "Lambda function hello-1"),
    ];
    for (description, user) in known {
        let expected = format!("network interface eni-1 of account 444455556666 <- {user}");
        assert_eq!(told(description), expected);
    }
    assert_eq!(told("by hand"), "network interface eni-1 of account 444455556666 (by hand)");
}

#[test]
fn an_instance_is_told_by_the_attachment() {
    let attachment = NetworkInterfaceAttachment::builder().instance_id("i-1").build();
    let interface = NetworkInterface::builder().network_interface_id("eni-1").attachment(attachment).build();
    let blocker = interface::blocker(&interface);
    assert_eq!(held_by(&[blocker]).as_deref(), Some("network interface eni-1 <- instance i-1"));
}

#[test]
fn one_that_its_node_left_behind_can_be_deleted() {
    let left = NetworkInterface::builder()
        .network_interface_id("eni-1")
        .status(NetworkInterfaceStatus::Available)
        .description("aws-K8S-i-1");
    let blocker = interface::blocker(&left.clone().build());
    assert_eq!(
        held_by(&[blocker]).as_deref(),
        Some("network interface eni-1 (attached to nothing) <- node i-1")
    );
    let blocker = interface::blocker(&left.description("").build());
    assert!(blocker.advice.is_some_and(|advice| advice.contains("attached to nothing")));
}

#[test]
fn the_name_of_a_load_balancer_leads_to_who_made_it() {
    let of = |description: &str| {
        let interface = NetworkInterface::builder().description(description).build();
        interface::load_balancer(&interface).map(str::to_owned)
    };
    assert_eq!(of("ELB app/k8s-web/50dc6c49").as_deref(), Some("k8s-web"));
    assert_eq!(of("ELB old"), None);
}
