//! A stack as a command works on it: its spec, loaded with the user's values, and its state.

use std::path::{Path, PathBuf};

use straddle_engine::diagnostic::{Diagnostic, Diagnostics, Sources};
use straddle_engine::outside::Outside;
use straddle_engine::plan::{Plan, held};
use straddle_engine::spec::{Spec, VariableArgument, VariableSource, outline};
use straddle_engine::state::{ListedState, LocalBackend, list_states};

use crate::arguments::{
    PaceArguments, RunArguments, SpecArguments, StackArguments, StateLocationArguments, ValueArguments,
};
use crate::commands::Program;
use crate::failure::Failure;
use crate::loading::{Begun, begin};
use crate::own_sandbox::{OwnSandbox, outside_of_environment};
use crate::render;

/// What the names of environment variables that set variables begin with.
const VARIABLE_PREFIX: &str = "STRADDLE_VAR_";
/// The folder of state files, looked for from the spec upwards.
const STATE_FOLDER: &str = "state";
/// The folder for what is made in sandboxes, in that of the state, and the environment for it.
const SANDBOX: &str = "sandbox";

/// A spec, and where its state is.
pub(crate) struct Stack {
    pub(crate) spec: Spec,
    pub(crate) backend: LocalBackend,
    /// With which values the spec was loaded.
    pub(crate) values: ValueArguments,
    /// What may be wrong with the spec. For people it has been shown already.
    pub(crate) warnings: Diagnostics,
    /// What the accounts are for as long as this lives, if it is no real ones.
    _sandbox: Option<OwnSandbox>,
}

impl Stack {
    /// Loads a spec and finds its state. If it is to be a sandbox, that serves as long as the stack lives.
    pub(crate) fn open(program: &Program, run: &RunArguments) -> Result<Self, Failure> {
        Self::reach(program, &run.spec, &run.state, &run.pace)
    }

    /// As [`Self::open`], for who takes everything away, and can do without charts that are not to be had any more.
    pub(crate) fn open_to_end(program: &Program, run: &RunArguments) -> Result<Self, Failure> {
        let opening = Opening::begin(program, &run.spec, &run.state)?;
        Self::reached(opening, &run.state, &run.pace, |begun, outside| {
            begun.finish_to_end(program, || Ok(outside))
        })
    }

    /// As [`Self::open`], for commands that make no plan.
    pub(crate) fn reach(
        program: &Program,
        spec: &SpecArguments,
        location: &StateLocationArguments,
        pace: &PaceArguments,
    ) -> Result<Self, Failure> {
        let opening = Opening::begin(program, spec, location)?;
        Self::reached(opening, location, pace, |begun, outside| begun.finish(program, || Ok(outside)))
    }

    fn reached(
        opening: Opening,
        location: &StateLocationArguments,
        pace: &PaceArguments,
        finish: impl FnOnce(Begun, Outside) -> Result<(Spec, Diagnostics), Failure>,
    ) -> Result<Self, Failure> {
        if location.sandbox {
            let sandbox = OwnSandbox::start(Some(&opening.world), pace, &opening.begun.spec)?;
            let mut stack = opening.finish(|begun| finish(begun, sandbox.outside()))?;
            sandbox.lead(&mut stack.spec);
            return Ok(Self { _sandbox: Some(sandbox), ..stack });
        }
        let outside = outside_of_environment()?;
        let mut stack = opening.finish(|begun| finish(begun, outside.clone()))?;
        for account in stack.spec.accounts.values_mut() {
            account.outside = outside.clone();
        }
        Ok(stack)
    }

    /// Loads a spec and finds its state. Its accounts are never connected to; a sandbox gives charts and nothing
    /// else.
    pub(crate) fn look(
        program: &Program,
        spec: &SpecArguments,
        location: &StateLocationArguments,
    ) -> Result<Self, Failure> {
        let opening = Opening::begin(program, spec, location)?;
        if location.sandbox && !opening.begun.lacking.is_empty() {
            let sandbox = OwnSandbox::start(None, &PaceArguments::default(), &opening.begun.spec)?;
            return opening.finish(|begun| begun.finish(program, || Ok(sandbox.outside())));
        }
        opening.finish(|begun| begun.finish(program, outside_of_environment))
    }

    /// Returns a spec and how it is loaded again, with the charts that a sandbox has. Nothing is kept of it.
    pub(crate) fn of_rehearsal(program: &Program, spec: &SpecArguments) -> Result<Begun, Failure> {
        let location = StateLocationArguments { directory: None, sandbox: true };
        let environment = environment_of(&spec.path, spec.values.environment.as_deref(), &location);
        let begun = begin(program, &spec.path, &ValueArguments { environment, ..spec.values.clone() })?;
        let sandbox = OwnSandbox::start(None, &PaceArguments::default(), &begun.spec)?;
        begun.complete(program, || Ok(sandbox.outside()))
    }

    /// Shows what may go wrong with a plan, and returns it; a program reads it elsewhere.
    pub(crate) fn warn_of(&self, program: &Program, plan: &Plan) -> Diagnostics {
        let warnings = held(plan, &self.spec, &program.registry);
        if !program.is_json {
            show_warnings(program, &self.spec.sources, &warnings);
        }
        warnings
    }
}

/// A stack of which the spec may lack what has to be fetched.
struct Opening {
    begun: Begun,
    backend: LocalBackend,
    values: ValueArguments,
    /// The file for the world of a sandbox.
    world: PathBuf,
}

impl Opening {
    fn begin(
        program: &Program,
        spec: &SpecArguments,
        location: &StateLocationArguments,
    ) -> Result<Self, Failure> {
        let environment = environment_of(&spec.path, spec.values.environment.as_deref(), location);
        let values = ValueArguments { environment: environment.clone(), ..spec.values.clone() };
        let begun = begin(program, &spec.path, &values)?;
        let directory = directory_of(&spec.path, location)?;
        let stack = &begun.spec.stack.name;
        let name = state_name(stack, environment.as_deref());
        let world = directory.join(format!("{name}.world"));
        let backend = LocalBackend::named(directory, stack, &name);
        Ok(Self { begun, backend, values, world })
    }

    fn finish(
        self,
        finish: impl FnOnce(Begun) -> Result<(Spec, Diagnostics), Failure>,
    ) -> Result<Stack, Failure> {
        let (spec, warnings) = finish(self.begun)?;
        Ok(Stack { spec, backend: self.backend, values: self.values, warnings, _sandbox: None })
    }
}

/// Finds the state of a stack without its spec being sound: by the name that is given, else by
/// that in the spec, else because the folder holds no other.
pub(crate) fn find_state(path: &Path, arguments: &StackArguments) -> Result<LocalBackend, Failure> {
    let directory = directory_of(path, &arguments.location)?;
    let environment = environment_of(path, arguments.environment.as_deref(), &arguments.location);
    let environment = environment.as_deref();
    let states = list_states(&directory).map_err(|error| Failure::file("read", &directory, &error))?;
    let named = arguments.stack.clone();
    let has_state = |stack: &String| states.iter().any(|state| state.name == state_name(stack, environment));
    if let Some(stack) = named.as_ref().filter(|stack| !has_state(stack)) {
        let problem = format!("The stack `{stack}` has no state");
        return Err(no_state(&problem, environment, &directory, &states));
    }
    if let Some(stack) = named.or_else(|| outline(path).stack) {
        let name = state_name(&stack, environment);
        return Ok(LocalBackend::named(directory, &stack, &name));
    }
    let fitting = |state: &&ListedState| state.name == state_name(&state.stack, environment);
    let fitting: Vec<_> = states.iter().filter(fitting).collect();
    if let [only] = fitting.as_slice() {
        return Ok(LocalBackend::named(directory, &only.stack, &only.name));
    }
    let problem = format!("{} names no stack", path.display());
    Err(no_state(&problem, environment, &directory, &states))
}

fn no_state(problem: &str, environment: Option<&str>, directory: &Path, states: &[ListedState]) -> Failure {
    let environment = environment.map_or_else(String::new, |name| format!(" for the environment `{name}`"));
    let names: Vec<_> = states.iter().map(|state| format!("`{}`", state.name)).collect();
    let there =
        if names.is_empty() { "there is none".to_owned() } else { format!("there is {}", names.join(", ")) };
    let problem = Diagnostic::error("no-state", "no state to look into")
        .with_detail(format!("{problem}{environment}; in {} {there}.", directory.display()))
        .with_hint(
            "Name the folder of a spec, or a stack with --stack, and where its state is with --state-dir.",
        );
    Failure::error(problem)
}

/// Returns the folder of the state files.
pub(crate) fn directory_of(spec: &Path, location: &StateLocationArguments) -> Result<PathBuf, Failure> {
    let directory = match &location.directory {
        Some(directory) => directory.clone(),
        None => state_directory(spec).map_err(|error| Failure::file("find", spec, &error))?,
    };
    Ok(if location.sandbox { directory.join(SANDBOX) } else { directory })
}

/// Returns the environment that is meant: in a sandbox the one of that name, if there is one and
/// none is given.
fn environment_of(spec: &Path, given: Option<&str>, location: &StateLocationArguments) -> Option<String> {
    let folder = if spec.is_dir() { spec } else { spec.parent().unwrap_or(Path::new("")) };
    let has_own = || folder.join("envs").join(format!("{SANDBOX}.toml")).is_file();
    given.map(str::to_owned).or_else(|| (location.sandbox && has_own()).then(|| SANDBOX.to_owned()))
}

/// Returns what the names of the state's files begin with.
fn state_name(stack: &str, environment: Option<&str>) -> String {
    environment.map_or_else(|| stack.to_owned(), |environment| format!("{stack}.{environment}"))
}

/// Shows what should be looked at in a spec.
pub(crate) fn show_warnings(program: &Program, sources: &Sources, warnings: &Diagnostics) {
    let stderr = &program.terminal.stderr;
    stderr.write(&render::diagnostics(sources, warnings, &stderr.palette, stderr.width));
}

/// Returns the values of variables from the command line and the environment.
pub(crate) fn variables(values: &ValueArguments) -> Result<Vec<VariableArgument>, Failure> {
    let mut variables = environment_variables()?;
    variables.extend(values.variables.iter().map(|(name, value)| VariableArgument {
        name: name.clone(),
        value: value.clone(),
        source: VariableSource::CommandLine,
    }));
    Ok(variables)
}

/// Returns the values of variables that the environment gives.
pub(crate) fn environment_variables() -> Result<Vec<VariableArgument>, Failure> {
    let mut variables = Vec::new();
    for (key, value) in std::env::vars_os() {
        let Some(name) = key.to_str().and_then(|key| key.strip_prefix(VARIABLE_PREFIX)) else {
            continue;
        };
        let value = value.into_string().map_err(|_| not_text(name))?;
        variables.push(VariableArgument {
            name: name.to_owned(),
            value,
            source: VariableSource::Environment,
        });
    }
    Ok(variables)
}

fn not_text(name: &str) -> Failure {
    let problem = Diagnostic::error("environment", "an environment variable is not UTF-8")
        .with_detail(format!("{VARIABLE_PREFIX}{name} has bytes in it that are no text."));
    Failure::error(problem)
}

/// Returns the nearest folder named `state`, going up from the spec's folder; if there is none,
/// the one that will be made inside it.
fn state_directory(spec: &Path) -> std::io::Result<PathBuf> {
    let absolute = spec.canonicalize()?;
    let folder = if absolute.is_dir() { &*absolute } else { absolute.parent().unwrap_or(&absolute) };
    let nearest = folder.ancestors().map(|folder| folder.join(STATE_FOLDER)).find(|folder| folder.is_dir());
    Ok(nearest.unwrap_or_else(|| folder.join(STATE_FOLDER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_has_a_state_of_its_own_and_means_its_environment() {
        let spec = tempfile::tempdir().unwrap();
        let location = |sandbox| StateLocationArguments { directory: Some("s".into()), sandbox };
        assert_eq!(directory_of(spec.path(), &location(true)).unwrap(), Path::new("s/sandbox"));
        assert_eq!(directory_of(spec.path(), &location(false)).unwrap(), Path::new("s"));
        let of = |given, sandbox| environment_of(spec.path(), given, &location(sandbox));
        assert_eq!(of(None, true), None, "the spec has none of that name");
        std::fs::create_dir(spec.path().join("envs")).unwrap();
        std::fs::write(spec.path().join("envs/sandbox.toml"), "").unwrap();
        assert_eq!(of(None, true).as_deref(), Some("sandbox"));
        assert_eq!(of(Some("prod"), true).as_deref(), Some("prod"));
        assert_eq!(of(None, false), None);
    }

    #[test]
    fn the_state_is_in_the_nearest_folder_of_that_name() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let spec = root.join("specs/shop");
        std::fs::create_dir_all(&spec).unwrap();
        std::fs::write(spec.join("stack.toml"), "").unwrap();
        assert_eq!(state_directory(&spec).unwrap(), spec.join("state"));
        std::fs::create_dir(root.join("state")).unwrap();
        assert_eq!(state_directory(&spec).unwrap(), root.join("state"));
        assert_eq!(state_directory(&spec.join("stack.toml")).unwrap(), root.join("state"));
        std::fs::create_dir(spec.join("state")).unwrap();
        assert_eq!(state_directory(&spec).unwrap(), spec.join("state"));
        assert!(state_directory(&root.join("nothing")).is_err());
    }
}
