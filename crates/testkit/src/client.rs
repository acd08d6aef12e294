//! The way to the cloud: credentials, latency, and everything that can go wrong.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use straddle_engine::cluster::{ClusterProvider, Login};
use straddle_engine::provider::{Account, BoxFuture, Connection, ErrorClass, Provider, ProviderError};
use straddle_engine::run::Interrupt;
use straddle_engine::schema::{AttributeSchema, AttributeType};
use straddle_engine::value::Value;

use crate::clock::Clock;
use crate::cloud::{Action, Answer, Cloud, Refusal, Request};
use crate::fault::{Fault, Faults};

/// How long a client waits for an answer that never arrives.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keeps a cloud where other processes have it too. From [`Keeper::fetch`] to [`Keeper::keep`]
/// no other process carries out a call.
pub trait Keeper: Send + Sync {
    /// Takes over what has become of the cloud in other processes.
    fn fetch(&self, cloud: &mut Cloud);

    /// Keeps what has become of it in this one.
    fn keep(&self, cloud: &mut Cloud);
}

/// A cloud, what goes wrong on the way to it, and the time. Clones lead to the same cloud.
#[derive(Clone)]
pub struct Network {
    keeper: Option<Arc<dyn Keeper>>,
    interrupt: Arc<Mutex<Interrupt>>,
    cloud: Arc<Mutex<Cloud>>,
    faults: Arc<Mutex<Faults>>,
    clock: Clock,
    crash: Crash,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Network").field("cloud", &self.cloud()).finish_non_exhaustive()
    }
}

impl Network {
    /// Puts a network around a cloud.
    #[must_use]
    pub fn new(cloud: Cloud, clock: Clock) -> Self {
        Self {
            cloud: Arc::new(Mutex::new(cloud)),
            faults: Arc::default(),
            clock,
            crash: Crash::default(),
            keeper: None,
            interrupt: Arc::default(),
        }
    }

    /// Makes this the network of a process of its own: a crash ends it, and what becomes of the
    /// cloud is kept before anybody hears of it.
    #[must_use]
    pub fn of_process(mut self, faults: Faults, keeper: Box<dyn Keeper>) -> Self {
        *self.faults() = faults;
        self.crash.is_real = true;
        self.keeper = Some(Arc::from(keeper));
        self
    }

    /// Returns the cloud.
    pub fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what asks the caller's run to stop.
    pub fn interrupt(&self) -> MutexGuard<'_, Interrupt> {
        self.interrupt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what goes wrong, and how many calls there were.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the cloud that other processes see before anybody hears of it.
    fn work<T>(&self, work: impl FnOnce(&mut Cloud) -> T) -> T {
        let mut cloud = self.cloud();
        let Some(keeper) = &self.keeper else { return work(&mut cloud) };
        keeper.fetch(&mut cloud);
        let result = work(&mut cloud);
        keeper.keep(&mut cloud);
        result
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns what tells that the caller's process has died.
    #[must_use]
    pub fn crash(&self) -> &Crash {
        &self.crash
    }
}

/// Tells that the simulated process has died. Clones tell of the same process.
#[derive(Debug, Clone)]
pub struct Crash {
    happened: tokio::sync::watch::Sender<bool>,
    is_real: bool,
}

impl Default for Crash {
    fn default() -> Self {
        Self { happened: tokio::sync::watch::Sender::new(false), is_real: false }
    }
}

impl Crash {
    /// Lets the process die. What is under way must not go on.
    pub fn happen(&self) {
        if self.is_real {
            std::process::abort();
        }
        self.happened.send_replace(true);
    }

    /// Brings up a new process.
    pub fn recover(&self) {
        self.happened.send_replace(false);
    }

    /// Tells whether the process has died.
    #[must_use]
    pub fn has_happened(&self) -> bool {
        *self.happened.borrow()
    }

    /// Returns when the process has died.
    pub async fn wait(&self) {
        // The sender lives as long as `self`.
        let _ = self.happened.subscribe().wait_for(|happened| *happened).await;
    }

    /// Returns at once, or never if the process has died.
    async fn stop_if_dead(&self) {
        if self.has_happened() {
            std::future::pending::<()>().await;
        }
    }

    /// Lets the process die, and never returns.
    async fn die<T>(&self) -> T {
        self.happen();
        std::future::pending().await
    }
}

/// The credentials of one account.
#[derive(Debug, Clone)]
pub struct Client {
    account: String,
    /// The platform that it is inside of.
    platform: Option<String>,
    network: Network,
}

impl Client {
    /// Makes a client with the credentials of an account.
    #[must_use]
    pub fn new(account: impl Into<String>, network: Network) -> Self {
        Self { account: account.into(), platform: None, network }
    }

    /// Returns the account's id.
    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    /// Returns the platform that it is inside of.
    pub(crate) fn platform(&self) -> Option<&str> {
        self.platform.as_deref()
    }

    /// Sends a call and waits for the answer.
    ///
    /// # Errors
    /// If the cloud refuses it, or something goes wrong on the way.
    pub async fn call(
        &self,
        operation: &'static str,
        kind: &'static str,
        action: Action,
    ) -> Result<Answer, ProviderError> {
        let request = Request {
            account: self.account.clone(),
            operation: operation.to_owned(),
            kind: kind.to_owned(),
            action,
        };
        self.network.crash.stop_if_dead().await;
        self.network.clock.start();
        let fault = self.network.faults().next(request.action.is_mutating());
        let (there, back) = {
            let mut cloud = self.network.cloud();
            (cloud.latency(), cloud.latency())
        };
        self.pass(there).await;
        let answer = self.deliver(&request, fault).await?;
        self.pass(back).await;
        answer.map_err(|refusal| refused(operation, refusal))
    }

    /// Lets time pass; for a process that has died it never ends.
    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
        self.network.crash.stop_if_dead().await;
    }

    /// Lets the call arrive, or not, as `fault` has it. The outer error is one of the way.
    async fn deliver(
        &self,
        request: &Request,
        fault: Option<Fault>,
    ) -> Result<Result<Answer, Refusal>, ProviderError> {
        let Some(fault) = fault else { return Ok(self.arrive(request)) };
        match fault {
            Fault::FailedAfter | Fault::AnswerLost | Fault::CrashAfter => {
                // The caller never hears the answer: that is the fault.
                let _ = self.arrive(request);
            }
            Fault::Late(delay) | Fault::CrashLate(delay) => self.post(request, delay),
            Fault::Slow(delay) => {
                let answer = self.arrive(request);
                self.pass(delay).await;
                return Ok(answer);
            }
            Fault::Fails => return Ok(self.arrive_and_fail(request)),
            Fault::Interrupt { twice } => {
                let interrupt = self.network.interrupt().clone();
                (0..=u8::from(twice)).for_each(|_| interrupt.request());
                return Ok(self.arrive(request));
            }
            Fault::Throttled | Fault::FailedBefore | Fault::Denied | Fault::Expired | Fault::CrashBefore => {}
        }
        Err(self.error(&request.operation, fault).await)
    }

    /// Returns what the caller gets instead of an answer.
    async fn error(&self, operation: &str, fault: Fault) -> ProviderError {
        let (class, code, message) = match fault {
            Fault::Throttled => (ErrorClass::Throttled, "RequestLimitExceeded", "slow down"),
            Fault::Denied => (ErrorClass::AccessDenied, "UnauthorizedOperation", "not allowed"),
            Fault::Expired => (ErrorClass::Expired, "RequestExpired", "expired credentials"),
            Fault::FailedBefore | Fault::FailedAfter => {
                (ErrorClass::Ambiguous, "InternalError", "the service failed (500)")
            }
            Fault::AnswerLost | Fault::Late(_) => {
                self.pass(PATIENCE).await;
                (ErrorClass::Ambiguous, "", "no answer arrived")
            }
            Fault::CrashBefore | Fault::CrashAfter | Fault::CrashLate(_) => self.network.crash.die().await,
            Fault::Slow(_) | Fault::Fails | Fault::Interrupt { .. } => {
                unreachable!("these are answered")
            }
        };
        ProviderError { code: code.to_owned(), ..ProviderError::new(class, operation, message) }
    }

    fn arrive_and_fail(&self, request: &Request) -> Result<Answer, Refusal> {
        let answer = self.arrive(request);
        if let Ok(Answer::Id(id)) = &answer {
            self.network.work(|cloud| cloud.fail(id, "InternalFailure"));
        }
        answer
    }

    fn arrive(&self, request: &Request) -> Result<Answer, Refusal> {
        let now = self.network.clock.now();
        self.network.work(|cloud| cloud.handle(now, request))
    }

    fn post(&self, request: &Request, delay: Duration) {
        let due = self.network.clock.now() + delay;
        self.network.work(|cloud| cloud.deliver_late(due, request.clone()));
    }
}

fn refused(operation: &str, refusal: Refusal) -> ProviderError {
    let Refusal { class, code, message } = refusal;
    ProviderError { code, ..ProviderError::new(class, operation, message) }
}

/// Connects to the accounts of a cloud.
#[derive(Debug, Clone)]
pub struct CloudProvider {
    network: Network,
}

impl CloudProvider {
    /// Makes the provider of a cloud.
    #[must_use]
    pub fn new(network: Network) -> Self {
        Self { network }
    }
}

impl Provider for CloudProvider {
    fn account_attributes(&self) -> Vec<AttributeSchema> {
        let documentation = "The account that the credentials belong to, if not the one that is wanted.";
        vec![AttributeSchema::new("credentials", documentation, AttributeType::String)]
    }

    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connection, ProviderError>> {
        Box::pin(async move {
            let owner = account.settings.get("credentials").and_then(Value::as_str).unwrap_or(&account.id);
            if owner != account.id {
                let message = format!("the credentials are of account {owner}, expected {}", account.id);
                return Err(ProviderError::new(ErrorClass::Rejected, "WhoAmI", message));
            }
            Ok(Connection::new(Client::new(owner, self.network.clone())))
        })
    }
}

/// Leads into the platforms of accounts, by their ids.
#[derive(Debug, Clone, Copy)]
pub struct Platforms;

impl ClusterProvider for Platforms {
    fn connect(
        &self,
        _: &Account,
        connection: &Connection,
        cluster: &Value,
    ) -> Result<Connection, ProviderError> {
        let platform = cluster.as_str().map(str::to_owned);
        let unknown = || ProviderError::new(ErrorClass::Rejected, "connect", "this is no platform");
        let client: &Client = connection.client();
        Ok(Connection::new(Client { platform: Some(platform.ok_or_else(unknown)?), ..client.clone() }))
    }

    fn token<'a>(
        &'a self,
        _: &'a Connection,
        cluster: &'a str,
    ) -> BoxFuture<'a, Result<String, ProviderError>> {
        Box::pin(async move { Ok(format!("token of {cluster}")) })
    }

    fn kubeconfig(&self, _: &str, _: &Login) -> Result<String, String> {
        Err("platforms have no such file".to_owned())
    }
}
