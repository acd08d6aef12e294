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

/// What an example need not say, as `Resource::EXAMPLE` tells it.
const ACCOUNTS: &str = r#"
[stack]
name = "example"

[account.network]
id     = "111122223333"
region = "us-east-1"

[account.apps]
id     = "444455556666"
region = "us-east-1"
"#;

#[test]
fn every_example_is_a_spec() {
    let registry = straddle_kubernetes::with_kinds(straddle_aws::registry());
    for schema in registry.schemas() {
        let folder = tempfile::tempdir().unwrap();
        let example = format!("[defaults]\naccount = \"network\"\n\n{}", schema.example);
        fs::write(folder.path().join("stack.toml"), ACCOUNTS).unwrap();
        fs::write(folder.path().join("example.toml"), example).unwrap();
        write_chart(folder.path());
        let mut program = Command::new(env!("CARGO_BIN_EXE_straddle"));
        let answer = program.arg("validate").arg(folder.path()).output().unwrap();
        assert!(answer.status.success(), "{}: {}", schema.kind, String::from_utf8_lossy(&answer.stderr));
        // The header of a lookup does not say what is looked up.
        let word = schema.kind.as_str().split('.').next().unwrap_or_default();
        let header = format!("[{word}.");
        assert!(schema.example.contains(&header), "{} has no example", schema.kind);
    }
}

/// Writes the chart that an example installs.
fn write_chart(spec: &Path) {
    let chart = spec.join("charts/web");
    fs::create_dir_all(chart.join("templates")).unwrap();
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n").unwrap();
    let template = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Release.Name }}}\n";
    fs::write(chart.join("templates/deployment.yaml"), template).unwrap();
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(file).collect()
}
