//! The state in memory: for runs that nothing is to be left of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::provider::BoxFuture;
use crate::state::{Backend, LockGuard, LockHolder, Record, State, StateError, Stored};

/// Keeps the state of one stack for as long as it lives.
#[derive(Debug, Default)]
pub struct MemoryBackend {
    stored: Mutex<Stored>,
    /// Whoever has the lock has a clone of it.
    lock: Mutex<Arc<()>>,
}

impl MemoryBackend {
    /// Begins with what another backend has.
    #[must_use]
    pub fn holding(stored: Stored) -> Self {
        Self { stored: Mutex::new(stored), lock: Mutex::default() }
    }

    /// Returns a copy of what it has.
    #[must_use]
    pub fn stored(&self) -> Stored {
        locked(&self.stored).clone()
    }

    fn take_lock(&self) -> Result<Box<dyn LockGuard>, StateError> {
        let lock = locked(&self.lock);
        if Arc::strong_count(&lock) > 1 {
            return Err(StateError::Locked { location: self.location(), holder: "another run".to_owned() });
        }
        Ok(Box::new(Held(Arc::clone(&lock))))
    }

    fn replace_state(&self, expected: u64, state: &State) -> Result<(), StateError> {
        let mut stored = locked(&self.stored);
        let found = stored.state.as_ref().map_or(0, |state| state.serial);
        if found != expected {
            return Err(StateError::Fenced { location: self.location(), expected, found });
        }
        *stored = Stored { state: Some(state.clone()), journal: Vec::new() };
        Ok(())
    }
}

impl Backend for MemoryBackend {
    fn location(&self) -> String {
        "in memory".to_owned()
    }

    fn lock<'a>(&'a self, _: &'a LockHolder) -> BoxFuture<'a, Result<Box<dyn LockGuard>, StateError>> {
        Box::pin(std::future::ready(self.take_lock()))
    }

    fn read(&self) -> BoxFuture<'_, Result<Stored, StateError>> {
        Box::pin(std::future::ready(Ok(self.stored())))
    }

    fn append<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async move {
            let mut stored = locked(&self.stored);
            if let (None, [Record::Run(header), ..]) = (&stored.state, records) {
                stored.state = Some(State::empty(&header.stack, &header.lineage));
            }
            stored.journal.extend_from_slice(records);
            Ok(())
        })
    }

    fn replace<'a>(&'a self, expected: u64, state: &'a State) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async move { self.replace_state(expected, state) })
    }
}

/// The lock, while somebody has it.
struct Held(#[expect(dead_code, reason = "it is held, not used")] Arc<()>);

impl LockGuard for Held {}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::state::RunHeader;

    fn holder() -> LockHolder {
        let (host, since) = ("here".to_owned(), "2026-01-01T00:00:00Z".to_owned());
        LockHolder { process_id: 1, host, command: "apply".to_owned(), since }
    }

    #[tokio::test]
    async fn one_has_the_lock_until_it_is_dropped() {
        let backend = MemoryBackend::default();
        let held = backend.lock(&holder()).await.expect("nobody has it");
        assert!(matches!(backend.lock(&holder()).await, Err(StateError::Locked { .. })));
        drop(held);
        assert!(backend.lock(&holder()).await.is_ok());
    }

    #[tokio::test]
    async fn a_journal_is_kept_until_a_state_with_the_next_serial_takes_its_place() {
        let backend = MemoryBackend::default();
        let (lineage, stack) = ("ab".repeat(16), "shop".to_owned());
        let header = RunHeader { lineage, stack, serial: 0, plan: None, at: Timestamp::UNIX_EPOCH };
        backend.append(&[Record::Run(header.clone())]).await.expect("memory never fails");
        let copy = MemoryBackend::holding(backend.stored());
        let stored = copy.read().await.expect("memory never fails");
        assert_eq!(stored.journal, [Record::Run(header.clone())]);
        let next = State { serial: 1, ..State::empty(header.stack, header.lineage) };
        backend.replace(0, &next).await.expect("it is the next one");
        assert_eq!(backend.stored(), Stored { state: Some(next.clone()), journal: Vec::new() });
        assert!(matches!(backend.replace(0, &next).await, Err(StateError::Fenced { found: 1, .. })));
        assert_eq!(copy.stored(), stored, "a copy goes its own way");
    }
}
