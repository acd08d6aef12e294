//! One module for each command: load, ask the engine, show.

pub(crate) mod apply;
mod carry_out;
pub(crate) mod charts;
pub(crate) mod cluster;
pub(crate) mod completions;
pub(crate) mod destroy;
pub(crate) mod format;
pub(crate) mod graph;
pub(crate) mod iam_policy;
pub(crate) mod import;
pub(crate) mod import_setup;
pub(crate) mod man;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod preflight;
pub(crate) mod reference;
pub(crate) mod rehearse;
pub(crate) mod sandbox;
pub(crate) mod schema;
pub(crate) mod state;
pub(crate) mod validate;
pub(crate) mod version;

use std::sync::Arc;

use straddle_engine::diagnostic::{Diagnostic, Sources};
use straddle_engine::environment::SystemEnvironment;
use straddle_engine::event::Observer;
use straddle_engine::registry::Registry;
use straddle_engine::run::{Engine, Interrupt, Settings};
use straddle_engine::state::{Backend, LocalBackend, State};
use tokio::runtime::Runtime;

use crate::failure::Failure;
use crate::interrupt::Signals;
use crate::progress::Progress;
use crate::render;
use crate::stream::JsonStream;
use crate::terminal::Terminal;

/// What every command works with.
pub(crate) struct Program {
    pub(crate) registry: Registry,
    pub(crate) terminal: Arc<Terminal>,
    /// Whether standard output is read by a program.
    pub(crate) is_json: bool,
    /// Where events go if a program reads them.
    pub(crate) stream: Option<Arc<JsonStream>>,
}

impl Program {
    fn engine<'a>(
        &'a self,
        backend: &'a dyn Backend,
        observer: &'a dyn Observer,
        settings: Settings,
        interrupt: Interrupt,
    ) -> Engine<'a> {
        Engine {
            registry: &self.registry,
            backend,
            environment: &SystemEnvironment,
            observer,
            settings,
            interrupt,
        }
    }

    /// Reads the state of a stack, with the records of a killed run.
    fn state(&self, backend: &LocalBackend) -> Result<Option<State>, Failure> {
        let engine = self.engine(backend, &Progress::Silent, Settings::default(), Interrupt::default());
        let state = runtime()?.block_on(engine.state());
        state.map_err(|error| render::run_failure(error, &Sources::default()))
    }
}

pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| no_resources("start the threads of the program", &error))
}

/// Takes over the signals. Must be called inside a runtime.
fn signals() -> Result<Signals, Failure> {
    Signals::listen().map_err(|error| no_resources("listen to signals", &error))
}

pub(crate) fn no_resources(action: &str, error: &std::io::Error) -> Failure {
    let problem = Diagnostic::error("system", "the operating system refused something")
        .with_detail(format!("Failed to {action}: {error}."));
    Failure::error(problem)
}
