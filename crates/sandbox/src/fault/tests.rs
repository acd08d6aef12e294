//! Every fault, and who meets it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::call::{Answer, Parameters};
use crate::identity::Caller;
use crate::playground::{Handled, Playground};
use crate::protocol::Service;
use crate::world::{AccountId, World, WorldSettings};

const NETWORK: &str = "111111111111";

fn playground(rules: Value) -> Playground {
    let account: AccountId = NETWORK.parse().unwrap();
    let apps: AccountId = "222222222222".parse().unwrap();
    let settings = WorldSettings {
        accounts: [("apps".to_owned(), apps)].into(),
        speed: 0.0,
        start: Timestamp::UNIX_EPOCH,
        ..WorldSettings::new(account)
    };
    let rules = serde_json::from_value(rules).expect("they are rules");
    Playground::new(World::new(settings), Faults::new(rules, None), None)
}

fn call(account: &str, service: Service, operation: &str, parameters: Value) -> Call {
    let Value::Object(parameters) = parameters else { panic!("{parameters} is no table") };
    Call {
        service,
        operation: operation.to_owned(),
        region: "us-east-1".to_owned(),
        caller: Caller::administrator(account.parse().unwrap()),
        parameters: Parameters(parameters),
        hidden: BTreeSet::default(),
    }
}

/// Makes a call as the server does, once the late ones have arrived.
fn meet(playground: &mut Playground, call: Call) -> Handled {
    playground.let_arrive();
    playground.meet(call, "").0
}

fn create_vpc() -> Call {
    call(NETWORK, Service::Ec2, "CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))
}

fn vpcs(playground: &mut Playground) -> usize {
    let found = meet(playground, call(NETWORK, Service::Ec2, "DescribeVpcs", json!({})));
    found.answer.unwrap()["vpcSet"].as_array().unwrap().len()
}

fn code(answer: &Answer) -> &str {
    answer.as_ref().map_or_else(|refusal| refusal.code.as_str(), |_| "ok")
}

fn advance(playground: &mut Playground, seconds: i64) {
    playground.world.clock.advance(SignedDuration::from_secs(seconds));
}

/// What a fault does to `CreateVpc`: what the caller is told, whether it is told, and how many VPCs
/// there are then.
fn check(rule: &Value, told: &str, is_lost: bool, made: usize) -> Handled {
    let mut playground = playground(json!([rule]));
    let handled = meet(&mut playground, create_vpc());
    assert_eq!((code(&handled.answer), handled.is_lost), (told, is_lost), "{rule}");
    assert_eq!(vpcs(&mut playground), made, "{rule}");
    handled
}

#[test]
fn nothing_is_done_where_the_fault_comes_before_the_work() {
    check(&json!({ "fault": "throttle" }), "RequestLimitExceeded", false, 0);
    check(&json!({ "fault": "before" }), "InternalError", false, 0);
    check(&json!({ "fault": "expired" }), "RequestExpired", false, 0);
    check(&json!({ "fault": "denied" }), "UnauthorizedOperation", false, 0);
    check(&json!({ "fault": "capacity", "code": "VpcLimitExceeded" }), "VpcLimitExceeded", false, 0);
}

#[test]
fn all_is_done_where_the_fault_comes_after_the_work() {
    check(&json!({ "fault": "after" }), "InternalError", false, 1);
    check(&json!({ "fault": "lost" }), "ok", true, 1);
    let slow = check(&json!({ "fault": "slow", "seconds": 1.5 }), "ok", false, 1);
    assert_eq!(slow.delay, std::time::Duration::from_millis(1500));
}

#[test]
fn other_services_say_it_in_their_own_words() {
    let refused = |fault: &str, service: Service, operation: &str| {
        let mut playground = playground(json!([{ "fault": fault }]));
        code(&meet(&mut playground, call(NETWORK, service, operation, json!({}))).answer).to_owned()
    };
    for (fault, service, operation, expected) in [
        ("throttle", Service::Iam, "ListRoles", "Throttling"),
        ("throttle", Service::Ram, "GetResourceShares", "ThrottlingException"),
        ("throttle", Service::Organizations, "DescribeOrganization", "TooManyRequestsException"),
        ("before", Service::Sts, "GetCallerIdentity", "InternalFailure"),
        ("before", Service::Iam, "ListRoles", "ServiceFailure"),
        ("before", Service::Ram, "GetResourceShares", "ServerInternalException"),
        ("expired", Service::Sts, "GetCallerIdentity", "ExpiredToken"),
        ("expired", Service::Ram, "GetResourceShares", "ExpiredTokenException"),
        ("denied", Service::Iam, "ListRoles", "AccessDenied"),
        ("denied", Service::Ram, "GetResourceShares", "AccessDeniedException"),
        ("capacity", Service::Ram, "CreateResourceShare", "ResourceShareLimitExceededException"),
    ] {
        assert_eq!(refused(fault, service, operation), expected, "{fault} {operation}");
    }
}

#[test]
fn what_is_late_arrives_when_its_time_has_come() {
    let mut playground = playground(json!([{ "fault": "late", "seconds": 30 }]));
    assert!(meet(&mut playground, create_vpc()).is_lost);
    advance(&mut playground, 29);
    assert_eq!(vpcs(&mut playground), 0);
    advance(&mut playground, 1);
    assert_eq!(vpcs(&mut playground), 1);
    let arrived = playground.log.after(0).find(|entry| entry.fault.as_deref() == Some("arrived"));
    let arrived = arrived.expect("it is in the log");
    assert_eq!((arrived.time.as_second(), arrived.outcome.as_str()), (30, "ok"));
}

#[test]
fn what_is_new_is_unknown_to_reads_for_a_while() {
    let rule = json!({ "fault": "not_found", "always": true, "seconds": 10 });
    let mut playground = playground(json!([rule]));
    let id = meet(&mut playground, create_vpc()).answer.unwrap()["vpc"]["vpcId"].as_str().unwrap().to_owned();
    let by_id = call(NETWORK, Service::Ec2, "DescribeVpcs", json!({ "VpcId": [id] }));
    let attribute = json!({ "VpcId": id, "Attribute": "enableDnsSupport" });
    let attribute = call(NETWORK, Service::Ec2, "DescribeVpcAttribute", attribute);
    for call in [by_id.clone(), attribute.clone()] {
        let refusal = meet(&mut playground, call).answer.unwrap_err();
        assert_eq!(refusal.code, "InvalidVpcID.NotFound");
        assert!(refusal.message.contains(&id), "{}", refusal.message);
    }
    assert_eq!(vpcs(&mut playground), 0);
    let subnet = json!({ "VpcId": id, "CidrBlock": "10.0.0.0/20" });
    let made = meet(&mut playground, call(NETWORK, Service::Ec2, "CreateSubnet", subnet));
    assert_eq!(code(&made.answer), "ok", "only reads know it not yet");
    advance(&mut playground, 10);
    assert_eq!(vpcs(&mut playground), 1);
    assert_eq!(code(&meet(&mut playground, by_id).answer), "ok");
    assert_eq!(code(&meet(&mut playground, attribute).answer), "ok");
}

#[test]
fn a_state_fails_with_the_reason_of_the_rule() {
    let rule = json!({ "fault": "fails", "operation": "CreateNatGateway", "code": "InternalError", "message": "no" });
    let mut playground = playground(json!([rule]));
    let mut ok = |operation: &str, parameters: Value| {
        meet(&mut playground, call(NETWORK, Service::Ec2, operation, parameters)).answer.unwrap()
    };
    let vpc = ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"].clone();
    let subnet = json!({ "VpcId": vpc, "CidrBlock": "10.0.0.0/20" });
    let subnet = ok("CreateSubnet", subnet)["subnet"]["subnetId"].clone();
    let address = ok("AllocateAddress", json!({ "Domain": "vpc" }))["allocationId"].clone();
    ok("CreateNatGateway", json!({ "SubnetId": subnet, "AllocationId": address }));
    advance(&mut playground, 600);
    let found = meet(&mut playground, call(NETWORK, Service::Ec2, "DescribeNatGateways", json!({})));
    let gateway = found.answer.unwrap()["natGatewaySet"][0].clone();
    assert_eq!((&gateway["state"], &gateway["failureMessage"]), (&json!("failed"), &json!("no")));
}

#[test]
fn a_rule_counts_what_matches_and_nothing_else() {
    let rule = json!({
        "fault": "throttle", "account": "apps", "service": "ec2", "operation": "Describe*", "calls": "reads",
        "parameters": { "VpcId": "vpc-*" }, "skip": 1, "count": 2,
    });
    let mut playground = playground(json!([rule]));
    let apps = "222222222222";
    let named = |id: &str| json!({ "VpcId": [id] });
    let mut told = |account: &str, operation: &str, parameters: Value| {
        let met = meet(&mut playground, call(account, Service::Ec2, operation, parameters));
        code(&met.answer) == "RequestLimitExceeded"
    };
    assert!(!told(apps, "DescribeVpcs", named("vpc-1")), "the first one is spared");
    assert!(!told(NETWORK, "DescribeVpcs", named("vpc-1")), "another account");
    assert!(!told(apps, "DescribeVpcs", json!({})), "other parameters");
    assert!(!told(apps, "DescribeVpcs", named("subnet-1")), "other parameters");
    assert!(!told(apps, "DeleteVpc", json!({ "VpcId": "vpc-1" })), "another operation");
    assert!(told(apps, "DescribeVpcs", named("vpc-1")));
    assert!(told(apps, "DescribeVpcs", named("vpc-2")));
    assert!(!told(apps, "DescribeVpcs", named("vpc-1")), "it is used up");
    let counted = serde_json::to_value(playground.faults.rules()).unwrap();
    assert_eq!((&counted[0]["seen"], &counted[0]["fired"]), (&json!(4), &json!(2)));
}

#[test]
fn chaos_is_the_same_for_the_same_seed() {
    let decided = |seed: u64| {
        let mut faults = Faults::new(Vec::new(), Some(seed));
        let mut decide = |call: &Call| faults.decide(call, "", Timestamp::UNIX_EPOCH).map(|fault| fault.kind);
        let reads = call(NETWORK, Service::Ec2, "DescribeVpcs", json!({}));
        (0..200).map(|_| (decide(&create_vpc()), decide(&reads))).collect::<Vec<_>>()
    };
    assert_eq!(decided(1), decided(1));
    assert_ne!(decided(1), decided(2));
    let writes: Vec<_> = decided(1).into_iter().filter_map(|(write, _)| write).collect();
    assert!((5..40).contains(&writes.len()), "{} of 200", writes.len());
    assert!(writes.contains(&Kind::Lost) && !writes.contains(&Kind::Denied));
}

#[test]
fn a_rule_may_last_from_its_first_call_on() {
    let rule = json!([{ "fault": "before", "operation": "CreateVpc", "skip": 1, "lasting": 120.0 }]);
    let mut faults = Faults::new(serde_json::from_value(rule).unwrap(), None);
    let mut is_met = |seconds| {
        let now = Timestamp::from_second(seconds).unwrap();
        faults.decide(&create_vpc(), "", now).is_some()
    };
    let met: Vec<_> = [0, 10, 100, 130, 131, 200].map(&mut is_met).into();
    assert_eq!(met, [false, true, true, true, false, false]);
}

#[test]
fn a_service_fails_in_the_words_of_the_rule() {
    let rule = json!([{ "fault": "before", "code": "Odd", "message": "in so many words" }]);
    let refusal = meet(&mut playground(rule), create_vpc()).answer.unwrap_err();
    assert_eq!((refusal.status, refusal.code.as_str()), (500, "Odd"));
    assert_eq!(refusal.message, "in so many words");
}

#[test]
fn a_caller_is_known_by_who_they_are() {
    let rules = json!([
        { "fault": "before", "principal": "arn:aws:iam::*:role/x", "always": true },
        { "fault": "throttle", "principal": "arn:aws:iam::111111111111:root", "always": true },
    ]);
    assert_eq!(code(&meet(&mut playground(rules), create_vpc()).answer), "RequestLimitExceeded");
}

#[test]
fn the_rule_that_is_put_first_decides_and_is_taken_first() {
    let mut faults = Faults::new(serde_json::from_value(json!([{ "fault": "before" }])).unwrap(), None);
    faults.put_first(FaultRule::once(Kind::Throttle, "ec2", "CreateVpc", 0));
    let mut kind = || faults.decide(&create_vpc(), "", Timestamp::UNIX_EPOCH).map(|fault| fault.kind);
    assert_eq!([kind(), kind()], [Some(Kind::Throttle), None], "the other one has counted as well");
    assert_eq!((faults.take_first(), faults.rules().len()), (1, 1));
}
