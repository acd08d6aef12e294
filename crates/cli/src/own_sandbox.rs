//! A sandbox in the place of the accounts of a run. It serves while the run lasts, and its world is
//! kept beside the state, so that the next command goes on in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::outside::Outside;
use straddle_engine::spec::Spec;
use straddle_sandbox::{
    AccountId, Holder, Remote, Rules, Sandbox, SandboxError, SandboxSettings, Status, StoreError,
    WorldSettings,
};
use tokio::sync::oneshot;

use crate::arguments::PaceArguments;
use crate::commands::no_resources;
use crate::commands::sandbox::fault_file;
use crate::commands::sandbox::start::sandbox_failure;
use crate::failure::Failure;

/// The account of the spec that manages the organization, if there is one of that name.
const MANAGEMENT: &str = "management";
/// Else it is this one, with nothing in it.
const OTHER_MANAGEMENT: &str = "999999999999";
/// For how many seconds of the world reads do not know a new id: about as long as on AWS.
const CONSISTENCY_WINDOW: f64 = 1.0;

/// The variable with the endpoint of a sandbox that serves elsewhere.
pub(crate) const SANDBOX_VARIABLE: &str = "STRADDLE_SANDBOX";

/// A sandbox that serves for a run.
pub(crate) struct OwnSandbox {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    status: Status,
}

impl OwnSandbox {
    /// Starts a sandbox on the world in a file, with the accounts of the spec; without a file, on one that is gone
    /// afterwards. If another process serves the world already, that one is used.
    pub(crate) fn start(file: Option<&Path>, pace: &PaceArguments, spec: &Spec) -> Result<Self, Failure> {
        let accounts = accounts(spec)?;
        let settings = settings(file, pace, spec, accounts.clone())?;
        let (end, ended) = oneshot::channel();
        let (begun, answer) = mpsc::channel();
        let thread = std::thread::Builder::new().name("sandbox".to_owned());
        let thread = thread.spawn(move || serve(settings, &begun, ended));
        let thread = thread.map_err(|error| no_resources("start a thread", &error))?;
        let begun = answer.recv().unwrap_or_else(|_| Err(Begin::Failed(nobody_serves())));
        let status = match begun {
            Ok(status) => status,
            Err(Begin::Elsewhere(holder)) => join(&holder, &accounts)?,
            Err(Begin::Failed(failure)) => return Err(failure),
        };
        Ok(Self { end: Some(end), thread: Some(thread), status })
    }

    /// Leads the accounts of a spec there.
    pub(crate) fn lead(&self, spec: &mut Spec) {
        for account in spec.accounts.values_mut() {
            account.sandbox = Some(self.status.endpoint.clone());
            account.outside = self.outside();
        }
    }

    /// Returns how the hosts outside of it are reached.
    pub(crate) fn outside(&self) -> Outside {
        Outside::Substitute(self.status.outside.clone())
    }
}

/// Returns how hosts outside are reached: those of a sandbox that serves elsewhere, if the environment names one.
/// What `straddle sandbox env` prints leads to its services of AWS already. Without that the name is of no use, and
/// is not looked at, so that no real account is ever mixed with it.
pub(crate) fn outside_of_environment() -> Result<Outside, Failure> {
    outside_by(|name| std::env::var(name).ok())
}

fn outside_by(variable: impl Fn(&str) -> Option<String>) -> Result<Outside, Failure> {
    let named = |name: &str| variable(name).filter(|value| !value.is_empty());
    let Some(endpoint) = named(SANDBOX_VARIABLE).filter(|_| named("AWS_ENDPOINT_URL").is_some()) else {
        return Ok(Outside::Direct);
    };
    let failed = |why: String| {
        let problem = Diagnostic::error("sandbox", "the sandbox of the environment does not answer")
            .with_detail(format!("{SANDBOX_VARIABLE}={endpoint}: {why}."))
            .with_hint(
                "Start it with `straddle sandbox start`, or take the variables out of the environment.",
            );
        Failure::error(problem)
    };
    let remote =
        Remote::at(&endpoint).ok_or_else(|| failed("this is no address of this machine".to_owned()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| no_resources("reach the sandbox", &error))?;
    let status = runtime.block_on(remote.status()).map_err(|error| failed(error.to_string()))?;
    Ok(Outside::Substitute(status.outside))
}

impl Drop for OwnSandbox {
    /// Waits until the world is written down.
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Why no sandbox begins here.
enum Begin {
    /// Somebody else serves the world.
    Elsewhere(Box<Holder>),
    Failed(Failure),
}

/// Serves until the other end of `ended` is dropped.
fn serve(
    settings: SandboxSettings,
    begun: &mpsc::Sender<Result<Status, Begin>>,
    ended: oneshot::Receiver<()>,
) {
    let tell = |result| {
        // Who does not wait any more does not need it.
        drop(begun.send(result));
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tell(Err(Begin::Failed(no_resources("start the sandbox", &error)))),
    };
    runtime.block_on(async {
        match Sandbox::open(settings).await {
            Ok(sandbox) => {
                tell(Ok(sandbox.status()));
                let end = async { drop(ended.await) };
                // If the world cannot be written down, its journal has everything nevertheless.
                drop(sandbox.serve(end).await);
            }
            Err(SandboxError::Store(StoreError::Busy { holder, .. })) => tell(Err(Begin::Elsewhere(holder))),
            Err(error) => tell(Err(Begin::Failed(sandbox_failure(error)))),
        }
    });
}

/// Returns the accounts of a spec by their names.
fn accounts(spec: &Spec) -> Result<BTreeMap<String, AccountId>, Failure> {
    let account = |(name, account): (&straddle_engine::address::AccountName, _)| {
        let account: &straddle_engine::provider::Account = account;
        let id = account.id.parse().map_err(|error: straddle_sandbox::InvalidAccountId| {
            let problem = Diagnostic::error("sandbox-account", "the sandbox cannot have an account")
                .with_detail(format!("The account `{name}`: {error}."))
                .with_hint("Give it a number of twelve digits, for instance in `envs/sandbox.toml`.");
            Failure::error(problem)
        })?;
        Ok((name.to_string(), id))
    };
    spec.accounts.iter().map(account).collect()
}

/// Returns the settings of a sandbox for a rehearsal of the spec: as fast as AWS, and gone afterwards.
pub(crate) fn of_rehearsal(spec: &Spec, faults: Option<&Path>) -> Result<SandboxSettings, Failure> {
    let pace = PaceArguments { speed: Some(1.0), faults: faults.map(Path::to_owned), chaos: None };
    settings(None, &pace, spec, accounts(spec)?)
}

fn settings(
    file: Option<&Path>,
    pace: &PaceArguments,
    spec: &Spec,
    accounts: BTreeMap<String, AccountId>,
) -> Result<SandboxSettings, Failure> {
    let other = || OTHER_MANAGEMENT.parse().expect("it has twelve digits");
    let management = accounts.get(MANAGEMENT).cloned().unwrap_or_else(other);
    let region = spec.accounts.values().next().map(|account| account.region.clone()).unwrap_or_default();
    let rules = Rules { consistency_window: CONSISTENCY_WINDOW, ..Rules::default() };
    let world = WorldSettings { accounts, speed: pace.speed(), rules, ..WorldSettings::new(management) };
    let faults = pace.faults.as_deref().map(fault_file::read).transpose()?.unwrap_or_default();
    let (file, chaos) = (file.map(Path::to_owned), pace.chaos);
    Ok(SandboxSettings { port: 0, tls_port: 0, plain_port: 0, file, region, faults, chaos, world })
}

/// Uses a sandbox that another process serves.
fn join(holder: &Holder, accounts: &BTreeMap<String, AccountId>) -> Result<Status, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| no_resources("reach the sandbox", &error))?;
    let remote = Remote::at(&holder.endpoint).ok_or_else(nobody_serves)?;
    let joined = async {
        remote.add_accounts(accounts).await?;
        remote.status().await
    };
    runtime.block_on(joined).map_err(|error| {
        let problem = Diagnostic::error("sandbox-in-use", "another process has the world of the sandbox")
            .with_detail(format!("It is in use by {holder}, which cannot be used: {error}."));
        Failure::error(problem)
    })
}

fn nobody_serves() -> Failure {
    Failure::error(Diagnostic::error("sandbox", "the sandbox does not start"))
}
