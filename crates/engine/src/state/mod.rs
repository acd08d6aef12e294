//! What was made: the state, the journal of a run, and where both are kept.
//!
//! [`Backend`] is what the engine knows; [`LocalBackend`] keeps everything in files.

mod backend;
mod canonical;
mod disk;
mod files;
mod fold;
mod format;
mod journal;
mod journal_file;
mod listing;
mod memory;
mod model;
mod remedy;
mod store;
mod system_files;
mod verify;
mod writer;

pub use backend::{Backend, LockGuard, LockHolder, StateError, Stored};
pub use disk::recovered;
pub use files::{Files, JournalFile, Locking};
pub use fold::{Fold, fold};
pub use format::FORMAT;
pub use journal::{Action, Begin, Imported, Outcome, Record, RunHeader};
pub use listing::{ListedState, list_states};
pub use memory::MemoryBackend;
pub use model::{Object, PendingCreate, ResourceState, State, Status};
pub use store::LocalBackend;
pub use system_files::SystemFiles;
pub use verify::verify;
