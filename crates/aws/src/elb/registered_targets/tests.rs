//! What is observed of targets, and what an object has to be that ties them.

use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealth, TargetHealthDescription, TargetHealthReasonEnum, TargetHealthStateEnum,
};
use straddle_engine::address::{Address, RemoteId};
use straddle_engine::value::{Value, ValueMap};

use super::*;

const GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/1";

fn target(
    id: &str,
    state: TargetHealthStateEnum,
    reason: Option<TargetHealthReasonEnum>,
) -> TargetHealthDescription {
    TargetHealthDescription::builder()
        .target(TargetDescription::builder().id(id).port(80).build())
        .target_health(TargetHealth::builder().state(state).set_reason(reason).build())
        .build()
}

fn observe(
    targets: Vec<TargetHealthDescription>,
) -> Option<Observed<RegisteredTargetsInputs, RegisteredTargetsOutputs>> {
    Registered::of_one(GROUP, targets).observe(&RemoteId::new(GROUP))
}

#[test]
fn targets_that_are_on_their_way_out_are_gone() {
    let draining = || target("10.0.0.1", TargetHealthStateEnum::Draining, None);
    assert!(observe(Vec::new()).is_none());
    assert!(observe(vec![draining()]).is_none());
    let timeout = Some(TargetHealthReasonEnum::Timeout);
    let ill = target("10.0.0.2", TargetHealthStateEnum::Unhealthy, timeout);
    let healthy = target("10.0.0.3", TargetHealthStateEnum::Healthy, None);
    let found = observe(vec![draining(), ill, healthy]).expect("two are there");
    assert_eq!(found.outputs.targets, ["10.0.0.2:80".to_owned(), "10.0.0.3:80".to_owned()].into());
    let found = &found.outputs;
    let reason = unhealthy_reason(found.healthy_targets_now, &found.unhealthy_targets, 2);
    let expected = "1 of 2 targets are healthy: 10.0.0.2:80 is unhealthy Target.Timeout";
    assert_eq!(reason.as_deref(), Some(expected));
    assert_eq!(
        unhealthy_reason(1, &[], 2).as_deref(),
        Some("1 of 2 targets are healthy: no other target is registered")
    );
}

#[test]
fn they_are_deregistered_only_towards_the_end() {
    let found =
        observe(vec![target("10.0.0.3", TargetHealthStateEnum::Healthy, None)]).expect("one is there");
    assert_eq!(RegisteredTargets::next_step(&found, Some(&found.inputs)), None);
    let step = RegisteredTargets::next_step(&found, None);
    assert_eq!(step, Some(Deregister(vec![("10.0.0.3".to_owned(), Some(80))])));
    let remains = RegisteredTargets::remains(&found);
    assert_eq!(remains.as_deref(), Some("until the controller has deregistered 10.0.0.3:80"));
}

fn binding(members: &[(&str, Value)]) -> ValueMap {
    let object = members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    [("binding".to_owned(), Value::Map(object))].into()
}

#[test]
fn of_an_object_only_counts_which_one_it_is() {
    let uid = Value::unknown(Address::new("kubernetes_object", "web"), "uid");
    let cluster =
        Value::Map([("name".to_owned(), Value::from("shop")), ("endpoint".to_owned(), uid.clone())].into());
    let named = [("namespace", Value::from("front")), ("name", Value::from("web"))];
    let whole: Vec<_> = named
        .clone()
        .into_iter()
        .chain([("cluster", cluster), ("uid", uid), ("kind", Value::from("TargetGroupBinding"))])
        .collect();
    let canonical = inputs::canonical(binding(&whole)).expect("it is one");
    let short: Vec<_> = named.into_iter().chain([("cluster", Value::from("shop"))]).collect();
    assert_eq!(canonical, binding(&short));
    assert_eq!(inputs::canonical(canonical.clone()).ok(), Some(canonical), "it stays as it is");
    for wrong in [
        binding(&[("name", Value::from("web"))]),
        binding(&[("kind", Value::from("Ingress"))]),
        [("binding".to_owned(), Value::from("web"))].into(),
    ] {
        let problems = inputs::canonical(wrong).expect_err("it is none");
        assert!(problems[0].message.starts_with("This is no TargetGroupBinding: it"), "{problems:?}");
    }
}
