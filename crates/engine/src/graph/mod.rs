//! The order of a run: a graph of operations, providers and gates.
//!
//! Everything that the spec or the state has is in it, also what does not change: a resource
//! waits for what it needs even through one that stays as it is.

mod builder;
mod reach;
mod rounds;
mod takeovers;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use petgraph::algo::{is_cyclic_directed, kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::address::{AccountName, Address};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::gate::{Gate, Placement};
use crate::graph::builder::Builder;
pub(crate) use crate::graph::reach::{Held, Reach};
use crate::plan::{Change, ChangeAction, Plan, Request};
use crate::resource::ReplaceOrder;
use crate::spec::Spec;

/// One node of the order.
#[derive(Clone)]
pub enum Node {
    /// The connection to an account.
    Provider(AccountName),
    /// A resource is made or changed: the change with this position in the plan.
    Make(usize),
    /// A resource, or a former object of it, is deleted or forgotten.
    Unmake(usize),
    /// A share lets go of what it is to hold no longer. What else changes of it is a [`Node::Make`].
    Withdraw(usize),
    /// Something is looked up: the lookup with this position in the plan.
    Look(usize),
    /// One round of a change that takes several: the change with this position in the plan, and the
    /// position of the round in it. The last round is a [`Node::Make`].
    Round(usize, usize),
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
            Self::Withdraw(change) => write!(formatter, "Withdraw({change})"),
            Self::Look(lookup) => write!(formatter, "Look({lookup})"),
            Self::Round(change, round) => write!(formatter, "Round({change}, {round})"),
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
    /// A share holds a thing before another one lets go of it: nobody refuses to make a gap.
    Handover,
    /// An order that saves refusals and retries, given up where it contradicts any other one.
    Preferred,
}

/// The order of a run.
#[derive(Debug, Default)]
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
            graph.give_up(Edge::Handover);
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
            Node::Make(change) | Node::Unmake(change) | Node::Withdraw(change) | Node::Round(change, _) => {
                Some(*change)
            }
            Node::Provider(_) | Node::Look(_) | Node::Unchanged | Node::Gate(..) => None,
        }
    }

    /// Returns each change once, where it is made, or where it is deleted if it is only deleted.
    fn changes_in(&self, order: &[NodeIndex]) -> Vec<usize> {
        let made: BTreeSet<usize> = self
            .nodes
            .node_weights()
            .filter_map(|node| match node {
                Node::Make(change) => Some(*change),
                Node::Provider(_)
                | Node::Unmake(_)
                | Node::Withdraw(_)
                | Node::Look(_)
                | Node::Round(..)
                | Node::Unchanged
                | Node::Gate(..) => None,
            })
            .collect();
        let shown = |index: &NodeIndex| match &self.nodes[*index] {
            Node::Make(change) => Some(*change),
            Node::Unmake(change) | Node::Withdraw(change) => (!made.contains(change)).then_some(*change),
            Node::Provider(_) | Node::Look(_) | Node::Round(..) | Node::Unchanged | Node::Gate(..) => None,
        };
        order.iter().filter_map(shown).collect()
    }

    fn renumber(&mut self, order: &[usize]) {
        let mut position = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            position[*old] = new;
        }
        for node in self.nodes.node_weights_mut() {
            if let Node::Make(change)
            | Node::Unmake(change)
            | Node::Withdraw(change)
            | Node::Round(change, _) = node
            {
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
        let change = &mut plan.changes[*change];
        if change.action == ChangeAction::Replace(ReplaceOrder::CreateFirst) {
            change.action = ChangeAction::Replace(ReplaceOrder::DeleteFirst);
            // What goes first has nothing left to go in rounds with.
            change.rounds.clear();
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

#[cfg(test)]
mod tests;
