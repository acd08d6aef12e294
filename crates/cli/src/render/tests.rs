//! What the tests of rendering share.

use straddle_engine::plan::Plan;

/// Returns a plan with a change of every sort.
pub(crate) fn network_plan() -> Plan {
    serde_json::from_str(include_str!("tests/network_plan.json")).expect("the plan is well formed")
}
