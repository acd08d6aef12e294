//! Broken specs, each a folder, and what is said about them.
//!
//! `REWRITE_EXPECTED=1 cargo test -p straddle-engine --test broken_specs` writes every
//! `expected.txt` anew; read the difference before committing it.

#![expect(clippy::disallowed_methods, reason = "the broken specs and what is said about them are files")]

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use straddle_engine::diagnostic::{Diagnostic, Severity, Sources};
use straddle_engine::spec::{LoadRequest, load};

#[test]
fn broken_specs_are_explained() {
    let rewrite = std::env::var_os("REWRITE_EXPECTED").is_some();
    let mut differing = Vec::new();
    let folders = folders();
    assert!(folders.len() >= 20, "only {} broken specs were found", folders.len());
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
