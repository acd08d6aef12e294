//! Which resource of a spec is which thing, once the spec is loaded.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::discovery::toml::quoted;
use crate::discovery::{Discovered, Named};
use crate::erased::{AnyResource, ObservedValues};
use crate::plan::{ResourceValues, Values, desired_inputs};
use crate::registry::Registry;
use crate::spec::{ResourceNode, Spec};

impl Discovered {
    /// Returns the `[[import]]` blocks of everything that was found, for the spec that was written of it.
    /// What is in no block of the spec is named.
    ///
    /// # Errors
    /// With the ids of things that no resource of the spec is.
    pub fn imports(&self, spec: &Spec, registry: &Registry) -> Result<String, Vec<String>> {
        let mut values = Values::default();
        for thing in self.things.iter().filter(|thing| thing.part_of.is_none()) {
            let (inputs, outputs) = (thing.observed.inputs.clone(), thing.observed.outputs.clone());
            values.set(thing.address.clone(), ResourceValues { inputs, outputs, settled: true });
        }
        let mut parts: BTreeMap<Address, Vec<&ResourceNode>> = BTreeMap::new();
        for node in spec.resources.values() {
            if let Some(whole) = node.address.parent() {
                parts.entry(whole).or_default().push(node);
            }
        }
        let (mut text, mut lost) = (String::new(), Vec::new());
        for thing in &self.things {
            let address = if thing.part_of.is_none() {
                spec.resources.contains_key(&thing.address).then(|| thing.address.clone())
            } else {
                let of_whole = parts.get_mut(&thing.address);
                of_whole.and_then(|nodes| take_same(nodes, thing, spec, registry, &values))
            };
            match address {
                Some(address) => {
                    let (to, id) = (quoted(&address.to_string()), quoted(thing.id.as_str()));
                    text.extend(["[[import]]\nto = ", &to, "\nid = ", &id, "\n\n"]);
                }
                None => lost.push(format!("{} {}", thing.kind, thing.id)),
            }
        }
        if lost.is_empty() { Ok(text.trim_end().to_owned() + "\n") } else { Err(lost) }
    }
}

/// Takes the part that wants exactly what a thing is out of the parts of a whole.
fn take_same(
    nodes: &mut Vec<&ResourceNode>,
    thing: &Named,
    spec: &Spec,
    registry: &Registry,
    values: &Values,
) -> Option<Address> {
    let kind = registry.kind(thing.kind.as_str())?;
    let same =
        |node: &&ResourceNode| node.kind == thing.kind && wants(node, &**kind, spec, values, &thing.observed);
    let position = nodes.iter().position(same)?;
    Some(nodes.remove(position).address.clone())
}

fn wants(
    node: &ResourceNode,
    kind: &dyn AnyResource,
    spec: &Spec,
    values: &Values,
    found: &ObservedValues,
) -> bool {
    let home = spec.home(&node.account);
    let Ok(desired) = desired_inputs(node, kind, home, Some(found), values, "") else { return false };
    let others = desired.iter().filter(|(name, _)| *name != "tags");
    others.into_iter().all(|(name, wanted)| {
        let form = kind.schema().input(name).map(|attribute| attribute.attribute_type.form());
        found.inputs.get(name).is_some_and(|found| form.unwrap_or_default().same(found, wanted))
    })
}
