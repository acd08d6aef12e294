//! What stands behind a network interface, told by its description and attachment.
//!
//! The descriptions are those that the services write: "Requester-managed network interfaces" (EC2
//! user guide) and what each service documents of its own.

use aws_sdk_ec2::types::{NetworkInterface, NetworkInterfaceStatus};
use straddle_engine::diagnosis::{Blocker, Link};

/// A sort of user that is known by how the description of its interfaces begins.
struct Sort {
    /// How the description begins; what follows names the user.
    prefix: &'static str,
    /// What the user is.
    what: &'static str,
    advice: &'static str,
}

const LOAD_BALANCER: &str = "Delete the load balancer, or what made it: a controller makes it again.";
const NODES: &str = "Delete the node group first; an interface that is left without its node can be deleted by hand \
                     in the account that has it.";

const SORTS: [Sort; 9] = [
    Sort { prefix: "ELB app/", what: "application load balancer", advice: LOAD_BALANCER },
    Sort { prefix: "ELB net/", what: "network load balancer", advice: LOAD_BALANCER },
    Sort { prefix: "ELB gwy/", what: "gateway load balancer", advice: LOAD_BALANCER },
    Sort { prefix: "ELB ", what: "classic load balancer", advice: LOAD_BALANCER },
    Sort { prefix: "Interface for NAT Gateway ", what: "NAT gateway", advice: "Delete the NAT gateway." },
    Sort {
        prefix: "VPC Endpoint Interface ",
        what: "VPC endpoint",
        advice: "Delete the endpoint; one that GuardDuty manages goes when its runtime monitoring is switched off.",
    },
    Sort {
        prefix: "Amazon EKS ",
        what: "EKS cluster",
        advice: "Delete the cluster in the account that has it.",
    },
    Sort { prefix: "aws-K8S-", what: "node", advice: NODES },
    Sort {
        prefix: "AWS Lambda VPC ENI-",
        what: "Lambda function",
        advice: "Take the function out of the VPC; its interface goes up to 40 minutes later.",
    },
];

/// Returns the chain that begins at an interface.
pub(super) fn blocker(interface: &NetworkInterface) -> Blocker {
    let id = interface.network_interface_id().unwrap_or("?");
    let description = interface.description().unwrap_or_default();
    let is_left = interface.status() == Some(&NetworkInterfaceStatus::Available);
    let itself = Link::new("network interface", id).of(interface.owner_id());
    let (user, advice) = match user(interface) {
        Some((user, advice)) => (Some(user), advice),
        None if is_left => (None, "It is attached to nothing. Delete it in the account that has it."),
        None => (None, "Delete what it belongs to."),
    };
    let note = if user.is_none() { Some(description) } else { is_left.then_some("attached to nothing") };
    let chain = std::iter::once(itself.noted(note)).chain(user).collect();
    Blocker { chain, advice: Some(advice.to_owned()) }
}

/// Returns what an interface belongs to, and what to do about that.
fn user(interface: &NetworkInterface) -> Option<(Link, &'static str)> {
    let description = interface.description().unwrap_or_default();
    let known = SORTS.iter().find_map(|sort| {
        let rest = description.strip_prefix(sort.prefix).filter(|rest| !rest.is_empty())?;
        // Load balancers and clusters are known by their names: `NAME/ID`, `NAME`.
        let name = rest.split(['/', ' ']).next().unwrap_or(rest);
        Some((Link::new(sort.what, name), sort.advice))
    });
    known.or_else(|| {
        let instance = interface.attachment()?.instance_id()?;
        Some((Link::new("instance", instance), "Terminate the instance."))
    })
}

/// Returns the name of the load balancer of the second version that an interface belongs to.
pub(super) fn load_balancer(interface: &NetworkInterface) -> Option<&str> {
    let description = interface.description()?;
    let rest = ["ELB app/", "ELB net/"].into_iter().find_map(|prefix| description.strip_prefix(prefix))?;
    rest.split('/').next()
}
