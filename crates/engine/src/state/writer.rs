//! Everything that writes the files of a stack, one step at a time.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::state::disk::{Disk, Found, Head, JournalFound, StateFile};
use crate::state::journal_file::End;
use crate::state::{JournalFile, Record, State, StateError, format, verify};

/// How much space is set aside for the journal at a time. A record takes some hundred bytes to
/// some thousand.
const RESERVED: u64 = 1 << 20;

/// Writes journal and state. After the first failure it refuses everything: nobody knows then
/// what is on the disk, and a later sync would report success for data that is lost.
pub(super) struct Writer {
    disk: Arc<Disk>,
    journal: Option<OpenJournal>,
    /// The last ticket of the queue whose records are durable.
    appended: u64,
    failure: Option<String>,
}

struct OpenJournal {
    file: Box<dyn JournalFile>,
    end: End,
    reserved: u64,
}

impl OpenJournal {
    fn new(file: Box<dyn JournalFile>, end: End) -> Self {
        Self { file, end, reserved: 0 }
    }

    /// Appends lines; `end` is where the journal ends with them.
    fn append(&mut self, lines: &str, end: End) -> Result<(), StateError> {
        if end.length > self.reserved {
            self.file.reserve(lines.len() as u64 + RESERVED)?;
            self.reserved = end.length + RESERVED;
        }
        self.file.append(lines.as_bytes())?;
        self.end = end;
        Ok(())
    }
}

/// What a new state takes the place of.
struct Replaced {
    state: Option<StateFile>,
    has_journal: bool,
}

impl Writer {
    pub(super) fn new(disk: Arc<Disk>) -> Self {
        Self { disk, journal: None, appended: 0, failure: None }
    }

    /// Forgets what is open, since another run may have had the files since.
    pub(super) fn start_over(&mut self) {
        self.journal = None;
    }

    /// Tells whether the records with this ticket are durable.
    pub(super) fn is_appended(&self, ticket: u64) -> bool {
        ticket <= self.appended
    }

    /// Appends the records of the queue up to a ticket; when this returns they are durable, and
    /// after a crash before that they are there all or none.
    pub(super) fn append(&mut self, ticket: u64, records: &[Record]) -> Result<(), StateError> {
        self.check_sound()?;
        self.append_or_fail(records).inspect_err(|error| self.failure = Some(error.to_string()))?;
        self.appended = ticket;
        Ok(())
    }

    /// Replaces the state and puts the journal out of the way.
    pub(super) fn replace(&mut self, expected: u64, state: &State) -> Result<(), StateError> {
        self.check_sound()?;
        let replaced = self.replace_or_fail(expected, state);
        if let Err(error @ StateError::Io { .. }) = &replaced {
            self.failure = Some(error.to_string());
        }
        replaced
    }

    fn check_sound(&self) -> Result<(), StateError> {
        let Some(failure) = &self.failure else { return Ok(()) };
        let source = io::Error::other(format!("an earlier write failed: {failure}"));
        Err(StateError::Io { action: "write", path: self.disk.names.folder.clone(), source })
    }

    fn append_or_fail(&mut self, records: &[Record]) -> Result<(), StateError> {
        let journal = match &mut self.journal {
            Some(journal) => journal,
            None => match self.open_journal(records)? {
                Some(journal) => self.journal.insert(journal),
                None => return Ok(()),
            },
        };
        let mut end = journal.end;
        let line = end.append(records).map_err(|error| refused(&self.disk, error.to_string()))?;
        journal.append(&line, end)
    }

    /// Opens the journal that is there. If there is none, makes one that has the records
    /// already, and returns nothing.
    fn open_journal(&mut self, records: &[Record]) -> Result<Option<OpenJournal>, StateError> {
        let found = self.disk.find()?;
        let Disk { files, names, .. } = &*self.disk;
        match found.journal {
            JournalFound::Open(journal) => {
                let file = files.open_journal(&names.journal, journal.end.length)?;
                return Ok(Some(OpenJournal::new(file, journal.end)));
            }
            JournalFound::Folded => files.rename(&names.journal, &names.journal_backup)?,
            JournalFound::Missing => {}
        }
        self.check_header(records, found.state.as_ref().map(|file| &file.head))?;
        self.journal = Some(self.create_journal(records)?);
        Ok(None)
    }

    fn check_header(&self, records: &[Record], state: Option<&Head>) -> Result<(), StateError> {
        let Some(Record::Run(header)) = records.first() else {
            return Err(refused(&self.disk, "a journal begins with the record of its run".to_owned()));
        };
        let serial = state.map_or(0, |state| state.serial);
        if header.serial != serial
            || header.stack != self.disk.stack
            || state.is_some_and(|state| state.lineage != header.lineage)
        {
            let problem = format!("the run starts from serial {}, the state has {serial}", header.serial);
            return Err(refused(&self.disk, problem));
        }
        Ok(())
    }

    /// Makes a journal that has its first records from the moment it has its name.
    fn create_journal(&self, records: &[Record]) -> Result<OpenJournal, StateError> {
        let Disk { files, names, .. } = &*self.disk;
        let mut end = End::default();
        let lines = end.begin(records).map_err(|error| refused(&self.disk, error.to_string()))?;
        let file = files.create_journal(&names.journal_new)?;
        let mut journal = OpenJournal::new(file, End::default());
        journal.append(&lines, end)?;
        files.rename(&names.journal_new, &names.journal)?;
        files.sync_folder(&names.folder)?;
        Ok(journal)
    }

    fn replace_or_fail(&mut self, expected: u64, state: &State) -> Result<(), StateError> {
        verify(state).map_err(|problems| refused(&self.disk, problems.join("; ")))?;
        let bytes = format::encode(state).map_err(|error| refused(&self.disk, error.to_string()))?;
        let found = self.find_to_replace()?;
        self.check_fence(expected, state, found.state.as_ref().map(|file| &file.head))?;
        let Disk { files, names, .. } = &*self.disk;
        files.write(&names.state_new, &bytes)?;
        if let Some(before) = &found.state {
            files.write(&names.state_backup_new, &before.bytes)?;
            files.rename(&names.state_backup_new, &names.state_backup)?;
        }
        files.rename(&names.state_new, &names.state)?;
        files.sync_folder(&names.folder)?;
        // From here on the new state is there, and a journal that is left is known to be folded.
        self.journal = None;
        if found.has_journal {
            files.rename(&names.journal, &names.journal_backup)?;
            files.sync_folder(&names.folder)?;
        }
        Ok(())
    }

    /// Looks at what a new state takes the place of. A journal that this run has written needs no
    /// second look: it has been growing since it was read.
    fn find_to_replace(&self) -> Result<Replaced, StateError> {
        if self.journal.is_some() {
            return Ok(Replaced { state: self.disk.look_at_state()?, has_journal: true });
        }
        let Found { state, journal } = self.disk.find()?;
        Ok(Replaced { state, has_journal: !matches!(journal, JournalFound::Missing) })
    }

    fn check_fence(&self, expected: u64, new: &State, now: Option<&Head>) -> Result<(), StateError> {
        let found = now.map_or(0, |state| state.serial);
        if found != expected {
            return Err(StateError::Fenced { location: location(&self.disk.names.state), expected, found });
        }
        if new.serial <= expected {
            return Err(refused(
                &self.disk,
                format!("serial {} is to replace serial {expected}", new.serial),
            ));
        }
        if new.stack != self.disk.stack {
            return Err(refused(&self.disk, format!("it is that of the stack `{}`", new.stack)));
        }
        if let Some(now) = now
            && now.lineage != new.lineage
        {
            let lineages = format!("lineage {} is to replace lineage {}", new.lineage, now.lineage);
            return Err(refused(&self.disk, lineages));
        }
        Ok(())
    }
}

fn refused(disk: &Disk, problem: String) -> StateError {
    StateError::Refused { location: location(&disk.names.state), problem }
}

/// Shows a path as a backend's location.
pub(super) fn location(path: &Path) -> String {
    path.display().to_string()
}
