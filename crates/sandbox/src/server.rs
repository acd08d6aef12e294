//! The server: one endpoint for every service and account, on loopback only.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming as Body;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use serde_json::Value;
use straddle_engine::outside::Substitute;
use straddle_engine::state::LockGuard;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::control::{self, Status};
use crate::fault::{FaultRule, Faults};
use crate::outside::{self, Authority, Doors, Handshakes};
use crate::playground::{Playground, wait_for};
use crate::store::{Holder, StoreError, WorldFiles};
use crate::witness::{Witness, WorldCopy};
use crate::world::{World, WorldSettings};
use crate::{dispatch, protocol};

/// The largest request: more than any of the services takes.
const LARGEST_BODY: usize = 4 << 20;
/// How long answers may take that are under way when the sandbox ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// A sandbox that listens.
pub struct Sandbox {
    listener: TcpListener,
    /// Where the hosts outside are.
    doors: Doors,
    shared: Arc<Shared>,
    /// Keeps others from the world's files.
    lock: Option<Box<dyn LockGuard>>,
}

/// How a sandbox begins.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// The port on this machine; 0 lets the system choose one.
    pub port: u16,
    /// The port for the hosts outside that are asked by TLS; 0 as well.
    pub tls_port: u16,
    /// The port for the hosts outside that are asked by HTTP; 0 as well.
    pub plain_port: u16,
    /// The file that the world is kept in; without one it ends with the sandbox.
    pub file: Option<PathBuf>,
    /// The region that clients are told to use. Every region exists.
    pub region: String,
    /// What goes wrong on purpose.
    pub faults: Vec<FaultRule>,
    /// The seed of further faults, which a program should survive.
    pub chaos: Option<u64>,
    /// How a new world begins. One that is there already keeps its seed and gets the accounts
    /// that it does not have.
    pub world: WorldSettings,
}

/// Why a sandbox does not begin, or does not end well.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It cannot listen.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its world cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its world cannot be written down. The journal beside it has everything nevertheless.
    #[error("{0}")]
    NotWritten(String),
}

impl Sandbox {
    /// Reads the world or makes a new one, and listens.
    ///
    /// # Errors
    /// If the port is taken or not allowed, or the world cannot be used.
    pub async fn open(settings: SandboxSettings) -> Result<Self, SandboxError> {
        Self::open_on(settings, None).await
    }

    /// As [`Self::open`], on a copy of another world in the place of a new one.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_copy(settings: SandboxSettings, copy: WorldCopy) -> Result<Self, SandboxError> {
        let world = copy.into_world(settings.world.speed);
        Self::open_on(settings, Some(world)).await
    }

    async fn open_on(settings: SandboxSettings, copied: Option<World>) -> Result<Self, SandboxError> {
        let SandboxSettings { port, tls_port, plain_port, file, region, faults, chaos, world: settings } =
            settings;
        let (listener, address) = listen(port).await?;
        let doors = Doors::open(tls_port, plain_port).await?;
        let since = Timestamp::now();
        let files = file.map(WorldFiles::new);
        let endpoint = format!("http://{address}");
        let holder =
            Holder { process_id: std::process::id(), endpoint: endpoint.clone(), since: since.to_string() };
        let lock = files.as_ref().map(|files| files.lock(&holder)).transpose()?;
        let loaded = files.as_ref().map(WorldFiles::load).transpose()?.flatten();
        let world = match (copied, loaded) {
            (Some(world), _) => world,
            (None, Some(world)) => world.resumed(settings),
            (None, None) => World::new(settings),
        };
        let authority = Authority::of_sandbox(world.seed());
        let keeper = files.as_ref().map(|files| files.keep(&world)).transpose()?;
        let shared = Arc::new(Shared {
            playground: Mutex::new(Playground::new(world, Faults::new(faults, chaos), keeper)),
            endpoint,
            outside: doors.substitute(&authority),
            authority,
            handshakes: Handshakes::default(),
            file: files.map(|files| files.world().display().to_string()),
            region,
            since,
            requests: AtomicU64::new(0),
            stopping: watch::Sender::new(false),
            changes: watch::Sender::new(0),
        });
        Ok(Self { listener, doors, shared, lock })
    }

    /// Says who serves which world where.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status(&self.shared.playground())
    }

    /// Returns who may look into it while it serves.
    #[must_use]
    pub fn witness(&self) -> Witness {
        Witness::new(Arc::clone(&self.shared))
    }

    /// Answers requests until `end` is over or the control endpoint is told to stop. Then it
    /// answers what is under way, and writes the world down.
    ///
    /// # Errors
    /// If the world cannot be written down.
    pub async fn serve(self, end: impl Future<Output = ()>) -> Result<(), SandboxError> {
        let mut connections = JoinSet::new();
        let mut stopping = self.shared.stopping.subscribe();
        let mut end = pin!(end);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    // A connection that breaks before it is taken is its client's trouble.
                    if let Ok((stream, _)) = accepted {
                        // Answers are small: waiting for more to send would only delay them.
                        drop(stream.set_nodelay(true));
                        let shared = Arc::clone(&self.shared);
                        connections.spawn(serve_connection(TokioIo::new(stream), shared));
                    }
                }
                (stream, scheme) = self.doors.accept() => {
                    connections.spawn(outside::serve_connection(stream, scheme, Arc::clone(&self.shared)));
                }
                Some(_) = connections.join_next() => {}
                () = &mut end => break,
                // The sender lives as long as this.
                _ = stopping.wait_for(|is_stopping| *is_stopping) => break,
            }
        }
        drop((self.listener, self.doors));
        self.shared.stop();
        // Who takes longer loses the answer, as when a network breaks.
        let ended = async { while connections.join_next().await.is_some() {} };
        drop(tokio::time::timeout(PATIENCE, ended).await);
        connections.shutdown().await;
        close(&self.shared).await?;
        drop(self.lock);
        Ok(())
    }
}

/// Listens on a port of this machine.
pub(crate) async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let failed = |source| SandboxError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Writes the world down for the last time.
async fn close(shared: &Shared) -> Result<(), SandboxError> {
    let (keeper, kept) = {
        let mut playground = shared.playground();
        let keeper = playground.keeper.take();
        let kept = keeper.as_ref().map(|keeper| keeper.write_down(&playground.world));
        (keeper, kept)
    };
    let written = wait_for(kept).await;
    drop(keeper);
    written.map_err(|refusal| SandboxError::NotWritten(refusal.message))
}

/// What all connections share.
pub(crate) struct Shared {
    playground: Mutex<Playground>,
    endpoint: String,
    outside: Substitute,
    /// Who certifies the hosts outside that are no clusters.
    pub(crate) authority: Authority,
    pub(crate) handshakes: Handshakes,
    /// The file of the world.
    file: Option<String>,
    region: String,
    since: Timestamp,
    /// How many requests came.
    requests: AtomicU64,
    stopping: watch::Sender<bool>,
    /// Counts what may have changed in clusters, for those who watch.
    changes: watch::Sender<u64>,
}

impl Shared {
    /// Takes the world. Whoever has it must not wait for anything.
    pub(crate) fn playground(&self) -> MutexGuard<'_, Playground> {
        self.playground.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the sandbox to end.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Lets those look who watch clusters.
    pub(crate) fn tell_watchers(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Returns what tells that something may have changed in a cluster.
    pub(crate) fn watchers(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Says who serves which world.
    pub(crate) fn status(&self, playground: &Playground) -> Status {
        let world = &playground.world;
        Status {
            process_id: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            endpoint: self.endpoint.clone(),
            outside: self.outside.clone(),
            region: self.region.clone(),
            world: self.file.clone(),
            since: self.since,
            time: world.now(),
            speed: world.clock.speed(),
            management: world.organization.management.clone(),
            accounts: world.organization.accounts.clone(),
            requests: playground.log.count(),
        }
    }

    /// Returns an id for a request, in the form of a UUID. It does not count among the ids of the
    /// world: reads must not change those of what is made later.
    pub(crate) fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        // The lower half of the seconds is enough to tell one start from another.
        let start = self.since.as_second() & 0xffff_ffff;
        format!("{start:08x}-0000-4000-8000-{number:012x}")
    }
}

/// Answers the requests of a connection until its client closes it or the sandbox ends.
async fn serve_connection(stream: TokioIo<tokio::net::TcpStream>, shared: Arc<Shared>) {
    let all = Arc::clone(&shared);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(request, &shared).await.map(Outgoing::into_response) }
    });
    talk(stream, service, &all).await;
}

/// Talks HTTP on a connection until its client closes it or the sandbox ends.
pub(crate) async fn talk<I, S, B>(stream: I, service: S, shared: &Shared)
where
    I: Read + Write + Unpin,
    S: Service<Request<Body>, Response = Response<B>, Error = Lost>,
    B: hyper::body::Body<Data = Bytes, Error = Infallible> + 'static,
{
    let mut stopping = shared.stopping.subscribe();
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(stream, service);
    let mut connection = pin!(connection);
    // What goes wrong on a connection, its client sees and says.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|is_stopping| *is_stopping) => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

/// Why a connection is closed without an answer: a fault wants it.
#[derive(Debug, thiserror::Error)]
#[error("the answer is lost")]
pub(crate) struct Lost;

async fn answer(request: Request<Body>, shared: &Shared) -> Result<Outgoing, Lost> {
    let started = Instant::now();
    let Some(incoming) = Incoming::read(request).await else { return Ok(Outgoing::too_large()) };
    if control::asked(&incoming).is_some() {
        return Ok(control::answer(shared, &incoming).await);
    }
    let request_id = shared.request_id();
    let request = match dispatch::read(&incoming, &request_id) {
        Ok(request) => request,
        Err(answer) => return Ok(*answer),
    };
    let (service, operation) = (request.service, request.operation.clone());
    let handled = shared.playground().handle(request, &incoming, &request_id, started.elapsed());
    let answer = match wait_for(handled.kept).await {
        Ok(()) => handled.answer,
        Err(refusal) => Err(refusal),
    };
    tokio::time::sleep(handled.delay).await;
    if handled.is_lost { Err(Lost) } else { Ok(protocol::write(service, &operation, &answer, &request_id)) }
}

/// A request, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) method: String,
    /// As it was sent: still percent-encoded.
    pub(crate) path: String,
    pub(crate) query_text: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Incoming {
    /// Reads a request to its end; `None` if it is too large, or breaks off.
    pub(crate) async fn read(request: Request<Body>) -> Option<Self> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LARGEST_BODY).collect().await.ok()?;
        Some(Self {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query_text: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: body.to_bytes(),
        })
    }

    /// Returns a header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns the parameters of the query string.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query_text.as_bytes()).into_owned().collect()
    }

    /// Returns the parameters of the query string and of a body that is a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let body = form_urlencoded::parse(&self.body).into_owned();
        self.query().into_iter().chain(body).collect()
    }

    /// Makes a request with a form.
    #[cfg(test)]
    pub(crate) fn post(body: &[u8]) -> Self {
        Self {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query_text: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body),
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outgoing {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Outgoing {
    /// Makes an answer in XML.
    pub(crate) fn xml(status: u16, body: Vec<u8>, request_id: &str) -> Self {
        Self::new(status, "text/xml;charset=UTF-8", body).with_header("x-amzn-requestid", request_id)
    }

    /// Makes an answer in JSON.
    pub(crate) fn json(status: u16, body: &Value, request_id: &str) -> Self {
        let body = body.to_string().into_bytes();
        Self::new(status, "application/json", body).with_header("x-amzn-requestid", request_id)
    }

    /// Makes an answer that no service wrote.
    pub(crate) fn plain(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
    }

    /// Answers a request that is larger than any that is taken.
    pub(crate) fn too_large() -> Self {
        Self::plain(413, "the request is too large")
    }

    /// Makes an answer with a body of some type.
    pub(crate) fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![(CONTENT_TYPE.as_str().to_owned(), content_type.to_owned())];
        Self { status, headers, body }
    }

    /// Adds a header. A value that is no header text is left out.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns it as it is sent.
    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
pub(crate) mod tests;
