//! Specs as files: what is read, what is refused, and which value of a variable wins.
#![expect(clippy::disallowed_methods, reason = "these tests write the files that are loaded")]

mod support;

use std::path::{Path, PathBuf};

use straddle_engine::address::Address;
use straddle_engine::diagnostic::Sources;
use straddle_engine::spec::{
    LoadFailure, LoadRequest, Loaded, Scope, VariableArgument, VariableSource, load,
};
use straddle_engine::value::Value;

const MAIN: &str = r#"
[stack]
name = "files"
[account.main]
id = "111122223333"
region = "us-east-1"
[var.name]
default = "default"
[var.list]
default = ["default"]
[output.name]
value = "${var.name}"
[output.list]
value = "${var.list}"
"#;

struct NoScope;

impl Scope for NoScope {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        Value::unknown(address.clone(), attribute)
    }

    fn stack_id(&self) -> Value {
        Value::Null
    }
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("the file is in a folder"))
            .expect("a folder can be made");
        std::fs::write(path, content).expect("a file can be written");
    }
    folder
}

fn load_path(path: &Path) -> Result<Loaded, Box<LoadFailure>> {
    load(&LoadRequest { path: path.to_owned(), ..LoadRequest::default() }, &support::registry())
}

#[track_caller]
fn check_refused(path: &Path, code: &str) {
    let failure = load_path(path).expect_err("the spec is refused");
    let codes: Vec<_> = failure.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, [code]);
}

fn output(loaded: &Loaded, name: &str) -> Value {
    loaded.spec.outputs[name].value.evaluate(&NoScope).expect("the output can be evaluated")
}

#[test]
fn a_folder_is_read_without_its_subfolders() {
    let folder = folder(&[
        ("main.toml", MAIN.as_bytes()),
        ("more.toml", b"[eip.a]"),
        ("sub/other.toml", b"[eip.b]"),
        ("notes.txt", b"no spec"),
        (".hidden.toml", b"no spec"),
    ]);
    let loaded = load_path(folder.path()).expect("the spec is sound");
    let addresses: Vec<_> = loaded.spec.resources.keys().map(ToString::to_string).collect();
    assert_eq!(addresses, ["eip.a"]);
    let single = load_path(&folder.path().join("main.toml")).expect("the spec is sound");
    assert!(single.spec.resources.is_empty());
    assert_ne!(loaded.spec.digest, single.spec.digest);
}

#[test]
fn what_cannot_be_read_is_refused() {
    let not_utf8: &[u8] = b"[stack]\nname = \"\xff\"\n";
    let folder = folder(&[("empty/x.txt", b""), ("bytes/main.toml", not_utf8)]);
    check_refused(&folder.path().join("missing"), "missing-file");
    check_refused(&folder.path().join("empty"), "empty-spec");
    check_refused(&folder.path().join("bytes"), "not-utf8");
    let large = vec![b'#'; 16 * 1024 * 1024 + 1];
    std::fs::write(folder.path().join("large.toml"), large).expect("a file can be written");
    check_refused(&folder.path().join("large.toml"), "file-too-large");
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_read() {
    check_refused(Path::new("/dev/null"), "unreadable-file");
}

#[test]
fn values_of_variables_win_in_order() {
    let folder = folder(&[
        ("main.toml", MAIN.as_bytes()),
        ("envs/test.toml", b"name = 'environment file'\nlist = ['environment file']"),
        ("more.toml.values", b"name = 'variable file'"),
    ]);
    let argument =
        |value: &str, source| VariableArgument { name: "name".to_owned(), value: value.to_owned(), source };
    let mut request = LoadRequest { path: folder.path().to_owned(), ..LoadRequest::default() };
    let name = |request: &LoadRequest| {
        let loaded = load(request, &support::registry()).expect("the spec is sound");
        output(&loaded, "name")
    };
    assert_eq!(name(&request), Value::from("default"));
    request.environment = Some("test".to_owned());
    assert_eq!(name(&request), Value::from("environment file"));
    request.variable_files = vec![folder.path().join("more.toml.values")];
    assert_eq!(name(&request), Value::from("variable file"));
    request.variables = vec![argument("shell", VariableSource::Environment)];
    assert_eq!(name(&request), Value::from("shell"));
    request.variables.insert(0, argument("${as} it is", VariableSource::CommandLine));
    assert_eq!(name(&request), Value::from("${as} it is"));
    let loaded = load(&request, &support::registry()).expect("the spec is sound");
    assert_eq!(output(&loaded, "list"), Value::from(vec!["environment file"]));
}

#[test]
fn text_becomes_the_type_of_the_variable() {
    let folder = folder(&[("main.toml", MAIN.as_bytes())]);
    let with = |name: &str, value: &str, source| {
        let variables = vec![VariableArgument { name: name.to_owned(), value: value.to_owned(), source }];
        let request = LoadRequest { path: folder.path().to_owned(), variables, ..LoadRequest::default() };
        load(&request, &support::registry())
    };
    let loaded = with("list", "['a', 'b']", VariableSource::CommandLine).expect("the value fits");
    assert_eq!(output(&loaded, "list"), Value::from(vec!["a", "b"]));
    for value in ["a, b", "5", "[2026-01-01]", ""] {
        assert!(with("list", value, VariableSource::CommandLine).is_err(), "{value} was taken");
    }
    assert!(with("nmae", "x", VariableSource::CommandLine).is_err());
    let loaded = with("nmae", "x", VariableSource::Environment).expect("the shell may hold more");
    assert_eq!(loaded.warnings.iter().count(), 1);
}

#[test]
fn digests_depend_on_texts_and_values_alone() {
    let digest = |files: &[(&str, &[u8])], name: &str| {
        let folder = folder(files);
        let source = VariableSource::CommandLine;
        let variables = vec![VariableArgument { name: "name".to_owned(), value: name.to_owned(), source }];
        let request = LoadRequest { path: folder.path().to_owned(), variables, ..LoadRequest::default() };
        load(&request, &support::registry()).expect("the spec is sound").spec.digest
    };
    let files: [(&str, &[u8]); 1] = [("main.toml", MAIN.as_bytes())];
    let more: [(&str, &[u8]); 2] = [files[0], ("more.toml", b"# a comment")];
    assert_eq!(digest(&files, "x"), digest(&files, "x"));
    assert_ne!(digest(&files, "x"), digest(&files, "y"));
    assert_ne!(digest(&files, "x"), digest(&more, "x"));
}

#[test]
fn paths_are_shown_as_the_user_writes_them() {
    let failure = load_path(&PathBuf::from("./tests/broken_specs/no_account")).expect_err("it is broken");
    let paths = |sources: &Sources| sources.iter().map(|(_, source)| source.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&failure.sources), [PathBuf::from("tests/broken_specs/no_account/main.toml")]);
}
