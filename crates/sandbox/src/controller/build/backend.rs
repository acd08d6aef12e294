//! Backends: what a path of an Ingress sends requests to, and the target groups that this takes.

use serde_json::{Map, Value, json};

use super::Build;
use crate::controller::annotations::Annotations;
use crate::controller::group::Member;
use crate::controller::model::{Action, Binding, Forward, Target, TargetGroup};
use crate::controller::names::TargetGroupName;
use crate::controller::object::{items, name, namespace, text};
use crate::controller::reach::{Done, SERVICE, Trouble};
use crate::controller::work::Work;

/// Returns what becomes of requests to a backend.
pub(super) fn actions(
    work: &mut Work<'_>,
    build: &mut Build<'_>,
    member: &Member,
    backend: &Value,
) -> Done<Vec<Action>> {
    let service = text(backend, "/service/name");
    if service.is_empty() {
        return Err(Trouble::other("missing required \"service\" field"));
    }
    let port = port_of(&backend["service"]["port"]);
    if port == json!("use-annotation") {
        return annotated(work, build, member, service);
    }
    let target = target(work, build, member, service, &port)?;
    let forward = |target| Action::Forward(Forward { to: vec![(target, None)], stickiness: Value::Null });
    Ok(vec![target.map_or_else(missing, forward)])
}

/// Returns the port that an Ingress names: a number or a name.
fn port_of(port: &Value) -> Value {
    if port["name"].is_string() { port["name"].clone() } else { port["number"].clone() }
}

/// Returns the action that an annotation describes: `actions.<name>`.
fn annotated(work: &mut Work<'_>, build: &mut Build<'_>, member: &Member, name: &str) -> Done<Vec<Action>> {
    let annotation = format!("actions.{name}");
    let action = member.annotations.json(&annotation)?;
    let action = action.ok_or_else(|| Trouble::other(format!("missing {annotation} configuration")))?;
    if text(&action, "/type") != "forward" {
        return Ok(vec![Action::Plain(capitalised(&action))]);
    }
    let single =
        |arn: &str| Forward { to: vec![(Target::Other(arn.to_owned()), None)], stickiness: Value::Null };
    if let Some(arn) = action["targetGroupARN"].as_str() {
        return Ok(vec![Action::Forward(single(arn))]);
    }
    let mut forward = Forward {
        to: Vec::new(),
        stickiness: action
            .pointer("/forwardConfig/targetGroupStickinessConfig")
            .map(capitalised)
            .unwrap_or_default(),
    };
    for group in items(&action, "/forwardConfig/targetGroups") {
        let weight = group["weight"].as_i64();
        let target = if let Some(arn) = group["targetGroupARN"].as_str() {
            Some(Target::Other(arn.to_owned()))
        } else {
            let port = &group["servicePort"];
            let number = port.as_str().and_then(|port| port.parse::<u16>().ok());
            let port = number.map_or_else(|| port.clone(), |port| json!(port));
            target(work, build, member, text(group, "/serviceName"), &port)?
        };
        let Some(target) = target else { return Ok(vec![missing()]) };
        forward.to.push((target, weight));
    }
    Ok(vec![Action::Forward(forward)])
}

/// What is answered in the place of a Service that does not exist.
fn missing() -> Action {
    Action::fixed("503", Some("Backend service does not exist"))
}

/// Returns the target group for a port of a Service; `None` if there is no such Service.
fn target(
    work: &mut Work<'_>,
    build: &mut Build<'_>,
    member: &Member,
    service: &str,
    port: &Value,
) -> Done<Option<Target>> {
    let (ingress_namespace, ingress) = member.key();
    let shown_port = shown(port);
    let resource = format!("{ingress_namespace}/{ingress}-{service}:{shown_port}");
    if build.stack.target_groups.contains_key(&resource) {
        return Ok(Some(Target::Own(resource)));
    }
    let Some(service) = SERVICE.get(work.reach, Some(ingress_namespace), service)? else { return Ok(None) };
    let group = target_group(work, build, member, (&service, port), &resource)?;
    build.stack.target_groups.insert(resource.clone(), group);
    Ok(Some(Target::Own(resource)))
}

fn target_group(
    work: &Work<'_>,
    build: &Build<'_>,
    member: &Member,
    (service, port): (&Value, &Value),
    resource: &str,
) -> Done<TargetGroup> {
    let said = Annotations::of_both(service, &member.annotations);
    let service_port = service_port(service, port)?;
    let target_type = said.or("target-type", &work.settings.default_target_type).to_owned();
    let protocol = said.or("backend-protocol", "HTTP").to_owned();
    let version = said.or("backend-protocol-version", "HTTP1").to_owned();
    let target_port = service_port.get("targetPort").filter(|port| !port.is_null());
    let target_port = target_port.unwrap_or(&service_port["port"]).clone();
    let registered = match target_type.as_str() {
        "ip" => target_port.as_u64().unwrap_or(1).to_string(),
        "instance" => node_port(service, service_port)?,
        other => return Err(Trouble::other(format!("unknown target type: {other}"))),
    };
    let hashed_port = if target_type == "ip" { shown(&target_port) } else { registered.clone() };
    let name = TargetGroupName {
        cluster: &work.settings.cluster,
        group: &build.group.id,
        ingress: member.key(),
        service: name(service),
        service_uid: text(service, "/metadata/uid"),
        service_port: &shown(port),
        target_port: &hashed_port,
        target_type: &target_type,
        protocol: &protocol,
        protocol_version: &version,
    };
    let mut tags = build.tags.clone();
    tags.extend(said.table("tags")?);
    let networking = networking(build.back_group.as_deref(), &registered, &target_port, &target_type);
    Ok(TargetGroup {
        name: name.text(),
        health_check: health_check(&said, &version, &target_type)?,
        attributes: said.table("target-group-attributes")?,
        tags: build.with_own_tags(work, tags, resource),
        binding: Binding {
            namespace: namespace(service).to_owned(),
            service: super::name(service).to_owned(),
            port: port.clone(),
            networking,
            ip_address_type: "ipv4".to_owned(),
        },
        target_type,
        protocol,
        protocol_version: version,
        port: registered,
    })
}

/// Returns a port of a Service, by its number or its name.
fn service_port<'a>(service: &'a Value, port: &Value) -> Done<&'a Value> {
    let member = if port.is_number() { "port" } else { "name" };
    let found = items(service, "/spec/ports").iter().find(|present| present[member] == *port);
    found.ok_or_else(|| {
        let port = shown(port);
        Trouble::other(format!(
            "unable to find port {port} on service {}/{}",
            namespace(service),
            name(service)
        ))
    })
}

/// Returns the port of the nodes at which a Service is reached.
fn node_port(service: &Value, port: &Value) -> Done<String> {
    let kind = text(service, "/spec/type");
    match port["nodePort"].as_u64() {
        Some(port) if ["NodePort", "LoadBalancer"].contains(&kind) => Ok(port.to_string()),
        _ => {
            let service = format!("{}/{}", namespace(service), name(service));
            Err(Trouble::other(format!(
                "TargetGroup port is empty. When using Instance targets, your service must be of type 'NodePort' or \
                 'LoadBalancer': {service}"
            )))
        }
    }
}

/// Returns a number or a text as it is written.
fn shown(port: &Value) -> String {
    port.as_str().map_or_else(|| port.to_string(), str::to_owned)
}

/// Returns who is to be let through to the targets: whoever has the group towards the nodes.
fn networking(back_group: Option<&str>, port: &str, target_port: &Value, target_type: &str) -> Value {
    let Some(group) = back_group else { return Value::Null };
    let port = match (target_type, target_port) {
        ("ip", named @ Value::String(_)) => named.clone(),
        _ => json!(port.parse::<u16>().unwrap_or_default()),
    };
    json!({ "ingress": [{
        "from": [{ "securityGroup": { "groupID": group } }],
        "ports": [{ "port": port, "protocol": "TCP" }],
    }] })
}

/// Returns how it is found out whether targets answer.
fn health_check(said: &Annotations, version: &str, target_type: &str) -> Done<Value> {
    let is_grpc = version == "GRPC";
    let usual_path = if is_grpc { "/AWS.ALB/healthcheck" } else { "/" };
    let (code, usual_codes) = if is_grpc { ("GrpcCode", "12") } else { ("HttpCode", "200") };
    let port = said.or("healthcheck-port", "traffic-port");
    if port != "traffic-port" && port.parse::<u16>().is_err() && target_type != "ip" {
        return Err(Trouble::other(format!("failed to resolve healthcheck port: {port}")));
    }
    Ok(json!({
        "HealthCheckEnabled": "true",
        "HealthCheckPort": port,
        "HealthCheckProtocol": said.or("healthcheck-protocol", "HTTP"),
        "HealthCheckPath": said.or("healthcheck-path", usual_path),
        "HealthCheckIntervalSeconds": said.number("healthcheck-interval-seconds", 15)?.to_string(),
        "HealthCheckTimeoutSeconds": said.number("healthcheck-timeout-seconds", 5)?.to_string(),
        "HealthyThresholdCount": said.number("healthy-threshold-count", 2)?.to_string(),
        "UnhealthyThresholdCount": said.number("unhealthy-threshold-count", 2)?.to_string(),
        "Matcher": { code: said.or("success-codes", usual_codes) },
    }))
}

/// Returns what an annotation describes as a parameter has it: the names begin with capitals, numbers and flags
/// are texts.
pub(super) fn capitalised(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let name = |name: &str| match name {
                "targetGroupARN" => "TargetGroupArn".to_owned(),
                _ => name[..1].to_uppercase() + &name[1..],
            };
            let members = members.iter().filter(|(key, _)| key.is_char_boundary(1));
            Value::Object(members.map(|(key, value)| (name(key), capitalised(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(capitalised).collect(),
        Value::Number(number) => json!(number.to_string()),
        Value::Bool(flag) => json!(flag.to_string()),
        Value::Null | Value::String(_) => value.clone(),
    }
}
