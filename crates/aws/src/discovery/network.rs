//! A VPC, what belongs to it, and the shares of its subnets.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{self, RouteOrigin};
use aws_sdk_eks::types::Cluster;
use aws_sdk_ram::types::{
    ResourceShareAssociation, ResourceShareAssociationStatus, ResourceShareAssociationType,
};
use straddle_engine::discovery::Stuck;
use straddle_engine::provider::{ErrorClass, ProviderError};

use super::{Place, Tour, pairs};
use crate::client::Client;
use crate::ec2::filters::equals;
use crate::error::failed;

/// What EKS and its load balancer controller put on the groups that are theirs.
const OTHERS_TAGS: [&str; 2] = ["aws:eks:cluster-name", "elbv2.k8s.aws/cluster"];
/// How the controller describes the rules that it makes in groups of others.
const CONTROLLERS_RULES: &str = "elbv2.k8s.aws/";

impl<'a> Tour<'a> {
    pub(super) async fn network(&mut self, at: Place<'a>, vpc: &str) -> Result<(), ProviderError> {
        self.vpc(at, vpc).await?;
        let subnets = self.subnets(at, vpc).await?;
        let tables = tables_in(at.client, vpc).await?;
        self.learn_ways_out(&tables);
        self.gateways(at, vpc).await?;
        for table in &tables {
            self.table(at, table);
        }
        self.groups(at, vpc).await?;
        self.endpoints(at, vpc).await?;
        self.shares(at, &subnets).await
    }

    /// Returns the network of a cluster with the account of the spec that owns it, if one does.
    pub(super) async fn network_of(
        &mut self,
        at: Place<'a>,
        cluster: &Cluster,
    ) -> Result<Option<(Place<'a>, String)>, ProviderError> {
        let Some(vpc) = cluster.resources_vpc_config().and_then(|config| config.vpc_id()) else {
            return Ok(None);
        };
        let call = at.client.ec2.reads.describe_vpcs().filters(equals("vpc-id", vpc));
        let answer = call.send().await.map_err(failed("DescribeVpcs"))?;
        let owner = answer.vpcs().first().and_then(types::Vpc::owner_id).unwrap_or(at.account_id());
        let region = &at.client.place.region;
        let place = self
            .places
            .iter()
            .find(|it| it.account_id() == owner && it.client.place.region == *region)
            .copied();
        if place.is_none() {
            self.leave_out(format!(
                "The VPC {vpc} is left out: it belongs to the account {owner}, which the spec does not have."
            ));
        }
        Ok(place.map(|place| (place, vpc.to_owned())))
    }

    async fn vpc(&mut self, at: Place<'a>, vpc: &str) -> Result<(), ProviderError> {
        let call = at.client.ec2.reads.describe_vpcs().filters(equals("vpc-id", vpc));
        let answer = call.send().await.map_err(failed("DescribeVpcs"))?;
        let Some(found) = answer.vpcs().first() else {
            let message = format!("there is no VPC {vpc} in this account and region");
            return Err(ProviderError::new(ErrorClass::NotFound, "DescribeVpcs", message));
        };
        if !at.owns(found.owner_id()) {
            let owner = found.owner_id().unwrap_or_default();
            let message = format!("the VPC {vpc} belongs to the account {owner}; begin there");
            return Err(ProviderError::new(ErrorClass::Rejected, "DescribeVpcs", message));
        }
        self.add_tagged(at, "vpc", vpc, pairs(found.tags()));
        Ok(())
    }

    async fn subnets(&mut self, at: Place<'a>, vpc: &str) -> Result<Vec<String>, ProviderError> {
        let call = at.client.ec2.reads.describe_subnets().filters(equals("vpc-id", vpc));
        let pages = call.into_paginator().items().send();
        let mut subnets = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeSubnets"))?;
        subnets.sort_by_key(|subnet| octets(subnet.cidr_block()));
        for subnet in &subnets {
            let Some(id) = subnet.subnet_id() else { continue };
            self.add_tagged(at, "subnet", id, pairs(subnet.tags()));
        }
        let arns = subnets.iter().filter_map(types::Subnet::subnet_arn).map(str::to_owned);
        Ok(arns.collect())
    }

    async fn gateways(&mut self, at: Place<'a>, vpc: &str) -> Result<(), ProviderError> {
        let call = at.client.ec2.reads.describe_internet_gateways();
        let answer = call.filters(equals("attachment.vpc-id", vpc)).send().await;
        let answer = answer.map_err(failed("DescribeInternetGateways"))?;
        for gateway in answer.internet_gateways() {
            let Some(id) = gateway.internet_gateway_id() else { continue };
            self.add_tagged(at, "internet_gateway", id, pairs(gateway.tags()));
        }
        let call = at.client.ec2.reads.describe_nat_gateways().filter(equals("vpc-id", vpc));
        let answer = call.send().await.map_err(failed("DescribeNatGateways"))?;
        let lives = |gateway: &&types::NatGateway| {
            let state = gateway.state().map(types::NatGatewayState::as_str);
            !matches!(state, Some("deleted" | "deleting" | "failed"))
        };
        let gateways: Vec<_> = answer.nat_gateways().iter().filter(lives).cloned().collect();
        let addresses: BTreeSet<_> = gateways
            .iter()
            .flat_map(types::NatGateway::nat_gateway_addresses)
            .filter_map(types::NatGatewayAddress::allocation_id)
            .collect();
        for address in addresses {
            self.add(at, "eip", address);
        }
        for gateway in &gateways {
            let Some(id) = gateway.nat_gateway_id() else { continue };
            self.add_tagged(at, "nat_gateway", id, pairs(gateway.tags()));
            // Without a way out of its own it fails.
            let ways = self.ways_out(gateway.subnet_id().into_iter());
            self.let_wait(id, ways.into_iter());
        }
        Ok(())
    }

    fn learn_ways_out(&mut self, tables: &[types::RouteTable]) {
        for table in tables {
            // What becomes of the main one is not ours to wait for.
            let is_main = table.associations().iter().any(|association| association.main() == Some(true));
            let subnets = table.associations().iter().filter_map(|association| association.subnet_id());
            let Some(id) = table.route_table_id().filter(|_| !is_main) else { continue };
            self.tables.extend(subnets.map(|subnet| (subnet.to_owned(), id.to_owned())));
        }
    }

    fn table(&mut self, at: Place<'a>, table: &types::RouteTable) {
        let Some(id) = table.route_table_id() else { return };
        let routes: Vec<_> = table.routes().iter().filter_map(made_by_hand).collect();
        let subnets: Vec<_> = table
            .associations()
            .iter()
            .filter(|association| association.subnet_id().is_some())
            .filter_map(|association| association.route_table_association_id())
            .collect();
        if table.associations().iter().any(|association| association.main() == Some(true)) {
            if !routes.is_empty() || !subnets.is_empty() {
                self.leave_out(format!(
                    "The main route table {id} is left out with its routes and associations: AWS made it with the VPC, \
                     and it goes with it."
                ));
            }
            return;
        }
        self.add_tagged(at, "route_table", id, pairs(table.tags()));
        for destination in routes {
            self.add(at, "route", format!("{id}_{destination}"));
        }
        for association in subnets {
            self.add(at, "route_table_association", format!("{id}/{association}"));
        }
    }

    async fn groups(&mut self, at: Place<'a>, vpc: &str) -> Result<(), ProviderError> {
        let mut own = Vec::new();
        for group in groups_in(at.client, vpc).await? {
            let (Some(id), name) = (group.group_id(), group.group_name().unwrap_or_default()) else {
                continue;
            };
            if !at.owns(group.owner_id()) {
                let owner = group.owner_id().unwrap_or_default();
                if !self.places.iter().any(|place| place.account_id() == owner) {
                    self.leave_out(format!(
                        "The group {id} ({name}) is left out: it belongs to the account {owner}, which the spec does not \
                         have."
                    ));
                }
            } else if name == "default" {
                self.leave_out(format!(
                    "The default group {id} is left out: AWS made it with the VPC, and it goes with it."
                ));
            } else if is_managed(group.tags()) {
                self.leave_out(format!("The group {id} ({name}) is left out: a service manages it."));
            } else {
                self.add_tagged(at, "security_group", id, pairs(group.tags()));
                own.push(id.to_owned());
            }
        }
        for group in &own {
            for rule in rules_of(at.client, group).await? {
                self.rule(at, &rule);
            }
        }
        Ok(())
    }

    /// Adds the groups that other accounts have in the network.
    pub(super) async fn groups_of_guests(&mut self, owner: Place<'a>, vpc: &str) -> Result<(), Stuck> {
        for at in self.guests(owner) {
            let added = self.groups(at, vpc).await;
            self.if_allowed(at, "groups", added)?;
        }
        Ok(())
    }

    /// Adds the rules that a person has made in the group of a cluster.
    pub(super) async fn rules_of_cluster(&mut self, at: Place<'a>, group: &str) -> Result<(), ProviderError> {
        for rule in rules_of(at.client, group).await?.iter().filter(|rule| !is_of_eks(rule)) {
            self.rule(at, rule);
        }
        Ok(())
    }

    fn rule(&mut self, at: Place<'a>, rule: &types::SecurityGroupRule) {
        let Some(id) = rule.security_group_rule_id() else { return };
        if rule.description().is_some_and(|text| text.starts_with(CONTROLLERS_RULES)) {
            let group = rule.group_id().unwrap_or_default();
            self.leave_out(format!(
                "The rule {id} of {group} is left out: a controller makes and removes it."
            ));
            return;
        }
        self.add_thing(at, "security_group_rule", id, rule.description().map(str::to_owned), None);
    }

    async fn endpoints(&mut self, at: Place<'a>, vpc: &str) -> Result<(), ProviderError> {
        let call = at.client.ec2.reads.describe_vpc_endpoints().filters(equals("vpc-id", vpc));
        let pages = call.into_paginator().items().send();
        let endpoints = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeVpcEndpoints"))?;
        for endpoint in &endpoints {
            let Some(id) = endpoint.vpc_endpoint_id() else { continue };
            let state = endpoint.state().map(|state| state.as_str().to_ascii_lowercase());
            if endpoint.requester_managed() == Some(true) {
                self.leave_out(format!("The endpoint {id} is left out: a service manages it."));
            } else if !matches!(state.as_deref(), Some("deleted" | "deleting" | "failed")) {
                self.add_tagged(at, "vpc_endpoint", id, pairs(endpoint.tags()));
            }
        }
        Ok(())
    }

    /// Adds the shares of this account that hold one of the subnets.
    async fn shares(&mut self, at: Place<'a>, subnets: &[String]) -> Result<(), ProviderError> {
        let mut shares = BTreeSet::new();
        for arn in subnets {
            let call = at.client.ram.reads.get_resource_share_associations();
            let call = call.association_type(ResourceShareAssociationType::Resource).resource_arn(arn);
            shares.extend(associations(call).await?.into_iter().filter_map(|it| it.resource_share_arn));
        }
        let owner = format!(":{}:", at.account_id());
        for share in shares.into_iter().filter(|arn| arn.contains(&owner)) {
            let call = at.client.ram.reads.get_resource_share_associations();
            let call = call.association_type(ResourceShareAssociationType::Principal);
            let principals = associations(call.resource_share_arns(&share)).await?;
            let known = |id: &str| self.places.iter().any(|place| place.account_id() == id);
            let others: BTreeSet<_> = principals.iter().filter_map(|it| it.associated_entity()).collect();
            let others: Vec<_> = others.into_iter().filter(|id| !known(id)).collect();
            let remark = (!others.is_empty()).then(|| {
                format!(
                    "Lent to {} too, which the spec has no account for: whoever is there uses it.",
                    others.join(", ")
                )
            });
            self.add_thing(at, "ram_resource_share", share, None, remark);
        }
        Ok(())
    }
}

/// Returns the numbers of a range, by which ranges are in order.
fn octets(range: Option<&str>) -> Vec<u8> {
    let numbers = range.unwrap_or_default().split(['.', '/']);
    numbers.filter_map(|number| number.parse().ok()).collect()
}

/// Returns the associations that are there, or will be.
async fn associations(
    call: aws_sdk_ram::operation::get_resource_share_associations::builders::GetResourceShareAssociationsFluentBuilder,
) -> Result<Vec<ResourceShareAssociation>, ProviderError> {
    let pages = call.into_paginator().send().collect::<Result<Vec<_>, _>>().await;
    let pages = pages.map_err(failed("GetResourceShareAssociations"))?;
    let all = pages.into_iter().flat_map(|page| page.resource_share_associations.unwrap_or_default());
    let lives = |association: &ResourceShareAssociation| {
        let status = association.status().map(ResourceShareAssociationStatus::as_str);
        !matches!(status, Some("DISASSOCIATED" | "DISASSOCIATING" | "FAILED"))
    };
    Ok(all.filter(lives).collect())
}

async fn tables_in(client: &Client, vpc: &str) -> Result<Vec<types::RouteTable>, ProviderError> {
    let call = client.ec2.reads.describe_route_tables().filters(equals("vpc-id", vpc));
    let pages = call.into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeRouteTables"))
}

async fn groups_in(client: &Client, vpc: &str) -> Result<Vec<types::SecurityGroup>, ProviderError> {
    let call = client.ec2.reads.describe_security_groups().filters(equals("vpc-id", vpc));
    let pages = call.into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeSecurityGroups"))
}

async fn rules_of(client: &Client, group: &str) -> Result<Vec<types::SecurityGroupRule>, ProviderError> {
    let call = client.ec2.reads.describe_security_group_rules().filters(equals("group-id", group));
    let pages = call.into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeSecurityGroupRules"))
}

/// Tells whether EKS makes a rule by itself in the group of a cluster: everything from the group itself,
/// and everything outwards (EKS user guide, "View Amazon EKS security group requirements").
fn is_of_eks(rule: &types::SecurityGroupRule) -> bool {
    let everything = rule.ip_protocol() == Some("-1");
    let anywhere = rule.cidr_ipv4() == Some("0.0.0.0/0") || rule.cidr_ipv6() == Some("::/0");
    let source = rule.referenced_group_info().and_then(|info| info.group_id());
    let from_itself = source.is_some() && source == rule.group_id();
    everything && (from_itself || (rule.is_egress() == Some(true) && anywhere))
}

/// Returns the destination of a route that a person has made: not the VPC's own, nor that of an endpoint.
fn made_by_hand(route: &types::Route) -> Option<&str> {
    let is_own = route.origin() == Some(&RouteOrigin::CreateRoute);
    let of_endpoint = route.gateway_id().is_some_and(|gateway| gateway.starts_with("vpce-"));
    let destination = route
        .destination_cidr_block()
        .or(route.destination_ipv6_cidr_block())
        .or(route.destination_prefix_list_id());
    destination.filter(|_| is_own && !of_endpoint)
}

fn is_managed(tags: &[types::Tag]) -> bool {
    tags.iter().filter_map(types::Tag::key).any(|key| OTHERS_TAGS.contains(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_routes_that_somebody_made_are_taken() {
        let route =
            || types::Route::builder().destination_cidr_block("0.0.0.0/0").origin(RouteOrigin::CreateRoute);
        assert_eq!(made_by_hand(&route().gateway_id("igw-1").build()), Some("0.0.0.0/0"));
        assert_eq!(made_by_hand(&route().gateway_id("vpce-1").build()), None);
        assert_eq!(
            made_by_hand(&route().origin(RouteOrigin::CreateRouteTable).gateway_id("local").build()),
            None
        );
    }

    #[test]
    fn groups_of_services_are_known_by_their_tags() {
        let tag = |key: &str| [types::Tag::builder().key(key).value("x").build()];
        assert!(is_managed(&tag("aws:eks:cluster-name")) && is_managed(&tag("elbv2.k8s.aws/cluster")));
        assert!(!is_managed(&tag("Name")) && !is_managed(&tag("aws:cloudformation:stack-name")));
    }

    #[test]
    fn rules_of_eks_are_told_from_those_of_a_person() {
        let rule = || types::SecurityGroupRule::builder().group_id("sg-1").ip_protocol("-1");
        let from = |group: &str| types::ReferencedSecurityGroup::builder().group_id(group).build();
        assert!(is_of_eks(&rule().referenced_group_info(from("sg-1")).build()));
        assert!(is_of_eks(&rule().is_egress(true).cidr_ipv4("0.0.0.0/0").build()));
        for persons in [
            rule().referenced_group_info(from("sg-2")),
            rule().is_egress(false).cidr_ipv4("0.0.0.0/0"),
            rule().is_egress(true).cidr_ipv4("10.0.0.0/16"),
            rule().ip_protocol("tcp").referenced_group_info(from("sg-1")),
        ] {
            let rule = persons.build();
            assert!(!is_of_eks(&rule), "{rule:?}");
        }
    }
}
