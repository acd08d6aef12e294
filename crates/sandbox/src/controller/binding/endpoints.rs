//! Who is behind a Service: pods that are ready, or the nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::controller::object::{items, name, namespace, text, texts};
use crate::controller::reach::{Done, ENDPOINT_SLICE, NODE};
use crate::controller::work::Work;

/// Somebody who can be a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Endpoint {
    /// An address, or the id of an instance.
    pub(super) id: String,
    pub(super) port: u16,
    /// The id of the instance.
    pub(super) instance: String,
}

/// Returns the pods behind a port of a Service that are ready, by their addresses.
pub(super) fn pods(work: &mut Work<'_>, service: &Value, port: &Value) -> Done<Vec<Endpoint>> {
    let instances = instances(work)?;
    let port_name = text(port, "/name");
    let mut found = BTreeSet::new();
    for slice in ENDPOINT_SLICE.list(work.reach)? {
        let of = texts(&slice, "/metadata/labels").remove("kubernetes.io/service-name").unwrap_or_default();
        if namespace(&slice) != namespace(service) || of != name(service) {
            continue;
        }
        let mut ports = items(&slice, "/ports").iter();
        let port = ports.find(|port| text(port, "/name") == port_name).and_then(|port| number(&port["port"]));
        let Some(port) = port else { continue };
        for endpoint in items(&slice, "/endpoints") {
            if endpoint["conditions"]["ready"] == Value::Bool(false) {
                continue;
            }
            let instance = instances.get(text(endpoint, "/nodeName")).cloned().unwrap_or_default();
            let addresses = items(endpoint, "/addresses").iter().filter_map(Value::as_str);
            found.extend(addresses.map(|id| Endpoint {
                id: id.to_owned(),
                port,
                instance: instance.clone(),
            }));
        }
    }
    Ok(found.into_iter().collect())
}

/// Returns the nodes, by their instances.
pub(super) fn nodes(work: &mut Work<'_>, port: &Value) -> Done<Vec<Endpoint>> {
    let Some(port) = number(&port["nodePort"]) else { return Ok(Vec::new()) };
    let instances = instances(work)?.into_values();
    let mut nodes: Vec<_> =
        instances.map(|instance| Endpoint { id: instance.clone(), port, instance }).collect();
    nodes.sort();
    Ok(nodes)
}

/// Returns the ids of the instances that are nodes, by the names of the nodes.
fn instances(work: &mut Work<'_>) -> Done<BTreeMap<String, String>> {
    let nodes = NODE.list(work.reach)?;
    let instance = |node: &Value| {
        let id = text(node, "/spec/providerID").rsplit('/').next().unwrap_or_default();
        (!id.is_empty()).then(|| (name(node).to_owned(), id.to_owned()))
    };
    Ok(nodes.iter().filter_map(instance).collect())
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok())
}
