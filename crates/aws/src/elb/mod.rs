//! The kinds of Elastic Load Balancing (its second version), and what they share.

mod answer;
mod attribute_values;
pub(crate) mod describe;
mod health;
pub(crate) mod ingress_load_balancer;
pub(crate) mod listener;
pub(crate) mod load_balancer;
pub(crate) mod maker;
mod ownership;
pub(crate) mod registered_targets;
pub(crate) mod tags;
pub(crate) mod target_group;

pub(crate) use describe::target_groups;
pub(crate) use maker::{CLUSTER_TAG, STACK_TAG as INGRESS_TAG, maker_of};
use straddle_engine::value::{Value, ValueMap};

/// The service whose limits the calls of these kinds fall under.
const SERVICE: &str = "elasticloadbalancing";

/// Returns what follows this word in an ARN: `app/NAME/ID` after `loadbalancer/`.
fn arn_suffix(arn: &str, word: &str) -> String {
    arn.split_once(word).map(|(_, suffix)| suffix.to_owned()).unwrap_or_default()
}

/// Returns a number as the API takes it. What does not fit is sent as the largest one, which the
/// service refuses.
fn number(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// Tells whether what was found is as wanted: of tables, in the members that are wanted.
fn fits(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Map(found), Value::Map(wanted)) => fits_table(found, wanted),
        (found, wanted) => found == wanted,
    }
}

fn fits_table(found: &ValueMap, wanted: &ValueMap) -> bool {
    wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| fits(found, wanted)))
}
