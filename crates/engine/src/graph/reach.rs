//! Who has to change with whom: the order of a whole plan, asked before parts of it are left out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::address::Address;
use crate::graph::builder::{Builder, Halves};
use crate::graph::{Edge, Node};
use crate::plan::{Mode, Plan, Request};

/// The order of a whole plan.
///
/// What is left of a plan can be carried out in its order if everything that comes before a
/// change in the whole order is there too. So a target takes along whatever comes before it, and
/// what is excluded takes out whatever comes after it.
pub(crate) struct Reach {
    nodes: DiGraph<Node, Edge>,
    halves: BTreeMap<Address, Halves>,
    /// By node: the resource that it is a half of; `None` for accounts and gates.
    owners: Vec<Option<Address>>,
    /// By maker: what somebody else has made for it, and takes away with it.
    made: BTreeMap<Address, Vec<Address>>,
    mode: Mode,
}

/// Why something stays as it is that is not excluded itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    /// It is excluded itself.
    Itself,
    /// It needs this, which is excluded.
    Needs(Address),
    /// This, which stays as it is, stands on it.
    NeededBy(Address),
}

impl Reach {
    /// Builds the order of a whole plan. Also one that has circles: they are looked for once it
    /// is clear what is left out.
    pub(crate) fn of(plan: &Plan, request: &Request<'_>) -> Self {
        let (nodes, halves) = Builder::new(plan, request).build_with_halves();
        let mut owners = vec![None; nodes.node_count()];
        for (address, halves) in &halves {
            for index in halves.all() {
                owners[index.index()] = Some(address.clone());
            }
        }
        let mut made = BTreeMap::<_, Vec<_>>::new();
        for (address, resource) in &request.state.resources {
            for maker in resource.lifecycle.made_by.iter().flatten() {
                made.entry(maker.clone()).or_default().push(address.clone());
            }
        }
        Self { nodes, halves, owners, made, mode: plan.mode }
    }

    /// Returns the targets with everything that has to change before they can.
    pub(crate) fn with_what_they_need<'a>(
        &self,
        targets: impl Iterator<Item = &'a Address>,
    ) -> BTreeSet<Address> {
        let mut selected = BTreeSet::new();
        let mut waiting: Vec<NodeIndex> = Vec::new();
        let mut seen = vec![false; self.nodes.node_count()];
        let mut select = |address: &Address, waiting: &mut Vec<NodeIndex>| {
            if selected.insert(address.clone()) {
                waiting.extend(self.own_nodes(address));
            }
            for made in self.vanishing_with(address) {
                if selected.insert(made.clone()) {
                    waiting.extend(self.own_nodes(made));
                }
            }
        };
        targets.for_each(|target| select(target, &mut waiting));
        while let Some(index) = waiting.pop() {
            if std::mem::replace(&mut seen[index.index()], true) {
                continue;
            }
            for before in self.nodes.neighbors_directed(index, Direction::Incoming) {
                match &self.owners[before.index()] {
                    Some(owner) if self.takes_part(owner, before) => select(owner, &mut waiting),
                    Some(_) => {}
                    None => waiting.push(before),
                }
            }
        }
        selected
    }

    /// Returns what is excluded with everything that cannot change without it, and why.
    pub(crate) fn with_what_needs_them<'a>(
        &self,
        excluded: impl Iterator<Item = &'a Address>,
    ) -> BTreeMap<Address, Held> {
        let mut held = BTreeMap::new();
        let mut waiting: VecDeque<(NodeIndex, &Address)> = VecDeque::new();
        let mut seen = vec![false; self.nodes.node_count()];
        for root in excluded {
            held.insert(root.clone(), Held::Itself);
            waiting.extend(self.all_nodes(root).map(|index| (index, root)));
        }
        while let Some((index, root)) = waiting.pop_front() {
            if std::mem::replace(&mut seen[index.index()], true) {
                continue;
            }
            for after in self.nodes.neighbors_directed(index, Direction::Outgoing) {
                let Some(owner) = &self.owners[after.index()] else {
                    waiting.push_back((after, root));
                    continue;
                };
                if !self.takes_part(owner, after) || held.contains_key(owner) {
                    continue;
                }
                let halves = &self.halves[owner];
                let makes = halves.make == Some(after) || halves.rounds.contains(&after);
                let nearest = self.owners[index.index()].as_ref().unwrap_or(root);
                let because = if makes { Held::Needs(root.clone()) } else { Held::NeededBy(nearest.clone()) };
                held.insert(owner.clone(), because);
                // What is left out stays as it is and stands on what it stood on.
                waiting.extend(self.all_nodes(owner).map(|index| (index, root)));
            }
        }
        held
    }

    /// Returns what goes away with something that is deleted, since it was made for it.
    fn vanishing_with(&self, maker: &Address) -> impl Iterator<Item = &Address> {
        let goes = |address: &Address| {
            self.halves
                .get(address)
                .is_some_and(|halves| halves.unmake.iter().any(|node| self.is_change(*node)))
        };
        let made = self.made.get(maker).filter(|_| goes(maker)).into_iter().flatten();
        made.filter(move |made| goes(made))
    }

    /// Tells whether a node concerns what its resource does in the run: of what stays as it is,
    /// that is being there, and nothing where everything goes.
    fn takes_part(&self, owner: &Address, index: NodeIndex) -> bool {
        let is_there = self.mode == Mode::Apply && self.halves[owner].make == Some(index);
        is_there || self.is_change(index)
    }

    fn is_change(&self, index: NodeIndex) -> bool {
        match self.nodes[index] {
            Node::Make(_) | Node::Unmake(_) | Node::Withdraw(_) | Node::Round(..) => true,
            Node::Provider(_) | Node::Look(_) | Node::Unchanged | Node::Gate(..) => false,
        }
    }

    /// Returns the nodes of what a resource does in the run.
    fn own_nodes(&self, address: &Address) -> impl Iterator<Item = NodeIndex> {
        self.all_nodes(address).filter(|index| self.takes_part(address, *index))
    }

    fn all_nodes(&self, address: &Address) -> impl Iterator<Item = NodeIndex> {
        self.halves[address].all()
    }
}
