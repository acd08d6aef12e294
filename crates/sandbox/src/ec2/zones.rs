//! Availability zones: their ids are the same in every account, their names are each account's own
//! ("Availability Zone IDs for your resources", RAM user guide).

use serde_json::{Value, json};

use super::describe::{filters, matches};
use super::dry_run;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{AccountId, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "DescribeAvailabilityZones",
    &["ZoneId", "ZoneName", "Filter", "AllAvailabilityZones", "DryRun"],
    describe_zones,
)];

/// The letters of the zones of a region: most have three ("Regions and Availability Zones", AWS
/// global infrastructure).
fn letters(region: &str) -> &'static str {
    match region {
        "us-east-1" => "abcdef",
        "us-west-2" => "abcd",
        _ => "abc",
    }
}

/// A zone as an account names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Zone {
    /// Such as `use1-az1`.
    pub(super) id: String,
    /// Such as `us-east-1a`.
    pub(super) name: String,
}

/// Returns the zones of a region, by their names in an account.
pub(super) fn zones(region: &str, account: &AccountId) -> Vec<Zone> {
    let prefix = id_prefix(region);
    // Accounts with other numbers mostly have another order.
    let weighted = |(position, digit): (usize, u8)| (position + 1).pow(2) * usize::from(digit);
    let turn: usize = account.as_str().bytes().enumerate().map(weighted).sum();
    let letters = letters(region);
    let zone = |(position, letter): (usize, char)| Zone {
        id: format!("{prefix}-az{}", (position + turn) % letters.len() + 1),
        name: format!("{region}{letter}"),
    };
    letters.chars().enumerate().map(zone).collect()
}

/// Shortens a region as the ids of its zones do: `us-east-1` is `use1`, `ap-southeast-2` is `apse2`.
fn id_prefix(region: &str) -> String {
    let parts: Vec<_> = region.split('-').collect();
    let short = |part: &&str| match *part {
        "northeast" => "ne".to_owned(),
        "northwest" => "nw".to_owned(),
        "southeast" => "se".to_owned(),
        "southwest" => "sw".to_owned(),
        "north" | "east" | "south" | "west" | "central" => part[..1].to_owned(),
        other => other.to_owned(),
    };
    parts.iter().map(short).collect()
}

fn describe_zones(_: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let parameters = &call.parameters;
    let (ids, names) = (parameters.texts("ZoneId"), parameters.texts("ZoneName"));
    let all = zones(&call.region, &call.caller.account);
    let is_unknown = |name: &&&str, of: fn(&Zone) -> &str| !all.iter().any(|zone| of(zone) == **name);
    let unknown_id = ids.iter().find(|id| is_unknown(id, |zone| &zone.id));
    let unknown_name = names.iter().find(|name| is_unknown(name, |zone| &zone.name));
    let message = unknown_id
        .map(|id| format!("Invalid availability zone-id: [{id}]"))
        .or_else(|| unknown_name.map(|name| format!("Invalid availability zone: [{name}]")));
    if let Some(message) = message {
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let asked_for = |zone: &&Zone| {
        (ids.is_empty() || ids.contains(&zone.id.as_str()))
            && (names.is_empty() || names.contains(&zone.name.as_str()))
    };
    let filters = filters(parameters)?;
    let mut found = Vec::new();
    for zone in all.iter().filter(asked_for) {
        if matches(zone, &filters, &|zone, filter| filtered(zone, &call.region, filter))? {
            found.push(shown(zone, &call.region));
        }
    }
    Ok(json!({ "availabilityZoneInfo": found }))
}

fn filtered(zone: &Zone, region: &str, filter: &str) -> Option<Vec<String>> {
    let value = match filter {
        "zone-id" => zone.id.as_str(),
        "zone-name" => zone.name.as_str(),
        "state" => "available",
        "zone-type" => "availability-zone",
        "opt-in-status" => "opt-in-not-required",
        "region-name" | "group-name" | "network-border-group" => region,
        _ => return None,
    };
    Some(vec![value.to_owned()])
}

fn shown(zone: &Zone, region: &str) -> Value {
    json!({
        "zoneName": zone.name,
        "zoneId": zone.id,
        "zoneState": "available",
        "zoneType": "availability-zone",
        "regionName": region,
        "groupName": region,
        "networkBorderGroup": region,
        "optInStatus": "opt-in-not-required",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    #[test]
    fn ids_are_common_and_names_are_not() {
        let of = |number: &str| zones("us-east-1", &number.parse().expect("it is a number"));
        let (one, other) = (of("111111111111"), of("222222222222"));
        assert_eq!(one.len(), 6);
        assert_ne!(one, other);
        for zone in &one {
            assert!(other.iter().any(|other| other.id == zone.id), "{}", zone.id);
        }
    }

    #[test]
    fn zones_are_found_by_filters() {
        let mut account = Account::new();
        let filter = |name: &str, value: &str| json!({ "Filter": [{ "Name": name, "Value": [value] }] });
        let found = account.ok("DescribeAvailabilityZones", filter("zone-id", "use1-az4"));
        assert_eq!(found["availabilityZoneInfo"].as_array().map(Vec::len), Some(1));
        let none = account.ok("DescribeAvailabilityZones", filter("zone-type", "local-zone"));
        assert_eq!(none["availabilityZoneInfo"], json!([]));
        account.refused("DescribeAvailabilityZones", filter("colour", "red"), "InvalidParameterValue");
    }

    #[test]
    fn zones_that_are_not_there_are_refused() {
        let mut account = Account::new();
        for name in ["ZoneId", "ZoneName"] {
            let wanted = json!({ name: ["us-east-1z"] });
            account.refused("DescribeAvailabilityZones", wanted, "InvalidParameterValue");
        }
    }

    #[test]
    fn regions_are_shortened_as_aws_does() {
        for (region, short) in [
            ("us-east-1", "use1"),
            ("eu-central-1", "euc1"),
            ("ap-southeast-2", "apse2"),
            ("ca-west-1", "caw1"),
        ] {
            assert_eq!(id_prefix(region), short);
        }
    }
}
