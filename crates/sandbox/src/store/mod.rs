//! A world kept in files, so that it outlives the process, also one that is killed.
//!
//! `FILE` is the world as it was when somebody last wrote it down; `FILE.journal` has every call
//! that has changed it since, and is read by making these calls again. Ids come from the world's
//! seed and how many there were before, so that they are the same again. A call is in the journal
//! before it is answered, which costs the same however large the world is. `FILE.lock` says who
//! runs the world, `FILE.requests` what was asked of it.

mod journal;
mod keeper;
mod snapshot;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use straddle_engine::state::{Files, LockGuard, Locking, StateError, SystemFiles};

pub(crate) use journal::{Event, Happened};
pub(crate) use keeper::{Keeper, Kept};

use crate::world::World;

/// The form of the files. A later one is refused.
const FORMAT: u32 = 1;

/// A world whose files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file could not be read or written, or must not be trusted.
    #[error(transparent)]
    File(#[from] StateError),
    /// A file has something in it that no sandbox of this version wrote.
    #[error("{} is not usable: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Somebody else runs the world.
    #[error("the world {} is in use by {holder}", path.display())]
    Busy {
        /// The world's file.
        path: PathBuf,
        /// Who.
        holder: Box<Holder>,
    },
}

/// Who runs a world, and where it can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub process_id: u32,
    /// Such as `http://127.0.0.1:4566`.
    pub endpoint: String,
    /// Since when, in RFC 3339.
    pub since: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { process_id, endpoint, since } = self;
        write!(formatter, "process {process_id}, at {endpoint} since {since}")
    }
}

/// The files of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldFiles {
    world: PathBuf,
}

impl WorldFiles {
    /// Names the files of a world: the others are beside `world`.
    #[must_use]
    pub fn new(world: impl Into<PathBuf>) -> Self {
        Self { world: world.into() }
    }

    /// Returns the file with the world as it was last written down.
    #[must_use]
    pub fn world(&self) -> &Path {
        &self.world
    }

    /// Returns the file with what was asked, one JSON object a line. When it has grown large it
    /// is renamed, with `.old` behind.
    #[must_use]
    pub fn requests(&self) -> PathBuf {
        self.beside("requests")
    }

    fn journal(&self) -> PathBuf {
        self.beside("journal")
    }

    fn beside(&self, what: &str) -> PathBuf {
        let mut name = self.world.clone().into_os_string();
        name.extend([".", what].map(std::ffi::OsStr::new));
        name.into()
    }

    fn folder(&self) -> &Path {
        self.world.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Tells whether there is a world.
    #[must_use]
    pub fn exist(&self) -> bool {
        self.world.exists()
    }

    /// Returns who ran the world last. Whether they still do, only they can tell.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn last_holder(&self) -> Result<Option<Holder>, StoreError> {
        let bytes = SystemFiles.read(&self.beside("lock"))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Tells whether somebody runs the world.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub fn is_in_use(&self) -> Result<bool, StoreError> {
        let Some(holder) = self.last_holder()? else { return Ok(false) };
        match self.lock(&holder) {
            Ok(_) => Ok(false),
            Err(StoreError::Busy { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Forgets a world that nobody runs. Tells whether there was one.
    ///
    /// # Errors
    /// If somebody runs it, or a file cannot be removed.
    pub fn remove(&self) -> Result<bool, StoreError> {
        if !self.world.exists() {
            return Ok(false);
        }
        let nobody = Holder { process_id: std::process::id(), endpoint: String::new(), since: String::new() };
        let _lock = self.lock(&nobody)?;
        // The world goes first: without it, nobody reads the journal.
        for path in [self.world.clone(), self.journal(), self.requests(), self.beside("requests.old")] {
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StateError::Io { action: "remove", path, source }.into());
                }
                _ => {}
            }
        }
        SystemFiles.sync_folder(self.folder())?;
        Ok(true)
    }

    /// Takes the world for as long as the guard lives.
    pub(crate) fn lock(&self, holder: &Holder) -> Result<Box<dyn LockGuard>, StoreError> {
        SystemFiles.create_folder(self.folder())?;
        let text = serde_json::to_vec(holder).expect("a holder is made of texts and a number");
        match SystemFiles.lock(&self.beside("lock"), &text)? {
            Locking::Held(guard) => Ok(guard),
            Locking::Busy(other) => {
                let unknown =
                    || Holder { process_id: 0, endpoint: "an unknown place".into(), ..holder.clone() };
                let holder = Box::new(serde_json::from_slice(&other).unwrap_or_else(|_| unknown()));
                Err(StoreError::Busy { path: self.world.clone(), holder })
            }
        }
    }

    /// Reads the world and what has happened to it since; `None` if there is none.
    pub(crate) fn load(&self) -> Result<Option<World>, StoreError> {
        let Some(mut snapshot) = snapshot::read(&SystemFiles, &self.world)? else { return Ok(None) };
        let happened = journal::read(&SystemFiles, &self.journal(), &snapshot.id)?;
        for (index, happened) in happened.into_iter().enumerate() {
            let replayed = happened.replay(&mut snapshot.world);
            // The first line is the head.
            replayed
                .map_err(|problem| damaged(&self.journal(), &format!("line {}: {problem}", index + 2)))?;
        }
        Ok(Some(snapshot.world))
    }

    /// Writes the world down and begins to keep what happens to it.
    pub(crate) fn keep(&self, world: &World) -> Result<Keeper, StoreError> {
        Keeper::begin(Arc::new(SystemFiles), self.clone(), world)
    }
}

/// Says what is wrong with a file.
fn damaged(path: &Path, problem: &dyn ToString) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), problem: problem.to_string() }
}
