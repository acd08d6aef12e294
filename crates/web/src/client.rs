//! Where hosts are, and by which certificates they are known.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HOST, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Method, RequestBuilder, Url, redirect};
use straddle_engine::outside::Outside;

use crate::{Patience, Web, WebError};

/// How much of an error is told, from the outside inwards.
const CAUSES: usize = 4;

/// Finds every host at one place.
struct There(IpAddr);

impl Resolve for There {
    fn resolve(&self, _: Name) -> Resolving {
        // The port is that of the request's address.
        let address = SocketAddr::new(self.0, 0);
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
    }
}

impl Web {
    /// Makes ready to ask.
    ///
    /// # Errors
    /// If what takes the place of the hosts has no certificate that can be read, or the system no resources.
    pub fn new(outside: &Outside, patience: Patience) -> Result<Self, WebError> {
        let mut client = Client::builder()
            .user_agent(concat!("straddle/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(patience.connection)
            .read_timeout(patience.silence)
            .timeout(patience.whole);
        if let Some(substitute) = outside.substitute() {
            client = client.no_proxy().dns_resolver(There(substitute.tls.ip()));
            let authority = substitute.certificate_authority.as_bytes();
            for certificate in Certificate::from_pem_bundle(authority).map_err(|error| unaskable(&error))? {
                client = client.add_root_certificate(certificate);
            }
        }
        let client = client.build().map_err(|error| unaskable(&error))?;
        Ok(Self { client, outside: outside.clone() })
    }

    /// Makes one request, to be sent by the caller. `host` is the name that the host is asked by, if that is
    /// not the one of the address.
    ///
    /// # Errors
    /// If the address is none that can be asked.
    pub fn request(
        &self,
        method: Method,
        address: &Url,
        host: Option<&str>,
    ) -> Result<RequestBuilder, WebError> {
        let written = match (address.host_str(), address.port()) {
            (None, _) => return Err(WebError::Unaskable("it names no host".to_owned())),
            (Some(name), None) => name.to_owned(),
            (Some(name), Some(port)) => format!("{name}:{port}"),
        };
        let place = self.place(address)?;
        let request = self.client.request(method, place.clone());
        if host.is_none() && place == *address {
            return Ok(request);
        }
        let name = HeaderValue::from_str(host.unwrap_or(&written))
            .map_err(|error| WebError::Unaskable(error.to_string()))?;
        Ok(request.headers(HeaderMap::from_iter([(HOST, name)])))
    }

    /// Returns the address with the port, and if need be the host, of what takes the place of its host.
    fn place(&self, address: &Url) -> Result<Url, WebError> {
        let mut place = address.clone();
        if let Some(there) = self.outside.address(address.scheme()) {
            // By TLS the name has to stay, since it says which host is meant; an address is no name.
            let has_name = address.scheme() == "https" && address.domain().is_some();
            let moved = has_name || place.set_ip_host(there.ip()).is_ok();
            if !moved || place.set_port(Some(there.port())).is_err() {
                return Err(WebError::Unaskable("it can have no port".to_owned()));
            }
        }
        Ok(place)
    }
}

fn unaskable(error: &reqwest::Error) -> WebError {
    WebError::Unaskable(causes(error))
}

/// Returns what an error says, with what it comes from, from the outside inwards.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause.filter(|_| causes.len() < CAUSES) {
        causes.push(inner.to_string());
        cause = inner.source();
    }
    causes.join(": ")
}
