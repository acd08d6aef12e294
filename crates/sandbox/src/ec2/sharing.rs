//! What accounts see of what is not theirs.
//!
//! A participant sees the shared subnets, their VPC and its route tables, without tags, and can
//! change none of them ("Share your VPC subnets with other accounts", VPC user guide).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Network;
use crate::world::AccountId;

/// Which subnets are shared with whom, and since when they see them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Shared {
    /// By participant and subnet: from when on the participant sees it.
    subnets: BTreeMap<AccountId, BTreeMap<String, Timestamp>>,
}

impl Shared {
    /// Tells whether an account sees a subnet that is not its own.
    pub(super) fn is_seen(&self, subnet: &str, account: &AccountId, now: Timestamp) -> bool {
        let since = self.subnets.get(account).and_then(|subnets| subnets.get(subnet));
        since.is_some_and(|since| *since <= now)
    }

    /// Returns the subnets of others that an account sees.
    pub(super) fn seen(&self, account: &AccountId, now: Timestamp) -> impl Iterator<Item = &String> {
        let subnets = self.subnets.get(account).into_iter().flatten();
        subnets.filter(move |(_, since)| **since <= now).map(|(subnet, _)| subnet)
    }

    /// Lets an account see a subnet from a time on.
    pub(crate) fn share(&mut self, subnet: &str, account: &AccountId, since: Timestamp) {
        self.subnets.entry(account.clone()).or_default().entry(subnet.to_owned()).or_insert(since);
    }

    /// Takes a subnet from the sight of an account. What that has in it goes on running.
    pub(crate) fn unshare(&mut self, subnet: &str, account: &AccountId) {
        if let Some(subnets) = self.subnets.get_mut(account) {
            subnets.remove(subnet);
        }
    }
}

impl Network {
    /// Returns the account that a subnet belongs to.
    pub(crate) fn owner_of_subnet(&self, id: &str) -> Option<&AccountId> {
        self.subnets.get(id).map(|subnet| &subnet.owner)
    }
}
