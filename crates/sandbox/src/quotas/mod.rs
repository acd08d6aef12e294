//! Service Quotas: how much of what an account may have.

mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::world::{AccountId, World};
pub(crate) use table::*;

/// The quotas that differ from those which every account has, by account and code.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Adjusted(BTreeMap<AccountId, BTreeMap<String, usize>>);

impl World {
    /// Returns how much of something an account may have.
    pub(crate) fn quota(&self, account: &AccountId, quota: Quota) -> usize {
        let adjusted = self.quotas.0.get(account).and_then(|quotas| quotas.get(quota.code));
        adjusted.copied().unwrap_or(quota.value)
    }
}
