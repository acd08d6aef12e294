//! A world in which the engine runs: a cloud, a disk and a clock that outlive its runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use straddle_engine::environment::Environment;
use straddle_engine::event::{Event, Observer};
use straddle_engine::import::ImportReport;
use straddle_engine::plan::{Mode, Options, Plan};
use straddle_engine::registry::Registry;
use straddle_engine::run::{Approval, Engine, Interrupt, Report, RunError, Settings};
use straddle_engine::spec::{ImportNode, Spec};
use straddle_engine::state::{Backend, LocalBackend, State, StateError, recovered};

use crate::census::Census;
use crate::client::{CloudProvider, Network};
use crate::clock::Clock;
use crate::cloud::{Cloud, Pace};
use crate::fault::Faults;
use crate::kinds;
use crate::memory_files::{self, MemoryFiles, Remains};
use crate::random::Random;

/// When the world began: 2026-01-01 in seconds since 1970.
const BEGINNING: i64 = 1_767_225_600;

/// How long a run may take, in the time of the world.
const DEADLINE: Duration = Duration::from_hours(24);

/// A cloud, a disk and a clock that outlive the runs of the engine. The same seed and the same
/// orders make the same history.
pub struct World {
    /// The cloud, and the way to it.
    pub network: Network,
    /// The disk that has the state.
    pub disk: MemoryFiles,
    /// Numbers that a user may set.
    pub settings: Settings,
    registry: Registry,
    random: Arc<Mutex<Random>>,
}

/// What to run, and what goes wrong.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// What is wanted.
    pub spec: &'a Spec,
    /// Whether the stack is to be made or to be destroyed.
    pub mode: Mode,
    /// What the user asks for besides.
    pub options: Options,
    /// What goes wrong with calls.
    pub faults: Faults,
    /// What goes wrong with the file operation of this number, counted from 0.
    pub disk_fault: Option<(u64, memory_files::Fault)>,
}

impl<'a> Order<'a> {
    /// Orders a run in which nothing goes wrong.
    #[must_use]
    pub fn new(spec: &'a Spec, mode: Mode) -> Self {
        Self { spec, mode, options: Options::default(), faults: Faults::none(), disk_fault: None }
    }

    /// Asks for this besides.
    #[must_use]
    pub fn with_options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Lets this go wrong with calls.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Lets this go wrong with the file operation of this number, counted from 0.
    #[must_use]
    pub fn with_disk_fault(self, operation: u64, fault: memory_files::Fault) -> Self {
        Self { disk_fault: Some((operation, fault)), ..self }
    }
}

/// How a run ended.
#[derive(Debug)]
pub enum Ending<T> {
    /// By itself.
    Done(T),
    /// It could not do what was ordered.
    Refused(RunError),
    /// Its process died.
    Crashed,
    /// It did not end within a day of the world's time.
    Stuck,
}

impl<T> Ending<T> {
    /// Returns what came of it.
    ///
    /// # Panics
    /// If the run did not end by itself.
    pub fn expect_done(self, what: &str) -> T {
        match self {
            Self::Done(done) => done,
            Self::Refused(error) => panic!("{what} was refused: {error:?}"),
            Self::Crashed => panic!("{what} crashed"),
            Self::Stuck => panic!("{what} did not end"),
        }
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Trial<T> {
    /// How it ended.
    pub ending: Ending<T>,
    /// What it told its observer.
    pub events: Vec<Event>,
    /// The place in the cloud's log at which it began.
    pub log_start: usize,
    /// How many mutating calls it sent.
    pub mutating_calls: usize,
    /// How many file operations it had.
    pub file_operations: u64,
}

impl World {
    /// Makes an empty world; `seed` decides everything that is left to chance in it.
    #[must_use]
    pub fn new(seed: u64, pace: Pace) -> Self {
        let network = Network::new(Cloud::new(seed, pace), Clock::default());
        let disk = MemoryFiles::of_machine(network.crash().clone());
        Self {
            registry: kinds::registry(CloudProvider::new(network.clone())),
            network,
            disk,
            settings: Settings::default(),
            random: Arc::new(Mutex::new(Random::new(!seed))),
        }
    }

    /// Lets runs look for what is left behind.
    #[must_use]
    pub fn with_audit(self) -> Self {
        let registry = self.registry.clone().with_audit(Census(self.network.clone()));
        Self { registry, ..self }
    }

    /// Returns every kind on the world's cloud.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Plans.
    #[must_use]
    pub fn plan(&self, order: &Order<'_>) -> Trial<Plan> {
        self.run(order, async |engine| engine.plan(order.spec, order.mode, &order.options).await)
    }

    /// Applies whatever is planned.
    #[must_use]
    pub fn apply(&self, order: &Order<'_>) -> Trial<Report> {
        self.run(order, async |engine| {
            engine.apply(order.spec, order.mode, &order.options, Approval::Ask(&mut |_| true)).await
        })
    }

    /// Applies a plan that was made before.
    #[must_use]
    pub fn apply_saved(&self, order: &Order<'_>, plan: &Plan) -> Trial<Report> {
        self.run(order, async |engine| {
            engine.apply(order.spec, order.mode, &order.options, Approval::Saved(plan)).await
        })
    }

    /// Imports things that exist; what the order wants besides is not looked at.
    #[must_use]
    pub fn import(&self, order: &Order<'_>, imports: &[ImportNode]) -> Trial<ImportReport> {
        self.run(order, async |engine| engine.import(order.spec, imports).await)
    }

    /// Reads the state, with what a killed run left folded in.
    ///
    /// # Errors
    /// If it cannot be used.
    ///
    /// # Panics
    /// Never: the disk is in memory.
    pub fn state(&self, stack: &str) -> Result<Option<State>, StateError> {
        let backend = self.backend(stack);
        let reading = backend.read().now_or_never();
        recovered(reading.expect("a disk in memory does not keep anybody waiting")?)
    }

    /// Lets time pass between two runs.
    pub fn wait(&self, duration: Duration) {
        self.network.clock().advance(duration);
        let now = self.network.clock().now();
        self.network.cloud().settle(now);
    }

    fn backend(&self, stack: &str) -> LocalBackend {
        LocalBackend::with_files(Arc::new(self.disk.clone()), "state", stack)
    }

    fn run<T>(
        &self,
        order: &Order<'_>,
        work: impl AsyncFnOnce(&Engine<'_>) -> Result<T, RunError>,
    ) -> Trial<T> {
        *self.network.faults() = order.faults.clone();
        let operations = self.disk.operations();
        if let Some((operation, fault)) = order.disk_fault {
            self.disk.fail_at(operations + operation, fault);
        }
        let log_start = self.network.cloud().log().len();
        let interrupt = Interrupt::default();
        *self.network.interrupt() = interrupt.clone();
        let recorder = Recorder::default();
        let environment =
            SimulatedEnvironment { clock: self.network.clock().clone(), random: self.random.clone() };
        let backend = self.backend(&order.spec.stack.name);
        let engine = Engine {
            registry: &self.registry,
            backend: &backend,
            environment: &environment,
            observer: &recorder,
            settings: self.settings,
            interrupt,
        };
        let ending = self.live(work(&engine));
        let mutating_calls = self.network.faults().mutating_calls();
        let file_operations = self.disk.operations() - operations;
        Trial { ending, events: recorder.into_events(), log_start, mutating_calls, file_operations }
    }

    /// Lets a process live until it ends by itself, dies, or takes too long.
    fn live<T>(&self, work: impl Future<Output = Result<T, RunError>>) -> Ending<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without input and output needs nothing of the system");
        let ending = runtime.block_on(async {
            self.network.clock().start();
            let ending = tokio::select! {
                biased;
                () = self.network.crash().wait() => Ending::Crashed,
                result = tokio::time::timeout(DEADLINE, work) => match result {
                    Ok(Ok(done)) => Ending::Done(done),
                    Ok(Err(error)) => Ending::Refused(error),
                    Err(_) => Ending::Stuck,
                },
            };
            self.network.clock().stop();
            ending
        });
        drop(runtime);
        self.disk.repair();
        let crashed = self.network.crash().has_happened();
        if crashed {
            let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
            self.disk.restart(*random.pick(&Remains::ALL), *random.pick(&Remains::ALL));
        }
        self.network.crash().recover();
        if crashed { Ending::Crashed } else { ending }
    }
}

/// The world's time and chance.
struct SimulatedEnvironment {
    clock: Clock,
    random: Arc<Mutex<Random>>,
}

impl Environment for SimulatedEnvironment {
    fn now(&self) -> Timestamp {
        let beginning = Timestamp::from_second(BEGINNING).expect("the beginning is a time");
        beginning + self.clock.now()
    }

    fn random(&self) -> u128 {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        u128::from(random.bits()) << 64 | u128::from(random.bits())
    }
}

/// Keeps the events of a run.
#[derive(Debug, Default)]
struct Recorder {
    events: Mutex<Vec<Event>>,
}

impl Recorder {
    fn into_events(self) -> Vec<Event> {
        self.events.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Recorder {
    fn notify(&self, event: &Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}
