//! Kinds of which a part can fail and be made anew, kinds that are never deleted, and attributes
//! whose differences are left alone.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod stubborn;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use straddle_engine::address::{AccountName, RemoteId};
use straddle_engine::environment::SystemEnvironment;
use straddle_engine::event::{Event, Observer, Verb};
use straddle_engine::plan::{ChangeAction, Mode, Options, Plan, Reason};
use straddle_engine::provider::{Account, BoxFuture, Connection, ErrorClass, Provider, ProviderError};
use straddle_engine::registry::Registry;
use straddle_engine::resource::{
    Intent, Listing, Observed, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::run::{Approval, Engine, Interrupt, Report, RunError, Settings};
use straddle_engine::schema::{AttributeSchema, Attributes};
use straddle_engine::sharing::Sharing;
use straddle_engine::spec::{LoadRequest, Spec, load};
use straddle_engine::state::{Backend, LocalBackend, Status, recovered};
use straddle_testkit::memory_files::MemoryFiles;

/// What the service has, and has been asked for.
#[derive(Debug, Default)]
struct Service {
    /// The panel's parts, and whether each works; `None` if there is no panel.
    panel: Option<BTreeMap<String, bool>>,
    /// How often putting in a part fails from now on.
    failures: BTreeMap<String, usize>,
    /// The parts that do not work and are not made anew.
    suspended: BTreeSet<String>,
    label: Option<String>,
    /// How many creates are refused since something else is made.
    busy: usize,
    /// How many deletions fail from now on.
    failing_deletions: usize,
    /// Whether the last deletion has failed.
    is_stuck: bool,
    calls: Vec<String>,
}

impl Service {
    fn put(&mut self, part: &str) {
        let left = self.failures.get_mut(part).filter(|left| **left > 0);
        let works = left.map(|left| *left -= 1).is_none();
        self.panel.as_mut().unwrap().insert(part.to_owned(), works);
    }
}

type Client = Arc<Mutex<Service>>;

struct Shop(Client);

impl Provider for Shop {
    fn account_attributes(&self) -> Vec<AttributeSchema> {
        Vec::new()
    }

    fn connect<'a>(&'a self, _: &'a Account) -> BoxFuture<'a, Result<Connection, ProviderError>> {
        Box::pin(async { Ok(Connection::new(Arc::clone(&self.0))) })
    }
}

/// A panel of parts. `RETAINED` makes it one that others rely on.
struct Panel<const RETAINED: bool>;

/// A panel.
#[derive(Debug, Clone, PartialEq, Attributes)]
struct Inputs {
    /// The parts.
    parts: BTreeSet<String>,
    /// What is written on it; not by its create.
    label: Option<String>,
}

/// What only the service knows.
#[derive(Debug, Clone, PartialEq, Attributes)]
struct Outputs {
    /// The parts that do not work.
    #[attribute(volatile)]
    broken: BTreeSet<String>,
}

struct Seen {
    panel: Option<BTreeMap<String, bool>>,
    suspended: BTreeSet<String>,
    label: Option<String>,
    is_stuck: bool,
}

impl Listing for Seen {
    type Client = Client;

    async fn fetch(client: &Client, _: &[RemoteId]) -> Result<Self, ProviderError> {
        let service = client.lock().unwrap();
        let (suspended, label) = (service.suspended.clone(), service.label.clone());
        Ok(Self { panel: service.panel.clone(), suspended, label, is_stuck: service.is_stuck })
    }
}

#[derive(Debug, PartialEq)]
enum PanelStep {
    TakeOut(String),
    PutIn(String),
    Write(String),
    Delete,
}

impl Step for PanelStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::TakeOut(_) => "TakeOut",
            Self::PutIn(_) => "PutIn",
            Self::Write(_) => "Write",
            Self::Delete => "Delete",
        }
    }
}

impl<const RETAINED: bool> Resource for Panel<RETAINED> {
    const KIND: &'static str = if RETAINED { "public_panel" } else { "panel" };
    const TRAITS: Traits = Traits {
        service: "shop",
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(30),
        poll: Duration::from_secs(1),
    };
    const RETAINED: bool = RETAINED;

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Seen;
    type Step = PanelStep;

    fn observe(listing: &Seen, _: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        let parts = listing.panel.as_ref()?;
        let broken: BTreeSet<_> =
            parts.iter().filter(|(_, works)| !**works).map(|(part, _)| part.clone()).collect();
        let suspended = listing.suspended.iter().find(|part| parts.contains_key(*part));
        let readiness = broken
            .first()
            .or(suspended)
            .map_or(Readiness::Ready, |part| Readiness::Impaired(format!("{part} does not work")));
        let readiness =
            if listing.is_stuck { Readiness::Failed("it is screwed on".to_owned()) } else { readiness };
        Some(Observed {
            inputs: Inputs { parts: parts.keys().cloned().collect(), label: listing.label.clone() },
            outputs: Outputs { broken },
            readiness,
        })
    }

    async fn create(client: &Client, _: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        let mut service = client.lock().unwrap();
        if service.busy > 0 {
            service.busy -= 1;
            return Err(ProviderError::new(ErrorClass::Busy, "Create", "another panel is being made"));
        }
        service.calls.push("Create".to_owned());
        service.panel = Some(BTreeMap::new());
        inputs.parts.iter().for_each(|part| service.put(part));
        Ok(RemoteId::new("panel-1"))
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<PanelStep> {
        let Some(desired) = desired else { return Some(PanelStep::Delete) };
        let found = &observed.inputs.parts;
        let surplus = observed.outputs.broken.first().or_else(|| found.difference(&desired.parts).next());
        let missing = || desired.parts.difference(found).next();
        surplus
            .map(|part| PanelStep::TakeOut(part.clone()))
            .or_else(|| missing().map(|part| PanelStep::PutIn(part.clone())))
            .or_else(|| {
                let label =
                    desired.label.clone().filter(|label| observed.inputs.label.as_ref() != Some(label));
                label.map(PanelStep::Write)
            })
    }

    async fn perform(
        client: &Client,
        _: &RemoteId,
        step: &PanelStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let mut service = client.lock().unwrap();
        service.calls.push(step.operation().to_owned());
        match step {
            PanelStep::TakeOut(part) => drop(service.panel.as_mut().unwrap().remove(part)),
            PanelStep::PutIn(part) => service.put(part),
            PanelStep::Write(label) => service.label = Some(label.clone()),
            PanelStep::Delete if service.failing_deletions > 0 => {
                service.failing_deletions -= 1;
                service.is_stuck = true;
            }
            PanelStep::Delete => service.panel = None,
        }
        Ok(None)
    }

    async fn find(client: &Client, _: &Intent, _: &Inputs) -> Result<Vec<RemoteId>, ProviderError> {
        Ok(client.lock().unwrap().panel.iter().map(|_| RemoteId::new("panel-1")).collect())
    }
}

/// Lets a panel be a share of its parts, so that parts go in an operation of their own.
const SHARING: Sharing = Sharing {
    share: "panel",
    resources: "parts",
    principals: "nobody",
    shareable: &[],
    precondition: None,
    accepter: None,
    advice: "",
};

struct Silence;

impl Observer for Silence {
    fn notify(&self, _: &Event) {}
}

/// A service, a state and a spec with one panel.
struct Workshop {
    service: Client,
    registry: Registry,
    backend: LocalBackend,
    spec: Spec,
}

fn spec(registry: &Registry, block: &str) -> Spec {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[stack]\nname = \"shop\"\n[account.a]\nid = \"111111111111\"\nregion = \"here\"\n\
         [defaults]\naccount = \"a\"\n{block}"
    );
    fs::write(folder.path().join("spec.toml"), text).unwrap();
    let request = LoadRequest { path: folder.path().to_owned(), ..LoadRequest::default() };
    load(&request, registry).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

impl Workshop {
    fn new(resource: &str) -> Self {
        let service = Client::default();
        let registry = Registry::new(Shop(Arc::clone(&service))).with::<Panel<false>>().with::<Panel<true>>();
        let registry = registry.with_sharing(SHARING);
        let spec = spec(&registry, &format!("[{resource}]\nparts = [\"left\", \"right\"]\n"));
        let backend = LocalBackend::with_files(Arc::new(MemoryFiles::default()), "state", "shop");
        Self { service, registry, backend, spec }
    }

    /// Wants another panel from now on.
    fn want(&mut self, attributes: &str) {
        self.spec = spec(&self.registry, &format!("[panel.main]\n{attributes}\n"));
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap()
    }

    /// Returns the calls since the last look.
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.service().calls)
    }

    fn run<T>(&self, work: impl AsyncFnOnce(&Engine<'_>) -> T) -> T {
        let engine = Engine {
            registry: &self.registry,
            backend: &self.backend,
            environment: &SystemEnvironment,
            observer: &Silence,
            settings: Settings::default(),
            interrupt: Interrupt::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(work(&engine))
    }

    fn plan(&self, mode: Mode) -> Plan {
        self.run(async |engine| engine.plan(&self.spec, mode, &Options::default()).await).unwrap()
    }

    fn apply(&self, mode: Mode) -> Report {
        self.apply_after(mode, |_| {})
    }

    /// Applies, and lets others do something between the plan and that.
    fn apply_after(&self, mode: Mode, meddle: impl Fn(&mut Service) + Sync) -> Report {
        let mut approve = |_: &Plan| {
            meddle(&mut self.service());
            true
        };
        self.run(async |engine| {
            engine.apply(&self.spec, mode, &Options::default(), Approval::Ask(&mut approve)).await
        })
        .unwrap()
    }

    /// Returns the only change of a plan: what is done, and why.
    fn only_change(&self, mode: Mode) -> (ChangeAction, Vec<Reason>) {
        let changes = self.plan(mode).changes;
        let [change] = changes.as_slice() else { panic!("{changes:#?}") };
        (change.action, change.reasons.clone())
    }

    /// Returns the id and the status that the state has of the panel.
    fn recorded(&self) -> (String, Status) {
        let read = self.run(async |_| self.backend.read().await).unwrap();
        let state = recovered(read).unwrap().unwrap();
        let object = state.resources.values().next().unwrap().object.clone().unwrap();
        (object.remote_id.to_string(), object.status)
    }
}

fn impaired(part: &str) -> Reason {
    Reason::Impaired { reason: format!("{part} does not work") }
}

#[test]
fn a_part_that_fails_once_is_made_anew_at_once() {
    let workshop = Workshop::new("panel.main");
    workshop.service().failures.insert("right".to_owned(), 1);
    assert_eq!(workshop.apply(Mode::Apply).failures, []);
    assert_eq!(workshop.calls(), ["Create", "TakeOut", "PutIn"]);
    assert!(workshop.plan(Mode::Apply).is_empty());
}

#[test]
fn a_part_that_fails_again_after_its_repair_stops_the_operation_and_keeps_the_id() {
    let workshop = Workshop::new("panel.main");
    workshop.service().failures.insert("right".to_owned(), usize::MAX);
    let report = workshop.apply(Mode::Apply);
    assert_eq!(report.failures[0].error, "right does not work");
    assert!(report.failures[0].hint.as_ref().unwrap().contains("made anew"), "{report:?}");
    assert_eq!(workshop.calls(), ["Create", "TakeOut", "PutIn"]);
    let failed = Status::Failed("right does not work".to_owned());
    assert_eq!(workshop.recorded(), ("panel-1".to_owned(), failed));
    let repair = (ChangeAction::Update, vec![impaired("right"), Reason::Unfinished]);
    assert_eq!(workshop.only_change(Mode::Apply), repair);
    workshop.service().failures.clear();
    assert_eq!(workshop.apply(Mode::Apply).failures, []);
    assert_eq!(workshop.calls(), ["TakeOut", "PutIn"]);
    assert_eq!(workshop.recorded(), ("panel-1".to_owned(), Status::Ready));
}

#[test]
fn parts_that_fail_later_are_offered_for_repair_and_not_for_replacement() {
    let workshop = Workshop::new("panel.main");
    workshop.apply(Mode::Apply);
    workshop.calls();
    workshop.service().panel.as_mut().unwrap().values_mut().for_each(|works| *works = false);
    assert_eq!(workshop.only_change(Mode::Apply), (ChangeAction::Update, vec![impaired("left")]));
    assert_eq!(workshop.apply(Mode::Apply).failures, []);
    assert_eq!(workshop.calls(), ["TakeOut", "TakeOut", "PutIn", "PutIn"]);
}

/// What goes later is neither repaired before it goes nor keeps what comes from coming.
#[test]
fn a_part_that_never_works_can_be_taken_out_of_a_share() {
    let mut workshop = Workshop::new("panel.main");
    workshop.service().failures.insert("right".to_owned(), usize::MAX);
    assert_eq!(workshop.apply(Mode::Apply).failures.len(), 1);
    workshop.calls();
    workshop.want("parts = ['left', 'middle']");
    let report = workshop.apply(Mode::Apply);
    assert_eq!(report.failures, []);
    let verbs: Vec<_> = report.done.iter().map(|(_, verb)| *verb).collect();
    assert_eq!(verbs, [Verb::Update, Verb::Withdraw]);
    assert_eq!(workshop.calls(), ["TakeOut", "PutIn"]);
    assert!(workshop.plan(Mode::Apply).is_empty());
}

/// Nothing repairs it, so that no step comes of it: it is left in until its turn to go comes.
#[test]
fn a_part_that_is_suspended_can_be_taken_out_of_a_share() {
    let mut workshop = Workshop::new("panel.main");
    workshop.apply(Mode::Apply);
    workshop.service().suspended.insert("right".to_owned());
    workshop.calls();
    workshop.want("parts = ['left', 'middle']");
    assert_eq!(workshop.apply(Mode::Apply).failures, []);
    assert_eq!(workshop.calls(), ["PutIn", "TakeOut"]);
    assert!(workshop.plan(Mode::Apply).is_empty());
}

#[test]
fn what_is_impaired_can_be_deleted() {
    let workshop = Workshop::new("panel.main");
    workshop.apply(Mode::Apply);
    workshop.service().panel.as_mut().unwrap().values_mut().for_each(|works| *works = false);
    assert_eq!(workshop.apply(Mode::Destroy).failures, []);
    assert_eq!(workshop.service().panel, None);
}

#[test]
fn what_others_rely_on_is_only_forgotten() {
    let workshop = Workshop::new("public_panel.main");
    workshop.apply(Mode::Apply);
    workshop.calls();
    let forgotten = (ChangeAction::Forget, vec![Reason::NeverDeleted]);
    assert_eq!(workshop.only_change(Mode::Destroy), forgotten);
    assert_eq!(workshop.apply(Mode::Destroy).failures, []);
    assert_eq!(workshop.calls(), Vec::<String>::new());
    assert!(workshop.service().panel.is_some());
    assert!(workshop.plan(Mode::Destroy).is_empty());
}

/// Its service would only answer with the same one.
#[test]
fn what_others_rely_on_cannot_be_replaced() {
    let workshop = Workshop::new("public_panel.main");
    workshop.apply(Mode::Apply);
    let replace = ["public_panel.main".parse().unwrap()].into();
    let options = Options { replace, ..Options::default() };
    let plan = workshop.run(async |engine| engine.plan(&workshop.spec, Mode::Apply, &options).await);
    let Err(RunError::Diagnostics(problems)) = plan else { panic!("{plan:#?}") };
    let problem = problems.iter().next().unwrap();
    assert_eq!((problem.code, problem.span.is_some()), ("cannot-replace", true));
    assert!(problem.detail.contains("--replace public_panel.main"), "{problem:#?}");
}

/// One that moves to another account leaves the old one as it is.
#[test]
fn what_others_rely_on_stays_where_it_was_when_it_moves() {
    let mut workshop = Workshop::new("public_panel.main");
    workshop.apply(Mode::Apply);
    let other = AccountName::new("b");
    let account = Account { name: other.clone(), ..workshop.spec.accounts.values().next().unwrap().clone() };
    workshop.spec.accounts.insert(other.clone(), account);
    workshop.spec.resources.values_mut().for_each(|node| node.account = other.clone());
    workshop.calls();
    assert_eq!(workshop.apply(Mode::Apply).failures, []);
    assert_eq!(workshop.calls(), ["Create"]);
}

const LEFT_ALONE: &str = "parts = ['left', 'right']\nignore_changes = ['parts', 'label']\n";

/// What nobody but an unfinished create has left different is no difference of others.
#[test]
fn a_create_that_was_interrupted_brings_also_what_is_left_alone_later() {
    let mut workshop = Workshop::new("panel.main");
    workshop.want(&format!("{LEFT_ALONE}label = 'first'"));
    workshop.service().failures.insert("right".to_owned(), usize::MAX);
    assert_eq!(workshop.apply(Mode::Apply).failures.len(), 1);
    workshop.service().failures.clear();
    assert_eq!(workshop.apply(Mode::Apply).failures, []);
    assert_eq!(workshop.service().label.as_deref(), Some("first"));
    workshop.service().label = Some("other".to_owned());
    assert!(workshop.plan(Mode::Apply).is_empty());
}

#[test]
fn what_is_left_alone_stays_as_it_is_found_also_if_it_changes_after_the_plan() {
    let mut workshop = Workshop::new("panel.main");
    workshop.want("parts = ['left', 'right']");
    workshop.apply(Mode::Apply);
    workshop.want("parts = ['left', 'right']\nignore_changes = ['parts']\nlabel = 'new'");
    workshop.calls();
    let report = workshop.apply_after(Mode::Apply, |service| {
        service.panel.as_mut().unwrap().insert("foreign".to_owned(), true);
    });
    assert_eq!(report.failures, []);
    assert_eq!(workshop.calls(), ["Write"]);
}

#[test]
fn a_part_that_fails_is_put_back_in_also_if_the_parts_are_left_alone() {
    let mut workshop = Workshop::new("panel.main");
    workshop.want(LEFT_ALONE);
    workshop.apply(Mode::Apply);
    workshop.calls();
    workshop.service().panel.as_mut().unwrap().insert("right".to_owned(), false);
    assert_eq!(workshop.apply(Mode::Apply).failures, []);
    assert_eq!(workshop.calls(), ["TakeOut", "PutIn"]);
}
