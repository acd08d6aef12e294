//! Tests of what is foretold, observed, told and, if asked for, deleted.

use aws_sdk_elasticloadbalancingv2::types::{
    AvailabilityZone, LoadBalancer, LoadBalancerSchemeEnum, LoadBalancerState, LoadBalancerStateEnum,
    TargetDescription, TargetGroup, TargetHealth, TargetHealthDescription, TargetHealthReasonEnum,
    TargetHealthStateEnum, TargetTypeEnum,
};
use straddle_engine::json;
use straddle_engine::value::Value;

use super::listing::{Found, Group};
use super::name::Origin;
use super::*;

type Seen = Observed<IngressLoadBalancerInputs, IngressLoadBalancerOutputs>;

const ARN: &str =
    "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/k8s-game2048-ingress2-1ae88303d5/5";
const NAME: &str = "k8s-game2048-ingress2-1ae88303d5";
const GROUP: &str =
    "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/k8s-game2048-service2-25975f05db/7";

fn origin() -> Origin {
    let [cluster, namespace, ingress] = ["EKSTestDrive", "game-2048", "ingress-2048"].map(str::to_owned);
    Origin { cluster, namespace, ingress, group: None }
}

fn balancer(state: LoadBalancerStateEnum) -> LoadBalancer {
    let zone = |subnet: &str| AvailabilityZone::builder().subnet_id(subnet).build();
    LoadBalancer::builder()
        .load_balancer_arn(ARN)
        .load_balancer_name(NAME)
        .dns_name("k8s-1.us-east-1.elb.amazonaws.com")
        .scheme(LoadBalancerSchemeEnum::InternetFacing)
        .availability_zones(zone("subnet-1"))
        .availability_zones(zone("subnet-2"))
        .security_groups("sg-1")
        .state(LoadBalancerState::builder().code(state).build())
        .build()
}

fn group(states: &[TargetHealthStateEnum]) -> Group {
    let target = |state: &TargetHealthStateEnum| {
        let mut health = TargetHealth::builder().state(state.clone());
        if *state != TargetHealthStateEnum::Healthy {
            health = health.reason(TargetHealthReasonEnum::Timeout).description("Request timed out");
        }
        let target = TargetDescription::builder().id("10.0.2.7").port(80).build();
        TargetHealthDescription::builder().target(target).target_health(health.build()).build()
    };
    let group = TargetGroup::builder()
        .target_group_arn(GROUP)
        .target_group_name("k8s-game2048-service2-25975f05db")
        .target_type(TargetTypeEnum::Ip);
    Group { group: group.build(), health: states.iter().map(target).collect() }
}

fn whole() -> Found {
    Found {
        balancer: Some(balancer(LoadBalancerStateEnum::Active)),
        ports: [80].into(),
        groups: vec![group(&[TargetHealthStateEnum::Healthy])],
        interfaces: ["eni-1".to_owned()].into(),
        ..Found::default()
    }
}

fn observe(found: Found) -> Option<Seen> {
    IngressLoadBalancer::observe(&Remains::of_one(&origin(), found), &origin().id())
}

fn object(annotations: &str) -> ValueMap {
    let text = format!(
        r#"{{"cluster": {{"name": "EKSTestDrive"}}, "kind": "Ingress", "namespace": "game-2048", "name": "ingress-2048",
            "manifest": {{"metadata": {{"annotations": {{{annotations}}}}}}}}}"#
    );
    json::decode(&text).expect("the test writes JSON").as_map().expect("it is a table").clone()
}

fn canonical(object: ValueMap) -> ValueMap {
    let inputs = ValueMap::from([("ingress".to_owned(), Value::Map(object))]);
    inputs::canonical(inputs).unwrap_or_else(|problems| panic!("{problems:?}"))
}

const WALKTHROUGH: &str = r#"
"alb.ingress.kubernetes.io/scheme": "internet-facing",
"alb.ingress.kubernetes.io/target-type": "ip",
"alb.ingress.kubernetes.io/subnets": "subnet-1, subnet-2",
"alb.ingress.kubernetes.io/security-groups": "sg-1"
"#;

fn strings(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_list).into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn the_ingress_foretells_what_is_then_found() {
    let inputs = canonical(object(WALKTHROUGH));
    assert_eq!(inputs["name"].as_str(), Some(NAME));
    assert_eq!(strings(inputs.get("subnets")), ["subnet-1", "subnet-2"]);
    assert_eq!(inputs["ports"], Value::List(vec![Value::Integer(80)]));
    let desired = IngressLoadBalancerInputs::from_values(&inputs).expect("all of it is known");
    assert_eq!(desired.origin(), Some(origin()));
    let seen = observe(whole()).expect("it is there");
    assert_eq!(seen.inputs, desired.clone());
    assert_eq!(seen.readiness, Readiness::Ready);
    assert_eq!(seen.outputs.url.as_deref(), Some("http://k8s-1.us-east-1.elb.amazonaws.com/"));
    let again = inputs::canonical(inputs.clone()).expect("what is whole stays so");
    assert_eq!(again, inputs);
}

#[test]
fn what_the_spec_says_goes_before_what_the_ingress_says() {
    let mut inputs = ValueMap::from([("ingress".to_owned(), Value::Map(object(WALKTHROUGH)))]);
    inputs.insert("name".to_owned(), Value::from("by-hand"));
    let inputs = inputs::canonical(inputs).expect("it is an Ingress");
    assert_eq!(inputs["name"].as_str(), Some("by-hand"));
}

#[test]
fn annotations_mean_what_the_controller_takes_them_for() {
    let told = |annotations: &str, name: &str| canonical(object(annotations)).get(name).cloned();
    let named = |text: &str| Some(Value::from(text));
    assert_eq!(told("", "scheme"), named("internal"));
    assert_eq!(told("", "name"), named("k8s-game2048-ingress2-8a6e09ba2f"));
    assert_eq!(told("", "subnets"), None, "the controller chooses them");
    let alb = "alb.ingress.kubernetes.io";
    assert_eq!(told(&format!(r#""{alb}/subnets": "public-a,public-b""#), "subnets"), None, "these are names");
    assert_eq!(told(&format!(r#""{alb}/load-balancer-name": "shop""#), "name"), named("shop"));
    let group = format!(r#""{alb}/group.name": "shared-alb", "{alb}/scheme": "internet-facing""#);
    assert_eq!(told(&group, "name"), named("k8s-sharedalb-52b297c9d7"));
    let member = |value: Option<Value>| value.and_then(|value| value.as_map()?.get("group").cloned());
    assert_eq!(member(told(&group, "ingress")), named("shared-alb"));
    let ports = |annotation: &str| told(annotation, "ports");
    let list = |ports: &[i64]| Some(Value::List(ports.iter().copied().map(Value::Integer).collect()));
    let both = format!(r#""{alb}/listen-ports": "[{{\"HTTPS\": 443}}, {{\"HTTP\": 8080}}]""#);
    assert_eq!(ports(&both), list(&[443, 8080]));
    assert_eq!(ports(&format!(r#""{alb}/certificate-arn": "arn:aws:acm:1""#)), list(&[443]));
    assert_eq!(ports(&format!(r#""{alb}/listen-ports": "eighty""#)), None);
}

#[test]
fn what_is_not_known_yet_is_foretold_later() {
    let later = || Value::unknown("security_group.alb".parse().expect("an address"), "id");
    let mut unknown_groups = object("");
    let annotations = ValueMap::from([("alb.ingress.kubernetes.io/security-groups".to_owned(), later())]);
    let metadata = ValueMap::from([("annotations".to_owned(), Value::Map(annotations))]);
    let manifest = ValueMap::from([("metadata".to_owned(), Value::Map(metadata))]);
    unknown_groups.insert("manifest".to_owned(), Value::Map(manifest));
    let inputs = canonical(unknown_groups);
    assert_eq!((&inputs["security_groups"], inputs["name"].is_known()), (&later(), true));
    let mut unknown_cluster = object(WALKTHROUGH);
    unknown_cluster.insert("cluster".to_owned(), later());
    let inputs = canonical(unknown_cluster);
    assert_eq!(
        (&inputs["ingress"], &inputs["name"], inputs["scheme"].is_known()),
        (&later(), &later(), true)
    );
    let inputs = inputs::canonical(ValueMap::from([("ingress".to_owned(), later())])).expect("it may be one");
    assert_eq!((&inputs["scheme"], &inputs["subnets"]), (&later(), &later()));
}

#[test]
fn what_is_no_ingress_is_refused() {
    let refused = |value: Value| {
        let problems =
            inputs::canonical(ValueMap::from([("ingress".to_owned(), value)])).expect_err("it is none");
        problems[0].message.clone()
    };
    let mut service = object("");
    service.insert("kind".to_owned(), Value::from("Service"));
    assert!(refused(Value::Map(service)).contains("Service"));
    assert!(refused(Value::from("game-2048/ingress-2048")).contains("no object"));
    let mut nameless = object("");
    nameless.remove("name");
    assert!(refused(Value::Map(nameless)).contains("missing"));
    assert!(refused(Value::Map(ValueMap::new())).contains("missing"));
}

fn unhealthy(outputs: &IngressLoadBalancerOutputs, wanted: i64) -> Option<String> {
    unhealthy_reason(outputs.healthy_targets_now, &outputs.unhealthy_targets, wanted)
}

#[test]
fn it_is_ready_when_it_listens_and_its_targets_are_healthy() {
    let seen = |change: fn(&mut Found)| {
        let mut found = whole();
        change(&mut found);
        observe(found).expect("something is there")
    };
    let provisioning = seen(|found| found.balancer = Some(balancer(LoadBalancerStateEnum::Provisioning)));
    assert_eq!(provisioning.readiness, Readiness::Degraded("provisioning".to_owned()));
    let silent = seen(|found| found.ports.clear());
    assert!(matches!(silent.readiness, Readiness::Degraded(_)));
    let deleted = seen(|found| found.balancer = None);
    assert!(
        matches!(&deleted.readiness, Readiness::Impaired(reason) if reason.contains("the target group k8s-"))
    );
    let sick = seen(|found| found.groups = vec![group(&[TargetHealthStateEnum::Unhealthy])]);
    let reason = unhealthy(&sick.outputs, 1).expect("none is healthy");
    assert_eq!(
        reason,
        "0 of 1 targets are healthy: 10.0.2.7:80 is unhealthy Target.Timeout (Request timed out)"
    );
    assert_eq!(unhealthy(&seen(|_| {}).outputs, 1), None);
    let empty = seen(|found| found.groups = vec![group(&[])]);
    assert!(unhealthy(&empty.outputs, 1).is_some_and(|reason| reason.ends_with("no target is registered")));
}

#[test]
fn it_is_gone_when_nothing_of_it_is_left() {
    let only = |change: fn(&mut Found)| {
        let mut found = Found::default();
        change(&mut found);
        observe(found)
    };
    assert_eq!(only(|_| {}), None);
    let interface =
        only(|found| found.interfaces.extend(["eni-1".to_owned()])).expect("an interface is left");
    let words = IngressLoadBalancer::remains(&interface).expect("it says so");
    assert!(words.contains("the network interface eni-1"), "{words}");
    assert!(only(|found| found.groups = vec![group(&[])]).is_some());
    assert!(only(|found| found.security_groups.extend(["sg-9".to_owned()])).is_some());
    let shared = only(|found| {
        found.balancer = Some(balancer(LoadBalancerStateEnum::Active));
        found.is_shared = true;
    });
    assert_eq!(shared, None, "others use the load balancer");
}

#[test]
fn what_is_asked_for_is_deleted_in_order_and_nothing_else() {
    let step = |change: fn(&mut Found)| {
        let mut found = whole();
        change(&mut found);
        IngressLoadBalancer::next_step(&observe(found).expect("something is there"), None)
    };
    let desired =
        IngressLoadBalancerInputs::from_values(&canonical(object(WALKTHROUGH))).expect("it is known");
    let seen = observe(whole()).expect("it is there");
    assert_eq!(IngressLoadBalancer::next_step(&seen, Some(&desired)), None);
    assert_eq!(
        step(|found| found.is_protected = true),
        Some(IngressLoadBalancerStep::Unprotect(ARN.to_owned()))
    );
    assert_eq!(step(|_| {}), Some(IngressLoadBalancerStep::DeleteBalancer(ARN.to_owned())));
    assert_eq!(
        step(|found| found.balancer = None),
        Some(IngressLoadBalancerStep::DeleteGroup(GROUP.to_owned()))
    );
    let left = |found: &mut Found| {
        found.balancer = None;
        found.groups.clear();
        found.security_groups.insert("sg-9".to_owned());
    };
    let mut held = whole();
    left(&mut held);
    let waiting = observe(held).expect("an interface is left");
    assert_eq!(IngressLoadBalancer::next_step(&waiting, None), None, "an interface still uses the group");
    let mut free = whole();
    left(&mut free);
    free.interfaces.clear();
    let freed = observe(free).expect("the group is left");
    let expected = Some(IngressLoadBalancerStep::DeleteSecurityGroup("sg-9".to_owned()));
    assert_eq!(IngressLoadBalancer::next_step(&freed, None), expected);
    assert_eq!(step(|found| found.is_shared = true), None);
}

#[test]
fn what_is_missing_is_told() {
    let desired =
        IngressLoadBalancerInputs::from_values(&canonical(object(WALKTHROUGH))).expect("it is known");
    assert!(missing(&desired, None).contains(NAME));
    let denied = observe(Found { groups: vec![group(&[])], ..Found::default() });
    let words = missing(&desired, denied.as_ref());
    assert!(words.contains("may not be allowed to make it"), "{words}");
}
