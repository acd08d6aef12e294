//! Actions: what becomes of a request.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::load_balancer::{BalancerKind, LoadBalancer};
use super::target_group::Family;
use super::{Balancing, invalid, mismatch, one_of};
use crate::call::{Call, Parameters, Refusal};
use crate::validation::{integer, length, required};

/// An action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Action {
    kind: String,
    order: Option<i64>,
    /// Of the kind `forward`.
    forward: Option<Forward>,
    /// Of the others: the name of their attribute, and what is in it.
    config: Option<(String, Value)>,
}

/// Where requests are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Forward {
    /// Target groups, with their weights.
    groups: Vec<(String, i64)>,
    is_sticky: bool,
    /// In seconds.
    sticks_for: Option<i64>,
}

/// What an action does with a request.
pub(super) enum End<'a> {
    /// To target groups, with their weights.
    Forward(&'a [(String, i64)]),
    Redirect(&'a Value),
    Fixed(&'a Value),
    /// Who asks has to be known first.
    Authenticate,
}

/// The kinds that end what becomes of a request.
const ENDS: [&str; 3] = ["forward", "redirect", "fixed-response"];
/// The kinds that come before, with their attributes: who asks has to be known, so they need HTTPS.
const AUTHENTICATIONS: [(&str, &str); 3] = [
    ("authenticate-cognito", "AuthenticateCognitoConfig"),
    ("authenticate-oidc", "AuthenticateOidcConfig"),
    ("jwt-validation", "JwtValidationConfig"),
];
/// How many target groups one action may have, of an application and of a network load balancer.
const GROUPS: (usize, usize) = (5, 1);

impl Action {
    /// Returns the target groups that it sends requests to.
    pub(super) fn target_groups(&self) -> impl Iterator<Item = &str> {
        self.forward.iter().flat_map(|forward| &forward.groups).map(|(group, _)| group.as_str())
    }

    /// Returns what it does, if it is one that ends what becomes of a request.
    pub(super) fn end(&self) -> End<'_> {
        match (&self.forward, &self.config) {
            (Some(forward), _) => End::Forward(&forward.groups),
            (None, Some((_, config))) if self.kind == "redirect" => End::Redirect(config),
            (None, Some((_, config))) if self.kind == "fixed-response" => End::Fixed(config),
            (None, _) => End::Authenticate,
        }
    }

    /// Returns it as answers have it. One target group is told in two ways.
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({ "Type": self.kind, "Order": self.order });
        if let Some(forward) = &self.forward {
            if let [(group, _)] = forward.groups.as_slice() {
                shown["TargetGroupArn"] = json!(group);
            }
            let groups = forward.groups.iter();
            let groups = groups.map(|(group, weight)| json!({ "TargetGroupArn": group, "Weight": weight }));
            shown["ForwardConfig"] = json!({
                "TargetGroups": groups.collect::<Vec<_>>(),
                "TargetGroupStickinessConfig":
                    { "Enabled": forward.is_sticky, "DurationSeconds": forward.sticks_for },
            });
        }
        if let Some((name, config)) = &self.config {
            shown[name] = config.clone();
        }
        shown
    }
}

/// Reads the actions of a call.
///
/// # Errors
/// If they are none, or do not go together: "the last action … must be one of forward, fixed-response, or
/// redirect" (API reference, `Action`).
pub(super) fn read_all(parameters: &Parameters, name: &str, protocol: &str) -> Result<Vec<Action>, Refusal> {
    let mut actions = Vec::new();
    for action in parameters.tables(name) {
        actions.push(read(&action, protocol)?);
    }
    if actions.is_empty() {
        return Err(invalid("At least one action must be specified"));
    }
    let orders: BTreeSet<_> = actions.iter().map(|action| action.order).collect();
    if actions.len() > 1 && (orders.contains(&None) || orders.len() < actions.len()) {
        return Err(wrong_action("Several actions need an order each, which no other one has"));
    }
    actions.sort_by_key(|action| action.order);
    let ends: Vec<_> = actions.iter().map(|action| ENDS.contains(&action.kind.as_str())).collect();
    if ends.iter().filter(|is_end| **is_end).count() != 1 || ends.last() != Some(&true) {
        let message =
            "The last action, and no other one, must be of the type forward, fixed-response or redirect";
        return Err(wrong_action(message));
    }
    Ok(actions)
}

fn wrong_action(message: &str) -> Refusal {
    Refusal::new("InvalidLoadBalancerAction", message)
}

fn read(action: &Parameters, protocol: &str) -> Result<Action, Refusal> {
    let known: Vec<_> = ENDS.into_iter().chain(AUTHENTICATIONS.map(|(kind, _)| kind)).collect();
    let kind = one_of("Type", required(action, "Type")?, &known)?;
    let is_http = ["HTTP", "HTTPS"].contains(&protocol);
    if kind != "forward" && !is_http {
        return Err(wrong_action(&format!("Actions of the type '{kind}' need the protocol HTTP or HTTPS")));
    }
    let authentication = AUTHENTICATIONS.iter().find(|(known, _)| *known == kind);
    let (mut forward, mut config) = (None, None);
    match (kind, authentication) {
        ("forward", _) => forward = Some(read_forward(action, is_http)?),
        ("redirect", _) => {
            let redirect = redirect(&action.table("RedirectConfig"))?;
            config = Some(("RedirectConfig".to_owned(), redirect));
        }
        ("fixed-response", _) => {
            let response = fixed_response(&action.table("FixedResponseConfig"))?;
            config = Some(("FixedResponseConfig".to_owned(), response));
        }
        (_, Some((_, name))) => config = Some(((*name).to_owned(), authenticate(action, name, protocol)?)),
        (other, None) => return Err(wrong_action(&format!("There are no actions of the type '{other}'"))),
    }
    let order = integer(action, "Order", 1, 50_000)?;
    Ok(Action { kind: kind.to_owned(), order, forward, config })
}

fn read_forward(action: &Parameters, is_http: bool) -> Result<Forward, Refusal> {
    let config = action.table("ForwardConfig");
    let mut groups = Vec::new();
    for group in config.tables("TargetGroups") {
        let weight = integer(&group, "Weight", 0, 999)?.unwrap_or(1);
        groups.push((required(&group, "TargetGroupArn")?.to_owned(), weight));
    }
    match (action.text("TargetGroupArn"), groups.as_slice()) {
        (Some(arn), []) => groups.push((arn.to_owned(), 1)),
        (Some(arn), [(other, _)]) if arn == other => {}
        (None, [_, ..]) => {}
        (None, []) => return Err(invalid("A target group ARN must be specified")),
        (Some(_), _) => {
            let message =
                "The target group ARN must be that of the only target group of the forward configuration";
            return Err(invalid(message));
        }
    }
    let most = if is_http { GROUPS.0 } else { GROUPS.1 };
    if groups.len() > most {
        return Err(invalid(format!("An action can forward to at most '{most}' target groups here")));
    }
    let stickiness = config.table("TargetGroupStickinessConfig");
    let is_sticky = stickiness.flag("Enabled")?.unwrap_or_default();
    let sticks_for = integer(&stickiness, "DurationSeconds", 1, 604_800)?;
    Ok(Forward { groups, is_sticky, sticks_for })
}

/// What a redirect keeps unless it says something else.
const KEPT: [(&str, &str); 5] = [
    ("Protocol", "#{protocol}"),
    ("Port", "#{port}"),
    ("Host", "#{host}"),
    ("Path", "/#{path}"),
    ("Query", "#{query}"),
];

/// "You must modify at least one of the following components to avoid a redirect loop: protocol, hostname,
/// port, or path" ("Redirect actions", ALB guide).
fn redirect(config: &Parameters) -> Result<Value, Refusal> {
    let status = one_of("StatusCode", required(config, "StatusCode")?, &["HTTP_301", "HTTP_302"])?;
    let parts = KEPT.map(|(name, usual)| (name, config.text(name).unwrap_or(usual), usual));
    if parts.iter().all(|(name, given, usual)| given == usual || *name == "Query") {
        let message = "The RedirectConfig must modify at least one of the following components to avoid a redirect \
                       loop: protocol, port, hostname, path";
        return Err(wrong_action(message));
    }
    let mut shown = json!({ "StatusCode": status });
    for (name, given, _) in parts {
        shown[name] = json!(given);
    }
    Ok(shown)
}

fn fixed_response(config: &Parameters) -> Result<Value, Refusal> {
    let status = required(config, "StatusCode")?;
    let is_status = status.len() == 3
        && status.starts_with(['2', '4', '5'])
        && status.bytes().all(|byte| byte.is_ascii_digit());
    if !is_status {
        return Err(invalid(format!("Fixed response status code '{status}' must be 2XX, 4XX or 5XX")));
    }
    let types = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];
    let content_type =
        config.text("ContentType").map(|text| one_of("ContentType", text, &types)).transpose()?;
    let body = config.text("MessageBody");
    length("MessageBody", body.unwrap_or_default(), 0, 1024)?;
    Ok(json!({ "StatusCode": status, "ContentType": content_type, "MessageBody": body }))
}

/// Keeps what an action says of who asks, but for the secret, which is never shown.
fn authenticate(action: &Parameters, name: &str, protocol: &str) -> Result<Value, Refusal> {
    let mut config = action.table(name);
    if protocol != "HTTPS" || config.0.is_empty() {
        return Err(wrong_action(&format!("It needs a {name}, and a listener with the protocol HTTPS")));
    }
    config.0.remove("ClientSecret");
    Ok(Value::Object(config.0))
}

impl Balancing {
    /// Checks that a load balancer can send requests to the target groups of actions.
    pub(super) fn check_targets(
        &self,
        call: &Call,
        balancer: &LoadBalancer,
        actions: &[Action],
        most: usize,
    ) -> Result<(), Refusal> {
        for arn in actions.iter().flat_map(Action::target_groups) {
            let group = self.target_group(call, arn)?;
            let fits = match balancer.kind {
                BalancerKind::Application => group.family() != Family::Tcp,
                BalancerKind::Network => group.family() == Family::Tcp,
            };
            if !fits {
                let message = format!(
                    "Target group '{arn}' has the protocol '{}', which load balancers with type '{}' do not send to",
                    group.protocol.as_deref().unwrap_or("none"),
                    balancer.kind.name()
                );
                return Err(Refusal::new("IncompatibleProtocols", message));
            }
            if group.vpc_id.as_ref().is_some_and(|vpc_id| *vpc_id != balancer.vpc_id) {
                return Err(mismatch(format!(
                    "The following target groups are in a different VPC than load balancer '{}': {arn}",
                    balancer.arn
                )));
            }
            if self.balancers_of(arn).into_iter().any(|other| other != balancer.arn) {
                let message = format!(
                    "The following target groups cannot be associated with more than one load balancer: {arn}"
                );
                return Err(Refusal::new("TargetGroupAssociationLimit", message));
            }
        }
        let mut all = self.target_groups_of(&balancer.arn);
        all.extend(actions.iter().flat_map(Action::target_groups));
        if all.len() > most {
            let message = format!("A load balancer cannot have more than '{most}' target groups");
            return Err(Refusal::new("TooManyUniqueTargetGroupsPerLoadBalancer", message));
        }
        Ok(())
    }
}
