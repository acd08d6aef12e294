//! Listeners: the ports at which load balancers take requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{self, Action};
use super::load_balancer::LoadBalancer;
use super::rule::Rule;
use super::{Balancing, arn, certificates, invalid, page, security_policies, tags};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::ec2::tags::Tags;
use crate::quotas;
use crate::validation::{integer, required};
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateListener",
        &[
            "LoadBalancerArn",
            "Protocol",
            "Port",
            "SslPolicy",
            "Certificates",
            "DefaultActions",
            "AlpnPolicy",
            "Tags",
        ],
        create,
    ),
    Operation::new(
        "DescribeListeners",
        &["LoadBalancerArn", "ListenerArns", "Marker", "PageSize"],
        describe_listeners,
    ),
    Operation::new(
        "ModifyListener",
        &["ListenerArn", "Port", "Protocol", "SslPolicy", "Certificates", "DefaultActions", "AlpnPolicy"],
        modify,
    ),
    Operation::new("DeleteListener", &["ListenerArn"], delete),
];

/// A listener. What it does with requests that no rule is about, its default rule has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Listener {
    pub(super) arn: String,
    pub(super) balancer: String,
    pub(super) protocol: String,
    pub(super) port: u16,
    /// Of secure listeners.
    ssl_policy: Option<String>,
    /// The first one is the default.
    pub(super) certificates: Vec<String>,
    alpn_policy: Vec<String>,
    /// Those that were set.
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) tags: Tags,
}

/// The policies of negotiation by ALPN (API reference, `CreateListener`).
const ALPN: [&str; 5] = ["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"];

impl Listener {
    /// Tells whether what it takes is encrypted.
    pub(super) fn is_secure(&self) -> bool {
        ["HTTPS", "TLS"].contains(&self.protocol.as_str())
    }

    fn shown(&self, balancing: &Balancing) -> Value {
        let rule = balancing.default_rule(&self.arn);
        let actions = rule.map(|rule| rule.actions.iter().map(Action::shown).collect::<Vec<_>>());
        let certificate = self.certificates.first().map(|arn| json!([{ "CertificateArn": arn }]));
        json!({
            "ListenerArn": self.arn,
            "LoadBalancerArn": self.balancer,
            "Port": self.port,
            "Protocol": self.protocol,
            "Certificates": certificate,
            "SslPolicy": self.ssl_policy,
            "DefaultActions": actions,
            "AlpnPolicy": (!self.alpn_policy.is_empty()).then_some(&self.alpn_policy),
            "MutualAuthentication": (self.protocol == "HTTPS").then(|| json!({ "Mode": "off" })),
        })
    }
}

/// What a call says of a listener, checked as far as it goes without others.
fn read(call: &Call, balancer: &LoadBalancer, mut listener: Listener) -> Result<Listener, Refusal> {
    let parameters = &call.parameters;
    if let Some(protocol) = parameters.text("Protocol") {
        let known = balancer.kind.protocols();
        if !known.contains(&protocol) {
            let message = format!("Listener protocol '{protocol}' must be one of '{}'", known.join(", "));
            return Err(invalid(message));
        }
        protocol.clone_into(&mut listener.protocol);
    }
    if let Some(port) = integer(parameters, "Port", 1, 65535)?.and_then(|port| u16::try_from(port).ok()) {
        listener.port = port;
    }
    let named = certificates::named(call)?;
    if named.len() > 1 {
        return Err(invalid("A listener is given exactly one certificate, the default one"));
    }
    let policy = parameters.text("SslPolicy").filter(|policy| !policy.is_empty());
    if !listener.is_secure() {
        if !named.is_empty() || policy.is_some() {
            let protocol = &listener.protocol;
            return Err(invalid(format!(
                "A certificate and an SSL policy cannot be specified for {protocol} listeners"
            )));
        }
        (listener.certificates, listener.ssl_policy) = (Vec::new(), None);
        return alpn(parameters, listener);
    }
    if let Some(default) = named.into_iter().next() {
        listener.certificates.retain(|other| *other != default);
        if !listener.certificates.is_empty() {
            listener.certificates.remove(0);
        }
        listener.certificates.insert(0, default);
    }
    if listener.certificates.is_empty() {
        return Err(invalid(format!("A certificate must be specified for {} listeners", listener.protocol)));
    }
    if let Some(policy) = policy {
        listener.ssl_policy = Some(security_policies::known(policy)?.to_owned());
    }
    listener.ssl_policy.get_or_insert_with(|| security_policies::USUAL.to_owned());
    alpn(parameters, listener)
}

fn alpn(parameters: &Parameters, mut listener: Listener) -> Result<Listener, Refusal> {
    let wanted = parameters.texts("AlpnPolicy");
    if let Some(unknown) = wanted.iter().find(|policy| !ALPN.contains(policy)) {
        let message = format!("ALPN policy '{unknown}' is not supported");
        return Err(Refusal::new("ALPNPolicyNotFound", message));
    }
    if !wanted.is_empty() && listener.protocol != "TLS" {
        return Err(invalid("An ALPN policy can only be specified for TLS listeners"));
    }
    if !wanted.is_empty() || listener.protocol != "TLS" {
        listener.alpn_policy = wanted.into_iter().map(str::to_owned).collect();
    }
    Ok(listener)
}

fn quotas(world: &World, call: &Call, balancer: &str) -> (usize, usize) {
    let account = &call.caller.account;
    let of_listeners = if balancer.contains(":loadbalancer/net/") {
        quotas::LISTENERS_OF_NETWORK
    } else {
        quotas::LISTENERS_OF_APPLICATION
    };
    (world.quota(account, of_listeners), world.quota(account, quotas::TARGET_GROUPS_OF_BALANCER))
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let balancer_arn = required(parameters, "LoadBalancerArn")?;
    let (most, most_groups) = quotas(world, call, balancer_arn);
    let (now, digits, digits_of_rule) = (world.now(), world.new_digits(), world.new_digits());
    let (balancing, _) = world.balancing(&call.region);
    let balancer = balancing.balancer(call, balancer_arn)?;
    for name in ["Protocol", "Port"] {
        if parameters.text(name).is_none() {
            return Err(invalid(format!("A {} must be specified", name.to_lowercase())));
        }
    }
    let empty = Listener {
        arn: format!("{}{digits}", arn::listeners_of(balancer_arn)),
        balancer: balancer_arn.to_owned(),
        protocol: String::new(),
        port: 0,
        ssl_policy: None,
        certificates: Vec::new(),
        alpn_policy: Vec::new(),
        attributes: BTreeMap::new(),
        tags: tags::at_birth(parameters)?,
    };
    let listener = read(call, balancer, empty)?;
    let actions = action::read_all(parameters, "DefaultActions", &listener.protocol)?;
    if let Some(present) = at_same_port(balancing, &listener) {
        return if is_like(balancing, present, &listener, &actions) {
            Ok(json!({ "Listeners": [present.shown(balancing)] }))
        } else {
            Err(duplicate(&listener))
        };
    }
    balancing.check_targets(call, balancer, &actions, most_groups)?;
    if balancing.listeners_of(balancer_arn).count() >= most {
        return Err(Refusal::new("TooManyListeners", "The maximum number of listeners has been reached."));
    }
    balancing.put_rule(Rule::default_of(&listener.arn, balancer_arn, &digits_of_rule, actions, now));
    let answer = json!({ "Listeners": [listener.shown(balancing)] });
    balancing.listeners.insert(listener.arn.clone(), listener);
    Ok(answer)
}

/// Returns the listener that has a listener's port already.
fn at_same_port<'a>(balancing: &'a Balancing, listener: &Listener) -> Option<&'a Listener> {
    let mut others = balancing.listeners_of(&listener.balancer);
    others.find(|other| other.port == listener.port && other.arn != listener.arn)
}

fn duplicate(listener: &Listener) -> Refusal {
    let message =
        format!("A listener already exists on this port for this load balancer '{}'", listener.balancer);
    Refusal::new("DuplicateListener", message)
}

/// Tells whether a listener is as a call wants one: "if you attempt to create multiple listeners with the
/// same settings, each call succeeds" (API reference, `CreateListener`).
fn is_like(balancing: &Balancing, present: &Listener, wanted: &Listener, actions: &[Action]) -> bool {
    let settings = |listener: &Listener| {
        let security = (listener.ssl_policy.clone(), listener.certificates.first().cloned());
        (listener.protocol.clone(), security, listener.alpn_policy.clone(), listener.tags.clone())
    };
    let same_actions = balancing.default_rule(&present.arn).is_some_and(|rule| rule.actions == actions);
    settings(present) == settings(wanted) && same_actions
}

fn describe_listeners(world: &mut World, call: &Call) -> Answer {
    let (balancing, _) = world.balancing(&call.region);
    let arns = call.parameters.texts("ListenerArns");
    let found: BTreeMap<String, &Listener> = match call.parameters.text("LoadBalancerArn") {
        Some(_) if !arns.is_empty() => {
            return Err(invalid(
                "A load balancer ARN and listener ARNs cannot be specified at the same time",
            ));
        }
        None if arns.is_empty() => {
            return Err(invalid("You must specify either listener ARNs or a load balancer ARN"));
        }
        Some(balancer) => {
            balancing.balancer(call, balancer)?;
            balancing.listeners_of(balancer).map(|listener| (listener.arn.clone(), listener)).collect()
        }
        None => {
            let found = arns.into_iter().map(|arn| Ok((arn.to_owned(), balancing.listener(call, arn)?)));
            found.collect::<Result<_, Refusal>>()?
        }
    };
    let shown = found.into_iter().map(|(arn, listener)| (arn, listener.shown(balancing)));
    page(&call.parameters, "Listeners", shown)
}

fn modify(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let arn = required(parameters, "ListenerArn")?;
    let (_, most_groups) = quotas(world, call, arn);
    let now = world.now();
    let (balancing, _) = world.balancing(&call.region);
    let present = balancing.listener(call, arn)?.clone();
    let balancer = balancing.balancer(call, &present.balancer)?;
    let listener = read(call, balancer, present)?;
    if at_same_port(balancing, &listener).is_some() {
        return Err(duplicate(&listener));
    }
    if !parameters.tables("DefaultActions").is_empty() {
        let actions = action::read_all(parameters, "DefaultActions", &listener.protocol)?;
        balancing.check_targets(call, balancer, &actions, most_groups)?;
        if let Some(mut rule) = balancing.default_rule(arn).cloned() {
            rule.set_actions(actions, now);
            balancing.put_rule(rule);
        }
    }
    let answer = json!({ "Listeners": [listener.shown(balancing)] });
    balancing.listeners.insert(arn.to_owned(), listener);
    Ok(answer)
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "ListenerArn")?;
    let (balancing, _) = world.balancing(&call.region);
    balancing.listener(call, arn)?;
    balancing.remove_listener(arn);
    Ok(json!({}))
}
