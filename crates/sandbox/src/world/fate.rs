//! What a fault has in store for a thing that is about to be made.

use serde::{Deserialize, Serialize};

use super::World;

/// Why a thing fails that was made: it gets into a state that says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// Such as `InternalError`.
    pub(crate) code: String,
    pub(crate) message: String,
}

impl World {
    /// Lets what the next call makes fail, or, with `None`, live. The call itself succeeds.
    pub(crate) fn doom(&mut self, failure: Option<Failure>) {
        self.fate = failure;
    }

    /// Takes the failure of the thing that is being made, if a fault has one in store for it.
    pub(crate) fn fate(&mut self) -> Option<Failure> {
        self.fate.take()
    }
}
