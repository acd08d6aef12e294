//! Builds the graph of a run out of a plan, the spec and the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::address::{AccountName, Address};
use crate::gate::{Anchor, Gate};
use crate::graph::{Edge, Graph, Node};
use crate::plan::{Change, ChangeAction, Plan, Request};
use crate::resource::ReplaceOrder;
use crate::sharing::Withdrawal;
use crate::sight::Sight;
use crate::spec::Lifecycle;

/// The nodes of one resource.
#[derive(Debug, Clone, Default)]
pub(super) struct Halves {
    pub(super) make: Option<NodeIndex>,
    pub(super) unmake: Vec<NodeIndex>,
    pub(super) withdraw: Option<NodeIndex>,
    /// The rounds before the last one.
    pub(super) rounds: Vec<NodeIndex>,
}

impl Halves {
    /// Returns all of them.
    pub(super) fn all(&self) -> impl Iterator<Item = NodeIndex> {
        self.make.iter().chain(&self.unmake).chain(&self.withdraw).chain(&self.rounds).copied()
    }
}

pub(crate) struct Builder<'a> {
    pub(super) plan: &'a Plan,
    pub(super) request: &'a Request<'a>,
    pub(super) nodes: DiGraph<Node, Edge>,
    pub(super) halves: BTreeMap<Address, Halves>,
    pub(super) changes: BTreeMap<&'a Address, &'a Change>,
    pub(super) providers: BTreeMap<&'a AccountName, NodeIndex>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(plan: &'a Plan, request: &'a Request<'a>) -> Self {
        let current = plan.changes.iter().filter(|change| change.action != ChangeAction::DeleteDeposed);
        let changes = current.map(|change| (&change.address, change)).collect();
        let (nodes, halves, providers) = (DiGraph::new(), BTreeMap::new(), BTreeMap::new());
        Self { plan, request, nodes, halves, changes, providers }
    }

    pub(crate) fn build(self) -> Graph {
        Graph { nodes: self.build_with_halves().0 }
    }

    /// As [`Self::build`], with the nodes of each resource.
    pub(super) fn build_with_halves(mut self) -> (DiGraph<Node, Edge>, BTreeMap<Address, Halves>) {
        self.add_changes();
        self.add_lookups();
        self.order_moves();
        self.add_unchanged();
        self.order_creation();
        self.order_withdrawals();
        self.order_deletion();
        self.order_takeovers();
        self.order_handovers();
        self.order_rounds();
        self.place_gates();
        (self.nodes, self.halves)
    }

    fn add_changes(&mut self) {
        let plan = self.plan;
        for (position, change) in plan.changes.iter().enumerate() {
            let provider = *self
                .providers
                .entry(&change.account)
                .or_insert_with(|| self.nodes.add_node(Node::Provider(change.account.clone())));
            let halves = self.halves.entry(change.address.clone()).or_default();
            let withdrawal = Withdrawal::of(self.request.registry, change);
            if withdrawal.is_some() {
                let withdraw = self.nodes.add_node(Node::Withdraw(position));
                self.nodes.add_edge(provider, withdraw, Edge::Needed);
                halves.withdraw = Some(withdraw);
            }
            if makes(change.action) && !withdrawal.is_some_and(|withdrawal| withdrawal.is_everything) {
                let make = self.nodes.add_node(Node::Make(position));
                self.nodes.add_edge(provider, make, Edge::Needed);
                halves.make = Some(make);
            }
            if unmakes(change.action) {
                let unmake = self.nodes.add_node(Node::Unmake(position));
                self.nodes.add_edge(provider, unmake, Edge::Needed);
                halves.unmake.push(unmake);
            }
            if let (ChangeAction::Replace(order), Some(make), Some(unmake)) =
                (change.action, halves.make, halves.unmake.last().copied())
            {
                let (first, second) = match order {
                    ReplaceOrder::CreateFirst => (make, unmake),
                    ReplaceOrder::DeleteFirst => (unmake, make),
                };
                self.nodes.add_edge(first, second, Edge::Needed);
            }
        }
    }

    /// Adds what is looked up while the plan is carried out.
    fn add_lookups(&mut self) {
        for (position, lookup) in self.plan.lookups.iter().enumerate().filter(|(_, lookup)| lookup.later) {
            let node = self.nodes.add_node(Node::Look(position));
            self.halves.entry(lookup.address.clone()).or_default().make = Some(node);
        }
    }

    /// Lets former objects in another account go before the resource gets its new one: the state has
    /// one account for all of them.
    fn order_moves(&mut self) {
        let plan = self.plan;
        for (position, change) in plan.changes.iter().enumerate() {
            let moves =
                self.changes.get(&change.address).is_some_and(|current| current.account != change.account);
            let (true, Some(make)) = (moves, self.make(&change.address)) else { continue };
            let former =
                |index: &NodeIndex| matches!(self.nodes[*index], Node::Unmake(other) if other == position);
            let unmake = self.halves[&change.address].unmake.iter().copied().find(former);
            if let Some(unmake) = unmake {
                self.nodes.add_edge(unmake, make, Edge::Needed);
            }
        }
    }

    /// Lets a share let go of things only after it has got others, and after everything that needed
    /// it has changed or gone.
    fn order_withdrawals(&mut self) {
        for halves in self.halves.values() {
            if let (Some(make), Some(withdraw)) = (halves.make, halves.withdraw) {
                self.nodes.add_edge(make, withdraw, Edge::Needed);
            }
        }
        for (address, prior) in &self.request.state.resources {
            let withdrawn = |dependency| self.halves.get(dependency).and_then(|halves| halves.withdraw);
            for withdraw in prior.dependencies.iter().filter_map(withdrawn).collect::<Vec<_>>() {
                let Halves { make, unmake, .. } = self.halves[address].clone();
                for before in make.into_iter().chain(unmake) {
                    self.nodes.add_edge(before, withdraw, Edge::Needed);
                }
            }
        }
    }

    /// Adds what stays as it is, so that orders reach through it.
    fn add_unchanged(&mut self) {
        let wanted = self.request.spec.resources.keys();
        for address in wanted.chain(self.request.state.resources.keys()) {
            let halves = self.halves.entry(address.clone()).or_default();
            if halves.make.is_none() {
                halves.make = Some(self.nodes.add_node(Node::Unchanged));
            }
            if halves.unmake.is_empty() {
                halves.unmake.push(self.nodes.add_node(Node::Unchanged));
            }
        }
    }

    fn order_creation(&mut self) {
        for node in self.request.spec.resources.values() {
            let Some(make) = self.make(&node.address) else { continue };
            for dependency in &node.dependencies {
                if let Some(before) = self.make(dependency) {
                    self.nodes.add_edge(before, make, Edge::Needed);
                }
            }
        }
    }

    fn order_deletion(&mut self) {
        for (address, prior) in &self.request.state.resources {
            for dependency in &prior.dependencies {
                let Some(dependency_halves) = self.halves.get(dependency).cloned() else { continue };
                let halves = self.halves[address].clone();
                if self.goes_before(dependency, &prior.lifecycle) {
                    for (first, then) in product(&dependency_halves.unmake, &halves.unmake) {
                        self.nodes.add_edge(first, then, Edge::Needed);
                    }
                    continue;
                }
                for after in &dependency_halves.unmake {
                    for before in &halves.unmake {
                        self.nodes.add_edge(*before, *after, Edge::Needed);
                    }
                    if self.moves_away(address, dependency) {
                        for last in halves.make.into_iter().chain(halves.withdraw) {
                            self.nodes.add_edge(last, *after, Edge::Preferred);
                        }
                    }
                }
                if let (Some(make), true) = (dependency_halves.make, self.makes_way(address, dependency)) {
                    for before in &halves.unmake {
                        self.nodes.add_edge(*before, make, Edge::Preferred);
                    }
                }
            }
        }
    }

    /// Tells whether what something needs goes before it, since somebody takes the thing away only then.
    fn goes_before(&self, dependency: &Address, lifecycle: &Lifecycle) -> bool {
        lifecycle.is_made_for(dependency) && !self.plan.options.delete_made_by_others
    }

    /// Tells whether a change of `address`, or of what it needs, stops it from using the object of
    /// `dependency` that is about to go, so that it is better made before.
    fn moves_away(&self, address: &Address, dependency: &Address) -> bool {
        let updated = self.changes.get(address).is_none_or(|change| change.action == ChangeAction::Update);
        let deleted_first = self
            .changes
            .get(dependency)
            .is_some_and(|change| change.action == ChangeAction::Replace(ReplaceOrder::DeleteFirst));
        let node = self.request.spec.resources.get(address);
        let comes_back = deleted_first && node.is_some_and(|node| node.dependencies.contains(dependency));
        updated && node.is_some() && !comes_back
    }

    /// Tells whether `address` goes before its successor comes, and so can go before `dependency`
    /// changes: a gateway is not detached while something uses it.
    fn makes_way(&self, address: &Address, dependency: &Address) -> bool {
        let action = |address| self.changes.get(address).map(|change| change.action);
        let goes = matches!(
            action(address),
            Some(ChangeAction::Delete | ChangeAction::Replace(ReplaceOrder::DeleteFirst))
        );
        goes && action(dependency) == Some(ChangeAction::Update)
    }

    fn place_gates(&mut self) {
        let sight: Option<Arc<dyn Gate>> = Sight::of(self.request).map(|sight| Arc::new(sight) as _);
        for gate in self.request.registry.gates().iter().chain(&sight) {
            for placement in gate.place(self.plan, self.request.state) {
                let (after, before) = (placement.after.clone(), self.anchors(&placement.before));
                // What changes may do so only after something else has gone, whose turn is after the gate.
                let frees = placement.before.iter().any(|anchor| !matches!(anchor, Anchor::Made(_)));
                let node = self.nodes.add_node(Node::Gate(Arc::clone(gate), Box::new(placement)));
                for anchor in after {
                    let changes = matches!(anchor, Anchor::Made(_));
                    let edge = if frees && changes { Edge::Preferred } else { Edge::Needed };
                    for first in self.anchors(&[anchor]) {
                        self.nodes.add_edge(first, node, edge);
                    }
                }
                for anchor in before {
                    self.nodes.add_edge(node, anchor, Edge::Needed);
                }
            }
        }
    }

    fn anchors(&self, anchors: &[Anchor]) -> Vec<NodeIndex> {
        let nodes = |anchor: &Anchor| match anchor {
            Anchor::Made(address) => self.make(address).into_iter().collect(),
            Anchor::Unmade(address) => {
                self.halves.get(address).map(|halves| halves.unmake.clone()).unwrap_or_default()
            }
            Anchor::Withdrawn(address) => {
                self.halves.get(address).and_then(|halves| halves.withdraw).into_iter().collect()
            }
        };
        anchors.iter().flat_map(nodes).collect()
    }

    pub(super) fn make(&self, address: &Address) -> Option<NodeIndex> {
        self.halves.get(address).and_then(|halves| halves.make)
    }
}

fn product(one: &[NodeIndex], other: &[NodeIndex]) -> impl Iterator<Item = (NodeIndex, NodeIndex)> {
    one.iter().flat_map(|first| other.iter().map(|then| (*first, *then)))
}

pub(super) fn makes(action: ChangeAction) -> bool {
    matches!(action, ChangeAction::Create | ChangeAction::Update | ChangeAction::Replace(_))
}

fn unmakes(action: ChangeAction) -> bool {
    match action {
        ChangeAction::Replace(_)
        | ChangeAction::Delete
        | ChangeAction::DeleteDeposed
        | ChangeAction::Forget => true,
        ChangeAction::Create | ChangeAction::Update => false,
    }
}
