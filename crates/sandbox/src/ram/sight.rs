//! Whom a share lets see what, and from when on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::SIGHT;
use super::member::{Member, Sort};
use crate::world::{AccountId, World};

/// Lets the accounts of the organization see these subnets, or no longer, as all shares together
/// say.
pub(super) fn settle(world: &mut World, region: &str, resources: &BTreeSet<String>) {
    for arn in resources {
        let seen = seen_by(world, region, arn);
        let Some(subnet) = arn.rsplit('/').next() else { continue };
        let accounts: Vec<_> = world.organization.accounts.keys().cloned().collect();
        let shared = &mut world.network(region).shared;
        for account in &accounts {
            shared.unshare(subnet, account);
            if let Some(since) = seen.get(account) {
                shared.share(subnet, account, *since);
            }
        }
    }
}

/// Lets everybody see anew what is shared, after the organization has changed.
pub(crate) fn look_anew(world: &mut World) {
    let resources = |shares: &super::Shares| shares.holders.keys().cloned().collect();
    let regions: BTreeMap<String, BTreeSet<String>> =
        world.shares.iter().map(|(region, shares)| (region.clone(), resources(shares))).collect();
    for (region, resources) in &regions {
        settle(world, region, resources);
    }
}

/// Returns who sees a subnet, and from when on: an account that several shares let see it sees it
/// as long as one of them does.
fn seen_by(world: &World, region: &str, arn: &str) -> BTreeMap<AccountId, Timestamp> {
    let mut seen = BTreeMap::new();
    let organization = &world.organization;
    let Some(shares) = world.shares.get(region) else { return seen };
    if !organization.services.contains_key(crate::world::RAM) {
        return seen;
    }
    let holders = shares.holders.get(arn).into_iter().flatten();
    for share in holders.filter_map(|holder| shares.by_arn.get(holder)) {
        let mut resources = share.members.values().filter(|member| member.sort == Sort::Resource);
        let resource = resources.find(|member| member.entity == arn && member.joined_at().is_some());
        let Some(has) = resource.and_then(Member::joined_at) else { continue };
        for (account, _) in organization.members().filter(|_| organization.has(&share.owner)) {
            let Some(joined) = share.joined_by(account, organization) else { continue };
            let since = has.max(joined).saturating_add(SIGHT).unwrap_or(Timestamp::MAX);
            let known = seen.entry(account.clone()).or_insert(since);
            *known = since.min(*known);
        }
    }
    seen
}
