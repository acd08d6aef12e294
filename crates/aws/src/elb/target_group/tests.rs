//! Tests of the steps, the observation and the checks of `target_group`.

use super::inputs::Stickiness;
use super::*;

type Seen = Observed<TargetGroupInputs, TargetGroupOutputs>;

const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/73e2d6bc24d8a067";

fn observe(protocol_version: &str) -> Seen {
    let group = types::TargetGroup::builder()
        .target_group_arn(ARN)
        .target_group_name("web")
        .protocol(ProtocolEnum::Http)
        .protocol_version(protocol_version)
        .port(80)
        .health_check_path("/")
        .health_check_interval_seconds(30)
        .health_check_timeout_seconds(5)
        .matcher(matcher("200", protocol_version == "GRPC"))
        .load_balancer_arns("arn:lb")
        .build();
    let attributes = [("stickiness.enabled", "false"), ("deregistration_delay.timeout_seconds", "300")];
    let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let listing = TargetGroups::of_one(group, attributes);
    TargetGroup::observe(&listing, &RemoteId::new(ARN)).expect("it is listed")
}

fn step_for(observed: &Seen, desired: &TargetGroupInputs) -> Option<TargetGroupStep> {
    TargetGroup::next_step(observed, Some(desired))
}

fn with_check(check: HealthCheck) -> TargetGroupInputs {
    TargetGroupInputs { health_check: Some(check), ..TargetGroupInputs::default() }
}

#[test]
fn only_what_is_wanted_of_the_check_counts() {
    let observed = observe("HTTP1");
    let wanted = HealthCheck { path: Some("/".to_owned()), interval: Some(30), ..HealthCheck::default() };
    assert_eq!(step_for(&observed, &with_check(wanted.clone())), None);
    let wanted = HealthCheck { path: Some("/healthz".to_owned()), ..wanted };
    let step = |speaks_grpc| TargetGroupStep::SetHealthCheck { check: Box::new(wanted.clone()), speaks_grpc };
    assert_eq!(step_for(&observed, &with_check(wanted.clone())), Some(step(false)));
    assert_eq!(step_for(&observe("GRPC"), &with_check(wanted.clone())), Some(step(true)));
}

#[test]
fn the_answers_that_are_good_are_read_from_both_protocols() {
    for version in ["HTTP1", "GRPC"] {
        let check = observe(version).inputs.health_check.expect("it has one");
        assert_eq!(check.matcher.as_deref(), Some("200"), "{version}");
    }
}

#[test]
fn attributes_are_changed_under_their_keys() {
    let stickiness =
        Stickiness { enabled: Some(true), r#type: Some("source_ip".to_owned()), ..Stickiness::default() };
    let desired = TargetGroupInputs {
        stickiness: Some(stickiness),
        deregistration_delay: Some(300),
        ..TargetGroupInputs::default()
    };
    let changes = [("stickiness.enabled", "true"), ("stickiness.type", "source_ip")];
    let changes = changes.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    assert_eq!(step_for(&observe("HTTP1"), &desired), Some(TargetGroupStep::SetAttributes(changes)));
}

#[test]
fn outputs_are_as_metrics_and_listeners_need_them() {
    let outputs = observe("HTTP1").outputs;
    assert_eq!(outputs.arn_suffix, "targetgroup/web/73e2d6bc24d8a067");
    assert_eq!(outputs.load_balancer_arns, Some(["arn:lb".to_owned()].into()));
}

#[test]
fn a_function_has_no_port_and_everything_else_needs_one() {
    let wrong = |inputs: TargetGroupInputs| -> Vec<&str> {
        TargetGroup::check(&inputs.to_values()).into_iter().map(|problem| problem.attribute).collect()
    };
    let named = |target_type: Option<&str>, port| TargetGroupInputs {
        name: "web".to_owned(),
        target_type: target_type.map(str::to_owned),
        port,
        ..TargetGroupInputs::default()
    };
    assert_eq!(wrong(named(None, Some(80))), ["protocol", "vpc_id"]);
    assert_eq!(wrong(named(Some("ip"), None)), ["port", "protocol", "vpc_id"]);
    assert_eq!(wrong(named(Some(LAMBDA), Some(80))), ["port"]);
    assert_eq!(wrong(named(Some(LAMBDA), None)), Vec::<&str>::new());
}
