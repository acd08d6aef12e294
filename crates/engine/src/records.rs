//! What a run records without an operation: what the reads found, and what resources need that
//! stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::apply::Walked;
use crate::diagnostic::Diagnostic;
use crate::environment::random_id;
use crate::observation::{Observation, Observations};
use crate::plan::{self, Mode, Plan};
use crate::run::{Engine, RunError};
use crate::spec::{ResourceNode, Spec};
use crate::state::{Action, Begin, Fold, Object, Outcome, Record, ResourceState, State, Status};

impl Engine<'_> {
    /// Returns the records of resources that stay as they are, and of which the spec says
    /// something new about their order or their life. What they needed so far counts on: what they
    /// are to need instead may never come.
    pub(crate) fn kept_records(
        &self,
        spec: &Spec,
        plan: &Plan,
        left_out: &BTreeSet<Address>,
        state: &State,
    ) -> Result<Vec<Record>, RunError> {
        let changed = plan.changes.iter().map(|change| &change.address);
        let elsewhere: BTreeSet<_> = changed.chain(left_out).collect();
        let needs = |node: &ResourceNode, prior: &ResourceState| {
            let stays = !elsewhere.contains(&node.address);
            stays.then(|| prior.dependencies.union(&node.dependencies).cloned().collect())
        };
        self.records_of_kept(spec, plan, state, needs)
    }

    /// Returns the records that resources need only what the spec says, for all whose needs have come
    /// and gone as planned.
    pub(crate) fn settled_records(
        &self,
        spec: &Spec,
        plan: &Plan,
        left_out: &BTreeSet<Address>,
        walked: &Walked,
        state: &State,
    ) -> Result<Vec<Record>, RunError> {
        let undone: BTreeSet<_> = walked.undone().chain(left_out).collect();
        let needs = |node: &ResourceNode, prior: &ResourceState| {
            let ready = prior.object.as_ref().is_some_and(|object| object.status == Status::Ready);
            let mut about =
                prior.dependencies.union(&node.dependencies).chain(std::iter::once(&node.address));
            // A former object may still stand on what it needed.
            let settled = ready && prior.deposed.is_empty() && !about.any(|address| undone.contains(address));
            settled.then(|| node.dependencies.clone())
        };
        self.records_of_kept(spec, plan, state, needs)
    }

    /// Returns the records of resources of which the state does not say what they need, or how
    /// their life is managed. Each record may take others back, see [`Fold`].
    fn records_of_kept(
        &self,
        spec: &Spec,
        plan: &Plan,
        state: &State,
        needs: impl Fn(&ResourceNode, &ResourceState) -> Option<BTreeSet<Address>>,
    ) -> Result<Vec<Record>, RunError> {
        let mut records = Vec::new();
        let mut fold: Option<Fold> = None;
        for node in spec.resources.values().filter(|_| plan.mode == Mode::Apply) {
            let now = fold.as_ref().map_or(state, Fold::state);
            let Some(prior) = now.resources.get(&node.address) else { continue };
            let (Some(object), Some(dependencies)) = (&prior.object, needs(node, prior)) else { continue };
            if prior.dependencies == dependencies && prior.lifecycle == node.lifecycle {
                continue;
            }
            let action = Action::Update { inputs: object.inputs.clone() };
            let begin = Begin {
                dependencies,
                lifecycle: node.lifecycle.clone(),
                ..self.begin(&node.address, prior, action)
            };
            let kept = ended(begin, Outcome::Ready { outputs: object.outputs.clone() });
            let fold = fold.get_or_insert_with(|| Fold::new(state.clone()));
            kept.iter().try_for_each(|record| fold.record(record)).map_err(defect)?;
            records.extend(kept);
        }
        Ok(records)
    }

    /// Returns the records that former objects of resources are gone. Nothing is left to be done
    /// about them, so that no plan tells of it.
    pub(crate) fn gone_records(
        &self,
        left_out: &BTreeSet<Address>,
        state: &State,
        found: &Observations,
    ) -> Vec<Record> {
        let staying = found.iter().filter(|(address, _)| !left_out.contains(*address));
        let formers = staying.flat_map(|(address, found)| {
            let prior = state.resources.get(address);
            let deposed =
                prior.into_iter().flat_map(|prior| prior.deposed.iter().map(move |object| (prior, object)));
            let gone = deposed.zip(&found.deposed).filter(|(_, found)| found.is_none());
            gone.map(move |((prior, object), _)| (address, prior, object))
        });
        let forget = |(address, prior, object): (&Address, &ResourceState, &Object)| {
            let action = Action::Forget { remote_id: object.remote_id.clone() };
            ended(self.begin(address, prior, action), Outcome::Gone)
        };
        formers.flat_map(forget).collect()
    }

    /// Returns the beginning of an operation on what the state has.
    pub(crate) fn begin(&self, address: &Address, prior: &ResourceState, action: Action) -> Begin {
        Begin {
            operation_id: random_id(self.environment),
            action,
            address: address.clone(),
            kind: prior.kind.clone(),
            account: prior.account.clone(),
            account_id: prior.account_id.clone(),
            region: prior.region.clone(),
            dependencies: prior.dependencies.clone(),
            lifecycle: prior.lifecycle.clone(),
            at: self.environment.now(),
        }
    }
}

/// Returns the records of what the reads found and no operation follows from: things that are
/// gone, outputs that the services have changed, and in a refresh what others changed. What is
/// left out is recorded as it was.
pub(crate) fn seen_records(
    plan: &Plan,
    left_out: &BTreeSet<Address>,
    state: &State,
    observations: &Observations,
) -> Vec<Record> {
    let changed: BTreeSet<_> = plan.changes.iter().map(|change| &change.address).collect();
    let counts_as_applied = plan.drift.iter().filter(|drift| plan.mode == Mode::Refresh && !drift.gone);
    let drift: BTreeMap<_, _> = counts_as_applied.map(|drift| (&drift.address, &drift.attributes)).collect();
    let record = |(address, observation): (&Address, &Observation)| {
        let object = state.resources.get(address)?.object.as_ref()?;
        let outputs = observation.object.as_ref().map(|observed| observed.outputs.clone());
        let inputs = drift.get(address).map(|drift| plan::as_observed(&object.inputs, drift));
        let seen = match &outputs {
            None => true,
            Some(outputs) => inputs.is_some() || (!changed.contains(address) && *outputs != object.outputs),
        };
        seen.then(|| Record::Observed { address: address.clone(), inputs, outputs })
    };
    observations.iter().filter(|(address, _)| !left_out.contains(*address)).filter_map(record).collect()
}

/// Returns the records of an operation that ends with what is known already.
fn ended(begin: Begin, outcome: Outcome) -> [Record; 2] {
    let (operation_id, at) = (begin.operation_id.clone(), begin.at);
    [Record::Begin(Box::new(begin)), Record::End { operation_id, outcome, at }]
}

/// Reports records that do not fit: nothing but a defect or a changed file can cause that.
pub(crate) fn defect(problem: String) -> RunError {
    let problem = Diagnostic::error("defect", "what was found does not fit the state").with_detail(problem);
    RunError::Diagnostics(problem.into())
}

/// Returns the record that outputs are sensitive from now on or no longer, if nothing else of them
/// changes: what changes is recorded once it is known.
pub(crate) fn hidden_record(spec: &Spec, plan: &Plan, state: &State) -> Option<Record> {
    if plan.mode != Mode::Apply || !plan.outputs.is_empty() {
        return None;
    }
    let declared = |name: &&String| spec.outputs.get(*name).is_some_and(|node| node.sensitive);
    let sensitive: BTreeSet<_> = state.outputs.keys().filter(declared).cloned().collect();
    let differs = sensitive != state.sensitive_outputs;
    differs.then(|| Record::Outputs { outputs: state.outputs.clone(), sensitive })
}
