//! Route tables: where the traffic of subnets goes.
//!
//! A VPC is born with one, its main table, which counts for every subnet that is associated with
//! no other and goes with the VPC.

mod association;
mod route;
mod target;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Description, describe, texts};
use super::ownership::{Thing, own};
use super::tags::Tags;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::quotas;
use crate::world::{AccountId, World};

pub(super) use association::OPERATIONS as ASSOCIATION_OPERATIONS;
pub(super) use route::OPERATIONS as ROUTE_OPERATIONS;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateRouteTable", &["VpcId", "TagSpecification", "ClientToken", "DryRun"], create),
    Operation::new(
        "DescribeRouteTables",
        &["RouteTableId", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_tables,
    ),
    Operation::new("DeleteRouteTable", &["RouteTableId", "DryRun"], delete),
];

/// A route table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RouteTable {
    id: String,
    owner: AccountId,
    pub(super) vpc_id: String,
    /// By destination: targets. The routes inside the VPC, which every table has, are not among them.
    routes: BTreeMap<String, String>,
    /// By the ids of the associations: subnets. None stands for all that have no association.
    associations: BTreeMap<String, Option<String>>,
    pub(super) tags: Tags,
}

impl Thing for RouteTable {
    const NOUN: &'static str = "routeTable";
    const NOT_FOUND: &'static str = "InvalidRouteTableID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl RouteTable {
    /// Tells whether it has a route to a destination.
    pub(super) fn has_route(&self, destination: &str) -> bool {
        self.routes.contains_key(destination)
    }
}

impl Network {
    /// Gives a VPC its main table.
    pub(super) fn add_main_table(&mut self, vpc_id: &str, id: &str, association: &str) {
        let Some(vpc) = self.vpcs.get_mut(vpc_id) else { return };
        id.clone_into(&mut vpc.main_table_id);
        let table = RouteTable {
            id: id.to_owned(),
            owner: vpc.owner().clone(),
            vpc_id: vpc_id.to_owned(),
            routes: BTreeMap::new(),
            associations: BTreeMap::new(),
            tags: Tags::new(),
        };
        self.route_tables.insert(id.to_owned(), table);
        self.add_table_association(id, association.to_owned(), None);
    }

    /// Takes the main table away with its VPC.
    pub(super) fn remove_main_table(&mut self, id: &str) {
        let Some(table) = self.route_tables.remove(id) else { return };
        for association in table.associations.keys() {
            self.table_associations.remove(association);
            self.dependents.remove(id, association);
        }
    }

    /// Returns a table that the caller may change.
    pub(super) fn own_table(&mut self, call: &Call, id: &str) -> Result<&mut RouteTable, Refusal> {
        let seen = self.tables_seen(&call.caller.account).contains(id);
        own(call, &mut self.route_tables, id, seen)
    }

    /// Returns the tables of others that an account sees: those of the subnets that are shared
    /// with it. "Participants can describe route tables in a shared VPC subnet" (VPC user guide,
    /// responsibilities and permissions).
    fn tables_seen(&self, account: &AccountId) -> BTreeSet<String> {
        let subnets = self.shared.seen(account, self.now);
        subnets.filter_map(|subnet| self.table_of(subnet)).cloned().collect()
    }

    /// Returns where the traffic of a subnet goes that has no other way.
    pub(super) fn default_target(&self, subnet: &str) -> Option<&str> {
        let table = self.route_tables.get(self.table_of(subnet)?)?;
        table.routes.get("0.0.0.0/0").map(String::as_str)
    }

    /// Returns the table that counts for a subnet.
    fn table_of(&self, subnet: &str) -> Option<&String> {
        let subnet = self.subnets.get(subnet)?;
        match &subnet.table_association {
            Some(association) => self.table_associations.get(association),
            None => self.vpcs.get(&subnet.vpc_id).map(|vpc| &vpc.main_table_id),
        }
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let vpc_id = parameters.required("VpcId")?;
    let tags = tags::at_birth(parameters, "route-table")?;
    let most = world.quota(&call.caller.account, quotas::ROUTE_TABLES);
    let network = world.network(&call.region);
    network.own_vpc(call, vpc_id)?;
    if network.dependents.of(vpc_id, "rtb-").count() + 1 >= most {
        let message = "The maximum number of route tables has been reached.";
        return Err(Refusal::new("RouteTableLimitExceeded", message));
    }
    dry_run(call)?;
    let table = RouteTable {
        id: world.new_id("rtb"),
        owner: call.caller.account.clone(),
        vpc_id: vpc_id.to_owned(),
        routes: BTreeMap::new(),
        associations: BTreeMap::new(),
        tags,
    };
    let network = world.network(&call.region);
    let answer = json!({
        "routeTable": shown(network, &table, call),
        "clientToken": parameters.text("ClientToken"),
    });
    network.dependents.add(vpc_id, &table.id);
    network.route_tables.insert(table.id.clone(), table);
    Ok(answer)
}

fn describe_tables(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let seen = network.tables_seen(&call.caller.account);
    let description = Description {
        list: "routeTableSet",
        ids: "RouteTableId",
        not_found: RouteTable::NOT_FOUND,
        visible: &|table: &RouteTable| table.owner == call.caller.account || seen.contains(&table.id),
        filter: &|table, filter| filtered(network, table, call, filter),
        shown: &|table| shown(network, table, call),
        page: (5, 100),
    };
    describe(call, &network.route_tables, &description)
}

fn shown(network: &Network, table: &RouteTable, call: &Call) -> Value {
    let associations: Vec<_> = associations(network, table, call)
        .map(|(id, subnet)| {
            json!({
                "routeTableAssociationId": id,
                "routeTableId": table.id,
                "subnetId": subnet,
                "main": subnet.is_none(),
                "associationState": { "state": "associated" },
            })
        })
        .collect();
    let tags = (table.owner == call.caller.account).then(|| tags::shown(&table.tags));
    json!({
        "routeTableId": table.id,
        "vpcId": table.vpc_id,
        "ownerId": table.owner.as_str(),
        "routeSet": route::shown(network, table),
        "associationSet": associations,
        "propagatingVgwSet": [],
        "tagSet": tags,
    })
}

/// Returns the associations that the caller sees: a participant those of the subnets that it sees.
fn associations<'a>(
    network: &'a Network,
    table: &'a RouteTable,
    call: &'a Call,
) -> impl Iterator<Item = (&'a String, &'a Option<String>)> {
    let sees = |id: &String| network.seen_subnet(call, id).is_ok();
    table.associations.iter().filter(move |(_, subnet)| subnet.as_ref().is_none_or(sees))
}

fn filtered(network: &Network, table: &RouteTable, call: &Call, filter: &str) -> Option<Vec<String>> {
    if let Some(part) = filter.strip_prefix("route.") {
        return route::filtered(network, table, part);
    }
    let associations = associations(network, table, call);
    Some(match filter {
        "route-table-id" => texts([&table.id]),
        "vpc-id" => texts([&table.vpc_id]),
        "owner-id" => texts([&table.owner]),
        "association.route-table-association-id" => texts(associations.map(|(id, _)| id)),
        "association.route-table-id" => texts(associations.map(|_| &table.id)),
        "association.subnet-id" => texts(associations.filter_map(|(_, subnet)| subnet.as_ref())),
        "association.main" => texts(associations.map(|(_, subnet)| subnet.is_none())),
        "association.gateway-id" => Vec::new(),
        _ => return tags::filtered(&table.tags, filter),
    })
}

/// "You must disassociate the route table from any subnets before you can delete it. You can't
/// delete the main route table" (API reference, `DeleteRouteTable`).
fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("RouteTableId")?;
    let network = world.network(&call.region);
    let vpc_id = network.own_table(call, id)?.vpc_id.clone();
    network.dependents.check_none::<RouteTable>(id)?;
    dry_run(call)?;
    network.route_tables.remove(id);
    network.dependents.remove(&vpc_id, id);
    Ok(json!({ "return": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{list, table, with_subnet};
    use crate::testing::text;

    fn with_filter(name: &str, value: &str) -> Value {
        json!({ "Filter": [{ "Name": name, "Value": [value] }] })
    }

    /// "When you create a VPC, we also create the main route table for the VPC"; it goes with the
    /// VPC (VPC user guide, "Configure route tables"; API reference, `DeleteVpc`).
    #[test]
    fn a_vpc_is_born_with_its_main_table_which_goes_with_it() {
        let (mut account, vpc, subnet) = with_subnet();
        let seen = account.ok("DescribeRouteTables", with_filter("association.main", "true"));
        let main = list(&seen, "routeTableSet")[0].clone();
        assert_eq!(main["vpcId"], vpc.as_str());
        let local = json!([{
            "destinationCidrBlock": "10.0.0.0/16",
            "gatewayId": "local",
            "state": "active",
            "origin": "CreateRouteTable",
        }]);
        assert_eq!(main["routeSet"], local);
        let id = json!({ "RouteTableId": main["routeTableId"] });
        account.refused("DeleteRouteTable", id, "DependencyViolation");
        account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
        account.ok("DeleteVpc", json!({ "VpcId": vpc }));
        assert!(list(&account.ok("DescribeRouteTables", json!({})), "routeTableSet").is_empty());
    }

    #[test]
    fn a_table_is_made_described_and_deleted() {
        let (mut account, vpc, subnet) = with_subnet();
        let tag = json!([{ "ResourceType": "route-table", "Tag": [{ "Key": "Name", "Value": "a" }] }]);
        let wanted = json!({ "VpcId": vpc, "TagSpecification": tag, "ClientToken": "t" });
        let made = account.ok("CreateRouteTable", wanted);
        assert_eq!(made["clientToken"], "t");
        let id = text(&made["routeTable"]["routeTableId"]);
        for (name, value, found) in [
            ("route-table-id", id.as_str(), 1),
            ("vpc-id", vpc.as_str(), 2),
            ("owner-id", "111111111111", 2),
            ("association.main", "true", 1),
            ("association.subnet-id", "*", 0),
            ("route.gateway-id", "local", 2),
            ("route.destination-cidr-block", "10.0.0.0/16", 2),
            ("route.origin", "CreateRoute", 0),
            ("route.state", "blackhole", 0),
            ("tag:Name", "a", 1),
        ] {
            let seen = account.ok("DescribeRouteTables", with_filter(name, value));
            assert_eq!(list(&seen, "routeTableSet").len(), found, "{name}");
        }
        account.refused("DescribeRouteTables", with_filter("route.colour", "red"), "InvalidParameterValue");
        account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
        account.refused("DeleteVpc", json!({ "VpcId": vpc }), "DependencyViolation");
        account.ok("DeleteRouteTable", json!({ "RouteTableId": id }));
        account.refused("DeleteRouteTable", json!({ "RouteTableId": id }), "InvalidRouteTableID.NotFound");
        account.ok("DeleteVpc", json!({ "VpcId": vpc }));
        account.refused("CreateRouteTable", json!({ "VpcId": vpc }), "InvalidVpcID.NotFound");
    }

    #[test]
    fn tables_come_in_pages() {
        let (mut account, vpc, _) = with_subnet();
        for _ in 1..quotas::ROUTE_TABLES.value {
            table(&mut account, &vpc);
        }
        account.refused("CreateRouteTable", json!({ "VpcId": vpc }), "RouteTableLimitExceeded");
        let first = account.ok("DescribeRouteTables", json!({ "MaxResults": "100" }));
        let next = json!({ "MaxResults": "100", "NextToken": first["nextToken"] });
        let second = account.ok("DescribeRouteTables", next);
        assert_eq!(
            list(&first, "routeTableSet").len() + list(&second, "routeTableSet").len(),
            quotas::ROUTE_TABLES.value
        );
        assert_eq!(second["nextToken"], Value::Null);
        account.refused("DescribeRouteTables", json!({ "MaxResults": "101" }), "InvalidParameterValue");
    }

    #[test]
    fn a_participant_sees_the_tables_of_shared_subnets_and_changes_none() {
        let (mut owner, vpc, subnet) = with_subnet();
        let tables = [table(&mut owner, &vpc), table(&mut owner, &vpc)];
        let both = json!({ "RouteTableId": tables[0], "SubnetId": subnet });
        owner.ok("AssociateRouteTable", both.clone());
        owner.other(|other| {
            assert!(list(&other.ok("DescribeRouteTables", json!({})), "routeTableSet").is_empty());
            other.refused("DeleteRouteTable", json!({ "RouteTableId": tables[0] }), RouteTable::NOT_FOUND);
        });
        owner.share_with_other(&subnet);
        owner.other(|other| {
            let seen = other.ok("DescribeRouteTables", json!({}));
            let seen = list(&seen, "routeTableSet");
            assert_eq!(seen.len(), 1);
            assert_eq!(seen[0]["routeTableId"], tables[0].as_str());
            assert_eq!(seen[0]["ownerId"], "111111111111");
            assert_eq!(seen[0]["tagSet"], Value::Null);
            let one = json!({ "RouteTableId": tables[0] });
            other.refused("DeleteRouteTable", one, "UnauthorizedOperation");
            other.refused("AssociateRouteTable", both.clone(), "UnauthorizedOperation");
            other.refused("CreateRouteTable", json!({ "VpcId": vpc }), "UnauthorizedOperation");
            let route = json!({
                "RouteTableId": tables[0],
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": "igw-0",
            });
            other.refused("CreateRoute", route, "UnauthorizedOperation");
            other.refused(
                "DescribeRouteTables",
                json!({ "RouteTableId": [tables[1]] }),
                RouteTable::NOT_FOUND,
            );
        });
    }
}
