//! Associations of route tables with subnets, and of the main table with the VPC.

use serde_json::json;

use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::{Network, dry_run};
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new("AssociateRouteTable", &["RouteTableId", "SubnetId", "DryRun"], associate),
    Operation::new(
        "ReplaceRouteTableAssociation",
        &["AssociationId", "RouteTableId", "DryRun"],
        replace_association,
    ),
    Operation::new("DisassociateRouteTable", &["AssociationId", "DryRun"], disassociate),
];

impl Network {
    /// Lets a table count for a subnet, or for all that have no association.
    pub(super) fn add_table_association(&mut self, table_id: &str, id: String, subnet: Option<String>) {
        let Some(table) = self.route_tables.get_mut(table_id) else { return };
        self.dependents.add(table_id, &id);
        self.table_associations.insert(id.clone(), table_id.to_owned());
        if let Some(subnet) = subnet.as_ref().and_then(|subnet| self.subnets.get_mut(subnet)) {
            subnet.table_association = Some(id.clone());
        }
        table.associations.insert(id, subnet);
    }

    /// Ends an association, and returns the subnet that it was for.
    pub(in crate::ec2) fn remove_table_association(&mut self, id: &str) -> Option<String> {
        let table_id = self.table_associations.remove(id)?;
        self.dependents.remove(&table_id, id);
        let subnet_id = self.route_tables.get_mut(&table_id)?.associations.remove(id)??;
        if let Some(subnet) = self.subnets.get_mut(&subnet_id) {
            subnet.table_association = None;
        }
        Some(subnet_id)
    }

    /// Returns the table of an association that the caller may change, and the subnet.
    fn own_association(&mut self, call: &Call, id: &str) -> Result<(String, Option<String>), Refusal> {
        let missing = || {
            let message = format!("The association ID '{id}' does not exist");
            Refusal::new("InvalidAssociationID.NotFound", message)
        };
        let table_id = self.table_associations.get(id).cloned().ok_or_else(missing)?;
        // Who does not see the table, does not see the association either.
        let table = self.own_table(call, &table_id).map_err(|refusal| match refusal.status {
            403 => refusal,
            _ => missing(),
        })?;
        let subnet = table.associations.get(id).cloned().flatten();
        Ok((table_id, subnet))
    }
}

fn associate(world: &mut World, call: &Call) -> Answer {
    let table_id = call.parameters.required("RouteTableId")?;
    let subnet_id = call.parameters.required("SubnetId")?;
    let network = world.network(&call.region);
    let vpc_id = network.own_table(call, table_id)?.vpc_id.clone();
    let subnet = network.own_subnet(call, subnet_id)?;
    if subnet.vpc_id != vpc_id {
        return Err(different_networks(table_id, subnet_id));
    }
    if let Some(association) = subnet.table_association.clone() {
        if network.table_associations.get(&association).is_some_and(|table| table == table_id) {
            return Ok(associated("associationId", &association));
        }
        let message = format!(
            "the specified association for route table {table_id} conflicts with an existing association"
        );
        return Err(Refusal::new("Resource.AlreadyAssociated", message));
    }
    dry_run(call)?;
    let id = world.new_id("rtbassoc");
    let network = world.network(&call.region);
    network.add_table_association(table_id, id.clone(), Some(subnet_id.to_owned()));
    Ok(associated("associationId", &id))
}

fn associated(name: &str, id: &str) -> serde_json::Value {
    json!({ name: id, "associationState": { "state": "associated" } })
}

fn different_networks(table_id: &str, thing: &str) -> Refusal {
    let message = format!("Route table {table_id} and subnet {thing} belong to different networks");
    Refusal::new("InvalidParameterValue", message)
}

/// "You can also use this operation to change which table is the main route table in the VPC"
/// (API reference, `ReplaceRouteTableAssociation`).
fn replace_association(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("AssociationId")?;
    let table_id = call.parameters.required("RouteTableId")?;
    let network = world.network(&call.region);
    let (old_table, subnet) = network.own_association(call, id)?;
    let vpc_id = network.own_table(call, table_id)?.vpc_id.clone();
    if network.route_tables.get(&old_table).is_none_or(|old| old.vpc_id != vpc_id) {
        return Err(different_networks(table_id, subnet.as_deref().unwrap_or(&old_table)));
    }
    dry_run(call)?;
    let new = world.new_id("rtbassoc");
    let network = world.network(&call.region);
    network.remove_table_association(id);
    if subnet.is_none()
        && let Some(vpc) = network.vpcs.get_mut(&vpc_id)
    {
        table_id.clone_into(&mut vpc.main_table_id);
        network.dependents.add(&vpc_id, &old_table);
        network.dependents.remove(&vpc_id, table_id);
    }
    network.add_table_association(table_id, new.clone(), subnet);
    Ok(associated("newAssociationId", &new))
}

fn disassociate(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("AssociationId")?;
    let network = world.network(&call.region);
    if network.own_association(call, id)?.1.is_none() {
        let message = format!("cannot disassociate the main route table association {id}");
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    dry_run(call)?;
    network.remove_table_association(id);
    Ok(json!({ "return": true }))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::ec2::testing::{list, table, with_subnet};
    use crate::testing::{Account, text};

    fn main_association(account: &mut Account) -> Value {
        let filter = json!([{ "Name": "association.main", "Value": ["true"] }]);
        let seen = account.ok("DescribeRouteTables", json!({ "Filter": filter }));
        let table = list(&seen, "routeTableSet")[0].clone();
        list(&table, "associationSet").iter().find(|one| one["main"] == true).expect("it is there").clone()
    }

    fn table_of(account: &mut Account, subnet: &str) -> Option<String> {
        let filter = json!([{ "Name": "association.subnet-id", "Value": [subnet] }]);
        let seen = account.ok("DescribeRouteTables", json!({ "Filter": filter }));
        list(&seen, "routeTableSet").first().map(|table| text(&table["routeTableId"]))
    }

    #[test]
    fn a_subnet_is_associated_with_one_table_at_a_time() {
        let (mut account, vpc, subnet) = with_subnet();
        let tables = [table(&mut account, &vpc), table(&mut account, &vpc)];
        let wanted = json!({ "RouteTableId": tables[0], "SubnetId": subnet });
        let id = text(&account.ok("AssociateRouteTable", wanted.clone())["associationId"]);
        assert_eq!(account.ok("AssociateRouteTable", wanted)["associationId"], id.as_str());
        let other = json!({ "RouteTableId": tables[1], "SubnetId": subnet });
        account.refused("AssociateRouteTable", other, "Resource.AlreadyAssociated");
        account.refused("DeleteRouteTable", json!({ "RouteTableId": tables[0] }), "DependencyViolation");
        let moved = json!({ "AssociationId": id, "RouteTableId": tables[1] });
        let new = text(&account.ok("ReplaceRouteTableAssociation", moved.clone())["newAssociationId"]);
        account.refused("ReplaceRouteTableAssociation", moved, "InvalidAssociationID.NotFound");
        account.ok("DeleteRouteTable", json!({ "RouteTableId": tables[0] }));
        assert_eq!(table_of(&mut account, &subnet), Some(tables[1].clone()));
        account.ok("DisassociateRouteTable", json!({ "AssociationId": new }));
        account.refused(
            "DisassociateRouteTable",
            json!({ "AssociationId": new }),
            "InvalidAssociationID.NotFound",
        );
        assert_eq!(table_of(&mut account, &subnet), None);
        account.ok("DeleteRouteTable", json!({ "RouteTableId": tables[1] }));
    }

    #[test]
    fn another_table_becomes_the_main_one() {
        let (mut account, vpc, subnet) = with_subnet();
        let table = table(&mut account, &vpc);
        let before = main_association(&mut account);
        let id = json!({ "AssociationId": before["routeTableAssociationId"] });
        account.refused("DisassociateRouteTable", id.clone(), "InvalidParameterValue");
        let mut moved = id;
        moved["RouteTableId"] = json!(table);
        account.ok("ReplaceRouteTableAssociation", moved);
        assert_eq!(main_association(&mut account)["routeTableId"], table.as_str());
        account.refused("DeleteRouteTable", json!({ "RouteTableId": table }), "DependencyViolation");
        account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
        account.refused("DeleteVpc", json!({ "VpcId": vpc }), "DependencyViolation");
        account.ok("DeleteRouteTable", json!({ "RouteTableId": before["routeTableId"] }));
        account.ok("DeleteVpc", json!({ "VpcId": vpc }));
    }

    #[test]
    fn a_subnet_takes_its_association_along() {
        let (mut account, vpc, subnet) = with_subnet();
        let table = table(&mut account, &vpc);
        account.ok("AssociateRouteTable", json!({ "RouteTableId": table, "SubnetId": subnet }));
        account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
        account.ok("DeleteRouteTable", json!({ "RouteTableId": table }));
    }

    #[test]
    fn a_table_counts_in_its_own_vpc_only() {
        let (mut account, vpc, subnet) = with_subnet();
        let other = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.1.0.0/16" }))["vpc"]["vpcId"]);
        let tables = [table(&mut account, &vpc), table(&mut account, &other)];
        let wrong = json!({ "RouteTableId": tables[1], "SubnetId": subnet });
        account.refused("AssociateRouteTable", wrong, "InvalidParameterValue");
        let right = json!({ "RouteTableId": tables[0], "SubnetId": subnet });
        let id = account.ok("AssociateRouteTable", right)["associationId"].clone();
        let wrong = json!({ "AssociationId": id, "RouteTableId": tables[1] });
        account.refused("ReplaceRouteTableAssociation", wrong, "InvalidParameterValue");
    }

    #[test]
    fn a_participant_changes_no_association() {
        let (mut owner, vpc, subnet) = with_subnet();
        let table = table(&mut owner, &vpc);
        let both = json!({ "RouteTableId": table, "SubnetId": subnet });
        let id = owner.ok("AssociateRouteTable", both)["associationId"].clone();
        let one = json!({ "AssociationId": id });
        owner.other(|other| {
            other.refused("DisassociateRouteTable", one.clone(), "InvalidAssociationID.NotFound");
        });
        owner.share_with_other(&subnet);
        owner.other(|other| other.refused("DisassociateRouteTable", one.clone(), "UnauthorizedOperation"));
    }
}
