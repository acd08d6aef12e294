//! What is in the way besides network interfaces: references between groups, public addresses, and
//! the parts of a VPC.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Address, InternetGateway, RouteTableAssociation, SecurityGroup};
use aws_sdk_elasticloadbalancingv2::types::TargetGroup;
use futures::future::{try_join, try_join_all};
use straddle_engine::address::RemoteId;
use straddle_engine::diagnosis::{Blocker, Link};
use straddle_engine::provider::ProviderError;

use super::{View, to_sdk};
use crate::client::Client;
use crate::elb;
use crate::error::failed;

impl View<'_> {
    /// A group is used by interfaces, and by the rules of other groups that name it, also in the
    /// accounts with which its VPC is shared.
    pub(super) async fn of_security_group(&self, id: &str) -> Result<Vec<Blocker>, ProviderError> {
        let filter = [("group-id", id)];
        let references = try_join_all(self.accounts.values().map(|client| references(client, id)));
        let (mut found, references) = try_join(self.interfaces(&filter), references).await?;
        // What is shared is seen from several accounts.
        let groups: BTreeMap<_, _> =
            references.into_iter().flatten().filter(|(group, _)| group != id).collect();
        found.extend(groups.into_values());
        Ok(found)
    }

    /// A gateway stays attached as long as something in its VPC has a public address.
    pub(super) async fn of_internet_gateway(&self, id: &str) -> Result<Vec<Blocker>, ProviderError> {
        let call = self.home.ec2.reads.describe_internet_gateways().internet_gateway_ids(id);
        let answer = call.send().await.map_err(failed("DescribeInternetGateways"))?;
        let mut attachments = answer.internet_gateways().iter().flat_map(InternetGateway::attachments);
        let Some(vpc) = attachments.find_map(|attachment| attachment.vpc_id()) else {
            return Ok(Vec::new());
        };
        self.interfaces(&[("vpc-id", vpc), ("association.public-ip", "*")]).await
    }

    pub(super) async fn of_address(&self, id: &str) -> Result<Vec<Blocker>, ProviderError> {
        let call = self.home.ec2.reads.describe_addresses().allocation_ids(id);
        let answer = call.send().await.map_err(failed("DescribeAddresses"))?;
        let interface = answer.addresses().iter().find_map(Address::network_interface_id);
        match interface {
            Some(interface) => self.interfaces(&[("network-interface-id", interface)]).await,
            None => Ok(Vec::new()),
        }
    }

    /// Target groups are used by the listeners and rules of load balancers.
    pub(super) async fn of_target_group(&self, id: &str) -> Result<Vec<Blocker>, ProviderError> {
        let groups = elb::target_groups(self.home, &[RemoteId::new(id)]).await?;
        let balancers = groups.iter().flat_map(TargetGroup::load_balancer_arns);
        let advice = "Let its listeners and rules send connections elsewhere, or delete it.";
        Ok(balancers.map(|arn| single(Link::new("load balancer", arn), advice)).collect())
    }

    /// A VPC is used by whatever is in it but for its default group and its main route table.
    pub(super) async fn of_vpc(&self, id: &str) -> Result<Vec<Blocker>, ProviderError> {
        let filter = [("vpc-id", id)];
        let (parts, interfaces) = try_join(self.parts(id), self.interfaces(&filter)).await?;
        Ok(parts.into_iter().chain(interfaces).collect())
    }

    async fn parts(&self, id: &str) -> Result<Vec<Blocker>, ProviderError> {
        let (reads, filter) = (&self.home.ec2.reads, || Some(to_sdk(&[("vpc-id", id)])));
        let subnets = reads.describe_subnets().set_filters(filter()).send();
        let subnets = subnets.await.map_err(failed("DescribeSubnets"))?;
        let groups = reads.describe_security_groups().set_filters(filter()).send();
        let groups = groups.await.map_err(failed("DescribeSecurityGroups"))?;
        let tables = reads.describe_route_tables().set_filters(filter()).send();
        let tables = tables.await.map_err(failed("DescribeRouteTables"))?;
        let endpoints = reads.describe_vpc_endpoints().set_filters(filter()).send();
        let endpoints = endpoints.await.map_err(failed("DescribeVpcEndpoints"))?;
        let attached = Some(to_sdk(&[("attachment.vpc-id", id)]));
        let gateways = reads.describe_internet_gateways().set_filters(attached).send();
        let gateways = gateways.await.map_err(failed("DescribeInternetGateways"))?;
        let link = |what: &str, id: Option<&str>, owner| {
            Some(single(Link::new(what, id?).of(owner), "Delete it, or let who has it delete it."))
        };
        let is_main = |association: &RouteTableAssociation| association.main() == Some(true);
        let subnets =
            subnets.subnets().iter().filter_map(|part| link("subnet", part.subnet_id(), part.owner_id()));
        let groups = groups.security_groups().iter().filter(|group| group.group_name() != Some("default"));
        let groups = groups.filter_map(|part| link("security group", part.group_id(), part.owner_id()));
        let tables = tables.route_tables().iter().filter(|table| !table.associations().iter().any(is_main));
        let tables = tables.filter_map(|part| link("route table", part.route_table_id(), part.owner_id()));
        let endpoints = endpoints.vpc_endpoints().iter();
        let endpoints =
            endpoints.filter_map(|part| link("VPC endpoint", part.vpc_endpoint_id(), part.owner_id()));
        let gateways = gateways.internet_gateways().iter();
        let gateways =
            gateways.filter_map(|part| link("internet gateway", part.internet_gateway_id(), part.owner_id()));
        Ok(endpoints.chain(gateways).chain(subnets).chain(tables).chain(groups).collect())
    }
}

fn single(link: Link, advice: &str) -> Blocker {
    Blocker { chain: vec![link], advice: Some(advice.to_owned()) }
}

/// Returns the groups that an account sees whose rules name a group, by id.
async fn references(client: &Client, group_id: &str) -> Result<Vec<(String, Blocker)>, ProviderError> {
    let mut found = Vec::new();
    for filter in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
        let call =
            client.ec2.reads.describe_security_groups().set_filters(Some(to_sdk(&[(filter, group_id)])));
        let answer = call.send().await.map_err(failed("DescribeSecurityGroups"))?;
        found.extend(answer.security_groups().iter().filter_map(reference));
    }
    Ok(found)
}

fn reference(group: &SecurityGroup) -> Option<(String, Blocker)> {
    let id = group.group_id()?;
    let link = Link::new("security group", id).of(group.owner_id()).noted(group.group_name());
    Some((id.to_owned(), single(link, "Delete the rules of that group that name this one.")))
}
