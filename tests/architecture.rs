//! What the layout promises: who may know whom, how long a file may be, that links lead somewhere.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use straddle_tests::repository;

/// The most lines that a source file may have.
const LINES: usize = 500;

/// Returns the direct dependencies of each crate of ours, those for tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let of = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let built = dependencies.filter(|dependency| dependency["kind"].is_null());
        built.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| (package["name"].as_str().unwrap().to_owned(), of(package))).collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("straddle", &["straddle-aws", "straddle-cli", "straddle-kubernetes"][..]),
        ("straddle-aws", &["straddle-engine", "straddle-web"]),
        ("straddle-cli", &["straddle-engine", "straddle-sandbox"]),
        ("straddle-derive", &[]),
        ("straddle-engine", &["straddle-derive"]),
        ("straddle-kubernetes", &["straddle-engine", "straddle-web"]),
        ("straddle-sandbox", &["straddle-engine"]),
        ("straddle-testkit", &["straddle-cli", "straddle-engine"]),
        ("straddle-tests", &[]),
        ("straddle-web", &["straddle-engine"]),
    ]);
    for (name, dependencies) in dependencies() {
        let ours: Vec<_> = dependencies.iter().filter(|other| other.starts_with("straddle")).collect();
        let allowed = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the list"));
        assert_eq!(ours, allowed.iter().collect::<Vec<_>>(), "what {name} depends on");
    }
}

#[test]
fn only_one_crate_compiles_the_sdk() {
    for (name, dependencies) in dependencies() {
        // The cryptography of AWS has nothing to do with its SDK.
        let is_sdk = |other: &String| other.starts_with("aws-") && !other.starts_with("aws-lc-");
        let sdk = dependencies.iter().any(is_sdk);
        assert_eq!(sdk, name == "straddle-aws", "whether {name} depends on the AWS SDK");
    }
}

#[test]
fn source_files_are_short_and_say_what_they_are() {
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        collect(&repository().join(folder), "rs", &mut files);
    }
    assert!(files.len() > 100, "only {} files were found", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        assert!(lines <= LINES, "{} has {lines} lines", file.display());
        assert!(text.starts_with("//! "), "{} does not say what it is", file.display());
    }
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut documents = vec![repository().join("README.md")];
    for folder in ["crates", "specs", "state", "tests"] {
        collect(&repository().join(folder), "md", &mut documents);
    }
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let target = document.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(target.exists(), "{} links to {link}, which is not there", document.display());
        }
    }
}

/// Collects the files with this extension, past what is not ours.
fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != ".venv" && name != "target") {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}
