//! What comes after `<TAB>`: arguments by their definition, and the names in the spec and the state.
//!
//! The script that `straddle completions` prints calls the program with [`VARIABLE`] set and the
//! line so far. Everything here reads files at most, connects to nothing, and says nothing if it
//! fails: whatever it wrote would stand in the middle of the line that is being edited.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgMatches, Command, CommandFactory};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::CompleteEnv;
use straddle_engine::registry::Registry;
use straddle_engine::spec::{LoadRequest, load, outline};
use straddle_engine::state::{Backend, State, list_states, recovered};

use crate::arguments::{Arguments, StackArguments, StateLocationArguments};
use crate::shell_words::{quote, unquote};
use crate::stack::{directory_of, environment_variables, find_state};

/// Names the shell that asks.
pub(crate) const VARIABLE: &str = "STRADDLE_COMPLETE";
/// The command that is completed.
pub(crate) const PROGRAM: &str = "straddle";
/// Specs with more blocks are not expanded, which would take longer than a key press may.
const MANY_BLOCKS: usize = 500;

/// Tells whether a shell asks for completions.
pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|shell| !shell.is_empty() && shell != "0")
}

/// Answers a shell on standard output.
pub(crate) fn answer(registry: Registry) {
    std::panic::set_hook(Box::new(|_| {}));
    let shell = std::env::var(VARIABLE).unwrap_or_default();
    let words = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
    let line = Arc::new(Line { registry, shell, words });
    let command = || with_completers(Arguments::command(), &line);
    let request = CompleteEnv::with_factory(command).var(VARIABLE).bin(PROGRAM).completer(PROGRAM);
    // A shell of which nothing is known gets nothing.
    let _ = request.try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref());
}

/// The line that is being edited.
struct Line {
    registry: Registry,
    shell: String,
    /// The words before and after the one that is completed, as written.
    words: Vec<OsString>,
}

/// What the value of an argument names, told by the word that stands for it in the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Accounts,
    Checks,
    /// Resources of the state.
    Recorded,
    /// Resources of the state and of the spec.
    Addresses,
    /// Resources of the spec that the state does not have.
    New,
    Environments,
    Kinds,
    Outputs,
    Stacks,
    Variables,
}

impl Names {
    fn of(argument: &clap::Arg) -> Option<Self> {
        let [word] = argument.get_value_names()? else { return None };
        Some(match word.as_str() {
            "ACCOUNT" => Self::Accounts,
            "CHECK" => Self::Checks,
            "ADDRESS" if argument.is_positional() => Self::Recorded,
            "ADDRESS" => Self::Addresses,
            "RESOURCE" => Self::New,
            "ENV" => Self::Environments,
            "KIND" => Self::Kinds,
            "OUTPUT" => Self::Outputs,
            "STACK" => Self::Stacks,
            "KEY=VALUE" => Self::Variables,
            _ => return None,
        })
    }
}

fn with_completers(command: Command, line: &Arc<Line>) -> Command {
    let command = command.mut_args(|argument| match Names::of(&argument) {
        Some(names) => {
            let line = Arc::clone(line);
            argument.add(ArgValueCompleter::new(move |word: &OsStr| line.candidates(names, word)))
        }
        None => argument,
    });
    command.mut_subcommands(|command| with_completers(command, line))
}

impl Line {
    /// Returns the names that begin with a word, as the shell wants them written.
    fn candidates(&self, names: Names, word: &OsStr) -> Vec<CompletionCandidate> {
        let Some(begun) = word.to_str().map(unquote) else { return Vec::new() };
        let found = self.found(names).into_iter().filter(|name| name.starts_with(&begun));
        found.map(|name| CompletionCandidate::new(quote(&name, &self.shell))).collect()
    }

    fn found(&self, names: Names) -> BTreeSet<String> {
        let place = Place::of(&self.words);
        match names {
            Names::Accounts => outline(&place.spec).accounts.into_iter().collect(),
            Names::Checks => self.registry.checks().iter().map(|check| check.name.to_owned()).collect(),
            Names::Recorded => place.recorded(),
            Names::Addresses => &place.recorded() | &place.written(&self.registry),
            Names::New => &place.written(&self.registry) - &place.recorded(),
            Names::Environments => place.environments(),
            Names::Kinds => {
                self.registry.all_described().map(|kind| kind.schema().kind.to_string()).collect()
            }
            Names::Outputs => {
                let applied = place.state().map(|state| state.outputs).unwrap_or_default();
                applied.into_keys().chain(outline(&place.spec).outputs).collect()
            }
            Names::Stacks => place.stacks(),
            Names::Variables => {
                outline(&place.spec).variables.iter().map(|name| format!("{name}=")).collect()
            }
        }
    }
}

/// Where the spec and the state are, as far as the line tells.
struct Place {
    spec: PathBuf,
    stack: StackArguments,
}

impl Place {
    fn of(words: &[OsString]) -> Self {
        // A line that is being written is full of mistakes.
        let matches = Arguments::command().ignore_errors(true).try_get_matches_from(words);
        let value = |name| matches.as_ref().ok().and_then(|matches| raw_value(matches, name));
        let text = |name| value(name).and_then(|value| value.into_string().ok());
        let sandbox = matches.as_ref().is_ok_and(|matches| has_flag(matches, "sandbox"));
        let location = StateLocationArguments { directory: value("directory").map(PathBuf::from), sandbox };
        let stack = StackArguments { environment: text("environment"), stack: text("stack"), location };
        Self { spec: value("path").map_or_else(|| PathBuf::from("."), PathBuf::from), stack }
    }

    fn state(&self) -> Option<State> {
        let backend = find_state(&self.spec, &self.stack).ok()?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
        recovered(runtime.block_on(backend.read()).ok()?).ok()?
    }

    fn recorded(&self) -> BTreeSet<String> {
        let addresses = |state: State| state.resources.keys().map(ToString::to_string).collect();
        self.state().map(addresses).unwrap_or_default()
    }

    /// Returns the addresses in the spec: all of them if it is sound and small, else its blocks.
    fn written(&self, registry: &Registry) -> BTreeSet<String> {
        let blocks = outline(&self.spec).blocks;
        let request = LoadRequest {
            path: self.spec.clone(),
            environment: self.stack.environment.clone(),
            variables: environment_variables().unwrap_or_default(),
            ..LoadRequest::default()
        };
        // Nothing is fetched while somebody waits for a word to be completed.
        let load = || match load(&request, registry) {
            Ok(loaded) => Some(loaded.spec),
            Err(failure) => failure.lacking.map(|lacking| lacking.spec),
        };
        let loaded = (blocks.len() <= MANY_BLOCKS).then(load).flatten();
        let expanded = loaded.into_iter().flat_map(|spec| spec.resources.into_keys());
        expanded.map(|address| address.to_string()).chain(blocks).collect()
    }

    fn environments(&self) -> BTreeSet<String> {
        let folder =
            if self.spec.is_dir() { &*self.spec } else { self.spec.parent().unwrap_or(Path::new("")) };
        let files = std::fs::read_dir(folder.join("envs")).into_iter().flatten().flatten();
        let names = files.filter_map(|file| file.file_name().into_string().ok());
        names.filter_map(|name| name.strip_suffix(".toml").map(str::to_owned)).collect()
    }

    fn stacks(&self) -> BTreeSet<String> {
        let directory = directory_of(&self.spec, &self.stack.location).ok();
        let states = directory.and_then(|directory| list_states(&directory).ok()).unwrap_or_default();
        states.into_iter().map(|state| state.stack).collect()
    }
}

/// Tells whether the innermost command has a flag.
fn has_flag(matches: &ArgMatches, name: &str) -> bool {
    match matches.subcommand() {
        Some((_, inner)) => has_flag(inner, name),
        None => matches.try_get_one(name).ok().flatten().copied().unwrap_or(false),
    }
}

/// Returns the value of an argument of the innermost command, as written.
fn raw_value(matches: &ArgMatches, name: &str) -> Option<OsString> {
    if let Some((_, inner)) = matches.subcommand() {
        return raw_value(inner, name);
    }
    let last = matches.try_get_raw(name).ok()??.next_back()?;
    Some(last.to_str().map_or_else(|| last.to_owned(), |value| unquote(value).into()))
}
