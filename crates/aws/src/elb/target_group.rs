//! `target_group`: where the connections of listeners go.

mod inputs;
mod listing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::operation::create_target_group::builders::CreateTargetGroupFluentBuilder;
use aws_sdk_elasticloadbalancingv2::types::{
    self, Matcher, ProtocolEnum, TargetGroupAttribute, TargetGroupIpAddressTypeEnum, TargetTypeEnum,
};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Observed, Problem, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{AttributeValue, Attributes};
use straddle_engine::value::{Value, ValueMap};

use super::attribute_values;
use super::tags::TagStep;
use super::{SERVICE, describe, fits, load_balancer, number, ownership, tags};
use crate::client::Client;
use crate::ec2::check::{is_set, problem};
use crate::error::{answered, failed};
use crate::essential;

use inputs::{HealthCheck, NAMES, TargetGroupInputs};
use listing::TargetGroups;

const LAMBDA: &str = "lambda";

/// The kind.
pub(crate) struct TargetGroup;

/// What the service says about a target group.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct TargetGroupOutputs {
    /// The ARN.
    arn: String,
    /// The part of the ARN that names it in metrics: `targetgroup/NAME/ID`.
    arn_suffix: String,
    /// The load balancers that send something here.
    #[attribute(volatile)]
    load_balancer_arns: Option<BTreeSet<String>>,
}

/// A change of a target group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TargetGroupStep {
    SetHealthCheck { check: Box<HealthCheck>, speaks_grpc: bool },
    SetAttributes(BTreeMap<String, String>),
    Tag(TagStep),
    Delete,
}

impl Step for TargetGroupStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::SetHealthCheck { .. } => "ModifyTargetGroup",
            Self::SetAttributes(_) => "ModifyTargetGroupAttributes",
            Self::Tag(step) => step.elb_operation(),
            Self::Delete => "DeleteTargetGroup",
        }
    }
}

impl Resource for TargetGroup {
    const KIND: &'static str = "target_group";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(5),
    };
    const DEPICTION: Depiction = Depiction {
        theme: Theme::Traffic,
        within: &["vpc_id"],
        details: &["target_type"],
        ..Depiction::THING
    };
    const EXAMPLE: &'static str = include_str!("target_group/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["name"];
    const IDENTITY: &'static [&'static str] = &["name"];
    const ID_FORM: &'static str = "arn:*:elasticloadbalancing:*:*:targetgroup/*";
    const ARN: &'static str = "arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{name}/*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&[
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTags",
        ]),
        Need::create(&["elasticloadbalancing:CreateTargetGroup"]).on(&["{arn}"]),
        tags::given_at_birth(&[("elasticloadbalancing:CreateAction", "CreateTargetGroup")]),
        Need::update(&["elasticloadbalancing:ModifyTargetGroup"]).on(&["{arn}"]).changing(&["health_check"]),
        Need::update(&["elasticloadbalancing:ModifyTargetGroupAttributes"]).on(&["{arn}"]).setting(&[
            "deregistration_delay",
            "connection_termination",
            "slow_start",
            "load_balancing_algorithm_type",
            "load_balancing_anomaly_mitigation",
            "load_balancing_cross_zone_enabled",
            "preserve_client_ip",
            "proxy_protocol_v2",
            "lambda_multi_value_headers_enabled",
            "stickiness",
            "attributes",
        ]),
        tags::CHANGED,
        Need::delete(&["elasticloadbalancing:DeleteTargetGroup"]).on(&["{arn}"]),
    ];

    type Inputs = TargetGroupInputs;
    type Outputs = TargetGroupOutputs;
    type Client = Client;
    type Listing = TargetGroups;
    type Step = TargetGroupStep;

    fn essential(found: ValueMap) -> ValueMap {
        let stickiness = found.get("stickiness").and_then(Value::as_map);
        let is_off = stickiness.and_then(|it| it.get("enabled")) == Some(&Value::from(false));
        let surplus: &[&str] = if is_off { &["stickiness"] } else { &[] };
        let found = essential::without(attribute_values::without_free(found), surplus);
        essential::unless_chosen(found, "protocol_version", &[Value::from("HTTP1")])
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let mut found = attribute_values::check_twice(&NAMES, inputs);
        found.extend(load_balancer::check_name(inputs));
        let target_type = inputs.get("target_type").filter(|value| !value.is_null());
        let target_type = target_type.map_or(Some("instance"), Value::as_str);
        for attribute in ["port", "protocol", "vpc_id"] {
            found.extend(match (target_type, is_set(inputs, attribute)) {
                (Some(LAMBDA), true) => Some(of_networks(attribute)),
                (Some(target_type), false) if target_type != LAMBDA => Some(needed(attribute)),
                _ => None,
            });
        }
        found
    }

    fn observe(
        listing: &TargetGroups,
        id: &RemoteId,
    ) -> Option<Observed<TargetGroupInputs, TargetGroupOutputs>> {
        listing.observe(id)
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &TargetGroupInputs,
    ) -> Result<RemoteId, ProviderError> {
        let named = named(client, &inputs.name).await;
        if let Some(arn) = ownership::already_made(client, intent, "CreateTargetGroup", named).await? {
            return Ok(arn);
        }
        let call = client
            .elb
            .writes
            .create_target_group()
            .name(&inputs.name)
            .target_type(TargetTypeEnum::from(inputs.target_type.as_deref().unwrap_or("instance")))
            .set_port(inputs.port.map(number))
            .set_protocol(inputs.protocol.as_deref().map(ProtocolEnum::from))
            .set_protocol_version(inputs.protocol_version.clone())
            .set_vpc_id(inputs.vpc_id.clone())
            .set_ip_address_type(inputs.ip_address_type.as_deref().map(TargetGroupIpAddressTypeEnum::from))
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        let call = match &inputs.health_check {
            None => call,
            Some(check) => with_check(call, check, speaks_grpc(inputs)),
        };
        let answer = call.send().await.map_err(failed("CreateTargetGroup"))?;
        let made = answer.target_groups().first().and_then(types::TargetGroup::target_group_arn);
        answered("CreateTargetGroup", made).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<TargetGroupInputs, TargetGroupOutputs>,
        desired: Option<&TargetGroupInputs>,
    ) -> Option<TargetGroupStep> {
        let Some(desired) = desired else { return Some(TargetGroupStep::Delete) };
        let found = &observed.inputs;
        let attributes = attribute_values::next_change(
            &NAMES,
            &TargetGroupInputs::attributes(),
            &found.to_values(),
            &desired.to_values(),
        );
        health_check_step(found, desired)
            .or_else(|| attributes.map(TargetGroupStep::SetAttributes))
            .or_else(|| tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(TargetGroupStep::Tag))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &TargetGroupStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, operation, arn) = (&client.elb.writes, step.operation(), id.as_str());
        match step {
            TargetGroupStep::SetHealthCheck { check, speaks_grpc } => {
                let call = writes
                    .modify_target_group()
                    .target_group_arn(arn)
                    .set_health_check_enabled(check.enabled)
                    .set_health_check_protocol(check.protocol.as_deref().map(ProtocolEnum::from))
                    .set_health_check_port(check.port.clone())
                    .set_health_check_path(check.path.clone())
                    .set_health_check_interval_seconds(check.interval.map(number))
                    .set_health_check_timeout_seconds(check.timeout.map(number))
                    .set_healthy_threshold_count(check.healthy_threshold.map(number))
                    .set_unhealthy_threshold_count(check.unhealthy_threshold.map(number))
                    .set_matcher(check.matcher.as_deref().map(|codes| matcher(codes, *speaks_grpc)));
                call.send().await.map_err(failed(operation))?;
            }
            TargetGroupStep::SetAttributes(attributes) => {
                let attributes = attributes
                    .iter()
                    .map(|(key, value)| TargetGroupAttribute::builder().key(key).value(value).build())
                    .collect();
                let call = writes.modify_target_group_attributes().target_group_arn(arn);
                call.set_attributes(Some(attributes)).send().await.map_err(failed(operation))?;
            }
            TargetGroupStep::Tag(step) => step.perform_elb(client, id).await?,
            TargetGroupStep::Delete => {
                let call = writes.delete_target_group().target_group_arn(arn);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &TargetGroupInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        ownership::made_by(client, intent, named(client, &inputs.name).await?).await
    }
}

async fn named(client: &Client, name: &str) -> Result<Vec<RemoteId>, ProviderError> {
    let found = describe::target_group_named(client, name).await?;
    Ok(found.iter().filter_map(types::TargetGroup::target_group_arn).map(RemoteId::new).collect())
}

fn needed(attribute: &'static str) -> Problem {
    problem(
        attribute,
        format!("A target group needs `{attribute}` unless its target is a function."),
        "Set it, or write `target_type = \"lambda\"`.",
    )
}

fn of_networks(attribute: &'static str) -> Problem {
    problem(attribute, format!("A target group of a function has no `{attribute}`."), "Remove it.")
}

fn speaks_grpc(inputs: &TargetGroupInputs) -> bool {
    inputs.protocol_version.as_deref() == Some("GRPC")
}

fn matcher(codes: &str, speaks_grpc: bool) -> Matcher {
    let matcher = Matcher::builder();
    if speaks_grpc { matcher.grpc_code(codes) } else { matcher.http_code(codes) }.build()
}

fn with_check(
    call: CreateTargetGroupFluentBuilder,
    check: &HealthCheck,
    speaks_grpc: bool,
) -> CreateTargetGroupFluentBuilder {
    call.set_health_check_enabled(check.enabled)
        .set_health_check_protocol(check.protocol.as_deref().map(ProtocolEnum::from))
        .set_health_check_port(check.port.clone())
        .set_health_check_path(check.path.clone())
        .set_health_check_interval_seconds(check.interval.map(number))
        .set_health_check_timeout_seconds(check.timeout.map(number))
        .set_healthy_threshold_count(check.healthy_threshold.map(number))
        .set_unhealthy_threshold_count(check.unhealthy_threshold.map(number))
        .set_matcher(check.matcher.as_deref().map(|codes| matcher(codes, speaks_grpc)))
}

/// Names the call that sets all of the check that is wanted: its parts have to fit each other.
fn health_check_step(found: &TargetGroupInputs, desired: &TargetGroupInputs) -> Option<TargetGroupStep> {
    let wanted = desired.health_check.as_ref()?;
    let is_right =
        found.health_check.as_ref().is_some_and(|found| fits(&found.to_value(), &wanted.to_value()));
    (!is_right).then(|| TargetGroupStep::SetHealthCheck {
        check: Box::new(wanted.clone()),
        speaks_grpc: speaks_grpc(found),
    })
}

#[cfg(test)]
mod tests;
