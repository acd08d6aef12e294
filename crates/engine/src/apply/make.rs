//! Makes or changes a resource.

use std::collections::BTreeSet;

use crate::address::{Address, RemoteId};
use crate::apply::operation::Operation;
use crate::apply::settle::Settle;
use crate::apply::stop::Stop;
use crate::apply::{Run, birth, expect};
use crate::diagnostic::Diagnostic;
use crate::erased::{AnyResource, ObservedValues};
use crate::event::Verb;
use crate::plan::{Change, ChangeAction, ResourceValues, Round, add_promised, desired_inputs, keeps_promise};
use crate::schema::AttributeType;
use crate::sharing::Withdrawal;
use crate::spec::Lifecycle;
use crate::state::{Action, Outcome};
use crate::value::{SENSITIVE, Value, ValueMap};

/// Makes or changes a resource, and lets references see what came of it.
pub(crate) async fn make(
    run: &Run<'_>,
    change: &Change,
    kind: &dyn AnyResource,
) -> Result<Option<RemoteId>, Stop> {
    let inputs = resolve(run, change, kind)?;
    // What a share lets go of goes last, as an operation of its own.
    let withdrawal = Withdrawal::of(run.engine.registry, change);
    let change = &match &withdrawal {
        Some(_) => Change { dependencies: needs_so_far(run, change), ..change.clone() },
        None => change.clone(),
    };
    let verb = if change.action == ChangeAction::Update { Verb::Update } else { Verb::Create };
    let mut operation = Operation::new(run, change, kind, verb);
    let result = match verb {
        Verb::Update => {
            let found = run.observations.get(&change.address).and_then(|found| found.object.clone());
            // What was found before the run has changed in the rounds before this one.
            let found = found.filter(|_| change.rounds.is_empty());
            update(&operation, &inputs, found, withdrawal.as_ref()).await
        }
        Verb::Create
        | Verb::Expect
        | Verb::Delete
        | Verb::Forget
        | Verb::Withdraw
        | Verb::Advance
        | Verb::Wait
        | Verb::Look => create(&mut operation, &inputs).await,
    };
    finish(&operation, inputs, result).await
}

/// Returns what something needs as long as only the first half of its change is done.
fn needs_so_far(run: &Run<'_>, change: &Change) -> BTreeSet<Address> {
    let prior = run.recorder.with_state(|state| {
        state.resources.get(&change.address).map(|prior| prior.dependencies.clone()).unwrap_or_default()
    });
    prior.union(&change.dependencies).cloned().collect()
}

/// Lets a share let go of what it is to hold no longer.
pub(crate) async fn withdraw(
    run: &Run<'_>,
    change: &Change,
    kind: &dyn AnyResource,
) -> Result<Option<RemoteId>, Stop> {
    let inputs = resolve(run, change, kind)?;
    let operation = Operation::new(run, change, kind, Verb::Withdraw);
    // What was found before the run may have changed in it.
    let result = update(&operation, &inputs, None, None).await;
    finish(&operation, inputs, result).await
}

/// Makes one round of a change that takes several: nothing but its attributes changes.
pub(crate) async fn advance(
    run: &Run<'_>,
    change: &Change,
    round: &Round,
    kind: &dyn AnyResource,
) -> Result<Option<RemoteId>, Stop> {
    // Until the last round, what is recorded has values of before in it.
    let sensitive = run.recorder.with_state(|state| {
        let prior = state.resources.get(&change.address).map(|prior| &prior.lifecycle);
        change.lifecycle.all_sensitive(prior)
    });
    let lifecycle = Lifecycle { sensitive, ..change.lifecycle.clone() };
    let change = &Change { dependencies: needs_so_far(run, change), lifecycle, ..change.clone() };
    let operation = Operation::new(run, change, kind, Verb::Advance);
    let (id, mut inputs) = operation.object()?;
    inputs.extend(round.attributes.iter().map(|attribute| (attribute.name.clone(), attribute.after.clone())));
    operation.begin(Action::Update { inputs: inputs.clone() }).await?;
    let changes = |name: &str| round.attributes.iter().any(|attribute| attribute.name == name);
    let others = kind.schema().inputs.iter().map(|attribute| attribute.name).filter(|name| !changes(name));
    let left_alone = others.map(str::to_owned).collect();
    let limit = operation.timeouts().update;
    let result = settle(Settle { left_alone, ..Settle::new(&operation, id, Some(&inputs), limit) }).await;
    finish(&operation, inputs, result).await
}

async fn finish(
    operation: &Operation<'_>,
    inputs: ValueMap,
    result: Result<ObservedValues, Stop>,
) -> Result<Option<RemoteId>, Stop> {
    match result {
        Ok(observed) => {
            operation.end(Outcome::Ready { outputs: observed.outputs.clone() }).await?;
            let id = observed.outputs.get("id").and_then(Value::as_str).map(RemoteId::new);
            let mut seen = observed.inputs;
            seen.extend(inputs);
            let values = ResourceValues { inputs: seen, outputs: observed.outputs, settled: true };
            operation.run.values().set(operation.address().clone(), values);
            Ok(id)
        }
        Err(stop) => Err(operation.stopped(stop).await),
    }
}

async fn create(operation: &mut Operation<'_>, inputs: &ValueMap) -> Result<ObservedValues, Stop> {
    let id = match operation.kind.made_by() {
        Some(_) => expect::expect(operation, inputs).await?,
        None => birth::create(operation, inputs).await?,
    };
    let limit = operation.timeouts().create;
    settle(Settle { written: true, ..Settle::new(operation, id, Some(inputs), limit) }).await
}

/// Changes an object; what `later` says, only in an operation after this one.
async fn update(
    operation: &Operation<'_>,
    inputs: &ValueMap,
    found: Option<ObservedValues>,
    later: Option<&Withdrawal>,
) -> Result<ObservedValues, Stop> {
    let (id, _) = operation.object()?;
    let applied = match (later, &found) {
        (Some(later), Some(found)) => later.held_back(inputs.clone(), &found.inputs),
        (None, _) | (_, None) => inputs.clone(),
    };
    operation.begin(Action::Update { inputs: applied }).await?;
    let observed = found.map(|observed| operation.owned(observed, Some(inputs)));
    let limit = operation.timeouts().update;
    settle(Settle { observed, later, ..Settle::new(operation, id, Some(inputs), limit) }).await
}

async fn settle(settle: Settle<'_>) -> Result<ObservedValues, Stop> {
    let settled = settle.run().await?;
    settled.ok_or_else(|| Stop::Defect("the object vanished while it was being made".to_owned()))
}

/// Resolves the inputs with what is known now, and compares them with what the plan promised.
fn resolve(run: &Run<'_>, change: &Change, kind: &dyn AnyResource) -> Result<ValueMap, Stop> {
    let node = run.spec.resources.get(&change.address);
    let node = node.ok_or_else(|| Stop::Defect(format!("{} is not in the spec", change.address)))?;
    let home = run.spec.home(&node.account);
    let found = run.observations.get(&change.address).and_then(|found| found.object.as_ref());
    let mut resolved = desired_inputs(node, kind, home, found, &run.values(), &run.plan.lineage)
        .map_err(|problems| wrong(run, problems))?;
    let mut inputs = ValueMap::new();
    for (name, planned) in &change.inputs {
        // Of something that is still being made, nothing is left alone: it may be wanted unknown.
        let left_alone = change.lifecycle.ignore_changes.contains(name)
            && change.action == ChangeAction::Update
            && planned.is_known();
        let attribute = kind.schema().input(name);
        let attribute_type = attribute.map_or(&AttributeType::Any, |attribute| &attribute.attribute_type);
        let actual = match resolved.remove(name) {
            Some(mut actual) if !left_alone => {
                add_promised(attribute_type, &mut actual, planned);
                actual
            }
            // An expression turned out to be null: as if the attribute had not been written.
            None if !planned.is_known() => continue,
            _ => planned.clone(),
        };
        if let Some(unknown) = actual.first_unknown() {
            return Err(Stop::Defect(format!("`{name}` is not known: {} has no value", unknown.origin)));
        }
        if !keeps_promise(attribute_type, planned, &actual) {
            let is_hidden =
                attribute.is_some_and(|attribute| attribute.is_hidden(&change.lifecycle.sensitive));
            let shown = |value| if is_hidden { SENSITIVE.to_owned() } else { text(value) };
            let (promised, actual) = (shown(planned), shown(&actual));
            return Err(Stop::Stale { attribute: name.clone(), promised, actual });
        }
        inputs.insert(name.clone(), actual);
    }
    Ok(inputs)
}

/// Tells the user what is wrong with what the spec says, and where.
pub(super) fn wrong(run: &Run<'_>, problems: Vec<Diagnostic>) -> Stop {
    let Some(problem) = problems.into_iter().next() else {
        return Stop::Defect("the inputs have problems that nobody tells of".to_owned());
    };
    match problem.span {
        Some(span) => {
            let place = run.spec.sources.location(span).to_string();
            Stop::Wrong { place, problem: Box::new(problem) }
        }
        None => Stop::Defect(problem.summary),
    }
}

fn text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| value.type_name().to_owned())
}
