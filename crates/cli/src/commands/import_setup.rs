//! `straddle import-setup`: the spec of what exists, written beside the accounts that it is in.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;
use straddle_engine::diagnostic::{Diagnostic, Sources};
use straddle_engine::discovery::{Discovered, Start};
use straddle_engine::layout::lay_out;
use straddle_engine::run::{Interrupt, RunError};

use crate::arguments::ImportSetupArguments;
use crate::commands::{Program, runtime, signals};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::loading::load_spec;
use crate::progress::Progress;
use crate::render;
use crate::safe::Safe;
use crate::stack::Stack;

/// Where the imports are written.
const IMPORTS: &str = "imports.toml";

/// Walks through what exists, and writes the spec of it.
pub(crate) fn run(program: &Program, arguments: &ImportSetupArguments) -> Result<Exit, Failure> {
    let path = &arguments.run.spec.path;
    if !path.is_dir() {
        let problem = Diagnostic::error("no-folder", "a set-up is written into the folder of a spec")
            .with_detail(format!("{} is no folder.", path.display()))
            .with_hint(
                "Make a folder with a file that has `[stack]` and the blocks of the accounts, and name it.",
            );
        return Err(Failure::error(problem));
    }
    let stack = Stack::open(program, &arguments.run)?;
    let starts: Vec<_> = arguments.from.iter().chain(&arguments.cluster).cloned().collect();
    check_starts(program, &stack, &starts)?;
    let found = discover(program, arguments, &stack, &starts)?;
    let mut written = Written::default();
    let files = write(program, arguments, &stack, &found, &mut written)?;
    written.keep();
    show(program, &found, &files, path);
    Ok(Exit::Success)
}

fn check_starts(program: &Program, stack: &Stack, starts: &[Start]) -> Result<(), Failure> {
    let kinds = program.registry.discovery().map_or(&[][..], |discovery| discovery.starts());
    for start in starts {
        let problem = if !stack.spec.accounts.contains_key(start.account.as_str()) {
            let known: Vec<_> = stack.spec.accounts.keys().map(|name| format!("`{name}`")).collect();
            Diagnostic::error("unknown-account", "unknown account").with_detail(format!(
                "The spec has no `[account.{}]`. It has {}.",
                start.account,
                known.join(", ")
            ))
        } else if !kinds.contains(&start.kind.as_str()) {
            Diagnostic::error("unknown-kind", "no walk begins there").with_detail(format!(
                "A walk cannot begin at a `{}`. It can at {}.",
                start.kind,
                kinds.iter().map(|kind| format!("a `{kind}`")).collect::<Vec<_>>().join(", ")
            ))
        } else {
            continue;
        };
        return Err(Failure::error(problem));
    }
    Ok(())
}

fn discover(
    program: &Program,
    arguments: &ImportSetupArguments,
    stack: &Stack,
    starts: &[Start],
) -> Result<Discovered, Failure> {
    let progress = Progress::of(program);
    let interrupt = Interrupt::default();
    let engine = program.engine(&stack.backend, &progress, arguments.run.settings(), interrupt);
    let found = runtime()?.block_on(async {
        let mut signals = signals()?;
        // Nothing is written by then, so that it can end anywhere.
        Ok::<_, Failure>(tokio::select! {
            found = engine.discover(&stack.spec, starts) => found,
            () = progress.clone().heartbeat() => unreachable!("heartbeats have no end"),
            _ = signals.next() => Err(RunError::Interrupted),
        })
    })?;
    found.map_err(|error| render::run_failure(error, &stack.spec.sources))
}

/// The files that were written; they are taken away again unless all of them are good.
#[derive(Default)]
struct Written(Vec<PathBuf>);

impl Written {
    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for path in &self.0 {
            // What cannot be taken away was not there before, and says so by its content.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Writes the blocks, loads the spec with them, and writes the imports. Returns the names of the files.
fn write(
    program: &Program,
    arguments: &ImportSetupArguments,
    stack: &Stack,
    found: &Discovered,
    written: &mut Written,
) -> Result<Vec<String>, Failure> {
    let folder = &arguments.run.spec.path;
    let mut files = Vec::new();
    if found.is_empty() {
        return Ok(files);
    }
    for (file, text) in found.files(&stack.spec, &program.registry) {
        let name = format!("{file}.toml");
        create(&folder.join(&name), &text, written)?;
        files.push(name);
    }
    let (spec, _) = load_spec(program, folder, &stack.values)?;
    let imports = found.imports(&spec, &program.registry).map_err(|lost| {
        let problem = Diagnostic::error("defect", "what was written does not fit what was found")
            .with_detail(format!(
                "No resource of the spec is {}. The files were taken away again.",
                lost.join(", ")
            ))
            .with_hint("This is a defect of straddle; nothing was changed. Please report it.");
        Failure::error(problem)
    })?;
    create(&folder.join(IMPORTS), &imports, written)?;
    files.push(IMPORTS.to_owned());
    Ok(files)
}

/// Writes a file that is not there yet, laid out as `fmt` does.
fn create(path: &Path, text: &str, written: &mut Written) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let source = sources.add(path, text.to_owned());
    let text = lay_out(source, &sources).unwrap_or_else(|_| text.to_owned());
    let failure = |error: std::io::Error| {
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            return Failure::file("write", path, &error);
        }
        let problem = Diagnostic::error("file-exists", "a file is in the way")
            .with_detail(format!(
                "{} is there already, and nothing that is there is written over.",
                path.display()
            ))
            .with_hint("Move it away, or take another folder with a copy of the blocks of the accounts.");
        Failure::error(problem)
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failure)?;
    written.0.push(path.to_owned());
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| Failure::file("write", path, &error))
}

fn show(program: &Program, found: &Discovered, files: &[String], folder: &Path) {
    let stdout = &program.terminal.stdout;
    if program.is_json {
        let object = json!({
            "type": "import_setup",
            "things": found.len(),
            "files": files,
            "left_out": found.left_out,
        });
        return stdout.line(&format!("{object:#}"));
    }
    for sentence in &found.left_out {
        stdout.line(&format!("Left out: {}", Safe(sentence)));
    }
    if found.is_empty() {
        return stdout.line("Nothing was found that the stack does not have already.");
    }
    let folder = Safe(folder.display()).to_string();
    stdout.line(&format!("Found {} things. Written: {}.", found.len(), files.join(", ")));
    stdout.line(&format!("Look at them, and at what they import: straddle plan {folder}"));
}
