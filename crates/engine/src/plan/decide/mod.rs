//! Decides for each resource what has to be done.

mod changes;
mod claims;
mod existing;
mod lookups;
mod unwanted;

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{Address, Kind};
use crate::bundle::Standing;
use crate::diagnostic::Diagnostics;
use crate::erased::{AnyResource, ObservedValues};
use crate::foresee::Foretold;
use crate::lookup::{Found, Wanted};
use crate::observation::Observations;
use crate::plan::decide::changes::{followed, refused};
use crate::plan::decide::claims::Claims;
use crate::plan::decide::existing::Existing;
use crate::plan::inputs::desired_inputs;
use crate::plan::members;
use crate::plan::{Change, ChangeAction, LookedUp, Options, Reason, Request, ResourceValues, Values};
use crate::registry::Registry;
use crate::resource::Problem;
use crate::spec::{ResourceNode, Spec};
use crate::state::State;
use crate::value::ValueMap;

/// What was decided so far. Resources are decided in the order of their dependencies, so that
/// the values of what a resource refers to are there when it is decided.
pub(crate) struct Decisions<'a> {
    registry: &'a Registry,
    spec: &'a Spec,
    state: &'a State,
    observations: &'a Observations,
    options: &'a Options,
    /// What references see.
    pub(crate) values: Values,
    /// What changes.
    pub(crate) changes: Vec<Change>,
    /// What is looked up.
    pub(crate) lookups: Vec<LookedUp>,
    /// The lookups that can be read, and have not been.
    pub(crate) unread: Wanted,
    found: &'a Found,
    /// What services would make of the changes.
    foreseen: &'a Foretold,
    /// How many resources stay as they are.
    pub(crate) unchanged: usize,
    /// Why the plan is not allowed.
    pub(crate) diagnostics: Diagnostics,
    /// The resources whose old object goes before the new one comes.
    deleted_first: BTreeSet<Address>,
    /// Who has what only one can have.
    claims: Claims<'a>,
    /// The resources that are replaced since they would have to exchange with another one what only
    /// one can have.
    exchanged: BTreeMap<Address, Address>,
}

/// Returns the members of bundles that keep what is made by chance, as far as they are there.
fn standing(request: &Request<'_>) -> Standing {
    let Request { registry, state, observations, .. } = *request;
    let keeps = |address: &Address| {
        let bundle = registry.bundle(address.block().kind.as_str());
        bundle.is_some_and(|bundle| bundle.keeps())
    };
    let stands = |address: &Address| observations.get(address).is_some_and(|found| found.object.is_some());
    let resources = state.resources.iter().filter(|(address, _)| keeps(address) && stands(address));
    let inputs = resources
        .filter_map(|(address, prior)| Some((address.clone(), prior.object.as_ref()?.inputs.clone())));
    Standing::new(inputs.collect())
}

impl<'a> Decisions<'a> {
    pub(crate) fn new(request: &Request<'a>, exchanged: BTreeMap<Address, Address>) -> Self {
        let Request { registry, spec, state, observations, options, .. } = *request;
        Self {
            registry,
            spec,
            state,
            observations,
            options,
            values: Values::new(state.lineage.as_str()).with_standing(standing(request)),
            changes: Vec::new(),
            lookups: Vec::new(),
            unread: Wanted::new(),
            found: request.lookups,
            foreseen: request.foreseen,
            unchanged: 0,
            diagnostics: Diagnostics::default(),
            deleted_first: BTreeSet::new(),
            claims: Claims::new(),
            exchanged,
        }
    }

    /// Decides about a resource that the spec has.
    pub(crate) fn wanted(&mut self, node: &ResourceNode) {
        if let Some(lookup) = self.registry.lookup(&node.kind) {
            return self.look_up(node, &**lookup);
        }
        let Some(kind) = self.kind(&node.kind, &node.address) else { return };
        let home = self.spec.home(&node.account);
        let observed = self.observations.get(&node.address).and_then(|found| found.object.as_ref());
        let desired = match desired_inputs(node, kind, home, observed, &self.values, &self.state.lineage) {
            Ok(desired) => desired,
            Err(problems) => return self.diagnostics.extend(problems),
        };
        self.claim(node, kind, &desired);
        self.diagnostics.extend(self.refusal(node).map(|problem| refused(node, problem)));
        let prior = self.state.resources.get(&node.address);
        self.deposed(&node.address, prior);
        let object = prior.and_then(|prior| prior.object.as_ref().map(|object| (prior, object)));
        match (object, observed) {
            (None, _) => self.create(node, desired, Reason::New),
            (Some((_, object)), None) => {
                self.create(node, desired, Reason::Vanished { remote_id: object.remote_id.clone() });
            }
            (Some((prior, object)), Some(observed)) => {
                self.compare(node, kind, &desired, &Existing { prior, object, observed });
            }
        }
    }

    /// Returns why the service would refuse what is wanted, if nothing that decides about it changes as well.
    fn refusal(&self, node: &ResourceNode) -> Option<Problem> {
        let foreseen = self.foreseen.get(&node.address)?;
        let may_end =
            |change: &Change| change.kind == node.kind && node.dependencies.contains(&change.address);
        let ends = foreseen.is_by_another && self.changes.iter().any(may_end);
        foreseen.refusal.clone().filter(|_| !ends)
    }

    fn kind(&mut self, kind: &Kind, address: &Address) -> Option<&'a dyn AnyResource> {
        let found = self.registry.known(kind, address);
        found.map_err(|problem| self.diagnostics.push(*problem)).ok()
    }

    fn create(&mut self, node: &ResourceNode, desired: ValueMap, reason: Reason) {
        let attributes = self.created_attributes(node, &desired);
        self.promise(node, &desired, ValueMap::new());
        self.changes.push(Change {
            action: ChangeAction::Create,
            remote_id: None,
            reasons: vec![reason],
            follows: followed(node, &attributes),
            attributes,
            ..self.change(node, desired)
        });
    }

    /// Sets what references to a resource see that is left as it is, whatever was decided.
    pub(crate) fn leave(&mut self, address: &Address) {
        if self.values.get(address).is_some_and(|values| values.settled) {
            return;
        }
        self.values.forget(address);
        let prior = self.state.resources.get(address);
        let Some((prior, object)) = prior.and_then(|prior| Some((prior, prior.object.as_ref()?))) else {
            return;
        };
        let observed = self.observations.get(address).and_then(|found| found.object.as_ref());
        let (Some(observed), Some(kind)) = (observed, self.registry.kind(prior.kind.as_str())) else {
            return;
        };
        let mut inputs = observed.inputs.clone();
        members::copy(&kind.schema().inputs, |attribute| attribute.write_only, &object.inputs, &mut inputs);
        let settled = !self.is_brief(address);
        let values = ResourceValues { inputs, outputs: observed.outputs.clone(), settled };
        self.values.set(address.clone(), values);
    }

    /// Tells whether attributes of a resource were left out of what was read.
    fn is_brief(&self, address: &Address) -> bool {
        self.observations.get(address).is_some_and(|found| found.is_brief)
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
        // The state does not say what the service has where the spec is silent.
        let settled = !self.options.from_state && !self.is_brief(&node.address);
        let values = ResourceValues { inputs, outputs: observed.outputs.clone(), settled };
        self.values.set(node.address.clone(), values);
    }
}
