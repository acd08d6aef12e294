//! What the state knows: a line for each resource, or everything of one.

use std::collections::BTreeSet;

use straddle_engine::address::Address;
use straddle_engine::registry::Registry;
use straddle_engine::schema::AttributeSchema;
use straddle_engine::state::{Object, ResourceState, State, Status};
use straddle_engine::value::{SENSITIVE, Value, ValueMap};

use crate::render::block::{self, Content, Marker, Row};
use crate::render::change::place;
use crate::render::value::row;
use crate::render::{Palette, paint};
use crate::safe::Safe;

/// Renders a line for each resource, and one for each create of unknown outcome.
pub(crate) fn resource_list(state: &State, palette: &Palette) -> String {
    let resources = state.resources.iter().map(|(address, resource)| {
        let place = place(address, &resource.account, &resource.region, palette);
        let object = resource.object.as_ref().map_or_else(String::new, |object| {
            format!(" {}{}", Safe(&object.remote_id), status_words(&object.status))
        });
        let deposed = resource.deposed.iter().map(|object| Safe(&object.remote_id).to_string());
        let deposed = deposed.collect::<Vec<_>>().join(", ");
        let deposed = if deposed.is_empty() { deposed } else { format!(" still to delete: {deposed}") };
        format!("{place}{object}{deposed}\n")
    });
    let pending = state.pending.values().map(|pending| {
        let place = place(&pending.address, &pending.account, &pending.region, palette);
        format!("{place} {}\n", paint(palette.warning, "(a create of unknown outcome)"))
    });
    resources.chain(pending).collect()
}

fn status_words(status: &Status) -> String {
    match status {
        Status::Ready => String::new(),
        Status::Unfinished => " (unfinished)".to_owned(),
        Status::Failed(reason) => format!(" (failed: {})", Safe(reason)),
    }
}

/// Renders everything that is recorded of a resource.
pub(crate) fn resource(
    address: &Address,
    resource: &ResourceState,
    registry: &Registry,
    palette: &Palette,
) -> String {
    let mut text = place(address, &resource.account, &resource.region, palette);
    text += &format!(" {}\n", Safe(&resource.account_id));
    let schema = registry.kind(resource.kind.as_str()).map(|kind| kind.schema());
    let (inputs, outputs) = schema.map_or((&[][..], &[][..]), |schema| (&schema.inputs, &schema.outputs));
    for (object, role) in resource
        .object
        .iter()
        .map(|object| (object, ""))
        .chain(resource.deposed.iter().map(|object| (object, " (still to delete)")))
    {
        text += &format!("\n{}{}{role}\n", Safe(&object.remote_id), status_words(&object.status));
        let sensitive = &resource.lifecycle.sensitive;
        section(&mut text, "inputs", &object.inputs, (inputs, sensitive), palette);
        section(&mut text, "outputs", &object.outputs, (outputs, sensitive), palette);
        text += &object_facts(object);
    }
    if !resource.dependencies.is_empty() {
        let needs: Vec<_> = resource.dependencies.iter().map(|needed| Safe(needed).to_string()).collect();
        text += &format!("\nneeds {}\n", needs.join(", "));
    }
    text
}

fn object_facts(object: &Object) -> String {
    format!("  made at {} by the operation {}\n", object.created_at, Safe(&object.operation_id))
}

/// The attributes of a kind, and the names of those of a resource that are sensitive.
type Hidden<'a> = (&'a [AttributeSchema], &'a BTreeSet<String>);

fn section(text: &mut String, name: &str, values: &ValueMap, hidden: Hidden<'_>, palette: &Palette) {
    if values.is_empty() {
        return;
    }
    text.push_str(&format!("  {name}\n"));
    let rows: Vec<_> = values.iter().map(|(name, value)| attribute(name, value, hidden)).collect();
    block::write(text, &rows, 2, palette);
}

fn attribute(name: &str, value: &Value, (schema, sensitive): Hidden<'_>) -> Row {
    let by_kind = schema.iter().any(|attribute| attribute.name == name && attribute.sensitive);
    let is_sensitive = by_kind || sensitive.contains(name);
    let name = Safe(name).to_string();
    if is_sensitive {
        return Row::new(Marker::None, name, Content::Text(SENSITIVE.to_owned()));
    }
    row(Marker::None, &name, value)
}
