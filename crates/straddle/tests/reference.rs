//! The reference in `specs/reference` is what the program itself says.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_reference_is_up_to_date() {
    let made = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_straddle");
    let status = Command::new(program).arg("reference").arg("--dir").arg(made.path()).status().unwrap();
    assert!(status.success());
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/reference");
    assert!(
        files(made.path()) == files(&committed),
        "specs/reference is out of date; run `cargo run -- reference --dir specs/reference`"
    );
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(file).collect()
}
