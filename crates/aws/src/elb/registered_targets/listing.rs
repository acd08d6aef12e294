//! What the service says of the targets in target groups.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::TargetHealthDescription;
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Listing, Observed, Readiness};
use straddle_engine::value::Value;

use super::super::health::{self, name, state, unhealthy};
use super::RegisteredTargetsOutputs;
use super::inputs::RegisteredTargetsInputs;
use crate::client::Client;

/// The targets, by target group.
pub(crate) struct Registered(BTreeMap<RemoteId, Vec<TargetHealthDescription>>);

impl Listing for Registered {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        Ok(Self(health::of_groups(client, ids).await?))
    }
}

/// Tells whether a target is registered: one that is on its way out is not any more, for as long as it ends what it
/// has begun.
pub(super) fn is_registered(target: &TargetHealthDescription) -> bool {
    state(target) != "draining"
}

impl Registered {
    /// Returns the targets of a group; `None` if it has none.
    pub(super) fn observe(
        &self,
        id: &RemoteId,
    ) -> Option<Observed<RegisteredTargetsInputs, RegisteredTargetsOutputs>> {
        let targets: Vec<_> = self.0.get(id)?.iter().filter(|target| is_registered(target)).collect();
        if targets.is_empty() {
            return None;
        }
        let healthy = targets.iter().filter(|target| state(target) == "healthy").count();
        Some(Observed {
            inputs: RegisteredTargetsInputs {
                target_group_arn: id.as_str().to_owned(),
                binding: Value::Null,
                healthy_targets: None,
                url: None,
                check: None,
            },
            outputs: RegisteredTargetsOutputs {
                targets: targets.iter().map(|target| name(target)).collect(),
                healthy_targets_now: i64::try_from(healthy).unwrap_or(i64::MAX),
                unhealthy_targets: targets.iter().filter_map(|target| unhealthy(target)).collect(),
            },
            readiness: Readiness::Ready,
        })
    }

    #[cfg(test)]
    pub(super) fn of_one(arn: &str, targets: Vec<TargetHealthDescription>) -> Self {
        Self([(RemoteId::new(arn), targets)].into())
    }
}
