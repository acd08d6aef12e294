//! Deletes an object, or forgets it.

use crate::address::Address;
use crate::apply::Run;
use crate::apply::operation::Operation;
use crate::apply::settle::Settle;
use crate::apply::stop::Stop;
use crate::erased::AnyResource;
use crate::event::Verb;
use crate::plan::{Change, ChangeAction};
use crate::resource::ReplaceOrder;
use crate::state::{Action, Outcome};

/// Deletes or forgets the object that a change names.
pub(crate) async fn unmake(run: &Run<'_>, change: &Change, kind: &dyn AnyResource) -> Result<(), Stop> {
    let Some(change) = where_it_is(run, change) else { return Ok(()) };
    let id = change.remote_id.clone().expect("what is deleted has an id");
    if change.action == ChangeAction::Forget || kind.retained() || stays_with_its_maker(run, &change) {
        let operation = Operation::new(run, &change, kind, Verb::Forget);
        operation.begin(Action::Forget { remote_id: id }).await?;
        return operation.end(Outcome::Gone).await;
    }
    let operation = Operation::new(run, &change, kind, Verb::Delete);
    operation.begin(Action::Delete { remote_id: id.clone() }).await?;
    let found = run.observations.get(&change.address).and_then(|found| found.object.clone());
    // Of what has parts, these are gone by now, and what it was found with is no longer so.
    let is_whole = change.action == ChangeAction::Delete && kind.schema().expansions.is_empty();
    let observed = found.filter(|_| is_whole);
    let limit = operation.timeouts().delete;
    let settle = Settle { observed, written: true, ..Settle::new(&operation, id, None, limit) };
    match settle.run().await {
        Ok(_) => operation.end(Outcome::Gone).await,
        Err(stop) => Err(operation.stopped(stop).await),
    }
}

/// Tells whether what somebody else made will not go away by itself when it is replaced, since what it
/// was made for stays as it is, or is not of this stack.
fn stays_with_its_maker(run: &Run<'_>, change: &Change) -> bool {
    let is_replaced = matches!(change.action, ChangeAction::Replace(_) | ChangeAction::DeleteDeposed);
    if !is_replaced || run.plan.options.delete_made_by_others {
        return false;
    }
    let makers = run.recorder.with_state(|state| {
        let prior = state.resources.get(&change.address);
        prior.and_then(|prior| prior.lifecycle.made_by.clone())
    });
    let goes = |maker: &Address| {
        let of_maker = |other: &&Change| other.address == *maker;
        run.plan.changes.iter().filter(of_maker).any(|other| {
            matches!(
                other.action,
                ChangeAction::Replace(_) | ChangeAction::Delete | ChangeAction::DeleteDeposed
            )
        })
    };
    makers.is_some_and(|makers| makers.is_empty() || !makers.iter().all(goes))
}

/// Returns the change with the account that the object is in, which for one that moves is not
/// where it will be; `None` if the state no longer has the object, or has it as the one that was
/// to take its place.
fn where_it_is(run: &Run<'_>, change: &Change) -> Option<Change> {
    run.recorder.with_state(|state| {
        let prior = state.resources.get(&change.address)?;
        let is_replaced = change.action == ChangeAction::Replace(ReplaceOrder::CreateFirst);
        let current = prior.object.iter().filter(|_| !is_replaced);
        let mut objects = current.chain(&prior.deposed);
        objects.any(|object| Some(&object.remote_id) == change.remote_id.as_ref()).then(|| Change {
            account: prior.account.clone(),
            account_id: prior.account_id.clone(),
            region: prior.region.clone(),
            dependencies: prior.dependencies.clone(),
            ..change.clone()
        })
    })
}
