//! What an account may have: limits that are asked for by name.

use serde_json::json;

use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::dry_run;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("DescribeAccountAttributes", &["AttributeName", "DryRun"], describe)];

/// The attributes with their values (API reference, `DescribeAccountAttributes`). No account has a
/// default VPC here.
const ATTRIBUTES: [(&str, &str); 6] = [
    ("default-vpc", "none"),
    ("max-elastic-ips", "5"),
    ("max-instances", "20"),
    ("supported-platforms", "VPC"),
    ("vpc-max-elastic-ips", "5"),
    ("vpc-max-security-groups-per-interface", "5"),
];

fn describe(_: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let names = call.parameters.texts("AttributeName");
    if let Some(unknown) = names.iter().find(|name| !ATTRIBUTES.iter().any(|(known, _)| known == *name)) {
        let message = format!("Value ( {unknown} ) for parameter attributeName is invalid.");
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let asked_for = |name: &str| names.is_empty() || names.contains(&name);
    let shown = ATTRIBUTES.iter().filter(|(name, _)| asked_for(name)).map(
        |(name, value)| json!({ "attributeName": name, "attributeValueSet": [{ "attributeValue": value }] }),
    );
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
