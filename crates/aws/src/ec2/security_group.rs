//! `security_group`: who may talk to whom. Its rules are resources of their own.

mod listing;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::types::{self, ResourceType};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    ADDRESS_TAG, Intent, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, STACK_TAG, Step,
    Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Expansion, ExpansionShape, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::check::problem;
use super::named::VPC;
use super::rule::{self, EGRESS, INGRESS};
use super::tags::TagStep;
use super::{SERVICE, filters, tags};
use crate::blockers::INTERFACES_READ;
use crate::client::Client;
use crate::error::{answered, failed};

pub(crate) use listing::{SecurityGroups, read_rules};

/// The kind.
pub(crate) struct SecurityGroup;

/// Who may talk to whom: what is in the group takes and sends only the traffic that a rule allows.
/// AWS gives a new group a rule that lets everything out; it is taken away at once, so that the
/// spec has every rule there is.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SecurityGroupInputs {
    /// The name: up to 255 of letters, digits, spaces and `._-:/()#,@[]+=&;{}!$*`, not beginning
    /// with `sg-`. A VPC has each name once.
    #[attribute(replace, normalize = normalize_name)]
    name: String,
    /// What the group is for: 1 to 255 characters of the same alphabet. AWS wants one and never
    /// changes it, which is why there is no default.
    #[attribute(replace, normalize = normalize_group_description)]
    description: String,
    /// The VPC.
    #[attribute(replace, refers_to = "vpc")]
    vpc_id: String,
    /// The rules that no stack made: what AWS or a person has added. They are shown as drift and
    /// revoked. `ignore_changes = ["foreign_rules"]` leaves them alone.
    #[attribute(default = Vec::<Value>::new(), always)]
    foreign_rules: Option<BTreeSet<String>>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EC2 says about a security group.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SecurityGroupOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns the group.
    owner_id: Option<String>,
}

/// A change of a security group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SecurityGroupStep {
    RevokeIngress { rule_id: String },
    RevokeEgress { rule_id: String },
    Tag(TagStep),
    Delete,
}

impl Step for SecurityGroupStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::RevokeIngress { .. } => "RevokeSecurityGroupIngress",
            Self::RevokeEgress { .. } => "RevokeSecurityGroupEgress",
            Self::Tag(step) => step.operation(),
            Self::Delete => "DeleteSecurityGroup",
        }
    }
}

impl Resource for SecurityGroup {
    const KIND: &'static str = "security_group";
    const ID_FORM: &'static str = "sg-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        // Interfaces of deleted load balancers hold on to a group for minutes.
        timeouts: Timeouts { delete: Duration::from_mins(15), ..Timeouts::minutes(5) },
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction { theme: Theme::Network, within: &["vpc_id"], ..Depiction::THING };
    const EXAMPLE: &'static str = include_str!("security_group/example.toml");
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:security-group/{id}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules"]),
        // The VPC may be another account's.
        Need::create(&["ec2:CreateSecurityGroup"]).on(&["{arn}", VPC]),
        tags::given_at_birth(&[("ec2:CreateAction", "CreateSecurityGroup")]),
        // EC2 lets everything out of a new group.
        Need::create(&["ec2:RevokeSecurityGroupEgress"]).on(&["{arn}"]),
        Need::update(&["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"])
            .on(&["{arn}"])
            .changing(&["foreign_rules"]),
        tags::CHANGED,
        Need::delete(&["ec2:DeleteSecurityGroup"]).on(&["{arn}"]),
        // Groups that name each other cannot go, one after the other.
        Need::delete(&["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"])
            .on(&["{arn}"])
            .to_repair(),
        INTERFACES_READ,
    ];
    const EXCLUSIVE: &'static [&'static str] = &["name", "vpc_id"];

    type Inputs = SecurityGroupInputs;
    type Outputs = SecurityGroupOutputs;
    type Client = Client;
    type Listing = SecurityGroups;
    type Step = SecurityGroupStep;

    fn expansions() -> Vec<Expansion> {
        let rules = |attribute, documentation, constants| Expansion {
            attribute,
            documentation,
            child_kind: "security_group_rule",
            role: attribute,
            parent_attribute: "security_group_id",
            shape: ExpansionShape::Tables { name: "description", constants },
        };
        vec![
            rules(INGRESS, "The traffic that is let in.", &[("direction", INGRESS)]),
            rules(EGRESS, "The traffic that is let out.", &[("direction", EGRESS)]),
        ]
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let written =
            inputs.get("foreign_rules").and_then(Value::as_list).is_some_and(|list| !list.is_empty());
        let refused = || {
            problem(
                "foreign_rules",
                "Rules that nobody's spec has cannot be wanted.",
                "Write rules into `ingress` and `egress`; to leave those of others alone, write \
                 `ignore_changes = [\"foreign_rules\"]`.",
            )
        };
        written.then(refused).into_iter().collect()
    }

    fn observe(
        listing: &SecurityGroups,
        id: &RemoteId,
    ) -> Option<Observed<SecurityGroupInputs, SecurityGroupOutputs>> {
        let id = id.as_str();
        let group = listing.group(id)?;
        let foreign = listing.rules_of(id).filter(|rule| listing.is_foreign(rule));
        let allows = !group.ip_permissions().is_empty() || !group.ip_permissions_egress().is_empty();
        // The rule that a group is born with must not be missed.
        let readiness = if allows && listing.rules_of(id).next().is_none() {
            Readiness::Pending("its rules are not listed yet".to_owned())
        } else {
            Readiness::Ready
        };
        Some(Observed {
            inputs: SecurityGroupInputs {
                name: group.group_name().unwrap_or_default().to_owned(),
                description: group.description().unwrap_or_default().to_owned(),
                vpc_id: group.vpc_id().unwrap_or_default().to_owned(),
                foreign_rules: Some(foreign.map(rule::describe).collect()),
                tags: Some(tags::observed(group.tags())),
            },
            outputs: SecurityGroupOutputs {
                arn: listing.place().ec2_arn(group.owner_id(), "security-group", id),
                owner_id: group.owner_id().map(str::to_owned),
            },
            readiness,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &SecurityGroupInputs,
    ) -> Result<RemoteId, ProviderError> {
        let tags = tags::at_birth(ResourceType::SecurityGroup, intent, inputs.tags.as_ref());
        let call = client.ec2.writes.create_security_group().group_name(&inputs.name);
        let call = call.description(&inputs.description).vpc_id(&inputs.vpc_id).tag_specifications(tags);
        let answer = call.send().await.map_err(failed("CreateSecurityGroup"))?;
        answered("CreateSecurityGroup", answer.group_id()).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<SecurityGroupInputs, SecurityGroupOutputs>,
        desired: Option<&SecurityGroupInputs>,
    ) -> Option<SecurityGroupStep> {
        let foreign = observed.inputs.foreign_rules.iter().flatten();
        let Some(desired) = desired else {
            // Groups that name each other cannot go, one after the other.
            let mut naming = foreign.filter(|text| rule::is_about_a_group(text));
            return Some(naming.find_map(|text| revoke(text)).unwrap_or(SecurityGroupStep::Delete));
        };
        // What is left alone is wanted as it was found.
        let wants_none = desired.foreign_rules.as_ref().is_some_and(BTreeSet::is_empty);
        foreign.filter(|_| wants_none).find_map(|text| revoke(text)).or_else(|| {
            tags::next_step(observed.inputs.tags.as_ref(), desired.tags.as_ref()).map(SecurityGroupStep::Tag)
        })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &SecurityGroupStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, group, operation) = (&client.ec2.writes, id.as_str(), step.operation());
        match step {
            SecurityGroupStep::RevokeIngress { rule_id } => {
                let call = writes.revoke_security_group_ingress().group_id(group);
                call.security_group_rule_ids(rule_id).send().await.map_err(failed(operation))?;
            }
            SecurityGroupStep::RevokeEgress { rule_id } => {
                let call = writes.revoke_security_group_egress().group_id(group);
                call.security_group_rule_ids(rule_id).send().await.map_err(failed(operation))?;
            }
            SecurityGroupStep::Tag(step) => step.perform(client, id).await?,
            SecurityGroupStep::Delete => {
                let call = writes.delete_security_group().group_id(group);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    /// A VPC has each name once. A group of this name is ours if this operation made it, or an
    /// earlier one for the same address of the stack; any other is somebody else's.
    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &SecurityGroupInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let call = client.ec2.reads.describe_security_groups();
        let call = call.filters(filters::equals("vpc-id", &inputs.vpc_id));
        let call = call.filters(filters::equals("group-name", &inputs.name));
        let answer = call.send().await.map_err(failed("DescribeSecurityGroups"))?;
        let ours = answer.security_groups().iter().filter(|group| is_ours(group, intent, inputs));
        Ok(ours.filter_map(types::SecurityGroup::group_id).map(RemoteId::new).collect())
    }
}

fn is_ours(group: &types::SecurityGroup, intent: &Intent, inputs: &SecurityGroupInputs) -> bool {
    let same = |key: &str| {
        let tag = inputs.tags.as_ref().and_then(|tags| tags.0.get(key));
        tag.is_some_and(|value| tags::has(group.tags(), key, value))
    };
    tags::are_of(intent, group.tags()) || (same(STACK_TAG) && same(ADDRESS_TAG))
}

/// Names the call that revokes a rule.
fn revoke(text: &str) -> Option<SecurityGroupStep> {
    let (id, direction) = rule::described(text)?;
    let rule_id = id.to_owned();
    Some(if direction == EGRESS {
        SecurityGroupStep::RevokeEgress { rule_id }
    } else {
        SecurityGroupStep::RevokeIngress { rule_id }
    })
}

fn normalize_name(text: &str) -> Result<String, String> {
    rule::check_text(text)?;
    if text.is_empty() {
        Err("it is empty".to_owned())
    } else if text.to_ascii_lowercase().starts_with("sg-") {
        Err("names that begin with `sg-` are reserved for ids".to_owned())
    } else if text.trim() != text {
        Err("it begins or ends with a space, which AWS cuts off".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn normalize_group_description(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    rule::normalize_description(text)
}

#[cfg(test)]
mod tests;
