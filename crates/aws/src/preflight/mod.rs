//! What an expert looks at in AWS before a run. The table of all checks is in `README.md` ("Preflight").

mod accounts;
mod addresses;
mod bindings;
mod capacity;
mod chain;
mod clock;
mod controller;
mod endings;
mod endpoint;
mod existing;
mod ingresses;
mod kubernetes;
mod names;
mod network;
mod organization;
mod permissions;
mod pod_identity;
mod pods;
mod policies;
mod quotas;
mod ranges;
mod roles;
#[cfg(test)]
pub(crate) mod testing;
mod trust;
mod zones;

use straddle_engine::address::AccountName;
use straddle_engine::preflight::{Finding, Item, Subject};
use straddle_engine::provider::ProviderError;
use straddle_engine::registry::Registry;
use straddle_engine::value::Value;

/// Adds every check, in the order in which they are shown.
pub(crate) fn with_checks(registry: Registry) -> Registry {
    registry
        .with_check::<accounts::Credentials>()
        .with_check::<accounts::Regions>()
        .with_check::<clock::Clock>()
        .with_check::<organization::Organization>()
        .with_check::<organization::OrganizationSharing>()
        .with_check::<organization::Shares>()
        .with_check::<zones::Zones>()
        .with_check::<zones::ClusterZones>()
        .with_check::<ranges::Ranges>()
        .with_check::<ranges::ServiceRange>()
        .with_check::<addresses::Addresses>()
        .with_check::<capacity::InstanceOfferings>()
        .with_check::<capacity::InstanceArchitecture>()
        .with_check::<capacity::ProcessorQuota>()
        .with_check::<pods::PodPlaces>()
        .with_check::<quotas::Quotas>()
        .with_check::<quotas::LoadBalancerQuotas>()
        .with_check::<quotas::IamQuotas>()
        .with_check::<kubernetes::Version>()
        .with_check::<kubernetes::Upgrade>()
        .with_check::<kubernetes::Addons>()
        .with_check::<endpoint::Endpoints>()
        .with_check::<names::IamNames>()
        .with_check::<names::GroupNames>()
        .with_check::<names::BalancerNames>()
        .with_check::<permissions::Simulation>()
        .with_check::<permissions::DryRuns>()
        .with_check::<policies::ServiceControlPolicies>()
        .with_check::<roles::ServiceLinkedRoles>()
        .with_check::<trust::Trust>()
        .with_check::<pod_identity::PodIdentity>()
        .with_check::<controller::Controller>()
        .with_check::<bindings::Bindings>()
        .with_check::<ingresses::Ingresses>()
        .with_check::<network::PublicAccess>()
        .with_check::<network::Networks>()
        .with_check::<network::Subnets>()
        .with_check::<network::Egress>()
        .with_check::<existing::ExistingNetworks>()
        .with_check::<endings::ForeignThings>()
}

/// Returns what was found, or that it could not be looked at.
fn found(account: &AccountName, result: Result<Vec<Finding>, ProviderError>) -> Vec<Finding> {
    result.unwrap_or_else(|error| vec![Finding::unable(account, &error)])
}

/// Names things in a sentence: the first three, and how many more there are.
fn listed<T: ToString>(things: &[T]) -> String {
    const NAMED: usize = 3;
    let names: Vec<_> = things.iter().take(NAMED).map(ToString::to_string).collect();
    let more = things.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Tells whether a value names a cluster, which a name or the id of one does.
fn is_cluster(value: Option<&Value>, cluster: &Item, subject: &Subject<'_>) -> bool {
    value.is_some_and(|value| match value.as_str() {
        Some(name) => cluster.text("name") == Some(name),
        None => subject.named(value).is_some_and(|named| named.address == cluster.address),
    })
}
