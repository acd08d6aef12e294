//! The birth of what somebody else makes: no call, only a look from time to time until it is there.

use tokio::time::Instant;

use crate::access::Backoff;
use crate::address::RemoteId;
use crate::apply::operation::Operation;
use crate::apply::stop::Stop;
use crate::provider::{ErrorClass, ProviderError};
use crate::state::{Action, Outcome};
use crate::value::ValueMap;

/// Waits until the thing is there, and records its id. Nothing is sent that a crash could leave without
/// an answer, so that whoever comes after one looks again.
///
/// # Errors
/// If it is not there in time, with what is missing.
pub(crate) async fn expect(operation: &Operation<'_>, inputs: &ValueMap) -> Result<RemoteId, Stop> {
    let token = operation.intent.token.clone();
    operation.begin(Action::Create { inputs: inputs.clone(), token }).await?;
    match look(operation, inputs).await {
        Ok(id) => {
            // It is there only now, as if this had made it.
            operation.attempted("find").await?;
            operation.identified(&id).await?;
            Ok(id)
        }
        Err(unrecorded @ Stop::Record(_)) => Err(unrecorded),
        Err(stop) => {
            operation.end(Outcome::NothingMade).await?;
            Err(stop)
        }
    }
}

async fn look(operation: &Operation<'_>, inputs: &ValueMap) -> Result<RemoteId, Stop> {
    let connection = operation.reach(inputs)?;
    let limit = operation.timeouts().create;
    let (deadline, mut delays) = (Instant::now() + limit, Backoff::new(limit));
    loop {
        let create = || operation.kind.create(&connection, &operation.intent, inputs);
        let found = operation.access().repeat(create, operation.account, operation.kind).await;
        let reason = match found {
            Ok(id) => match operation.unclaimed(vec![id.clone()]).pop() {
                Some(free) => return Ok(free),
                None => return Err(taken(operation, &id)),
            },
            Err(error) if error.class == ErrorClass::Busy => error.message.clone(),
            Err(error) => return Err(Stop::from_call(error)),
        };
        let delay = delays.next().map(|delay| delay.min(operation.kind.traits().poll));
        let Some(delay) = delay.filter(|_| Instant::now() < deadline) else {
            let advice = operation.kind.made_by().map_or("", |others| others.advice_missing);
            let reason = [vec![reason], said(operation).await].concat().join("; ");
            return Err(Stop::Awaited { limit, reason, advice });
        };
        operation.pause(delay, &reason).await?;
    }
}

/// Returns what is said about what it is made for, as far as that can be read.
async fn said(operation: &Operation<'_>) -> Vec<String> {
    let run = operation.run;
    let mut all = Vec::new();
    for maker in operation.change.lifecycle.made_by.iter().flatten() {
        let Some(resource) = run.recorder.with_state(|state| state.resources.get(maker).cloned()) else {
            continue;
        };
        let Some(kind) = run.engine.registry.kind(resource.kind.as_str()) else { continue };
        let Some(object) = &resource.object else { continue };
        let Ok(connection) = run.access.reach(&**kind, &resource.account, &object.inputs) else { continue };
        let told = kind.said(&connection, &object.inputs).await.unwrap_or_default();
        all.extend((!told.is_empty()).then(|| format!("of {maker} is said: {told}")));
    }
    all
}

fn taken(operation: &Operation<'_>, id: &RemoteId) -> Stop {
    let message = format!("{id} belongs to another resource of the stack already");
    Stop::Exists(ProviderError::new(
        ErrorClass::AlreadyExists,
        operation.kind.schema().kind.as_str(),
        message,
    ))
}
