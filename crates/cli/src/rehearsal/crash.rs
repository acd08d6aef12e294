//! A state whose program dies at a write.

use std::sync::atomic::{AtomicU64, Ordering};

use straddle_engine::provider::BoxFuture;
use straddle_engine::state::{
    Backend, LockGuard, LockHolder, MemoryBackend, Record, State, StateError, Stored,
};
use tokio::sync::Notify;

/// On which side of a write the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// It is not written any more: what was done since the write before is not known.
    Before,
    /// It is written, and nothing after it is done.
    After,
}

/// A death at a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crash {
    /// Counts the writes of a run from 1 on.
    pub(crate) write: u64,
    pub(crate) side: Side,
}

/// A state in memory that counts its writes, and lets the program die at one of them.
pub(super) struct Mortal<'a> {
    inner: &'a MemoryBackend,
    writes: AtomicU64,
    crash: Option<Crash>,
    died: Notify,
}

impl<'a> Mortal<'a> {
    pub(super) fn new(inner: &'a MemoryBackend, crash: Option<Crash>) -> Self {
        Self { inner, writes: AtomicU64::new(0), crash, died: Notify::new() }
    }

    /// Returns how many writes there were.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Returns when the program has died: its run must be dropped then.
    pub(super) async fn died(&self) {
        self.died.notified().await;
    }

    /// Writes, or dies on this or that side of it.
    async fn write(&self, write: BoxFuture<'_, Result<(), StateError>>) -> Result<(), StateError> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        let crash = self.crash.filter(|crash| crash.write == number);
        if crash.is_none_or(|crash| crash.side == Side::After) {
            write.await?;
        }
        if crash.is_some() {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

impl Backend for Mortal<'_> {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn lock<'a>(&'a self, holder: &'a LockHolder) -> BoxFuture<'a, Result<Box<dyn LockGuard>, StateError>> {
        self.inner.lock(holder)
    }

    fn read(&self) -> BoxFuture<'_, Result<Stored, StateError>> {
        self.inner.read()
    }

    fn append<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(self.write(self.inner.append(records)))
    }

    fn replace<'a>(&'a self, expected: u64, state: &'a State) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(self.write(self.inner.replace(expected, state)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(serial: u64) -> State {
        State { serial, ..State::empty("shop", "ab".repeat(16)) }
    }

    async fn dies(crash: Crash) -> u64 {
        let inner = MemoryBackend::default();
        let mortal = Mortal::new(&inner, Some(crash));
        mortal.replace(0, &state(1)).await.unwrap();
        let second = state(2);
        tokio::select! {
            biased;
            _ = mortal.replace(1, &second) => panic!("who is dead writes nothing and says nothing"),
            () = mortal.died() => {}
        }
        assert_eq!(mortal.writes(), 2);
        inner.stored().state.unwrap().serial
    }

    #[tokio::test]
    async fn a_program_dies_on_this_or_that_side_of_a_write() {
        assert_eq!(dies(Crash { write: 2, side: Side::Before }).await, 1);
        assert_eq!(dies(Crash { write: 2, side: Side::After }).await, 2);
    }

    #[tokio::test]
    async fn without_a_crash_everything_is_written() {
        let inner = MemoryBackend::default();
        let mortal = Mortal::new(&inner, None);
        mortal.replace(0, &state(1)).await.unwrap();
        assert_eq!((mortal.writes(), inner.stored().state.unwrap().serial), (1, 1));
    }
}
