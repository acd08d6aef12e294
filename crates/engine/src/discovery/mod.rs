//! Discovery: from what exists to the spec of it.
//!
//! 1. a provider's [`Discovery`] walks from where the user says, and names the things that belong there;
//! 2. [`Engine::discover`] reads them with the kinds' own reads;
//! 3. [`names`] gives them names, [`blocks`] writes a block for each, with references in the place of ids
//!    and parts inside of what they are parts of;
//! 4. [`imports`] finds, once that spec is loaded, which of its resources is which thing.
//!
//! Nothing is called that changes anything, and nothing is recorded.

mod blocks;
mod imports;
mod names;
mod toml;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use crate::access::Access;
use crate::address::{AccountName, Address, Kind, RemoteId};
use crate::diagnostic::Diagnostic;
use crate::erased::ObservedValues;
use crate::provider::{BoxFuture, Connection, ProviderError};
use crate::refresh::{known_kind, read_once};
use crate::resource::Readiness;
use crate::run::{Engine, InterruptLevel, RunError};
use crate::spec::Spec;
use crate::state::{Imported, ResourceState, State};
use crate::value::ValueMap;

/// Walks through what exists. A provider registers one.
pub trait Discovery: Send + Sync {
    /// Returns the kinds of things that a walk can begin at.
    fn starts(&self) -> &'static [&'static str];

    /// Names a thing and everything that belongs to it, in one account; what stands on others comes
    /// after them.
    fn walk<'a>(
        &'a self,
        connection: &'a Connection,
        kind: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Walk, ProviderError>>;
}

/// What a walk came by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// What can be a resource.
    pub things: Vec<Thing>,
    /// What was left out and why, in whole sentences.
    pub left_out: Vec<String>,
}

/// A thing that can be a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// What it is.
    pub kind: &'static str,
    /// What the service calls it.
    pub id: RemoteId,
    /// What people call it, if its tag `Name` does not say it.
    pub name: Option<String>,
}

/// Where a walk begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The account's name in the spec.
    pub account: AccountName,
    /// What it is.
    pub kind: Kind,
    /// What the service calls it.
    pub id: RemoteId,
}

/// What exists, read and named.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovered {
    /// The things, each after what it stands on.
    things: Vec<Named>,
    /// What was left out and why, in whole sentences.
    pub left_out: Vec<String>,
}

/// A thing with the address that it gets; a part gets its own with the imports.
#[derive(Debug, Clone, PartialEq)]
struct Named {
    address: Address,
    kind: Kind,
    account: AccountName,
    id: RemoteId,
    observed: ObservedValues,
    /// The thing that it is a part of, and the attribute of that in which it is written.
    part_of: Option<(usize, &'static str)>,
}

impl Discovered {
    /// Returns how many things there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Tells whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }
}

impl Engine<'_> {
    /// Walks through what exists, and reads it. What the state or the imports of the spec have already is
    /// left out.
    ///
    /// # Errors
    /// If the state cannot be used, or an account cannot be read.
    pub async fn discover(&self, spec: &Spec, starts: &[Start]) -> Result<Discovered, RunError> {
        let state = self.state().await?;
        let state = state.unwrap_or_else(|| State::empty(spec.stack.name.as_str(), ""));
        let accounts = starts.iter().map(|start| start.account.clone()).collect();
        let access = Access::open_these(self, spec, accounts).await?;
        let walking = self.walk(spec, &access, starts);
        let walks = tokio::select! {
            biased;
            () = self.interrupt.reached(InterruptLevel::Graceful) => return Err(RunError::Interrupted),
            walks = walking => walks?,
        };
        let mut left_out = Vec::new();
        let mut known = known(spec, &state);
        let mut found = Vec::new();
        for (account, walk) in walks {
            left_out.extend(walk.left_out);
            let fresh =
                |thing: &Thing| known.insert((account.clone(), Kind::new(thing.kind), thing.id.clone()));
            let things: Vec<_> = walk.things.into_iter().filter(fresh).collect();
            found.extend(things.into_iter().map(|thing| (account.clone(), thing)));
        }
        let read = self.read_things(spec, &access, &found).await?;
        let things = self.named(spec, found, read, &mut left_out);
        Ok(Discovered { things, left_out })
    }

    async fn walk(
        &self,
        spec: &Spec,
        access: &Access,
        starts: &[Start],
    ) -> Result<Vec<(AccountName, Walk)>, RunError> {
        let discovery = self.registry.discovery().ok_or_else(|| {
            let problem = Diagnostic::error("no-discovery", "this program cannot walk through what exists");
            RunError::Diagnostics(problem.into())
        })?;
        let walks = starts.iter().map(|Start { account, kind, id }| async move {
            let walk = discovery.walk(access.connection(account), kind.as_str(), id.as_str()).await;
            walk.map(|walk| (account.clone(), walk)).map_err(|source| RunError::Read {
                what: format!("{kind} {id}"),
                account: account.clone(),
                source: Box::new(source.without(&spec.secrets)),
            })
        });
        try_join_all(walks).await
    }

    /// Reads things, with one call for each listing, account and page.
    async fn read_things(
        &self,
        spec: &Spec,
        access: &Access,
        found: &[(AccountName, Thing)],
    ) -> Result<BTreeMap<usize, ObservedValues>, RunError> {
        let mut provisional = BTreeMap::new();
        for (position, (account, thing)) in found.iter().enumerate() {
            let (address, kind) = (place(position), Kind::new(thing.kind));
            known_kind(self.registry, &kind, &address)?;
            let account = &spec.accounts[account];
            let imported = Imported {
                operation_id: position.to_string(),
                address: address.clone(),
                kind,
                account: account.name.clone(),
                account_id: account.id.clone(),
                region: account.region.clone(),
                remote_id: thing.id.clone(),
                inputs: ValueMap::new(),
                outputs: ValueMap::new(),
                dependencies: BTreeSet::new(),
                lifecycle: crate::spec::Lifecycle::default(),
                at: self.environment.now(),
            };
            provisional.insert(address, ResourceState::from(&imported));
        }
        let (observations, _) = read_once(self, access, &provisional.iter().collect()).await?;
        let read = (0..found.len())
            .filter_map(|position| Some((position, observations.get(&place(position))?.object.clone()?)));
        Ok(read.collect())
    }

    /// Gives what was read its names; what cannot be a resource is left out.
    fn named(
        &self,
        spec: &Spec,
        found: Vec<(AccountName, Thing)>,
        mut read: BTreeMap<usize, ObservedValues>,
        left_out: &mut Vec<String>,
    ) -> Vec<Named> {
        let mut names = names::Names::of(spec);
        let mut wholes = blocks::Wholes::of(self.registry);
        let mut things: Vec<Named> = Vec::new();
        for (position, (account, thing)) in found.into_iter().enumerate() {
            let Some(observed) = read.remove(&position) else {
                left_out.push(format!("{} {} is gone, or cannot be managed.", thing.kind, thing.id));
                continue;
            };
            if let Readiness::Failed(reason) = &observed.readiness {
                left_out.push(format!("{} {} will never be ready: {reason}.", thing.kind, thing.id));
                continue;
            }
            let kind = Kind::new(thing.kind);
            let part_of = wholes.part_of(&account, thing.kind, &observed);
            let address = match part_of {
                Some((whole, _)) => things[whole].address.clone(),
                None => names.address(&kind, thing.name.as_deref(), &observed),
            };
            wholes.add(&account, &kind, &thing.id, things.len());
            things.push(Named { address, kind, account, id: thing.id, observed, part_of });
        }
        things
    }
}

/// Returns the address under which a thing is read before it has a name.
fn place(position: usize) -> Address {
    Address::new("discovered", format!("number_{position}"))
}

/// Returns what the stack has already, or is to import.
fn known(spec: &Spec, state: &State) -> BTreeSet<(AccountName, Kind, RemoteId)> {
    let made = state.resources.values().flat_map(|resource| {
        let objects = resource.object.iter().chain(&resource.deposed);
        objects.map(|object| (resource.account.clone(), resource.kind.clone(), object.remote_id.clone()))
    });
    let imported = spec.imports.iter().filter_map(|import| {
        let node = spec.resources.get(&import.to)?;
        Some((node.account.clone(), node.kind.clone(), import.id.clone()))
    });
    made.chain(imported).collect()
}
