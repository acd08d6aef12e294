//! Describing groups and rules.
//!
//! The owner of a VPC sees the groups that participants have in it, without their tags, and can
//! change none of them; participants see their own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::permission::Peer;
use super::{Rule, SecurityGroup, Thing, arn};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::describe::{Description, describe_among, exact};
use crate::ec2::{Network, dry_run, tags};
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "DescribeSecurityGroups",
        &["GroupId", "GroupName", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_groups,
    ),
    Operation::new(
        "DescribeSecurityGroupRules",
        &["SecurityGroupRuleId", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_rules,
    ),
    Operation::new(
        "GetSecurityGroupsForVpc",
        &["VpcId", "Filter", "MaxResults", "NextToken", "DryRun"],
        get_for_vpc,
    ),
];

fn describe_groups(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    // Names are looked up in the default VPC, which nobody has here.
    if let Some(name) = call.parameters.texts("GroupName").first() {
        let message = format!("The security group '{name}' does not exist in default VPC 'none'");
        return Err(Refusal::new("InvalidGroup.NotFound", message));
    }
    let description = Description {
        list: "securityGroupInfo",
        ids: "GroupId",
        not_found: SecurityGroup::NOT_FOUND,
        visible: &|group: &SecurityGroup| network.sees_group(group, &call.caller.account),
        filter: &|group, filter| filtered(network, group, filter),
        shown: &|group| shown(network, group, call),
        page: (5, 1000),
    };
    describe_among(call, &network.groups, among(network, call), &description)
}

/// Returns the groups that filters on ids, or on names in VPCs, can match.
fn among(network: &Network, call: &Call) -> Option<BTreeSet<String>> {
    if let Some(ids) = exact(&call.parameters, "group-id") {
        return Some(ids.into_iter().collect());
    }
    let (vpcs, names) = (exact(&call.parameters, "vpc-id")?, exact(&call.parameters, "group-name")?);
    let mut among = BTreeSet::new();
    for (vpc, name) in vpcs.iter().flat_map(|vpc| names.iter().map(move |name| (vpc, name))) {
        let prefix = format!("{vpc} {} ", name.to_lowercase());
        let found = network.group_names.range(prefix.clone()..);
        among.extend(found.take_while(|(key, _)| key.starts_with(&prefix)).map(|(_, id)| id.clone()));
    }
    Some(among)
}

fn shown(network: &Network, group: &SecurityGroup, call: &Call) -> Value {
    let rules = |is_egress: bool| permissions(network, group, is_egress);
    json!({
        "groupId": group.id,
        "groupName": group.name,
        "groupDescription": group.description,
        "ownerId": group.owner.as_str(),
        "vpcId": group.vpc_id,
        "securityGroupArn": arn(group, &call.region),
        "ipPermissions": rules(false),
        "ipPermissionsEgress": rules(true),
        "tagSet": (group.owner == call.caller.account).then(|| tags::shown(&group.tags)),
    })
}

/// Returns the rules of a direction; those with the same protocol and ports are one permission.
fn permissions(network: &Network, group: &SecurityGroup, is_egress: bool) -> Vec<Value> {
    let mut together: BTreeMap<_, Vec<&Rule>> = BTreeMap::new();
    for rule in network.rules_of(group).filter(|rule| rule.is_egress == is_egress) {
        together.entry(rule.permission.head()).or_default().push(rule);
    }
    let permission = |((protocol, from, to), rules): (_, Vec<&Rule>)| {
        let of = |peer: &dyn Fn(&Rule) -> Option<Value>| -> Vec<Value> {
            rules.iter().filter_map(|rule| peer(rule)).collect()
        };
        json!({
            "ipProtocol": protocol,
            // All ports are none here, but a type and a code.
            "fromPort": (from != -1 || protocol == "icmp" || protocol == "icmpv6").then_some(from),
            "toPort": (to != -1 || protocol == "icmp" || protocol == "icmpv6").then_some(to),
            "ipRanges": of(&|rule| match &rule.permission.peer {
                Peer::Ipv4(range) => Some(json!({ "cidrIp": range, "description": rule.description })),
                Peer::Ipv6(_) | Peer::PrefixList(_) | Peer::Group { .. } => None,
            }),
            "ipv6Ranges": of(&|rule| match &rule.permission.peer {
                Peer::Ipv6(range) => Some(json!({ "cidrIpv6": range, "description": rule.description })),
                Peer::Ipv4(_) | Peer::PrefixList(_) | Peer::Group { .. } => None,
            }),
            "prefixListIds": of(&|rule| match &rule.permission.peer {
                Peer::PrefixList(id) => Some(json!({ "prefixListId": id, "description": rule.description })),
                Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::Group { .. } => None,
            }),
            "groups": of(&|rule| match &rule.permission.peer {
                Peer::Group { id, account } => {
                    Some(json!({ "groupId": id, "userId": account.as_str(), "description": rule.description }))
                }
                Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::PrefixList(_) => None,
            }),
        })
    };
    together.into_iter().map(permission).collect()
}

fn filtered(network: &Network, group: &SecurityGroup, filter: &str) -> Option<Vec<String>> {
    let of_rules = |is_egress: bool, filter: &str| {
        let rules = network.rules_of(group).filter(|rule| rule.is_egress == is_egress);
        let values = rules.map(|rule| rule.permission.filtered(filter)).collect::<Option<Vec<_>>>();
        values.map(|values| values.concat())
    };
    if let Some(filter) = filter.strip_prefix("egress.ip-permission.") {
        return of_rules(true, filter);
    }
    if let Some(filter) = filter.strip_prefix("ip-permission.") {
        return of_rules(false, filter);
    }
    let value = match filter {
        "group-id" => group.id.clone(),
        "group-name" => group.name.clone(),
        "description" => group.description.clone(),
        "owner-id" => group.owner.to_string(),
        "vpc-id" => group.vpc_id.clone(),
        _ => return tags::filtered(&group.tags, filter),
    };
    Some(vec![value])
}

fn describe_rules(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "securityGroupRuleSet",
        ids: "SecurityGroupRuleId",
        not_found: "InvalidSecurityGroupRuleId.NotFound",
        visible: &|rule: &Rule| {
            let group = network.groups.get(&rule.group_id);
            group.is_some_and(|group| network.sees_group(group, &call.caller.account))
        },
        filter: &|rule, filter| match filter {
            "group-id" => Some(vec![rule.group_id.clone()]),
            "security-group-rule-id" => Some(vec![rule.id.clone()]),
            _ => tags::filtered(&rule.tags, filter),
        },
        shown: &|rule| network.rule_shown(rule, &call.caller.account, &call.region),
        page: (5, 1000),
    };
    let groups = exact(&call.parameters, "group-id").map(|ids| {
        let groups = ids.iter().filter_map(|id| network.groups.get(id));
        groups.flat_map(|group| group.rules.iter().cloned()).collect()
    });
    let among = groups
        .or_else(|| exact(&call.parameters, "security-group-rule-id").map(|ids| ids.into_iter().collect()));
    describe_among(call, &network.rules, among, &description)
}

/// Lists the groups that the caller can give to what it puts into a VPC.
fn get_for_vpc(world: &mut World, call: &Call) -> Answer {
    let vpc_id = call.parameters.required("VpcId")?;
    let network = world.network(&call.region);
    network.seen_vpc(call, vpc_id)?;
    dry_run(call)?;
    let description = Description {
        list: "securityGroupForVpcSet",
        ids: "",
        not_found: SecurityGroup::NOT_FOUND,
        visible: &|group: &SecurityGroup| group.vpc_id == vpc_id && group.owner == call.caller.account,
        filter: &|group, filter| match filter {
            "primary-vpc-id" => Some(vec![group.vpc_id.clone()]),
            _ => filtered(network, group, filter),
        },
        shown: &|group| {
            json!({
                "groupId": group.id,
                "groupName": group.name,
                "description": group.description,
                "ownerId": group.owner.as_str(),
                "primaryVpcId": group.vpc_id,
                "tagSet": tags::shown(&group.tags),
            })
        },
        page: (5, 1000),
    };
    describe_among(call, &network.groups, None, &description)
}
