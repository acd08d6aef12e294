//! The birth of an object: at most one blind attempt, and never an object whose id is lost.

use crate::access::Backoff;
use crate::address::RemoteId;
use crate::apply::operation::Operation;
use crate::apply::stop::Stop;
use crate::provider::{ErrorClass, ProviderError};
use crate::recover::adopted;
use crate::refresh::age;
use crate::resource::Recovery;
use crate::state::{Action, Outcome};
use crate::value::ValueMap;

/// How often a create is sent anew whose outcome could not be learned.
const BLIND_ROUNDS: usize = 3;

/// Makes the object and records its id.
///
/// An attempt of unknown outcome is resolved before anything is sent again. A service that can
/// tell a repetition by its token or natural key gets the same call again. Any other gets the next
/// call only after the whole consistency window has passed without a trace of the first, as an
/// operation of its own.
pub(crate) async fn create(operation: &mut Operation<'_>, inputs: &ValueMap) -> Result<RemoteId, Stop> {
    for _ in 1..BLIND_ROUNDS {
        begin(operation, inputs).await?;
        match attempt(operation, inputs).await? {
            Birth::Made(id) => return Ok(id),
            Birth::NothingMade(_) => operation.intent = operation.run.new_intent(operation.address()),
        }
    }
    begin(operation, inputs).await?;
    match attempt(operation, inputs).await? {
        Birth::Made(id) => Ok(id),
        Birth::NothingMade(error) => Err(Stop::from_call(error)),
    }
}

/// What came of an attempt whose outcome was unknown at first.
enum Birth {
    Made(RemoteId),
    /// The window has passed: the call was never carried out.
    NothingMade(ProviderError),
}

async fn begin(operation: &Operation<'_>, inputs: &ValueMap) -> Result<(), Stop> {
    let token = operation.intent.token.clone();
    operation.begin(Action::Create { inputs: inputs.clone(), token }).await
}

async fn attempt(operation: &Operation<'_>, inputs: &ValueMap) -> Result<Birth, Stop> {
    let retry_limit = operation.run.engine.settings.retry_limit;
    let mut backoff = Backoff::new(retry_limit);
    // What is in the way may take as long as the thing itself.
    let mut while_busy = Backoff::new(retry_limit.max(operation.timeouts().create));
    let mut unanswered = false;
    loop {
        let Err(error) = send(operation, inputs).await? else {
            let id = operation.run.recorder.with_state(|state| {
                let object =
                    state.resources.get(operation.address()).and_then(|resource| resource.object.as_ref());
                object.map(|object| object.remote_id.clone())
            });
            return Ok(Birth::Made(id.expect("the id was recorded with the answer")));
        };
        unanswered |= error.class == ErrorClass::Ambiguous;
        let resolved = match error.class {
            ErrorClass::Ambiguous => resolve(operation, inputs, &error).await?,
            ErrorClass::AlreadyExists => own_twin(operation, inputs, unanswered).await?.map(Birth::Made),
            ErrorClass::Throttled | ErrorClass::Propagation | ErrorClass::Busy => None,
            // What was made a moment ago may not be visible to its service yet.
            ErrorClass::NotFound if stands_on_something_new(operation) => None,
            ErrorClass::NotFound
            | ErrorClass::Dependency
            | ErrorClass::AccessDenied
            | ErrorClass::Expired
            | ErrorClass::Rejected
            | ErrorClass::Unreachable => return refused(operation, error, unanswered).await,
        };
        if let Some(birth) = resolved {
            return Ok(birth);
        }
        let delays = if error.class == ErrorClass::Busy { &mut while_busy } else { &mut backoff };
        match delays.next() {
            Some(delay) if error.class != ErrorClass::AlreadyExists => {
                operation.pause(delay, &error.to_string()).await?;
            }
            _ => return refused(operation, error, unanswered).await,
        }
    }
}

/// Tells whether something that the object needs was made so recently that its service may not
/// show it yet.
fn stands_on_something_new(operation: &Operation<'_>) -> bool {
    let now = operation.run.now();
    operation.run.recorder.with_state(|state| {
        let needed = operation.change.dependencies.iter().filter_map(|address| state.resources.get(address));
        let mut objects = needed.filter_map(|resource| resource.object.as_ref());
        objects.any(|object| age(object.created_at, now) < operation.run.engine.settings.retry_limit)
    })
}

/// Sends the create once, and records the id that comes back.
async fn send(operation: &Operation<'_>, inputs: &ValueMap) -> Result<Result<(), ProviderError>, Stop> {
    let connection = operation.reach(inputs)?;
    let (kind, intent) = (operation.kind, operation.intent.clone());
    let inputs = inputs.clone();
    let created = operation
        .call("create", || Box::pin(async move { kind.create(&connection, &intent, &inputs).await }))
        .await?;
    match created {
        Ok(id) => {
            operation.identified(&id).await?;
            Ok(Ok(()))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// Records that nothing was made, since the service refused the call. If an attempt before it got
/// no answer, that one may still be carried out: the create stays pending.
async fn refused(operation: &Operation<'_>, error: ProviderError, unanswered: bool) -> Result<Birth, Stop> {
    if !unanswered {
        operation.end(Outcome::NothingMade).await?;
    }
    Err(Stop::from_call(error))
}

/// Learns what came of an attempt without an answer. `None` if the same call may be sent again.
async fn resolve(
    operation: &Operation<'_>,
    inputs: &ValueMap,
    error: &ProviderError,
) -> Result<Option<Birth>, Stop> {
    let settings = operation.run.engine.settings;
    let deadline = tokio::time::Instant::now() + settings.consistency_window;
    loop {
        let closing = tokio::time::Instant::now() >= deadline;
        if let Some(id) = find(operation, inputs).await? {
            return Ok(Some(Birth::Made(id)));
        }
        match operation.kind.traits().recovery {
            Recovery::Token | Recovery::NaturalKey => return Ok(None),
            Recovery::TagSearch if closing => {
                operation.end(Outcome::NothingMade).await?;
                return Ok(Some(Birth::NothingMade(error.clone())));
            }
            Recovery::TagSearch => {
                let reason = format!("to learn whether it was made ({error})");
                operation
                    .pause(operation.kind.traits().poll.min(settings.consistency_window / 4), &reason)
                    .await?;
            }
        }
    }
}

/// Looks for the thing that the service says exists already; `None` if it is not ours.
///
/// If an earlier attempt may have made it, or if whatever has the natural key is taken as ours,
/// since it cannot have tags, it may only be too new to be found.
async fn own_twin(
    operation: &Operation<'_>,
    inputs: &ValueMap,
    unanswered: bool,
) -> Result<Option<RemoteId>, Stop> {
    let may_be_ours = unanswered || !operation.kind.schema().has_tags();
    let deadline = tokio::time::Instant::now() + operation.run.engine.settings.consistency_window;
    loop {
        let closing = tokio::time::Instant::now() >= deadline;
        let found = find(operation, inputs).await?;
        if found.is_some() || closing || !may_be_ours {
            return Ok(found);
        }
        operation.pause(operation.kind.traits().poll, "for what exists already to become visible").await?;
    }
}

/// Looks for what the attempt made, and records its id, and what it made too much.
async fn find(operation: &Operation<'_>, inputs: &ValueMap) -> Result<Option<RemoteId>, Stop> {
    let connection = operation.reach(inputs)?;
    let find = || operation.kind.find(&connection, &operation.intent, inputs);
    let found = operation.access().repeat(find, operation.account, operation.kind).await;
    let found = operation.unclaimed(found.map_err(Stop::from_call)?);
    let Some((first, others)) = found.split_first() else { return Ok(None) };
    let records = adopted(&operation.intent.operation_id, first, others, operation.run.now());
    operation.run.recorder.append(&records).await?;
    Ok(Some(first.clone()))
}
