//! Which item of a list was which item before.

use std::collections::{BTreeMap, BTreeSet};

use crate::difference::key;
use crate::spec::compare;
use crate::value::{Value, ValueMap};

/// An item before and after.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair<'v> {
    /// The step from the list to the item: `['web']` or `[2]`.
    pub(super) label: String,
    /// What it was, if it was there.
    pub(super) before: Option<&'v Value>,
    /// What it is, if it is there.
    pub(super) after: Option<&'v Value>,
}

/// The entries by which people tell the tables of a list apart.
const NAMES: [&str; 7] = ["Sid", "Id", "Name", "Key", "id", "name", "key"];

/// Pairs the items of two lists whose order counts; `None` if they are better seen as wholes: most
/// of them are single values, or items moved.
pub(super) fn items<'v>(before: &'v [Value], after: &'v [Value]) -> Option<Vec<Pair<'v>>> {
    named(before, after).or_else(|| by_position(before, after))
}

/// Pairs tables that all have a name of their own, if those that stay keep their order.
fn named<'v>(before: &'v [Value], after: &'v [Value]) -> Option<Vec<Pair<'v>>> {
    let (old, new) = NAMES.iter().find_map(|name| Some((by_name(before, name)?, by_name(after, name)?)))?;
    let stays = |names: &[(&'v str, &'v Value)], others: &BTreeMap<&str, &Value>| {
        names.iter().map(|(name, _)| *name).filter(|name| others.contains_key(name)).collect::<Vec<_>>()
    };
    let (old_values, new_values): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (old.iter().copied().collect(), new.iter().copied().collect());
    if stays(&old, &new_values) != stays(&new, &old_values) {
        return None;
    }
    let is_new = new.iter().map(|(name, item)| Pair {
        label: key(name),
        before: old_values.get(name).copied(),
        after: Some(*item),
    });
    let is_gone = old.iter().filter(|(name, _)| !new_values.contains_key(name));
    let is_gone = is_gone.map(|(name, item)| Pair { label: key(name), before: Some(*item), after: None });
    Some(is_new.chain(is_gone).collect())
}

/// Returns the items with their names; `None` if one has no name, or two have the same.
fn by_name<'v>(items: &'v [Value], name: &str) -> Option<Vec<(&'v str, &'v Value)>> {
    let named = |item: &'v Value| Some((item.as_map()?.get(name)?.as_str()?, item));
    let named: Vec<_> = items.iter().map(named).collect::<Option<_>>()?;
    let different: BTreeSet<_> = named.iter().map(|(name, _)| name).collect();
    (different.len() == named.len()).then_some(named)
}

/// Pairs what is at the same position, if what differs there are tables and lists that did not move.
fn by_position<'v>(before: &'v [Value], after: &'v [Value]) -> Option<Vec<Pair<'v>>> {
    let differing = || before.iter().zip(after).filter(|(before, after)| before != after);
    let is_nested = |value: &Value| matches!(value, Value::Map(_) | Value::List(_));
    let mut old: Vec<_> = differing().map(|(before, _)| before).collect();
    old.sort_by(|one, other| compare(one, other));
    let moved = |item: &Value| old.binary_search_by(|old| compare(old, item)).is_ok();
    let stays = differing().all(|(before, after)| is_nested(before) && is_nested(after) && !moved(after));
    (before.len() == after.len() && stays).then(|| {
        let pairs = before.iter().zip(after).enumerate();
        pairs
            .map(|(position, (before, after))| Pair {
                label: format!("[{position}]"),
                before: Some(before),
                after: Some(after),
            })
            .collect()
    })
}

/// The elements of a statement, the one that is changed most often first.
const ELEMENTS: [&str; 9] = [
    "Action",
    "Resource",
    "Condition",
    "Principal",
    "NotAction",
    "NotResource",
    "NotPrincipal",
    "Effect",
    "Sid",
];

/// Pairs the statements of two policies, whose order means nothing: those with the same `Sid`,
/// then those that are the same, then those that differ in one element, then those that allow or
/// deny the same actions, or something about the same resources.
pub(super) fn statements<'v>(before: &'v [Value], after: &'v [Value]) -> Vec<Pair<'v>> {
    let mut pairing =
        Pairing { before, after, former: vec![None; after.len()], left: (0..before.len()).collect() };
    // Values have no order of their own, so they are told apart by how they are written.
    pairing.pair(|statement| statement.get("Sid").map(|sid| format!("{sid:?}")));
    pairing.pair(|statement| Some(format!("{statement:?}")));
    for element in ELEMENTS {
        pairing.pair(|statement| without(statement, element));
    }
    for element in ["Action", "NotAction", "Resource", "NotResource"] {
        pairing
            .pair(|statement| Some(format!("{:?} {:?}", statement.get("Effect"), statement.get(element)?)));
    }
    pairing.pairs()
}

/// Returns all of a statement but one element, if that leaves more than an effect.
fn without(statement: &ValueMap, element: &str) -> Option<String> {
    let mut rest = statement.clone();
    rest.remove(element)?;
    (rest.len() > 1).then(|| format!("{rest:?}"))
}

/// Statements while they are paired.
struct Pairing<'v> {
    before: &'v [Value],
    after: &'v [Value],
    /// For each statement that is there now, where it was.
    former: Vec<Option<usize>>,
    /// Where those were that have no partner yet.
    left: BTreeSet<usize>,
}

impl<'v> Pairing<'v> {
    /// Pairs what has no partner yet and the same features, in order.
    fn pair(&mut self, feature: impl Fn(&ValueMap) -> Option<String>) {
        let feature = |statement: &Value| statement.as_map().and_then(&feature);
        let mut free: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for position in self.left.iter().rev() {
            if let Some(feature) = feature(&self.before[*position]) {
                free.entry(feature).or_default().push(*position);
            }
        }
        for (statement, former) in self.after.iter().zip(&mut self.former) {
            if former.is_none()
                && let Some(feature) = feature(statement)
            {
                *former = free.get_mut(&feature).and_then(Vec::pop);
                former.map(|position| self.left.remove(&position));
            }
        }
    }

    fn pairs(&self) -> Vec<Pair<'v>> {
        let there = self.after.iter().zip(&self.former).enumerate();
        let there = there.map(|(position, (statement, former))| Pair {
            label: label(statement, position),
            before: former.map(|former| &self.before[former]),
            after: Some(statement),
        });
        let gone = self.left.iter().map(|position| {
            let statement = &self.before[*position];
            Pair { label: label(statement, *position), before: Some(statement), after: None }
        });
        there.chain(gone).collect()
    }
}

fn label(statement: &Value, position: usize) -> String {
    let sid = statement.as_map().and_then(|statement| statement.get("Sid")).and_then(Value::as_str);
    sid.filter(|sid| !sid.is_empty()).map_or_else(|| format!("[{position}]"), key)
}
