//! What needs what, as a picture: boxes in the accounts that they live in, and arrows from each to
//! what it needs.

mod dot;
mod mermaid;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json as to_json};
use straddle_engine::address::{AccountName, Address};
use straddle_engine::plan::{ChangeAction, Plan};
use straddle_engine::spec::{ResourceNode, Spec};

pub(crate) use dot::dot;
pub(crate) use mermaid::mermaid;

/// What becomes one box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folding {
    /// Each resource.
    None,
    /// Each block, with its instances and parts.
    Blocks,
}

/// Boxes and arrows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) stack: String,
    /// What stands at the head of each account.
    pub(crate) accounts: BTreeMap<AccountName, String>,
    pub(crate) nodes: BTreeMap<String, Node>,
    /// From what needs something to what it needs.
    pub(crate) edges: BTreeMap<(String, String), Reason>,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) account: AccountName,
    /// The block that it is an instance or a part of.
    pub(crate) block: String,
    /// How many resources it stands for.
    pub(crate) count: usize,
    /// What a plan does to it, if there is a plan and it does anything.
    pub(crate) action: Option<Action>,
}

/// What a plan does to a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Update,
    Replace,
    Delete,
    Forget,
    /// Several things to the resources in it.
    Several,
}

/// Why one thing needs another. Of several reasons, the first counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// It stands on a thing of another account, which has to be shared.
    Boundary,
    /// It is a part of it.
    Part,
    /// `depends_on` says so.
    DependsOn,
    /// An expression refers to it.
    Reference,
}

impl Action {
    fn of(action: ChangeAction) -> Self {
        match action {
            ChangeAction::Create => Self::Create,
            ChangeAction::Update => Self::Update,
            ChangeAction::Replace(_) => Self::Replace,
            ChangeAction::Delete | ChangeAction::DeleteDeposed => Self::Delete,
            ChangeAction::Forget => Self::Forget,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Forget => "forget",
            Self::Several => "several",
        }
    }

    /// Returns the colour of a box, which is light enough for black text.
    fn color(self) -> &'static str {
        match self {
            Self::Create => "#b7e4b7",
            Self::Update => "#ffe08a",
            Self::Replace => "#e3b7f0",
            Self::Delete => "#f4b6b6",
            Self::Forget => "#d9d9d9",
            Self::Several => "#b9d7f7",
        }
    }

    const ALL: [Self; 6] =
        [Self::Create, Self::Update, Self::Replace, Self::Delete, Self::Forget, Self::Several];
}

impl Reason {
    fn word(self) -> &'static str {
        match self {
            Self::Boundary => "boundary",
            Self::Part => "part",
            Self::DependsOn => "depends_on",
            Self::Reference => "reference",
        }
    }
}

/// A box with its number and its name.
type Numbered<'a> = (usize, &'a str, &'a Node);

impl Picture {
    /// Draws a spec, and what a plan does to it and to what it no longer has.
    pub(crate) fn of(spec: &Spec, plan: Option<&Plan>, folding: Folding) -> Self {
        let accounts = spec.accounts.values().map(|account| {
            (account.name.clone(), format!("{} {} {}", account.name, account.id, account.region))
        });
        let mut picture = Self {
            stack: spec.stack.name.clone(),
            accounts: accounts.collect(),
            nodes: BTreeMap::new(),
            edges: BTreeMap::new(),
        };
        let crossings: BTreeSet<(&Address, &Address)> = spec
            .crossings
            .iter()
            .flat_map(|crossing| {
                crossing.shares.iter().chain([&crossing.thing]).map(|needed| (&crossing.resource, needed))
            })
            .collect();
        for (address, node) in &spec.resources {
            picture.add(address, &node.account, folding);
            for needed in node.dependencies.iter().filter(|needed| !by_its_makers(spec, node, needed)) {
                let reason = if crossings.contains(&(address, needed)) {
                    Reason::Boundary
                } else {
                    reason(address, node, needed)
                };
                picture.connect(address, needed, reason, folding);
            }
        }
        if let Some(plan) = plan {
            picture.take(plan, spec, folding);
        }
        picture.edges.retain(|(_, needed), _| picture.nodes.contains_key(needed));
        picture
    }

    fn take(&mut self, plan: &Plan, spec: &Spec, folding: Folding) {
        for change in &plan.changes {
            if !spec.resources.contains_key(&change.address) {
                self.add(&change.address, &change.account, folding);
                for needed in &change.dependencies {
                    let is_part = change.address.parent().as_ref() == Some(needed);
                    let reason = if is_part { Reason::Part } else { Reason::Reference };
                    self.connect(&change.address, needed, reason, folding);
                }
            }
            let action = Action::of(change.action);
            if let Some(node) = self.nodes.get_mut(&name(&change.address, folding)) {
                let is_other = node.action.is_some_and(|other| other != action);
                node.action = Some(if is_other { Action::Several } else { action });
            }
        }
    }

    fn add(&mut self, address: &Address, account: &AccountName, folding: Folding) {
        let node =
            Node { account: account.clone(), block: address.block().to_string(), count: 0, action: None };
        self.nodes.entry(name(address, folding)).or_insert(node).count += 1;
    }

    fn connect(&mut self, address: &Address, needed: &Address, reason: Reason, folding: Folding) {
        let (from, to) = (name(address, folding), name(needed, folding));
        if from != to {
            let known = self.edges.entry((from, to)).or_insert(reason);
            *known = reason.min(*known);
        }
    }

    /// Returns the boxes of each account, by the blocks that they are of.
    fn by_account(&self) -> BTreeMap<&AccountName, BTreeMap<&str, Vec<Numbered<'_>>>> {
        let mut accounts: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for (number, (name, node)) in self.nodes.iter().enumerate() {
            let blocks = accounts.entry(&node.account).or_default();
            blocks.entry(node.block.as_str()).or_default().push((number, name.as_str(), node));
        }
        accounts
    }

    /// Returns the arrows between the numbers of boxes.
    fn numbered_edges(&self) -> impl Iterator<Item = (usize, usize, Reason)> {
        let numbers: BTreeMap<&str, usize> =
            self.nodes.keys().enumerate().map(|(number, name)| (name.as_str(), number)).collect();
        self.edges
            .iter()
            .map(move |((from, to), reason)| (numbers[from.as_str()], numbers[to.as_str()], *reason))
    }

    fn account_label(&self, account: &AccountName) -> String {
        self.accounts.get(account).cloned().unwrap_or_else(|| account.to_string())
    }
}

impl Node {
    /// Returns what stands in the box.
    fn label(&self, name: &str) -> String {
        if self.count > 1 { format!("{name} ({})", self.count) } else { name.to_owned() }
    }
}

fn name(address: &Address, folding: Folding) -> String {
    match folding {
        Folding::None => address.to_string(),
        Folding::Blocks => address.block().to_string(),
    }
}

/// Tells whether what somebody else makes needs something only since what it is made for does.
fn by_its_makers(spec: &Spec, node: &ResourceNode, needed: &Address) -> bool {
    let mut makers = node.lifecycle.made_by.iter().flatten().filter_map(|maker| spec.resources.get(maker));
    !node.depends_on.contains(needed) && makers.any(|maker| maker.dependencies.contains(needed))
}

fn reason(address: &Address, node: &ResourceNode, needed: &Address) -> Reason {
    if address.parent().as_ref() == Some(needed) {
        Reason::Part
    } else if node.depends_on.contains(needed) {
        Reason::DependsOn
    } else {
        Reason::Reference
    }
}

/// Renders a picture for programs.
pub(crate) fn json(picture: &Picture) -> Json {
    let node = |(name, node): (&String, &Node)| {
        to_json!({
            "name": name,
            "account": node.account,
            "block": node.block,
            "resources": node.count,
            "action": node.action.map(Action::word),
        })
    };
    let edge = |((from, to), reason): (&(String, String), &Reason)| to_json!({ "from": from, "needs": to, "reason": reason.word() });
    to_json!({
        "type": "graph",
        "stack": picture.stack,
        "nodes": picture.nodes.iter().map(node).collect::<Vec<_>>(),
        "edges": picture.edges.iter().map(edge).collect::<Vec<_>>(),
    })
}
