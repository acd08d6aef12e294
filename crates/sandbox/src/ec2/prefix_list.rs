//! Prefix lists: the ranges of AWS's own services, by which rules and routes name them.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::describe::{Description, describe};
use super::dry_run;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "DescribePrefixLists",
        &["PrefixListId", "Filter", "MaxResults", "NextToken", "DryRun"],
        |_, call| describe_lists(call, false),
    ),
    Operation::new(
        "DescribeManagedPrefixLists",
        &["PrefixListId", "Filter", "MaxResults", "NextToken", "DryRun"],
        |_, call| describe_lists(call, true),
    ),
    Operation::new("GetManagedPrefixListEntries", &["PrefixListId", "DryRun"], get_entries),
];

/// The services that have a list, with ranges of theirs. AWS's own differ by region.
const SERVICES: [(&str, &[&str]); 2] = [
    ("dynamodb", &["52.94.0.0/22", "52.119.224.0/20"]),
    ("s3", &["3.5.0.0/19", "52.216.0.0/15", "54.231.0.0/16"]),
];

/// A list of AWS's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PrefixList {
    id: String,
    /// The name of the service, such as `com.amazonaws.us-east-1.s3`.
    name: String,
    ranges: &'static [&'static str],
}

/// Returns the lists of a region, by id.
fn lists(region: &str) -> BTreeMap<String, PrefixList> {
    let list = |(service, ranges): &(&str, &'static [&'static str])| {
        let name = format!("com.amazonaws.{region}.{service}");
        let id = format!("pl-{}", &HEXLOWER.encode(&Sha256::digest(&name))[..8]);
        (id.clone(), PrefixList { id, name, ranges })
    };
    SERVICES.iter().map(list).collect()
}

/// Tells whether there is a list with this id in a region.
pub(super) fn is_known(region: &str, id: &str) -> bool {
    lists(region).contains_key(id)
}

/// Returns the id of the list of a service; `None` if it has none.
pub(super) fn of_service(region: &str, service: &str) -> Option<String> {
    lists(region).into_values().find(|list| list.name == service).map(|list| list.id)
}

fn describe_lists(call: &Call, managed: bool) -> Answer {
    dry_run(call)?;
    let description = Description {
        list: "prefixListSet",
        ids: "PrefixListId",
        not_found: "InvalidPrefixListID.NotFound",
        visible: &|_: &PrefixList| true,
        filter: &|list, filter| match filter {
            "prefix-list-id" => Some(vec![list.id.clone()]),
            "prefix-list-name" => Some(vec![list.name.clone()]),
            "owner-id" if managed => Some(vec!["AWS".to_owned()]),
            _ => None,
        },
        shown: &|list| shown(list, call, managed),
        page: if managed { (1, 100) } else { (5, 1000) },
    };
    describe(call, &lists(&call.region), &description)
}

fn shown(list: &PrefixList, call: &Call, managed: bool) -> Value {
    if managed {
        return json!({
            "prefixListId": list.id,
            "prefixListName": list.name,
            "prefixListArn": format!("arn:aws:ec2:{}:aws:prefix-list/{}", call.region, list.id),
            "addressFamily": "IPv4",
            "state": "create-complete",
            "ownerId": "AWS",
            "tagSet": [],
        });
    }
    json!({ "prefixListId": list.id, "prefixListName": list.name, "cidrSet": list.ranges })
}

fn get_entries(_: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("PrefixListId")?;
    let lists = lists(&call.region);
    let list = lists.get(id).ok_or_else(|| not_found(id))?;
    dry_run(call)?;
    let entries: Vec<_> = list.ranges.iter().map(|range| json!({ "cidr": range })).collect();
    Ok(json!({ "entrySet": entries }))
}

/// Refuses a list that is not there.
pub(super) fn not_found(id: &str) -> Refusal {
    Refusal::new("InvalidPrefixListID.NotFound", format!("The prefix list ID '{id}' does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::list;
    use crate::testing::{Account, text};

    #[test]
    fn the_lists_of_services_are_described() {
        let mut account = Account::new();
        let name = json!([{ "Name": "prefix-list-name", "Value": ["com.amazonaws.us-east-1.s3"] }]);
        let found = account.ok("DescribePrefixLists", json!({ "Filter": name.clone() }));
        let id = text(&list(&found, "prefixListSet")[0]["prefixListId"]);
        assert_eq!(of_service("us-east-1", "com.amazonaws.us-east-1.s3"), Some(id.clone()));
        assert_ne!(of_service("eu-west-1", "com.amazonaws.eu-west-1.s3"), Some(id.clone()));
        let managed = account.ok("DescribeManagedPrefixLists", json!({ "Filter": name }));
        assert_eq!(list(&managed, "prefixListSet")[0]["prefixListId"], id.as_str());
        let entries = account.ok("GetManagedPrefixListEntries", json!({ "PrefixListId": id }));
        assert_eq!(entries["entrySet"][0]["cidr"], found["prefixListSet"][0]["cidrSet"][0]);
        let unknown = json!({ "PrefixListId": ["pl-0"] });
        account.refused("DescribePrefixLists", unknown, "InvalidPrefixListID.NotFound");
        let unknown = json!({ "PrefixListId": "pl-0" });
        account.refused("GetManagedPrefixListEntries", unknown, "InvalidPrefixListID.NotFound");
    }
}
