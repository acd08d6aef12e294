//! What holds for every state, whoever wrote it: checked after each read and before each write.

use std::collections::BTreeMap;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use crate::address::{Address, RemoteId};
use crate::state::{Object, ResourceState, State};
use crate::value::{Value, ValueMap};

/// Checks that a state makes sense in itself. That a resource needs one that is not in the
/// state is fine: it may be forgotten, or gone.
///
/// # Errors
/// With everything that is wrong, each in words that follow "the state is broken:".
pub fn verify(state: &State) -> Result<(), Vec<String>> {
    let mut problems = Vec::new();
    check_lineage(&state.lineage, &mut problems);
    for (address, resource) in &state.resources {
        check_resource(address, resource, &mut problems);
    }
    for (operation_id, pending) in &state.pending {
        check_known(&pending.address, "input", &pending.inputs, &mut problems);
        if operation_id.is_empty() {
            problems.push(format!("an unresolved create of {} has no operation id", pending.address));
        }
    }
    check_remote_ids(state, &mut problems);
    check_operation_ids(state, &mut problems);
    check_dependencies(state, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn check_lineage(lineage: &str, problems: &mut Vec<String>) {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if lineage.len() != 32 || !lineage.bytes().all(hexadecimal) {
        problems.push(format!("the lineage `{lineage}` is not 32 hexadecimal digits"));
    }
}

fn check_resource(address: &Address, resource: &ResourceState, problems: &mut Vec<String>) {
    if resource.object.is_none() && resource.deposed.is_empty() {
        problems.push(format!("{address} has no object"));
    }
    for object in objects(resource) {
        if object.remote_id.as_str().is_empty() {
            problems.push(format!("an object of {address} has an empty id"));
        }
        if object.operation_id.is_empty() {
            problems.push(format!("{} of {address} has no operation id", object.remote_id));
        }
        let id = object.outputs.get("id");
        if id.is_some_and(|id| id.as_str() != Some(object.remote_id.as_str())) {
            problems.push(format!("{} of {address} has another id among its outputs", object.remote_id));
        }
        check_known(address, "input", &object.inputs, problems);
        check_known(address, "output", &object.outputs, problems);
    }
}

/// What was sent or read is known; an unknown value in the state would be sent some day.
fn check_known(address: &Address, sort: &str, values: &ValueMap, problems: &mut Vec<String>) {
    let unknown = values.iter().filter(|(_, value)| !value.is_known());
    problems.extend(unknown.map(|(name, _)| format!("the {sort} {name} of {address} is not known")));
    let endless = values.iter().filter(|(_, value)| !is_finite(value));
    problems
        .extend(endless.map(|(name, _)| format!("the {sort} {name} of {address} is not a finite number")));
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_finite(),
        Value::List(items) => items.iter().all(is_finite),
        Value::Map(entries) => entries.values().all(is_finite),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::String(_) | Value::Unknown(_) => true,
    }
}

/// One thing is one object of one resource.
fn check_remote_ids(state: &State, problems: &mut Vec<String>) {
    let mut owners: BTreeMap<(&str, &str, &str, &RemoteId), &Address> = BTreeMap::new();
    for (address, resource) in &state.resources {
        for object in objects(resource) {
            let ResourceState { kind, account_id, region, .. } = resource;
            let id = (account_id.as_str(), region.as_str(), kind.as_str(), &object.remote_id);
            if let Some(owner) = owners.insert(id, address) {
                problems.push(format!("{} belongs to both {owner} and {address}", object.remote_id));
            }
        }
    }
}

/// An operation makes objects of one resource, or has an unknown outcome. That it made more
/// than one object happens when a create was sent twice.
fn check_operation_ids(state: &State, problems: &mut Vec<String>) {
    let mut owners: BTreeMap<&str, &Address> = BTreeMap::new();
    for (address, resource) in &state.resources {
        for object in objects(resource) {
            let id = &object.operation_id;
            if owners.insert(id, address).is_some_and(|owner| owner != address) {
                problems
                    .push(format!("the operation {id} made objects of two resources, one of them {address}"));
            }
            if state.pending.contains_key(id) {
                problems.push(format!("the operation {id} made {}, and is unresolved", object.remote_id));
            }
        }
    }
}

fn check_dependencies(state: &State, problems: &mut Vec<String>) {
    let mut graph = DiGraph::new();
    let nodes: BTreeMap<_, _> =
        state.resources.keys().map(|address| (address, graph.add_node(address))).collect();
    for (address, resource) in &state.resources {
        for needed in resource.dependencies.iter().filter_map(|needed| nodes.get(needed)) {
            if *needed == nodes[address] {
                problems.push(format!("{address} needs itself"));
            }
            graph.add_edge(nodes[address], *needed, ());
        }
    }
    for circle in kosaraju_scc(&graph).into_iter().filter(|component| component.len() > 1) {
        let mut names: Vec<String> = circle.into_iter().map(|node| graph[node].to_string()).collect();
        names.sort();
        problems.push(format!("these resources need each other in a circle: {}", names.join(", ")));
    }
}

fn objects(resource: &ResourceState) -> impl Iterator<Item = &Object> {
    resource.object.iter().chain(&resource.deposed)
}
