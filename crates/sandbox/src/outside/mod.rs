//! The hosts outside of AWS's own APIs: clusters, repositories of charts, load balancers.
//!
//! All of them are behind two doors on this machine. By TLS the name in the handshake says which host
//! is meant, and the host shows a certificate of its own; by plain HTTP the header `Host` does.

mod authority;
mod balancers;
mod charts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::BodyExt;
use hyper::body::Incoming as Body;
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::Acceptor;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use straddle_engine::outside::Substitute;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

pub(crate) use authority::Authority;

use crate::cluster::{self, Sent};
use crate::eks;
use crate::server::{Incoming, Lost, Outgoing, SandboxError, Shared, listen, talk};

/// The host that is meant if a handshake names none.
const LOCAL: &str = "localhost";
/// How many hosts are known at most by how they show who they are.
const MOST_HOSTS: usize = 256;

/// What listens for the hosts outside.
pub(crate) struct Doors {
    tls: TcpListener,
    plain: TcpListener,
    addresses: [std::net::SocketAddr; 2],
}

/// How a host is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Tls,
    Plain,
}

impl Doors {
    /// Listens on two ports of this machine; 0 lets the system choose one.
    pub(crate) async fn open(tls_port: u16, plain_port: u16) -> Result<Self, SandboxError> {
        let (tls, tls_address) = listen(tls_port).await?;
        let (plain, plain_address) = listen(plain_port).await?;
        Ok(Self { tls, plain, addresses: [tls_address, plain_address] })
    }

    /// Says where they are, and by whom the hosts behind them are certified.
    pub(crate) fn substitute(&self, authority: &Authority) -> Substitute {
        let [tls, plain] = self.addresses;
        Substitute { tls, plain, certificate_authority: authority.pem() }
    }

    /// Waits for the next connection.
    pub(crate) async fn accept(&self) -> (TcpStream, Scheme) {
        loop {
            let (accepted, scheme) = tokio::select! {
                accepted = self.tls.accept() => (accepted, Scheme::Tls),
                accepted = self.plain.accept() => (accepted, Scheme::Plain),
            };
            // A connection that breaks before it is taken is its client's trouble.
            if let Ok((stream, _)) = accepted {
                // Answers are small: waiting for more to send would only delay them.
                drop(stream.set_nodelay(true));
                return (stream, scheme);
            }
        }
    }
}

/// Answers the requests of a connection until its client closes it or the sandbox ends.
pub(crate) async fn serve_connection(stream: TcpStream, scheme: Scheme, shared: Arc<Shared>) {
    match scheme {
        Scheme::Plain => serve(TokioIo::new(stream), scheme, None, shared).await,
        Scheme::Tls => {
            // A client that does not trust the host closes the connection, and says so itself.
            let Some((host, stream)) = shake_hands(stream, &shared).await else { return };
            serve(TokioIo::new(stream), scheme, host, shared).await;
        }
    }
}

/// Shows a client the certificate of the host that it wants; returns that host, if it named one.
async fn shake_hands(stream: TcpStream, shared: &Shared) -> Option<(Option<String>, TlsStream<TcpStream>)> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.ok()?;
    let host = start.client_hello().server_name().map(str::to_ascii_lowercase);
    let name = host.as_deref().unwrap_or(LOCAL);
    let of_cluster = eks::authority_of(&shared.playground().world, name);
    let config = shared.handshakes.of(name, of_cluster.as_ref().unwrap_or(&shared.authority))?;
    Some((host, start.into_stream(config).await.ok()?))
}

async fn serve<I>(stream: I, scheme: Scheme, name: Option<String>, shared: Arc<Shared>)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let all = Arc::clone(&shared);
    let service = service_fn(move |request: Request<Body>| {
        let shared = Arc::clone(&shared);
        let host = name.clone().unwrap_or_else(|| host_of(&request));
        async move {
            let Some(incoming) = Incoming::read(request).await else {
                return Ok(Outgoing::too_large().into_response().map(BodyExt::boxed_unsync));
            };
            answer(&shared, scheme, &host, incoming).await
        }
    });
    talk(stream, service, &all).await;
}

/// Returns the host that a request is for, in small letters and without its port.
fn host_of(request: &Request<Body>) -> String {
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let host = request.uri().host().or(header).unwrap_or(LOCAL);
    let uri: Option<Uri> = host.parse().ok();
    uri.as_ref().and_then(Uri::host).unwrap_or(host).to_ascii_lowercase()
}

/// Answers a request for a host.
async fn answer(
    shared: &Arc<Shared>,
    scheme: Scheme,
    host: &str,
    incoming: Incoming,
) -> Result<Response<Sent>, Lost> {
    let chart = || charts::answer(&incoming.path).filter(|_| host == charts::HOST);
    if let Some(answer) = chart().or_else(|| balancers::answer(shared, scheme, host, &incoming)) {
        return Ok(answer.into_response().map(BodyExt::boxed_unsync));
    }
    let scheme = match scheme {
        Scheme::Tls => {
            let found = eks::cluster_of(&shared.playground().world, host);
            if let Some(found) = found {
                return cluster::answer(shared, &found, incoming).await;
            }
            "https"
        }
        Scheme::Plain => "http",
    };
    let nobody = Outgoing::plain(502, &format!("the sandbox has no host {scheme}://{host}"));
    Ok(nobody.into_response().map(BodyExt::boxed_unsync))
}

/// How hosts show who they are, as far as anybody has asked them.
#[derive(Debug, Default)]
pub(crate) struct Handshakes(Mutex<BTreeMap<String, (Authority, Arc<ServerConfig>)>>);

impl Handshakes {
    /// Returns how a host shows that it is certified; `None` if its name is none.
    fn of(&self, host: &str, authority: &Authority) -> Option<Arc<ServerConfig>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = known.get(host).filter(|(by, _)| by == authority) {
            return Some(Arc::clone(config));
        }
        let config = handshake(authority.certify(host)?);
        if known.len() == MOST_HOSTS {
            known.clear();
        }
        known.insert(host.to_owned(), (authority.clone(), Arc::clone(&config)));
        Some(config)
    }
}

fn handshake(certificate: Arc<CertifiedKey>) -> Arc<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the library supports its own protocol versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certificate)));
    Arc::new(config)
}
