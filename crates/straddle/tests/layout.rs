//! The specs of this repository are laid out as `straddle fmt` does it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn our_specs_are_laid_out() {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs");
    let folders: Vec<PathBuf> =
        std::fs::read_dir(specs).unwrap().map(|entry| entry.unwrap().path()).collect();
    let folders: Vec<_> = folders.into_iter().filter(|path| path.join("stack.toml").exists()).collect();
    assert!(!folders.is_empty());
    let program = env!("CARGO_BIN_EXE_straddle");
    let output = Command::new(program).args(["fmt", "--check", "--diff"]).args(folders).output().unwrap();
    let difference = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "run `cargo run -- fmt` on it: {difference}");
}
