//! Decides about lookups: what was found counts, and what can only be read later is unknown.

use crate::address::Address;
use crate::lookup::AnyLookup;
use crate::plan::decide::Decisions;
use crate::plan::inputs::desired_inputs;
use crate::plan::{LookedUp, ResourceValues};
use crate::spec::ResourceNode;
use crate::value::Value;

impl Decisions<'_> {
    /// Decides when a lookup is read, and lets references see what it found.
    pub(super) fn look_up(&mut self, node: &ResourceNode, lookup: &dyn AnyLookup) {
        let inputs = match desired_inputs(
            node,
            lookup,
            self.spec.home(&node.account),
            None,
            &self.values,
            &self.state.lineage,
        ) {
            Ok(inputs) => inputs,
            Err(problems) => return self.diagnostics.extend(problems),
        };
        let address = &node.address;
        // Whoever writes `depends_on` says that the answer depends on what changes.
        let is_known = inputs.values().all(Value::is_known)
            && !self.any_changes(&node.depends_on)
            && !node.dependencies.iter().any(|needed| self.lends_else(needed));
        let found = self.found.get(address).filter(|(asked, _)| is_known && *asked == inputs);
        let outputs = found.map(|(_, outputs)| outputs.clone());
        if is_known && outputs.is_none() && !self.options.from_state {
            self.unread.push((address.clone(), inputs.clone()));
        }
        if let Some(outputs) = &outputs {
            let values = ResourceValues { inputs: inputs.clone(), outputs: outputs.clone(), settled: true };
            self.values.set(address.clone(), values);
        }
        let region = self.spec.accounts.get(&node.account).map(|account| account.region.clone());
        self.lookups.push(LookedUp {
            address: address.clone(),
            kind: node.kind.clone(),
            account: node.account.clone(),
            region: region.unwrap_or_default(),
            later: outputs.is_none() || self.any_changes(&node.dependencies),
            inputs,
            outputs,
            sensitive: node.lifecycle.sensitive.clone(),
        });
    }

    /// Tells whether this is a share that comes to hold something else, or to be for somebody else: what
    /// another account sees by it is another thing then.
    fn lends_else(&self, address: &Address) -> bool {
        let node = self.spec.resources.get(address);
        let sharing = self.registry.sharing();
        let Some((sharing, node)) = sharing.zip(node).filter(|(it, node)| node.kind.as_str() == it.share)
        else {
            return false;
        };
        let observed = self.observations.get(&node.address).and_then(|found| found.object.as_ref());
        let (Some(observed), Some(values)) = (observed, self.values.get(address)) else { return true };
        let schema = self.registry.kind(sharing.share).map(|kind| kind.schema());
        [sharing.resources, sharing.principals].iter().any(|name| {
            let form = schema.and_then(|schema| Some(schema.input(name)?.attribute_type.form()));
            let (there, planned) = (observed.inputs.get(*name), values.inputs.get(*name));
            !there.zip(planned).is_some_and(|(there, planned)| form.unwrap_or_default().same(there, planned))
        })
    }

    /// Tells whether one of these changes, or is a lookup that is read only later.
    fn any_changes<'d>(&self, addresses: impl IntoIterator<Item = &'d Address>) -> bool {
        let settled = |address| self.values.get(address).is_some_and(|values| values.settled);
        addresses.into_iter().any(|address| !settled(address))
    }
}
