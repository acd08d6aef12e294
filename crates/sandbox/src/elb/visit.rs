//! What a load balancer answers to somebody who visits it: by its listeners, rules and targets.

use serde_json::Value;

use super::Balancing;
use super::action::Action;
use super::action::End;
use super::listener::Listener;
use super::load_balancer::{BalancerKind, LoadBalancer, Scheme};
use super::rule::Rule;
use crate::ec2::Network;
use crate::world::World;

/// A request to a load balancer, from the internet.
pub(crate) struct Visit<'a> {
    /// In small letters, without the port.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) is_secure: bool,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    /// Returns a header's text.
    pub(crate) header: &'a dyn Fn(&str) -> Option<String>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
    /// Where to go instead.
    pub(crate) location: Option<String>,
}

impl Response {
    /// Answers with a page as load balancers write them.
    fn page(status: u16, title: &str) -> Self {
        let body = format!(
            "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} {title}</h1></center>\r\n\
             </body>\r\n</html>\r\n"
        );
        Self { status, content_type: "text/html".to_owned(), body, location: None }
    }

    /// Answers in the place of a load balancer that nobody reaches: a connection that is not answered cannot be
    /// shown here otherwise.
    fn unreachable(why: &str) -> Self {
        let body = format!("sandbox: nobody would answer here: {why}\n");
        Self { status: 504, content_type: "text/plain; charset=utf-8".to_owned(), body, location: None }
    }
}

impl World {
    /// Answers a visit to a load balancer, whosever it is; `None` if there is none with that name in the DNS.
    pub(crate) fn visit(&mut self, visit: &Visit<'_>) -> Option<Response> {
        let now = self.now();
        let has_name = |balancer: &&LoadBalancer| balancer.dns_name.eq_ignore_ascii_case(visit.host);
        let mut regions = self.balancing.iter();
        let region =
            regions.find(|(_, balancing)| balancing.balancers.values().any(|one| has_name(&one)))?.0.clone();
        let (balancing, network) = self.balancing(&region);
        let balancer = balancing.balancers.values().find(has_name)?;
        if balancer.kind == BalancerKind::Network {
            return Some(Response::unreachable("network load balancers have no HTTP here"));
        }
        if balancer.scheme == Scheme::Internal {
            return Some(Response::unreachable("the load balancer is internal"));
        }
        if !balancer.is_active(now) {
            return Some(Response::page(503, "Service Temporarily Unavailable"));
        }
        if !network.lets_internet_in(&balancer.groups, visit.port) {
            let why = format!("no group of the load balancer lets the internet in to port {}", visit.port);
            return Some(Response::unreachable(&why));
        }
        let protocol = if visit.is_secure { "HTTPS" } else { "HTTP" };
        let mut listeners = balancing.listeners_of(&balancer.arn);
        let listener = listeners.find(|one| one.port == visit.port && one.protocol == protocol);
        let Some(listener) = listener else {
            let why = format!("the load balancer has no listener of {protocol} at port {}", visit.port);
            return Some(Response::unreachable(&why));
        };
        Some(balancing.carry_out(network, listener, visit, now))
    }
}

impl Balancing {
    /// Lets the first rule that is about a request say what becomes of it; the default one is about all.
    fn carry_out(
        &self,
        network: &Network,
        listener: &Listener,
        visit: &Visit<'_>,
        now: jiff::Timestamp,
    ) -> Response {
        let mut rules: Vec<&Rule> = self.rules_of(&listener.arn).collect();
        rules.sort_by_key(|rule| rule.priority.unwrap_or(i64::MAX));
        let is_meant = |rule: &&Rule| rule.conditions.iter().all(|condition| condition.holds(visit));
        let actions =
            rules.into_iter().find(is_meant).map(|rule| rule.actions.as_slice()).unwrap_or_default();
        match actions.first().map(Action::end) {
            Some(End::Fixed(config)) => fixed(config),
            Some(End::Redirect(config)) => redirected(config, visit),
            Some(End::Forward(groups)) => self.forwarded(network, groups, visit, now),
            Some(End::Authenticate) => Response::page(401, "Authorization Required"),
            None => Response::page(503, "Service Temporarily Unavailable"),
        }
    }

    /// Lets a healthy target answer, of the group with the greatest weight that has one.
    fn forwarded(
        &self,
        network: &Network,
        groups: &[(String, i64)],
        visit: &Visit<'_>,
        now: jiff::Timestamp,
    ) -> Response {
        let mut groups: Vec<_> = groups.iter().filter(|(_, weight)| *weight > 0).collect();
        groups.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        let groups = groups.into_iter().filter_map(|(arn, _)| self.target_groups.get(arn));
        let mut healthy = groups.flat_map(|group| self.healthy(network, group, now));
        match healthy.next() {
            Some(target) => sample_page(&target.id, visit),
            None => Response::page(503, "Service Temporarily Unavailable"),
        }
    }
}

fn fixed(config: &Value) -> Response {
    let text = |name: &str| config[name].as_str().unwrap_or_default().to_owned();
    Response {
        status: text("StatusCode").parse().unwrap_or(503),
        content_type: Some(text("ContentType"))
            .filter(|text| !text.is_empty())
            .unwrap_or("text/plain".to_owned()),
        body: text("MessageBody"),
        location: None,
    }
}

/// Sends a visitor somewhere else: "you can reuse URI components using the following reserved keywords"
/// ("Redirect actions", ALB guide).
fn redirected(config: &Value, visit: &Visit<'_>) -> Response {
    let protocol = if visit.is_secure { "https" } else { "http" };
    let port = visit.port.to_string();
    let filled = |name: &str| {
        let text = config[name].as_str().unwrap_or_default();
        text.replace("#{protocol}", protocol)
            .replace("#{host}", visit.host)
            .replace("#{port}", &port)
            .replace("#{path}", visit.path.trim_start_matches('/'))
            .replace("#{query}", visit.query)
    };
    let query = Some(filled("Query")).filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let protocol = filled("Protocol").to_lowercase();
    let (host, port, path) = (filled("Host"), filled("Port"), filled("Path"));
    let location = format!("{protocol}://{host}:{port}{path}{query}");
    let (status, title) = match config["StatusCode"].as_str() {
        Some("HTTP_302") => (302, "Found"),
        _ => (301, "Moved Permanently"),
    };
    Response { location: Some(location), ..Response::page(status, title) }
}

/// What every application in the sandbox answers: a page that says who answered what.
fn sample_page(target: &str, visit: &Visit<'_>) -> Response {
    let shown = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (host, path) = (shown(visit.host), shown(visit.path));
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>2048</title></head>\n<body>\n\
         <h1>2048</h1>\n<p>The sample application answers: the request for <code>{path}</code> came through \
         <code>{host}</code> to the target <code>{target}</code>.</p>\n</body>\n</html>\n",
        target = shown(target)
    );
    let content_type = "text/html; charset=utf-8".to_owned();
    Response { status: 200, content_type, body, location: None }
}
