//! `straddle fmt`: lays out the files of a spec.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use similar::TextDiff;
use straddle_engine::diagnostic::{Diagnostic, Diagnostics, Sources};
use straddle_engine::layout::lay_out;

use crate::arguments::FormatArguments;
use crate::commands::Program;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render;
use crate::replace_file::replace_file;
use crate::safe::{Safe, SafeLines};

/// A file that would change.
struct Change {
    path: PathBuf,
    before: String,
    after: String,
}

/// What came of looking at files.
#[derive(Default)]
struct Outcome {
    changes: Vec<Change>,
    /// The files that were written.
    written: BTreeSet<PathBuf>,
    sources: Sources,
    /// Why files were left alone.
    problems: Diagnostics,
}

impl Outcome {
    fn look_at(&mut self, path: &Path) {
        match change(path, &mut self.sources) {
            Ok(change) => self.changes.extend(change),
            Err(found) => self.problems.extend(found),
        }
    }

    fn write(&mut self) {
        for change in &self.changes {
            match write(change) {
                Ok(()) => drop(self.written.insert(change.path.clone())),
                Err(failure) => self.problems.extend(failure.diagnostics),
            }
        }
    }
}

/// Lays out files, or says which would change.
pub(crate) fn run(program: &Program, arguments: &FormatArguments) -> Result<Exit, Failure> {
    if arguments.stdin {
        return from_stdin(program, arguments);
    }
    let mut outcome = Outcome::default();
    for path in files(&arguments.paths)? {
        outcome.look_at(&path);
    }
    let only_looks = arguments.check || arguments.diff;
    if !only_looks {
        outcome.write();
    }
    let exit = match (outcome.problems.has_errors(), arguments.check && !outcome.changes.is_empty()) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Success,
    };
    if arguments.json {
        program.terminal.stdout.line(&format!("{:#}", json(&outcome, exit)));
        return Ok(exit);
    }
    let shown: Vec<_> = outcome
        .changes
        .iter()
        .filter(|change| only_looks || outcome.written.contains(&change.path))
        .collect();
    show(program, arguments, &shown);
    let Outcome { sources, problems: diagnostics, .. } = outcome;
    if exit == Exit::Error { Err(Failure { exit, sources, diagnostics }) } else { Ok(exit) }
}

/// Renders everything that came of it as one object.
fn json(outcome: &Outcome, exit: Exit) -> Json {
    let Outcome { changes, written, sources, problems } = outcome;
    let name = |path: &PathBuf| path.display().to_string();
    json!({
        "type": "format",
        "exit_code": exit.code(),
        "changed": changes.iter().map(|change| name(&change.path)).collect::<Vec<_>>(),
        "written": written.iter().map(name).collect::<Vec<_>>(),
        "diagnostics": render::json::diagnostics(sources, problems),
    })
}

fn from_stdin(program: &Program, arguments: &FormatArguments) -> Result<Exit, Failure> {
    let path = PathBuf::from("<stdin>");
    let mut before = String::new();
    io::stdin().read_to_string(&mut before).map_err(|error| Failure::file("read", &path, &error))?;
    let mut sources = Sources::default();
    let source = sources.add(&path, before.clone());
    let laid_out = lay_out(source, &sources);
    let after = laid_out.map_err(|diagnostics| Failure { exit: Exit::Error, sources, diagnostics })?;
    let differs = before != after;
    let stdout = &program.terminal.stdout;
    if arguments.diff {
        show_difference(program, &Change { path, before, after });
    } else if !arguments.check {
        stdout.write(&after);
    }
    Ok(if arguments.check && differs { Exit::Changes } else { Exit::Success })
}

/// Returns the files that the arguments mean: those named, and the `*.toml` of folders and of
/// their `envs`.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).map_err(|error| Failure::file("read", path, &error))?;
        if !metadata.is_dir() {
            files.push(path.clone());
            continue;
        }
        files.extend(toml_files(path)?);
        let environments = path.join("envs");
        if environments.is_dir() {
            files.extend(toml_files(&environments)?);
        }
    }
    Ok(files)
}

fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |error: io::Error| Failure::file("read", folder, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|ending| ending == "toml") && path.is_file() {
            // As the user would write it.
            files.push(path.strip_prefix(".").map_or(path.clone(), Path::to_owned));
        }
    }
    files.sort();
    Ok(files)
}

/// Returns what would change in a file; `None` if it is as it should be.
fn change(path: &Path, sources: &mut Sources) -> Result<Option<Change>, Diagnostics> {
    let before = fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error).diagnostics)?;
    let source = sources.add(path, before.clone());
    let after = lay_out(source, sources)?;
    Ok((before != after).then(|| Change { path: path.to_owned(), before, after }))
}

/// Writes a file that nobody else has changed meanwhile.
fn write(change: &Change) -> Result<(), Failure> {
    let Change { path, before, after } = change;
    let is_as_read = fs::read_to_string(path).is_ok_and(|now| now == *before);
    if !is_as_read {
        let problem = Diagnostic::error("file-changed", "a file was changed meanwhile")
            .with_detail(format!("{} is another than a moment ago, and was left alone.", path.display()))
            .with_hint("Run the command again.");
        return Err(Failure::error(problem));
    }
    replace_file(path, after.as_bytes())
}

fn show(program: &Program, arguments: &FormatArguments, changes: &[&Change]) {
    for change in changes {
        if arguments.diff {
            show_difference(program, change);
        } else {
            program.terminal.stdout.line(&Safe(change.path.display()).to_string());
        }
    }
}

fn show_difference(program: &Program, change: &Change) {
    let stdout = &program.terminal.stdout;
    let difference = TextDiff::from_lines(&change.before, &change.after);
    let path = Safe(change.path.display()).to_string();
    let text = difference.unified_diff().header(&path, &path).to_string();
    for line in text.lines() {
        let style = match line.chars().next() {
            Some('+') => stdout.palette.create,
            Some('-') => stdout.palette.delete,
            _ => anstyle::Style::new(),
        };
        stdout.line(&render::paint(style, SafeLines(line)).to_string());
    }
}
