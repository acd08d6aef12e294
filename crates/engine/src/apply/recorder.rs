//! The one writer of a run: every record is durable before the run goes on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::state::{Backend, Fold, Record, State, StateError};

/// Writes the journal, and follows it.
pub(crate) struct Recorder<'a> {
    backend: &'a dyn Backend,
    fold: Mutex<Fold>,
}

impl<'a> Recorder<'a> {
    /// Starts from the state that the run starts from.
    pub(crate) fn new(backend: &'a dyn Backend, state: State) -> Self {
        Self { backend, fold: Mutex::new(Fold::new(state)) }
    }

    /// Makes records durable and applies them to the state.
    ///
    /// # Errors
    /// If they could not be made durable; then nothing more must be started.
    ///
    /// # Panics
    /// If the engine records something that does not fit what it recorded before.
    pub(crate) async fn append(&self, records: &[Record]) -> Result<(), StateError> {
        self.backend.append(records).await?;
        let mut fold = self.fold();
        for record in records {
            fold.record(record).expect("the engine records what fits");
        }
        Ok(())
    }

    /// Looks at the state as of the last record.
    pub(crate) fn with_state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(self.fold().state())
    }

    /// Returns the state as of the last record.
    pub(crate) fn into_state(self) -> State {
        self.fold.into_inner().unwrap_or_else(PoisonError::into_inner).into_state()
    }

    fn fold(&self) -> MutexGuard<'_, Fold> {
        self.fold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
