//! A disk in memory that loses what was not synced when the process dies, and that can be full
//! or broken.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use straddle_engine::state::{Files, JournalFile, LockGuard, Locking, StateError};

use crate::client::Crash;
use crate::random::Random;

/// What goes wrong with one file operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DiskFault {
    /// The process dies before the operation.
    CrashBefore,
    /// The process dies in the middle: a part of it may be on the disk.
    CrashAmid,
    /// The process dies after the operation.
    CrashAfter,
    /// The disk is full: nothing is written.
    Full,
    /// The disk is broken: a part may be written.
    Broken,
}

impl DiskFault {
    /// Every fault.
    pub const ALL: [Self; 5] =
        [Self::CrashBefore, Self::CrashAmid, Self::CrashAfter, Self::Full, Self::Broken];
}

/// A disk in memory. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct Disk {
    inner: Arc<Mutex<Inner>>,
    crash: Crash,
}

#[derive(Debug)]
struct Inner {
    random: Random,
    files: Vec<Vec<u8>>,
    /// The names as processes see them.
    names: BTreeMap<PathBuf, usize>,
    /// The names that are on the disk.
    durable: BTreeMap<PathBuf, usize>,
    /// What was done to names since the last sync, oldest first.
    renamed: Vec<Renamed>,
    locked: BTreeSet<PathBuf>,
    faults: BTreeMap<usize, DiskFault>,
    operations: usize,
}

/// A name that was given to a file; the file's former name is given up.
#[derive(Debug, Clone)]
struct Renamed {
    from: Option<PathBuf>,
    to: PathBuf,
    file: usize,
}

impl Renamed {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(from) = &self.from {
            names.remove(from);
        }
        names.insert(self.to.clone(), self.file);
    }
}

impl Disk {
    /// Makes an empty disk; `crash` is told when the process dies over a file operation.
    #[must_use]
    pub fn new(seed: u64, crash: Crash) -> Self {
        let inner = Inner {
            random: Random::new(seed),
            files: Vec::new(),
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
            renamed: Vec::new(),
            locked: BTreeSet::new(),
            faults: BTreeMap::new(),
            operations: 0,
        };
        Self { inner: Arc::new(Mutex::new(inner)), crash }
    }

    /// Lets these things go wrong with the writing operations of these numbers, counted from 0 and from now.
    pub fn begin_run(&self, faults: BTreeMap<usize, DiskFault>) {
        let mut inner = self.inner();
        inner.faults = faults;
        inner.operations = 0;
    }

    /// Returns how many writing operations there were since the run began.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.inner().operations
    }

    /// Lets the process end: its locks are free, and if it died, what was not synced may be lost.
    pub fn end_run(&self) {
        let mut inner = self.inner();
        inner.locked.clear();
        inner.faults.clear();
        if self.crash.has_happened() {
            inner.lose();
        }
    }

    /// Returns the names and contents of all files.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let inner = self.inner();
        inner.names.iter().map(|(path, file)| (path.clone(), inner.files[*file].clone())).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does one writing operation as the next fault has it. `amid` does a part of it.
    fn write_operation<T>(
        &self,
        action: &'static str,
        path: &Path,
        whole: impl FnOnce(&mut Inner) -> T,
        amid: impl FnOnce(&mut Inner),
    ) -> Result<T, StateError> {
        let failed = |source| StateError::Io { action, path: path.to_owned(), source };
        if self.crash.has_happened() {
            return Err(failed(Error::other("the process has died")));
        }
        let mut inner = self.inner();
        let fault = inner.faults.get(&inner.operations).copied();
        inner.operations += 1;
        match fault {
            None => return Ok(whole(&mut inner)),
            Some(DiskFault::Full) => return Err(failed(ErrorKind::StorageFull.into())),
            Some(DiskFault::Broken) => {
                amid(&mut inner);
                return Err(failed(Error::other("input/output error")));
            }
            Some(DiskFault::CrashBefore) => {}
            Some(DiskFault::CrashAmid) => amid(&mut inner),
            Some(DiskFault::CrashAfter) => drop(whole(&mut inner)),
        }
        self.crash.happen();
        Err(failed(Error::other("the process has died")))
    }
}

impl Inner {
    /// Loses the names that were not synced, but for some of the oldest. Contents are synced by
    /// the operations that write them.
    fn lose(&mut self) {
        let limit = self.renamed.len() as u64 + 1;
        let kept = usize::try_from(self.random.below(limit)).expect("an index fits");
        for renamed in self.renamed.drain(..).take(kept) {
            renamed.apply(&mut self.durable);
        }
        self.names = self.durable.clone();
    }

    fn give_name(&mut self, renamed: Renamed) {
        renamed.apply(&mut self.names);
        self.renamed.push(renamed);
    }

    fn new_file(&mut self, path: &Path, contents: &[u8]) -> usize {
        self.files.push(contents.to_vec());
        let file = self.files.len() - 1;
        self.give_name(Renamed { from: None, to: path.to_owned(), file });
        file
    }

    fn a_part<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let length = self.random.below(bytes.len() as u64 + 1);
        &bytes[..usize::try_from(length).expect("a length fits")]
    }
}

impl Files for Disk {
    fn may_block(&self) -> bool {
        false
    }

    fn create_folder(&self, _: &Path) -> Result<(), StateError> {
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StateError> {
        let inner = self.inner();
        Ok(inner.names.get(path).map(|file| inner.files[*file].clone()))
    }

    fn write(&self, path: &Path, contents: &[u8]) -> Result<(), StateError> {
        let whole = |inner: &mut Inner| inner.new_file(path, contents);
        let amid = |inner: &mut Inner| {
            let part = inner.a_part(contents);
            inner.new_file(path, part);
        };
        self.write_operation("write", path, whole, amid).map(|_| ())
    }

    fn create_journal(&self, path: &Path) -> Result<Box<dyn JournalFile>, StateError> {
        let whole = |inner: &mut Inner| inner.new_file(path, &[]);
        let file = self.write_operation("create", path, whole, |_| {})?;
        Ok(Box::new(OpenJournal { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn open_journal(&self, path: &Path, length: u64) -> Result<Box<dyn JournalFile>, StateError> {
        let length = usize::try_from(length).expect("a length fits");
        let cut = |inner: &mut Inner| {
            let file = *inner.names.get(path)?;
            inner.files[file].truncate(length);
            Some(file)
        };
        let file = self.write_operation("open", path, cut, |_| {})?;
        let missing =
            || StateError::Io { action: "open", path: path.to_owned(), source: ErrorKind::NotFound.into() };
        let file = file.ok_or_else(missing)?;
        Ok(Box::new(OpenJournal { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), StateError> {
        let rename = |inner: &mut Inner| {
            let file = *inner.names.get(from)?;
            inner.give_name(Renamed { from: Some(from.to_owned()), to: to.to_owned(), file });
            Some(())
        };
        let renamed = self.write_operation("rename", from, rename, |_| {})?;
        renamed.ok_or_else(|| StateError::Io {
            action: "rename",
            path: from.to_owned(),
            source: ErrorKind::NotFound.into(),
        })
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), StateError> {
        let sync = |inner: &mut Inner| {
            inner.renamed.clear();
            inner.durable = inner.names.clone();
        };
        self.write_operation("sync", folder, sync, |_| {})
    }

    fn lock(&self, path: &Path, holder: &[u8]) -> Result<Locking, StateError> {
        let mut inner = self.inner();
        if !inner.locked.insert(path.to_owned()) {
            return Ok(Locking::Busy(holder.to_vec()));
        }
        Ok(Locking::Held(Box::new(Lock { disk: self.clone(), path: path.to_owned() })))
    }
}

/// A journal on the disk.
struct OpenJournal {
    disk: Disk,
    path: PathBuf,
    file: usize,
}

impl JournalFile for OpenJournal {
    fn reserve(&mut self, _: u64) -> Result<(), StateError> {
        self.disk.write_operation("reserve space for", &self.path, |_| {}, |_| {})
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let file = self.file;
        let whole = |inner: &mut Inner| inner.files[file].extend_from_slice(bytes);
        let amid = |inner: &mut Inner| {
            let part = inner.a_part(bytes);
            inner.files[file].extend_from_slice(part);
        };
        self.disk.write_operation("append to", &self.path, whole, amid)
    }
}

/// A lock that is free once this is dropped.
struct Lock {
    disk: Disk,
    path: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.disk.inner().locked.remove(&self.path);
    }
}

impl LockGuard for Lock {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn names(disk: &Disk) -> Vec<String> {
        disk.contents().keys().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn names_are_durable_once_the_folder_is_synced() {
        let crash = Crash::default();
        let mut lost = 0;
        for seed in 0..20 {
            let disk = Disk::new(seed, crash.clone());
            disk.write(Path::new("a"), b"1").unwrap();
            disk.sync_folder(Path::new("")).unwrap();
            disk.write(Path::new("b"), b"2").unwrap();
            disk.rename(Path::new("b"), Path::new("a")).unwrap();
            assert_eq!(disk.read(Path::new("a")).unwrap().unwrap(), b"2");
            crash.happen();
            disk.end_run();
            crash.recover();
            let contents = disk.read(Path::new("a")).unwrap().unwrap();
            assert!(contents == b"1" || contents == b"2");
            lost += usize::from(contents == b"1");
        }
        assert!((1..20).contains(&lost), "{lost}");
    }

    #[test]
    fn a_crash_amid_an_append_leaves_a_part() {
        let disk = Disk::new(1, Crash::default());
        disk.begin_run(BTreeMap::from([(2, DiskFault::CrashAmid)]));
        let mut journal = disk.create_journal(Path::new("j")).unwrap();
        journal.append(b"whole").unwrap();
        journal.append(&[7; 1000]).unwrap_err();
        assert!(disk.crash.has_happened());
        journal.append(b"after the end").unwrap_err();
        let length = disk.contents()[Path::new("j")].len();
        assert!((5..1005).contains(&length), "{length}");
    }

    #[test]
    fn a_full_disk_takes_nothing_and_a_lock_dies_with_its_process() {
        let disk = Disk::new(1, Crash::default());
        disk.begin_run(BTreeMap::from([(0, DiskFault::Full)]));
        disk.write(Path::new("a"), b"1").unwrap_err();
        assert_eq!(names(&disk), Vec::<String>::new());
        let first = disk.lock(Path::new("l"), b"x").unwrap();
        assert!(matches!(disk.lock(Path::new("l"), b"y").unwrap(), Locking::Busy(_)));
        drop(first);
        let Locking::Held(_guard) = disk.lock(Path::new("l"), b"z").unwrap() else { panic!("it was free") };
        disk.end_run();
        assert!(matches!(disk.lock(Path::new("l"), b"y").unwrap(), Locking::Held(_)));
    }
}
