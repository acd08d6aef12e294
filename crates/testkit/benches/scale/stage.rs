//! What is measured: a stage of the engine, or a command of the whole program, each in a process
//! of its own.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use straddle_engine::environment::SystemEnvironment;
use straddle_engine::event::{Event, Observer};
use straddle_engine::plan::{Mode, Options, Plan};
use straddle_engine::registry::Registry;
use straddle_engine::run::{Approval, Engine, Interrupt, Report, Settings};
use straddle_engine::spec::{LoadRequest, Spec, load};
use straddle_engine::state::LocalBackend;
use straddle_testkit::client::{CloudProvider, Network};
use straddle_testkit::clock::Clock;
use straddle_testkit::cloud::{Cloud, Pace};
use straddle_testkit::cloud_file::CloudFile;
use straddle_testkit::fault::Faults;
use straddle_testkit::kinds;
use wait4::Wait4;

use crate::cost::{Cost, CountedFiles, Counts, Meter, of_process};
use crate::memory;
use crate::shapes::STACK;

/// The stages of the engine, in the order in which they are measured.
pub(crate) const ENGINE: [&str; 7] =
    ["load", "plan-new", "apply", "plan-same", "memory", "change", "destroy"];

/// The commands of the whole program, in the order in which they are measured.
pub(crate) const PROGRAM: [&str; 10] = [
    "--version",
    "validate",
    "plan",
    "plan --json",
    "apply --auto-approve",
    "plan --detailed-exitcode",
    "plan --detailed-exitcode --json",
    "state list",
    "output",
    "destroy --auto-approve --json",
];

/// The folder of one case.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn spec(&self) -> PathBuf {
        self.0.join("spec")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    fn cloud(&self) -> PathBuf {
        self.0.join("cloud.json")
    }
}

/// Measures a stage of the engine in this process.
pub(crate) fn engine(stage: &str, folder: &Folder) -> Cost {
    let cloud = CloudFile::read(&folder.cloud()).map_or_else(|_| empty_cloud(), |file| file.cloud);
    let clock = Clock::starting_at(cloud.now());
    let bench = Bench::new(Network::new(cloud, clock), folder);
    let meter = Meter::start(&bench.counts);
    let (cost, resources) = match stage {
        "load" => {
            let spec = bench.load();
            (meter.stop(), spec.resources.len())
        }
        "plan-new" | "plan-same" => {
            let spec = bench.load();
            let plan = bench.plan(&spec);
            let cost = meter.stop();
            let expected = if stage == "plan-new" { spec.resources.len() } else { 0 };
            assert_eq!(plan.changes.len(), expected, "the plan is another one");
            (cost, spec.resources.len())
        }
        "apply" | "destroy" => {
            let spec = bench.load();
            let mode = if stage == "apply" { Mode::Apply } else { Mode::Destroy };
            let report = bench.apply(&spec, mode);
            let cost = meter.stop();
            assert_eq!(report.done.len(), spec.resources.len(), "{:?}", report.failures.first());
            (cost, spec.resources.len())
        }
        "change" => {
            let spec = bench.load_retagged(folder);
            let report = bench.apply(&spec, Mode::Apply);
            let cost = meter.stop();
            assert!(report.failures.is_empty(), "{:?}", report.failures.first());
            (cost, spec.resources.len())
        }
        "memory" => {
            let spec = bench.load();
            memory::show(&spec, &bench.registry, folder);
            (meter.stop(), spec.resources.len())
        }
        _ => panic!("there is no stage `{stage}`"),
    };
    let cloud = bench.network.cloud().clone();
    CloudFile { cloud, faults: Faults::none() }.write(&folder.cloud()).expect("the cloud can be kept");
    Cost { resources: resources as u64, ..cost }
}

/// Measures a command of the whole program.
#[expect(clippy::disallowed_methods, reason = "a benchmark is about the real time")]
pub(crate) fn program(command: &str, folder: &Folder) -> Cost {
    if !folder.cloud().exists() {
        let file = CloudFile { cloud: empty_cloud(), faults: Faults::none() };
        file.write(&folder.cloud()).expect("the cloud can be kept");
    }
    let started = Instant::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_straddle-testkit"));
    process.args(command.split(' ')).env("STRADDLE_CLOUD", folder.cloud());
    match command {
        "--version" => {}
        "validate" => {
            process.arg(folder.spec());
        }
        "output" => {
            process.arg("--spec").arg(folder.spec()).arg("--state-dir").arg(folder.state());
        }
        _ => {
            process.arg(folder.spec()).arg("--state-dir").arg(folder.state());
        }
    }
    // Files, since a full pipe would hold the program up.
    let [output, errors] =
        [(); 2].map(|()| tempfile::tempfile().expect("there is a folder for temporary files"));
    let copy = |file: &File| file.try_clone().expect("an open file can be opened twice");
    process.stdin(Stdio::null()).stdout(copy(&output)).stderr(copy(&errors));
    let mut process = process.spawn().expect("the program can be started");
    let finished = process.wait4().expect("a process that was started can be waited for");
    let [output, errors] = [output, errors].map(written);
    let told = String::from_utf8_lossy(&errors);
    assert!(finished.status.success(), "{command}: {}", told.chars().take(2000).collect::<String>());
    let written = (output.len() + errors.len()) as u64;
    Cost { written, ..of_process(&finished.rusage, started.elapsed()) }
}

fn written(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("what was written can be read");
    bytes
}

fn empty_cloud() -> Cloud {
    Cloud::new(0, Pace::INSTANT).without_quotas()
}

/// A cloud in memory and a state on the disk.
struct Bench {
    network: Network,
    registry: Registry,
    spec: PathBuf,
    backend: LocalBackend,
    counts: Arc<Counts>,
}

impl Bench {
    fn new(network: Network, folder: &Folder) -> Self {
        let counts = Arc::new(Counts::default());
        Self {
            registry: kinds::registry(CloudProvider::new(network.clone())),
            network,
            spec: folder.spec(),
            backend: LocalBackend::with_files(Arc::new(CountedFiles(counts.clone())), folder.state(), STACK),
            counts,
        }
    }

    fn load(&self) -> Spec {
        self.load_from(&self.spec)
    }

    /// Loads the spec with another tag on everything.
    fn load_retagged(&self, folder: &Folder) -> Spec {
        let head = folder.spec().join("stack.toml");
        let text = std::fs::read_to_string(&head).expect("the spec can be read");
        std::fs::write(&head, text.replace("benchmark", "somebody else")).expect("the spec can be written");
        self.load()
    }

    fn load_from(&self, path: &Path) -> Spec {
        let request = LoadRequest { path: path.to_owned(), ..LoadRequest::default() };
        let loaded = load(&request, &self.registry);
        loaded.unwrap_or_else(|failure| panic!("{:?}", failure.diagnostics.iter().next())).spec
    }

    fn plan(&self, spec: &Spec) -> Plan {
        self.run(async |engine| engine.plan(spec, Mode::Apply, &Options::default()).await)
            .expect("the plan is allowed")
    }

    fn apply(&self, spec: &Spec, mode: Mode) -> Report {
        self.run(async |engine| {
            engine.apply(spec, mode, &Options::default(), Approval::Ask(&mut |_| true)).await
        })
        .expect("nothing goes wrong")
    }

    fn run<T>(&self, work: impl AsyncFnOnce(&Engine<'_>) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.expect("there are threads").block_on(work(&Engine {
            registry: &self.registry,
            backend: &self.backend,
            environment: &SystemEnvironment,
            observer: &Nobody,
            settings: Settings::default(),
            interrupt: Interrupt::default(),
        }))
    }
}

struct Nobody;

impl Observer for Nobody {
    fn notify(&self, _: &Event) {}
}
