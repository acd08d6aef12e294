//! VPC endpoints: ways to services that do not leave the network of AWS.
//!
//! A gateway endpoint is a route in tables, an interface endpoint an interface in each of its
//! subnets. Only the owner of a VPC makes them ("Responsibilities and permissions for owners and
//! participants", VPC user guide).

mod create;
mod life;
mod modify;
mod service;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Description, describe};
use super::ownership::{Thing, not_found, own};
use super::tags::Tags;
use super::zones::zones;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{AccountId, Failure, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    create::OPERATION,
    modify::OPERATION,
    service::OPERATION,
    Operation::new(
        "DescribeVpcEndpoints",
        &["VpcEndpointId", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_endpoints,
    ),
    Operation::new("DeleteVpcEndpoints", &["VpcEndpointId", "DryRun"], delete),
];

/// A VPC endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct VpcEndpoint {
    id: String,
    owner: AccountId,
    vpc_id: String,
    /// The whole name, such as `com.amazonaws.us-east-1.s3`.
    service: String,
    kind: EndpointKind,
    state: State,
    /// When its state changes next.
    changes_at: Option<Timestamp>,
    /// The document; none is full access.
    policy: Option<String>,
    /// Of a gateway endpoint.
    route_tables: BTreeSet<String>,
    /// Of an interface endpoint: the interfaces, by subnet.
    interfaces: BTreeMap<String, String>,
    /// Of an interface endpoint.
    groups: Vec<String>,
    private_dns: bool,
    /// Why it fails; shown once it has failed.
    failure: Option<Failure>,
    made_at: Timestamp,
    pub(super) tags: Tags,
}

/// How an endpoint leads to its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndpointKind {
    Gateway,
    Interface,
}

/// How far an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Pending,
    Available,
    Failed,
    Deleting,
}

impl EndpointKind {
    fn name(self) -> &'static str {
        match self {
            Self::Gateway => "Gateway",
            Self::Interface => "Interface",
        }
    }
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Available => "available",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
        }
    }
}

impl Thing for VpcEndpoint {
    const NOUN: &'static str = "vpcEndpoint";
    const NOT_FOUND: &'static str = "InvalidVpcEndpointId.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Network {
    /// Returns an endpoint that the caller may change.
    pub(super) fn own_endpoint(&mut self, call: &Call, id: &str) -> Result<&mut VpcEndpoint, Refusal> {
        own(call, &mut self.endpoints, id, false)
    }
}

fn describe_endpoints(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "vpcEndpointSet",
        ids: "VpcEndpointId",
        not_found: VpcEndpoint::NOT_FOUND,
        visible: &|endpoint: &VpcEndpoint| endpoint.owner == call.caller.account,
        filter: &|endpoint, filter| filtered(endpoint, call, filter),
        shown: &|endpoint| shown(network, endpoint, call),
        page: (1, 1000),
    };
    describe(call, &network.endpoints, &description)
}

fn filtered(endpoint: &VpcEndpoint, call: &Call, filter: &str) -> Option<Vec<String>> {
    let value = match filter {
        "vpc-endpoint-id" => endpoint.id.clone(),
        "vpc-endpoint-type" => endpoint.kind.name().to_owned(),
        "vpc-endpoint-state" => endpoint.state.name().to_owned(),
        "vpc-id" => endpoint.vpc_id.clone(),
        "service-name" => endpoint.service.clone(),
        "service-region" => call.region.clone(),
        "ip-address-type" => "ipv4".to_owned(),
        _ => return tags::filtered(&endpoint.tags, filter),
    };
    Some(vec![value])
}

/// The policy of an endpoint that was given none ("Default endpoint policy", `PrivateLink` guide).
const FULL_ACCESS: &str = r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

fn shown(network: &Network, endpoint: &VpcEndpoint, call: &Call) -> Value {
    let name = |id: &String| network.groups.get(id).map(|group| group.name.as_str());
    let groups = endpoint.groups.iter().map(|id| json!({ "groupId": id, "groupName": name(id) }));
    let groups: Vec<_> = groups.collect();
    let has_failed = endpoint.state == State::Failed;
    let failure = endpoint.failure.as_ref().filter(|_| has_failed);
    json!({
        "vpcEndpointId": endpoint.id,
        "vpcEndpointType": endpoint.kind.name(),
        "vpcId": endpoint.vpc_id,
        "serviceName": endpoint.service,
        "serviceRegion": call.region,
        "state": endpoint.state.name(),
        "policyDocument": endpoint.policy.as_deref().unwrap_or(FULL_ACCESS),
        "routeTableIdSet": endpoint.route_tables,
        "subnetIdSet": endpoint.interfaces.keys().collect::<Vec<_>>(),
        "networkInterfaceIdSet": endpoint.interfaces.values().collect::<Vec<_>>(),
        "groupSet": groups,
        "ipAddressType": "ipv4",
        "privateDnsEnabled": endpoint.private_dns,
        "requesterManaged": false,
        "dnsEntrySet": dns_entries(network, endpoint, call),
        "creationTimestamp": endpoint.made_at.to_string(),
        "ownerId": endpoint.owner.as_str(),
        "lastError": failure.map(|failure| json!({ "code": failure.code, "message": failure.message })),
        "tagSet": tags::shown(&endpoint.tags),
    })
}

/// Returns the names of an interface endpoint: one for all zones, one for each, and the service's
/// own where that leads to it.
fn dns_entries(network: &Network, endpoint: &VpcEndpoint, call: &Call) -> Vec<Value> {
    if endpoint.kind == EndpointKind::Gateway {
        return Vec::new();
    }
    let prefix = endpoint.id.get(..22).unwrap_or(&endpoint.id);
    let stem = format!("{prefix}-{}", &endpoint.id[endpoint.id.len() - 8..]);
    let service = service::short_name(&endpoint.service, &call.region);
    let domain = format!("{service}.{}.vpce.amazonaws.com", call.region);
    let all = zones(&call.region, &call.caller.account);
    let zone = |subnet: &String| {
        let id = &network.subnets.get(subnet)?.zone_id;
        all.iter().find(|zone| zone.id == *id).map(|zone| zone.name.clone())
    };
    let of_zones = endpoint.interfaces.keys().filter_map(zone).map(|zone| format!("{stem}-{zone}.{domain}"));
    let own = endpoint.private_dns.then(|| service::private_name(&endpoint.service, &call.region));
    let names = std::iter::once(format!("{stem}.{domain}")).chain(of_zones).chain(own);
    names.map(|name| json!({ "dnsName": name, "hostedZoneId": "Z7HUB22UULQXV" })).collect()
}

/// Deletes endpoints. That one is not there is said in the answer, which is no refusal.
fn delete(world: &mut World, call: &Call) -> Answer {
    let ids = call.parameters.texts("VpcEndpointId");
    if ids.is_empty() {
        return Err(Refusal::new("MissingParameter", "The request must contain the parameter VpcEndpointId"));
    }
    dry_run(call)?;
    let network = world.network(&call.region);
    let mut unsuccessful = Vec::new();
    for id in ids {
        if network.own_endpoint(call, id).is_ok() {
            network.begin_to_delete_endpoint(id, &call.region);
        } else {
            let refusal = not_found::<VpcEndpoint>(id);
            let error = json!({ "code": refusal.code, "message": refusal.message });
            unsuccessful.push(json!({ "resourceId": id, "error": error }));
        }
    }
    Ok(json!({ "unsuccessful": unsuccessful }))
}
