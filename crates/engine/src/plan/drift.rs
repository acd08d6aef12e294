//! What others changed since the last apply, of everything that the state has: also of what the
//! spec no longer wants, and of what is left out of a plan.

use std::collections::BTreeSet;

use crate::address::Address;
use crate::erased::{AnyResource, ObservedValues};
use crate::plan::{AttributeChange, Drift, Request, diff};
use crate::state::{ResourceState, Status};
use crate::value::ValueMap;

/// Returns what others changed, sorted by address. What a run of ours left unfinished may
/// differ from what was applied, or be gone, by that run's work. A kind that this program does not
/// have is an error elsewhere.
pub(crate) fn drift(request: &Request<'_>) -> Vec<Drift> {
    let Request { registry, spec, state, observations, .. } = *request;
    let of = |(address, prior): (&Address, &ResourceState)| {
        let object = prior.object.as_ref().filter(|object| object.status == Status::Ready)?;
        let observed = observations.get(address)?.object.as_ref();
        let kind = registry.kind(prior.kind.as_str())?;
        let now = spec.resources.get(address).map(|node| &node.lifecycle);
        let sensitive = prior.lifecycle.all_sensitive(now);
        let attributes = observed.map(|observed| diff::drift(&**kind, &object.inputs, observed, &sensitive));
        let (gone, attributes) = (attributes.is_none(), attributes.unwrap_or_default());
        (gone || !attributes.is_empty()).then(|| Drift {
            address: address.clone(),
            kind: prior.kind.clone(),
            account: prior.account.clone(),
            region: prior.region.clone(),
            remote_id: object.remote_id.clone(),
            gone,
            attributes,
            is_made_by_others: prior.lifecycle.is_made_by_others(),
        })
    };
    state.resources.iter().filter_map(of).collect()
}

/// Tells whether what is there is not what was last applied.
pub(crate) fn differs_from_applied(
    kind: &dyn AnyResource,
    applied: &ValueMap,
    observed: &ObservedValues,
) -> bool {
    !diff::drift(kind, applied, observed, &BTreeSet::new()).is_empty()
}

/// Returns inputs as last applied with what others changed in them. What they took away is no
/// longer there, so that nothing of ours is left in it; it is ours again as soon as the spec sets it.
pub(crate) fn as_observed(applied: &ValueMap, drift: &[AttributeChange]) -> ValueMap {
    let mut inputs = applied.clone();
    for AttributeChange { name, after, .. } in drift {
        if after.is_null() {
            inputs.remove(name);
        } else {
            inputs.insert(name.clone(), after.clone());
        }
    }
    inputs
}
