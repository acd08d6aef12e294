//! Tests of the steps, the observation and the checks of `load_balancer`.

use aws_sdk_elasticloadbalancingv2::types::{AvailabilityZone, LoadBalancerState, LoadBalancerStateEnum};
use straddle_engine::resource::{OPERATION_TAG, Readiness};
use straddle_engine::schema::Tags;

use super::*;
use crate::testing::{Asked, answered_by, intent};

type Seen = Observed<LoadBalancerInputs, LoadBalancerOutputs>;

const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188";

fn builder() -> types::builders::LoadBalancerBuilder {
    let zone = |subnet: &str| AvailabilityZone::builder().subnet_id(subnet).build();
    types::LoadBalancer::builder()
        .load_balancer_arn(ARN)
        .load_balancer_name("web")
        .dns_name("web-1.us-east-1.elb.amazonaws.com")
        .scheme(LoadBalancerSchemeEnum::InternetFacing)
        .r#type(LoadBalancerTypeEnum::Application)
        .availability_zones(zone("subnet-1"))
        .availability_zones(zone("subnet-2"))
        .security_groups("sg-1")
        .state(LoadBalancerState::builder().code(LoadBalancerStateEnum::Active).build())
}

fn observe_with<const N: usize>(balancer: types::LoadBalancer, attributes: [(&str, &str); N]) -> Seen {
    let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let listing = LoadBalancers::of_one(balancer, attributes, Tags::default());
    LoadBalancer::observe(&listing, &RemoteId::new(ARN)).expect("it is listed")
}

fn step_for(observed: &Seen, change: impl FnOnce(&mut LoadBalancerInputs)) -> Option<LoadBalancerStep> {
    let mut desired = observed.inputs.clone();
    change(&mut desired);
    LoadBalancer::next_step(observed, Some(&desired))
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

fn mapping(subnet: &str, allocation: Option<&str>) -> SubnetMapping {
    SubnetMapping {
        subnet_id: subnet.to_owned(),
        allocation_id: allocation.map(str::to_owned),
        ..SubnetMapping::default()
    }
}

#[test]
fn each_change_is_one_call() {
    let observed = observe_with(builder().build(), [("idle_timeout.timeout_seconds", "60")]);
    assert_eq!(step_for(&observed, |_| ()), None);
    let subnets = [mapping("subnet-1", None), mapping("subnet-3", None)];
    assert_eq!(
        step_for(&observed, |balancer| {
            balancer.subnets = Some(set(["subnet-1", "subnet-3"]));
            balancer.subnet_mappings = None;
        }),
        Some(LoadBalancerStep::SetSubnets(subnets.into()))
    );
    assert_eq!(
        step_for(&observed, |balancer| balancer.ip_address_type = Some("dualstack".to_owned())),
        Some(LoadBalancerStep::SetIpAddressType("dualstack".to_owned()))
    );
    assert_eq!(
        step_for(&observed, |balancer| balancer.security_groups = Some(set(["sg-2"]))),
        Some(LoadBalancerStep::SetSecurityGroups { groups: set(["sg-2"]), on_private_link: None })
    );
    let attributes = BTreeMap::from([("idle_timeout.timeout_seconds".to_owned(), "5".to_owned())]);
    assert_eq!(
        step_for(&observed, |balancer| balancer.idle_timeout = Some(5)),
        Some(LoadBalancerStep::SetAttributes(attributes))
    );
}

#[test]
fn addresses_in_subnets_that_stay_are_kept() {
    let address = types::LoadBalancerAddress::builder().allocation_id("eipalloc-1").build();
    let zone = AvailabilityZone::builder().subnet_id("subnet-9").load_balancer_addresses(address).build();
    let observed = observe_with(builder().availability_zones(zone).build(), []);
    let kept = [mapping("subnet-9", Some("eipalloc-1"))];
    assert_eq!(
        step_for(&observed, |balancer| {
            balancer.subnets = Some(set(["subnet-9"]));
            balancer.subnet_mappings = None;
        }),
        Some(LoadBalancerStep::SetSubnets(kept.into()))
    );
}

#[test]
fn protection_goes_before_the_load_balancer() {
    let protected = observe_with(builder().build(), [(DELETION_PROTECTION, "true")]);
    assert_eq!(LoadBalancer::next_step(&protected, None), Some(without_protection()));
    let free = observe_with(builder().build(), [(DELETION_PROTECTION, "false")]);
    assert_eq!(LoadBalancer::next_step(&free, None), Some(LoadBalancerStep::Delete));
}

#[test]
fn states_tell_whether_it_takes_connections() {
    let readiness = |code, reason: Option<&str>| {
        let state = LoadBalancerState::builder().code(code).set_reason(reason.map(str::to_owned)).build();
        observe_with(builder().state(state).build(), []).readiness
    };
    assert_eq!(readiness(LoadBalancerStateEnum::Active, None), Readiness::Ready);
    assert_eq!(readiness(LoadBalancerStateEnum::ActiveImpaired, None), Readiness::Ready);
    let pending = Readiness::Pending("provisioning".to_owned());
    assert_eq!(readiness(LoadBalancerStateEnum::Provisioning, None), pending);
    let failed = Readiness::Failed("failed: no addresses left".to_owned());
    assert_eq!(readiness(LoadBalancerStateEnum::Failed, Some("no addresses left")), failed);
}

#[test]
fn groups_of_a_network_load_balancer_neither_come_nor_go() {
    let replaces = |sort: &str, before: &[&str], after: &[&str]| {
        let observed = ValueMap::from([("load_balancer_type".to_owned(), Value::from(sort))]);
        let groups = |groups: &[&str]| Value::from(groups.to_vec());
        LoadBalancer::must_replace_in(&observed, "security_groups", &groups(before), &groups(after))
    };
    assert!(replaces(NETWORK, &[], &["sg-1"]));
    assert!(replaces(NETWORK, &["sg-1"], &[]));
    assert!(!replaces(NETWORK, &["sg-1"], &["sg-2"]));
    assert!(!replaces(APPLICATION, &[], &["sg-1"]));
}

#[test]
fn what_does_not_go_together_is_a_problem() {
    let wrong = |inputs: LoadBalancerInputs| -> Vec<&str> {
        LoadBalancer::check(&inputs.to_values()).into_iter().map(|problem| problem.attribute).collect()
    };
    let right = LoadBalancerInputs {
        name: "web".to_owned(),
        subnets: Some(set(["subnet-1", "subnet-2"])),
        ..LoadBalancerInputs::default()
    };
    assert_eq!(wrong(right.clone()), Vec::<&str>::new());
    assert_eq!(wrong(LoadBalancerInputs { name: "-web".to_owned(), ..right.clone() }), ["name"]);
    assert_eq!(wrong(LoadBalancerInputs { subnets: Some(set(["subnet-1"])), ..right.clone() }), ["subnets"]);
    assert_eq!(wrong(LoadBalancerInputs { subnets: None, ..right.clone() }), ["subnets"]);
    let mappings = Some([mapping("subnet-1", None)].into());
    let network = Some(NETWORK.to_owned());
    let of_network = LoadBalancerInputs {
        subnets: None,
        subnet_mappings: mappings,
        load_balancer_type: network.clone(),
        ..right.clone()
    };
    assert_eq!(wrong(of_network.clone()), Vec::<&str>::new());
    assert_eq!(wrong(LoadBalancerInputs { load_balancer_type: None, ..of_network }), ["subnet_mappings"]);
    let idle = LoadBalancerInputs { idle_timeout: Some(5), load_balancer_type: network, ..right };
    assert_eq!(wrong(idle), ["idle_timeout"]);
}

/// Answers for an account in which a load balancer `web` exists whose operation's tag is this.
fn existing(asked: &Asked, operation_id: &str) -> String {
    let member = if asked.body.contains("Action=DescribeTags") {
        format!(
            "<DescribeTagsResponse><DescribeTagsResult><TagDescriptions><member><ResourceArn>{ARN}</ResourceArn>\
             <Tags><member><Key>{OPERATION_TAG}</Key><Value>{operation_id}</Value></member></Tags></member>\
             </TagDescriptions></DescribeTagsResult></DescribeTagsResponse>"
        )
    } else {
        format!(
            "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers><member>\
             <LoadBalancerArn>{ARN}</LoadBalancerArn></member></LoadBalancers></DescribeLoadBalancersResult>\
             </DescribeLoadBalancersResponse>"
        )
    };
    member.clone()
}

/// Creates a load balancer where one of its name exists. Returns what came of it, and the calls.
async fn create_where_one_exists(
    operation_id: &'static str,
) -> (Result<RemoteId, ProviderError>, Vec<String>) {
    let inputs = LoadBalancerInputs { name: "web".to_owned(), ..LoadBalancerInputs::default() };
    let create =
        async |client: &Client| LoadBalancer::create(client, &intent("load_balancer"), &inputs).await;
    let (made, calls) = answered_by(|asked| Ok(existing(asked, operation_id)), create).await;
    let action = |asked: &Asked| {
        asked.body.split('&').find_map(|part| part.strip_prefix("Action=")).unwrap_or_default().to_owned()
    };
    (made, calls.iter().map(action).collect())
}

#[tokio::test]
async fn one_that_an_earlier_attempt_made_is_taken() {
    let (made, calls) = create_where_one_exists("op-1").await;
    assert_eq!(made.expect("it is ours"), RemoteId::new(ARN));
    assert_eq!(calls, ["DescribeLoadBalancers", "DescribeTags"]);
}

#[tokio::test]
async fn one_of_somebody_else_is_left_alone() {
    let (made, calls) = create_where_one_exists("op-other").await;
    let error = made.expect_err("it is not ours");
    assert_eq!(error.class, straddle_engine::provider::ErrorClass::AlreadyExists);
    assert_eq!(calls, ["DescribeLoadBalancers", "DescribeTags"]);
}
