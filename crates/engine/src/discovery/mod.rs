//! Discovery: from what exists to the spec of it.
//!
//! 1. a provider's [`Discovery`] walks from where the user says, and names the things that belong there;
//! 2. [`Engine::discover`] reads them with the kinds' own reads;
//! 3. [`names`] gives them names, [`blocks`] writes a block for each, with [`references`] in the place of
//!    ids, shorthand where that stands for what is there, and parts inside of their [`wholes`]; [`files`]
//!    puts them into files;
//! 4. [`imports`] finds, once that spec is loaded, which of its resources is which thing.
//!
//! Nothing is called that changes anything, and nothing is recorded.

mod blocks;
mod files;
mod imports;
mod names;
mod references;
mod toml;
mod wholes;

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Access;
use crate::address::{AccountName, Address, Kind, RemoteId};
use crate::diagnostic::Diagnostic;
use crate::erased::ObservedValues;
use crate::provider::{BoxFuture, Connection, ProviderError};
use crate::refresh::{Reading, known_kind, read_once};
use crate::registry::Registry;
use crate::resource::{Home, Readiness};
use crate::run::{Engine, InterruptLevel, RunError};
use crate::spec::Spec;
use crate::state::{Imported, ResourceState, State};
use crate::value::ValueMap;

/// Walks through what exists. A provider registers one.
pub trait Discovery: Send + Sync {
    /// Returns the kinds of things that a walk can begin at.
    fn starts(&self) -> &'static [&'static str];

    /// Names the things that walks begin at and everything that belongs to them, in all accounts; what is a
    /// part of another thing comes after it.
    fn walk<'a>(
        &'a self,
        accounts: &'a BTreeMap<AccountName, Connection>,
        starts: &'a [Start],
    ) -> BoxFuture<'a, Result<Walk, Stuck>>;
}

/// A walk that cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The account that it was in.
    pub account: AccountName,
    /// The call that failed.
    pub source: ProviderError,
}

/// What a walk came by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// What can be a resource.
    pub things: Vec<Thing>,
    /// What was left out and why, in whole sentences.
    pub left_out: Vec<String>,
    /// What is to be said in the files.
    pub notes: Vec<Note>,
}

/// A thing that can be a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// The account's name in the spec.
    pub account: AccountName,
    /// What it is.
    pub kind: &'static str,
    /// What the service calls it.
    pub id: RemoteId,
    /// What people call it, if its tag `Name` does not say it.
    pub name: Option<String>,
    /// The file that it is to be written into, without ending.
    pub file: &'static str,
    /// What is to be known of it beside its block, in whole sentences.
    pub remark: Option<String>,
    /// What has to be there before it, and goes after it, although nothing of it says so: kinds and ids.
    pub needs: Vec<(&'static str, RemoteId)>,
}

/// Something that a file says of what has no block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The file, without ending.
    pub file: &'static str,
    /// Whole sentences.
    pub text: String,
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
    /// What the files say of what has no block.
    notes: Vec<Note>,
}

/// A thing with the address that it gets; a part gets its own with the imports.
#[derive(Debug, Clone, PartialEq)]
struct Named {
    address: Address,
    kind: Kind,
    account: AccountName,
    id: RemoteId,
    file: &'static str,
    remark: Option<String>,
    needs: Vec<(&'static str, RemoteId)>,
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
        let access = Access::open_these(self, spec, spec.accounts.keys().cloned().collect()).await?;
        let walking = self.walk(spec, &access, starts);
        let Walk { things, mut left_out, notes } = tokio::select! {
            biased;
            () = self.interrupt.reached(InterruptLevel::Graceful) => return Err(RunError::Interrupted),
            walk = walking => walk?,
        };
        let mut known = known(self.registry, spec, &state);
        let fresh = |thing: &Thing| {
            let kind = Kind::new(thing.kind);
            let scope = self.registry.scope(&kind, spec.home(&thing.account));
            known.insert(identity(scope, kind, thing.id.clone()))
        };
        let found: Vec<_> = things.into_iter().filter(fresh).collect();
        let read = self.read_things(spec, &access, &found).await?;
        let things = self.named(spec, found, read, &mut left_out);
        Ok(Discovered { things, left_out, notes })
    }

    async fn walk(&self, spec: &Spec, access: &Access, starts: &[Start]) -> Result<Walk, RunError> {
        let discovery = self.registry.discovery().ok_or_else(|| {
            let problem = Diagnostic::error("no-discovery", "this program cannot walk through what exists");
            RunError::Diagnostics(problem.into())
        })?;
        let walk = discovery.walk(access.connections(), starts).await;
        walk.map_err(|Stuck { account, source }| RunError::Read {
            what: "what exists".to_owned(),
            account,
            source: Box::new(source.without(&spec.secrets)),
        })
    }

    /// Reads things, with one call for each listing, account and page.
    async fn read_things(
        &self,
        spec: &Spec,
        access: &Access,
        found: &[Thing],
    ) -> Result<BTreeMap<usize, ObservedValues>, RunError> {
        let mut provisional = BTreeMap::new();
        for (position, thing) in found.iter().enumerate() {
            let (address, kind) = (place(position), Kind::new(thing.kind));
            known_kind(self.registry, &kind, &address)?;
            let account = &spec.accounts[&thing.account];
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
        let (observations, _) = read_once(self, access, &provisional.iter().collect(), Reading::FULL).await?;
        let read = (0..found.len())
            .filter_map(|position| Some((position, observations.get(&place(position))?.object.clone()?)));
        Ok(read.collect())
    }

    /// Gives what was read its names; what cannot be a resource is left out.
    fn named(
        &self,
        spec: &Spec,
        found: Vec<Thing>,
        mut read: BTreeMap<usize, ObservedValues>,
        left_out: &mut Vec<String>,
    ) -> Vec<Named> {
        let mut names = names::Names::of(spec);
        let mut wholes = wholes::Wholes::of(self.registry);
        let mut things: Vec<Named> = Vec::new();
        let kinds = read.iter().map(|(position, observed)| (*position, found[*position].kind, observed));
        let circular = wholes.circular(kinds);
        for (position, thing) in found.into_iter().enumerate() {
            let Some(observed) = read.remove(&position) else {
                left_out.push(format!("{} {} is gone, or cannot be managed.", thing.kind, thing.id));
                continue;
            };
            if let Readiness::Failed(reason) = &observed.readiness {
                left_out.push(format!("{} {} will never be ready: {reason}.", thing.kind, thing.id));
                continue;
            }
            let kind = Kind::new(thing.kind);
            let within = wholes.part_of(&thing.account, thing.kind, &observed);
            let part_of = within.filter(|_| !circular.contains(&position));
            // A part with a block of its own is called after what it is a part of.
            let after = within
                .map(|(whole, attribute)| format!("{}_{attribute}", things[whole].address.block().name));
            let address = match part_of {
                Some((whole, _)) => things[whole].address.clone(),
                None => names.address(&kind, after.as_deref().or(thing.name.as_deref()), &observed),
            };
            let Thing { account, id, file, remark, needs, .. } = thing;
            wholes.add(&account, &kind, &id, things.len());
            things.push(Named { address, kind, account, id, file, remark, needs, observed, part_of });
        }
        things
    }
}

/// Returns the address under which a thing is read before it has a name.
fn place(position: usize) -> Address {
    Address::new("discovered", format!("number_{position}"))
}

/// What tells a thing from every other.
type Identity = (String, String, Kind, RemoteId);

fn identity(scope: Home<'_>, kind: Kind, id: RemoteId) -> Identity {
    (scope.account_id.to_owned(), scope.region.to_owned(), kind, id)
}

/// Returns what the stack has already, or is to import.
fn known(registry: &Registry, spec: &Spec, state: &State) -> BTreeSet<Identity> {
    let made = state.resources.values().flat_map(|resource| {
        let objects = resource.object.iter().chain(&resource.deposed);
        let scope = registry.scope(&resource.kind, resource.home());
        objects.map(move |object| identity(scope, resource.kind.clone(), object.remote_id.clone()))
    });
    let imported = spec.imports.iter().filter_map(|import| {
        let node = spec.resources.get(&import.to)?;
        let scope = registry.scope(&node.kind, spec.home(&node.account));
        Some(identity(scope, node.kind.clone(), import.id.clone()))
    });
    made.chain(imported).collect()
}
