//! Access to the accounts of a run: proven connections, limits, and reads.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::address::{AccountName, Address, RemoteId};
use crate::cluster::ClusterProvider;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::erased::{AnyKind, AnyResource, ObservedValues};
use crate::event::Event;
use crate::provider::{Account, Connection, ErrorClass, ProviderError};
use crate::run::{Engine, Interrupt, InterruptLevel, RunError, Settings};
use crate::spec::Spec;
use crate::state::State;
use crate::value::{Value, ValueMap};

/// The accounts of a run, connected.
pub(crate) struct Access {
    connections: BTreeMap<AccountName, Connection>,
    accounts: BTreeMap<AccountName, Account>,
    cluster_provider: Option<Arc<dyn ClusterProvider>>,
    /// The connections to clusters so far: each is made once it is known how the cluster is reached.
    clusters: Mutex<BTreeMap<(AccountName, ClusterKey), Connection>>,
    settings: Settings,
    interrupt: Interrupt,
    limits: Mutex<BTreeMap<(AccountName, &'static str), Arc<Semaphore>>>,
}

impl Access {
    /// Connects to every account that the spec or the state has something in, all at once.
    ///
    /// # Errors
    /// If an account cannot be reached, is another one, or the spec does not have it any more.
    pub(crate) async fn open(engine: &Engine<'_>, spec: &Spec, state: &State) -> Result<Self, RunError> {
        check_accounts(spec, state)?;
        let wanted = spec.resources.values().map(|node| &node.account);
        let made = state.resources.values().map(|resource| &resource.account);
        let pending = state.pending.values().map(|pending| &pending.account);
        let names = wanted.chain(made).chain(pending).cloned().collect();
        Self::open_these(engine, spec, names).await
    }

    /// Connects to these accounts of the spec, all at once.
    ///
    /// # Errors
    /// If an account cannot be reached, or is another one.
    pub(crate) async fn open_these(
        engine: &Engine<'_>,
        spec: &Spec,
        names: BTreeSet<AccountName>,
    ) -> Result<Self, RunError> {
        engine.observer.notify(&Event::Connecting { accounts: names.iter().cloned().collect() });
        let connections = names.into_iter().map(|name| async move {
            let account = &spec.accounts[&name];
            match engine.registry.provider().connect(account).await {
                Ok(connection) => Ok((name, connection)),
                Err(source) => Err(RunError::Connect { account: name, source: Box::new(source) }),
            }
        });
        let connecting = try_join_all(connections);
        let connections = tokio::select! {
            biased;
            () = engine.interrupt.reached(InterruptLevel::Graceful) => return Err(RunError::Interrupted),
            connections = connecting => connections?.into_iter().collect(),
        };
        let (settings, interrupt) = (engine.settings, engine.interrupt.clone());
        Ok(Self {
            connections,
            accounts: spec.accounts.clone(),
            cluster_provider: engine.registry.clusters().cloned(),
            clusters: Mutex::default(),
            settings,
            interrupt,
            limits: Mutex::default(),
        })
    }

    /// Returns the connection to an account.
    pub(crate) fn connection(&self, account: &AccountName) -> &Connection {
        self.connections.get(account).expect("every account of the spec and the state was connected to")
    }

    /// Returns the connection by which a thing with these inputs is reached: that of its account, or
    /// that of the cluster in it.
    ///
    /// # Errors
    /// If it is not known how the cluster is reached.
    pub(crate) fn reach(
        &self,
        kind: &dyn AnyKind,
        account: &AccountName,
        inputs: &ValueMap,
    ) -> Result<Connection, ProviderError> {
        let connection = self.connection(account);
        let Some(attribute) = kind.through() else { return Ok(connection.clone()) };
        let refused = |message: String| ProviderError::new(ErrorClass::Rejected, "connect", message);
        let cluster = inputs.get(attribute).filter(|cluster| cluster.is_known());
        let cluster = cluster.ok_or_else(|| refused(format!("`{attribute}` is not known")))?;
        let key = (account.clone(), cluster_key(cluster));
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = clusters.get(&key) {
            return Ok(connection.clone());
        }
        let provider = self.cluster_provider.as_ref();
        let provider = provider.ok_or_else(|| refused("this program knows no clusters".to_owned()))?;
        let account = self.accounts.get(account);
        let account = account.ok_or_else(|| refused("the spec has no such account".to_owned()))?;
        let connection = provider.connect(account, connection, cluster)?;
        clusters.insert(key, connection.clone());
        Ok(connection)
    }

    /// Returns every connection.
    pub(crate) fn connections(&self) -> &BTreeMap<AccountName, Connection> {
        &self.connections
    }

    /// Waits for a place among the calls that are under way in an account and service.
    pub(crate) async fn permit(&self, account: &AccountName, service: &'static str) -> OwnedSemaphorePermit {
        let limit = {
            let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
            let calls = self.settings.calls_per_service.max(1);
            let limit =
                limits.entry((account.clone(), service)).or_insert_with(|| Arc::new(Semaphore::new(calls)));
            Arc::clone(limit)
        };
        limit.acquire_owned().await.expect("the limits are never closed")
    }

    /// Reads one thing that has these inputs; `None` if it is gone or not visible yet.
    pub(crate) async fn read(
        &self,
        kind: &dyn AnyResource,
        account: &AccountName,
        id: &RemoteId,
        inputs: &ValueMap,
    ) -> Result<Option<ObservedValues>, ProviderError> {
        let ids = std::slice::from_ref(id);
        let connection = self.reach(kind, account, inputs)?;
        let listing = self.repeat(|| kind.fetch(&connection, ids), account, kind).await?;
        Ok(kind.observe(&listing, id))
    }

    /// Makes a read call of a kind, see [`Self::repeat_in`].
    pub(crate) async fn repeat<T, F: Future<Output = Result<T, ProviderError>>>(
        &self,
        call: impl Fn() -> F,
        account: &AccountName,
        kind: &dyn AnyResource,
    ) -> Result<T, ProviderError> {
        self.repeat_in(call, account, kind.traits().service).await
    }

    /// Makes a read call, again after a while if it was throttled or got no answer.
    pub(crate) async fn repeat_in<T, F: Future<Output = Result<T, ProviderError>>>(
        &self,
        call: impl Fn() -> F,
        account: &AccountName,
        service: &'static str,
    ) -> Result<T, ProviderError> {
        let mut backoff = Backoff::new(self.settings.retry_limit);
        loop {
            let result = {
                let _permit = self.permit(account, service).await;
                call().await
            };
            match result {
                Err(error) if matches!(error.class, ErrorClass::Throttled | ErrorClass::Ambiguous) => {
                    let Some(delay) = backoff.next() else { return Err(error) };
                    tokio::select! {
                        biased;
                        () = self.interrupt.reached(InterruptLevel::Fast) => return Err(error),
                        () = tokio::time::sleep(delay) => {}
                    }
                }
                result => return result,
            }
        }
    }
}

/// How a cluster is reached, as text: equal texts are the same connection.
pub(crate) type ClusterKey = String;

/// Returns what tells the ways from each other by which clusters are reached.
pub(crate) fn cluster_key(cluster: &Value) -> ClusterKey {
    format!("{cluster:?}")
}

/// Growing delays until a limit is used up.
pub(crate) struct Backoff {
    delay: Duration,
    deadline: Instant,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(200);
    const LONGEST: Duration = Duration::from_secs(10);

    pub(crate) fn new(limit: Duration) -> Self {
        Self { delay: Self::FIRST, deadline: Instant::now() + limit }
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    /// Returns how long to wait before the next attempt, or `None` if the limit is used up.
    fn next(&mut self) -> Option<Duration> {
        let delay = self.delay;
        self.delay = (delay * 2).min(Self::LONGEST);
        (Instant::now() + delay <= self.deadline).then_some(delay)
    }
}

/// Where something was made: the account's name and id, and the region.
type Place<'a> = (&'a AccountName, &'a str, &'a str);

/// Checks that everything in the state is where the spec still looks for it: in an account of this
/// name, with the same id and region. Anywhere else it would seem to be gone.
///
/// # Errors
/// With each place that is another one now.
pub(crate) fn check_accounts(spec: &Spec, state: &State) -> Result<(), RunError> {
    let made = state.resources.iter().map(|(address, resource)| {
        (address, (&resource.account, resource.account_id.as_str(), resource.region.as_str()))
    });
    let pending = state.pending.values().map(|pending| {
        (&pending.address, (&pending.account, pending.account_id.as_str(), pending.region.as_str()))
    });
    let mut reported = BTreeSet::new();
    let mut problems = Diagnostics::default();
    for (address, place) in made.chain(pending) {
        let found = spec.accounts.get(place.0);
        let same =
            found.is_some_and(|account| (account.id.as_str(), account.region.as_str()) == (place.1, place.2));
        if !same && reported.insert(place) {
            problems.push(wrong_place(address, place, found));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(RunError::Diagnostics(problems)) }
}

fn wrong_place(address: &Address, (name, id, region): Place<'_>, found: Option<&Account>) -> Diagnostic {
    let detail = match found {
        None => format!(
            "{address} was made in the account `{name}` ({id} {region}), which the spec no longer has."
        ),
        Some(found) => format!(
            "{address} was made in the account `{name}` when that was {id} {region}; in the spec it is {} {}.",
            found.id, found.region
        ),
    };
    Diagnostic::error("account-changed", format!("the state has resources in another account `{name}`"))
        .with_address(address.clone())
        .with_detail(detail)
        .with_hint(format!(
            "Give `[account.{name}]` the id {id} and the region {region} until everything in it is destroyed, \
             or choose the state that belongs to this spec with `--env` or `--state-dir`."
        ))
}
