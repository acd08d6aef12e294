//! In which order the parts of a spec are worked out, and the cycles that have no such order.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::address::{AccountName, BlockAddress};
use crate::diagnostic::{Diagnostic, Span};
use crate::spec::world::LocalName;

/// How many parts of a cycle a problem shows.
const MAXIMUM_SHOWN: usize = 20;

/// What a reference waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wait {
    /// The resource and everything that it expands to.
    Whole,
    /// The resource alone; so that groups whose rules name each other are no cycle.
    Parent,
}

/// Something that is worked out at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Account(AccountName),
    Local(LocalName, Wait),
    /// The resources of a block, without those that they expand to.
    Own(BlockAddress),
    /// What the resources of a block expand to.
    Children(BlockAddress),
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => write!(formatter, "account.{name}"),
            Self::Local(name, _) => write!(formatter, "{name}"),
            Self::Own(block) | Self::Children(block) => write!(formatter, "{block}"),
        }
    }
}

/// The parts of a spec, and which of them needs which.
#[derive(Default)]
pub(crate) struct PartGraph {
    graph: DiGraph<Part, Span>,
    indices: BTreeMap<Part, NodeIndex>,
}

/// An order in which no part comes before what it needs.
pub(crate) struct Order {
    pub(crate) parts: Vec<Part>,
    /// The parts that have no such order.
    pub(crate) cyclic: BTreeSet<Part>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl PartGraph {
    /// Adds a part.
    pub(crate) fn add(&mut self, part: &Part) -> NodeIndex {
        if let Some(index) = self.indices.get(part) {
            return *index;
        }
        let index = self.graph.add_node(part.clone());
        self.indices.insert(part.clone(), index);
        index
    }

    /// Notes that `part` needs `needed`, as is written at `span`.
    pub(crate) fn need(&mut self, part: &Part, needed: &Part, span: Span) {
        let (from, to) = (self.add(part), self.add(needed));
        self.graph.add_edge(from, to, span);
    }

    /// Returns the order, and a problem for each cycle.
    pub(crate) fn order(&self) -> Order {
        let mut order = Order { parts: Vec::new(), cyclic: BTreeSet::new(), diagnostics: Vec::new() };
        for component in kosaraju_scc(&self.graph) {
            let first = *component.iter().min().expect("a component has at least one part");
            if component.len() == 1 && self.graph.find_edge(first, first).is_none() {
                order.parts.push(self.graph[first].clone());
                continue;
            }
            let members: BTreeSet<_> = component.into_iter().collect();
            // A cycle of local values alone is there once for each way of waiting.
            let again = |index: &NodeIndex| matches!(self.graph[*index], Part::Local(_, Wait::Whole));
            if !members.iter().all(again) {
                order.diagnostics.push(self.cycle(first, &members));
            }
            order.cyclic.extend(members.into_iter().map(|index| self.graph[index].clone()));
        }
        order
    }

    /// Describes a shortest cycle through `start`.
    fn cycle(&self, start: NodeIndex, members: &BTreeSet<NodeIndex>) -> Diagnostic {
        let edges = self.shortest_cycle(start, members);
        let mut names = vec![self.graph[start].to_string()];
        let mut related = Vec::new();
        for (target, span) in &edges {
            let name = self.graph[*target].to_string();
            let before = names.last().expect("the path begins with the start");
            if *before != name {
                related.push((*span, format!("`{before}` needs `{name}`")));
                names.push(name);
            }
        }
        if names.len() > MAXIMUM_SHOWN {
            let left_out = format!("({} more)", names.len() - MAXIMUM_SHOWN);
            names.splice(MAXIMUM_SHOWN / 2..names.len() - MAXIMUM_SHOWN / 2, [left_out]);
        }
        let mut related = related.into_iter().take(MAXIMUM_SHOWN);
        let diagnostic = Diagnostic::error("cycle", "cycle of references")
            .with_detail(format!("Each needs the next before it can be made: {}.", names.join(" -> ")))
            .with_hint("Take out one of the references, or move what both need into a block of its own.");
        let diagnostic = match related.next() {
            Some((span, message)) => diagnostic.with_span(span, message),
            None => diagnostic,
        };
        related.fold(diagnostic, |diagnostic, (span, message)| diagnostic.with_related(span, message))
    }

    fn shortest_cycle(&self, start: NodeIndex, members: &BTreeSet<NodeIndex>) -> Vec<(NodeIndex, Span)> {
        let mut came_from: BTreeMap<NodeIndex, (NodeIndex, Span)> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            // Edges are listed last added first; the earliest one in the file reads best.
            let mut edges: Vec<_> = self.graph.edges(node).collect();
            edges.sort_by_key(|edge| *edge.weight());
            for edge in edges.into_iter().filter(|edge| members.contains(&edge.target())) {
                if let Entry::Vacant(place) = came_from.entry(edge.target()) {
                    place.insert((node, *edge.weight()));
                    queue.push_back(edge.target());
                }
            }
            if came_from.contains_key(&start) {
                break;
            }
        }
        let mut path = Vec::new();
        let mut node = start;
        while let Some((previous, span)) = came_from.get(&node) {
            path.push((node, *span));
            node = *previous;
            if node == start {
                break;
            }
        }
        path.reverse();
        path
    }
}
