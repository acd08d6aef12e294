//! `security_group_rule`: one thing that a security group allows.

mod check;

use std::time::Duration;

use aws_sdk_ec2::types::{
    self, IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, SecurityGroupRuleRequest,
    SecurityGroupRuleUpdate, UserIdGroupPair,
};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, STACK_TAG, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::named::GROUP;
use super::rule::{self, ALL, EGRESS, SELF};
use super::security_group::{SecurityGroups, read_rules};
use super::tags::TagStep;
use super::{SERVICE, filters, tags};
use crate::client::Client;
use crate::error::{answered, failed};

/// The kind.
pub(crate) struct SecurityGroupRule;

/// One thing that a security group allows. Written as a table in `ingress` or `egress` of its
/// group, or, for a group that the stack does not make, as a block of its own.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SecurityGroupRuleInputs {
    /// The group.
    #[attribute(replace, refers_to = "security_group")]
    security_group_id: String,
    /// Whether traffic is let in or out.
    #[attribute(replace, one_of = ["ingress", "egress"])]
    direction: String,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `all`, or a protocol's number.
    #[attribute(normalize = rule::normalize_protocol)]
    protocol: String,
    /// A port such as `80`, a range such as `8000-8080`, or `all`; for ICMP a type such as `8`, a
    /// type and code such as `3/4`, or `all`. Other protocols have none.
    #[attribute(default = "all", always, normalize = rule::normalize_ports)]
    ports: Option<String>,
    /// The other side: a range of IPv4 or IPv6 addresses. In place it becomes another range of
    /// the same sort.
    #[attribute(replace, normalize = rule::normalize_cidr)]
    cidr: Option<String>,
    /// The other side: a prefix list, such as `pl-0123`.
    #[attribute(replace)]
    prefix_list_id: Option<String>,
    /// The other side: what is in another security group, or `self` for the group itself.
    #[attribute(replace, refers_to = "security_group", owner = "source_account")]
    source: Option<String>,
    /// The account of `source`, if it is another one.
    #[attribute(replace)]
    source_account: Option<String>,
    /// What the rule is for: up to 255 of letters, digits, spaces and `._-:/()#,@[]+=&;{}!$*`.
    #[attribute(default = "", normalize = rule::normalize_description)]
    description: Option<String>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EC2 says about a rule.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SecurityGroupRuleOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns the group.
    group_owner_id: Option<String>,
}

/// A change of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SecurityGroupRuleStep {
    /// Says everything about the rule anew.
    Modify(Box<SecurityGroupRuleInputs>),
    Tag(TagStep),
    RevokeIngress {
        group_id: String,
    },
    RevokeEgress {
        group_id: String,
    },
}

impl Step for SecurityGroupRuleStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Modify(_) => "ModifySecurityGroupRules",
            Self::Tag(step) => step.operation(),
            Self::RevokeIngress { .. } => "RevokeSecurityGroupIngress",
            Self::RevokeEgress { .. } => "RevokeSecurityGroupEgress",
        }
    }
}

impl Resource for SecurityGroupRule {
    const KIND: &'static str = "security_group_rule";
    const ID_FORM: &'static str = "sgr-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        arrows: &[Arrow::new(Relation::Admission, End::Named("source"), End::Named("security_group_id"))
            .labelled(&["protocol", "ports"])],
        within: &["security_group_id"],
        ..Depiction::PART
    };
    const EXAMPLE: &'static str = include_str!("security_group_rule/example.toml");
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:security-group-rule/{id}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeSecurityGroupRules"]),
        Need::create(&["ec2:AuthorizeSecurityGroupEgress"])
            .on(&["{arn}", GROUP])
            .only_if("direction", "egress"),
        Need::create(&["ec2:AuthorizeSecurityGroupIngress"])
            .on(&["{arn}", GROUP])
            .only_if("direction", "ingress"),
        tags::given_at_birth(&[("ec2:CreateAction", "AuthorizeSecurityGroupEgress")])
            .only_if("direction", "egress"),
        tags::given_at_birth(&[("ec2:CreateAction", "AuthorizeSecurityGroupIngress")])
            .only_if("direction", "ingress"),
        Need::update(&["ec2:ModifySecurityGroupRules"]).on(&["{arn}", GROUP]).changing(&[
            "protocol",
            "ports",
            "cidr",
            "prefix_list_id",
            "source",
            "description",
        ]),
        tags::CHANGED,
        Need::delete(&["ec2:RevokeSecurityGroupEgress"]).on(&["{arn}", GROUP]).only_if("direction", "egress"),
        Need::delete(&["ec2:RevokeSecurityGroupIngress"])
            .on(&["{arn}", GROUP])
            .only_if("direction", "ingress"),
    ];
    const EXCLUSIVE: &'static [&'static str] =
        &["security_group_id", "direction", "protocol", "ports", "cidr", "prefix_list_id", "source"];

    type Inputs = SecurityGroupRuleInputs;
    type Outputs = SecurityGroupRuleOutputs;
    type Client = Client;
    type Listing = SecurityGroups;
    type Step = SecurityGroupRuleStep;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        check::problems(inputs)
    }

    /// `ModifySecurityGroupRules` changes a range into another of the same sort, and a prefix list
    /// into another, and never one into the other. A range that is not known yet may be of either.
    fn must_replace(attribute: &str, before: &Value, after: &Value) -> bool {
        match (attribute, before.as_str(), after.as_str()) {
            ("cidr", Some(before), Some(after)) => before.contains(':') != after.contains(':'),
            ("prefix_list_id", Some(_), _) => false,
            _ => true,
        }
    }

    fn observe(
        listing: &SecurityGroups,
        id: &RemoteId,
    ) -> Option<Observed<SecurityGroupRuleInputs, SecurityGroupRuleOutputs>> {
        let rule = listing.rule(id.as_str())?;
        Some(Observed {
            inputs: inputs_of(rule),
            outputs: SecurityGroupRuleOutputs {
                arn: listing.place().ec2_arn(rule.group_owner_id(), "security-group-rule", id.as_str()),
                group_owner_id: rule.group_owner_id().map(str::to_owned),
            },
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &SecurityGroupRuleInputs,
    ) -> Result<RemoteId, ProviderError> {
        let (writes, group) = (&client.ec2.writes, &inputs.security_group_id);
        let tags = tags::at_birth(ResourceType::SecurityGroupRule, intent, inputs.tags.as_ref());
        let permission = permission(inputs);
        if inputs.direction == EGRESS {
            let operation = "AuthorizeSecurityGroupEgress";
            let call = writes.authorize_security_group_egress().group_id(group).ip_permissions(permission);
            let answer = call.tag_specifications(tags).send().await.map_err(failed(operation))?;
            return made(operation, answer.security_group_rules());
        }
        let operation = "AuthorizeSecurityGroupIngress";
        let call = writes.authorize_security_group_ingress().group_id(group).ip_permissions(permission);
        let answer = call.tag_specifications(tags).send().await.map_err(failed(operation))?;
        made(operation, answer.security_group_rules())
    }

    fn next_step(
        observed: &Observed<SecurityGroupRuleInputs, SecurityGroupRuleOutputs>,
        desired: Option<&SecurityGroupRuleInputs>,
    ) -> Option<SecurityGroupRuleStep> {
        let found = &observed.inputs;
        let Some(desired) = desired else {
            let group_id = found.security_group_id.clone();
            return Some(if found.direction == EGRESS {
                SecurityGroupRuleStep::RevokeEgress { group_id }
            } else {
                SecurityGroupRuleStep::RevokeIngress { group_id }
            });
        };
        modified(found, desired).map(|inputs| SecurityGroupRuleStep::Modify(Box::new(inputs))).or_else(|| {
            tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(SecurityGroupRuleStep::Tag)
        })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &SecurityGroupRuleStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, rule, operation) = (&client.ec2.writes, id.as_str(), step.operation());
        match step {
            SecurityGroupRuleStep::Modify(inputs) => {
                let update = SecurityGroupRuleUpdate::builder().security_group_rule_id(rule);
                let update = update.security_group_rule(request(inputs)).build();
                let call = writes.modify_security_group_rules().group_id(&inputs.security_group_id);
                call.security_group_rules(update).send().await.map_err(failed(operation))?;
            }
            SecurityGroupRuleStep::Tag(step) => step.perform(client, id).await?,
            SecurityGroupRuleStep::RevokeIngress { group_id } => {
                let call = writes.revoke_security_group_ingress().group_id(group_id);
                call.security_group_rule_ids(rule).send().await.map_err(failed(operation))?;
            }
            SecurityGroupRuleStep::RevokeEgress { group_id } => {
                let call = writes.revoke_security_group_egress().group_id(group_id);
                call.security_group_rule_ids(rule).send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    /// A group has each rule once. The rule that this operation made is ours; without it, one that
    /// allows the same, unless another stack has it: it gets our tags as a next step.
    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &SecurityGroupRuleInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let of_group = filters::equals("group-id", &inputs.security_group_id);
        let rules = read_rules(client, Some(vec![of_group])).await?;
        Ok(matching(&rules, intent, inputs))
    }
}

fn made(operation: &'static str, rules: &[types::SecurityGroupRule]) -> Result<RemoteId, ProviderError> {
    let id = rules.first().and_then(types::SecurityGroupRule::security_group_rule_id);
    answered(operation, id).map(RemoteId::new)
}

fn matching(
    rules: &[types::SecurityGroupRule],
    intent: &Intent,
    inputs: &SecurityGroupRuleInputs,
) -> Vec<RemoteId> {
    let id = |rule: &types::SecurityGroupRule| rule.security_group_rule_id().map(RemoteId::new);
    let made: Vec<_> = rules.iter().filter(|rule| tags::are_of(intent, rule.tags())).filter_map(id).collect();
    if !made.is_empty() {
        return made;
    }
    let stack = inputs.tags.as_ref().and_then(|tags| tags.0.get(STACK_TAG));
    let of_another_stack = |rule: &types::SecurityGroupRule| {
        let mut tags = rule.tags().iter();
        tags.any(|tag| tag.key() == Some(STACK_TAG) && tag.value() != stack.map(String::as_str))
    };
    let same = |rule: &&types::SecurityGroupRule| {
        let found = inputs_of(rule);
        found.direction == inputs.direction && allows_the_same(&found, inputs) && !of_another_stack(rule)
    };
    rules.iter().filter(same).filter_map(id).collect()
}

fn inputs_of(rule: &types::SecurityGroupRule) -> SecurityGroupRuleInputs {
    SecurityGroupRuleInputs {
        security_group_id: rule.group_id().unwrap_or_default().to_owned(),
        direction: rule::direction(rule).to_owned(),
        protocol: rule::protocol(rule),
        ports: Some(rule::ports(rule)),
        cidr: rule::cidr(rule),
        prefix_list_id: rule.prefix_list_id().map(str::to_owned),
        source: rule::source(rule),
        source_account: rule::source_account(rule),
        description: Some(rule.description().unwrap_or_default().to_owned()),
        tags: Some(tags::observed(rule.tags())),
    }
}

/// Tells whether two rules of a group and direction are the same to EC2, which looks neither at
/// descriptions nor at tags.
fn allows_the_same(one: &SecurityGroupRuleInputs, other: &SecurityGroupRuleInputs) -> bool {
    let what = |inputs: &SecurityGroupRuleInputs| {
        let SecurityGroupRuleInputs { protocol, cidr, prefix_list_id, source, .. } = inputs.clone();
        (protocol, ports(inputs).to_owned(), cidr, prefix_list_id, source)
    };
    what(one) == what(other)
}

fn ports(inputs: &SecurityGroupRuleInputs) -> &str {
    inputs.ports.as_deref().unwrap_or(ALL)
}

/// Returns the whole rule as it is to be, if it is to be another; what the spec leaves open stays.
fn modified(
    found: &SecurityGroupRuleInputs,
    desired: &SecurityGroupRuleInputs,
) -> Option<SecurityGroupRuleInputs> {
    let other_text = desired.description.is_some() && desired.description != found.description;
    let modified = SecurityGroupRuleInputs {
        description: desired.description.clone().or_else(|| found.description.clone()),
        tags: None,
        ..desired.clone()
    };
    (other_text || !allows_the_same(found, desired)).then_some(modified)
}

/// Returns the rule as it is made.
fn permission(inputs: &SecurityGroupRuleInputs) -> IpPermission {
    let (from, to) = rule::ports_to_sdk(&inputs.protocol, ports(inputs));
    let description = inputs.description.clone().filter(|text| !text.is_empty());
    let permission = IpPermission::builder().ip_protocol(rule::protocol_to_sdk(&inputs.protocol));
    let mut permission = permission.set_from_port(from).set_to_port(to);
    if let Some(cidr) = &inputs.cidr {
        permission = if cidr.contains(':') {
            let range = Ipv6Range::builder().cidr_ipv6(cidr).set_description(description.clone());
            permission.ipv6_ranges(range.build())
        } else {
            let range = IpRange::builder().cidr_ip(cidr).set_description(description.clone());
            permission.ip_ranges(range.build())
        };
    }
    if let Some(list) = &inputs.prefix_list_id {
        let list = PrefixListId::builder().prefix_list_id(list).set_description(description.clone());
        permission = permission.prefix_list_ids(list.build());
    }
    if let Some(group) = source_id(inputs) {
        let pair = UserIdGroupPair::builder().group_id(group).set_description(description);
        permission = permission.user_id_group_pairs(pair.set_user_id(inputs.source_account.clone()).build());
    }
    permission.build()
}

/// Returns the rule as it is changed. A description is always said: one that is left out would stay
/// or go, and no text says which.
fn request(inputs: &SecurityGroupRuleInputs) -> SecurityGroupRuleRequest {
    let (from, to) = rule::ports_to_sdk(&inputs.protocol, ports(inputs));
    let (ipv6, ipv4): (Option<_>, Option<_>) = match inputs.cidr.clone() {
        Some(cidr) if cidr.contains(':') => (Some(cidr), None),
        cidr => (None, cidr),
    };
    SecurityGroupRuleRequest::builder()
        .ip_protocol(rule::protocol_to_sdk(&inputs.protocol))
        .set_from_port(from)
        .set_to_port(to)
        .set_cidr_ipv4(ipv4)
        .set_cidr_ipv6(ipv6)
        .set_prefix_list_id(inputs.prefix_list_id.clone())
        .set_referenced_group_id(source_id(inputs).map(str::to_owned))
        .description(inputs.description.as_deref().unwrap_or_default())
        .build()
}

/// Returns the id of the group on the other side.
fn source_id(inputs: &SecurityGroupRuleInputs) -> Option<&str> {
    let source = inputs.source.as_deref()?;
    Some(if source == SELF { &inputs.security_group_id } else { source })
}

#[cfg(test)]
mod tests;
