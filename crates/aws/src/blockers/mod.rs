//! What keeps things of a network from being deleted, read from where it can be seen.
//!
//! EC2 says `DependencyViolation` and no more. What uses a subnet or a group is a network interface
//! as a rule, which belongs to something else, which somebody made: the owner of a shared subnet sees
//! the interfaces of others ("Share your VPC subnets", VPC user guide), and what stands behind them is
//! read through that account's own connection where the stack has one.

mod interface;
mod network;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, NetworkInterface};
use futures::future::try_join_all;
use straddle_engine::diagnosis::{Blocker, Case, Diagnosis, Link};
use straddle_engine::permission::Need;
use straddle_engine::provider::{BoxFuture, Connection, ProviderError};

use crate::client::Client;
use crate::elb;
use crate::error::failed;

/// What it takes to read what stands behind the network interfaces that use a thing.
pub(crate) const INTERFACES_READ: Need = Need::delete(&[
    "ec2:DescribeNetworkInterfaces",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags",
])
.to_repair();

/// What it takes to read the parts of a VPC.
pub(crate) const PARTS_READ: Need = Need::delete(&[
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeSubnets",
    "ec2:DescribeRouteTables",
    "ec2:DescribeVpcEndpoints",
])
.to_repair();

/// Finds what keeps things from being deleted.
pub(crate) struct Blockers;

impl Diagnosis for Blockers {
    fn blockers<'a>(&'a self, case: Case<'a>) -> BoxFuture<'a, Result<Vec<Blocker>, ProviderError>> {
        Box::pin(async move {
            let (view, id) = (View::of(&case), case.remote_id.as_str());
            match case.kind.as_str() {
                "subnet" => view.interfaces(&[("subnet-id", id)]).await,
                "security_group" => view.of_security_group(id).await,
                "internet_gateway" => view.of_internet_gateway(id).await,
                "vpc" => view.of_vpc(id).await,
                "eip" => view.of_address(id).await,
                "target_group" => view.of_target_group(id).await,
                _ => Ok(Vec::new()),
            }
        })
    }
}

/// The account that a thing is in, and what can be seen from the others.
struct View<'a> {
    /// The account that the thing is in.
    home: &'a Client,
    /// The accounts of the run, by id.
    accounts: BTreeMap<&'a str, &'a Client>,
}

impl<'a> View<'a> {
    fn of(case: &Case<'a>) -> Self {
        let clients = case.connections.values().map(Connection::client::<Client>);
        Self {
            home: case.connections[case.account].client(),
            accounts: clients.map(|client| (client.place.account.as_str(), client)).collect(),
        }
    }

    /// Returns the chains that begin at the network interfaces with these properties.
    async fn interfaces(&self, filters: &[(&str, &str)]) -> Result<Vec<Blocker>, ProviderError> {
        let call = self.home.ec2.reads.describe_network_interfaces().set_filters(Some(to_sdk(filters)));
        let pages = call.into_paginator().items().send();
        let found: Vec<NetworkInterface> =
            pages.collect::<Result<_, _>>().await.map_err(failed("DescribeNetworkInterfaces"))?;
        self.chains(&found).await
    }

    async fn chains(&self, interfaces: &[NetworkInterface]) -> Result<Vec<Blocker>, ProviderError> {
        try_join_all(interfaces.iter().map(|interface| self.chain(interface))).await
    }

    async fn chain(&self, interface: &NetworkInterface) -> Result<Blocker, ProviderError> {
        let mut blocker = interface::blocker(interface);
        if let Some(name) = interface::load_balancer(interface)
            && let Some(account) = interface.owner_id().and_then(|owner| self.accounts.get(owner))
            && let Some(maker) = elb::maker_of(account, name).await?
        {
            blocker.chain.push(Link::new("Ingress", maker.ingress).noted(Some(&maker.cluster)));
            blocker.advice = Some(
                "Delete the Ingress while its cluster and controller still work: the controller then deletes \
                 the load balancer."
                    .to_owned(),
            );
        }
        Ok(blocker)
    }
}

fn to_sdk(filters: &[(&str, &str)]) -> Vec<Filter> {
    filters.iter().map(|(name, value)| Filter::builder().name(*name).values(*value).build()).collect()
}
