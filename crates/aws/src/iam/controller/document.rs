//! The policy of the controller as a document.

use straddle_engine::value::{Value, ValueMap};

use super::version::Version;
use crate::iam::document::document as document_of;

/// What the controller may do, and with what. Ids and names may be unknown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scope {
    /// The version of the controller.
    pub(crate) version: Version,
    /// The partition of the ARNs, such as `aws-cn`.
    pub(crate) partition: String,
    /// The only VPC whose security groups it may change; every one if there is none.
    pub(crate) vpc_id: Option<Value>,
    /// The only cluster whose load balancers it may change; every one's if there is none.
    pub(crate) cluster: Option<Value>,
    /// Whether it may make and change security groups. Where each Ingress names its groups, and the
    /// rules of the nodes' group are not its business, it need not.
    pub(crate) manages_security_groups: bool,
}

/// The tag that everything has which the controller makes; its value is the cluster's name.
pub(super) const CLUSTER_TAG: &str = "elbv2.k8s.aws/cluster";

/// Actions, each with the version that was the first to need it.
type Actions = &'static [(Version, &'static str)];

const ALWAYS: Version = Version::new(2, 5);

const LOOKS_OF_EC2: Actions = &[
    (ALWAYS, "ec2:DescribeAccountAttributes"),
    (ALWAYS, "ec2:DescribeAddresses"),
    (ALWAYS, "ec2:DescribeAvailabilityZones"),
    (ALWAYS, "ec2:DescribeCoipPools"),
    (ALWAYS, "ec2:DescribeInstances"),
    (ALWAYS, "ec2:DescribeInternetGateways"),
    (ALWAYS, "ec2:DescribeNetworkInterfaces"),
    (ALWAYS, "ec2:DescribeSecurityGroups"),
    (ALWAYS, "ec2:DescribeSubnets"),
    (ALWAYS, "ec2:DescribeTags"),
    (ALWAYS, "ec2:DescribeVpcPeeringConnections"),
    (ALWAYS, "ec2:DescribeVpcs"),
    (ALWAYS, "ec2:GetCoipPoolUsage"),
    (Version::new(2, 10), "ec2:GetSecurityGroupsForVpc"),
    (Version::new(2, 12), "ec2:DescribeIpamPools"),
    (Version::new(2, 13), "ec2:DescribeRouteTables"),
];

const LOOKS_OF_LOAD_BALANCING: Actions = &[
    (ALWAYS, "elasticloadbalancing:DescribeListenerCertificates"),
    (ALWAYS, "elasticloadbalancing:DescribeListeners"),
    (ALWAYS, "elasticloadbalancing:DescribeLoadBalancerAttributes"),
    (ALWAYS, "elasticloadbalancing:DescribeLoadBalancers"),
    (ALWAYS, "elasticloadbalancing:DescribeRules"),
    (ALWAYS, "elasticloadbalancing:DescribeSSLPolicies"),
    (ALWAYS, "elasticloadbalancing:DescribeTags"),
    (ALWAYS, "elasticloadbalancing:DescribeTargetGroupAttributes"),
    (ALWAYS, "elasticloadbalancing:DescribeTargetGroups"),
    (ALWAYS, "elasticloadbalancing:DescribeTargetHealth"),
    (Version::new(2, 7), "elasticloadbalancing:DescribeTrustStores"),
    (Version::new(2, 9), "elasticloadbalancing:DescribeListenerAttributes"),
    (Version::new(2, 11), "elasticloadbalancing:DescribeCapacityReservation"),
];

/// What certificates, firewalls and sign-in of an Ingress need.
const COMPANIONS: Actions = &[
    (ALWAYS, "acm:DescribeCertificate"),
    (ALWAYS, "acm:ListCertificates"),
    (ALWAYS, "cognito-idp:DescribeUserPoolClient"),
    (ALWAYS, "iam:GetServerCertificate"),
    (ALWAYS, "iam:ListServerCertificates"),
    (ALWAYS, "shield:CreateProtection"),
    (ALWAYS, "shield:DeleteProtection"),
    (ALWAYS, "shield:DescribeProtection"),
    (ALWAYS, "shield:GetSubscriptionState"),
    (ALWAYS, "waf-regional:AssociateWebACL"),
    (ALWAYS, "waf-regional:DisassociateWebACL"),
    (ALWAYS, "waf-regional:GetWebACL"),
    (ALWAYS, "waf-regional:GetWebACLForResource"),
    (ALWAYS, "wafv2:AssociateWebACL"),
    (ALWAYS, "wafv2:DisassociateWebACL"),
    (ALWAYS, "wafv2:GetWebACL"),
    (ALWAYS, "wafv2:GetWebACLForResource"),
];

/// What the ARN of a listener or a rule lets nobody tell by tags at the time of the call.
const LISTENERS: Actions = &[
    (ALWAYS, "elasticloadbalancing:AddListenerCertificates"),
    (ALWAYS, "elasticloadbalancing:CreateListener"),
    (ALWAYS, "elasticloadbalancing:CreateRule"),
    (ALWAYS, "elasticloadbalancing:DeleteListener"),
    (ALWAYS, "elasticloadbalancing:DeleteRule"),
    (ALWAYS, "elasticloadbalancing:ModifyListener"),
    (ALWAYS, "elasticloadbalancing:ModifyRule"),
    (ALWAYS, "elasticloadbalancing:RemoveListenerCertificates"),
    (ALWAYS, "elasticloadbalancing:SetWebAcl"),
    (Version::new(2, 12), "elasticloadbalancing:SetRulePriorities"),
];

const BALANCERS: Actions = &[
    (ALWAYS, "elasticloadbalancing:DeleteLoadBalancer"),
    (ALWAYS, "elasticloadbalancing:DeleteTargetGroup"),
    (ALWAYS, "elasticloadbalancing:ModifyLoadBalancerAttributes"),
    (ALWAYS, "elasticloadbalancing:ModifyTargetGroup"),
    (ALWAYS, "elasticloadbalancing:ModifyTargetGroupAttributes"),
    (ALWAYS, "elasticloadbalancing:SetIpAddressType"),
    (ALWAYS, "elasticloadbalancing:SetSecurityGroups"),
    (ALWAYS, "elasticloadbalancing:SetSubnets"),
    (Version::new(2, 9), "elasticloadbalancing:ModifyListenerAttributes"),
    (Version::new(2, 11), "elasticloadbalancing:ModifyCapacityReservation"),
    (Version::new(2, 12), "elasticloadbalancing:ModifyIpPools"),
];

const BIRTHS: Actions = &[
    (ALWAYS, "elasticloadbalancing:CreateLoadBalancer"),
    (ALWAYS, "elasticloadbalancing:CreateTargetGroup"),
];

const TAGS: Actions =
    &[(ALWAYS, "elasticloadbalancing:AddTags"), (ALWAYS, "elasticloadbalancing:RemoveTags")];

const TARGETS: Actions =
    &[(ALWAYS, "elasticloadbalancing:DeregisterTargets"), (ALWAYS, "elasticloadbalancing:RegisterTargets")];

const GROUP_RULES: Actions =
    &[(ALWAYS, "ec2:AuthorizeSecurityGroupIngress"), (ALWAYS, "ec2:RevokeSecurityGroupIngress")];

/// Everything that a controller which is left its security groups does; what it needs at every turn,
/// whatever its Ingresses say, and nothing of certificates and firewalls.
const NEEDED: [Actions; 7] =
    [LOOKS_OF_EC2, LOOKS_OF_LOAD_BALANCING, LISTENERS, BALANCERS, BIRTHS, TAGS, TARGETS];

/// Returns the actions without which this version fails on an Ingress that names its subnets and groups.
pub(super) fn needed(version: Version) -> impl Iterator<Item = &'static str> {
    NEEDED.into_iter().flatten().filter(move |(since, _)| *since <= version).map(|(_, action)| *action)
}

/// Returns the policy. It never says more than the version needs.
pub(crate) fn document(scope: &Scope) -> Value {
    let mut statements = vec![linked_role(scope), looks(scope), companions(scope)];
    if scope.manages_security_groups {
        statements.extend(security_groups(scope));
    }
    statements.extend(load_balancing(scope));
    document_of(statements)
}

fn linked_role(scope: &Scope) -> Value {
    let service = [("iam:AWSServiceName", "elasticloadbalancing.amazonaws.com")];
    let role = format!(
        "arn:{}:iam::*:role/aws-service-role/elasticloadbalancing.amazonaws.com/\
         AWSServiceRoleForElasticLoadBalancing",
        scope.partition
    );
    let statement = Statement::new("LinkedRole", &["iam:CreateServiceLinkedRole"]).on([role]);
    statement.when("StringEquals", service).build()
}

fn looks(scope: &Scope) -> Value {
    let actions = [actions(LOOKS_OF_EC2, scope), actions(LOOKS_OF_LOAD_BALANCING, scope)].concat();
    Statement::new("Look", &actions).build()
}

fn companions(scope: &Scope) -> Value {
    Statement::new("Companions", &actions(COMPANIONS, scope)).build()
}

fn security_groups(scope: &Scope) -> [Value; 5] {
    let groups = scope.arn("ec2", "security-group/*");
    let rules = actions(GROUP_RULES, scope);
    let with_deletion = [rules.clone(), vec!["ec2:DeleteSecurityGroup"]].concat();
    let vpc = scope.vpc().unwrap_or_else(|| Value::from(scope.arn("ec2", "vpc/*")));
    let born = Statement::new("TagNewGroups", &["ec2:CreateTags"]).on([groups.clone()]);
    [
        Statement::new("NodeRules", &rules).on([groups.clone()]).within(scope).build(),
        Statement::new("NewGroups", &["ec2:CreateSecurityGroup"])
            .on([Value::from(groups.clone()), vpc])
            .build(),
        born.when("StringEquals", [("ec2:CreateAction", "CreateSecurityGroup")])
            .tagged_by_call(scope)
            .build(),
        Statement::new("TagOwnGroups", &["ec2:CreateTags", "ec2:DeleteTags"])
            .on([groups.clone()])
            .within(scope)
            .keeping_the_tag(scope)
            .build(),
        Statement::new("OwnGroups", &with_deletion).on([groups]).within(scope).tagged(scope).build(),
    ]
}

fn load_balancing(scope: &Scope) -> [Value; 7] {
    let arn = |path: &str| scope.arn("elasticloadbalancing", path);
    let things = [arn("targetgroup/*/*"), arn("loadbalancer/net/*/*"), arn("loadbalancer/app/*/*")];
    let parts =
        ["listener/net/*/*/*", "listener/app/*/*/*", "listener-rule/net/*/*/*", "listener-rule/app/*/*/*"];
    let born = Statement::new("TagAtBirth", &["elasticloadbalancing:AddTags"]).on(things.clone());
    let births = [("elasticloadbalancing:CreateAction", ["CreateTargetGroup", "CreateLoadBalancer"])];
    [
        Statement::new("Births", &actions(BIRTHS, scope)).tagged_by_call(scope).build(),
        Statement::new("Listeners", &actions(LISTENERS, scope)).build(),
        Statement::new("TagOwn", &actions(TAGS, scope)).on(things).keeping_the_tag(scope).build(),
        Statement::new("TagListeners", &actions(TAGS, scope)).on(parts.map(arn)).build(),
        born.when("StringEquals", births.map(|(key, values)| (key, values.to_vec())))
            .tagged_by_call(scope)
            .build(),
        Statement::new("Own", &actions(BALANCERS, scope)).tagged(scope).build(),
        Statement::new("Targets", &actions(TARGETS, scope)).on([arn("targetgroup/*/*")]).build(),
    ]
}

impl Scope {
    fn arn(&self, service: &str, path: &str) -> String {
        format!("arn:{}:{service}:*:*:{path}", self.partition)
    }

    /// Returns the ARN of the only VPC, if there is one.
    fn vpc(&self) -> Option<Value> {
        self.vpc_id.as_ref().map(|vpc_id| match vpc_id.first_unknown() {
            Some(unknown) => unknown.derived(),
            None => Value::from(self.arn("ec2", &format!("vpc/{}", vpc_id.as_str().unwrap_or_default()))),
        })
    }
}

fn actions(actions: Actions, scope: &Scope) -> Vec<&'static str> {
    actions.iter().filter(|(since, _)| *since <= scope.version).map(|(_, action)| *action).collect()
}

/// A statement that allows something.
struct Statement {
    elements: ValueMap,
    conditions: ValueMap,
}

impl Statement {
    /// Allows these actions with everything.
    fn new(sid: &str, actions: &[&str]) -> Self {
        let elements = [
            ("Sid", Value::from(sid)),
            ("Effect", Value::from("Allow")),
            ("Action", Value::from(actions.to_vec())),
            ("Resource", Value::from("*")),
        ];
        let elements = elements.map(|(name, value)| (name.to_owned(), value));
        Self { elements: elements.into(), conditions: ValueMap::new() }
    }

    /// Allows them with these things only.
    fn on<const N: usize, V: Into<Value>>(mut self, arns: [V; N]) -> Self {
        let arns = arns.into_iter().map(Into::into);
        self.elements.insert("Resource".to_owned(), Value::List(arns.collect()));
        self
    }

    /// Allows them only where this holds of these keys.
    fn when<V: Into<Value>>(
        mut self,
        operator: &str,
        keys: impl IntoIterator<Item = (impl AsRef<str>, V)>,
    ) -> Self {
        let condition =
            self.conditions.entry(operator.to_owned()).or_insert_with(|| Value::Map(ValueMap::new()));
        if let Value::Map(condition) = condition {
            condition.extend(keys.into_iter().map(|(key, value)| (key.as_ref().to_owned(), value.into())));
        }
        self
    }

    /// Only with what has the controller's tag already.
    fn tagged(self, scope: &Scope) -> Self {
        self.marked(scope, "aws:ResourceTag")
    }

    /// Only if the call sets the controller's tag.
    fn tagged_by_call(self, scope: &Scope) -> Self {
        self.marked(scope, "aws:RequestTag")
    }

    /// Only with what has the controller's tag, which the call leaves alone.
    fn keeping_the_tag(self, scope: &Scope) -> Self {
        self.when("Null", [(format!("aws:RequestTag/{CLUSTER_TAG}"), "true")]).tagged(scope)
    }

    fn marked(self, scope: &Scope, key: &str) -> Self {
        let key = format!("{key}/{CLUSTER_TAG}");
        match &scope.cluster {
            Some(cluster) => self.when("StringEquals", [(key, cluster.clone())]),
            None => self.when("Null", [(key, "false")]),
        }
    }

    /// Only with what is in the VPC, if there is only one.
    fn within(self, scope: &Scope) -> Self {
        match scope.vpc() {
            Some(vpc) => self.when("ArnLike", [("ec2:Vpc", vpc)]),
            None => self,
        }
    }

    fn build(mut self) -> Value {
        if !self.conditions.is_empty() {
            self.elements.insert("Condition".to_owned(), Value::Map(self.conditions));
        }
        Value::Map(self.elements)
    }
}

#[cfg(test)]
mod tests {
    use straddle_engine::policy::Policy;

    use super::*;

    fn text(scope: &Scope) -> String {
        Policy::from(document(scope)).to_text().expect("every part is known")
    }

    fn scope(minor: u64) -> Scope {
        Scope {
            version: Version::new(2, minor),
            partition: "aws".to_owned(),
            vpc_id: None,
            cluster: None,
            manages_security_groups: true,
        }
    }

    #[test]
    fn every_version_fits_into_a_policy() {
        let newest = Scope { version: Version::new(3, 5), partition: "aws-us-gov".to_owned(), ..scope(0) };
        // IAM counts no white space (IAM user guide, "IAM and AWS STS quotas").
        let length = text(&newest).chars().filter(|character| !character.is_whitespace()).count();
        assert!(length <= 6144, "{length}");
    }

    #[test]
    fn an_action_comes_with_the_version_that_needs_it() {
        let has = |minor: u64, action: &str| text(&scope(minor)).contains(&format!("\"{action}\""));
        for (action, since) in [
            ("elasticloadbalancing:DescribeListenerAttributes", 9),
            ("ec2:GetSecurityGroupsForVpc", 10),
            ("elasticloadbalancing:ModifyCapacityReservation", 11),
            ("ec2:DescribeIpamPools", 12),
            ("ec2:DescribeRouteTables", 13),
        ] {
            assert!(!has(since - 1, action) && has(since, action), "{action}");
        }
    }

    #[test]
    fn every_arn_is_in_the_partition() {
        let text = text(&Scope { partition: "aws-cn".to_owned(), ..scope(13) });
        assert!(!text.contains("arn:aws:"), "{text}");
        assert!(text.contains("arn:aws-cn:elasticloadbalancing:*:*:targetgroup/*/*"), "{text}");
    }

    #[test]
    fn the_hardened_form_is_limited_to_the_vpc_and_the_cluster() {
        let vpc_id = Some(Value::from("vpc-1"));
        let hardened = text(&Scope { vpc_id, cluster: Some(Value::from("test")), ..scope(13) });
        assert!(hardened.contains(r#""ArnLike":{"ec2:Vpc":"arn:aws:ec2:*:*:vpc/vpc-1"}"#), "{hardened}");
        assert!(hardened.contains(r#""StringEquals":{"aws:ResourceTag/elbv2.k8s.aws/cluster":"test"}"#));
        assert!(
            !hardened.contains("vpc/*")
                && !hardened.contains(r#""aws:ResourceTag/elbv2.k8s.aws/cluster":"false""#)
        );
    }

    #[test]
    fn a_controller_that_is_left_its_groups_may_not_touch_any() {
        let text = text(&Scope { manages_security_groups: false, ..scope(13) });
        for action in
            ["AuthorizeSecurityGroupIngress", "CreateSecurityGroup", "DeleteSecurityGroup", "ec2:CreateTags"]
        {
            assert!(!text.contains(action), "{action}: {text}");
        }
    }
}
