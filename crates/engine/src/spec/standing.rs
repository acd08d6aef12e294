//! What things in a cluster name there makes edges: an object waits for its namespace, the definition of
//! its kind, and whatever else it refers to by name.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use crate::access::{ClusterKey, cluster_key};
use crate::address::Address;
use crate::cluster::Standing;
use crate::spec::evaluator::Evaluator;

impl Evaluator<'_> {
    /// Lets every thing in a cluster wait for those of the same cluster that it names. Where that would
    /// be a circle with what else is needed, names give way: API servers do not insist on them.
    pub(crate) fn stand_on_named(&mut self) {
        let mut named = self.named_things();
        if named.is_empty() {
            return;
        }
        self.drop_circles(&mut named);
        for (thing, needed) in named {
            if let Some(draft) = self.drafts.get_mut(&thing) {
                draft.dependencies.extend(needed);
            }
        }
    }

    /// Returns which things name which others.
    fn named_things(&self) -> BTreeMap<Address, BTreeSet<Address>> {
        let mut standings: Vec<(&Address, ClusterKey, Standing)> = Vec::new();
        for (address, draft) in &self.drafts {
            let Some(kind) = self.scope.registry.kind(draft.kind.as_str()) else { continue };
            let inputs = self.scope.inputs.get(address);
            let cluster = kind.through().and_then(|attribute| inputs?.get(attribute));
            if let (Some(inputs), Some(cluster)) = (inputs, cluster) {
                standings.push((address, cluster_key(cluster), kind.standing(inputs)));
            }
        }
        let mut called: BTreeMap<(&str, &str), BTreeSet<&Address>> = BTreeMap::new();
        for (address, cluster, standing) in &standings {
            for name in &standing.names {
                called.entry((cluster, name)).or_default().insert(*address);
            }
        }
        let mut named: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        for (address, cluster, standing) in &standings {
            let needed =
                standing.needs.iter().filter_map(|name| called.get(&(cluster.as_str(), name.as_str())));
            let needed: BTreeSet<_> =
                needed.flatten().filter(|other| *other != address).map(|other| (*other).clone()).collect();
            if !needed.is_empty() {
                named.insert((*address).clone(), needed);
            }
        }
        named
    }

    fn drop_circles(&self, named: &mut BTreeMap<Address, BTreeSet<Address>>) {
        let mut graph = DiGraph::<(), ()>::new();
        let nodes: BTreeMap<_, _> = self.drafts.keys().map(|address| (address, graph.add_node(()))).collect();
        for (address, draft) in &self.drafts {
            let needed = named.get(address).into_iter().flatten();
            for needed in draft.dependencies.iter().chain(needed) {
                if let Some(needed) = nodes.get(needed) {
                    graph.add_edge(nodes[address], *needed, ());
                }
            }
        }
        let circles = kosaraju_scc(&graph);
        let mut circle_of = BTreeMap::new();
        for (circle, members) in circles.iter().enumerate() {
            circle_of.extend(members.iter().map(|node| (*node, circle)));
        }
        for (address, needed) in named {
            let of = |address: &Address| nodes.get(address).and_then(|node| circle_of.get(node));
            let own = of(address);
            needed.retain(|needed| of(needed) != own);
        }
    }
}
