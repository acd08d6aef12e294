//! The services that endpoints lead to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::EndpointKind;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::describe::{Description, describe};
use crate::ec2::dry_run;
use crate::ec2::zones::zones;
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "DescribeVpcEndpointServices",
    &["ServiceName", "Filter", "MaxResults", "NextToken", "DryRun"],
    describe_services,
);

/// The services with interface endpoints that clusters and their tools use ("AWS services that
/// integrate with AWS `PrivateLink`").
const INTERFACES: [&str; 19] = [
    "autoscaling",
    "cloudformation",
    "ec2",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticfilesystem",
    "elasticloadbalancing",
    "kms",
    "logs",
    "monitoring",
    "s3",
    "secretsmanager",
    "ssm",
    "ssmmessages",
    "sts",
    "xray",
];

/// The services with gateway endpoints ("Gateway endpoints", `PrivateLink` guide).
const GATEWAYS: [&str; 2] = ["dynamodb", "s3"];

/// A service.
#[derive(Debug, Clone)]
pub(super) struct Service {
    /// The whole name, such as `com.amazonaws.us-east-1.s3`.
    name: String,
    kinds: Vec<EndpointKind>,
}

impl Service {
    /// Tells whether there are endpoints of this kind.
    pub(super) fn has(&self, kind: EndpointKind) -> bool {
        self.kinds.contains(&kind)
    }
}

/// Returns the services of a region, by their whole names.
pub(super) fn services(region: &str) -> BTreeMap<String, Service> {
    let mut services = BTreeMap::new();
    let gateways = GATEWAYS.iter().map(|name| (name, EndpointKind::Gateway));
    for (name, kind) in gateways.chain(INTERFACES.iter().map(|name| (name, EndpointKind::Interface))) {
        let name = format!("com.amazonaws.{region}.{name}");
        let service = Service { name: name.clone(), kinds: Vec::new() };
        services.entry(name).or_insert(service).kinds.push(kind);
    }
    services
}

/// Returns the service's name in names of endpoints.
pub(super) fn short_name(service: &str, region: &str) -> String {
    service.trim_start_matches(&format!("com.amazonaws.{region}.")).to_owned()
}

/// Returns the name by which the service is called, whether over an endpoint or not.
pub(super) fn private_name(service: &str, region: &str) -> String {
    let short = short_name(service, region);
    let parts: Vec<_> = short.split('.').rev().collect();
    format!("{}.{region}.amazonaws.com", parts.join("."))
}

fn describe_services(_: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let description = Description {
        list: "serviceDetailSet",
        ids: "ServiceName",
        not_found: "InvalidServiceName",
        visible: &|_: &Service| true,
        filter: &filtered,
        shown: &|service| shown(service, call),
        page: (1, 1000),
    };
    let mut answer = describe(call, &services(&call.region), &description)?;
    let details = answer["serviceDetailSet"].as_array().into_iter().flatten();
    let names: Vec<_> = details.map(|detail| detail["serviceName"].clone()).collect();
    answer["serviceNameSet"] = Value::Array(names);
    Ok(answer)
}

fn filtered(service: &Service, filter: &str) -> Option<Vec<String>> {
    match filter {
        "service-name" => Some(vec![service.name.clone()]),
        "service-type" => Some(service.kinds.iter().map(|kind| kind.name().to_owned()).collect()),
        "owner" => Some(vec!["amazon".to_owned()]),
        _ => None,
    }
}

fn shown(service: &Service, call: &Call) -> Value {
    let zones: Vec<_> = zones(&call.region, &call.caller.account);
    let kinds: Vec<_> = service.kinds.iter().map(|kind| json!({ "serviceType": kind.name() })).collect();
    let name = service.has(EndpointKind::Interface).then(|| private_name(&service.name, &call.region));
    json!({
        "serviceName": service.name,
        "serviceType": kinds,
        "serviceRegion": call.region,
        "availabilityZoneSet": zones.iter().map(|zone| zone.name.as_str()).collect::<Vec<_>>(),
        "availabilityZoneIdSet": zones.iter().map(|zone| zone.id.as_str()).collect::<Vec<_>>(),
        "owner": "amazon",
        "privateDnsName": name,
        "privateDnsNameSet": name.iter().map(|name| json!({ "privateDnsName": name })).collect::<Vec<_>>(),
        "vpcEndpointPolicySupported": true,
        "acceptanceRequired": false,
        "managesVpcEndpoints": false,
        "supportedIpAddressTypeSet": ["ipv4"],
        "tagSet": [],
    })
}

/// Checks that a service has endpoints of a kind.
pub(super) fn check(region: &str, name: &str, kind: EndpointKind) -> Result<(), Refusal> {
    let services = services(region);
    let service = services.get(name).ok_or_else(|| {
        Refusal::new("InvalidServiceName", format!("The Vpc Endpoint Service '{name}' does not exist"))
    })?;
    if service.has(kind) {
        return Ok(());
    }
    let message = format!("The service {name} has no endpoints of the type {}", kind.name());
    Err(Refusal::new("InvalidParameter", message))
}
