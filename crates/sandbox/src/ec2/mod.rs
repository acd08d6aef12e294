//! EC2: networks that accounts of one organization share.

mod describe;
mod sharing;
mod subnet;
mod tags;
mod vpc;
mod zones;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::{Call, Operation, Refusal};
use sharing::Shared;
use subnet::Subnet;
use vpc::Vpc;

/// The things of EC2 in one region, of all accounts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Network {
    vpcs: BTreeMap<String, Vpc>,
    subnets: BTreeMap<String, Subnet>,
    /// What accounts see of what is not theirs.
    pub(crate) shared: Shared,
}

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    [subnet::OPERATIONS, vpc::OPERATIONS, zones::OPERATIONS].into_iter().flatten()
}

/// Answers a dry run: everything that would be refused was refused before this is asked.
fn dry_run(call: &Call) -> Result<(), Refusal> {
    if call.parameters.flag("DryRun")?.unwrap_or_default() {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(Refusal { status: 412, ..Refusal::new("DryRunOperation", message) });
    }
    Ok(())
}
