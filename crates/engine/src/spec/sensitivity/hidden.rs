//! Sensitive values as they are written in files: no message shows these places.

use crate::diagnostic::{SourceId, Span};
use crate::spec::blocks::{Block, Blocks};
use crate::spec::components::library::Library;
use crate::spec::document::{Data, Node, Table};
use crate::spec::variables::is_sensitive;

/// Returns where files with values of variables, defaults, and inputs of components have sensitive
/// values.
pub(crate) fn hidden_places(library: &Library, variable_files: &[(SourceId, Table)]) -> Vec<Span> {
    let mut places = Vec::new();
    let variables = &library.bodies[0].blocks.variables;
    let has_secrets = variables.values().any(is_sensitive);
    for entry in variable_files.iter().flat_map(|(_, table)| &table.entries) {
        // What names no variable may be the value of a sensitive one under a wrong name.
        if variables.get(&entry.key).map_or(has_secrets, is_sensitive) {
            add(&entry.node, &mut places);
        }
    }
    for (number, body) in library.bodies.iter().enumerate() {
        let declared = body.blocks.variables.values().chain(body.blocks.inputs.values());
        for block in declared.filter(|block| is_sensitive(block)) {
            add_entry(block, "default", &mut places);
        }
        for (name, block) in &body.blocks.uses {
            if let Some(component) = library.used(number, name) {
                add_inputs(block, &library.bodies[component].blocks, &mut places);
            }
        }
    }
    places
}

/// Tells whether a file of a spec calls a variable sensitive.
pub(crate) fn declares_sensitive(document: &Table) -> bool {
    let variables = document.entries.iter().filter(|entry| entry.key == "var");
    let blocks = variables.filter_map(|entry| as_table(&entry.node)).flat_map(|table| &table.entries);
    blocks.filter_map(|entry| as_table(&entry.node)).any(|table| {
        table.entries.iter().any(|entry| entry.key == "sensitive" && entry.node.data != Data::Bool(false))
    })
}

fn add_entry(block: &Block, key: &str, places: &mut Vec<Span>) {
    let entries = block.table.entries.iter().filter(|entry| entry.key == key);
    entries.for_each(|entry| add(&entry.node, places));
}

/// Adds the values that a `[use]` gives to sensitive inputs of its component.
fn add_inputs(block: &Block, component: &Blocks, places: &mut Vec<Span>) {
    let inputs = block.table.entries.iter().filter(|entry| entry.key == "inputs");
    for entry in inputs.filter_map(|entry| as_table(&entry.node)).flat_map(|table| &table.entries) {
        if component.inputs.get(&entry.key).is_some_and(is_sensitive) {
            add(&entry.node, places);
        }
    }
}

fn as_table(node: &Node) -> Option<&Table> {
    if let Data::Table(table) = &node.data { Some(table) } else { None }
}

/// Adds every value in a node, and every key of a table in it.
fn add(node: &Node, places: &mut Vec<Span>) {
    match &node.data {
        Data::Bool(_) | Data::Integer(_) | Data::Float(_) | Data::Text(_) => places.push(node.span),
        Data::List(items) => items.iter().for_each(|item| add(item, places)),
        Data::Table(table) => {
            for entry in &table.entries {
                places.push(entry.key_span);
                add(&entry.node, places);
            }
        }
    }
}
