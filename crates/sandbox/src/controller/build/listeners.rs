//! The listeners of a group: the ports that its Ingresses want, and what becomes of requests to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Build, rules};
use crate::controller::group::{Group, Member};
use crate::controller::model::{Action, Listener, Texts};
use crate::controller::object::{items, text};
use crate::controller::reach::{Done, Trouble};
use crate::controller::work::Work;

/// What is wanted of ports.
pub(super) type Ports = BTreeMap<u16, Wanted>;

/// What is wanted of a port.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    protocol: String,
    certificates: Vec<String>,
    ssl_policy: Option<String>,
    /// The ranges from which it is reached.
    pub(super) sources: BTreeSet<String>,
    /// The places of the members that want it.
    members: Vec<usize>,
}

/// Returns the ports that the members of a group want.
pub(super) fn ports(group: &Group) -> Done<Ports> {
    let mut ports = Ports::new();
    for (place, member) in group.members.iter().enumerate() {
        let certificates = certificates(member);
        for (port, protocol) in member_ports(member, !certificates.is_empty())? {
            let wanted = ports.entry(port).or_default();
            if !wanted.protocol.is_empty() && wanted.protocol != protocol {
                return Err(Trouble::other(format!("conflicting protocol, {}: {protocol}", wanted.protocol)));
            }
            protocol.clone_into(&mut wanted.protocol);
            wanted.members.push(place);
            wanted.sources.extend(sources(member));
            if protocol == "HTTPS" {
                let others = certificates.iter().filter(|one| !wanted.certificates.contains(one));
                let others: Vec<_> = others.cloned().collect();
                wanted.certificates.extend(others);
                let policy = member.said("/sslPolicy", "ssl-policy").map(str::to_owned);
                wanted.ssl_policy = policy.or(wanted.ssl_policy.take());
            }
        }
    }
    Ok(ports)
}

fn certificates(member: &Member) -> Vec<String> {
    let of_class = items(&member.class, "/certificateArn").iter().filter_map(Value::as_str);
    let of_class: Vec<_> = of_class.map(str::to_owned).collect();
    if of_class.is_empty() { member.annotations.list("certificate-arn") } else { of_class }
}

/// Returns the ranges from which a member's listeners may be reached.
fn sources(member: &Member) -> Vec<String> {
    let of_class: Vec<_> = items(&member.class, "/inboundCIDRs").iter().filter_map(Value::as_str).collect();
    if !of_class.is_empty() {
        return of_class.into_iter().map(str::to_owned).collect();
    }
    let said = member.annotations.list("inbound-cidrs");
    if said.is_empty() { vec!["0.0.0.0/0".to_owned()] } else { said }
}

/// Returns the ports of a member with their protocols: 80, or 443 if there is a certificate, unless it says them.
fn member_ports(member: &Member, is_secure: bool) -> Done<Vec<(u16, String)>> {
    let Some(said) = member.annotations.json("listen-ports")? else {
        let usual = if is_secure { (443, "HTTPS") } else { (80, "HTTP") };
        return Ok(vec![(usual.0, usual.1.to_owned())]);
    };
    let wrong = || Trouble::other(format!("invalid listen-ports configuration: `{said}`"));
    let mut ports = Vec::new();
    for entry in said.as_array().ok_or_else(wrong)? {
        for (protocol, port) in entry.as_object().ok_or_else(wrong)? {
            let port = port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
            let port = port
                .ok_or_else(|| Trouble::other(format!("listen port must be within [1, 65535]: {entry}")))?;
            if !["HTTP", "HTTPS"].contains(&protocol.as_str()) {
                return Err(Trouble::other(format!("listen protocol must be HTTP or HTTPS: {protocol}")));
            }
            ports.push((port, protocol.clone()));
        }
    }
    if ports.is_empty() {
        Err(Trouble::other(format!("empty listen-ports configuration: `{said}`")))
    } else {
        Ok(ports)
    }
}

/// Works out the listeners, with their rules.
pub(super) fn build(work: &mut Work<'_>, build: &mut Build<'_>, ports: &Ports) -> Done<()> {
    let redirect = ssl_redirect(build.group, ports)?;
    for (port, wanted) in ports {
        if wanted.protocol == "HTTPS" && wanted.certificates.is_empty() {
            // The controller would look for one of the hosts in ACM, which the sandbox does not have.
            let hosts = hosts(build.group, &wanted.members);
            return Err(Trouble::other(format!("no certificate found for host: {hosts}")));
        }
        let redirects = redirect.filter(|to| wanted.protocol == "HTTP" && to != port);
        let members = || wanted.members.iter().map(|place| &build.group.members[*place]);
        let members: Vec<Member> = members().cloned().collect();
        let (default_actions, rules) = match redirects {
            Some(to) => (vec![redirection(to)], Vec::new()),
            None => (default_actions(work, build, &members)?, rules::build(work, build, *port, &members)?),
        };
        let ssl_policy = (wanted.protocol == "HTTPS")
            .then(|| wanted.ssl_policy.clone().unwrap_or_else(|| work.settings.ssl_policy.clone()));
        let listener = Listener {
            protocol: wanted.protocol.clone(),
            certificates: wanted.certificates.clone(),
            ssl_policy,
            default_actions,
            rules,
            attributes: attributes(&members, &wanted.protocol, *port)?,
            tags: build.tags_of(work, &port.to_string()),
        };
        build.stack.listeners.insert(*port, listener);
    }
    Ok(())
}

fn hosts(group: &Group, members: &[usize]) -> String {
    let ingresses = members.iter().map(|place| &group.members[*place].ingress);
    let rules = ingresses.flat_map(|ingress| items(ingress, "/spec/rules"));
    rules.map(|rule| text(rule, "/host")).find(|host| !host.is_empty()).unwrap_or_default().to_owned()
}

/// Returns the port of HTTPS that requests are sent to which are not encrypted.
fn ssl_redirect(group: &Group, ports: &Ports) -> Done<Option<u16>> {
    let said = super::agreed(group, "sslRedirect port", |member| {
        let of_class = member.class.pointer("/sslRedirectPort").map(ToString::to_string);
        of_class.or_else(|| member.annotations.get("ssl-redirect").map(str::to_owned))
    })?;
    let Some(said) = said else { return Ok(None) };
    let port = said.trim_matches('"').parse().ok();
    let is_there = |port: &u16| ports.get(port).is_some_and(|wanted| wanted.protocol == "HTTPS");
    let port = port
        .filter(is_there)
        .ok_or_else(|| Trouble::other(format!("listener does not exist for SSLRedirect port: {said}")))?;
    Ok(Some(port))
}

fn redirection(to: u16) -> Action {
    let config = json!({ "Port": to.to_string(), "Protocol": "HTTPS", "StatusCode": "HTTP_301" });
    Action::Plain(json!({ "Type": "redirect", "RedirectConfig": config }))
}

/// Returns what becomes of requests that no rule is about: the default backend of at most one member has them.
fn default_actions(work: &mut Work<'_>, build: &mut Build<'_>, members: &[Member]) -> Done<Vec<Action>> {
    let backends = members.iter().filter_map(|member| {
        let backend = member.ingress.pointer("/spec/defaultBackend").filter(|backend| !backend.is_null());
        backend.map(|backend| (member.clone(), backend.clone()))
    });
    let mut backends: Vec<_> = backends.collect();
    if backends.len() > 1 {
        let names = backends.iter().map(|(member, _)| member.key().1.to_owned()).collect::<Vec<_>>();
        return Err(Trouble::other(format!(
            "multiple ingress defined default backend: [{}]",
            names.join(" ")
        )));
    }
    match backends.pop() {
        None => Ok(vec![Action::fixed("404", None)]),
        Some((member, backend)) => super::backend::actions(work, build, &member, &backend),
    }
}

/// Returns the attributes of a listener: `listener-attributes.HTTP-80` of its members.
fn attributes(members: &[Member], protocol: &str, port: u16) -> Done<Texts> {
    let mut all = Texts::new();
    for member in members {
        all.extend(member.annotations.table(&format!("listener-attributes.{protocol}-{port}"))?);
    }
    Ok(all)
}
