//! Walks through a set-up as somebody has made it by hand, in all accounts.
//!
//! 1. [`network`]: a VPC, what belongs to it, and the shares of its subnets;
//! 2. [`cluster`]: the clusters that stand in it, in whichever account, with everything below them;
//! 3. [`identity`]: the roles that all of them have, and who trusts a cluster's issuer of tokens;
//! 4. [`balancers`]: load balancers that somebody has made, and what a controller makes.

mod balancers;
mod cluster;
mod identity;
mod network;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eks::types::Cluster;
use straddle_engine::address::{AccountName, RemoteId};
use straddle_engine::discovery::{Discovery, Start, Stuck, Thing, Walk};
use straddle_engine::provider::{BoxFuture, Connection, ErrorClass, ProviderError};

use crate::client::Client;

/// The file of a network and what belongs to it.
const NETWORK: &str = "network";
/// The file of clusters, and of what stands beside them in their account.
const CLUSTER: &str = "cluster";
/// The file of what lets the cluster of one account work in another one.
const CONTROLLER: &str = "controller";

/// The tag that things have which a stack of `CloudFormation` has made.
const STACK_OF_AWS: &str = "aws:cloudformation:stack-name";

/// The walk.
pub(crate) struct AwsDiscovery;

impl Discovery for AwsDiscovery {
    fn starts(&self) -> &'static [&'static str] {
        &["vpc", "eks_cluster"]
    }

    fn walk<'a>(
        &'a self,
        accounts: &'a BTreeMap<AccountName, Connection>,
        starts: &'a [Start],
    ) -> BoxFuture<'a, Result<Walk, Stuck>> {
        Box::pin(Tour::of(accounts, starts).walk(starts))
    }
}

/// An account in a region.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a AccountName,
    client: &'a Client,
}

impl Place<'_> {
    fn account_id(&self) -> &str {
        &self.client.place.account
    }

    /// Tells whether a thing belongs to this account.
    fn owns(&self, owner: Option<&str>) -> bool {
        owner.is_none_or(|owner| owner == self.account_id())
    }

    fn stuck(&self, source: ProviderError) -> Stuck {
        Stuck { account: self.name.clone(), source }
    }
}

/// A walk under way.
struct Tour<'a> {
    /// Those of the spec, one name for each account and region; where walks begin first.
    places: Vec<Place<'a>>,
    walk: Walk,
    /// What was come by: by account, kind and id.
    seen: BTreeSet<(String, &'static str, String)>,
    /// By subnet: the route table that somebody has made for it.
    tables: BTreeMap<String, String>,
    /// Where what is come by is written.
    file: &'static str,
}

impl<'a> Tour<'a> {
    fn of(accounts: &'a BTreeMap<AccountName, Connection>, starts: &[Start]) -> Self {
        let begins = |name: &AccountName| starts.iter().any(|start| start.account == *name);
        let (first, others): (Vec<_>, Vec<_>) = accounts.iter().partition(|(name, _)| begins(name));
        let mut known = BTreeSet::new();
        let mut places = Vec::new();
        for (name, connection) in first.into_iter().chain(others) {
            let client: &Client = connection.client();
            if known.insert((&client.place.account, &client.place.region)) {
                places.push(Place { name, client });
            }
        }
        Self { places, walk: Walk::default(), seen: BTreeSet::new(), tables: BTreeMap::new(), file: NETWORK }
    }

    async fn walk(mut self, starts: &[Start]) -> Result<Walk, Stuck> {
        let (mut networks, mut clusters) = (Vec::new(), Vec::new());
        for start in starts {
            let at = self.begin(&start.account);
            if start.kind.as_str() == "vpc" {
                networks.push((at, start.id.to_string()));
                continue;
            }
            let found = cluster::describe(at.client, start.id.as_str()).await;
            let found = found.map_err(|source| at.stuck(source))?;
            networks.extend(self.network_of(at, &found).await.map_err(|source| at.stuck(source))?);
            clusters.push((at, found));
        }
        let mut known = BTreeSet::new();
        networks.retain(|(_, vpc)| known.insert(vpc.clone()));
        for (at, vpc) in &networks {
            self.file = NETWORK;
            self.network(*at, vpc).await.map_err(|source| at.stuck(source))?;
        }
        for (at, vpc) in &networks {
            clusters.extend(self.clusters_in(*at, vpc).await?);
        }
        let mut known = BTreeSet::new();
        clusters.retain(|(at, found)| known.insert((at.account_id().to_owned(), found.arn.clone())));
        for (at, vpc) in &networks {
            self.file = CLUSTER;
            self.groups_of_guests(*at, vpc).await?;
        }
        for (at, found) in &clusters {
            self.cluster(*at, found).await?;
        }
        for (at, vpc) in &networks {
            self.file = CONTROLLER;
            self.balancers(*at, vpc).await?;
        }
        Ok(self.walk)
    }

    /// Returns the place where a walk begins.
    fn begin(&self, account: &AccountName) -> Place<'a> {
        let named = self.places.iter().find(|place| place.name == account);
        // Another name of the same account and region stands for it.
        *named.or(self.places.first()).expect("walks begin in accounts that were connected to")
    }

    /// Returns the clusters in a network, of all accounts.
    async fn clusters_in(&mut self, owner: Place<'a>, vpc: &str) -> Result<Vec<(Place<'a>, Cluster)>, Stuck> {
        let mut found = Vec::new();
        for at in self.guests(owner).into_iter().chain([owner]) {
            let clusters = cluster::in_network(at.client, vpc).await;
            let clusters = self.if_allowed(at, "clusters", clusters)?;
            found.extend(clusters.into_iter().map(|cluster| (at, cluster)));
        }
        Ok(found)
    }

    /// Returns the other accounts in the region of a network.
    fn guests(&self, owner: Place<'a>) -> Vec<Place<'a>> {
        let region = &owner.client.place.region;
        let is_guest = |place: &&Place<'a>| {
            place.client.place.region == *region && place.account_id() != owner.account_id()
        };
        self.places.iter().filter(is_guest).copied().collect()
    }

    /// Takes that an account does not let its things be looked at as that there are none, and says so.
    fn if_allowed<T: Default>(
        &mut self,
        at: Place<'a>,
        what: &str,
        found: Result<T, ProviderError>,
    ) -> Result<T, Stuck> {
        match found {
            Err(error) if error.class == ErrorClass::AccessDenied => {
                self.leave_out(format!(
                    "The {what} of the account `{}` are left out: {} is not allowed there.",
                    at.name, error.operation
                ));
                Ok(T::default())
            }
            other => other.map_err(|source| at.stuck(source)),
        }
    }

    fn add(&mut self, at: Place<'a>, kind: &'static str, id: impl Into<String>) {
        self.add_thing(at, kind, id, None, None);
    }

    /// Adds a thing with tags, which tell whether somebody else manages it as well.
    fn add_tagged<'t>(
        &mut self,
        at: Place<'a>,
        kind: &'static str,
        id: impl Into<String>,
        mut tags: impl Iterator<Item = (&'t str, &'t str)>,
    ) {
        let stack = tags.find(|(key, _)| *key == STACK_OF_AWS);
        let remark = stack.map(|(_, stack)| {
            format!(
                "The stack {stack} of CloudFormation has this as well: let it go there, with `DeletionPolicy: Retain`, \
                 before it is changed here."
            )
        });
        self.add_thing(at, kind, id, None, remark);
    }

    /// Adds a thing, unless it is one that was come by before. Returns whether it is new.
    fn add_thing(
        &mut self,
        at: Place<'a>,
        kind: &'static str,
        id: impl Into<String>,
        name: Option<String>,
        remark: Option<String>,
    ) -> bool {
        let id = id.into();
        let is_new = self.seen.insert((at.account_id().to_owned(), kind, id.clone()));
        if is_new {
            let (account, file) = (at.name.clone(), self.file);
            self.walk.things.push(Thing {
                account,
                kind,
                id: RemoteId::new(id),
                name,
                file,
                remark,
                needs: Vec::new(),
            });
        }
        is_new
    }

    /// Lets the thing that was added last wait for others; says nothing of one that was come by before.
    fn let_wait(&mut self, id: &str, needs: impl Iterator<Item = (&'static str, String)>) {
        if let Some(last) = self.walk.things.last_mut().filter(|last| last.id.as_str() == id) {
            last.needs = needs.map(|(kind, id)| (kind, RemoteId::new(id))).collect();
        }
    }

    /// Returns the route tables by which these subnets go.
    fn ways_out<'s>(&self, subnets: impl Iterator<Item = &'s str>) -> BTreeSet<(&'static str, String)> {
        let tables = subnets.filter_map(|subnet| self.tables.get(subnet));
        tables.map(|table| ("route_table", table.clone())).collect()
    }

    fn leave_out(&mut self, sentence: String) {
        if !self.walk.left_out.contains(&sentence) {
            self.walk.left_out.push(sentence);
        }
    }
}

/// Returns the tags of EC2 as pairs.
fn pairs(tags: &[aws_sdk_ec2::types::Tag]) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())))
}
