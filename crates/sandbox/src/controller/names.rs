//! The names that the controller gives: a part that people can read, and ten digits of a hash.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::group::GroupId;

/// What the name of a target group follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TargetGroupName<'a> {
    pub(super) cluster: &'a str,
    pub(super) group: &'a GroupId,
    /// The namespace and name of the Ingress.
    pub(super) ingress: (&'a str, &'a str),
    pub(super) service: &'a str,
    pub(super) service_uid: &'a str,
    /// As it is written in the Ingress.
    pub(super) service_port: &'a str,
    /// The number or name of the port of the pods.
    pub(super) target_port: &'a str,
    pub(super) target_type: &'a str,
    pub(super) protocol: &'a str,
    pub(super) protocol_version: &'a str,
}

/// Returns the name of a group's load balancer.
pub(crate) fn balancer(cluster: &str, group: &GroupId, scheme: &str) -> String {
    format!("{}-{}", readable(group), hash(&[cluster, &group.to_string(), scheme]))
}

/// Returns the name of the group of a load balancer, if the controller makes one.
pub(super) fn front_group(cluster: &str, group: &GroupId) -> String {
    format!("{}-{}", readable(group), hash(&[cluster, &group.to_string()]))
}

/// Returns the name of the group that all load balancers of a cluster have towards its nodes.
pub(super) fn back_group(cluster: &str) -> String {
    format!("k8s-traffic-{}-{}", cut(cluster, 232), hash(&[cluster]))
}

impl TargetGroupName<'_> {
    /// Returns the name.
    pub(super) fn text(&self) -> String {
        let (namespace, ingress) = self.ingress;
        let hash = hash(&[
            self.cluster,
            &self.group.to_string(),
            namespace,
            ingress,
            self.service_uid,
            self.service_port,
            self.target_port,
            self.target_type,
            self.protocol,
            self.protocol_version,
        ]);
        format!("k8s-{}-{}-{hash}", cut(namespace, 8), cut(self.service, 8))
    }
}

fn readable(group: &GroupId) -> String {
    match group {
        GroupId::Ingress { namespace, name } => format!("k8s-{}-{}", cut(namespace, 8), cut(name, 8)),
        GroupId::Named(name) => format!("k8s-{}", cut(name, 17)),
    }
}

/// Returns the first letters and digits of a text.
fn cut(text: &str, most: usize) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(most).collect()
}

fn hash(parts: &[&str]) -> String {
    HEXLOWER.encode(&Sha256::digest(parts.concat()))[..10].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Names that the real controller gave.
    const RECORDED: &str = include_str!("../../recordings/controller/names.json");

    #[test]
    fn names_are_as_recorded() {
        let recorded: Value = serde_json::from_str(RECORDED).expect("it is JSON");
        let examples = recorded["examples"].as_array().expect("there are examples");
        assert!(examples.len() > 20);
        for example in examples {
            let inputs = &example["inputs"];
            let input = |name: &str| inputs[name].as_str().unwrap_or_default();
            let group = GroupId::of_text(input("group"));
            let target_port = inputs["targetPort"].to_string();
            let name = match example["kind"].as_str() {
                Some("load balancer") => balancer(input("cluster"), &group, input("scheme")),
                Some("front-end security group") => front_group(input("cluster"), &group),
                Some("shared back-end security group") => back_group(input("cluster")),
                Some("target group") => TargetGroupName {
                    cluster: input("cluster"),
                    group: &group,
                    ingress: (input("ingressNamespace"), input("ingress")),
                    service: input("service"),
                    service_uid: input("serviceUid"),
                    service_port: input("servicePort"),
                    target_port: &target_port,
                    target_type: input("targetType"),
                    protocol: input("protocol"),
                    protocol_version: input("protocolVersion"),
                }
                .text(),
                other => panic!("{other:?} is no kind of names"),
            };
            assert_eq!(Some(name.as_str()), example["name"].as_str());
        }
    }
}
