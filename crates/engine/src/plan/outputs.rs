//! The outputs of a stack as a plan promises them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::plan::decide::Decisions;
use crate::plan::{Change, Mode, OutputChange, Request, Values};
use crate::spec::{OutputNode, Scope};
use crate::value::Value;

/// Returns the outputs that change. One that depends on something that is left out, and is not
/// there, stays as it is; a destroy takes away those that depend on what it deletes.
pub(crate) fn changes(
    request: &Request<'_>,
    decisions: &mut Decisions<'_>,
    changes: &[Change],
    left_out: &BTreeSet<Address>,
) -> Vec<OutputChange> {
    let before = &request.state.outputs;
    let after = match request.mode {
        Mode::Apply => applied(request, decisions, left_out),
        Mode::Destroy if left_out.is_empty() => BTreeMap::new(),
        Mode::Destroy => destroyed(request, decisions, changes),
        // They are what the last apply made of the spec; the spec may be another one by now.
        Mode::Refresh => before.clone(),
    };
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let of =
        |values: &BTreeMap<String, Value>, name: &String| values.get(name).cloned().unwrap_or(Value::Null);
    let change = |name: &String| OutputChange {
        name: name.clone(),
        before: of(before, name),
        after: of(&after, name),
        sensitive: request.state.sensitive_outputs.contains(name)
            || request.spec.outputs.get(name).is_some_and(|node| node.sensitive),
    };
    names.into_iter().map(change).filter(|change| change.before != change.after).collect()
}

fn applied(
    request: &Request<'_>,
    decisions: &mut Decisions<'_>,
    left_out: &BTreeSet<Address>,
) -> BTreeMap<String, Value> {
    let mut outputs = BTreeMap::new();
    for (name, node) in &request.spec.outputs {
        let witness = Witness::new(&decisions.values);
        match node.value.evaluate(&witness) {
            Ok(value) if !value.is_known() && !witness.unknown.borrow().is_disjoint(left_out) => {
                outputs.extend(request.state.outputs.get(name).map(|before| (name.clone(), before.clone())));
            }
            Ok(value) => drop(outputs.insert(name.clone(), value)),
            Err(error) => decisions.diagnostics.push(*error.diagnostic),
        }
    }
    outputs
}

fn destroyed(
    request: &Request<'_>,
    decisions: &Decisions<'_>,
    changes: &[Change],
) -> BTreeMap<String, Value> {
    let deleted: BTreeSet<Address> = changes.iter().map(|change| change.address.clone()).collect();
    let stays = |node: &OutputNode| {
        let witness = Witness::new(&decisions.values);
        // One that cannot be evaluated any more says nothing that is still true.
        node.value.evaluate(&witness).is_ok() && witness.asked.borrow().is_disjoint(&deleted)
    };
    let outputs = request.state.outputs.iter();
    let left = outputs.filter(|(name, _)| request.spec.outputs.get(*name).is_none_or(stays));
    left.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Answers as the values do, and remembers what was asked.
struct Witness<'a> {
    values: &'a Values,
    asked: RefCell<BTreeSet<Address>>,
    unknown: RefCell<BTreeSet<Address>>,
}

impl<'a> Witness<'a> {
    fn new(values: &'a Values) -> Self {
        Self { values, asked: RefCell::default(), unknown: RefCell::default() }
    }
}

impl Scope for Witness<'_> {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        let value = self.values.attribute(address, attribute);
        self.asked.borrow_mut().insert(address.clone());
        if !value.is_known() {
            self.unknown.borrow_mut().insert(address.clone());
        }
        value
    }

    fn stack_id(&self) -> Value {
        self.values.stack_id()
    }
}
