//! What checks are given: everything that is known before a run.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::address::{AccountName, Address};
use crate::permission::{Breadth, Grant, Known, Phase, grants};
use crate::plan::{Change, ChangeAction, Mode};
use crate::preflight::item::{Fate, Item};
use crate::provider::{Account, Connection};
use crate::registry::Registry;
use crate::spec::{Crossing, NothingKnown};
use crate::state::{Object, State};
use crate::value::{Value, ValueMap};

/// Everything that is known before a run.
pub struct Subject<'a> {
    known: Known<'a>,
    connections: &'a BTreeMap<AccountName, Connection>,
    now: Timestamp,
    items: BTreeMap<Address, Item>,
    by_id: BTreeMap<String, Address>,
}

impl<'a> Subject<'a> {
    /// Gathers it.
    pub(crate) fn new(
        known: Known<'a>,
        connections: &'a BTreeMap<AccountName, Connection>,
        now: Timestamp,
    ) -> Self {
        let items = items(known);
        let id = |item: &Item| Some((item.text("id")?.to_owned(), item.address.clone()));
        let by_id = items.values().filter_map(id).collect();
        Self { known, connections, now, items, by_id }
    }

    /// Tells what the run is for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.known.plan.mode
    }

    /// Returns the time of day.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns the accounts that are connected to, each with its connection.
    pub fn accounts(&self) -> impl Iterator<Item = (&'a Account, &'a Connection)> {
        let accounts = &self.known.spec.accounts;
        self.connections.iter().filter_map(|(name, connection)| Some((accounts.get(name)?, connection)))
    }

    /// Returns the account with this name.
    ///
    /// # Panics
    /// If no item has the name.
    #[must_use]
    pub fn account(&self, name: &AccountName) -> (&'a Account, &'a Connection) {
        let account = self.known.spec.accounts.get(name).zip(self.connections.get(name));
        account.expect("every account of the spec and the state was connected to")
    }

    /// Returns every resource.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// Returns the resources of a kind that there will be.
    pub fn lasting<'s>(&'s self, kind: &str) -> impl Iterator<Item = &'s Item> {
        self.items.values().filter(move |item| item.kind.as_str() == kind && item.fate != Fate::Unmade)
    }

    /// Returns the resources of a kind that are made.
    pub fn made<'s>(&'s self, kind: &str) -> impl Iterator<Item = &'s Item> {
        self.items.values().filter(move |item| item.kind.as_str() == kind && item.fate == Fate::Made)
    }

    /// Returns the resource that a value is an attribute of, or the id of.
    #[must_use]
    pub fn named(&self, value: &Value) -> Option<&Item> {
        let address = match value {
            Value::Unknown(unknown) if unknown.exact => &unknown.origin.address,
            Value::String(id) => self.by_id.get(id)?,
            Value::Unknown(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_) => return None,
        };
        self.items.get(address)
    }

    /// Returns what the spec writes for an attribute: its shorthands as they stand there, and in the
    /// place of each reference the attribute that it is of, also of one that is known (see
    /// [`Self::named`]). `None` if the spec does not have the resource, or nothing for the attribute.
    #[must_use]
    pub fn written(&self, item: &Item, attribute: &str) -> Option<Value> {
        let node = self.known.spec.resources.get(&item.address)?;
        node.attributes.get(attribute)?.evaluate(&NothingKnown).ok()
    }

    /// Returns the resource that an attribute refers to, or has the id of.
    #[must_use]
    pub fn referred(&self, item: &Item, attribute: &str) -> Option<&Item> {
        let written = self.written(item, attribute);
        written.and_then(|value| self.named(&value)).or_else(|| self.named(item.value(attribute)?))
    }

    /// Returns what resources of one account use of another one's.
    #[must_use]
    pub fn crossings(&self) -> &'a [Crossing] {
        &self.known.spec.crossings
    }

    /// Returns what the run has to be allowed.
    #[must_use]
    pub fn grants(&self) -> Vec<Grant> {
        let phase = match self.mode() {
            Mode::Apply => Phase::Apply,
            Mode::Destroy => Phase::Destroy,
            Mode::Refresh => Phase::Plan,
        };
        grants(self.known, phase, Breadth::ThisPlan)
    }

    /// Returns the kinds.
    #[must_use]
    pub fn registry(&self) -> &'a Registry {
        self.known.registry
    }
}

fn items(known: Known<'_>) -> BTreeMap<Address, Item> {
    let Known { spec, state, plan, .. } = known;
    let mut items: BTreeMap<_, _> = kept(state).collect();
    let current = |change: &&Change| change.action != ChangeAction::DeleteDeposed;
    for change in plan.changes.iter().filter(current) {
        let object = state.resources.get(&change.address).and_then(|resource| resource.object.as_ref());
        items.insert(change.address.clone(), changed(change, object));
    }
    // What the spec has is where the spec says, also if it is still elsewhere.
    for node in spec.resources.values() {
        if let Some(item) = items.get_mut(&node.address).filter(|item| item.fate != Fate::Unmade) {
            item.account = node.account.clone();
        }
    }
    items
}

fn kept(state: &State) -> impl Iterator<Item = (Address, Item)> {
    state.resources.iter().filter_map(|(address, resource)| {
        let object = resource.object.as_ref()?;
        let item = Item {
            address: address.clone(),
            kind: resource.kind.clone(),
            account: resource.account.clone(),
            fate: Fate::Kept,
            values: values(&object.inputs, Some(object)),
        };
        Some((address.clone(), item))
    })
}

fn changed(change: &Change, object: Option<&Object>) -> Item {
    let (fate, values) = match change.action {
        ChangeAction::Create | ChangeAction::Replace(_) => (Fate::Made, change.inputs.clone()),
        ChangeAction::Update => (Fate::Changed, values(&change.inputs, object)),
        ChangeAction::Forget => {
            (Fate::Kept, object.map(|object| values(&object.inputs, Some(object))).unwrap_or_default())
        }
        ChangeAction::Delete | ChangeAction::DeleteDeposed => {
            (Fate::Unmade, object.map(|object| values(&object.inputs, Some(object))).unwrap_or_default())
        }
    };
    let Change { address, kind, account, .. } = change;
    Item { address: address.clone(), kind: kind.clone(), account: account.clone(), fate, values }
}

fn values(inputs: &ValueMap, object: Option<&Object>) -> ValueMap {
    let mut values = object.map(|object| object.outputs.clone()).unwrap_or_default();
    if let Some(object) = object {
        values.insert("id".to_owned(), Value::from(object.remote_id.as_str()));
    }
    values.extend(inputs.clone());
    values
}
