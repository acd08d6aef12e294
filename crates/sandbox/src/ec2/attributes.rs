//! What an account may have: limits that are asked for by name.

use serde_json::json;

use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::dry_run;
use crate::quotas;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("DescribeAccountAttributes", &["AttributeName", "DryRun"], describe)];

/// The attributes (API reference, `DescribeAccountAttributes`).
const ATTRIBUTES: [&str; 6] = [
    "default-vpc",
    "max-elastic-ips",
    "max-instances",
    "supported-platforms",
    "vpc-max-elastic-ips",
    "vpc-max-security-groups-per-interface",
];

/// Returns the value of an attribute. No account has a default VPC here.
fn value(world: &World, call: &Call, name: &str) -> String {
    let account = &call.caller.account;
    match name {
        "default-vpc" => "none".to_owned(),
        "max-instances" => "20".to_owned(),
        "supported-platforms" => "VPC".to_owned(),
        "vpc-max-security-groups-per-interface" => {
            world.quota(account, quotas::GROUPS_OF_INTERFACE).to_string()
        }
        _ => world.quota(account, quotas::ADDRESSES).to_string(),
    }
}

fn describe(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let names = call.parameters.texts("AttributeName");
    if let Some(unknown) = names.iter().find(|name| !ATTRIBUTES.contains(name)) {
        let message = format!("Value ( {unknown} ) for parameter attributeName is invalid.");
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let asked_for = |name: &&str| names.is_empty() || names.contains(name);
    let shown = ATTRIBUTES.into_iter().filter(asked_for).map(|name| {
        let value = value(world, call, name);
        json!({ "attributeName": name, "attributeValueSet": [{ "attributeValue": value }] })
    });
    Ok(json!({ "accountAttributeSet": shown.collect::<Vec<_>>() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    #[test]
    fn attributes_are_asked_for_by_name() {
        let mut account = Account::new();
        let all = account.ok("DescribeAccountAttributes", json!({}));
        assert_eq!(all["accountAttributeSet"].as_array().map(Vec::len), Some(ATTRIBUTES.len()));
        let one = json!({ "AttributeName": ["default-vpc"] });
        let one = account.ok("DescribeAccountAttributes", one);
        assert_eq!(one["accountAttributeSet"][0]["attributeValueSet"][0]["attributeValue"], "none");
        let unknown = json!({ "AttributeName": ["colour"] });
        account.refused("DescribeAccountAttributes", unknown, "InvalidParameterValue");
    }
}
