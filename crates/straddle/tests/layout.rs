//! The specs of this repository are laid out as `straddle fmt` does it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn our_specs_are_laid_out() {
    let files = toml_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs"));
    assert!(files.len() > 3);
    let program = env!("CARGO_BIN_EXE_straddle");
    let output = Command::new(program).args(["fmt", "--check", "--diff"]).args(files).output().unwrap();
    let difference = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "run `cargo run -- fmt` on it: {difference}");
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(toml_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    files
}
