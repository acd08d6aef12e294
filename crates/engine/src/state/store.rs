//! The state in local files: `NAME.json`, its journal and its lock in one folder.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::provider::BoxFuture;
use crate::state::disk::{Disk, FileNames};
use crate::state::writer::{Writer, location};
use crate::state::{
    Backend, Files, LockGuard, LockHolder, Locking, Record, State, StateError, Stored, SystemFiles,
};

/// Keeps the state of one stack in a folder.
///
/// A process that is killed at any moment leaves files that are read as the state right before
/// or right after what it was doing. The lock is the system's own and dies with its process.
pub struct LocalBackend {
    disk: Arc<Disk>,
    /// Appends that wait for the writer; whoever gets it next writes them all at once.
    queue: Mutex<Queue>,
    writer: Arc<tokio::sync::Mutex<Writer>>,
    /// The lock, if this backend has it. Work under way keeps it until it is done.
    lock: Mutex<Option<Weak<dyn LockGuard>>>,
}

impl LocalBackend {
    /// Keeps the state of `stack` in `folder`, which is made when it is first needed. The name
    /// of the stack becomes a part of the files' names.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, stack: &str) -> Self {
        Self::with_files(Arc::new(SystemFiles), folder, stack)
    }

    /// As [`LocalBackend::new`], on another file system.
    #[must_use]
    pub fn with_files(files: Arc<dyn Files>, folder: impl Into<PathBuf>, stack: &str) -> Self {
        Self::of_files(files, FileNames::new(folder.into(), stack), stack)
    }

    /// As [`LocalBackend::new`] for one of several environments of a stack: `name` takes the
    /// place of the stack's in the files' names.
    #[must_use]
    pub fn named(folder: impl Into<PathBuf>, stack: &str, name: &str) -> Self {
        Self::of_files(Arc::new(SystemFiles), FileNames::new(folder.into(), name), stack)
    }

    fn of_files(files: Arc<dyn Files>, names: FileNames, stack: &str) -> Self {
        let disk = Arc::new(Disk::new(files, names, stack));
        Self {
            writer: Arc::new(tokio::sync::Mutex::new(Writer::new(disk.clone()))),
            disk,
            queue: Mutex::default(),
            lock: Mutex::default(),
        }
    }

    /// Does work with files where it may block, to the end even if the caller is gone.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        let disk = self.disk.clone();
        if !disk.files.may_block() {
            return work(&disk);
        }
        tokio::task::spawn_blocking(move || work(&disk)).await.unwrap_or_else(|error| {
            let path = self.disk.names.folder.clone();
            Err(StateError::Io { action: "work in", path, source: std::io::Error::other(error) })
        })
    }

    /// Returns the lock, which is then kept until the result is dropped.
    fn held_lock(&self) -> Result<Arc<dyn LockGuard>, StateError> {
        let held = locked(&self.lock).as_ref().and_then(Weak::upgrade);
        held.ok_or_else(|| StateError::Refused {
            location: self.location(),
            problem: "this run has not locked it".to_owned(),
        })
    }

    async fn take_lock(&self, holder: &LockHolder) -> Result<Box<dyn LockGuard>, StateError> {
        let holder = serde_json::to_vec(holder).expect("a lock holder is made of text and numbers");
        let locking = self.run(move |disk| {
            disk.files.create_folder(&disk.names.folder)?;
            disk.files.lock(&disk.names.lock, &holder)
        });
        match locking.await? {
            Locking::Held(guard) => {
                let guard: Arc<dyn LockGuard> = Arc::from(guard);
                self.writer.lock().await.start_over();
                *locked(&self.lock) = Some(Arc::downgrade(&guard));
                Ok(Box::new(SharedLock(guard)))
            }
            Locking::Busy(holder) => {
                let holder = serde_json::from_slice::<LockHolder>(&holder);
                let holder = holder.map_or_else(|_| "another run".to_owned(), |holder| holder.to_string());
                Err(StateError::Locked { location: self.location(), holder })
            }
        }
    }

    async fn append_records(&self, records: &[Record]) -> Result<(), StateError> {
        let lock = self.held_lock()?;
        let place = Place::take(&self.queue, records);
        let mut writer = self.writer.clone().lock_owned().await;
        if writer.is_appended(place.ticket) {
            return Ok(());
        }
        let (ticket, records) = locked(&self.queue).drain();
        let work = move || {
            let _lock = lock;
            writer.append(ticket, &records)
        };
        self.run(move |_| work()).await
    }

    async fn replace_state(&self, expected: u64, state: &State) -> Result<(), StateError> {
        let lock = self.held_lock()?;
        let mut writer = self.writer.clone().lock_owned().await;
        let state = state.clone();
        let work = move || {
            let _lock = lock;
            writer.replace(expected, &state)
        };
        self.run(move |_| work()).await
    }
}

impl Backend for LocalBackend {
    fn location(&self) -> String {
        location(&self.disk.names.state)
    }

    fn lock<'a>(&'a self, holder: &'a LockHolder) -> BoxFuture<'a, Result<Box<dyn LockGuard>, StateError>> {
        Box::pin(self.take_lock(holder))
    }

    fn read(&self) -> BoxFuture<'_, Result<Stored, StateError>> {
        Box::pin(self.run(Disk::read))
    }

    fn append<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(self.append_records(records))
    }

    fn replace<'a>(&'a self, expected: u64, state: &'a State) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(self.replace_state(expected, state))
    }
}

/// The lock, shared between the run and its work under way.
struct SharedLock(#[expect(dead_code, reason = "it is held, not used")] Arc<dyn LockGuard>);

impl LockGuard for SharedLock {}

/// Records that wait to be appended, in the order in which they came.
#[derive(Default)]
struct Queue {
    last_ticket: u64,
    waiting: Vec<(u64, Vec<Record>)>,
}

impl Queue {
    /// Takes everything out; also returns the last ticket that was handed out.
    fn drain(&mut self) -> (u64, Vec<Record>) {
        (self.last_ticket, self.waiting.drain(..).flat_map(|(_, records)| records).collect())
    }
}

/// A place in the queue. Dropped before its turn, its records are not written.
struct Place<'a> {
    queue: &'a Mutex<Queue>,
    ticket: u64,
}

impl<'a> Place<'a> {
    fn take(queue: &'a Mutex<Queue>, records: &[Record]) -> Self {
        let mut waiting = locked(queue);
        waiting.last_ticket += 1;
        let ticket = waiting.last_ticket;
        waiting.waiting.push((ticket, records.to_vec()));
        Self { queue, ticket }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        locked(self.queue).waiting.retain(|(ticket, _)| *ticket != self.ticket);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds these mutexes can leave them half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::value::Value;

    #[test]
    fn who_leaves_the_queue_is_not_written() {
        let record = |number| {
            let outputs = [("number".to_owned(), Value::Integer(number))].into();
            Record::Outputs { outputs, sensitive: BTreeSet::new() }
        };
        let queue = Mutex::default();
        let places = [1, 2, 3].map(|number| Place::take(&queue, &[record(number)]));
        let [first, second, third] = places;
        drop(second);
        assert_eq!(locked(&queue).drain(), (3, vec![record(1), record(3)]));
        drop((first, third));
        assert_eq!(locked(&queue).drain(), (3, Vec::new()));
    }
}
