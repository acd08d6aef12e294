//! Walks through what belongs to a VPC, as somebody has made it by hand.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{self, RouteOrigin};
use aws_sdk_ram::types::ResourceShareAssociationType;
use straddle_engine::address::RemoteId;
use straddle_engine::discovery::{Discovery, Thing, Walk};
use straddle_engine::provider::{BoxFuture, Connection, ErrorClass, ProviderError};

use crate::client::Client;
use crate::ec2::filters::equals;
use crate::error::failed;

/// What EKS and its load balancer controller put on the groups that are theirs.
const OTHERS_TAGS: [&str; 2] = ["aws:eks:cluster-name", "elbv2.k8s.aws/cluster"];
/// What the tags begin with of things that `CloudFormation` and others of AWS's services manage.
const SERVICES_TAGS: &str = "aws:cloudformation:";

/// The walk.
pub(crate) struct AwsDiscovery;

impl Discovery for AwsDiscovery {
    fn starts(&self) -> &'static [&'static str] {
        &["vpc"]
    }

    fn walk<'a>(
        &'a self,
        connection: &'a Connection,
        kind: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Walk, ProviderError>> {
        Box::pin(async move {
            let client: &Client = connection.client();
            match kind {
                "vpc" => Steps { client, vpc: id, walk: Walk::default() }.walk().await,
                other => Err(ProviderError::new(
                    ErrorClass::Rejected,
                    other,
                    format!("a walk begins at one of {}", self.starts().join(", ")),
                )),
            }
        })
    }
}

/// A walk under way.
struct Steps<'a> {
    client: &'a Client,
    vpc: &'a str,
    walk: Walk,
}

impl Steps<'_> {
    async fn walk(mut self) -> Result<Walk, ProviderError> {
        self.network().await?;
        let subnets = self.subnets().await?;
        self.gateways().await?;
        self.tables().await?;
        self.groups().await?;
        self.endpoints().await?;
        self.shares(&subnets).await?;
        Ok(self.walk)
    }

    fn add(&mut self, kind: &'static str, id: impl Into<String>) {
        self.walk.things.push(Thing { kind, id: RemoteId::new(id.into()), name: None });
    }

    fn leave_out(&mut self, sentence: String) {
        self.walk.left_out.push(sentence);
    }

    /// Tells whether a thing belongs to the account that is walked through.
    fn is_own(&self, owner: Option<&str>) -> bool {
        owner.is_none_or(|owner| owner == self.client.place.account)
    }

    async fn network(&mut self) -> Result<(), ProviderError> {
        let call = self.client.ec2.reads.describe_vpcs().filters(equals("vpc-id", self.vpc));
        let answer = call.send().await.map_err(failed("DescribeVpcs"))?;
        let Some(vpc) = answer.vpcs().first() else {
            let message = format!("there is no VPC {} in this account and region", self.vpc);
            return Err(ProviderError::new(ErrorClass::NotFound, "DescribeVpcs", message));
        };
        if !self.is_own(vpc.owner_id()) {
            let owner = vpc.owner_id().unwrap_or_default();
            let message = format!("the VPC {} belongs to the account {owner}; begin there", self.vpc);
            return Err(ProviderError::new(ErrorClass::Rejected, "DescribeVpcs", message));
        }
        self.add("vpc", self.vpc);
        Ok(())
    }

    async fn subnets(&mut self) -> Result<Vec<String>, ProviderError> {
        let call = self.client.ec2.reads.describe_subnets().filters(equals("vpc-id", self.vpc));
        let pages = call.into_paginator().items().send();
        let mut subnets = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeSubnets"))?;
        subnets.sort_by(|one, other| one.cidr_block().cmp(&other.cidr_block()));
        let ids: Vec<_> = subnets.iter().filter_map(types::Subnet::subnet_id).map(str::to_owned).collect();
        for id in &ids {
            self.add("subnet", id.as_str());
        }
        let arns = subnets.iter().filter_map(types::Subnet::subnet_arn).map(str::to_owned);
        Ok(arns.collect())
    }

    async fn gateways(&mut self) -> Result<(), ProviderError> {
        let call = self.client.ec2.reads.describe_internet_gateways();
        let answer = call.filters(equals("attachment.vpc-id", self.vpc)).send().await;
        let answer = answer.map_err(failed("DescribeInternetGateways"))?;
        for gateway in answer.internet_gateways().iter().filter_map(|gateway| gateway.internet_gateway_id()) {
            self.add("internet_gateway", gateway);
        }
        let call = self.client.ec2.reads.describe_nat_gateways().filter(equals("vpc-id", self.vpc));
        let answer = call.send().await.map_err(failed("DescribeNatGateways"))?;
        let lives = |gateway: &&types::NatGateway| {
            !matches!(
                gateway.state().map(types::NatGatewayState::as_str),
                Some("deleted" | "deleting" | "failed")
            )
        };
        let gateways: Vec<_> = answer.nat_gateways().iter().filter(lives).cloned().collect();
        let addresses: BTreeSet<_> = gateways
            .iter()
            .flat_map(types::NatGateway::nat_gateway_addresses)
            .filter_map(types::NatGatewayAddress::allocation_id)
            .collect();
        for address in addresses {
            self.add("eip", address);
        }
        for gateway in gateways.iter().filter_map(types::NatGateway::nat_gateway_id) {
            self.add("nat_gateway", gateway);
        }
        Ok(())
    }

    async fn tables(&mut self) -> Result<(), ProviderError> {
        let call = self.client.ec2.reads.describe_route_tables().filters(equals("vpc-id", self.vpc));
        let pages = call.into_paginator().items().send();
        let tables = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeRouteTables"))?;
        for table in &tables {
            self.table(table);
        }
        Ok(())
    }

    fn table(&mut self, table: &types::RouteTable) {
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
        self.add("route_table", id);
        for destination in routes {
            self.add("route", format!("{id}_{destination}"));
        }
        for association in subnets {
            self.add("route_table_association", format!("{id}/{association}"));
        }
    }

    async fn groups(&mut self) -> Result<(), ProviderError> {
        let call = self.client.ec2.reads.describe_security_groups().filters(equals("vpc-id", self.vpc));
        let pages = call.into_paginator().items().send();
        let groups = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeSecurityGroups"))?;
        let mut own = Vec::new();
        for group in &groups {
            let (Some(id), name) = (group.group_id(), group.group_name().unwrap_or_default()) else {
                continue;
            };
            if !self.is_own(group.owner_id()) {
                self.leave_out(format!("The group {id} ({name}) belongs to another account."));
            } else if name == "default" {
                self.leave_out(format!(
                    "The default group {id} is left out: AWS made it with the VPC, and it goes with it."
                ));
            } else if is_managed(group.tags()) {
                self.leave_out(format!("The group {id} ({name}) is managed by a service."));
            } else {
                own.push(id.to_owned());
            }
        }
        for id in &own {
            self.add("security_group", id.as_str());
        }
        for group in &own {
            let call =
                self.client.ec2.reads.describe_security_group_rules().filters(equals("group-id", group));
            let pages = call.into_paginator().items().send();
            let rules = pages.collect::<Result<Vec<_>, _>>().await;
            let rules = rules.map_err(failed("DescribeSecurityGroupRules"))?;
            for rule in rules.iter().filter_map(types::SecurityGroupRule::security_group_rule_id) {
                self.add("security_group_rule", rule);
            }
        }
        Ok(())
    }

    async fn endpoints(&mut self) -> Result<(), ProviderError> {
        let call = self.client.ec2.reads.describe_vpc_endpoints().filters(equals("vpc-id", self.vpc));
        let pages = call.into_paginator().items().send();
        let endpoints = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeVpcEndpoints"))?;
        for endpoint in &endpoints {
            let Some(id) = endpoint.vpc_endpoint_id() else { continue };
            let state = endpoint.state().map(|state| state.as_str().to_ascii_lowercase());
            if endpoint.requester_managed() == Some(true) {
                self.leave_out(format!("The endpoint {id} is managed by a service."));
            } else if !matches!(state.as_deref(), Some("deleted" | "deleting" | "failed")) {
                self.add("vpc_endpoint", id);
            }
        }
        Ok(())
    }

    /// Adds the shares of this account that hold one of the subnets.
    async fn shares(&mut self, subnets: &[String]) -> Result<(), ProviderError> {
        let mut shares = BTreeSet::new();
        for arn in subnets {
            let call = self.client.ram.reads.get_resource_share_associations();
            let call = call.association_type(ResourceShareAssociationType::Resource).resource_arn(arn);
            let pages = call.into_paginator().send();
            let pages = pages.collect::<Result<Vec<_>, _>>().await;
            for page in pages.map_err(failed("GetResourceShareAssociations"))? {
                let lives = |status: &str| !matches!(status, "DISASSOCIATED" | "DISASSOCIATING" | "FAILED");
                let held = page
                    .resource_share_associations()
                    .iter()
                    .filter(|association| association.status().is_none_or(|status| lives(status.as_str())));
                shares.extend(
                    held.filter_map(|association| association.resource_share_arn()).map(str::to_owned),
                );
            }
        }
        let owner = format!(":{}:", self.client.place.account);
        shares
            .into_iter()
            .filter(|arn| arn.contains(&owner))
            .for_each(|arn| self.add("ram_resource_share", arn));
        Ok(())
    }
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
    let keys = || tags.iter().filter_map(types::Tag::key);
    keys().any(|key| OTHERS_TAGS.contains(&key) || key.starts_with(SERVICES_TAGS))
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
        assert!(is_managed(&tag("aws:eks:cluster-name")) && is_managed(&tag("aws:cloudformation:stack-id")));
        assert!(!is_managed(&tag("Name")));
    }
}
