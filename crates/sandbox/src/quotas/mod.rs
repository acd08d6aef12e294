//! Service Quotas: how much of what an account may have.
//!
//! What refuses to make one more asks [`World::quota`], and so does what tells how much there may be. Other
//! numbers than those that every account has from the beginning are ordered at the control endpoint.

mod operations;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::world::{AccountId, World};
pub(crate) use operations::operations;
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

    /// Lets an account have another number of something from now on; what it has already, it keeps.
    pub(crate) fn adjust_quota(&mut self, account: AccountId, code: String, value: usize) {
        self.quotas.0.entry(account).or_default().insert(code, value);
    }
}

/// Returns the quota with a code.
pub(crate) fn with_code(code: &str) -> Option<&'static Quota> {
    ALL.iter().find(|quota| quota.code == code)
}
