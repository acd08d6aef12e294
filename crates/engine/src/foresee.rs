//! What services would make of changes: asked before the plan is shown, without changing anything.
//!
//! Some services put what they are given into words of their own, fill it up from elsewhere, or refuse
//! what only they know to be impossible. A kind whose service can be asked ([`Resource::foresee`]) says
//! what is there in the words of what is wanted, so that only real differences are changes.
//!
//! [`Resource::foresee`]: crate::resource::Resource::foresee

use std::collections::BTreeMap;

use futures::future::try_join_all;

use crate::access::Access;
use crate::address::{AccountName, Address, Kind};
use crate::erased::{AnyResource, ObservedValues};
use crate::observation::Observations;
use crate::plan::{Change, ChangeAction, Mode, Plan, Request, differs_from_applied};
use crate::provider::ProviderError;
use crate::resource::Foreseen;
use crate::run::{Engine, InterruptLevel, RunError};
use crate::state::{State, Status};
use crate::value::{Value, ValueMap};

/// What services would make of changes, by resource.
pub type Foretold = BTreeMap<Address, Foreseen<ValueMap>>;

/// Something that a service is asked about.
struct Question<'a> {
    address: &'a Address,
    kind: &'a dyn AnyResource,
    account: &'a AccountName,
    found: Option<&'a ObservedValues>,
    wanted: &'a ValueMap,
}

/// Says what was found in the words of what was applied, so that what only reads otherwise is no drift.
///
/// # Errors
/// If a service cannot be asked.
pub(crate) async fn recognize(
    engine: &Engine<'_>,
    access: &Access,
    state: &State,
    observations: &mut Observations,
) -> Result<(), RunError> {
    let mut questions = Vec::new();
    for (address, prior) in &state.resources {
        let Some(kind) = foreseeing(engine, &prior.kind) else { continue };
        let object = prior.object.as_ref().filter(|object| object.status == Status::Ready);
        let observed = observations.get(address).and_then(|observation| observation.object.as_ref());
        let (Some(object), Some(observed)) = (object, observed) else { continue };
        if differs_from_applied(kind, &object.inputs, observed) {
            let (account, found) = (&prior.account, Some(observed));
            questions.push(Question { address, kind, account, found, wanted: &object.inputs });
        }
    }
    let answers = ask(engine, access, questions).await?;
    for (address, foreseen) in answers {
        take(observations, &address, foreseen.found);
    }
    Ok(())
}

/// Asks what services would make of the changes of a plan. Returns what was found in the words of what
/// is wanted, and what services would refuse; `None` if there was nothing to ask.
///
/// # Errors
/// If a service cannot be asked.
pub(crate) async fn changes(
    engine: &Engine<'_>,
    access: &Access,
    request: &Request<'_>,
    plan: &Plan,
) -> Result<Option<(Observations, Foretold)>, RunError> {
    if request.mode != Mode::Apply {
        return Ok(None);
    }
    let questions: Vec<_> =
        plan.changes.iter().filter_map(|change| question(engine, request, change)).collect();
    if questions.is_empty() {
        return Ok(None);
    }
    let foretold = ask(engine, access, questions).await?;
    let mut observations = request.observations.clone();
    for (address, foreseen) in &foretold {
        take(&mut observations, address, foreseen.found.clone());
    }
    Ok(Some((observations, foretold)))
}

/// Returns what to ask about a change: nothing of which a part is not known yet.
fn question<'a>(engine: &'a Engine<'_>, request: &Request<'a>, change: &'a Change) -> Option<Question<'a>> {
    let kind = foreseeing(engine, &change.kind)?;
    let found = match change.action {
        ChangeAction::Create => None,
        ChangeAction::Update => {
            let observation = request.observations.get(&change.address)?;
            Some(observation.object.as_ref()?)
        }
        ChangeAction::Replace(_)
        | ChangeAction::Delete
        | ChangeAction::DeleteDeposed
        | ChangeAction::Forget => return None,
    };
    let (address, account, wanted) = (&change.address, &change.account, &change.inputs);
    wanted.values().all(Value::is_known).then_some(Question { address, kind, account, found, wanted })
}

fn foreseeing<'a>(engine: &'a Engine<'_>, kind: &Kind) -> Option<&'a dyn AnyResource> {
    engine.registry.kind(kind.as_str()).map(|kind| &**kind).filter(|kind| kind.foresees())
}

fn take(observations: &mut Observations, address: &Address, found: Option<ValueMap>) {
    let observed = observations.get_mut(address).and_then(|observation| observation.object.as_mut());
    if let (Some(observed), Some(found)) = (observed, found) {
        observed.inputs = found;
    }
}

async fn ask(
    engine: &Engine<'_>,
    access: &Access,
    questions: Vec<Question<'_>>,
) -> Result<Foretold, RunError> {
    let asking = questions.into_iter().map(|question| async move {
        let Question { address, kind, account, found, wanted } = question;
        let failed = |source: ProviderError| RunError::Read {
            what: address.to_string(),
            account: account.clone(),
            source: Box::new(source),
        };
        let connection = access.reach(kind, account, wanted).map_err(failed)?;
        let ask = || kind.foresee(&connection, found, wanted);
        let foreseen = access.repeat(ask, account, kind).await.map_err(failed)?;
        Ok::<_, RunError>((address.clone(), foreseen))
    });
    tokio::select! {
        biased;
        () = engine.interrupt.reached(InterruptLevel::Graceful) => Err(RunError::Interrupted),
        answers = try_join_all(asking) => Ok(answers?.into_iter().collect()),
    }
}
