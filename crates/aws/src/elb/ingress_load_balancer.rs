//! `ingress_load_balancer`: the load balancer that a controller in a cluster makes of an Ingress.

mod annotations;
mod inputs;
mod listing;
mod name;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::LoadBalancerAttribute;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Home, Intent, Listing, MadeByOthers, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource,
    Step, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;
use straddle_engine::value::ValueMap;

use super::health::unhealthy_reason;
use super::{SERVICE, answer};
use crate::client::Client;
use crate::error::failed;

use inputs::IngressLoadBalancerInputs;
use listing::Remains;

/// The attribute that keeps a load balancer from being deleted.
const DELETION_PROTECTION: &str = "deletion_protection.enabled";

/// The kind.
pub(crate) struct IngressLoadBalancer;

/// What there is of it.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct IngressLoadBalancerOutputs {
    /// The ARN of the load balancer.
    #[attribute(volatile)]
    arn: Option<String>,
    /// The name under which it is reached.
    #[attribute(volatile)]
    dns_name: Option<String>,
    /// The address under which it is reached: by HTTP if it listens on port 80.
    #[attribute(volatile)]
    url: Option<String>,
    /// The hosted zone of its name, for alias records.
    #[attribute(volatile)]
    zone_id: Option<String>,
    /// The VPC that it stands in.
    #[attribute(volatile)]
    vpc_id: Option<String>,
    /// Whether it is protected against deletion.
    #[attribute(volatile)]
    deletion_protection: bool,
    /// Whether other Ingresses of its group use it too.
    #[attribute(volatile)]
    shared: bool,
    /// How many of its targets are healthy.
    #[attribute(volatile)]
    healthy_targets_now: i64,
    /// Those that are not, each with the reason that the service gives.
    #[attribute(volatile)]
    unhealthy_targets: Vec<String>,
    /// The ARNs of its target groups.
    #[attribute(volatile)]
    target_groups: BTreeSet<String>,
    /// The security groups that the controller made for it.
    #[attribute(volatile)]
    made_security_groups: BTreeSet<String>,
    /// The ids of its network interfaces.
    #[attribute(volatile)]
    interfaces: BTreeSet<String>,
    /// Everything that there is of it, in words.
    #[attribute(volatile)]
    parts: Vec<String>,
}

/// What is deleted only if the user asks for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum IngressLoadBalancerStep {
    Unprotect(String),
    DeleteBalancer(String),
    DeleteGroup(String),
    DeleteSecurityGroup(String),
}

impl Step for IngressLoadBalancerStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Unprotect(_) => "ModifyLoadBalancerAttributes",
            Self::DeleteBalancer(_) => "DeleteLoadBalancer",
            Self::DeleteGroup(_) => "DeleteTargetGroup",
            Self::DeleteSecurityGroup(_) => "DeleteSecurityGroup",
        }
    }
}

const ADVICE_MISSING: &str = "\
Look at the events of the Ingress (`kubectl describe ingress`) and at the log of the controller: it says there what \
it lacks, most often a permission, a trust that its role does not have, or a subnet. It notices a change in AWS alone \
only at its next try, and one that was deleted only when the Ingress changes or it is started again. Then apply again.";

const ADVICE_LEFT: &str = "\
The controller has not taken it away: it may not run, or its role may not be allowed to any more; nothing that it \
stands on was removed. Look at its log and apply the spec again to bring back what it needs, or run \
`straddle destroy --force-load-balancers`, which deletes the load balancer and its target groups itself.";

impl Resource for IngressLoadBalancer {
    const KIND: &'static str = "ingress_load_balancer";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(15),
        poll: Duration::from_secs(10),
    };
    const DEPICTION: Depiction = Depiction {
        title: "load balancer",
        theme: Theme::Traffic,
        within: &["subnets"],
        details: &["scheme"],
        arrows: &[
            Arrow::new(Relation::Traffic, End::Doors, End::Itself),
            Arrow::new(Relation::Traffic, End::Itself, End::Makers),
        ],
        ..Depiction::THING
    };
    const MADE_BY: Option<MadeByOthers> = Some(MadeByOthers {
        of: &["kubernetes_object"],
        advice_missing: ADVICE_MISSING,
        advice_left: ADVICE_LEFT,
    });
    const EXAMPLE: &'static str = include_str!("ingress_load_balancer/example.toml");
    const IDENTITY: &'static [&'static str] = &["ingress"];
    const ID_FORM: &'static str = "*/*/*";
    const ARN: &'static str =
        "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name|*}/*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&[
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:DescribeTags",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
        ]),
        Need::delete(&[
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            "elasticloadbalancing:DeleteLoadBalancer",
        ])
        .on(&["{arn}"]),
        Need::delete(&["elasticloadbalancing:DeleteTargetGroup"])
            .on(&["arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/k8s-*"]),
        Need::delete(&["ec2:DeleteSecurityGroup"])
            .on(&["arn:{partition}:ec2:{region}:{account}:security-group/*"]),
    ];

    type Inputs = IngressLoadBalancerInputs;
    type Outputs = IngressLoadBalancerOutputs;
    type Client = Client;
    type Listing = Remains;
    type Step = IngressLoadBalancerStep;

    fn canonical(_: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        inputs::canonical(inputs)
    }

    fn observe(
        listing: &Remains,
        id: &RemoteId,
    ) -> Option<Observed<IngressLoadBalancerInputs, IngressLoadBalancerOutputs>> {
        listing.observe(id)
    }

    async fn create(
        client: &Client,
        _: &Intent,
        inputs: &IngressLoadBalancerInputs,
    ) -> Result<RemoteId, ProviderError> {
        let (id, there) = look(client, inputs).await?;
        match there {
            Some(found) if found.outputs.arn.is_some() => Ok(id),
            found => Err(ProviderError::new(ErrorClass::Busy, Self::KIND, missing(inputs, found.as_ref()))),
        }
    }

    fn next_step(
        observed: &Observed<IngressLoadBalancerInputs, IngressLoadBalancerOutputs>,
        desired: Option<&IngressLoadBalancerInputs>,
    ) -> Option<IngressLoadBalancerStep> {
        let found = &observed.outputs;
        // What other Ingresses use too is not ours to delete, and its target groups are in use.
        if desired.is_some() || found.shared {
            return None;
        }
        if let Some(arn) = found.arn.clone() {
            let protected = found.deletion_protection;
            let step = if protected {
                IngressLoadBalancerStep::Unprotect
            } else {
                IngressLoadBalancerStep::DeleteBalancer
            };
            return Some(step(arn));
        }
        let group = found.target_groups.first().cloned().map(IngressLoadBalancerStep::DeleteGroup);
        let free = found.interfaces.is_empty();
        let made = found.made_security_groups.first().filter(|_| free).cloned();
        group.or_else(|| made.map(IngressLoadBalancerStep::DeleteSecurityGroup))
    }

    async fn perform(
        client: &Client,
        _: &RemoteId,
        step: &IngressLoadBalancerStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, operation) = (&client.elb.writes, step.operation());
        match step {
            IngressLoadBalancerStep::Unprotect(arn) => {
                let off = LoadBalancerAttribute::builder().key(DELETION_PROTECTION).value("false").build();
                let call = writes.modify_load_balancer_attributes().load_balancer_arn(arn).attributes(off);
                call.send().await.map_err(failed(operation))?;
            }
            IngressLoadBalancerStep::DeleteBalancer(arn) => {
                let call = writes.delete_load_balancer().load_balancer_arn(arn);
                call.send().await.map_err(failed(operation))?;
            }
            IngressLoadBalancerStep::DeleteGroup(arn) => {
                let call = writes.delete_target_group().target_group_arn(arn);
                call.send().await.map_err(failed(operation))?;
            }
            IngressLoadBalancerStep::DeleteSecurityGroup(id) => {
                let call = client.ec2.writes.delete_security_group().group_id(id);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn verify(
        client: &Client,
        observed: &Observed<IngressLoadBalancerInputs, IngressLoadBalancerOutputs>,
        desired: &IngressLoadBalancerInputs,
    ) -> Result<Readiness, ProviderError> {
        let wanted = desired.healthy_targets.unwrap_or(1);
        let found = &observed.outputs;
        if let Some(reason) = unhealthy_reason(found.healthy_targets_now, &found.unhealthy_targets, wanted) {
            return Ok(Readiness::Pending(reason));
        }
        match (&desired.check, &observed.outputs.url) {
            (Some(check), Some(url)) => answer::answers(&client.outside, url, check).await,
            (Some(_), None) => Ok(Readiness::Pending("it has no name to be asked by".to_owned())),
            (None, _) => Ok(Readiness::Ready),
        }
    }

    fn remains(observed: &Observed<IngressLoadBalancerInputs, IngressLoadBalancerOutputs>) -> Option<String> {
        let parts = observed.outputs.parts.join(", ");
        let protected =
            if observed.outputs.deletion_protection { "; it is protected against deletion" } else { "" };
        Some(format!("until the controller has removed {parts}{protected}"))
    }

    async fn find(
        client: &Client,
        _: &Intent,
        inputs: &IngressLoadBalancerInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let (id, there) = look(client, inputs).await?;
        Ok(there.map(|_| id).into_iter().collect())
    }
}

/// Reads what there is of an Ingress.
async fn look(
    client: &Client,
    inputs: &IngressLoadBalancerInputs,
) -> Result<(RemoteId, Option<Observed<IngressLoadBalancerInputs, IngressLoadBalancerOutputs>>), ProviderError>
{
    let message = "the Ingress has no cluster, no namespace or no name";
    let nameless = || ProviderError::new(ErrorClass::Rejected, IngressLoadBalancer::KIND, message);
    let id = inputs.origin().ok_or_else(nameless)?.id();
    let listing = Remains::fetch(client, std::slice::from_ref(&id)).await?;
    let found = listing.observe(&id);
    Ok((id, found))
}

/// Says what is missing as long as there is no load balancer.
fn missing(
    inputs: &IngressLoadBalancerInputs,
    found: Option<&Observed<IngressLoadBalancerInputs, IngressLoadBalancerOutputs>>,
) -> String {
    let name = inputs.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let Some(found) = found.filter(|found| !found.outputs.parts.is_empty()) else {
        return format!("the controller has made nothing yet, the load balancer{name} is missing");
    };
    // It makes target groups before the load balancer.
    let parts = found.outputs.parts.join(", ");
    format!(
        "the load balancer{name} is missing, and there is {parts}: the controller may not be allowed to make it"
    )
}

#[cfg(test)]
mod tests;
