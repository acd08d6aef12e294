//! What was made: the state, the journal of a run, and where both are kept.

mod backend;
mod journal;
mod model;

pub use backend::{Backend, LockGuard, LockHolder, StateError, Stored};
pub use journal::{Action, Begin, Fold, Outcome, Record, RunHeader, fold};
pub use model::{Object, PendingCreate, ResourceState, State, Status};
