//! Orders between resources that need not know each other: what one gives up, another takes over.

use std::collections::BTreeMap;

use crate::graph::builder::{Builder, makes};
use crate::graph::{Edge, Node};
use crate::plan::{Change, ChangeAction, given_up, taken};
use crate::sharing::Sharing;
use crate::value::{Value, ValueMap};

impl Builder<'_> {
    /// Lets what has something to itself go, or change, before another takes that over: a range, an
    /// address.
    pub(super) fn order_takeovers(&mut self) {
        let (plan, request) = (self.plan, self.request);
        let mut givers = BTreeMap::<_, Vec<&Change>>::new();
        for change in &plan.changes {
            if let Some(gives) = given_up(request, change) {
                givers.entry(gives).or_default().push(change);
            }
        }
        for change in &plan.changes {
            let Some(takes) = taken(request, change) else { continue };
            let others = givers.get(&takes).into_iter().flatten();
            for other in others.filter(|other| other.address != change.address) {
                let Some(make) = self.make(&change.address) else { continue };
                let ends = match other.action {
                    ChangeAction::Update => self.make(&other.address).into_iter().collect(),
                    ChangeAction::Create
                    | ChangeAction::Replace(_)
                    | ChangeAction::Delete
                    | ChangeAction::DeleteDeposed
                    | ChangeAction::Forget => self.halves[&other.address].unmake.clone(),
                };
                for end in ends {
                    self.nodes.add_edge(end, make, Edge::Exclusive);
                }
            }
        }
    }

    /// Lets a share let go of things only after every other share has them that is to have them: that
    /// one may never come to be.
    pub(super) fn order_handovers(&mut self) {
        let plan = self.plan;
        let Some(sharing) = self.request.registry.sharing() else { return };
        let mut takers = BTreeMap::<_, Vec<_>>::new();
        let shares = || plan.changes.iter().filter(|change| change.kind.as_str() == sharing.share);
        for change in shares().filter(|change| makes(change.action)) {
            let Some(make) = self.make(&change.address) else { continue };
            for thing in things(sharing, &change.inputs) {
                takers.entry((change.account_id.as_str(), thing)).or_default().push(make);
            }
        }
        let mut hubs = BTreeMap::new();
        for change in shares() {
            let halves = self.halves[&change.address].clone();
            let lets_go: Vec<_> = halves.unmake.into_iter().chain(halves.withdraw).collect();
            for thing in self.held(sharing, change) {
                let thing = (change.account_id.as_str(), thing);
                let Some(makes) = takers.get(&thing) else { continue };
                let hub = *hubs.entry(thing).or_insert_with(|| {
                    let hub = self.nodes.add_node(Node::Unchanged);
                    for make in makes {
                        self.nodes.add_edge(*make, hub, Edge::Handover);
                    }
                    hub
                });
                for last in &lets_go {
                    self.nodes.add_edge(hub, *last, Edge::Handover);
                }
            }
        }
    }

    /// Returns what a share holds that changes or goes.
    fn held(&self, sharing: &Sharing, change: &Change) -> Vec<String> {
        let Some(prior) = self.request.state.resources.get(&change.address) else { return Vec::new() };
        let objects = prior.object.iter().chain(&prior.deposed);
        objects.flat_map(|object| things(sharing, &object.inputs)).collect()
    }
}

/// Returns the things that a share with these inputs holds, as far as they are known.
fn things(sharing: &Sharing, inputs: &ValueMap) -> Vec<String> {
    let items = inputs.get(sharing.resources).and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
