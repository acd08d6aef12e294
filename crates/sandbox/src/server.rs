//! The server: one endpoint for every service and account, on loopback only.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming as Body;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::dispatch;
use crate::world::World;

/// The largest request: more than any of the services takes.
const LARGEST_BODY: usize = 4 << 20;

/// A sandbox that listens.
pub struct Sandbox {
    listener: TcpListener,
    world: Arc<Mutex<World>>,
}

/// Why a sandbox does not listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct SandboxError {
    /// Where it should have listened.
    pub address: SocketAddr,
    /// What the system said.
    pub source: std::io::Error,
}

impl Sandbox {
    /// Listens on a port of this machine; port 0 lets the system choose one.
    ///
    /// # Errors
    /// If the port is taken or not allowed.
    pub async fn listen(port: u16, world: World) -> Result<Self, SandboxError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).await.map_err(|source| SandboxError { address, source })?;
        Ok(Self { listener, world: Arc::new(Mutex::new(world)) })
    }

    /// Returns where it listens.
    ///
    /// # Panics
    /// Never: a listener that is bound has an address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("a listener that is bound has an address")
    }

    /// Answers requests until the future is dropped.
    pub async fn serve(&self) -> Infallible {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    // A connection that breaks before it is taken is its client's trouble.
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(serve_connection(TokioIo::new(stream), Arc::clone(&self.world)));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn serve_connection(stream: TokioIo<tokio::net::TcpStream>, world: Arc<Mutex<World>>) {
    let service = service_fn(move |request| {
        let world = Arc::clone(&world);
        async move { Ok::<_, Infallible>(answer(request, &world).await) }
    });
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(stream, service);
    // What goes wrong on a connection, its client sees and says.
    drop(connection.await);
}

async fn answer(request: Request<Body>, world: &Mutex<World>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        return Outgoing::plain(413, "the request is too large").into_response();
    };
    let incoming = Incoming {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query_text: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: body.to_bytes(),
    };
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    dispatch::answer(&mut world, &incoming).into_response()
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

    fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![(CONTENT_TYPE.as_str().to_owned(), content_type.to_owned())];
        Self { status, headers, body }
    }

    /// Adds a header. A value that is no header text is left out.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn into_response(self) -> Response<Full<Bytes>> {
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
