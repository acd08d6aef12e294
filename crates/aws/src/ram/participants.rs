//! The gate before a share lets go of a subnet: nobody who loses it has anything left in it.
//!
//! What an account has in a subnet that is no longer shared with it goes on running, can no longer
//! be repaired, and keeps the owner from deleting the subnet ("Share your VPC subnets", VPC user
//! guide). The owner sees the network interfaces of others, and cannot delete them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ec2::types::{Filter, NetworkInterface};
use straddle_engine::address::{AccountName, Address};
use straddle_engine::gate::{Anchor, Gate, Placement};
use straddle_engine::plan::{Change, ChangeAction, Plan, Reason};
use straddle_engine::provider::{BoxFuture, Connection, ProviderError};
use straddle_engine::resource::{Readiness, ReplaceOrder, Resource};
use straddle_engine::state::{ResourceState, State};
use straddle_engine::value::{Value, ValueMap};

use super::check::subnet_id;
use super::member::is_account;
use super::resource_share::ResourceShare;
use crate::client::Client;
use crate::error::failed;

/// How long the gate may stay closed, unless the share's `timeouts` say otherwise. An interface of
/// a cluster goes minutes after the cluster has.
const PATIENCE: Duration = Duration::from_mins(20);
const POLL: Duration = Duration::from_secs(10);
/// How many interfaces are named.
const NAMED: usize = 3;
/// How many subnets are asked about at once: the most that a filter takes ("Filtering your
/// resources", EC2 user guide).
const SUBNETS: usize = 200;

/// The gate.
pub(crate) struct ParticipantsGone;

impl Gate for ParticipantsGone {
    fn place(&self, plan: &Plan, state: &State) -> Vec<Placement> {
        let view = View::new(plan, state);
        let shares = plan.changes.iter().filter(|change| change.kind.as_str() == ResourceShare::KIND);
        shares.filter_map(|change| view.placement(change)).collect()
    }

    fn check<'a>(
        &'a self,
        connections: &'a BTreeMap<AccountName, Connection>,
        placement: &'a Placement,
    ) -> BoxFuture<'a, Result<Readiness, ProviderError>> {
        Box::pin(async move {
            let client: &Client = connections[&placement.account].client();
            let losses = Losses::of(&placement.subject);
            let subnets: Vec<_> = losses.by_subnet.keys().cloned().collect();
            let mut blocking = Vec::new();
            for subnets in subnets.chunks(SUBNETS) {
                let interfaces = interfaces(client, subnets).await?;
                blocking
                    .extend(interfaces.iter().filter(|interface| losses.concern(interface)).map(describe));
            }
            Ok(readiness(&blocking))
        })
    }

    fn advice(&self, _: &Placement) -> Option<String> {
        Some("Let the account delete what they belong to, and run the same command again.".to_owned())
    }
}

async fn interfaces(client: &Client, subnets: &[String]) -> Result<Vec<NetworkInterface>, ProviderError> {
    let filter = Filter::builder().name("subnet-id").set_values(Some(subnets.to_vec())).build();
    let call = client.ec2.reads.describe_network_interfaces().filters(filter);
    let pages = call.into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeNetworkInterfaces"))
}

fn readiness(blocking: &[String]) -> Readiness {
    let Some(named) = blocking.get(..blocking.len().min(NAMED)).filter(|named| !named.is_empty()) else {
        return Readiness::Ready;
    };
    let more = match blocking.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Readiness::Pending(format!(
        "{}{more} to be deleted by who has them; the share can only go when nothing of others is left in its \
         subnets",
        named.join(", ")
    ))
}

/// Names an interface: `eni-1 of account 444455556666 in subnet-1 (Amazon EKS main)`.
fn describe(interface: &NetworkInterface) -> String {
    let text = |part: Option<&str>| part.unwrap_or("?").to_owned();
    let purpose = interface.description().filter(|description| !description.is_empty());
    format!(
        "{} of account {} in {}{}",
        text(interface.network_interface_id()),
        text(interface.owner_id()),
        text(interface.subnet_id()),
        purpose.map(|purpose| format!(" ({purpose})")).unwrap_or_default()
    )
}

/// Who loses a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Losers {
    /// These accounts.
    Only(BTreeSet<String>),
    /// Every account but these: whom a group of accounts stands for is not known here.
    AllBut(BTreeSet<String>),
}

/// Who loses which subnets of an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Losses {
    owner: String,
    by_subnet: BTreeMap<String, Losers>,
}

impl Losses {
    /// Tells whether an interface belongs to somebody who loses its subnet.
    fn concern(&self, interface: &NetworkInterface) -> bool {
        let owner = interface.owner_id().unwrap_or_default();
        let losers = interface.subnet_id().and_then(|subnet| self.by_subnet.get(subnet));
        owner != self.owner
            && losers.is_some_and(|losers| match losers {
                Losers::Only(accounts) => accounts.contains(owner),
                Losers::AllBut(accounts) => !accounts.contains(owner),
            })
    }

    /// Returns this as the subject of a gate: the owner, and by subnet a list under `only` or
    /// `all_but`.
    fn subject(&self) -> ValueMap {
        let subnet = |(subnet, losers): (&String, &Losers)| {
            let (name, accounts) = match losers {
                Losers::Only(accounts) => ("only", accounts),
                Losers::AllBut(accounts) => ("all_but", accounts),
            };
            let accounts = accounts.iter().map(|account| Value::from(account.as_str())).collect();
            (subnet.clone(), Value::Map([(name.to_owned(), Value::List(accounts))].into()))
        };
        let subnets = self.by_subnet.iter().map(subnet).collect();
        [("owner".to_owned(), Value::from(self.owner.as_str())), ("subnets".to_owned(), Value::Map(subnets))]
            .into()
    }

    /// Reads what [`Self::subject`] wrote.
    fn of(subject: &ValueMap) -> Self {
        let losers = |value: &Value| {
            let entries = value.as_map()?;
            let accounts = |name: &str| entries.get(name).map(|list| texts(Some(list)));
            accounts("only").map(Losers::Only).or_else(|| accounts("all_but").map(Losers::AllBut))
        };
        let subnets = subject.get("subnets").and_then(Value::as_map).into_iter().flatten();
        let owner = subject.get("owner").and_then(Value::as_str).unwrap_or_default();
        let by_subnet =
            subnets.filter_map(|(subnet, value)| Some((subnet.clone(), losers(value)?))).collect();
        Self { owner: owner.to_owned(), by_subnet }
    }
}

/// A plan as far as it concerns shares.
struct View<'a> {
    state: &'a State,
    /// By owner and resource: the principals of the shares that are there all the time.
    keepers: BTreeMap<(&'a str, String), BTreeSet<String>>,
    /// By owner: the principals of such shares of which it is not known what is in them.
    keepers_of_anything: BTreeMap<&'a str, BTreeSet<String>>,
    /// By what they need: the changes of what is there.
    dependents: BTreeMap<&'a Address, Vec<&'a Change>>,
}

impl<'a> View<'a> {
    fn new(plan: &'a Plan, state: &'a State) -> Self {
        let dependents = BTreeMap::new();
        let mut view =
            Self { state, keepers: BTreeMap::new(), keepers_of_anything: BTreeMap::new(), dependents };
        for (owner, members) in lasting_shares(plan, state) {
            if members.resources.is_none() {
                view.keepers_of_anything.entry(owner).or_default().extend(members.principals.clone());
            }
            for resource in members.resources.into_iter().flatten() {
                view.keepers.entry((owner, resource)).or_default().extend(members.principals.iter().cloned());
            }
        }
        for change in &plan.changes {
            let needed = state.resources.get(&change.address).map(|prior| &prior.dependencies);
            for dependency in needed.into_iter().flatten() {
                view.dependents.entry(dependency).or_default().push(change);
            }
        }
        view
    }

    /// Returns the gate before a change of a share, if somebody loses a subnet by it.
    fn placement(&self, change: &Change) -> Option<Placement> {
        let prior = self.state.resources.get(&change.address)?;
        let owner = prior.account_id.as_str();
        let before = Members::before(change, prior)?;
        let lost =
            |arn: &String| Some((subnet_id(arn)?.to_owned(), self.losers(owner, arn, &before.principals)?));
        let by_subnet: BTreeMap<_, _> = before.resources.iter().flatten().filter_map(lost).collect();
        if by_subnet.is_empty() {
            return None;
        }
        let timeouts = change.lifecycle.timeouts;
        let (anchor, limit) = match change.action {
            ChangeAction::Update => {
                (Anchor::Withdrawn(change.address.clone()), timeouts.map(|timeouts| timeouts.update))
            }
            ChangeAction::Replace(_) | ChangeAction::Delete | ChangeAction::DeleteDeposed => {
                (Anchor::Unmade(change.address.clone()), timeouts.map(|timeouts| timeouts.delete))
            }
            ChangeAction::Create | ChangeAction::Forget => return None,
        };
        Some(Placement {
            address: change.address.child("participants", "gone"),
            account: prior.account.clone(),
            after: self.changed_by_participants(&change.address, owner),
            before: vec![anchor],
            subject: Losses { owner: owner.to_owned(), by_subnet }.subject(),
            timeout: limit.unwrap_or(PATIENCE),
            poll: POLL,
        })
    }

    /// Returns what goes or changes in other accounts and stands on the share.
    fn changed_by_participants(&self, share: &Address, owner: &str) -> Vec<Anchor> {
        let elsewhere = |change: &&&Change| {
            self.state.resources.get(&change.address).is_some_and(|prior| prior.account_id != owner)
        };
        let dependents = self.dependents.get(share).into_iter().flatten();
        let addresses: BTreeSet<_> = dependents.filter(elsewhere).map(|change| &change.address).collect();
        let halves = |address: &Address| [Anchor::Unmade(address.clone()), Anchor::Made(address.clone())];
        addresses.into_iter().flat_map(halves).collect()
    }

    /// Returns who loses a subnet that all of `principals` had; `None` if nobody does, or if a group
    /// of accounts keeps it, of which it is not known whom it stands for.
    fn losers(&self, owner: &str, arn: &str, principals: &BTreeSet<String>) -> Option<Losers> {
        let keepers = self.keepers.get(&(owner, arn.to_owned())).into_iter().flatten();
        let keepers = keepers.chain(self.keepers_of_anything.get(owner).into_iter().flatten());
        let keepers: BTreeSet<_> = keepers.map(String::as_str).collect();
        let staying: BTreeSet<_> = keepers.iter().map(|keeper| account_of(keeper)).collect::<Option<_>>()?;
        let lost: Vec<_> =
            principals.iter().map(String::as_str).filter(|principal| !keepers.contains(principal)).collect();
        let texts = |accounts: BTreeSet<&str>| accounts.into_iter().map(str::to_owned).collect();
        match lost.iter().map(|principal| account_of(principal)).collect::<Option<BTreeSet<_>>>() {
            Some(accounts) => {
                let accounts: BTreeSet<_> = accounts.difference(&staying).copied().collect();
                (!accounts.is_empty()).then(|| Losers::Only(texts(accounts)))
            }
            None => Some(Losers::AllBut(texts(staying))),
        }
    }
}

/// Returns the account that a principal is or belongs to; `None` for a group of accounts.
fn account_of(principal: &str) -> Option<&str> {
    if is_account(principal) {
        return Some(principal);
    }
    let mut parts = principal.split(':');
    let service = parts.nth(2)?;
    parts.nth(1).filter(|account| service == "iam" && is_account(account))
}

/// The members of a share.
#[derive(Debug)]
struct Members {
    /// `None` if it is not known at all what they are; of what is known, only that.
    resources: Option<BTreeSet<String>>,
    principals: BTreeSet<String>,
}

impl Members {
    /// What stands for principals that are not known.
    const ANYBODY: &'static str = "?";

    fn new(resources: Option<&Value>, principals: Option<&Value>) -> Self {
        let is_known = |value: Option<&Value>| !matches!(value, Some(Value::Unknown(_)));
        let anybody = || [Self::ANYBODY.to_owned()].into();
        Self {
            resources: is_known(resources).then(|| texts(resources)),
            principals: if is_known(principals) { texts(principals) } else { anybody() },
        }
    }

    fn of(inputs: &ValueMap) -> Self {
        Self::new(inputs.get("resources"), inputs.get("principals"))
    }

    /// Returns the members of the object that a change is about; `None` if it is not there yet.
    fn before(change: &Change, prior: &ResourceState) -> Option<Self> {
        let mut objects = prior.object.iter().chain(&prior.deposed);
        let object = objects.find(|object| Some(&object.remote_id) == change.remote_id.as_ref())?;
        let value = |name: &str| {
            let changed = change.attributes.iter().find(|attribute| attribute.name == name);
            changed.map(|attribute| &attribute.before).or_else(|| object.inputs.get(name))
        };
        Some(Self::new(value("resources"), value("principals")))
    }
}

fn texts(value: Option<&Value>) -> BTreeSet<String> {
    let items = value.and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the shares that are there all the time, each with its owner and the members that it
/// keeps or gets.
fn lasting_shares<'a>(plan: &'a Plan, state: &'a State) -> impl Iterator<Item = (&'a str, Members)> {
    let current = |change: &&Change| change.action != ChangeAction::DeleteDeposed;
    let changes: BTreeMap<_, _> =
        plan.changes.iter().filter(current).map(|change| (&change.address, change)).collect();
    // What is only forgotten is there all the same, unless it is forgotten since it is gone.
    let gone = |reason: &Reason| matches!(reason, Reason::Vanished { .. });
    let lasts =
        move |change: &&Change| change.action == ChangeAction::Forget && !change.reasons.iter().any(gone);
    let stays = move |address: &Address| changes.get(address).is_none_or(lasts);
    let unchanged = state
        .resources
        .iter()
        .filter(move |(address, prior)| prior.kind.as_str() == ResourceShare::KIND && stays(address));
    let unchanged = unchanged.filter_map(|(_, prior)| {
        prior.object.as_ref().map(|object| (prior.account_id.as_str(), Members::of(&object.inputs)))
    });
    let made = plan.changes.iter().filter(|change| change.kind.as_str() == ResourceShare::KIND);
    let made = made.filter(|change| match change.action {
        ChangeAction::Create | ChangeAction::Update => true,
        ChangeAction::Replace(order) => order == ReplaceOrder::CreateFirst,
        ChangeAction::Delete | ChangeAction::DeleteDeposed | ChangeAction::Forget => false,
    });
    let made = made.map(|change| (change.account_id.as_str(), Members::of(&change.inputs)));
    unchanged.chain(made)
}

#[cfg(test)]
mod tests;
