//! The pictures beside the specs of the repository are what the program itself draws.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The specs, and what each needs to be loaded.
const SPECS: &[(&str, &[&str])] = &[
    ("cross-account-alb", &["--sandbox"]),
    ("pod-identity", &["--sandbox"]),
    ("shared-network", &["--sandbox"]),
    ("target-group-binding", &["--sandbox"]),
    ("two-networks", &["--var", "account_id=111122223333"]),
];

#[test]
fn the_pictures_are_up_to_date() {
    for (name, values) in SPECS {
        let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs").join(name);
        let mut program = Command::new(env!("CARGO_BIN_EXE_straddle"));
        let state = tempfile::tempdir().unwrap();
        program.args(["graph", "--architecture"]).arg(&spec).args(*values);
        let answer = program.arg("--state-dir").arg(state.path()).output().unwrap();
        assert!(answer.status.success(), "{name}: {}", String::from_utf8_lossy(&answer.stderr));
        let drawn = String::from_utf8(answer.stdout).unwrap();
        let path = spec.join("architecture.svg");
        let committed = fs::read_to_string(&path).unwrap_or_default();
        let values = values.join(" ");
        assert!(
            drawn == committed,
            "{} is out of date; run `cargo run -- graph --architecture specs/{name} {values} -o \
             specs/{name}/architecture.svg` and look at it",
            path.display()
        );
    }
}

/// Whatever a kind tells of how it is drawn are attributes that it has.
#[test]
fn depictions_name_attributes_that_exist() {
    let registry = straddle_kubernetes::with_kinds(straddle_aws::registry());
    for kind in registry.kinds() {
        let schema = kind.schema();
        for attribute in kind.depiction().attributes() {
            assert!(schema.input(attribute).is_some(), "{} has no {attribute}", schema.kind);
        }
        for arrow in kind.depiction().arrows {
            for other in arrow.kinds {
                assert!(registry.kind(other).is_some(), "{} names {other}", schema.kind);
            }
        }
    }
}
