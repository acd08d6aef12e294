//! The order of a run: a graph of operations, providers and gates.
//!
//! Everything that the spec or the state has is in it, also what does not change: a resource
//! waits for what it needs even through one that stays as it is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use petgraph::algo::{is_cyclic_directed, kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::address::{AccountName, Address, Kind};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::gate::{Anchor, Gate, Placement};
use crate::plan::{Change, ChangeAction, Plan, Request};
use crate::resource::ReplaceOrder;
use crate::spec::Spec;
use crate::value::ValueMap;

/// One node of the order.
#[derive(Clone)]
pub enum Node {
    /// The connection to an account.
    Provider(AccountName),
    /// A resource is made or changed: the change with this position in the plan.
    Make(usize),
    /// A resource, or a former object of it, is deleted or forgotten.
    Unmake(usize),
    /// A resource stays as it is.
    Unchanged,
    /// Something is waited for.
    Gate(Arc<dyn Gate>, Box<Placement>),
}

impl std::fmt::Debug for Node {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Provider(account) => write!(formatter, "Provider({account})"),
            Self::Make(change) => write!(formatter, "Make({change})"),
            Self::Unmake(change) => write!(formatter, "Unmake({change})"),
            Self::Unchanged => formatter.write_str("Unchanged"),
            Self::Gate(_, placement) => write!(formatter, "Gate({})", placement.address),
        }
    }
}

/// Why one node comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// The order that the run needs.
    Needed,
    /// What a thing has to itself is given up before another takes it.
    Exclusive,
    /// An order that saves refusals and retries, given up where it contradicts the needed one.
    Preferred,
}

/// The order of a run.
#[derive(Debug)]
pub struct Graph {
    nodes: DiGraph<Node, Edge>,
}

impl Graph {
    /// Arranges the changes of a plan, and puts them into an order in which they could be made
    /// one by one. Replacements that cannot create first are turned around.
    ///
    /// # Errors
    /// If there is no such order.
    pub(crate) fn arrange(plan: &mut Plan, request: &Request<'_>) -> Result<Self, Diagnostics> {
        plan.changes.sort_by(|one, other| one.address.cmp(&other.address));
        loop {
            let mut graph = Builder::new(plan, request).build();
            graph.give_up(Edge::Preferred);
            let cyclic = graph.cyclic_changes();
            if turn_around(plan, &cyclic) {
                continue;
            }
            graph.give_up(Edge::Exclusive);
            if is_cyclic_directed(&graph.nodes) {
                return Err(cycle(plan, &cyclic));
            }
            let order = graph.changes_in(&graph.order());
            graph.renumber(&order);
            reorder(&mut plan.changes, &order);
            return Ok(graph);
        }
    }

    /// Returns the nodes in an order in which they could be done one by one; of those that could
    /// be next, the one that was added first.
    #[must_use]
    pub fn order(&self) -> Vec<NodeIndex> {
        let mut waiting: Vec<_> =
            self.nodes.node_indices().map(|index| self.predecessor_count(index)).collect();
        let free = self.nodes.node_indices().filter(|index| waiting[index.index()] == 0);
        let mut ready: BinaryHeap<_> = free.map(Reverse).collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(Reverse(index)) = ready.pop() {
            order.push(index);
            for successor in self.successors(index) {
                waiting[successor.index()] -= 1;
                if waiting[successor.index()] == 0 {
                    ready.push(Reverse(successor));
                }
            }
        }
        order
    }

    /// Returns a node.
    #[must_use]
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.nodes[index]
    }

    /// Returns how many nodes there are; indexes count from 0.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.node_count()
    }

    /// Tells whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.node_count() == 0
    }

    /// Returns the nodes that come after this one.
    pub fn successors(&self, index: NodeIndex) -> impl Iterator<Item = NodeIndex> {
        self.nodes.neighbors_directed(index, petgraph::Direction::Outgoing)
    }

    /// Returns how many nodes come right before this one.
    #[must_use]
    pub fn predecessor_count(&self, index: NodeIndex) -> usize {
        self.nodes.neighbors_directed(index, petgraph::Direction::Incoming).count()
    }

    /// Takes out the edges of one sort that are part of a cycle.
    fn give_up(&mut self, sort: Edge) {
        if !is_cyclic_directed(&self.nodes) {
            return;
        }
        let mut component = vec![0; self.nodes.node_count()];
        for (number, members) in kosaraju_scc(&self.nodes).iter().enumerate() {
            for member in members {
                component[member.index()] = number;
            }
        }
        self.nodes.retain_edges(|graph, edge| {
            let (from, to) = graph.edge_endpoints(edge).expect("an edge that is visited exists");
            graph[edge] != sort || component[from.index()] != component[to.index()]
        });
    }

    /// Returns the positions of the changes that are part of a cycle.
    fn cyclic_changes(&self) -> Vec<usize> {
        let components = kosaraju_scc(&self.nodes);
        let cyclic = components.into_iter().filter(|members| members.len() > 1).flatten();
        cyclic.filter_map(|member| self.change_of(member)).collect()
    }

    fn change_of(&self, index: NodeIndex) -> Option<usize> {
        match &self.nodes[index] {
            Node::Make(change) | Node::Unmake(change) => Some(*change),
            Node::Provider(_) | Node::Unchanged | Node::Gate(..) => None,
        }
    }

    /// Returns each change once, where it is made, or where it is deleted if it is only deleted.
    fn changes_in(&self, order: &[NodeIndex]) -> Vec<usize> {
        let made: BTreeSet<usize> = self
            .nodes
            .node_weights()
            .filter_map(|node| match node {
                Node::Make(change) => Some(*change),
                Node::Provider(_) | Node::Unmake(_) | Node::Unchanged | Node::Gate(..) => None,
            })
            .collect();
        let shown = |index: &NodeIndex| match &self.nodes[*index] {
            Node::Make(change) => Some(*change),
            Node::Unmake(change) => (!made.contains(change)).then_some(*change),
            Node::Provider(_) | Node::Unchanged | Node::Gate(..) => None,
        };
        order.iter().filter_map(shown).collect()
    }

    fn renumber(&mut self, order: &[usize]) {
        let mut position = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            position[*old] = new;
        }
        for node in self.nodes.node_weights_mut() {
            if let Node::Make(change) | Node::Unmake(change) = node {
                *change = position[*change];
            }
        }
    }
}

fn reorder(changes: &mut Vec<Change>, order: &[usize]) {
    let mut taken: Vec<_> = std::mem::take(changes).into_iter().map(Some).collect();
    changes.extend(order.iter().map(|old| taken[*old].take().expect("an order names each change once")));
}

/// Makes the replacements among these changes delete first; `false` if there is none to turn.
fn turn_around(plan: &mut Plan, cyclic: &[usize]) -> bool {
    let mut turned = false;
    for change in cyclic {
        let action = &mut plan.changes[*change].action;
        if *action == ChangeAction::Replace(ReplaceOrder::CreateFirst) {
            *action = ChangeAction::Replace(ReplaceOrder::DeleteFirst);
            turned = true;
        }
    }
    turned
}

fn cycle(plan: &Plan, cyclic: &[usize]) -> Diagnostics {
    let names: BTreeSet<_> = cyclic.iter().map(|change| plan.changes[*change].address.to_string()).collect();
    let names: Vec<_> = names.into_iter().collect();
    Diagnostic::error("no-order", "there is no order in which these changes can be made")
        .with_detail(format!("Each of these has to wait for another of them: {}.", names.join(", ")))
        .with_hint("Make the change in two steps: take one of them out of the spec, apply, put it back, apply again.")
        .into()
}

/// Returns the resources of a spec, each after those that it needs.
///
/// # Errors
/// If they need each other in a circle.
pub(crate) fn dependency_order(spec: &Spec) -> Result<Vec<Address>, Diagnostics> {
    let mut graph = DiGraph::<&Address, ()>::with_capacity(spec.resources.len(), spec.resources.len());
    let indexes: BTreeMap<_, _> =
        spec.resources.keys().map(|address| (address, graph.add_node(address))).collect();
    for (address, node) in &spec.resources {
        for dependency in &node.dependencies {
            if let Some(before) = indexes.get(dependency) {
                graph.add_edge(*before, indexes[address], ());
            }
        }
    }
    match toposort(&graph, None) {
        Ok(order) => Ok(order.into_iter().map(|index| graph[index].clone()).collect()),
        Err(cycle) => Err(Diagnostic::error("cycle", "resources need each other in a circle")
            .with_address(graph[cycle.node_id()].clone())
            .into()),
    }
}

/// What only one thing can have at a time: account, kind, and the values of the kind's exclusive
/// attributes.
type Exclusive<'a> = (&'a String, &'a Kind, Vec<String>);

/// The nodes of one resource.
#[derive(Debug, Clone, Default)]
struct Halves {
    make: Option<NodeIndex>,
    unmake: Vec<NodeIndex>,
}

struct Builder<'a> {
    plan: &'a Plan,
    request: &'a Request<'a>,
    nodes: DiGraph<Node, Edge>,
    halves: BTreeMap<Address, Halves>,
    changes: BTreeMap<&'a Address, &'a Change>,
}

impl<'a> Builder<'a> {
    fn new(plan: &'a Plan, request: &'a Request<'a>) -> Self {
        let current = plan.changes.iter().filter(|change| change.action != ChangeAction::DeleteDeposed);
        let changes = current.map(|change| (&change.address, change)).collect();
        Self { plan, request, nodes: DiGraph::new(), halves: BTreeMap::new(), changes }
    }

    fn build(mut self) -> Graph {
        self.add_changes();
        self.add_unchanged();
        self.order_creation();
        self.order_deletion();
        self.order_takeovers();
        self.place_gates();
        Graph { nodes: self.nodes }
    }

    fn add_changes(&mut self) {
        let plan = self.plan;
        let mut providers = BTreeMap::new();
        for (position, change) in plan.changes.iter().enumerate() {
            let provider = *providers
                .entry(&change.account)
                .or_insert_with(|| self.nodes.add_node(Node::Provider(change.account.clone())));
            let halves = self.halves.entry(change.address.clone()).or_default();
            if makes(change.action) {
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
                for after in &dependency_halves.unmake {
                    for before in &halves.unmake {
                        self.nodes.add_edge(*before, *after, Edge::Needed);
                    }
                    if let (Some(make), true) = (halves.make, self.moves_away(address, dependency)) {
                        self.nodes.add_edge(make, *after, Edge::Preferred);
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

    /// Tells whether a change of `address` stops it from using the object of `dependency` that is
    /// about to go, so that it is better made before.
    fn moves_away(&self, address: &Address, dependency: &Address) -> bool {
        let updated = self.changes.get(address).is_some_and(|change| change.action == ChangeAction::Update);
        let deleted_first = self
            .changes
            .get(dependency)
            .is_some_and(|change| change.action == ChangeAction::Replace(ReplaceOrder::DeleteFirst));
        updated && !deleted_first
    }

    /// Lets what has something to itself go before another takes that over: a range, an address.
    fn order_takeovers(&mut self) {
        let plan = self.plan;
        let mut given_up = BTreeMap::<_, Vec<_>>::new();
        for change in plan.changes.iter().filter(|change| unmakes(change.action)) {
            if let Some(had) = self.had(change) {
                given_up.entry(had).or_default().push(&change.address);
            }
        }
        for change in plan.changes.iter().filter(|change| makes(change.action)) {
            let Some(takes) = self.exclusive(change, &change.inputs) else { continue };
            let others =
                given_up.get(&takes).into_iter().flatten().filter(|other| **other != &change.address);
            for other in others {
                let Some(make) = self.make(&change.address) else { continue };
                for unmake in self.halves[*other].unmake.clone() {
                    self.nodes.add_edge(unmake, make, Edge::Exclusive);
                }
            }
        }
    }

    /// Returns what the object that a change deletes has to itself.
    fn had(&self, change: &'a Change) -> Option<Exclusive<'a>> {
        let prior = self.request.state.resources.get(&change.address)?;
        let mut objects = prior.object.iter().chain(&prior.deposed);
        let object = objects.find(|object| Some(&object.remote_id) == change.remote_id.as_ref())?;
        self.exclusive(change, &object.inputs)
    }

    /// Returns what a thing with these inputs has to itself; `None` if that is nothing, or not known.
    fn exclusive(&self, change: &'a Change, inputs: &ValueMap) -> Option<Exclusive<'a>> {
        let names = self.request.registry.kind(change.kind.as_str())?.exclusive();
        let value = |name: &&str| {
            inputs.get(*name).filter(|value| value.is_known()).map(|value| format!("{value:?}"))
        };
        let values: Vec<_> = names.iter().filter_map(value).collect();
        let known = !names.is_empty() && values.len() == names.len();
        known.then_some((&change.account_id, &change.kind, values))
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
        for gate in self.request.registry.gates() {
            for placement in gate.place(self.plan, self.request.state) {
                let (after, before) = (self.anchors(&placement.after), self.anchors(&placement.before));
                let node = self.nodes.add_node(Node::Gate(Arc::clone(gate), Box::new(placement)));
                for anchor in after {
                    self.nodes.add_edge(anchor, node, Edge::Needed);
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
        };
        anchors.iter().flat_map(nodes).collect()
    }

    fn make(&self, address: &Address) -> Option<NodeIndex> {
        self.halves.get(address).and_then(|halves| halves.make)
    }
}

fn makes(action: ChangeAction) -> bool {
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

#[cfg(test)]
mod tests;
