//! The files of one stack: what is in them, and what that means together.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::state::format::Defect;
use crate::state::journal_file::Journal;
use crate::state::{Files, State, StateError, Stored, fold, format, journal_file, remedy, verify};

/// The files of one stack.
pub(super) struct Disk {
    pub(super) files: Arc<dyn Files>,
    pub(super) names: FileNames,
    pub(super) stack: String,
    /// The file that was read last and found to be good: the same bytes need no second look.
    known: Mutex<Option<Head>>,
}

/// The names of the files of one stack.
pub(super) struct FileNames {
    pub(super) folder: PathBuf,
    pub(super) state: PathBuf,
    /// A state that is being written.
    pub(super) state_new: PathBuf,
    /// The state before the last one.
    pub(super) state_backup: PathBuf,
    pub(super) state_backup_new: PathBuf,
    pub(super) journal: PathBuf,
    /// A journal whose first line is being written.
    pub(super) journal_new: PathBuf,
    /// The journal that turned the backup into the state.
    pub(super) journal_backup: PathBuf,
    pub(super) lock: PathBuf,
}

impl FileNames {
    pub(super) fn new(folder: PathBuf, stack: &str) -> Self {
        let name = |ending: &str| folder.join(format!("{stack}.{ending}"));
        Self {
            state: name("json"),
            state_new: name("json.new"),
            state_backup: name("json.backup"),
            state_backup_new: name("json.backup.new"),
            journal: name("journal.jsonl"),
            journal_new: name("journal.jsonl.new"),
            journal_backup: name("journal.jsonl.backup"),
            lock: name("lock"),
            folder,
        }
    }
}

/// A state's file, and what has to be known of the state to replace it.
pub(super) struct StateFile {
    pub(super) head: Head,
    pub(super) bytes: Vec<u8>,
}

/// What tells states apart.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) lineage: String,
    pub(super) serial: u64,
    /// SHA-256 of the file.
    digest: [u8; 32],
}

/// What a journal is to the state beside it.
pub(super) enum JournalFound {
    /// There is none.
    Missing,
    /// The state has its records already: a run was killed right before it removed the journal.
    Folded,
    /// Its records have to be folded into the state.
    Open(Journal),
}

/// What is on the disk.
pub(super) struct Found<S = StateFile> {
    pub(super) state: Option<S>,
    pub(super) journal: JournalFound,
}

impl Disk {
    pub(super) fn new(files: Arc<dyn Files>, names: FileNames, stack: &str) -> Self {
        Self { files, names, stack: stack.to_owned(), known: Mutex::default() }
    }

    /// Looks at state and journal as they belong together.
    pub(super) fn find(&self) -> Result<Found, StateError> {
        self.find_state(|| self.look_at_state(), |file| &file.head)
    }

    fn find_state<S>(
        &self,
        read: impl FnOnce() -> Result<Option<S>, StateError>,
        head: impl Fn(&S) -> &Head,
    ) -> Result<Found<S>, StateError> {
        // The journal first: a run that ends in between has then put its records into the state
        // that is read, and the other way round they would be in neither.
        let journal = self.read_journal()?;
        let state = read()?;
        let Some(journal) = journal else {
            if state.is_none()
                && (self.has(&self.names.state_backup)? || self.has(&self.names.journal_backup)?)
            {
                return Err(self.missing_state());
            }
            return Ok(Found { state, journal: JournalFound::Missing });
        };
        let serial = match &state {
            // The first run was killed before there was a state.
            None if journal.header.serial == 0 && !self.has(&self.names.state_backup)? => 0,
            None => return Err(self.missing_state()),
            Some(state) => {
                self.check_same_lineage(head(state), &journal)?;
                head(state).serial
            }
        };
        let journal =
            if journal.header.serial < serial { JournalFound::Folded } else { JournalFound::Open(journal) };
        Ok(Found { state, journal })
    }

    /// Reads state and journal, and proves that they can be folded.
    pub(super) fn read(&self) -> Result<Stored, StateError> {
        let found = self.find_state(|| self.read_state(), |(head, _)| head)?;
        let state = found.state.map(|(_, state)| state);
        let JournalFound::Open(journal) = found.journal else {
            return Ok(Stored { state, journal: Vec::new() });
        };
        let state = state.unwrap_or_else(|| State::empty(&self.stack, &journal.header.lineage));
        let stored = Stored { state: Some(state), journal: journal.records };
        fold_stored(stored.clone()).map_err(|problem| self.broken_journal(&Defect::Damaged(problem)))?;
        Ok(stored)
    }

    fn read_state(&self) -> Result<Option<(Head, State)>, StateError> {
        self.files.read(&self.names.state)?.map(|bytes| self.decode_state(&bytes)).transpose()
    }

    /// Checks the state, and returns its file.
    pub(super) fn look_at_state(&self) -> Result<Option<StateFile>, StateError> {
        let Some(bytes) = self.files.read(&self.names.state)? else { return Ok(None) };
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let known = self.known().clone().filter(|known| known.digest == digest);
        let head = known.map_or_else(|| self.decode_state(&bytes).map(|(head, _)| head), Ok)?;
        Ok(Some(StateFile { head, bytes }))
    }

    fn decode_state(&self, bytes: &[u8]) -> Result<(Head, State), StateError> {
        let path = &self.names.state;
        let state = format::decode(bytes).and_then(|state| {
            verify(&state).map(|()| state).map_err(|problems| Defect::Damaged(problems.join("; ")))
        });
        let state =
            state.map_err(|defect| corrupt(path, defect.problem(), remedy::for_state(self, &defect)))?;
        if state.stack != self.stack {
            let problem = format!("it is the state of the stack `{}`, not of `{}`", state.stack, self.stack);
            return Err(corrupt(path, problem, remedy::for_foreign(path)));
        }
        let (lineage, serial) = (state.lineage.clone(), state.serial);
        let head = Head { lineage, serial, digest: Sha256::digest(bytes).into() };
        *self.known() = Some(head.clone());
        Ok((head, state))
    }

    fn known(&self) -> MutexGuard<'_, Option<Head>> {
        // Whoever holds it only replaces it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_journal(&self) -> Result<Option<Journal>, StateError> {
        let path = &self.names.journal;
        let Some(bytes) = self.files.read(path)? else { return Ok(None) };
        let journal = journal_file::decode(&bytes).map_err(|defect| self.broken_journal(&defect))?;
        if journal.header.stack != self.stack {
            let problem =
                format!("it is the journal of the stack `{}`, not of `{}`", journal.header.stack, self.stack);
            return Err(corrupt(path, problem, remedy::for_foreign(path)));
        }
        Ok(Some(journal))
    }

    fn has(&self, path: &Path) -> Result<bool, StateError> {
        Ok(self.files.read(path)?.is_some())
    }

    fn check_same_lineage(&self, state: &Head, journal: &Journal) -> Result<(), StateError> {
        if journal.header.lineage == state.lineage {
            return Ok(());
        }
        let problem = format!(
            "it is the journal of the lineage {}, and the state beside it has the lineage {}",
            journal.header.lineage, state.lineage
        );
        let path = &self.names.journal;
        Err(corrupt(path, problem, remedy::for_foreign(path)))
    }

    fn broken_journal(&self, defect: &Defect) -> StateError {
        corrupt(&self.names.journal, defect.problem(), remedy::for_journal(self, defect))
    }

    fn missing_state(&self) -> StateError {
        let problem = "it is missing, and other files of the stack show that there was one".to_owned();
        corrupt(&self.names.state, problem, remedy::for_missing_state(self))
    }
}

/// Returns the state with the records of a run that did not end folded in.
///
/// # Errors
/// If the records do not fit the state.
pub fn recovered(stored: Stored) -> Result<Option<State>, StateError> {
    let stack = stored.state.as_ref().map(|state| state.stack.clone()).unwrap_or_default();
    fold_stored(stored).map_err(|problem| StateError::Corrupt {
        path: format!("the journal of the stack `{stack}`").into(),
        problem,
        remedy: "Nothing was changed. Restore state and journal from a backup.".to_owned(),
    })
}

fn fold_stored(stored: Stored) -> Result<Option<State>, String> {
    if stored.journal.is_empty() {
        // It was checked when it was read.
        return Ok(stored.state);
    }
    let Some(state) = stored.state else {
        return if stored.journal.is_empty() { Ok(None) } else { Err("its state is missing".to_owned()) };
    };
    let state = fold(state, &stored.journal)?;
    verify(&state).map_err(|problems| problems.join("; "))?;
    Ok(Some(state))
}

fn corrupt(path: &Path, problem: String, remedy: String) -> StateError {
    StateError::Corrupt { path: path.to_owned(), problem, remedy }
}
