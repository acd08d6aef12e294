//! What is shared, and with whom or by whom, over all shares.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::member::{Member, Sort};
use super::share::Share;
use super::shares::{arns, owner_is_self};
use super::{PAGING, invalid};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{World, seconds};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "ListResources",
        &[
            "resourceOwner",
            "principal",
            "resourceType",
            "resourceArns",
            "resourceShareArns",
            "nextToken",
            "maxResults",
        ],
        list_resources,
    ),
    Operation::new(
        "ListPrincipals",
        &[
            "resourceOwner",
            "resourceArn",
            "principals",
            "resourceType",
            "resourceShareArns",
            "nextToken",
            "maxResults",
        ],
        list_principals,
    ),
];

/// The only type of resource that the sandbox shares.
const SUBNET: &str = "ec2:Subnet";

/// Lists the resources of shares that the caller owns or has a part in.
fn list_resources(world: &mut World, call: &Call) -> Answer {
    let (parameters, now) = (&call.parameters, world.now());
    check_type(call)?;
    let wanted: BTreeSet<_> = parameters.texts("resourceArns").into_iter().collect();
    let principal = parameters.text("principal");
    let world = &*world;
    let shares = shares(world, call, now)?;
    let of_principal = |share: &&Share| {
        principal.is_none_or(|principal| {
            share.standing(Sort::Principal, now).any(|member| member.entity == principal)
                || share.owner.as_str() == principal
        })
    };
    let listed = shares.into_iter().filter(of_principal).flat_map(|share| {
        let resources = share.members.iter().filter(|(_, member)| {
            let named = wanted.is_empty() || wanted.contains(member.entity.as_str());
            member.sort == Sort::Resource && member.stands(now) && named
        });
        resources.map(move |(number, member)| {
            (key(share, *number), resource(share, member, status(world, call, member, now)))
        })
    });
    let (page, next) = PAGING.cut(parameters, listed)?;
    Ok(json!({ "resources": page, "nextToken": next }))
}

fn resource(share: &Share, member: &Member, status: &str) -> Value {
    json!({
        "arn": member.entity,
        "type": SUBNET,
        "resourceShareArn": share.arn,
        "status": status,
        "creationTime": seconds(member.made_at),
        "lastUpdatedTime": seconds(member.made_at),
        "resourceRegionScope": "REGIONAL",
    })
}

/// Returns RAM's word for how a resource stands: one that was deleted stays in its shares.
fn status(world: &World, call: &Call, member: &Member, now: Timestamp) -> &'static str {
    let network = world.networks.get(&call.region);
    let id = member.entity.rsplit('/').next().unwrap_or_default();
    if network.is_none_or(|network| network.owner_of_subnet(id).is_none()) {
        "UNAVAILABLE"
    } else if member.status(now) == "ASSOCIATED" {
        "AVAILABLE"
    } else {
        "PENDING"
    }
}

/// Lists whom the caller shares with, or who shares with it.
fn list_principals(world: &mut World, call: &Call) -> Answer {
    let (parameters, now) = (&call.parameters, world.now());
    check_type(call)?;
    let is_own = owner_is_self(call)?;
    let wanted: BTreeSet<_> = parameters.texts("principals").into_iter().collect();
    let resource = parameters.text("resourceArn");
    let shares = shares(world, call, now)?;
    let has_resource = |share: &&Share| {
        resource.is_none_or(|arn| share.standing(Sort::Resource, now).any(|member| member.entity == arn))
    };
    let listed = shares.into_iter().filter(has_resource).flat_map(|share| {
        let members = share
            .members
            .iter()
            .filter(move |(_, member)| is_own && member.sort == Sort::Principal && member.stands(now));
        let members = members.map(move |(number, member)| {
            let principal = principal(share, &member.entity, member.made_at, member.external);
            (key(share, *number), principal)
        });
        // Who has a part in a share sees its owner, and no other participant.
        let owner =
            (!is_own).then(|| (key(share, 0), principal(share, share.owner.as_str(), share.made_at, false)));
        members.chain(owner).collect::<Vec<_>>()
    });
    let listed = listed.filter(|(_, principal)| {
        wanted.is_empty() || principal["id"].as_str().is_some_and(|id| wanted.contains(id))
    });
    let (page, next) = PAGING.cut(parameters, listed)?;
    Ok(json!({ "principals": page, "nextToken": next }))
}

fn principal(share: &Share, id: &str, made_at: Timestamp, external: bool) -> Value {
    json!({
        "id": id,
        "resourceShareArn": share.arn,
        "creationTime": seconds(made_at),
        "lastUpdatedTime": seconds(made_at),
        "external": external,
    })
}

fn key(share: &Share, number: u64) -> String {
    format!("{}#{number:08}", share.arn)
}

fn check_type(call: &Call) -> Result<(), Refusal> {
    match call.parameters.text("resourceType") {
        Some(other) if !other.eq_ignore_ascii_case(SUBNET) => {
            Err(invalid(format!("Invalid resource type: {other}")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Returns the shares that the caller owns or has a part in, of those that it names.
fn shares<'a>(world: &'a World, call: &Call, now: Timestamp) -> Result<Vec<&'a Share>, Refusal> {
    let is_own = owner_is_self(call)?;
    let arns = arns(call)?;
    let (account, organization) = (&call.caller.account, &world.organization);
    let all = world.shares.get(&call.region).into_iter().flat_map(|shares| shares.by_arn.values());
    let concerned = |share: &&Share| {
        let has_part = || share.joined_by(account, organization).is_some_and(|since| since <= now);
        let named = arns.is_empty() || arns.contains(share.arn.as_str());
        named && share.deleted_at.is_none() && if is_own { share.owner == *account } else { has_part() }
    };
    Ok(all.filter(concerned).collect())
}
