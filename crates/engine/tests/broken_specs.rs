//! Broken specs, each a folder, and what is said about them.
//!
//! `REWRITE_EXPECTED=1 cargo test -p straddle-engine --test broken_specs` writes every
//! `expected.txt` anew; read the difference before committing it.

#![expect(clippy::disallowed_methods, reason = "the broken specs and what is said about them are files")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use straddle_engine::diagnostic::{Diagnostic, Severity, Sources};
use straddle_engine::spec::{LoadRequest, load};

#[test]
fn broken_specs_are_explained() {
    let rewrite = std::env::var_os("REWRITE_EXPECTED").is_some();
    let mut differing = Vec::new();
    let folders = folders();
    assert!(folders.len() >= 60, "only {} broken specs were found", folders.len());
    for folder in folders {
        let found = explain(&folder);
        let path = folder.join("expected.txt");
        if rewrite {
            std::fs::write(&path, &found).expect("the expected text can be written");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if expected != found {
            differing.push(format!("{}:\n{found}", folder.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Where codes are tested that need no folder, but a file that is missing, huge or no file.
const OTHER_TESTS: [&str; 3] =
    [include_str!("spec_files.rs"), include_str!("large_specs.rs"), include_str!("hostile_toml.rs")];

#[test]
fn every_code_of_the_loader_is_explained_somewhere() {
    let expected = |folder: PathBuf| std::fs::read_to_string(folder.join("expected.txt")).unwrap_or_default();
    let explained: String = folders().into_iter().map(expected).collect();
    let codes = codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/spec"));
    assert!(codes.len() > 50, "only {} codes were found", codes.len());
    let is_missing = |code: &String| {
        let quoted = format!("\"{code}\"");
        !explained.contains(&format!("[{code}]")) && OTHER_TESTS.iter().all(|test| !test.contains(&quoted))
    };
    let missing: Vec<_> = codes.into_iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "no broken spec shows these: {missing:?}");
}

/// Returns the codes of the diagnostics that the sources in a folder make.
fn codes(folder: &Path) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            codes.extend(self::codes(&path));
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("a source is text");
        for begin in ["Diagnostic::error(", "Diagnostic::warning("] {
            let calls = source.split(begin).skip(1).filter_map(|call| call.trim_start().strip_prefix('"'));
            codes.extend(calls.filter_map(|call| Some(call.split_once('"')?.0.to_owned())));
        }
    }
    codes
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken_specs");
    let entries = std::fs::read_dir(root).expect("the folder of broken specs is there");
    let mut folders: Vec<_> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    folders.sort();
    folders
}

fn explain(folder: &Path) -> String {
    let has_values = folder.join("envs/test.toml").exists();
    let request = LoadRequest {
        path: folder.to_owned(),
        environment: has_values.then(|| "test".to_owned()),
        ..LoadRequest::default()
    };
    match load(&request, &support::registry()) {
        Ok(loaded) => render_all(&loaded.spec.sources, loaded.warnings.iter(), folder) + "loaded\n",
        Err(failure) => render_all(&failure.sources, failure.diagnostics.iter(), folder),
    }
}

fn render_all<'a>(
    sources: &Sources,
    diagnostics: impl Iterator<Item = &'a Diagnostic>,
    folder: &Path,
) -> String {
    let all: String = diagnostics.map(|diagnostic| render(sources, diagnostic) + "\n").collect();
    all.replace(&format!("{}/", folder.display()), "").replace(&folder.display().to_string(), ".")
}

fn render(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let mut text = String::new();
    if let Some(span) = diagnostic.span {
        write!(text, "{}: ", sources.location(span)).expect("text takes everything");
    }
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    write!(text, "{severity}[{}]: {}", diagnostic.code, diagnostic.summary).expect("text takes everything");
    let mut line = |label: &str, content: &str| {
        if !content.is_empty() {
            write!(text, "\n  {label}: {content}").expect("text takes everything");
        }
    };
    if let Some(span) = diagnostic.span {
        line("text", &sources.get(span.source).text[span.start..span.end].replace('\n', "\\n"));
    }
    line("label", &diagnostic.label);
    for related in &diagnostic.related {
        line("related", &format!("{}: {}", sources.location(related.span), related.message));
    }
    line("detail", &diagnostic.detail);
    line("hint", diagnostic.hint.as_deref().unwrap_or_default());
    line("address", &diagnostic.address.as_ref().map(ToString::to_string).unwrap_or_default());
    text + "\n"
}
