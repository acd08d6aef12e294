//! The file operations that the local store needs. A trait, so that tests can put a disk below
//! the store that crashes, loses what was not synced, and is full.

use std::path::Path;

use crate::state::{LockGuard, StateError};

/// A file system as the local store sees it.
///
/// Errors are [`StateError::Io`], and [`StateError::Corrupt`] for a file that must not be
/// trusted, such as one that others can write.
pub trait Files: Send + Sync + 'static {
    /// Tells whether operations may take so long that they belong on a thread of their own.
    fn may_block(&self) -> bool;

    /// Makes a folder and those above it, as far as they are missing.
    ///
    /// # Errors
    /// If that fails.
    fn create_folder(&self, folder: &Path) -> Result<(), StateError>;

    /// Reads a whole file; `None` if there is none.
    ///
    /// # Errors
    /// If that fails, or the file must not be trusted.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StateError>;

    /// Makes a new file in place of any that has the name, and syncs its contents. The name
    /// itself is durable only after [`Files::sync_folder`].
    ///
    /// # Errors
    /// If that fails; a part of the file may be left.
    fn write(&self, path: &Path, contents: &[u8]) -> Result<(), StateError>;

    /// Makes a new, empty journal in place of any file that has the name.
    ///
    /// # Errors
    /// If that fails.
    fn create_journal(&self, path: &Path) -> Result<Box<dyn JournalFile>, StateError>;

    /// Opens a journal and cuts off what is after its first `length` bytes.
    ///
    /// # Errors
    /// If that fails, or the file must not be trusted.
    fn open_journal(&self, path: &Path, length: u64) -> Result<Box<dyn JournalFile>, StateError>;

    /// Gives a file another name, in place of any file that has it.
    ///
    /// # Errors
    /// If that fails; nothing has changed then.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), StateError>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// If that fails; the names may be the old or the new ones after a crash.
    fn sync_folder(&self, folder: &Path) -> Result<(), StateError>;

    /// Takes the lock on a file for the life of the process or the guard, and writes `holder`
    /// into it.
    ///
    /// # Errors
    /// If locking fails for another reason than that somebody has the lock.
    fn lock(&self, path: &Path, holder: &[u8]) -> Result<Locking, StateError>;
}

/// A journal that is open for appending.
pub trait JournalFile: Send {
    /// Sets disk space aside beyond the end, so that a full disk is found now.
    ///
    /// # Errors
    /// If there is not enough.
    fn reserve(&mut self, bytes: u64) -> Result<(), StateError>;

    /// Appends and syncs.
    ///
    /// # Errors
    /// If that fails. Nobody knows then what is on the disk: the journal must not be used again.
    fn append(&mut self, bytes: &[u8]) -> Result<(), StateError>;
}

/// What came of taking a lock.
pub enum Locking {
    /// We have it.
    Held(Box<dyn LockGuard>),
    /// Somebody else has it, and wrote this into the file.
    Busy(Vec<u8>),
}
