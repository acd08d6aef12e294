//! What the tests of the whole repository share.

use std::path::{Path, PathBuf};

/// Returns the top of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
