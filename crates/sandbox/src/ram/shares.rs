//! Making, reading, changing and deleting shares.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;

use super::associations::{Wanted, join};
use super::share::{Share, check_arn, not_found};
use super::{PAGING, SHARE, invalid, required, sight, tags, unknown};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ram::principal::inside_only;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateResourceShare",
        &[
            "name",
            "resourceArns",
            "principals",
            "tags",
            "allowExternalPrincipals",
            "clientToken",
            "permissionArns",
        ],
        create,
    ),
    Operation::new(
        "GetResourceShares",
        &[
            "resourceOwner",
            "resourceShareArns",
            "resourceShareStatus",
            "name",
            "tagFilters",
            "nextToken",
            "maxResults",
        ],
        get,
    ),
    Operation::new(
        "UpdateResourceShare",
        &["resourceShareArn", "name", "allowExternalPrincipals", "clientToken"],
        update,
    )
    .on(SHARE),
    Operation::new("DeleteResourceShare", &["resourceShareArn", "clientToken"], delete).on(SHARE),
];

/// The permission that a subnet has in every share: there is no other for subnets ("Managed
/// permissions library", RAM user guide).
const SUBNET_PERMISSION: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet";

fn create(world: &mut World, call: &Call) -> Answer {
    let (parameters, now) = (&call.parameters, world.now());
    let name = required(call, "name")?;
    let mut given = BTreeMap::new();
    tags::add(&mut given, &parameters.tables("tags"))?;
    check_permissions(&parameters.texts("permissionArns"))?;
    let owner = call.caller.account.clone();
    let mut share = Share {
        arn: String::new(),
        name: name.to_owned(),
        allows_external: parameters.flag("allowExternalPrincipals")?.unwrap_or(true),
        tags: given,
        members: BTreeMap::new(),
        next_member: 0,
        made_at: now,
        changed_at: now,
        deleted_at: None,
        owner,
    };
    let wanted = Wanted::read(world, call)?;
    wanted.check(world, &share, "OperationNotPermittedException")?;
    share.arn = format!("arn:aws:ram:{}:{}:resource-share/{}", call.region, share.owner, world.new_uuid());
    join(world, call, &mut share, &wanted);
    let shown = share.shown(&call.caller.account, now);
    world.shares(&call.region).by_arn.insert(share.arn.clone(), share);
    sight::settle(world, &call.region, &wanted.resources);
    Ok(json!({ "resourceShare": shown, "clientToken": parameters.text("clientToken") }))
}

fn check_permissions(arns: &[&str]) -> Result<(), Refusal> {
    match arns.iter().find(|arn| **arn != SUBNET_PERMISSION) {
        None => Ok(()),
        Some(arn) if arn.starts_with("arn:aws:ram::aws:permission/") => {
            Err(unknown(format!("Permission {arn} could not be found.")))
        }
        Some(arn) => {
            let message = format!("The specified permission ARN {arn} is not valid.");
            Err(Refusal::new("MalformedArnException", message))
        }
    }
}

/// Lists the shares that the caller owns, or that it has a part in.
fn get(world: &mut World, call: &Call) -> Answer {
    let (parameters, now, account) = (&call.parameters, world.now(), &call.caller.account);
    let is_own = owner_is_self(call)?;
    world.shares(&call.region);
    let (all, organization) = (&world.shares[&call.region].by_arn, &world.organization);
    let listed = |share: &Share| {
        let has_part = || share.joined_by(account, organization).is_some_and(|since| since <= now);
        let seen = if is_own { share.owner == *account } else { has_part() };
        seen && !share.is_forgotten(now)
    };
    let arns = arns(call)?;
    if let Some(missing) = arns.iter().find(|arn| !all.get(**arn).is_some_and(listed)) {
        return Err(not_found(missing));
    }
    let status = parameters.text("resourceShareStatus");
    let filters = tag_filters(call)?;
    let name = parameters.text("name");
    let candidates: Box<dyn Iterator<Item = &Share>> = if arns.is_empty() {
        Box::new(all.values())
    } else {
        Box::new(arns.iter().filter_map(|arn| all.get(*arn)))
    };
    let chosen = candidates.filter(|share| listed(share)).filter(|share| {
        status.is_none_or(|status| share.status(now) == status)
            && name.is_none_or(|name| share.name == name)
            && filters.iter().all(|filter| filter.matches(&share.tags))
    });
    let chosen = chosen.map(|share| (share.arn.clone(), share.shown(account, now)));
    let (page, next) = PAGING.cut(parameters, chosen)?;
    Ok(json!({ "resourceShares": page, "nextToken": next }))
}

/// Tells whether a call is about what the caller owns.
pub(super) fn owner_is_self(call: &Call) -> Result<bool, Refusal> {
    match required(call, "resourceOwner")? {
        "SELF" => Ok(true),
        "OTHER-ACCOUNTS" => Ok(false),
        other => Err(invalid(format!("{other} is not a valid resource owner."))),
    }
}

/// Returns the shares that a call names.
pub(super) fn arns(call: &Call) -> Result<BTreeSet<&str>, Refusal> {
    let arns: BTreeSet<_> = call.parameters.texts("resourceShareArns").into_iter().collect();
    arns.iter().try_for_each(|arn| check_arn(arn))?;
    Ok(arns)
}

struct TagFilter {
    key: String,
    /// None matches any.
    values: Vec<String>,
}

impl TagFilter {
    fn matches(&self, tags: &BTreeMap<String, String>) -> bool {
        let value = tags.get(&self.key);
        value.is_some_and(|value| self.values.is_empty() || self.values.contains(value))
    }
}

fn tag_filters(call: &Call) -> Result<Vec<TagFilter>, Refusal> {
    let read = |filter: crate::call::Parameters| {
        let key = filter.text("tagKey").filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| invalid("The key of a tag filter is missing."))?.to_owned();
        Ok(TagFilter { key, values: filter.texts("tagValues").into_iter().map(str::to_owned).collect() })
    };
    call.parameters.tables("tagFilters").into_iter().map(read).collect()
}

fn update(world: &mut World, call: &Call) -> Answer {
    let (parameters, now) = (&call.parameters, world.now());
    let external = parameters.flag("allowExternalPrincipals")?;
    let may_share = world.organization.shares(now);
    let share = world.shares(&call.region).living(call, required(call, "resourceShareArn")?, now)?;
    if external == Some(false) && share.allows_external {
        check_closing(share, may_share, now)?;
    }
    share.allows_external = external.unwrap_or(share.allows_external);
    if let Some(name) = parameters.text("name") {
        name.clone_into(&mut share.name);
    }
    share.changed_at = now;
    let shown = share.shown(&call.caller.account, now);
    Ok(json!({ "resourceShare": shown, "clientToken": parameters.text("clientToken") }))
}

/// Checks that a share can be kept to the organization: nobody from outside is in it, and the
/// organization lets its accounts share (the message is the one that users report for it).
fn check_closing(share: &Share, may_share: bool, now: Timestamp) -> Result<(), Refusal> {
    if !may_share {
        return Err(inside_only("OperationNotPermittedException"));
    }
    let outside = share.members.values().find(|member| member.external && member.stands(now));
    outside.map_or(Ok(()), |member| {
        Err(invalid(format!("The principal {} is outside of your organization.", member.entity)))
    })
}

/// Deletes a share. What participants have in its subnets goes on running.
fn delete(world: &mut World, call: &Call) -> Answer {
    let now = world.now();
    let arn = required(call, "resourceShareArn")?;
    let shares = world.shares(&call.region);
    let share = shares.living(call, arn, now)?;
    share.delete(now);
    let resources = share.members.values().map(|member| member.entity.clone()).collect();
    shares.invitations.retain(|_, invitation| invitation.share != arn || !invitation.is_pending(now));
    sight::settle(world, &call.region, &resources);
    Ok(json!({ "returnValue": true, "clientToken": call.parameters.text("clientToken") }))
}

#[cfg(test)]
mod tests;
