//! What was made: the state, the journal of a run, and where both are kept.

mod backend;
mod journal;
mod model;

pub use backend::{Backend, LockGuard, LockHolder, StateError, Stored};
pub use journal::{Action, Begin, Fold, Outcome, Record, RunHeader, fold};
pub use model::{Object, PendingCreate, ResourceState, State, Status};
// Stand-in until the local store lands: its author replaces it by `recovered` of the store.
/// Folds the journal of a killed run into the state.
///
/// # Errors
/// If the records do not fit.
pub fn recovered(stored: Stored) -> Result<Option<State>, StateError> {
    let problem = |problem| StateError::Corrupt { path: "journal".into(), problem, remedy: String::new() };
    stored.state.map(|state| fold(state, &stored.journal).map_err(problem)).transpose()
}
