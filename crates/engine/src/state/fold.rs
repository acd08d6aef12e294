//! Folding: from a state and the records of a run to the state of now.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::address::{Address, RemoteId};
use crate::spec::Lifecycle;
use crate::state::{
    Action, Begin, Imported, Object, Outcome, PendingCreate, Record, ResourceState, RunHeader, State, Status,
};
use crate::value::{Value, ValueMap};

/// Applies the records of a journal to the state that it started from.
///
/// # Errors
/// See [`Fold::record`].
pub fn fold(state: State, records: &[Record]) -> Result<State, String> {
    let mut fold = Fold::new(state);
    records.iter().try_for_each(|record| fold.record(record))?;
    Ok(fold.into_state())
}

/// A state that follows the records of a run one by one.
#[derive(Debug, Clone)]
pub struct Fold {
    state: State,
    /// The operations that have begun; those that have ended well are taken out.
    begun: BTreeMap<String, Begin>,
    /// How many resources need each resource.
    dependents: Dependents,
}

impl Fold {
    /// Starts from the state that a run starts from.
    #[must_use]
    pub fn new(state: State) -> Self {
        let dependents = Dependents::of(&state);
        Self { state, begun: BTreeMap::new(), dependents }
    }

    /// Returns the state as of the last record.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns the state as of the last record.
    #[must_use]
    pub fn into_state(self) -> State {
        self.state
    }

    /// Applies one record.
    ///
    /// # Errors
    /// If the record does not fit what came before it, in words: the file was changed by
    /// something else.
    pub fn record(&mut self, record: &Record) -> Result<(), String> {
        match record {
            Record::Run(header) => self.run(header),
            Record::Renamed { names } => self.renamed(names),
            Record::Imported(imported) => self.imported(imported),
            Record::Begin(begin) => self.begin(begin),
            Record::Attempt { operation_id, at, .. } => self.attempt(operation_id, *at),
            Record::Identified { operation_id, remote_id, at } => {
                self.identified(operation_id, remote_id, *at)
            }
            Record::Surplus { operation_id, remote_id, at } => self.surplus(operation_id, remote_id, *at),
            Record::End { operation_id, outcome, .. } => self.end(operation_id, outcome),
            Record::Observed { address, inputs, outputs } => {
                self.observed(address, inputs.as_ref(), outputs.as_ref())
            }
            Record::Outputs { outputs, sensitive } => {
                self.state.outputs.clone_from(outputs);
                self.state.sensitive_outputs.clone_from(sensitive);
                Ok(())
            }
        }
    }

    fn run(&mut self, header: &RunHeader) -> Result<(), String> {
        if header.lineage != self.state.lineage || header.serial != self.state.serial {
            return Err(format!(
                "the journal belongs to serial {} of lineage {}, the state is serial {} of lineage {}",
                header.serial, header.lineage, self.state.serial, self.state.lineage
            ));
        }
        if header.plan.is_some() {
            self.state.applied_plan.clone_from(&header.plan);
        }
        Ok(())
    }

    /// Gives resources their new names, all at once, also where others need them.
    fn renamed(&mut self, names: &BTreeMap<Address, Address>) -> Result<(), String> {
        if !self.begun.is_empty() {
            return Err("resources are renamed after an operation has begun".to_owned());
        }
        let mut taken = Vec::with_capacity(names.len());
        for (from, to) in names {
            let resource = self.state.resources.remove(from);
            let resource = resource.ok_or_else(|| format!("{from} is renamed, which is not in the state"))?;
            taken.push((to.clone(), resource));
        }
        for (to, resource) in taken {
            if let Entry::Vacant(place) = self.state.resources.entry(to) {
                place.insert(resource);
            } else {
                return Err("two resources get the same name".to_owned());
            }
        }
        let rename = |address: Address| names.get(&address).cloned().unwrap_or(address);
        for resource in self.state.resources.values_mut() {
            resource.dependencies =
                std::mem::take(&mut resource.dependencies).into_iter().map(rename).collect();
            resource.lifecycle.rename(rename);
        }
        for pending in self.state.pending.values_mut() {
            pending.address = rename(pending.address.clone());
            pending.dependencies =
                std::mem::take(&mut pending.dependencies).into_iter().map(rename).collect();
            pending.lifecycle.rename(rename);
        }
        self.dependents = Dependents::of(&self.state);
        Ok(())
    }

    /// Takes over a thing as it was found. What it was before is deposed already, if anything.
    fn imported(&mut self, imported: &Imported) -> Result<(), String> {
        let Imported { address, dependencies, .. } = imported;
        let new = ResourceState::from(imported);
        match self.state.resources.entry(address.clone()) {
            Entry::Vacant(place) => drop(place.insert(new)),
            Entry::Occupied(mut place) => {
                let resource = place.get_mut();
                if resource.object.is_some() {
                    return Err(format!(
                        "{} is imported as {address}, which is another thing",
                        imported.remote_id
                    ));
                }
                (resource.object, resource.lifecycle) = (new.object, new.lifecycle);
            }
        }
        self.need(address, dependencies)
    }

    fn begin(&mut self, begin: &Begin) -> Result<(), String> {
        match &begin.action {
            Action::Create { .. } => {}
            Action::Update { inputs } => {
                self.need(&begin.address, &begin.dependencies)?;
                let resource = self.resource(&begin.address)?;
                let object = resource.object.as_mut().ok_or("an update of an object that is not there")?;
                // From now on it may have values that must not be shown, besides those that it had.
                resource.lifecycle.sensitive.extend(begin.lifecycle.sensitive.iter().cloned());
                // Both what was owned and what will be stays owned until the update has ended.
                own(&mut object.inputs, inputs);
                object.status = Status::Unfinished;
            }
            Action::Delete { remote_id } | Action::Forget { remote_id } => {
                self.object(&begin.address, remote_id)?.status = Status::Unfinished;
            }
        }
        self.begun.insert(begin.operation_id.clone(), begin.clone());
        Ok(())
    }

    fn attempt(&mut self, operation_id: &str, at: Timestamp) -> Result<(), String> {
        if let Some(pending) = self.state.pending.get_mut(operation_id) {
            pending.last_attempt = at;
            return Ok(());
        }
        let begin = self.begun.get(operation_id).ok_or_else(|| no_begin(operation_id))?;
        let Action::Create { inputs, token } = &begin.action else {
            if let Action::Update { .. } = begin.action
                && let Some(object) = self.operated(&begin.clone())
            {
                object.changed_at = Some(at);
            }
            return Ok(());
        };
        let born = self.state.resources.get(&begin.address).and_then(|resource| resource.object.as_ref());
        if born.is_some_and(|object| object.operation_id == operation_id) {
            return Ok(());
        }
        let pending = PendingCreate {
            address: begin.address.clone(),
            kind: begin.kind.clone(),
            account: begin.account.clone(),
            account_id: begin.account_id.clone(),
            region: begin.region.clone(),
            inputs: inputs.clone(),
            token: token.clone(),
            last_attempt: at,
            dependencies: begin.dependencies.clone(),
            lifecycle: begin.lifecycle.clone(),
        };
        self.state.pending.insert(operation_id.to_owned(), pending);
        Ok(())
    }

    fn identified(&mut self, operation_id: &str, id: &RemoteId, at: Timestamp) -> Result<(), String> {
        if let Some(pending) = self.state.pending.remove(operation_id) {
            let object = born(operation_id, id, &pending.inputs, at);
            let resource =
                self.state.resources.entry(pending.address.clone()).or_insert_with(|| resource(&pending));
            resource.lifecycle = pending.lifecycle;
            // A service may have answered with what is there already.
            let former = resource.object.replace(object);
            resource.deposed.extend(former.filter(|former| former.remote_id != *id));
            return self.need(&pending.address, &pending.dependencies);
        }
        let begin = self.begun.get(operation_id).ok_or_else(|| no_begin(operation_id))?.clone();
        let object = self.operated(&begin).ok_or("a new id for an object that is not there")?;
        object.outputs.insert("id".to_owned(), Value::from(id.as_str()));
        object.remote_id = id.clone();
        object.created_at = at;
        object.changed_at = None;
        if let Some(Begin { action: Action::Delete { remote_id } | Action::Forget { remote_id }, .. }) =
            self.begun.get_mut(operation_id)
        {
            *remote_id = id.clone();
        }
        Ok(())
    }

    fn surplus(&mut self, operation_id: &str, id: &RemoteId, at: Timestamp) -> Result<(), String> {
        let owner = self.state.resources.values_mut().find(|resource| {
            resource.object.as_ref().is_some_and(|object| object.operation_id == operation_id)
        });
        let resource = owner.ok_or("a surplus of an operation that has made nothing")?;
        resource.deposed.push(born(operation_id, id, &ValueMap::new(), at));
        Ok(())
    }

    fn end(&mut self, operation_id: &str, outcome: &Outcome) -> Result<(), String> {
        if let Outcome::NothingMade = outcome {
            self.state.pending.remove(operation_id);
            return Ok(());
        }
        let begin = self.begun.get(operation_id).ok_or_else(|| no_begin(operation_id))?.clone();
        match outcome {
            Outcome::NothingMade => {}
            Outcome::Ready { outputs } => {
                self.ready(&begin, outputs)?;
                self.begun.remove(operation_id);
            }
            Outcome::Gone => {
                self.gone(&begin)?;
                self.begun.remove(operation_id);
            }
            Outcome::Stopped { failed } => {
                let reason = failed.clone();
                if let Some(object) = self.operated(&begin) {
                    object.status = reason.map_or(Status::Unfinished, Status::Failed);
                }
            }
        }
        Ok(())
    }

    fn ready(&mut self, begin: &Begin, outputs: &ValueMap) -> Result<(), String> {
        let (Action::Create { inputs, .. } | Action::Update { inputs }) = &begin.action else {
            return Err("a deletion cannot end in an object that is ready".to_owned());
        };
        let object = self.operated(begin).ok_or("an object is ready that is not there")?;
        object.inputs.clone_from(inputs);
        object.outputs.clone_from(outputs);
        object.status = Status::Ready;
        object.is_being_made = false;
        object.changed_at = None;
        self.need(&begin.address, &begin.dependencies)?;
        let resource = self.resource(&begin.address)?;
        resource.lifecycle.clone_from(&begin.lifecycle);
        if !resource.deposed.is_empty() {
            // A former object may still stand on what it needed.
            return Ok(());
        }
        let before = std::mem::replace(&mut resource.dependencies, begin.dependencies.clone());
        self.dependents.remove(before.difference(&begin.dependencies));
        Ok(())
    }

    fn gone(&mut self, begin: &Begin) -> Result<(), String> {
        let (Action::Delete { remote_id } | Action::Forget { remote_id }) = &begin.action else {
            return Err("only a deletion can end in an object that is gone".to_owned());
        };
        let resource = self.resource(&begin.address)?;
        if resource.object.as_ref().is_some_and(|object| object.remote_id == *remote_id) {
            resource.object = None;
        } else {
            resource.deposed.retain(|object| object.remote_id != *remote_id);
        }
        self.drop_if_empty(&begin.address);
        Ok(())
    }

    fn observed(
        &mut self,
        address: &Address,
        inputs: Option<&ValueMap>,
        outputs: Option<&ValueMap>,
    ) -> Result<(), String> {
        let resource = self.resource(address)?;
        match (outputs, &mut resource.object) {
            (Some(outputs), Some(object)) => {
                object.outputs.clone_from(outputs);
                if let Some(inputs) = inputs {
                    object.inputs.clone_from(inputs);
                }
            }
            (None, object) => *object = None,
            (Some(_), None) => return Err("an object was read that is not there".to_owned()),
        }
        self.drop_if_empty(address);
        Ok(())
    }

    /// Adds what a resource needs. When an order is turned around, the state hears of it one
    /// resource at a time: what was recorded before of others, and would now close a circle, no
    /// longer holds.
    fn need(&mut self, address: &Address, dependencies: &BTreeSet<Address>) -> Result<(), String> {
        let known = self.resource(address)?;
        let mut waiting: Vec<Address> = dependencies.difference(&known.dependencies).cloned().collect();
        known.dependencies.extend(waiting.iter().cloned());
        self.dependents.add(&waiting);
        if !self.dependents.has(address) {
            // What nothing needs is in no circle: it is new, as most that need something new are.
            return Ok(());
        }
        let mut reached = BTreeSet::new();
        while let Some(needed) = waiting.pop() {
            if let Some(resource) = self.state.resources.get_mut(&needed) {
                self.dependents.remove(resource.dependencies.take(address).iter());
                if reached.insert(needed) {
                    waiting.extend(resource.dependencies.iter().cloned());
                }
            }
        }
        Ok(())
    }

    fn drop_if_empty(&mut self, address: &Address) {
        let empty = |resource: &ResourceState| resource.object.is_none() && resource.deposed.is_empty();
        if self.state.resources.get(address).is_some_and(empty)
            && let Some(resource) = self.state.resources.remove(address)
        {
            self.dependents.remove(resource.dependencies.iter());
        }
    }

    fn resource(&mut self, address: &Address) -> Result<&mut ResourceState, String> {
        self.state
            .resources
            .get_mut(address)
            .ok_or_else(|| format!("a record about {address}, which is not in the state"))
    }

    fn object(&mut self, address: &Address, id: &RemoteId) -> Result<&mut Object, String> {
        let resource = self.resource(address)?;
        let mut objects = resource.object.iter_mut().chain(&mut resource.deposed);
        let found = objects.find(|object| object.remote_id == *id);
        found.ok_or_else(|| format!("a record about {id} of {address}, which is not in the state"))
    }

    /// Returns the object that an operation is about, if it has one.
    fn operated(&mut self, begin: &Begin) -> Option<&mut Object> {
        let resource = self.state.resources.get_mut(&begin.address)?;
        match &begin.action {
            Action::Create { .. } => {
                resource.object.as_mut().filter(|object| object.operation_id == begin.operation_id)
            }
            Action::Update { .. } => resource.object.as_mut(),
            Action::Delete { remote_id } | Action::Forget { remote_id } => {
                let mut objects = resource.object.iter_mut().chain(&mut resource.deposed);
                objects.find(|object| object.remote_id == *remote_id)
            }
        }
    }
}

/// How many resources need each resource.
#[derive(Debug, Clone, Default)]
struct Dependents(BTreeMap<Address, usize>);

impl Dependents {
    fn of(state: &State) -> Self {
        let mut dependents = Self::default();
        state.resources.values().for_each(|resource| dependents.add(&resource.dependencies));
        dependents
    }

    fn has(&self, address: &Address) -> bool {
        self.0.contains_key(address)
    }

    fn add<'a>(&mut self, needed: impl IntoIterator<Item = &'a Address>) {
        for address in needed {
            *self.0.entry(address.clone()).or_default() += 1;
        }
    }

    fn remove<'a>(&mut self, needed: impl Iterator<Item = &'a Address>) {
        for address in needed {
            if let Some(count) = self.0.get_mut(address) {
                *count -= 1;
                if *count == 0 {
                    self.0.remove(address);
                }
            }
        }
    }
}

/// Adds what is not owned yet, also inside of tables: a tag that an update takes away has to be
/// known as ours until it is gone.
fn own(owned: &mut ValueMap, added: &ValueMap) {
    for (name, value) in added {
        match (owned.get_mut(name), value) {
            (None, value) => drop(owned.insert(name.clone(), value.clone())),
            (Some(Value::Map(owned)), Value::Map(added)) => own(owned, added),
            (Some(_), _) => {}
        }
    }
}

fn no_begin(operation_id: &str) -> String {
    format!("a record of the operation {operation_id}, which has not begun or has ended")
}

fn born(operation_id: &str, id: &RemoteId, inputs: &ValueMap, at: Timestamp) -> Object {
    Object {
        remote_id: id.clone(),
        operation_id: operation_id.to_owned(),
        inputs: inputs.clone(),
        outputs: ValueMap::from([("id".to_owned(), Value::from(id.as_str()))]),
        status: Status::Unfinished,
        is_being_made: true,
        created_at: at,
        changed_at: None,
    }
}

fn resource(pending: &PendingCreate) -> ResourceState {
    ResourceState {
        kind: pending.kind.clone(),
        account: pending.account.clone(),
        account_id: pending.account_id.clone(),
        region: pending.region.clone(),
        object: None,
        deposed: Vec::new(),
        dependencies: BTreeSet::new(),
        lifecycle: Lifecycle::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_update_takes_away_stays_owned_and_what_it_changes_is_as_it_was_applied() {
        let tags = |keys: &[(&str, &str)]| {
            let tags = keys.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
            ValueMap::from([("tags".to_owned(), Value::Map(tags.collect()))])
        };
        let mut owned = tags(&[("gone", "1"), ("kept", "old")]);
        own(&mut owned, &tags(&[("kept", "new"), ("more", "2")]));
        assert_eq!(owned, tags(&[("gone", "1"), ("kept", "old"), ("more", "2")]));
    }
}
