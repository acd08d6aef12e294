//! Where a rehearsal plays: a sandbox of its own in the same thread, a state in memory, and a time that nobody waits
//! for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use straddle_engine::event::Observer;
use straddle_engine::outside::Outside;
use straddle_engine::plan::{Mode, Options, Plan};
use straddle_engine::registry::Registry;
use straddle_engine::run::{Approval, Engine, Interrupt, Report, RunError, Settings};
use straddle_engine::spec::{LoadFailure, LoadRequest, Spec, load};
use straddle_engine::state::{Backend, MemoryBackend, Stored, recovered};
use straddle_sandbox::{
    AccountId, FaultRule, LoggedRequest, Sandbox, SandboxError, SandboxSettings, Witness, WorldCopy,
};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::clock::StageClock;
use super::crash::{Crash, Mortal};
use super::timing::{Timed, Timing};
use crate::commands::sandbox::start::sandbox_failure;
use crate::exit::Exit;
use crate::failure::Failure;

/// A run that takes longer than this, in its own time, never ends.
const LONGEST: Duration = Duration::from_hours(24);
/// Where what is of no region is.
const GLOBAL: &str = "us-east-1";

/// What a rehearsal needs, the same for all of them.
pub(crate) struct Play<'a> {
    pub(crate) registry: &'a Registry,
    /// How the spec is loaded: each time anew, since a spec keeps what is drawn by chance in a run.
    pub(crate) request: &'a LoadRequest,
    pub(crate) sandbox: SandboxSettings,
    pub(crate) settings: Settings,
}

/// Everything as it is after a run: from here others can go on.
#[derive(Clone)]
pub(crate) struct Scene {
    world: WorldCopy,
    stored: Stored,
    /// What was there before the stack.
    foreign: Things,
}

/// ARNs by account.
type Things = BTreeMap<AccountId, BTreeSet<String>>;

/// A stage with a play on it.
pub(crate) struct Stage<'a> {
    play: &'a Play<'a>,
    /// The spec, led into the sandbox.
    spec: Spec,
    clock: StageClock,
    witness: Witness,
    backend: MemoryBackend,
    foreign: Things,
    /// Ends the sandbox when it is dropped.
    _end: oneshot::Sender<()>,
    _serving: JoinSet<Result<(), SandboxError>>,
}

/// How a run came to its end.
pub(crate) enum Ending {
    /// It reported.
    Reported(Box<Report>),
    /// It could not do what was asked.
    Failed(RunError),
    /// It died, as it was to.
    Died,
    /// It went on for ever.
    Endless,
}

/// A run that is over.
pub(crate) struct Played {
    pub(crate) ending: Ending,
    /// How often it wrote its state down.
    pub(crate) writes: u64,
    pub(crate) timed: Vec<Timed>,
    pub(crate) elapsed: Duration,
    /// What it asked of services and clusters, as far as the sandbox remembers it.
    pub(crate) requests: Vec<LoggedRequest>,
}

/// Returns a runtime for stages: one thread, and time that passes only when all wait.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
}

impl Play<'_> {
    fn load(&self) -> Result<Spec, Failure> {
        let loaded = load(self.request, self.registry).map_err(|failure| {
            let LoadFailure { sources, diagnostics, .. } = *failure;
            Failure { exit: Exit::Error, sources, diagnostics }
        })?;
        Ok(loaded.spec)
    }
}

impl<'a> Stage<'a> {
    /// Opens a stage with nothing on it, or at a scene. Must be called inside a [`runtime`]. Stages with different
    /// seeds give different ids.
    pub(crate) async fn open(play: &'a Play<'a>, scene: Option<Scene>, seed: u64) -> Result<Self, Failure> {
        let settings = play.sandbox.clone();
        let (sandbox, backend, foreign) = match scene {
            None => {
                let sandbox = Sandbox::open(settings).await.map_err(sandbox_failure)?;
                (sandbox, MemoryBackend::default(), None)
            }
            Some(Scene { world, stored, foreign }) => {
                let sandbox = Sandbox::open_copy(settings, world).await.map_err(sandbox_failure)?;
                (sandbox, MemoryBackend::holding(stored), Some(foreign))
            }
        };
        let witness = sandbox.witness();
        let status = witness.status();
        let (end, ended) = oneshot::channel::<()>();
        let mut serving = JoinSet::new();
        serving.spawn(sandbox.serve(async { drop(ended.await) }));
        let mut spec = play.load()?;
        for account in spec.accounts.values_mut() {
            account.sandbox = Some(status.endpoint.clone());
            account.outside = Outside::Substitute(status.outside.clone());
        }
        let clock = StageClock::new(status.time, seed);
        let mut stage = Self {
            play,
            spec,
            clock,
            witness,
            backend,
            foreign: Things::new(),
            _end: end,
            _serving: serving,
        };
        stage.foreign = foreign.unwrap_or_else(|| stage.things());
        Ok(stage)
    }

    /// Lets one call go wrong, in the runs from here on.
    pub(crate) fn add_fault(&self, rule: FaultRule) {
        self.witness.add_fault(rule);
    }

    /// Takes that fault away, and tells whether a call has met it.
    pub(crate) fn take_fault(&self) -> bool {
        self.witness.take_fault() > 0
    }

    /// Makes a plan and carries it out.
    pub(crate) async fn run(&self, mode: Mode, crash: Option<Crash>) -> Played {
        let (mortal, timing) = (Mortal::new(&self.backend, crash), Timing::begin());
        let (begun, asked) = (Instant::now(), self.witness.status().requests);
        let engine = self.engine(&mortal, &timing);
        let mut yes = |_: &Plan| true;
        let options = Options::default();
        let run = engine.apply(&self.spec, mode, &options, Approval::Ask(&mut yes));
        let ending = tokio::select! {
            biased;
            ended = tokio::time::timeout(LONGEST, run) => match ended {
                Ok(Ok(report)) => Ending::Reported(Box::new(report)),
                Ok(Err(error)) => Ending::Failed(error),
                Err(_) => Ending::Endless,
            },
            () = mortal.died() => Ending::Died,
        };
        drop(engine);
        let (writes, elapsed) = (mortal.writes(), begun.elapsed());
        let requests = own(self.witness.requests_after(asked));
        Played { ending, writes, timed: timing.done(), elapsed, requests }
    }

    /// Tells what an apply would do now.
    pub(crate) async fn plan(&self) -> Result<Plan, RunError> {
        let timing = Timing::begin();
        self.engine(&self.backend, &timing).plan(&self.spec, Mode::Apply, &Options::default()).await
    }

    /// Returns what is there that was not, account by account.
    pub(crate) fn leaked(&self) -> Vec<String> {
        let new = |(account, arns): (AccountId, BTreeSet<String>)| {
            let foreign = self.foreign.get(&account).cloned().unwrap_or_default();
            arns.into_iter().filter(move |arn| !foreign.contains(arn)).collect::<Vec<_>>()
        };
        self.things().into_iter().flat_map(new).collect()
    }

    /// Returns the addresses that the state still has.
    pub(crate) fn recorded(&self) -> Vec<String> {
        let state = recovered(self.backend.stored()).ok().flatten();
        state.map(|state| state.resources.keys().map(ToString::to_string).collect()).unwrap_or_default()
    }

    /// Keeps everything as it is now.
    pub(crate) fn scene(&self) -> Scene {
        let (world, stored, foreign) = (self.witness.copy(), self.backend.stored(), self.foreign.clone());
        Scene { world, stored, foreign }
    }

    fn engine<'e>(&'e self, backend: &'e dyn Backend, observer: &'e dyn Observer) -> Engine<'e> {
        Engine {
            registry: self.play.registry,
            backend,
            environment: &self.clock,
            observer,
            settings: self.play.settings,
            interrupt: Interrupt::default(),
        }
    }

    fn things(&self) -> Things {
        let regions = self.spec.accounts.values().map(|account| account.region.clone());
        self.witness.things(&regions.chain([GLOBAL.to_owned()]).collect())
    }
}

/// Leaves out what controllers in clusters have asked for.
fn own(requests: Vec<LoggedRequest>) -> Vec<LoggedRequest> {
    let is_own = |request: &LoggedRequest| request.principal == own_principal(&request.account);
    requests.into_iter().filter(is_own).collect()
}

/// Returns as whom a run in a sandbox acts.
pub(crate) fn own_principal(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}
