//! Letting resources and principals into shares and out of them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::invitations::invite;
use super::member::{Member, Phase, Sort};
use super::principal::{Principal, inside_only};
use super::share::{Share, not_found};
use super::shares::arns;
use super::{PAGING, SHARE, invalid, required, sight, unknown};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{AccountId, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "AssociateResourceShare",
        &["resourceShareArn", "resourceArns", "principals", "clientToken"],
        associate,
    )
    .on(SHARE),
    Operation::new(
        "DisassociateResourceShare",
        &["resourceShareArn", "resourceArns", "principals", "clientToken"],
        disassociate,
    )
    .on(SHARE),
    Operation::new(
        "GetResourceShareAssociations",
        &[
            "associationType",
            "resourceShareArns",
            "resourceArn",
            "principal",
            "associationStatus",
            "nextToken",
            "maxResults",
        ],
        get,
    ),
];

/// How many things a call may let in (API reference, `ResourceShareLimitExceededException`).
const MOST: usize = 100;

/// What is to be let into a share.
pub(super) struct Wanted {
    /// The ARNs of subnets.
    pub(super) resources: BTreeSet<String>,
    /// As they were given, and what they mean.
    principals: Vec<(String, Principal)>,
}

impl Wanted {
    /// Reads what a call lets in.
    pub(super) fn read(world: &mut World, call: &Call) -> Result<Self, Refusal> {
        let (resources, principals) =
            (call.parameters.texts("resourceArns"), call.parameters.texts("principals"));
        if resources.len() + principals.len() > MOST {
            let message = format!("At most {MOST} resources and principals can be associated in a call.");
            return Err(Refusal::new("ResourceShareLimitExceededException", message));
        }
        for arn in &resources {
            check_resource(world, call, arn)?;
        }
        let owner = &call.caller.account;
        let read = |text: &&str| Ok(((*text).to_owned(), Principal::read(text, owner, world)?));
        let principals = principals.iter().map(read).collect::<Result<_, Refusal>>()?;
        Ok(Self { resources: resources.into_iter().map(str::to_owned).collect(), principals })
    }

    /// Checks that a share may have all of it beside what it has. RAM has two codes for the same
    /// refusal of subnets.
    pub(super) fn check(&self, world: &World, share: &Share, of_subnets: &str) -> Result<(), Refusal> {
        let (organization, now) = (&world.organization, world.now());
        let may_share = organization.shares(now) && organization.has(&share.owner);
        if !self.resources.is_empty() && !may_share {
            return Err(inside_only(of_subnets));
        }
        let has_subnets = !self.resources.is_empty() || share.standing(Sort::Resource, now).next().is_some();
        for (_, principal) in &self.principals {
            principal.check(share, has_subnets, organization, now)?;
        }
        let others = share.standing(Sort::Principal, now).filter_map(|other| Principal::known(&other.entity));
        for other in others.filter(|_| !self.resources.is_empty()) {
            let refused = other.check(share, true, organization, now);
            refused.map_err(|_| inside_only(of_subnets))?;
        }
        Ok(())
    }
}

/// Checks that an ARN is that of a subnet which the caller owns.
fn check_resource(world: &mut World, call: &Call, arn: &str) -> Result<(), Refusal> {
    let malformed = || {
        let message = format!("The specified resource ARN {arn} is not valid. Verify the ARN and try again.");
        Refusal::new("MalformedArnException", message)
    };
    let rest = arn.strip_prefix("arn:aws:").ok_or_else(malformed)?;
    let parts: Vec<_> = rest.splitn(4, ':').collect();
    let [service, region, account, resource] = parts.as_slice() else { return Err(malformed()) };
    let Some(id) = resource.strip_prefix("subnet/").filter(|_| *service == "ec2") else {
        return Err(invalid(format!("The sandbox shares subnets only, not {arn}.")));
    };
    let owner: AccountId = account.parse().map_err(|_| malformed())?;
    if owner != call.caller.account {
        let message = format!("You are not the owner of the resource {arn}.");
        return Err(Refusal::new("OperationNotPermittedException", message));
    }
    let found = world.network(region).owner_of_subnet(id) == Some(&owner);
    if *region == call.region && found {
        return Ok(());
    }
    Err(unknown(format!("Resource {arn} could not be found.")))
}

/// Lets into a share what is wanted, and returns the associations.
pub(super) fn join(world: &mut World, call: &Call, share: &mut Share, wanted: &Wanted) -> Vec<Value> {
    let now = world.now();
    for arn in &wanted.resources {
        if share.member(arn, now).is_none() {
            share.add(Member::joining(Sort::Resource, arn, now));
        }
        let holders = &mut world.shares(&call.region).holders;
        holders.entry(arn.clone()).or_default().insert(share.arn.clone());
    }
    for (text, principal) in &wanted.principals {
        if share.member(text, now).is_none() {
            share.add(principal_member(world, call, share, text, principal));
        }
    }
    let entities = wanted.resources.iter().chain(wanted.principals.iter().map(|(text, _)| text));
    let entities: Vec<_> = entities.cloned().collect();
    entities.iter().filter_map(|entity| Some(share.member(entity, now)?.clone().shown(share, now))).collect()
}

/// Returns the association of a principal, which may have to accept an invitation first.
fn principal_member(
    world: &mut World,
    call: &Call,
    share: &Share,
    text: &str,
    principal: &Principal,
) -> Member {
    let now = world.now();
    let external = principal.is_external(&share.owner, &world.organization);
    let member = Member { external, ..Member::joining(Sort::Principal, text, now) };
    match principal.account() {
        Some(account) if external || !world.organization.shares(now) => {
            Member { phase: invite(world, call, share, text, account), ..member }
        }
        Some(_) | None => member,
    }
}

fn associate(world: &mut World, call: &Call) -> Answer {
    let (arn, now) = (required(call, "resourceShareArn")?, world.now());
    let mut share = world.shares(&call.region).living(call, arn, now)?.clone();
    let wanted = Wanted::read(world, call)?;
    wanted.check(world, &share, "InvalidParameterException")?;
    let shown = join(world, call, &mut share, &wanted);
    share.changed_at = now;
    finish(world, call, share, wanted.resources);
    Ok(json!({ "resourceShareAssociations": shown, "clientToken": call.parameters.text("clientToken") }))
}

/// Keeps a changed share, and lets everybody see what it has now, and had just before.
fn finish(world: &mut World, call: &Call, mut share: Share, mut resources: BTreeSet<String>) {
    let now = world.now();
    share.members.retain(|_, member| !member.is_forgotten(now));
    let of_share = share.members.values().filter(|member| member.sort == Sort::Resource);
    resources.extend(of_share.map(|member| member.entity.clone()));
    world.shares(&call.region).by_arn.insert(share.arn.clone(), share);
    sight::settle(world, &call.region, &resources);
}

fn disassociate(world: &mut World, call: &Call) -> Answer {
    let (arn, now, account) = (required(call, "resourceShareArn")?, world.now(), &call.caller.account);
    let resources = call.parameters.texts("resourceArns");
    let principals = call.parameters.texts("principals");
    let inside = world.organization.has(account);
    let shares = world.shares(&call.region);
    let mut share = match shares.by_arn.get(arn) {
        Some(share) if share.owner != *account => {
            check_leaving(share, account, inside, &resources, &principals, now)?;
            share.clone()
        }
        _ => shares.living(call, arn, now)?.clone(),
    };
    let entities = resources.iter().chain(&principals);
    let shown = entities.map(|entity| leave(&mut share, entity, now)).collect::<Result<Vec<_>, _>>()?;
    let gone = |invitation: &str| principals.contains(&invitation);
    shares.invitations.retain(|_, invitation| {
        invitation.share != arn || !invitation.is_pending(now) || !gone(&invitation.principal)
    });
    share.changed_at = now;
    finish(world, call, share, BTreeSet::new());
    Ok(json!({ "resourceShareAssociations": shown, "clientToken": call.parameters.text("clientToken") }))
}

/// Lets something out of a share, also what never came in.
fn leave(share: &mut Share, entity: &str, now: Timestamp) -> Result<Value, Refusal> {
    let is_in = |member: &&mut Member| member.entity == entity && !matches!(member.phase, Phase::Leaves(_));
    let member = share
        .members
        .values_mut()
        .find(is_in)
        .ok_or_else(|| unknown(format!("The resource share has no association with {entity}.")))?;
    member.leave(now);
    let member = member.clone();
    Ok(member.shown(share, now))
}

/// Checks that somebody else than the owner may let out what it names: itself only, and only if it
/// was invited ("Leaving a resource share", RAM user guide).
fn check_leaving(
    share: &Share,
    account: &AccountId,
    inside: bool,
    resources: &[&str],
    principals: &[&str],
    now: Timestamp,
) -> Result<(), Refusal> {
    let own = |member: &&Member| member.entity == account.as_str() && member.joined_at().is_some();
    let Some(member) = share.standing(Sort::Principal, now).find(own) else {
        return Err(not_found(&share.arn));
    };
    let alone = resources.is_empty() && principals == [account.as_str()];
    if alone && (member.external || !inside) {
        return Ok(());
    }
    let message = "You cannot leave a resource share of your own organization.";
    Err(Refusal::new("OperationNotPermittedException", message))
}

fn get(world: &mut World, call: &Call) -> Answer {
    let (parameters, now) = (&call.parameters, world.now());
    let sort = match required(call, "associationType")? {
        "RESOURCE" => Sort::Resource,
        "PRINCIPAL" => Sort::Principal,
        other => return Err(invalid(format!("{other} is not a valid association type."))),
    };
    let (resource, principal) = (parameters.text("resourceArn"), parameters.text("principal"));
    if resource.filter(|_| sort == Sort::Principal).or(principal.filter(|_| sort == Sort::Resource)).is_some()
    {
        return Err(invalid("You cannot ask for resources and principals at once."));
    }
    let status = parameters.text("associationStatus");
    let arns = arns(call)?;
    let shares = world.shares(&call.region);
    for arn in &arns {
        shares.own(call, arn, now)?;
    }
    let of_call: Box<dyn Iterator<Item = &Share>> = if arns.is_empty() {
        Box::new(shares.by_arn.values().filter(|share| share.owner == call.caller.account))
    } else {
        Box::new(arns.iter().filter_map(|arn| shares.by_arn.get(*arn)))
    };
    let listed = of_call.filter(|share| !share.is_forgotten(now)).flat_map(|share| {
        let members = share.members.iter().filter(move |(_, member)| {
            member.sort == sort
                && !member.is_forgotten(now)
                && status.is_none_or(|status| member.status(now) == status)
                && resource.or(principal).is_none_or(|entity| member.entity == entity)
        });
        members.map(move |(number, member)| (format!("{}#{number:08}", share.arn), member.shown(share, now)))
    });
    let (page, next) = PAGING.cut(parameters, listed)?;
    Ok(json!({ "resourceShareAssociations": page, "nextToken": next }))
}

#[cfg(test)]
mod tests;
