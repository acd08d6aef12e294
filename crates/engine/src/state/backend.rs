//! Where a state is kept.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::provider::BoxFuture;
use crate::state::{Record, State};

/// A place that keeps the state of one stack. Local files are the first; the trait is wide
/// enough for an object store, which can neither append to a file nor lock one.
pub trait Backend: Send + Sync {
    /// Returns where the state is, in words for the user, such as a path.
    fn location(&self) -> String;

    /// Takes the lock for as long as the guard lives.
    ///
    /// Fails with [`StateError::Locked`] if another run has it.
    fn lock<'a>(&'a self, holder: &'a LockHolder) -> BoxFuture<'a, Result<Box<dyn LockGuard>, StateError>>;

    /// Reads the state and the journal that a killed run may have left. Writes nothing.
    fn read(&self) -> BoxFuture<'_, Result<Stored, StateError>>;

    /// Appends records to the journal; when the future is done they survive a crash. The first
    /// record of a journal is a [`Record::Run`]. A future that is dropped has appended its records
    /// or not, never a part. Needs the lock.
    fn append<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Result<(), StateError>>;

    /// Replaces the state, which must still have the serial `expected` (0 if there is none), by one
    /// with a greater serial, and drops the journal. Needs the lock.
    /// After a crash either the old state with its journal or the new state is read.
    fn replace<'a>(&'a self, expected: u64, state: &'a State) -> BoxFuture<'a, Result<(), StateError>>;
}

/// Holds a lock until it is dropped.
pub trait LockGuard: Send + Sync {}

/// Who holds a lock, for the message that the others get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// The process.
    pub process_id: u32,
    /// The machine.
    pub host: String,
    /// What it does, such as `apply`.
    pub command: String,
    /// Since when, in RFC 3339.
    pub since: String,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process_id, host, command, since } = self;
        write!(formatter, "`straddle {command}`, process {process_id} on {host}, since {since}")
    }
}

/// What a backend has of a stack.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stored {
    /// The state; `None` if there never was one.
    pub state: Option<State>,
    /// The records of a run that did not get to replace the state; empty if there are none.
    pub journal: Vec<Record>,
}

/// A state that cannot be used. Never read as "nothing exists".
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another run has the lock.
    #[error("the state {location} is in use by {holder}")]
    Locked {
        /// Where the state is.
        location: String,
        /// Who has it, in words; it may not be known.
        holder: String,
    },
    /// A file could not be read or written.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The state or the journal is not what a run of this program wrote.
    #[error("{} is not usable: {problem}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do about it, in whole sentences.
        remedy: String,
    },
    /// The engine asked for something that would spoil the state; a bug of this program.
    #[error("refused to write the state {location}: {problem}")]
    Refused {
        /// Where the state is.
        location: String,
        /// Why not.
        problem: String,
    },
    /// Somebody else replaced the state while this run was going on.
    #[error("the state {location} has serial {found}, expected {expected}: another run has replaced it")]
    Fenced {
        /// Where the state is.
        location: String,
        /// The serial that this run started from.
        expected: u64,
        /// The serial that is there now.
        found: u64,
    },
}
