//! The order of rounds: in each, everything that goes along changes after what it goes along with,
//! and nothing goes on before what needs it has come as far.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;

use crate::address::Address;
use crate::graph::builder::Builder;
use crate::graph::{Edge, Node};
use crate::plan::ChangeAction;
use crate::resource::ReplaceOrder;

/// The nodes of a resource in one round.
#[derive(Debug, Clone, Copy)]
struct Stage {
    /// It has come as far.
    reached: NodeIndex,
    /// So has everything that needs it.
    followed: NodeIndex,
}

impl Builder<'_> {
    /// Puts the rounds of changes before their last ones.
    pub(super) fn order_rounds(&mut self) {
        let plan = self.plan;
        let all = plan.changes.iter().flat_map(|change| &change.rounds);
        let Some(last) = all.map(|round| round.number).max() else { return };
        let affected = self.affected();
        let going = plan.changes.iter().enumerate().filter(|(_, change)| !change.rounds.is_empty());
        let going: BTreeMap<_, _> = going.map(|(position, change)| (&change.address, position)).collect();
        let mut before: Option<Vec<Stage>> = None;
        for number in 1..=last {
            let stages: Vec<_> = affected
                .iter()
                .map(|address| self.stage(address, going.get(address).copied(), number))
                .collect();
            self.connect_stages(&affected, &stages, before.is_none());
            for (before, stage) in before.iter().flatten().zip(&stages) {
                self.nodes.add_edge(before.followed, stage.reached, Edge::Needed);
            }
            before = Some(stages);
        }
        for (address, stage) in affected.iter().zip(before.into_iter().flatten()) {
            if let Some(make) = self.make(address) {
                self.nodes.add_edge(stage.followed, make, Edge::Needed);
            }
        }
    }

    /// Returns every resource that has to do with rounds or needs one that has, sorted.
    fn affected(&self) -> Vec<Address> {
        let resources = &self.request.spec.resources;
        let mut users = BTreeMap::<&Address, Vec<&Address>>::new();
        for (address, node) in resources {
            for needed in &node.dependencies {
                users.entry(needed).or_default().push(address);
            }
        }
        let mut affected = BTreeSet::new();
        let going = self.plan.changes.iter().filter(|change| change.last_round.is_some());
        let mut waiting: Vec<_> = going.map(|change| &change.address).collect();
        while let Some(address) = waiting.pop() {
            if affected.insert(address) {
                waiting.extend(users.get(address).into_iter().flatten());
            }
        }
        affected.into_iter().cloned().collect()
    }

    /// Adds the nodes of a resource in a round, in which it changes or stays as it is.
    fn stage(&mut self, address: &Address, change: Option<usize>, number: usize) -> Stage {
        let plan = self.plan;
        let round = change.and_then(|position| {
            let rounds = &plan.changes[position].rounds;
            Some((position, rounds.iter().position(|round| round.number == number)?))
        });
        let node = round.map_or(Node::Unchanged, |(position, round)| Node::Round(position, round));
        let reached = self.nodes.add_node(node);
        if let Some((position, _)) = round {
            let provider = self.providers[&plan.changes[position].account];
            self.nodes.add_edge(provider, reached, Edge::Needed);
            self.halves.entry(address.clone()).or_default().rounds.push(reached);
        }
        let followed = self.nodes.add_node(Node::Unchanged);
        self.nodes.add_edge(reached, followed, Edge::Needed);
        Stage { reached, followed }
    }

    /// Orders the resources of a round as they need each other. What needs rounds and goes away does so
    /// in the first of them: what is left behind would hold up the next.
    fn connect_stages(&mut self, affected: &[Address], stages: &[Stage], is_first: bool) {
        let stage = |address: &Address| affected.binary_search(address).ok().map(|at| stages[at]);
        for (address, own) in affected.iter().zip(stages) {
            let Some(node) = self.request.spec.resources.get(address) else { continue };
            let goes = self.changes.get(address).is_some_and(|change| !change.rounds.is_empty());
            for needed in &node.dependencies {
                if let Some(needed) = stage(needed) {
                    self.nodes.add_edge(needed.reached, own.reached, Edge::Needed);
                    self.nodes.add_edge(own.followed, needed.followed, Edge::Needed);
                } else if let Some(make) = self.make(needed).filter(|_| is_first && goes) {
                    self.nodes.add_edge(make, own.reached, Edge::Needed);
                }
            }
        }
        let goes = |address: &Address| {
            let replaced = ChangeAction::Replace(ReplaceOrder::DeleteFirst);
            let actions = [ChangeAction::Delete, ChangeAction::Forget, replaced];
            self.changes.get(address).is_some_and(|change| actions.contains(&change.action))
        };
        let mut leaving = Vec::new();
        let priors = &self.request.state.resources;
        for (address, prior) in priors.iter().filter(|(address, _)| is_first && goes(address)) {
            let needed = prior.dependencies.iter().filter_map(&stage);
            leaving.extend(needed.map(|needed| (address.clone(), needed.followed)));
        }
        for (address, followed) in leaving {
            for unmake in self.halves[&address].unmake.clone() {
                self.nodes.add_edge(unmake, followed, Edge::Preferred);
            }
        }
    }
}
