//! How the targets of target groups are, in the service's words.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealthDescription};
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;

use crate::client::Client;
use crate::each::each;
use crate::error::failed;

/// Reads the targets of target groups by their ARNs; there is no call for several of them. Groups that are gone are
/// left out.
pub(super) async fn of_groups(
    client: &Client,
    arns: &[RemoteId],
) -> Result<BTreeMap<RemoteId, Vec<TargetHealthDescription>>, ProviderError> {
    each(arns, |arn| async move {
        let call = client.elb.reads.describe_target_health().target_group_arn(arn.as_str());
        let answer = call.send().await.map_err(failed("DescribeTargetHealth"))?;
        Ok(answer.target_health_descriptions().to_vec())
    })
    .await
}

/// Returns the state of a target, such as `healthy`.
pub(super) fn state(target: &TargetHealthDescription) -> &str {
    target.target_health().and_then(|health| health.state()).map_or("unknown", |state| state.as_str())
}

/// Returns the address or id of a target, with its port.
pub(super) fn name(target: &TargetHealthDescription) -> String {
    let id = target.target().and_then(|target| target.id()).unwrap_or("?");
    let port = target.target().and_then(TargetDescription::port);
    port.map_or_else(|| id.to_owned(), |port| format!("{id}:{port}"))
}

/// Says how a target is that is not healthy.
pub(super) fn unhealthy(target: &TargetHealthDescription) -> Option<String> {
    let state = state(target);
    if state == "healthy" {
        return None;
    }
    let health = target.target_health();
    let name = name(target);
    let reason = health.and_then(|health| health.reason()).map(|reason| format!(" {}", reason.as_str()));
    let words = health.and_then(|health| health.description()).map(|words| format!(" ({words})"));
    Some(format!("{name} is {state}{}{}", reason.unwrap_or_default(), words.unwrap_or_default()))
}

/// Says which targets are not healthy, if fewer are than wanted.
pub(super) fn unhealthy_reason(healthy: i64, unhealthy: &[String], wanted: i64) -> Option<String> {
    if healthy >= wanted {
        return None;
    }
    let reasons = match unhealthy {
        [] if healthy == 0 => "no target is registered".to_owned(),
        [] => "no other target is registered".to_owned(),
        reasons => reasons.join(", "),
    };
    Some(format!("{healthy} of {wanted} targets are healthy: {reasons}"))
}
