//! Load balancers, by their names in the DNS.

use super::Scheme;
use crate::elb::Visit;
use crate::server::{Incoming, Outgoing, Shared};

/// Answers a request to a load balancer; `None` if the host is none.
pub(super) fn answer(shared: &Shared, scheme: Scheme, host: &str, incoming: &Incoming) -> Option<Outgoing> {
    let is_secure = scheme == Scheme::Tls;
    let said = incoming.header("host").and_then(|host| host.rsplit_once(':'));
    let usual = if is_secure { 443 } else { 80 };
    let visit = Visit {
        host,
        port: said.and_then(|(_, port)| port.parse().ok()).unwrap_or(usual),
        is_secure,
        method: &incoming.method,
        path: &incoming.path,
        query: &incoming.query_text,
        header: &|name| incoming.header(name).map(str::to_owned),
    };
    let mut playground = shared.playground();
    playground.let_arrive();
    let response = playground.world.visit(&visit)?;
    let outgoing = Outgoing::new(response.status, &response.content_type, response.body.into_bytes());
    Some(match response.location {
        Some(location) => outgoing.with_header("location", &location),
        None => outgoing,
    })
}
