//! Decides for each resource what has to be done.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::address::{Address, Kind};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::erased::{AnyResource, ObservedValues};
use crate::observation::Observations;
use crate::plan::diff::Sides;
use crate::plan::inputs::{desired_inputs, exclusive_values};
use crate::plan::{AttributeChange, Change, ChangeAction, Drift, Reason, ResourceValues, Values};
use crate::registry::Registry;
use crate::resource::{Readiness, ReplaceOrder};
use crate::spec::{Lifecycle, ResourceNode, Spec};
use crate::state::{Object, ResourceState, State, Status};
use crate::value::{Value, ValueMap};

/// What was decided so far. Resources are decided in the order of their dependencies, so that
/// the values of what a resource refers to are there when it is decided.
pub(crate) struct Decisions<'a> {
    registry: &'a Registry,
    spec: &'a Spec,
    state: &'a State,
    observations: &'a Observations,
    /// What references see.
    pub(crate) values: Values,
    /// What changes.
    pub(crate) changes: Vec<Change>,
    /// What others changed.
    pub(crate) drift: Vec<Drift>,
    /// How many resources stay as they are.
    pub(crate) unchanged: usize,
    /// Why the plan is not allowed.
    pub(crate) diagnostics: Diagnostics,
    /// The resources whose old object goes before the new one comes.
    deleted_first: BTreeSet<Address>,
    /// Who has what only one can have: by account, kind and values.
    claims: BTreeMap<(String, Kind, Vec<String>), (Address, Span)>,
}

impl<'a> Decisions<'a> {
    pub(crate) fn new(
        registry: &'a Registry,
        spec: &'a Spec,
        state: &'a State,
        observations: &'a Observations,
    ) -> Self {
        Self {
            registry,
            spec,
            state,
            observations,
            values: Values::new(state.lineage.as_str()),
            changes: Vec::new(),
            drift: Vec::new(),
            unchanged: 0,
            diagnostics: Diagnostics::default(),
            deleted_first: BTreeSet::new(),
            claims: BTreeMap::new(),
        }
    }

    /// Decides about a resource that the spec has.
    pub(crate) fn wanted(&mut self, node: &ResourceNode) {
        let Some(kind) = self.kind(&node.kind, &node.address) else { return };
        let desired = match desired_inputs(node, kind, &self.values, &self.state.lineage) {
            Ok(desired) => desired,
            Err(problems) => return self.diagnostics.extend(problems),
        };
        self.claim(node, kind, &desired);
        let prior = self.state.resources.get(&node.address);
        self.deposed(&node.address, prior);
        let object = prior.and_then(|prior| prior.object.as_ref().map(|object| (prior, object)));
        let observed = self.observations.get(&node.address).and_then(|found| found.object.as_ref());
        match (object, observed) {
            (None, _) => self.create(node, desired, Reason::New),
            (Some((prior, object)), None) => {
                self.gone(&node.address, prior, object);
                self.create(node, desired, Reason::Vanished { remote_id: object.remote_id.clone() });
            }
            (Some((prior, object)), Some(observed)) => {
                self.compare(node, kind, &desired, &Existing { prior, object, observed });
            }
        }
    }

    fn kind(&mut self, kind: &Kind, address: &Address) -> Option<&'a dyn AnyResource> {
        let found = self.registry.known(kind, address);
        found.map_err(|problem| self.diagnostics.push(*problem)).ok()
    }

    /// Refuses two resources that want what only one can have.
    fn claim(&mut self, node: &ResourceNode, kind: &dyn AnyResource, desired: &ValueMap) {
        let account =
            self.spec.accounts.get(&node.account).map(|account| account.id.clone()).unwrap_or_default();
        let Some(values) = exclusive_values(kind, desired) else { return };
        let other = match self.claims.entry((account, node.kind.clone(), values)) {
            Entry::Vacant(free) => {
                free.insert((node.address.clone(), node.span));
                return;
            }
            Entry::Occupied(taken) => taken.get().clone(),
        };
        let names: Vec<_> = kind.exclusive().iter().map(|name| format!("`{name}`")).collect();
        let names = names.join(" and ");
        let problem = Diagnostic::error("taken-twice", format!("two resources have the same {names}"))
            .with_detail(format!(
                "{} and {} have the same {names}, which only one can have.",
                other.0, node.address
            ))
            .with_hint("Take one of them out, or give it another value.")
            .with_span(node.span, "this one")
            .with_related(other.1, "and this one")
            .with_address(node.address.clone());
        self.diagnostics.push(problem);
    }

    fn create(&mut self, node: &ResourceNode, desired: ValueMap, reason: Reason) {
        let attributes = self.created_attributes(node, &desired);
        self.promise(node, &desired, ValueMap::new());
        self.changes.push(Change {
            action: ChangeAction::Create,
            remote_id: None,
            reasons: vec![reason],
            attributes,
            ..self.change(node, desired)
        });
    }

    fn created_attributes(&self, node: &ResourceNode, desired: &ValueMap) -> Vec<AttributeChange> {
        let schema = self.registry.kind(node.kind.as_str()).map(|kind| kind.schema());
        let sensitive =
            |name: &str| schema.and_then(|schema| schema.input(name)).is_some_and(|input| input.sensitive);
        let attribute = |(name, value): (&String, &Value)| AttributeChange {
            name: name.clone(),
            before: Value::Null,
            after: value.clone(),
            replaces: false,
            sensitive: sensitive(name),
        };
        desired.iter().map(attribute).collect()
    }

    fn compare(
        &mut self,
        node: &ResourceNode,
        kind: &dyn AnyResource,
        desired: &ValueMap,
        existing: &Existing<'_>,
    ) {
        let Existing { prior, object, observed } = *existing;
        let sides = Sides { kind, desired, applied: &object.inputs, observed, lifecycle: &node.lifecycle };
        if object.status == Status::Ready {
            self.drifted(&node.address, prior, object, sides.drift());
        }
        let planned = sides.planned_inputs();
        let attributes = sides.changes(&planned);
        let reasons = Self::reasons(node, existing, &attributes);
        match reasons.first() {
            None => {
                self.unchanged += 1;
                self.keep(node, &planned, observed);
            }
            Some(Reason::CannotChange { .. } | Reason::Failed { .. } | Reason::Moved { .. }) => {
                // A new object is as the spec wants it, also where differences of the old one are left alone.
                let mut planned = planned;
                for name in &node.lifecycle.ignore_changes {
                    match desired.get(name) {
                        Some(wanted) => drop(planned.insert(name.clone(), wanted.clone())),
                        None => drop(planned.remove(name)),
                    }
                }
                self.replace(node, kind, planned, existing, reasons, attributes);
            }
            Some(_) => {
                let outputs = stable_outputs(kind, observed);
                // What does not change is known, also where the spec says nothing of it.
                let mut inputs = observed.inputs.clone();
                inputs.extend(planned.clone());
                self.promise(node, &inputs, outputs);
                self.changes.push(Change {
                    action: ChangeAction::Update,
                    remote_id: Some(object.remote_id.clone()),
                    reasons,
                    attributes,
                    ..self.change(node, planned)
                });
            }
        }
    }

    /// Returns why an existing resource changes; what makes another object necessary comes first.
    fn reasons(node: &ResourceNode, existing: &Existing<'_>, attributes: &[AttributeChange]) -> Vec<Reason> {
        let Existing { prior, object, observed } = *existing;
        let mut reasons = Vec::new();
        if prior.account != node.account {
            reasons.push(Reason::Moved { from: format!("{} {}", prior.account, prior.region) });
        }
        if let Readiness::Failed(reason) = &observed.readiness {
            reasons.push(Reason::Failed { reason: reason.clone() });
        }
        let replacing = attributes.iter().filter(|attribute| attribute.replaces);
        reasons.extend(replacing.map(|attribute| Reason::CannotChange { attribute: attribute.name.clone() }));
        if !attributes.is_empty() {
            reasons.push(Reason::Differs);
        }
        if object.status != Status::Ready {
            reasons.push(Reason::Unfinished);
        }
        reasons
    }

    fn replace(
        &mut self,
        node: &ResourceNode,
        kind: &dyn AnyResource,
        planned: ValueMap,
        existing: &Existing<'_>,
        reasons: Vec<Reason>,
        attributes: Vec<AttributeChange>,
    ) {
        if node.lifecycle.prevent_destroy || existing.prior.lifecycle.prevent_destroy {
            self.diagnostics.push(protected(&node.address, "replaced", &reasons).with_span(node.span, ""));
        }
        let moved = reasons.iter().any(|reason| matches!(reason, Reason::Moved { .. }));
        let chosen = node.lifecycle.replace_order.unwrap_or(kind.traits().replace_order);
        // A new object in another account cannot take the old one's place in the state, and what
        // stands on something that is deleted first has to be deleted before that.
        let exclusive = kind.exclusive();
        let changed = |name: &&str| attributes.iter().any(|attribute| attribute.name == *name);
        let same_claim = !exclusive.is_empty() && !exclusive.iter().any(changed);
        let delete_first = moved || same_claim || self.stands_on_deleted_first(node);
        let order = if delete_first { ReplaceOrder::DeleteFirst } else { chosen };
        if order == ReplaceOrder::DeleteFirst {
            self.deleted_first.insert(node.address.clone());
        }
        self.promise(node, &planned, ValueMap::new());
        self.changes.push(Change {
            action: ChangeAction::Replace(order),
            remote_id: Some(existing.object.remote_id.clone()),
            reasons,
            attributes,
            ..self.change(node, planned)
        });
    }

    fn stands_on_deleted_first(&self, node: &ResourceNode) -> bool {
        node.dependencies.iter().any(|dependency| self.deleted_first.contains(dependency))
    }

    /// Decides about a resource that nothing wants any more.
    pub(crate) fn unwanted(&mut self, address: &Address, prior: &ResourceState, reason: &Reason) {
        self.deposed(address, Some(prior));
        let Some(object) = &prior.object else { return };
        if self.kind(&prior.kind, address).is_none() {
            return;
        }
        let observed = self.observations.get(address).and_then(|found| found.object.as_ref());
        let lifecycle = self.lifecycle_of(address, prior);
        let (action, reason) = if observed.is_none() {
            self.gone(address, prior, object);
            (ChangeAction::Forget, Reason::Vanished { remote_id: object.remote_id.clone() })
        } else if lifecycle.retain_on_destroy {
            (ChangeAction::Forget, Reason::Retained)
        } else {
            (ChangeAction::Delete, reason.clone())
        };
        if action == ChangeAction::Delete && lifecycle.prevent_destroy {
            self.diagnostics.push(protected(address, "deleted", std::slice::from_ref(&reason)));
        }
        let attributes = if action == ChangeAction::Delete { deleted_attributes(object) } else { Vec::new() };
        self.changes.push(Change {
            action,
            remote_id: Some(object.remote_id.clone()),
            reasons: vec![reason],
            attributes,
            lifecycle,
            ..removal(address, prior)
        });
    }

    /// Returns how the life of something that goes is managed: as of the last apply, and as the
    /// spec says now if it still has it.
    fn lifecycle_of(&self, address: &Address, prior: &ResourceState) -> Lifecycle {
        let Some(node) = self.spec.resources.get(address) else { return prior.lifecycle.clone() };
        Lifecycle {
            prevent_destroy: node.lifecycle.prevent_destroy || prior.lifecycle.prevent_destroy,
            retain_on_destroy: node.lifecycle.retain_on_destroy || prior.lifecycle.retain_on_destroy,
            ..node.lifecycle.clone()
        }
    }

    /// Plans the deletion of the objects that a resource was and is no longer.
    fn deposed(&mut self, address: &Address, prior: Option<&ResourceState>) {
        let Some(prior) = prior else { return };
        for object in &prior.deposed {
            self.changes.push(Change {
                action: ChangeAction::DeleteDeposed,
                remote_id: Some(object.remote_id.clone()),
                reasons: vec![Reason::Deposed],
                ..removal(address, prior)
            });
        }
    }

    fn gone(&mut self, address: &Address, prior: &ResourceState, object: &Object) {
        self.drift.push(Drift { gone: true, ..drift(address, prior, object, Vec::new()) });
    }

    fn drifted(
        &mut self,
        address: &Address,
        prior: &ResourceState,
        object: &Object,
        attributes: Vec<AttributeChange>,
    ) {
        if !attributes.is_empty() {
            self.drift.push(drift(address, prior, object, attributes));
        }
    }

    /// Sets what references to a resource see that is made or changed.
    fn promise(&mut self, node: &ResourceNode, inputs: &ValueMap, outputs: ValueMap) {
        let settled = false;
        self.values.set(node.address.clone(), ResourceValues { inputs: inputs.clone(), outputs, settled });
    }

    /// Sets what references to a resource see that stays as it is.
    fn keep(&mut self, node: &ResourceNode, planned: &ValueMap, observed: &ObservedValues) {
        let mut inputs = observed.inputs.clone();
        inputs.extend(planned.clone());
        let values = ResourceValues { inputs, outputs: observed.outputs.clone(), settled: true };
        self.values.set(node.address.clone(), values);
    }

    fn change(&self, node: &ResourceNode, inputs: ValueMap) -> Change {
        let account = self.spec.accounts.get(&node.account);
        Change {
            address: node.address.clone(),
            kind: node.kind.clone(),
            account: node.account.clone(),
            account_id: account.map(|account| account.id.clone()).unwrap_or_default(),
            region: account.map(|account| account.region.clone()).unwrap_or_default(),
            action: ChangeAction::Create,
            remote_id: None,
            reasons: Vec::new(),
            attributes: Vec::new(),
            inputs,
            dependencies: node.dependencies.clone(),
            lifecycle: node.lifecycle.clone(),
        }
    }
}

/// A resource that the state knows and that is there.
struct Existing<'a> {
    prior: &'a ResourceState,
    object: &'a Object,
    observed: &'a ObservedValues,
}

fn protected(address: &Address, verb: &str, reasons: &[Reason]) -> Diagnostic {
    let because: Vec<_> = reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::CannotChange { attribute } => Some(format!(" `{attribute}` cannot be changed in place.")),
            Reason::Failed { reason } => Some(format!(" The service says: {reason}.")),
            Reason::Moved { from } => Some(format!(" It is in {from}.")),
            Reason::NotInSpec => Some(" The spec no longer has it.".to_owned()),
            Reason::New
            | Reason::Vanished { .. }
            | Reason::Differs
            | Reason::Destroy
            | Reason::Unfinished
            | Reason::Deposed
            | Reason::Retained => None,
        })
        .collect();
    Diagnostic::error("prevent-destroy", format!("{address} is protected and would be {verb}"))
        .with_detail(format!("Its `prevent_destroy` is true.{}", because.concat()))
        .with_hint("Set `prevent_destroy = false` and apply that first, or undo the change that makes this necessary.")
        .with_address(address.clone())
}

fn stable_outputs(kind: &dyn AnyResource, observed: &ObservedValues) -> ValueMap {
    let volatile = |name: &str| kind.schema().output(name).is_some_and(|output| output.volatile);
    let outputs = observed.outputs.iter().filter(|(name, _)| !volatile(name));
    outputs.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn deleted_attributes(object: &Object) -> Vec<AttributeChange> {
    let attribute = |(name, value): (&String, &Value)| AttributeChange {
        name: name.clone(),
        before: value.clone(),
        after: Value::Null,
        replaces: false,
        sensitive: false,
    };
    object.inputs.iter().map(attribute).collect()
}

fn removal(address: &Address, prior: &ResourceState) -> Change {
    Change {
        address: address.clone(),
        kind: prior.kind.clone(),
        account: prior.account.clone(),
        account_id: prior.account_id.clone(),
        region: prior.region.clone(),
        action: ChangeAction::Delete,
        remote_id: None,
        reasons: Vec::new(),
        attributes: Vec::new(),
        inputs: ValueMap::new(),
        dependencies: prior.dependencies.clone(),
        lifecycle: prior.lifecycle.clone(),
    }
}

fn drift(
    address: &Address,
    prior: &ResourceState,
    object: &Object,
    attributes: Vec<AttributeChange>,
) -> Drift {
    Drift {
        address: address.clone(),
        kind: prior.kind.clone(),
        account: prior.account.clone(),
        region: prior.region.clone(),
        remote_id: object.remote_id.clone(),
        gone: false,
        attributes,
    }
}
