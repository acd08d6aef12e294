//! Instances, of which the sandbox has none yet: who asks for one, learns that.

use std::collections::BTreeMap;

use serde_json::Value;

use super::describe::{Description, describe};
use super::dry_run;
use crate::call::{Answer, Call, Operation};
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "DescribeInstances",
    &["InstanceId", "Filter", "MaxResults", "NextToken", "DryRun"],
    describe_instances,
)];

fn describe_instances(_: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let description = Description {
        list: "reservationSet",
        ids: "InstanceId",
        not_found: "InvalidInstanceID.NotFound",
        visible: &|_: &Value| true,
        filter: &|_, _| None,
        shown: &Value::clone,
        page: (5, 1000),
    };
    describe(call, &BTreeMap::new(), &description)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Account;

    /// The load balancer controller asks for the instances of another account with this outcome
    /// (recording 02 of the controller).
    #[test]
    fn there_are_none() {
        let mut account = Account::new();
        assert_eq!(account.ok("DescribeInstances", json!({}))["reservationSet"], json!([]));
        let one = json!({ "InstanceId": ["i-0aaaaaaaaaaaaaaa1"] });
        account.refused("DescribeInstances", one, "InvalidInstanceID.NotFound");
    }
}
