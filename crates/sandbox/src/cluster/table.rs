//! Tables: what `kubectl get` prints.

mod more;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::body::text;
use super::kind::Kind;

/// A column, and what is in its cells.
pub(super) struct Column {
    name: String,
    form: String,
    format: &'static str,
    priority: i64,
    cell: Cell,
}

enum Cell {
    Own(fn(&Value, Timestamp) -> Value),
    /// A path in a custom object.
    Path(String),
}

type Row = (&'static str, &'static str, i64, fn(&Value, Timestamp) -> Value);

/// Returns the columns of a kind.
pub(super) fn columns(kind: &Kind) -> Vec<Column> {
    if let Some(custom) = &kind.custom {
        return custom_columns(&custom.columns);
    }
    let name: Row = ("Name", "string", 0, |object, _| object["metadata"]["name"].clone());
    let age: Row =
        ("Age", "string", 0, |object, now| json!(age(&object["metadata"]["creationTimestamp"], now)));
    let own: &[Row] = match kind.stored_as().as_str() {
        "configmaps" => {
            &[("Data", "string", 0, |object, _| json!(count(&object["data"]) + count(&object["binaryData"])))]
        }
        "secrets" => &[
            ("Type", "string", 0, |object, _| object["type"].clone()),
            ("Data", "string", 0, |object, _| json!(count(&object["data"]))),
        ],
        "namespaces" => &[("Status", "string", 0, |object, _| object["status"]["phase"].clone())],
        "serviceaccounts" => &[("Secrets", "string", 0, |object, _| json!(count(&object["secrets"])))],
        "pods" => PODS,
        "nodes" => NODES,
        "services" => SERVICES,
        "endpoints" => &[("Endpoints", "string", 0, |object, _| json!(endpoints(object)))],
        "events" => return event_columns(),
        "daemonsets.apps" => more::DAEMON_SETS,
        "deployments.apps" => DEPLOYMENTS,
        "poddisruptionbudgets.policy" => more::BUDGETS,
        "replicasets.apps" => REPLICA_SETS,
        "jobs.batch" => JOBS,
        "ingresses.networking.k8s.io" => INGRESSES,
        "ingressclasses.networking.k8s.io" => &[
            ("Controller", "string", 0, |object, _| object["spec"]["controller"].clone()),
            ("Parameters", "string", 0, |object, _| json!(parameters(object))),
        ],
        "endpointslices.discovery.k8s.io" => SLICES,
        "customresourcedefinitions.apiextensions.k8s.io" => {
            &[("Created At", "date", 0, |object, _| object["metadata"]["creationTimestamp"].clone())]
        }
        _ => &[],
    };
    let is_definition = kind.plural == "customresourcedefinitions";
    let last = if is_definition { None } else { Some(age) };
    let wide = more::wide(&kind.stored_as());
    [name].into_iter().chain(own.iter().copied()).chain(last).chain(wide).map(Column::from).collect()
}

impl From<Row> for Column {
    fn from((name, form, priority, cell): Row) -> Self {
        let format = if name == "Name" { "name" } else { "" };
        let (name, form) = (name.to_owned(), form.to_owned());
        Self { name, form, format, priority, cell: Cell::Own(cell) }
    }
}

const DEPLOYMENTS: &[Row] = &[
    ("Ready", "string", 0, |object, _| {
        json!(format!(
            "{}/{}",
            number(&object["status"]["readyReplicas"]),
            number(&object["spec"]["replicas"])
        ))
    }),
    ("Up-to-date", "string", 0, |object, _| json!(number(&object["status"]["updatedReplicas"]))),
    ("Available", "string", 0, |object, _| json!(number(&object["status"]["availableReplicas"]))),
];

const REPLICA_SETS: &[Row] = &[
    ("Desired", "integer", 0, |object, _| json!(number(&object["spec"]["replicas"]))),
    ("Current", "integer", 0, |object, _| json!(number(&object["status"]["replicas"]))),
    ("Ready", "integer", 0, |object, _| json!(number(&object["status"]["readyReplicas"]))),
];

const JOBS: &[Row] = &[
    ("Status", "string", 0, |object, _| {
        let conditions = object["status"]["conditions"].as_array();
        let met = conditions.into_iter().flatten().find(|condition| condition["status"] == "True");
        met.map_or(json!("Running"), |condition| condition["type"].clone())
    }),
    ("Completions", "string", 0, |object, _| {
        json!(format!(
            "{}/{}",
            number(&object["status"]["succeeded"]),
            number(&object["spec"]["completions"])
        ))
    }),
];

const PODS: &[Row] = &[
    ("Ready", "string", 0, |object, _| {
        let states = object["status"]["containerStatuses"].as_array();
        let ready = states.into_iter().flatten().filter(|state| state["ready"] == true).count();
        json!(format!("{ready}/{}", count(&object["spec"]["containers"])))
    }),
    ("Status", "string", 0, |object, _| {
        let waiting = items(&object["status"]["containerStatuses"])
            .map(|state| &state["state"]["waiting"]["reason"])
            .find(|reason| reason.is_string());
        match (object["metadata"]["deletionTimestamp"].is_null(), waiting, text(&object["status"]["phase"])) {
            (false, ..) => json!("Terminating"),
            (true, Some(reason), _) => reason.clone(),
            (true, None, "Succeeded") => json!("Completed"),
            (true, None, _) => object["status"]["phase"].clone(),
        }
    }),
    ("Restarts", "string", 0, |_, _| json!("0")),
];

const NODES: &[Row] = &[
    ("Status", "string", 0, |object, _| {
        let conditions = object["status"]["conditions"].as_array();
        let is_ready = conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
        let state = if is_ready { "Ready" } else { "NotReady" };
        let is_closed = object["spec"]["unschedulable"] == true;
        json!(if is_closed { format!("{state},SchedulingDisabled") } else { state.to_owned() })
    }),
    ("Roles", "string", 0, |_, _| json!("<none>")),
    ("Version", "string", 0, |object, _| object["status"]["nodeInfo"]["kubeletVersion"].clone()),
];

const SERVICES: &[Row] = &[
    ("Type", "string", 0, |object, _| object["spec"]["type"].clone()),
    ("Cluster-IP", "string", 0, |object, _| told(&object["spec"]["clusterIP"])),
    ("External-IP", "string", 0, |object, _| json!(external_address(object))),
    ("Port(s)", "string", 0, |object, _| json!(service_ports(object))),
];

const INGRESSES: &[Row] = &[
    ("Class", "string", 0, |object, _| told(&object["spec"]["ingressClassName"])),
    ("Hosts", "string", 0, |object, _| {
        let hosts = items(&object["spec"]["rules"]).map(|rule| text(&rule["host"]));
        let hosts: Vec<_> = hosts.filter(|host| !host.is_empty()).collect();
        json!(if hosts.is_empty() { "*".to_owned() } else { hosts.join(",") })
    }),
    ("Address", "string", 0, |object, _| {
        let of = |entry: &Value| {
            text(if entry["hostname"].is_null() { &entry["ip"] } else { &entry["hostname"] }).to_owned()
        };
        json!(items(&object["status"]["loadBalancer"]["ingress"]).map(of).collect::<Vec<_>>().join(","))
    }),
    ("Ports", "string", 0, |object, _| json!(if object["spec"]["tls"].is_null() { "80" } else { "80, 443" })),
];

const SLICES: &[Row] = &[
    ("AddressType", "string", 0, |object, _| object["addressType"].clone()),
    ("Ports", "string", 0, |object, _| {
        let ports: Vec<_> = items(&object["ports"]).map(|port| port["port"].to_string()).collect();
        json!(if ports.is_empty() { "<unset>".to_owned() } else { ports.join(",") })
    }),
    ("Endpoints", "string", 0, |object, _| {
        let all: Vec<_> =
            items(&object["endpoints"]).flat_map(|end| items(&end["addresses"])).map(text).collect();
        json!(if all.is_empty() { "<unset>".to_owned() } else { all.join(",") })
    }),
];

fn event_columns() -> Vec<Column> {
    let rows: [Row; 10] = [
        ("Last Seen", "string", 0, |object, now| json!(age(&object["lastTimestamp"], now))),
        ("Type", "string", 0, |object, _| object["type"].clone()),
        ("Reason", "string", 0, |object, _| object["reason"].clone()),
        ("Object", "string", 0, |object, _| {
            let of = &object["involvedObject"];
            json!(format!("{}/{}", text(&of["kind"]).to_lowercase(), text(&of["name"])))
        }),
        ("Subobject", "string", 1, |object, _| json!(text(&object["involvedObject"]["fieldPath"]))),
        ("Source", "string", 1, |object, _| {
            let source = [text(&object["source"]["component"]), text(&object["source"]["host"])];
            let named: Vec<_> = source.into_iter().filter(|name| !name.is_empty()).collect();
            json!(named.join(", "))
        }),
        ("Message", "string", 0, |object, _| json!(text(&object["message"]).trim())),
        ("First Seen", "string", 1, |object, now| json!(age(&object["firstTimestamp"], now))),
        ("Count", "string", 1, |object, _| json!(object["count"].as_u64().unwrap_or(1))),
        ("Name", "string", 1, |object, _| object["metadata"]["name"].clone()),
    ];
    rows.into_iter().map(Column::from).collect()
}

fn custom_columns(columns: &Value) -> Vec<Column> {
    let name: Row = ("Name", "string", 0, |object, _| object["metadata"]["name"].clone());
    let age_column: Row =
        ("Age", "date", 0, |object, now| json!(age(&object["metadata"]["creationTimestamp"], now)));
    let own = items(columns).map(|column| Column {
        name: text(&column["name"]).to_owned(),
        form: text(&column["type"]).to_owned(),
        format: "",
        priority: column["priority"].as_i64().unwrap_or(0),
        cell: Cell::Path(text(&column["jsonPath"]).to_owned()),
    });
    let own: Vec<_> = own.collect();
    let last = own.is_empty().then(|| Column::from(age_column));
    std::iter::once(Column::from(name)).chain(own).chain(last).collect()
}

/// Returns a table. Nothing is said about its columns beside their names: that is in the documentation.
pub(super) fn table(columns: &[Column], rows: &[Value], metadata: &Value) -> Value {
    let columns: Vec<_> = columns
        .iter()
        .map(|Column { name, form, format, priority, .. }| {
            json!({ "name": name, "type": form, "format": format, "description": "", "priority": priority })
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": columns, "rows": rows,
    })
}

/// Returns the row of an object. `include` is what of the object itself is in it: `None`, `Metadata` or
/// `Object`.
pub(super) fn row(kind: &Kind, object: &Value, include: &str, now: Timestamp) -> Value {
    let cells = columns(kind).into_iter().map(|column| match column.cell {
        Cell::Own(cell) => cell(object, now),
        Cell::Path(path) => at_path(object, &path, &column.form, now),
    });
    let mut row = json!({ "cells": cells.collect::<Vec<_>>() });
    match include {
        "None" => {}
        "Object" => row["object"] = super::read::shown(kind, object),
        _ => row["object"] = metadata_only(object),
    }
    row
}

/// Returns an object without all but its metadata.
pub(super) fn metadata_only(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

fn at_path(object: &Value, path: &str, form: &str, now: Timestamp) -> Value {
    let path = path.replace("\\.", "\u{0}");
    let mut value = object;
    for segment in path.split(['.', '[', ']']).filter(|segment| !segment.is_empty()) {
        let segment = segment.trim_matches('\'').replace('\u{0}', ".");
        value = match segment.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[segment.as_str()],
        };
    }
    match (form, value) {
        ("date", Value::String(_)) => json!(age(value, now)),
        ("string", Value::Number(number)) => json!(number.to_string()),
        _ => value.clone(),
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(table) => Map::len(table),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn told(value: &Value) -> Value {
    if text(value).is_empty() { json!("<none>") } else { value.clone() }
}

fn parameters(class: &Value) -> String {
    let parameters = &class["spec"]["parameters"];
    if parameters.is_null() {
        return "<none>".to_owned();
    }
    let (kind, group, name) =
        (text(&parameters["kind"]), text(&parameters["apiGroup"]), text(&parameters["name"]));
    if group.is_empty() { format!("{kind}/{name}") } else { format!("{kind}.{group}/{name}") }
}

fn external_address(service: &Value) -> String {
    let given: Vec<_> = items(&service["status"]["loadBalancer"]["ingress"])
        .map(|entry| text(if entry["hostname"].is_null() { &entry["ip"] } else { &entry["hostname"] }))
        .collect();
    match text(&service["spec"]["type"]) {
        "ExternalName" => text(&service["spec"]["externalName"]).to_owned(),
        "LoadBalancer" if given.is_empty() => "<pending>".to_owned(),
        "LoadBalancer" => given.join(","),
        _ => "<none>".to_owned(),
    }
}

fn service_ports(service: &Value) -> String {
    let ports = items(&service["spec"]["ports"]).map(|port| {
        let node = port["nodePort"].as_i64().map(|node| format!(":{node}")).unwrap_or_default();
        format!("{}{node}/{}", port["port"], text(&port["protocol"]))
    });
    let ports: Vec<_> = ports.collect();
    if ports.is_empty() { "<none>".to_owned() } else { ports.join(",") }
}

fn endpoints(endpoints: &Value) -> String {
    let all = items(&endpoints["subsets"]).flat_map(|subset| {
        items(&subset["addresses"]).flat_map(move |address| {
            items(&subset["ports"]).map(move |port| format!("{}:{}", text(&address["ip"]), port["port"]))
        })
    });
    let all: Vec<_> = all.collect();
    if all.is_empty() { "<none>".to_owned() } else { all.join(",") }
}

/// Returns for how long something has been there, as `kubectl` writes it.
fn age(since: &Value, now: Timestamp) -> String {
    let Ok(since) = text(since).parse::<Timestamp>() else { return "<unknown>".to_owned() };
    let seconds = now.duration_since(since).as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 if seconds % 60 == 0 => format!("{minutes}m"),
        120..600 => format!("{minutes}m{}s", seconds % 60),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 if minutes % 60 == 0 => format!("{hours}h"),
        10_800..28_800 => format!("{hours}h{}m", minutes % 60),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 if hours % 24 == 0 => format!("{days}d"),
        172_800..691_200 => format!("{days}d{}h", hours % 24),
        _ => format!("{days}d"),
    }
}
