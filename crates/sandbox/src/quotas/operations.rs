//! The operations of Service Quotas, which only tell.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ALL, Quota};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::page::Paging;
use crate::world::World;

const OPERATIONS: &[Operation] = &[
    Operation::new("GetServiceQuota", &["ServiceCode", "QuotaCode", "ContextId"], get),
    Operation::new("GetAWSDefaultServiceQuota", &["ServiceCode", "QuotaCode"], get_default),
    Operation::new(
        "ListServiceQuotas",
        &["ServiceCode", "QuotaCode", "QuotaAppliedAtLevel", "NextToken", "MaxResults"],
        list,
    ),
    Operation::new("ListAWSDefaultServiceQuotas", &["ServiceCode", "NextToken", "MaxResults"], list_defaults),
    Operation::new("ListServices", &["NextToken", "MaxResults"], list_services),
];

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter()
}

const PAGING: Paging = Paging {
    size: "MaxResults",
    token: "NextToken",
    usual: 100,
    most: 100,
    wrong_size: "IllegalArgumentException",
    wrong_token: "InvalidPaginationTokenException",
};

/// The services, with what they are called.
const SERVICES: [(&str, &str); 5] = [
    ("ec2", "Amazon Elastic Compute Cloud (Amazon EC2)"),
    ("eks", "Amazon Elastic Kubernetes Service (Amazon EKS)"),
    ("elasticloadbalancing", "Elastic Load Balancing (ELB)"),
    ("iam", "AWS Identity and Access Management (IAM)"),
    ("vpc", "Amazon Virtual Private Cloud (Amazon VPC)"),
];

/// The service that is the same in all regions, and the region in which its quotas are told ("Service
/// Quotas are supported for IAM in US East (N. Virginia)", IAM user guide).
const GLOBAL: (&str, &str) = ("iam", "us-east-1");

fn required<'a>(call: &'a Call, name: &str) -> Result<&'a str, Refusal> {
    call.parameters
        .text(name)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Refusal::new("IllegalArgumentException", format!("The parameter {name} is missing.")))
}

fn no_such(message: String) -> Refusal {
    Refusal::new("NoSuchResourceException", message)
}

/// Returns the quotas of the service that a call names, which are told in its region.
fn of_service(call: &Call) -> Result<impl Iterator<Item = &'static Quota>, Refusal> {
    let code = required(call, "ServiceCode")?;
    let is_told = code != GLOBAL.0 || call.region == GLOBAL.1;
    let known = SERVICES.iter().find(|(known, _)| *known == code && is_told);
    let (service, _) = known.ok_or_else(|| no_such(format!("The service {code} has no quotas here.")))?;
    Ok(ALL.iter().filter(move |quota| quota.service == *service))
}

fn named(call: &Call) -> Result<&'static Quota, Refusal> {
    let code = required(call, "QuotaCode")?;
    let quota = of_service(call)?.find(|quota| quota.code == code);
    quota.ok_or_else(|| no_such(format!("The quota {code} does not exist.")))
}

/// Tells a quota as it is applied to an account, or as every account has it.
fn shown(quota: &Quota, call: &Call, applied: Option<usize>) -> Value {
    let name = SERVICES.iter().find(|(code, _)| *code == quota.service).map(|(_, name)| name);
    let account = applied.map_or("", |_| call.caller.account.as_str());
    let value = u32::try_from(applied.unwrap_or(quota.value)).unwrap_or(u32::MAX);
    json!({
        "ServiceCode": quota.service,
        "ServiceName": name,
        "QuotaArn": format!("arn:aws:servicequotas:{}:{account}:{}/{}", call.region, quota.service, quota.code),
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": f64::from(value),
        "Unit": "None",
        "Adjustable": quota.is_adjustable,
        "GlobalQuota": quota.service == GLOBAL.0,
        "QuotaAppliedAtLevel": "ACCOUNT",
    })
}

fn get(world: &mut World, call: &Call) -> Answer {
    if call.parameters.text("ContextId").is_some() {
        return Err(no_such("No quota here is of a single resource.".to_owned()));
    }
    let quota = named(call)?;
    let applied = world.quota(&call.caller.account, *quota);
    Ok(json!({ "Quota": shown(quota, call, Some(applied)) }))
}

fn get_default(_: &mut World, call: &Call) -> Answer {
    Ok(json!({ "Quota": shown(named(call)?, call, None) }))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let wanted = call.parameters.text("QuotaCode");
    // Quotas of single resources there are none here.
    let is_asked_for = call.parameters.text("QuotaAppliedAtLevel") != Some("RESOURCE");
    let found =
        of_service(call)?.filter(|quota| is_asked_for && wanted.is_none_or(|code| quota.code == code));
    page(
        call,
        "Quotas",
        found.map(|quota| {
            let applied = world.quota(&call.caller.account, *quota);
            (quota.code, shown(quota, call, Some(applied)))
        }),
    )
}

fn list_defaults(_: &mut World, call: &Call) -> Answer {
    page(call, "Quotas", of_service(call)?.map(|quota| (quota.code, shown(quota, call, None))))
}

fn list_services(_: &mut World, call: &Call) -> Answer {
    let shown = |(code, name)| (code, json!({ "ServiceCode": code, "ServiceName": name }));
    page(call, "Services", SERVICES.into_iter().map(shown))
}

/// Answers with a page of things in the order of their codes.
fn page(call: &Call, list: &str, things: impl Iterator<Item = (&'static str, Value)>) -> Answer {
    let things: BTreeMap<_, _> = things.collect();
    let things = things.into_iter().map(|(code, thing)| (code.to_owned(), thing));
    let (page, token) = PAGING.cut(&call.parameters, things)?;
    Ok(json!({ list: page, "NextToken": token }))
}
