//! What an account may have of load balancers and what belongs to them.

use serde_json::json;

use super::page;
use crate::call::{Answer, Call, Operation};
use crate::quotas::{self, Quota};
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("DescribeAccountLimits", &["Marker", "PageSize"], describe_limits)];

/// The limits that Service Quotas has too (API reference, `Limit`).
const QUOTAS: [(&str, Quota); 13] = [
    ("application-load-balancers", quotas::APPLICATION_LOAD_BALANCERS),
    ("certificates-per-application-load-balancer", quotas::CERTIFICATES_OF_APPLICATION),
    ("certificates-per-network-load-balancer", quotas::CERTIFICATES_OF_NETWORK),
    ("listeners-per-application-load-balancer", quotas::LISTENERS_OF_APPLICATION),
    ("listeners-per-network-load-balancer", quotas::LISTENERS_OF_NETWORK),
    ("network-load-balancers", quotas::NETWORK_LOAD_BALANCERS),
    ("rules-per-application-load-balancer", quotas::RULES),
    ("target-groups", quotas::TARGET_GROUPS),
    ("target-groups-per-application-load-balancer", quotas::TARGET_GROUPS_OF_BALANCER),
    ("targets-per-application-load-balancer", quotas::TARGETS_OF_APPLICATION),
    ("targets-per-availability-zone-per-network-load-balancer", quotas::TARGETS_OF_ZONE),
    ("targets-per-network-load-balancer", quotas::TARGETS_OF_NETWORK),
    ("targets-per-target-group", quotas::TARGETS_OF_GROUP),
];

/// Those that are the same everywhere.
const FIXED: [(&str, usize); 4] = [
    ("condition-values-per-alb-rule", 5),
    ("condition-wildcards-per-alb-rule", 5),
    ("target-groups-per-action-on-application-load-balancer", 5),
    ("target-groups-per-action-on-network-load-balancer", 1),
];

fn describe_limits(world: &mut World, call: &Call) -> Answer {
    let of_account = QUOTAS.map(|(name, quota)| (name, world.quota(&call.caller.account, quota)));
    let mut all: Vec<_> = of_account.into_iter().chain(FIXED).collect();
    all.sort_unstable();
    let shown = all
        .into_iter()
        .map(|(name, most)| (name.to_owned(), json!({ "Name": name, "Max": most.to_string() })));
    page(&call.parameters, "Limits", shown)
}
