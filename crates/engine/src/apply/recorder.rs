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

    /// Applies records to the state and makes them durable. What does not fit never gets to the disk.
    ///
    /// # Errors
    /// If they do not fit or could not be made durable; then nothing more must be started.
    pub(crate) async fn append(&self, records: &[Record]) -> Result<(), StateError> {
        {
            let mut fold = self.fold();
            for record in records {
                let misfit = |problem| StateError::Refused { location: self.backend.location(), problem };
                fold.record(record).map_err(misfit)?;
            }
        }
        self.backend.append(records).await
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
