//! Plans from the state alone: without a call to any account, the check of who it is included.
//!
//! Such a plan is for looking at. The state has no more than what was last applied, so that
//! whatever a service filled in by itself, and whatever others did since, is not in it: an apply
//! would replace what needs no replacement. So it always reads.

use crate::access::check_accounts;
use crate::diagnostic::Diagnostic;
use crate::environment::random_id;
use crate::erased::{AnyResource, ObservedValues};
use crate::foresee::Foretold;
use crate::lookup::{Found, is_lookup};
use crate::observation::{Observation, Observations};
use crate::permission::{self, Breadth, Grant, Known, Phase};
use crate::plan::{self, Mode, Options, Plan, Request};
use crate::refresh::known_kind;
use crate::registry::Registry;
use crate::resource::Readiness;
use crate::run::{Engine, RunError};
use crate::spec::{ImportNode, ResourceNode, Spec};
use crate::stages::renamed;
use crate::state::{Object, PendingCreate, State, Status, recovered};

impl Engine<'_> {
    /// Plans as if everything were as the state says.
    ///
    /// # Errors
    /// As [`Engine::plan`], and if only a read can tell what an earlier run has made.
    pub(crate) async fn plan_from_state(
        &self,
        spec: &Spec,
        mode: Mode,
        options: &Options,
    ) -> Result<Plan, RunError> {
        let state = self.recorded(spec).await?;
        if let Some(pending) = state.pending.values().next() {
            return Err(RunError::Diagnostics(unresolved(pending).into()));
        }
        let not_done =
            |import: &&ImportNode| mode == Mode::Apply && !is_done(self.registry, spec, &state, import);
        if let Some(import) = spec.imports.iter().find(not_done) {
            return Err(RunError::Diagnostics(not_read(import).into()));
        }
        if let Some(node) = spec.resources.values().find(|node| mode == Mode::Apply && is_lookup(&node.kind))
        {
            return Err(RunError::Diagnostics(not_looked_up(node).into()));
        }
        let nonce = random_id(self.environment);
        Ok(plan_of_recorded(self.registry, spec, state, mode, options, nonce)?.1)
    }

    /// Returns what has to be allowed in the accounts for a phase. Reads the state, and nothing else.
    ///
    /// # Errors
    /// If the state cannot be used or the plan has errors.
    pub async fn grants(&self, spec: &Spec, phase: Phase, breadth: Breadth) -> Result<Vec<Grant>, RunError> {
        let state = self.recorded(spec).await?;
        let (nonce, options) = (random_id(self.environment), Options::default());
        let (state, plan) = plan_of_recorded(self.registry, spec, state, Mode::Apply, &options, nonce)?;
        let known = Known { registry: self.registry, spec, state: &state, plan: &plan };
        Ok(permission::grants(known, phase, breadth))
    }

    /// Returns the state, which is that of the spec's accounts.
    async fn recorded(&self, spec: &Spec) -> Result<State, RunError> {
        let state = recovered(self.backend.read().await?)?;
        let empty = || State::empty(spec.stack.name.as_str(), random_id(self.environment));
        let state = state.unwrap_or_else(empty);
        check_accounts(spec, &state)?;
        Ok(state)
    }
}

/// Plans as if nothing were there yet. Nothing in it is random.
pub(crate) fn plan_of_nothing(registry: &Registry, spec: &Spec) -> Result<Plan, RunError> {
    let state = State::empty(spec.stack.name.as_str(), String::new());
    Ok(plan_of_recorded(registry, spec, state, Mode::Apply, &Options::default(), String::new())?.1)
}

/// Returns the state under the names of the spec, and the plan from there.
fn plan_of_recorded(
    registry: &Registry,
    spec: &Spec,
    state: State,
    mode: Mode,
    options: &Options,
    nonce: String,
) -> Result<(State, Plan), RunError> {
    let renames = plan::renames(spec, &state).map_err(RunError::Diagnostics)?;
    let state = renamed(&state, &renames)?.unwrap_or(state);
    let observations = as_recorded(registry, &state)?;
    let request = Request {
        registry,
        spec,
        state: &state,
        renames: &renames,
        imports: &[],
        foreseen: &Foretold::new(),
        lookups: &Found::new(),
        observations: &observations,
        mode,
        options,
    };
    let planned = plan::make(&request, nonce).map_err(RunError::Diagnostics)?;
    Ok((state, planned.plan))
}

/// Refuses to carry out a plan that nothing was read for.
pub(crate) fn nothing_was_read() -> RunError {
    let problem = Diagnostic::error("nothing-read", "a plan from the state alone is not carried out")
        .with_detail(
            "The state does not have what services fill in by themselves, nor what others did since: \
             something might be replaced or made again without need. Nothing was changed.",
        )
        .with_hint("Apply without `--refresh=false`: reading takes one call for all things of a kind.");
    RunError::Diagnostics(problem.into())
}

fn unresolved(pending: &PendingCreate) -> Diagnostic {
    Diagnostic::error("unresolved-create", "only a read can tell what an earlier run has made")
        .with_address(pending.address.clone())
        .with_detail(format!(
            "An earlier run ended while it made {}, and whether that came about is not known yet.",
            pending.address
        ))
        .with_hint("Plan without `--refresh=false`.")
}

/// Tells whether the state shows an import as done, or its resource as another thing since.
fn is_done(registry: &Registry, spec: &Spec, state: &State, import: &ImportNode) -> bool {
    let node = &spec.resources[&import.to];
    let has_thing =
        || state.has(registry.scope(&node.kind, spec.home(&node.account)), &node.kind, &import.id);
    state.resources.contains_key(&import.to) || has_thing()
}

fn not_looked_up(node: &ResourceNode) -> Diagnostic {
    Diagnostic::error("lookup-not-read", "only a read can tell what is looked up")
        .with_address(node.address.clone())
        .with_span(node.span, "is read with every plan")
        .with_detail(format!("The state has nothing of {}: it belongs to somebody else.", node.address))
        .with_hint("Plan without `--refresh=false`.")
}

fn not_read(import: &ImportNode) -> Diagnostic {
    let problem = Diagnostic::error("import-not-read", "only a read can tell what is imported")
        .with_address(import.to.clone())
        .with_detail(format!("{} is to become {}, and the state does not have it yet.", import.id, import.to))
        .with_hint("Plan without `--refresh=false`.");
    match import.span {
        Some(span) => problem.with_span(span, "is not imported yet"),
        None => problem,
    }
}

/// Returns what a read would find if nobody but this program had changed anything.
fn as_recorded(registry: &Registry, state: &State) -> Result<Observations, RunError> {
    let mut observations = Observations::new();
    for (address, resource) in &state.resources {
        let kind = known_kind(registry, &resource.kind, address)?;
        let observation = Observation {
            object: resource.object.as_ref().map(|object| values(kind, object)),
            deposed: resource.deposed.iter().map(|object| Some(values(kind, object))).collect(),
            ..Observation::default()
        };
        observations.insert(address.clone(), observation);
    }
    Ok(observations)
}

/// Returns an object as the state has it, with the documented defaults of what was not set.
fn values(kind: &dyn AnyResource, object: &Object) -> ObservedValues {
    let mut inputs = object.inputs.clone();
    for attribute in &kind.schema().inputs {
        if let Some(default) = attribute.default.as_ref().filter(|_| !inputs.contains_key(attribute.name)) {
            inputs.insert(attribute.name.to_owned(), default.clone());
        }
    }
    let readiness = match &object.status {
        Status::Ready | Status::Unfinished => Readiness::Ready,
        Status::Failed(reason) => Readiness::Failed(reason.clone()),
    };
    ObservedValues { inputs, outputs: object.outputs.clone(), readiness }
}
