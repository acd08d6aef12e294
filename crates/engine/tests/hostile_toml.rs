//! Files that are made to break whoever reads them: each is answered, in time and with few errors.

#![expect(clippy::disallowed_methods, reason = "what is loaded are files, and the time is real")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use straddle_engine::diagnostic::Severity;
use straddle_engine::spec::{LoadFailure, LoadRequest, Loaded, load};

/// What no file takes, not even on a busy machine; alone, each takes less than a second.
const PATIENCE: Duration = Duration::from_secs(10);

const HEAD: &str =
    "[stack]\nname = \"hostile\"\n[account.main]\nid = \"111122223333\"\nregion = \"us-east-1\"\n";

/// Loads a file with this text, as it is on a disk.
fn load_file(text: impl AsRef<[u8]>) -> Result<Loaded, Box<LoadFailure>> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("main.toml");
    fs::write(&path, text).expect("the file can be written");
    let begin = Instant::now();
    let result = load(&LoadRequest { path, ..LoadRequest::default() }, &support::registry());
    let taken = begin.elapsed();
    show(taken);
    assert!(taken < PATIENCE, "loading took {taken:?}");
    result
}

#[expect(clippy::print_stderr, reason = "figures for whoever runs it with `--nocapture`")]
fn show(taken: Duration) {
    eprintln!("{}: {} ms", std::thread::current().name().unwrap_or_default(), taken.as_millis());
}

/// Checks that the text is refused, and returns the codes of the errors.
#[track_caller]
fn refused(text: impl AsRef<[u8]>) -> Vec<&'static str> {
    let failure = load_file(text).expect_err("the text is refused");
    for diagnostic in &failure.diagnostics {
        assert!(!diagnostic.label.is_empty() || !diagnostic.detail.is_empty(), "{diagnostic:?}");
    }
    let errors = failure.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn nested_lists() {
    assert_eq!(refused(format!("{HEAD}[local]\na = {}", "[".repeat(100_000))), ["nested-too-deep"]);
    let closed = format!("{HEAD}[local]\na = {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refused(closed), ["nested-too-deep"]);
}

#[test]
fn nested_tables() {
    assert_eq!(refused(format!("{HEAD}[local]\na = {}", "{ a = ".repeat(100_000))), ["nested-too-deep"]);
    let closed = format!("{HEAD}[local]\na = {}1{}\n", "{ a = ".repeat(100_000), "}".repeat(100_000));
    assert_eq!(refused(closed), ["nested-too-deep"]);
    let longest = format!("{{ {} = ", ["a"; 16].join("."));
    let dotted = format!("{HEAD}[local]\na = {}1{}\n", longest.repeat(60), "}".repeat(60));
    assert_eq!(refused(dotted), ["nested-too-deep"]);
}

#[test]
fn long_keys() {
    let key = vec!["a"; 20_000].join(".");
    assert_eq!(refused(format!("{HEAD}[local]\n{key} = 1\n")), ["key-too-long"]);
    assert_eq!(refused(format!("{HEAD}[{key}]\nb = 1\n")), ["key-too-long"]);
    assert_eq!(refused(format!("{HEAD}[[{key}]]\nb = 1\n")), ["key-too-long"]);
    assert_eq!(refused(format!("{HEAD}[local]\na = {{ {key} = 1 }}\n")), ["key-too-long"]);
    let longest = vec!["a"; 16].join(".");
    assert!(load_file(format!("{HEAD}[local]\n{longest} = 1\n")).is_ok());
}

#[test]
fn many_headers_with_one_prefix() {
    let headers: Vec<_> = (0..100_000).map(|number| format!("[local.a.b.c.d{number}]\n")).collect();
    assert!(load_file(format!("{HEAD}{}", headers.concat())).is_ok());
}

#[test]
fn many_lists_of_tables() {
    let errors = refused(format!("{HEAD}{}", "[[a]]\n".repeat(100_000)));
    assert!(!errors.is_empty() && errors.len() <= 20, "{} errors", errors.len());
}

#[test]
fn a_long_string() {
    let text = |bytes| format!("{HEAD}[local]\na = \"{}\"\n", "x".repeat(bytes));
    assert_eq!(refused(text(20_000_000)), ["file-too-large"]);
    assert!(load_file(text(15_000_000)).is_ok());
}

#[test]
fn a_string_that_does_not_end() {
    let text = format!("{HEAD}[local]\na = \"\"\"\n{}", "line\n".repeat(1_000_000));
    assert_eq!(refused(text), ["invalid-toml"]);
    let longest = format!("{HEAD}[local]\na = \"\"\"\n{}", "x\n".repeat(8_000_000));
    assert_eq!(refused(longest), ["invalid-toml"]);
}

#[test]
fn odd_bytes() {
    assert_eq!(refused(format!("{HEAD}[local]\na = \"\0\"\n")), ["invalid-toml"]);
    assert_eq!(refused(format!("\u{feff}{HEAD}")), ["byte-order-mark"]);
    assert_eq!(refused([HEAD.as_bytes(), b"# \xff\n"].concat()), ["not-utf8"]);
    let nothing_but_nul = refused("\0".repeat(1_000_000));
    assert!(!nothing_but_nul.is_empty() && nothing_but_nul.len() <= 20, "{} errors", nothing_but_nul.len());
}

#[test]
fn keys_and_headers_twice() {
    assert_eq!(refused(format!("{HEAD}[local]\na = 1\na = 2\n")), ["invalid-toml"]);
    assert_eq!(refused(format!("{HEAD}[local]\na = 1\n[local]\nb = 1\n")), ["invalid-toml"]);
    let many = refused(format!("{HEAD}[local]\n{}", "a = 1\n".repeat(100_000)));
    assert!(!many.is_empty() && many.len() <= 20, "{} errors", many.len());
}

#[test]
fn long_numbers() {
    assert_eq!(refused(format!("{HEAD}[local]\na = 12345678901234567890\n")), ["number-out-of-range"]);
    assert_eq!(refused(format!("{HEAD}[local]\na = {}\n", "9".repeat(1_000_000))), ["number-out-of-range"]);
}

#[test]
fn bidirectional_controls_are_pointed_at() {
    let text = "\u{202e}".repeat(100_000);
    let loaded = load_file(format!("{HEAD}[local]\na = \"{text}\" # {text}\n")).expect("nothing is wrong");
    let codes: Vec<_> = loaded.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["bidirectional-character"]);
    let first = loaded.warnings.iter().next().and_then(|warning| warning.span).expect("it has a place");
    assert_eq!(first.start, HEAD.len() + "[local]\na = \"".len());
    let mixed = load_file(format!("{HEAD}[local]\na = \"\u{2067}\u{202a}\"\n")).expect("nothing is wrong");
    let labels: Vec<_> = mixed.warnings.iter().map(|warning| warning.label.as_str()).collect();
    assert_eq!(labels, ["the invisible character U+2067"]);
}

#[test]
fn control_characters_are_pointed_at() {
    for (written, code) in [("\\u0007", "U+0007"), ("\u{85}", "U+0085"), ("\u{e9}\\u007f", "U+007F")] {
        let loaded = load_file(format!("{HEAD}[local]\na = \"{written}\"\n")).expect("nothing is wrong");
        let labels: Vec<_> = loaded.warnings.iter().map(|warning| warning.label.clone()).collect();
        assert_eq!(labels, [format!("contains the control character {code}")]);
    }
    let harmless = load_file(format!("{HEAD}[local]\na = \"\\t\\n\u{e9}\u{c2}\u{a0}\"\n"));
    assert_eq!(harmless.expect("nothing is wrong").warnings.iter().count(), 0);
}

#[test]
fn many_broken_lines() {
    let lines = ["a b c\n", "= = =\n", "[a\n", "]\n", "a = \"b\n", "a = [[\n", "\u{7f}\n", "a = 1 2 3 4\n"];
    for line in lines {
        let errors = refused(format!("{HEAD}{}", line.repeat(100_000)));
        assert!(!errors.is_empty() && errors.len() <= 20, "{line:?}: {} errors", errors.len());
    }
    let failure = load_file(format!("{HEAD}{}", "a b c\n".repeat(100_000))).expect_err("nothing is TOML");
    let last = failure.diagnostics.iter().last().expect("there are errors");
    assert_eq!((failure.error_count(), last.code), (20, "too-many-errors"));
    assert_eq!(last.label, "99981 more from here on");
}
