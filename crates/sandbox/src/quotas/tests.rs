//! What is told of quotas, and that it is what is enforced.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ADDRESSES, ALL};
use crate::testing::Account;

fn value(account: &mut Account, operation: &str, service: &str, code: &str) -> Value {
    let asked = json!({ "ServiceCode": service, "QuotaCode": code });
    account.ok(&format!("servicequotas:{operation}"), asked)["Quota"]["Value"].clone()
}

#[test]
fn every_code_is_there_once() {
    let codes: BTreeSet<_> = ALL.iter().map(|quota| quota.code).collect();
    assert_eq!(codes.len(), ALL.len());
}

/// "Amazon VPC quotas", "Amazon EC2 service quotas": the defaults; a quota that was raised is applied to
/// one account, and what refuses goes by it.
#[test]
fn what_is_told_is_what_is_enforced() {
    let mut account = Account::new();
    let (service, code) = ("ec2", ADDRESSES.code);
    assert_eq!(value(&mut account, "GetServiceQuota", service, code), json!(5.0));
    let allocate = |account: &mut Account| drop(account.ok("AllocateAddress", json!({ "Domain": "vpc" })));
    for _ in 0..5 {
        allocate(&mut account);
    }
    account.refused("AllocateAddress", json!({ "Domain": "vpc" }), "AddressLimitExceeded");
    let id = "111111111111".parse().expect("it has twelve digits");
    account.world().adjust_quota(id, code.to_owned(), 6);
    assert_eq!(value(&mut account, "GetServiceQuota", service, code), json!(6.0));
    assert_eq!(value(&mut account, "GetAWSDefaultServiceQuota", service, code), json!(5.0));
    allocate(&mut account);
    account.refused("AllocateAddress", json!({ "Domain": "vpc" }), "AddressLimitExceeded");
    account.other(|other| assert_eq!(value(other, "GetServiceQuota", service, code), json!(5.0)));
}

#[test]
fn quotas_are_listed_in_pages() {
    let mut account = Account::new();
    let all = account.ok("servicequotas:ListServiceQuotas", json!({ "ServiceCode": "vpc" }));
    let number = all["Quotas"].as_array().map(Vec::len).expect("it is a list");
    let first = json!({ "ServiceCode": "vpc", "MaxResults": number - 1 });
    let first = account.ok("servicequotas:ListServiceQuotas", first);
    let rest = json!({ "ServiceCode": "vpc", "NextToken": first["NextToken"] });
    let rest = account.ok("servicequotas:ListServiceQuotas", rest);
    assert_eq!(rest["Quotas"].as_array().map(Vec::len), Some(1));
    let one = json!({ "ServiceCode": "vpc", "QuotaCode": "L-F678F1CE" });
    let one = account.ok("servicequotas:ListServiceQuotas", one);
    assert_eq!(one["Quotas"][0]["QuotaName"], "VPCs per Region");
    let defaults = account.ok("servicequotas:ListAWSDefaultServiceQuotas", json!({ "ServiceCode": "eks" }));
    assert_eq!(defaults["Quotas"][0]["QuotaArn"], "arn:aws:servicequotas:us-east-1::eks/L-1194D53C");
    let services = account.ok("servicequotas:ListServices", json!({}));
    assert_eq!(services["Services"].as_array().map(Vec::len), Some(5));
}

#[test]
fn what_there_is_no_quota_of_is_refused() {
    let mut account = Account::new();
    for (service, code, refusal) in [
        (json!("s3"), json!("L-DC2B2D3D"), "NoSuchResourceException"),
        (json!("vpc"), json!("L-0"), "NoSuchResourceException"),
        (json!("vpc"), Value::Null, "IllegalArgumentException"),
    ] {
        let asked = json!({ "ServiceCode": service, "QuotaCode": code });
        account.refused("servicequotas:GetServiceQuota", asked, refusal);
    }
    let of_one = json!({ "ServiceCode": "vpc", "QuotaCode": "L-F678F1CE", "ContextId": "x" });
    account.refused("servicequotas:GetServiceQuota", of_one, "NoSuchResourceException");
}
