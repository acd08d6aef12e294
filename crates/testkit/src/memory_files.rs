//! A disk in memory that crashes, is full or is broken at a chosen operation, and then has lost
//! what was not synced, or a part of it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use straddle_engine::state::{Files, JournalFile, LockGuard, Locking, StateError};

use crate::client::Crash;

/// A disk in memory. Clones are the same disk, [`MemoryFiles::copy`] is another one.
///
/// Writing and syncing are operations of their own, so that a fault can come between them.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    disk: Arc<Mutex<Disk>>,
}

/// What goes wrong at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// The machine stops; nothing works until [`MemoryFiles::restart`].
    Crash,
    /// The disk is full: half of a write is done.
    Full,
    /// The disk is broken: what was to be synced never will be.
    Broken,
}

impl Fault {
    /// Every possibility.
    pub const ALL: [Self; 3] = [Self::Crash, Self::Full, Self::Broken];
}

/// What a crash leaves of the changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// Nothing.
    Nothing,
    /// The first half; of a file's contents the bytes, of a folder's the names.
    FirstHalf,
    /// The second half, since a disk writes in the order that suits it. In the place of the
    /// first half of a file's bytes there are zeros.
    SecondHalf,
    /// Everything.
    Everything,
}

impl Remains {
    /// Every possibility.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::FirstHalf, Self::SecondHalf, Self::Everything];
}

#[derive(Debug, Clone, Default)]
struct Disk {
    contents: Vec<Contents>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    unsynced_names: Vec<NameChange>,
    locks: BTreeMap<PathBuf, Vec<u8>>,
    starts: u64,
    operations: u64,
    fault: Option<(u64, Fault)>,
    crashed: bool,
    /// Is told of crashes.
    told: Option<Crash>,
}

#[derive(Debug, Clone, Default)]
struct Contents {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    broken: bool,
}

#[derive(Debug, Clone)]
struct NameChange {
    removed: Option<PathBuf>,
    added: Option<(PathBuf, usize)>,
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(path) = &self.removed {
            names.remove(path);
        }
        if let Some((path, contents)) = &self.added {
            names.insert(path.clone(), *contents);
        }
    }
}

impl MemoryFiles {
    /// Makes an empty disk of a machine whose processes die with it.
    #[must_use]
    pub fn of_machine(crash: Crash) -> Self {
        let files = Self::default();
        files.disk().told = Some(crash);
        files
    }

    /// Lets nothing go wrong any more.
    pub fn repair(&self) {
        self.disk().fault = None;
    }

    /// Returns the names and contents of all files.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let disk = self.disk();
        disk.names.iter().map(|(path, index)| (path.clone(), disk.contents[*index].bytes.clone())).collect()
    }

    /// Lets something go wrong at an operation, counted from 0 since the disk was new.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.disk().fault = Some((operation, fault));
    }

    /// Returns how many operations there have been.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// Stops the machine, if it has not crashed yet, and starts it again.
    pub fn restart(&self, contents: Remains, names: Remains) {
        self.disk().restart(contents, names);
    }

    /// Returns a second disk that is in the same condition.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { disk: Arc::new(Mutex::new(self.disk().clone())) }
    }

    /// Puts bytes into a file, synced.
    pub fn put(&self, path: impl Into<PathBuf>, bytes: &[u8]) {
        let mut disk = self.disk();
        let contents = Contents { bytes: bytes.to_vec(), synced: bytes.to_vec(), broken: false };
        disk.contents.push(contents);
        let (path, index) = (path.into(), disk.contents.len() - 1);
        disk.names.insert(path.clone(), index);
        disk.synced_names.insert(path, index);
    }

    /// Removes a file, synced; returns what was in it, if it was there.
    #[must_use]
    pub fn take(&self, path: &Path) -> Option<Vec<u8>> {
        let mut disk = self.disk();
        disk.synced_names.remove(path);
        let index = disk.names.remove(path)?;
        Some(disk.contents[index].bytes.clone())
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// Counts an operation; `failing` is what it leaves behind if it is the one that fails.
    fn operation(&mut self, failing: impl FnOnce(&mut Self, Fault)) -> io::Result<()> {
        if self.crashed {
            return Err(io::Error::other("the machine has crashed"));
        }
        let operation = self.operations;
        self.operations += 1;
        let Some((_, fault)) = self.fault.filter(|(at, _)| *at == operation) else { return Ok(()) };
        failing(self, fault);
        match fault {
            Fault::Crash => {
                self.crashed = true;
                if let Some(crash) = &self.told {
                    crash.happen();
                }
                Err(io::Error::other("the machine has crashed"))
            }
            Fault::Full => Err(io::ErrorKind::StorageFull.into()),
            Fault::Broken => Err(io::Error::other("input/output error")),
        }
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&mut self, path: &Path) -> io::Result<usize> {
        self.operation(|_, _| {})?;
        self.contents.push(Contents::default());
        let added = Some((path.to_owned(), self.contents.len() - 1));
        self.change_names(NameChange { removed: None, added });
        Ok(self.contents.len() - 1)
    }

    fn append(&mut self, index: usize, bytes: &[u8]) -> io::Result<()> {
        self.operation(|disk, fault| {
            let written = if fault == Fault::Crash { bytes } else { &bytes[..bytes.len() / 2] };
            disk.contents[index].bytes.extend(written);
        })?;
        self.contents[index].bytes.extend(bytes);
        self.operation(|disk, _| disk.contents[index].broken = true)?;
        let contents = &mut self.contents[index];
        // As on Linux: once a sync has failed, the next one says that all is well.
        if !contents.broken {
            contents.synced.clone_from(&contents.bytes);
        }
        Ok(())
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }

    fn restart(&mut self, contents: Remains, names: Remains) {
        for file in &mut self.contents {
            let bytes = remaining_bytes(file, contents);
            *file = Contents { bytes: bytes.clone(), synced: bytes, broken: false };
        }
        let changes = std::mem::take(&mut self.unsynced_names);
        let half = changes.len().div_ceil(2);
        let remaining = match names {
            Remains::Nothing => &[],
            Remains::FirstHalf => &changes[..half],
            Remains::SecondHalf => &changes[half..],
            Remains::Everything => &changes[..],
        };
        for change in remaining {
            change.apply(&mut self.synced_names);
        }
        self.names.clone_from(&self.synced_names);
        self.locks.clear();
        self.starts += 1;
        self.fault = None;
        self.crashed = false;
    }
}

fn remaining_bytes(file: &Contents, remains: Remains) -> Vec<u8> {
    let Contents { bytes, synced, .. } = file;
    if !bytes.starts_with(synced) {
        // Cut short, and perhaps appended to since.
        return if remains == Remains::Nothing { synced.clone() } else { bytes.clone() };
    }
    let half = synced.len() + (bytes.len() - synced.len()) / 2;
    match remains {
        Remains::Nothing => synced.clone(),
        Remains::FirstHalf => bytes[..half].to_vec(),
        Remains::SecondHalf => {
            let mut remaining = bytes.clone();
            remaining[synced.len()..half].fill(0);
            remaining
        }
        Remains::Everything => bytes.clone(),
    }
}

impl Files for MemoryFiles {
    fn may_block(&self) -> bool {
        false
    }

    fn create_folder(&self, folder: &Path) -> Result<(), StateError> {
        self.disk().operation(|_, _| {}).map_err(failed("create", folder))
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StateError> {
        let mut disk = self.disk();
        disk.operation(|_, _| {}).map_err(failed("read", path))?;
        Ok(disk.find(path).ok().map(|index| disk.contents[index].bytes.clone()))
    }

    fn write(&self, path: &Path, contents: &[u8]) -> Result<(), StateError> {
        let mut disk = self.disk();
        let index = disk.create(path).map_err(failed("create", path))?;
        disk.append(index, contents).map_err(failed("write", path))
    }

    fn create_journal(&self, path: &Path) -> Result<Box<dyn JournalFile>, StateError> {
        let index = self.disk().create(path).map_err(failed("create", path))?;
        Ok(self.journal(path, index))
    }

    fn open_journal(&self, path: &Path, length: u64) -> Result<Box<dyn JournalFile>, StateError> {
        let mut disk = self.disk();
        let index = disk.find(path).map_err(failed("open", path))?;
        let length = usize::try_from(length).expect("a length in memory fits");
        disk.operation(|_, _| {}).map_err(failed("truncate", path))?;
        disk.contents[index].bytes.truncate(length);
        disk.append(index, &[]).map_err(failed("sync", path))?;
        drop(disk);
        Ok(self.journal(path, index))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), StateError> {
        let mut disk = self.disk();
        let index = disk.find(from).map_err(failed("replace", to))?;
        let change = NameChange { removed: Some(from.to_owned()), added: Some((to.to_owned(), index)) };
        let crashing = change.clone();
        let failing = |disk: &mut Disk, fault| {
            if fault == Fault::Crash {
                disk.change_names(crashing);
            }
        };
        disk.operation(failing).map_err(failed("replace", to))?;
        disk.change_names(change);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), StateError> {
        let mut disk = self.disk();
        disk.operation(|_, _| {}).map_err(failed("sync", folder))?;
        disk.unsynced_names.clear();
        disk.synced_names = disk.names.clone();
        Ok(())
    }

    fn lock(&self, path: &Path, holder: &[u8]) -> Result<Locking, StateError> {
        let mut disk = self.disk();
        disk.operation(|_, _| {}).map_err(failed("lock", path))?;
        if let Some(holder) = disk.locks.get(path) {
            return Ok(Locking::Busy(holder.clone()));
        }
        disk.locks.insert(path.to_owned(), holder.to_vec());
        Ok(Locking::Held(Box::new(MemoryLock {
            files: self.clone(),
            path: path.to_owned(),
            start: disk.starts,
        })))
    }
}

impl MemoryFiles {
    fn journal(&self, path: &Path, index: usize) -> Box<dyn JournalFile> {
        Box::new(MemoryJournal { files: self.clone(), path: path.to_owned(), index })
    }
}

struct MemoryJournal {
    files: MemoryFiles,
    path: PathBuf,
    index: usize,
}

impl JournalFile for MemoryJournal {
    fn reserve(&mut self, _bytes: u64) -> Result<(), StateError> {
        self.files.disk().operation(|_, _| {}).map_err(failed("reserve space for", &self.path))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        self.files.disk().append(self.index, bytes).map_err(failed("write", &self.path))
    }
}

struct MemoryLock {
    files: MemoryFiles,
    path: PathBuf,
    start: u64,
}

impl LockGuard for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut disk = self.files.disk();
        if disk.starts == self.start {
            disk.locks.remove(&self.path);
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    move |source| StateError::Io { action, path: path.to_owned(), source }
}
