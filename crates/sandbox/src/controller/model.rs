//! What a group of Ingresses is to have in AWS: a stack of things, by what their tags call them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::group::GroupId;
use super::settings::Settings;

/// Tags, or attributes.
pub(super) type Texts = BTreeMap<String, String>;

/// What a group is to have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stack {
    pub(super) id: GroupId,
    /// The group that the controller makes for the load balancer.
    pub(super) front_group: Option<FrontGroup>,
    /// By the names that their tags have.
    pub(super) target_groups: BTreeMap<String, TargetGroup>,
    pub(super) balancer: Option<Balancer>,
    /// By port.
    pub(super) listeners: BTreeMap<u16, Listener>,
}

/// A security group in front of a load balancer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FrontGroup {
    pub(super) name: String,
    pub(super) tags: Texts,
    /// What may come in, as EC2 has it (`IpPermissions`).
    pub(super) ingress: Vec<Value>,
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Balancer {
    pub(super) name: String,
    pub(super) scheme: String,
    pub(super) ip_address_type: String,
    pub(super) subnets: Vec<String>,
    /// The groups that exist. The one that the controller makes for it comes before them.
    pub(super) groups: Vec<String>,
    /// Those that are said.
    pub(super) attributes: Texts,
    pub(super) tags: Texts,
}

/// A target group, and what ties it to a Service.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TargetGroup {
    pub(super) name: String,
    pub(super) target_type: String,
    pub(super) protocol: String,
    pub(super) protocol_version: String,
    pub(super) port: String,
    /// As parameters of `CreateTargetGroup`.
    pub(super) health_check: Value,
    pub(super) attributes: Texts,
    pub(super) tags: Texts,
    pub(super) binding: Binding,
}

/// What ties a target group to a Service: an object in the cluster.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Binding {
    pub(super) namespace: String,
    pub(super) service: String,
    /// A number or a name.
    pub(super) port: Value,
    /// Who is to be let through to the pods; null leaves that to others.
    pub(super) networking: Value,
    pub(super) ip_address_type: String,
}

/// A listener.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listener {
    pub(super) protocol: String,
    pub(super) certificates: Vec<String>,
    pub(super) ssl_policy: Option<String>,
    pub(super) default_actions: Vec<Action>,
    /// In the order in which they are asked.
    pub(super) rules: Vec<Rule>,
    pub(super) attributes: Texts,
    pub(super) tags: Texts,
}

/// A rule; its place in the list is its priority.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) conditions: Vec<Value>,
    pub(super) actions: Vec<Action>,
    pub(super) tags: Texts,
}

/// What becomes of requests.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// They are sent on.
    Forward(Forward),
    /// As parameters have it, but for the order.
    Plain(Value),
}

/// Where requests are sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Forward {
    pub(super) to: Vec<(Target, Option<i64>)>,
    /// `TargetGroupStickinessConfig`, or null.
    pub(super) stickiness: Value,
}

/// A target group that requests are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Of the stack, by its name there.
    Own(String),
    /// Of somebody else, by its ARN.
    Other(String),
}

impl Action {
    /// Returns the action that answers by itself.
    pub(super) fn fixed(status: &str, body: Option<&str>) -> Self {
        let mut config = json!({ "ContentType": "text/plain", "StatusCode": status });
        if let Some(body) = body {
            config["MessageBody"] = json!(body);
        }
        Self::Plain(json!({ "Type": "fixed-response", "FixedResponseConfig": config }))
    }
}

/// Returns the tags by which the things of a stack are found again.
pub(super) fn stack_tags(settings: &Settings, id: &GroupId) -> Texts {
    let tags = [
        ("elbv2.k8s.aws/cluster".to_owned(), settings.cluster.clone()),
        (STACK_TAG.to_owned(), id.to_string()),
    ];
    tags.into()
}

/// The tag that tells a thing's stack.
pub(super) const STACK_TAG: &str = "ingress.k8s.aws/stack";
/// The tag that tells what a thing is in its stack.
pub(super) const RESOURCE_TAG: &str = "ingress.k8s.aws/resource";

/// Returns tags in the form that ELB and EC2 have them in.
pub(super) fn tag_list(tags: &Texts) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}
