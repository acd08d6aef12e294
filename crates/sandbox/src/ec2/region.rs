//! Regions: which there are, and which an account can use.

use serde_json::{Value, json};

use super::describe::{filters, matches};
use super::dry_run;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("DescribeRegions", &["RegionName", "AllRegions", "Filter", "DryRun"], describe_regions)];

/// The regions that every account can use ("AWS Regions", account management guide).
const ENABLED: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The regions that an account has to opt in to, which none has done here.
const OTHERS: [&str; 12] = [
    "af-south-1",
    "ap-east-1",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
];

const NOT_REQUIRED: &str = "opt-in-not-required";

/// Describes the regions that are named, or those that can be used, or, with `AllRegions`, all.
fn describe_regions(_: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let parameters = &call.parameters;
    let named = parameters.texts("RegionName");
    let wants_all = parameters.flag("AllRegions")?.unwrap_or_default() || !named.is_empty();
    let others = OTHERS.iter().filter(|_| wants_all).map(|name| (*name, "not-opted-in"));
    let all: Vec<_> = ENABLED.iter().map(|name| (*name, NOT_REQUIRED)).chain(others).collect();
    if let Some(unknown) = named.iter().find(|name| !all.iter().any(|(known, _)| known == *name)) {
        return Err(Refusal::new("InvalidParameterValue", format!("Invalid region name: [{unknown}]")));
    }
    let filters = filters(parameters)?;
    let mut found = Vec::new();
    for region in all.into_iter().filter(|(name, _)| named.is_empty() || named.contains(name)) {
        if matches(&region, &filters, &filtered)? {
            found.push(shown(region));
        }
    }
    found.sort_by_key(|region| region["regionName"].as_str().map(str::to_owned));
    Ok(json!({ "regionInfo": found }))
}

fn endpoint(name: &str) -> String {
    format!("ec2.{name}.amazonaws.com")
}

fn filtered((name, status): &(&str, &str), filter: &str) -> Option<Vec<String>> {
    Some(vec![match filter {
        "region-name" => (*name).to_owned(),
        "opt-in-status" => (*status).to_owned(),
        "endpoint" => endpoint(name),
        _ => return None,
    }])
}

fn shown((name, status): (&str, &str)) -> Value {
    json!({ "regionName": name, "regionEndpoint": endpoint(name), "optInStatus": status })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::list;
    use crate::testing::Account;

    /// "Describes the Regions that are enabled for your account, or all Regions" (API reference).
    #[test]
    fn regions_are_told_that_can_be_used_or_all() {
        let mut account = Account::new();
        let count = |account: &mut Account, parameters: Value| {
            list(&account.ok("DescribeRegions", parameters), "regionInfo").len()
        };
        assert_eq!(count(&mut account, json!({})), ENABLED.len());
        assert_eq!(count(&mut account, json!({ "AllRegions": "true" })), ENABLED.len() + OTHERS.len());
        let one = account.ok("DescribeRegions", json!({ "RegionName": ["eu-south-1"] }));
        assert_eq!(one["regionInfo"][0]["optInStatus"], "not-opted-in");
        let filter = json!([{ "Name": "region-name", "Value": ["us-*"] }]);
        assert_eq!(count(&mut account, json!({ "Filter": filter })), 4);
        account.refused("DescribeRegions", json!({ "RegionName": ["mars-1"] }), "InvalidParameterValue");
    }
}
