//! What the actions of EC2 are done to, for policies ("Actions, resources, and condition keys for
//! Amazon EC2", Service Authorization Reference).

use super::Network;
use super::ownership::Thing;
use super::tagging::{self, Kind};
use super::vpc::Vpc;
use crate::access::{Context, of_tags, set};
use crate::call::{Call, Need, Operation};
use crate::world::World;

/// What operations make.
const MADE: &[(&str, &str)] = &[
    ("AllocateAddress", "elastic-ip"),
    ("CreateInternetGateway", "internet-gateway"),
    ("CreateLaunchTemplate", "launch-template"),
    ("CreateNatGateway", "natgateway"),
    ("CreateNetworkInterface", "network-interface"),
    ("CreateRouteTable", "route-table"),
    ("CreateSecurityGroup", "security-group"),
    ("CreateSubnet", "subnet"),
    ("CreateVpc", "vpc"),
    ("CreateVpcEndpoint", "vpc-endpoint"),
];

/// The parameters that name what an operation is done to.
const NAMING: &[&str] = &[
    "AllocationId",
    "AssociationId",
    "GroupId",
    "InternetGatewayId",
    "LaunchTemplateId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "ResourceId",
    "RouteTableId",
    "SecondaryAllocationId",
    "SecurityGroupId",
    "SubnetId",
    "VpcEndpointId",
    "VpcId",
];

/// Routes lead to gateways and interfaces, but only their table is changed.
const OF_TABLES: &[&str] = &["CreateRoute", "DeleteRoute", "ReplaceRoute"];

/// Returns what a caller has to be allowed for an operation.
pub(crate) fn needs(world: &World, operation: &Operation, call: &Call) -> Vec<Need> {
    let action = format!("ec2:{}", operation.name);
    let need = |(resource, context)| Need { action: action.clone(), resource, context };
    // "Describe API actions … do not support resource-level permissions."
    if operation.is_read() {
        return vec![need(("*".to_owned(), Context::new()))];
    }
    let network = world.networks.get(&call.region);
    let mut resources: Vec<_> = ids(network, operation, call)
        .into_iter()
        .filter_map(|(kind, id)| Some(resource(network?, call, kind, &id)))
        .collect();
    if let Some((_, kind)) = MADE.iter().find(|(name, _)| *name == operation.name) {
        resources.push((made(call, kind), of_vpc(network, call)));
    }
    if resources.is_empty() {
        resources.push(("*".to_owned(), Context::new()));
    }
    resources.into_iter().map(need).chain(needs_of_tags(operation.name, call)).collect()
}

/// Returns the things that a call names, with their kinds.
fn ids(network: Option<&Network>, operation: &Operation, call: &Call) -> Vec<(&'static Kind, String)> {
    let is_of_table = OF_TABLES.contains(&operation.name);
    let parameters = NAMING.iter().filter(|name| !is_of_table || **name == "RouteTableId");
    let ids = parameters.flat_map(|name| {
        call.parameters.text(name).into_iter().chain(call.parameters.texts(name)).map(str::to_owned)
    });
    let ids = ids.map(|id| network.and_then(|network| network.associated(&id)).unwrap_or(id));
    ids.filter_map(|id| Some((tagging::kind(&id).ok()?, id))).collect()
}

impl Network {
    /// Returns what has an association: a route table, an address, or what has a range.
    fn associated(&self, association: &str) -> Option<String> {
        if association.starts_with("subnet-cidr-assoc-") {
            return Some(association.replace("-cidr-assoc", ""));
        }
        if association.starts_with("vpc-cidr-assoc-") {
            let has = |vpc: &&Vpc| vpc.associated_ranges().any(|range| range.association_id == association);
            return self.vpcs.iter().find(|(_, vpc)| has(vpc)).map(|(id, _)| id.clone());
        }
        if association.starts_with("rtbassoc-") {
            return self.table_associations.get(association).cloned();
        }
        let is_it = |id: &String| {
            let address = &self.addresses[id];
            address.association.as_ref().is_some_and(|found| found.id == association)
        };
        association.starts_with("eipassoc-").then(|| self.addresses.keys().find(|id| is_it(id)).cloned())?
    }

    fn vpc_arn(&self, call: &Call, id: &str) -> String {
        let owner = self.vpcs.get(id).map_or(&call.caller.account, Thing::owner);
        format!("arn:aws:ec2:{}:{owner}:vpc/{id}", call.region)
    }
}

/// Returns the ARN of a thing, which has its owner's account in it, and its condition keys.
fn resource(network: &Network, call: &Call, kind: &Kind, id: &str) -> (String, Context) {
    let found = (kind.found)(network, id);
    let owner = found.map_or(&call.caller.account, |found| found.owner);
    // The tags of what is shared are its owner's alone.
    let tags = found.filter(|found| *found.owner == call.caller.account).map(|found| found.tags);
    let mut context = tags.map(|tags| of_tags(tags, "ec2")).unwrap_or_default();
    if let Some(vpc_id) = found.and_then(|found| found.vpc_id) {
        set(&mut context, "ec2:Vpc", &network.vpc_arn(call, vpc_id));
    }
    (format!("arn:aws:ec2:{}:{owner}:{}/{id}", call.region, kind.resource_type), context)
}

/// Returns the ARN of what does not exist yet.
fn made(call: &Call, kind: &str) -> String {
    format!("arn:aws:ec2:{}:{}:{kind}/*", call.region, call.caller.account)
}

/// Returns the condition keys of what a call makes: the VPC that it is made in.
fn of_vpc(network: Option<&Network>, call: &Call) -> Context {
    let mut context = Context::new();
    if let (Some(network), Some(id)) = (network, call.parameters.text("VpcId")) {
        set(&mut context, "ec2:Vpc", &network.vpc_arn(call, id));
    }
    context
}

/// Returns the permission for tags that a call gives to what it makes: `ec2:CreateTags`, with the
/// operation in `ec2:CreateAction` ("Grant permission to tag resources during creation").
fn needs_of_tags(operation: &str, call: &Call) -> Vec<Need> {
    let specifications = call.parameters.tables("TagSpecification");
    let tagged = specifications.iter().filter(|specification| !specification.tables("Tag").is_empty());
    let need = |kind: &str| {
        let mut context = Context::new();
        set(&mut context, "ec2:CreateAction", operation);
        Need { action: "ec2:CreateTags".to_owned(), resource: made(call, kind), context }
    };
    tagged.filter_map(|specification| specification.text("ResourceType")).map(need).collect()
}
