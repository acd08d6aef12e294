//! Functions on lists without order. What they return is sorted and without duplicates.

use std::collections::BTreeSet;

use super::argument::{ArgumentError, list_argument};
use super::{Body, Function, FunctionGroup, MANY};
use crate::spec::normalize::compare;
use crate::value::Value;

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Sets",
    functions: &[
        Function::new(
            "setintersection(list, ...)",
            (1, MANY),
            Body::Whole(setintersection),
            "What all lists have, sorted.",
            ("setintersection(['a', 'b'], ['b', 'c'])", "['b']"),
        ),
        Function::new(
            "setsubtract(list, other)",
            (2, 2),
            Body::Whole(setsubtract),
            "What the first list has and the second does not, sorted.",
            ("setsubtract(['c', 'a', 'b'], ['b'])", "['a', 'c']"),
        ),
        Function::new(
            "setunion(list, ...)",
            (1, MANY),
            Body::Whole(setunion),
            "What any of the lists has, sorted.",
            ("setunion(['b'], ['a', 'b'])", "['a', 'b']"),
        ),
    ],
};

fn setunion(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let mut all = Vec::new();
    for argument in 0..arguments.len() {
        all.extend_from_slice(list_argument(arguments, argument)?);
    }
    Ok(sorted_without_duplicates(all))
}

fn setintersection(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let mut shared = list_argument(arguments, 0)?.to_vec();
    for argument in 1..arguments.len() {
        let other = ordered(list_argument(arguments, argument)?);
        shared.retain(|item| other.contains(&Ordered(item)));
    }
    Ok(sorted_without_duplicates(shared))
}

fn setsubtract(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let other = ordered(list_argument(arguments, 1)?);
    let mut left = list_argument(arguments, 0)?.to_vec();
    left.retain(|item| !other.contains(&Ordered(item)));
    Ok(sorted_without_duplicates(left))
}

/// Returns the items as a set is written.
pub(super) fn sorted_without_duplicates(mut items: Vec<Value>) -> Value {
    items.sort_by(compare);
    items.dedup_by(|one, other| compare(one, other).is_eq());
    Value::List(items)
}

fn ordered(items: &[Value]) -> BTreeSet<Ordered<'_>> {
    items.iter().map(Ordered).collect()
}

/// A value in the order of [`compare`].
struct Ordered<'v>(&'v Value);

impl Ord for Ordered<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        compare(self.0, other.0)
    }
}

impl PartialOrd for Ordered<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered<'_> {}
