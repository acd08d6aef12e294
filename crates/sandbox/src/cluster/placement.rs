//! Where pods are: how many each node has, which addresses they have, and who waits for a node.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::body::text;
use super::store::Key;

/// Where pods are. It follows from the pods, and is kept so that nobody has to look at all of them for one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Placement {
    /// How many pods with an address of their own each node has.
    counts: BTreeMap<String, usize>,
    /// How many pods have an address.
    addresses: BTreeMap<String, usize>,
    /// The pods that have no node yet.
    waiting: BTreeSet<Key>,
}

impl Placement {
    /// Notes that a pod has changed, has come or has gone.
    pub(super) fn note(&mut self, key: &Key, before: Option<&Value>, after: Option<&Value>) {
        for (pod, is_after) in [(before, false), (after, true)] {
            let Some(pod) = pod else { continue };
            let node = text(&pod["spec"]["nodeName"]);
            if node.is_empty() && is_after {
                self.waiting.insert(key.clone());
            }
            if !takes_an_address(pod) {
                continue;
            }
            count(&mut self.counts, node, is_after);
            count(&mut self.addresses, text(&pod["status"]["podIP"]), is_after);
        }
        if after.is_none_or(|pod| !text(&pod["spec"]["nodeName"]).is_empty()) {
            self.waiting.remove(key);
        }
    }

    /// Returns how many pods with an address of their own a node has.
    pub(super) fn count(&self, node: &str) -> usize {
        self.counts.get(node).copied().unwrap_or(0)
    }

    /// Tells whether a pod has an address.
    pub(super) fn is_taken(&self, address: &str) -> bool {
        self.addresses.contains_key(address)
    }

    /// Returns the pods that have no node yet.
    pub(super) fn waiting(&self) -> Vec<Key> {
        self.waiting.iter().cloned().collect()
    }
}

/// Tells whether a pod has an address that no other one can have: it has ended neither, nor is it its node's.
fn takes_an_address(pod: &Value) -> bool {
    pod["spec"]["hostNetwork"] != true && !["Succeeded", "Failed"].contains(&text(&pod["status"]["phase"]))
}

fn count(counts: &mut BTreeMap<String, usize>, name: &str, is_more: bool) {
    if name.is_empty() {
        return;
    }
    if is_more {
        *counts.entry(name.to_owned()).or_default() += 1;
    } else if let Some(left) = counts.get_mut(name) {
        *left -= 1;
        if *left == 0 {
            counts.remove(name);
        }
    }
}
