//! `registered_targets`: the targets that a controller in a cluster puts into a target group.

mod inputs;
mod listing;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::Depiction;
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Home, Intent, MadeByOthers, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step,
    Timeouts, Traits,
};
use straddle_engine::schema::Attributes;
use straddle_engine::value::ValueMap;

use super::health::{self, unhealthy_reason};
use super::{SERVICE, answer, number};
use crate::client::Client;
use crate::error::failed;

use inputs::RegisteredTargetsInputs;
use listing::{Registered, is_registered};

/// The kind.
pub(crate) struct RegisteredTargets;

/// What is registered.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RegisteredTargetsOutputs {
    /// The targets, each with its port.
    #[attribute(volatile)]
    targets: BTreeSet<String>,
    /// How many of them are healthy.
    #[attribute(volatile)]
    healthy_targets_now: i64,
    /// Those that are not, each with the reason that the service gives.
    #[attribute(volatile)]
    unhealthy_targets: Vec<String>,
}

/// What is done only if the user asks for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deregister(Vec<(String, Option<i64>)>);

impl Step for Deregister {
    fn operation(&self) -> &'static str {
        "DeregisterTargets"
    }
}

const ADVICE_MISSING: &str = "\
The controller in the cluster registers the pods of the binding's Service: it has to run, to be of version 2.13 or \
later where it assumes a role, its role has to be allowed to assume that one, and that one has to trust it, \
with the external id of the binding, and be allowed to register targets. Look at the events of the binding (`kubectl \
describe targetgroupbinding`) and at the log of the controller, then apply again.";

const ADVICE_LEFT: &str = "\
The controller has not deregistered them: it may not run, or its role may not be allowed to any more; nothing that it \
stands on was removed. Look at its log and apply the spec again to bring back what it needs, or run \
`straddle destroy --force-load-balancers`, which deregisters them itself.";

impl Resource for RegisteredTargets {
    const KIND: &'static str = "registered_targets";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(10),
    };
    const DEPICTION: Depiction = Depiction::PART;
    const MADE_BY: Option<MadeByOthers> = Some(MadeByOthers {
        of: &["kubernetes_object"],
        advice_missing: ADVICE_MISSING,
        advice_left: ADVICE_LEFT,
    });
    const EXAMPLE: &'static str = include_str!("registered_targets/example.toml");
    const IDENTITY: &'static [&'static str] = &["target_group_arn"];
    const ID_FORM: &'static str = "arn:*:elasticloadbalancing:*:*:targetgroup/*";
    const ARN: &'static str = "{target_group_arn}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["elasticloadbalancing:DescribeTargetHealth"]),
        Need::delete(&["elasticloadbalancing:DeregisterTargets"]).on(&["{arn}"]),
    ];

    type Inputs = RegisteredTargetsInputs;
    type Outputs = RegisteredTargetsOutputs;
    type Client = Client;
    type Listing = Registered;
    type Step = Deregister;

    fn canonical(_: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        inputs::canonical(inputs)
    }

    fn observe(
        listing: &Registered,
        id: &RemoteId,
    ) -> Option<Observed<RegisteredTargetsInputs, RegisteredTargetsOutputs>> {
        listing.observe(id)
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &RegisteredTargetsInputs,
    ) -> Result<RemoteId, ProviderError> {
        let found = Self::find(client, intent, inputs).await?.into_iter().next();
        let missing = || {
            let message = "no target is registered in the target group";
            ProviderError::new(ErrorClass::Busy, Self::KIND, message)
        };
        found.ok_or_else(missing)
    }

    fn next_step(
        observed: &Observed<RegisteredTargetsInputs, RegisteredTargetsOutputs>,
        desired: Option<&RegisteredTargetsInputs>,
    ) -> Option<Deregister> {
        // A target that has no port is a function or has that of its group.
        let target = |name: &String| match name.rsplit_once(':') {
            Some((id, port)) => (id.to_owned(), port.parse().ok()),
            None => (name.clone(), None),
        };
        desired.is_none().then(|| Deregister(observed.outputs.targets.iter().map(target).collect()))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &Deregister,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let target = |(id, port): &(String, Option<i64>)| {
            TargetDescription::builder().id(id).set_port(port.map(number)).build()
        };
        let call = client.elb.writes.deregister_targets().target_group_arn(id.as_str());
        let call = call.set_targets(Some(step.0.iter().map(target).collect()));
        call.send().await.map_err(failed(step.operation()))?;
        Ok(None)
    }

    async fn verify(
        client: &Client,
        observed: &Observed<RegisteredTargetsInputs, RegisteredTargetsOutputs>,
        desired: &RegisteredTargetsInputs,
    ) -> Result<Readiness, ProviderError> {
        let (found, wanted) = (&observed.outputs, desired.healthy_targets.unwrap_or(1));
        if let Some(reason) = unhealthy_reason(found.healthy_targets_now, &found.unhealthy_targets, wanted) {
            return Ok(Readiness::Pending(reason));
        }
        match &desired.url {
            Some(url) => {
                let check = desired.check.clone().unwrap_or_default();
                answer::answers(&client.outside, url, &check).await
            }
            None => Ok(Readiness::Ready),
        }
    }

    fn remains(observed: &Observed<RegisteredTargetsInputs, RegisteredTargetsOutputs>) -> Option<String> {
        let targets: Vec<_> = observed.outputs.targets.iter().map(String::as_str).collect();
        Some(format!("until the controller has deregistered {}", targets.join(", ")))
    }

    async fn find(
        client: &Client,
        _: &Intent,
        inputs: &RegisteredTargetsInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let id = RemoteId::new(inputs.target_group_arn.as_str());
        let found = health::of_groups(client, std::slice::from_ref(&id)).await?;
        let is_there = found.values().flatten().any(is_registered);
        Ok(is_there.then_some(id).into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
