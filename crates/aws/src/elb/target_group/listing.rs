//! What the service says about target groups, with their attributes and tags.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    self, Matcher, ProtocolEnum, TargetGroupAttribute, TargetGroupIpAddressTypeEnum, TargetTypeEnum,
};
use futures::future::try_join;
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Listing, Observed, Readiness};
use straddle_engine::schema::{Attributes, Tags};

use super::super::{arn_suffix, attribute_values, describe, tags};
use super::TargetGroupOutputs;
use super::inputs::{HealthCheck, NAMES, TargetGroupInputs};
use crate::client::Client;
use crate::each::each;
use crate::error::failed;

/// Target groups, with their attributes and tags.
pub(crate) struct TargetGroups {
    groups: BTreeMap<RemoteId, types::TargetGroup>,
    attributes: BTreeMap<RemoteId, BTreeMap<String, String>>,
    tags: BTreeMap<RemoteId, Tags>,
}

impl Listing for TargetGroups {
    type Client = Client;

    /// Attributes have no call for several target groups.
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let groups = describe::target_groups(client, ids).await?;
        let groups: BTreeMap<_, _> = groups
            .into_iter()
            .filter_map(|group| Some((RemoteId::new(group.target_group_arn()?), group)))
            .collect();
        let arns: Vec<_> = groups.keys().cloned().collect();
        let attributes = each(&arns, |arn| attributes(client, arn));
        let (attributes, tags) = try_join(attributes, tags::of(client, arns.clone())).await?;
        Ok(Self { groups, attributes, tags })
    }
}

async fn attributes(client: &Client, arn: RemoteId) -> Result<BTreeMap<String, String>, ProviderError> {
    let call = client.elb.reads.describe_target_group_attributes().target_group_arn(arn.as_str());
    let answer = call.send().await.map_err(failed("DescribeTargetGroupAttributes"))?;
    let attribute = |attribute: &TargetGroupAttribute| {
        Some((attribute.key()?.to_owned(), attribute.value().unwrap_or_default().to_owned()))
    };
    Ok(answer.attributes().iter().filter_map(attribute).collect())
}

impl TargetGroups {
    #[cfg(test)]
    pub(super) fn of_one(group: types::TargetGroup, attributes: BTreeMap<String, String>) -> Self {
        let arn = RemoteId::new(group.target_group_arn().expect("the test gives it one"));
        Self {
            groups: [(arn.clone(), group)].into(),
            attributes: [(arn.clone(), attributes)].into(),
            tags: [(arn, Tags::default())].into(),
        }
    }

    /// Returns what was found; `None` also for one that has gone while it was read.
    pub(super) fn observe(&self, id: &RemoteId) -> Option<Observed<TargetGroupInputs, TargetGroupOutputs>> {
        let group = self.groups.get(id)?;
        let mut inputs = observed_inputs(group, self.tags.get(id)?).to_values();
        let attributes = self.attributes.get(id)?;
        attribute_values::put(&NAMES, &TargetGroupInputs::attributes(), attributes, &mut inputs);
        Some(Observed {
            inputs: TargetGroupInputs::from_values(&inputs)
                .expect("values are put in with the types of their attributes"),
            outputs: TargetGroupOutputs {
                arn: id.as_str().to_owned(),
                // As metrics have it, the suffix of a target group begins with the word itself.
                arn_suffix: format!("targetgroup/{}", arn_suffix(id.as_str(), ":targetgroup/")),
                load_balancer_arns: Some(group.load_balancer_arns().iter().cloned().collect()),
            },
            readiness: Readiness::Ready,
        })
    }
}

fn observed_inputs(group: &types::TargetGroup, tags: &Tags) -> TargetGroupInputs {
    let text = |part: Option<&str>| part.map(str::to_owned);
    TargetGroupInputs {
        name: group.target_group_name().unwrap_or_default().to_owned(),
        target_type: Some(group.target_type().map_or("instance", TargetTypeEnum::as_str).to_owned()),
        port: group.port().map(i64::from),
        protocol: text(group.protocol().map(ProtocolEnum::as_str)),
        protocol_version: text(group.protocol_version()),
        vpc_id: text(group.vpc_id()),
        ip_address_type: Some(
            group.ip_address_type().map_or("ipv4", TargetGroupIpAddressTypeEnum::as_str).to_owned(),
        ),
        health_check: Some(observed_check(group)),
        tags: Some(tags.clone()),
        ..TargetGroupInputs::default()
    }
}

fn observed_check(group: &types::TargetGroup) -> HealthCheck {
    let codes = group.matcher().and_then(|matcher: &Matcher| matcher.http_code().or(matcher.grpc_code()));
    HealthCheck {
        enabled: group.health_check_enabled(),
        protocol: group.health_check_protocol().map(|protocol| protocol.as_str().to_owned()),
        port: group.health_check_port().map(str::to_owned),
        path: group.health_check_path().map(str::to_owned),
        interval: group.health_check_interval_seconds().map(i64::from),
        timeout: group.health_check_timeout_seconds().map(i64::from),
        healthy_threshold: group.healthy_threshold_count().map(i64::from),
        unhealthy_threshold: group.unhealthy_threshold_count().map(i64::from),
        matcher: codes.map(str::to_owned),
    }
}
