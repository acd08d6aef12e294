//! The Resource Groups Tagging API: what an account has, of all services, by its tags.

mod filter;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::ec2::tags::Tags;
use crate::page::Paging;
use crate::world::World;
use crate::{ec2, eks, elb, iam, ram};

/// A thing with its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tagged {
    pub(crate) arn: String,
    pub(crate) tags: Tags,
}

/// Where things with tags come from: each service returns those of the caller in the region of the call, also without tags
/// ("Services that support the Resource Groups Tagging API").
const SOURCES: &[fn(&mut World, &Call) -> Vec<Tagged>] =
    &[ec2::tagged, eks::tagged, elb::tagged, iam::tagged, ram::tagged];

const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GetResources",
        &[
            "PaginationToken",
            "TagFilters",
            "ResourcesPerPage",
            "TagsPerPage",
            "ResourceTypeFilters",
            "ResourceARNList",
        ],
        get_resources,
    ),
    Operation::new("GetTagKeys", &["PaginationToken"], get_keys),
    Operation::new("GetTagValues", &["PaginationToken", "Key"], get_values),
];

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter()
}

/// "… a minimum of 1 and a maximum of 100 items" (API reference, `ResourcesPerPage`).
const PAGING: Paging = Paging {
    size: "ResourcesPerPage",
    token: "PaginationToken",
    usual: 100,
    most: 100,
    wrong_size: "InvalidParameterException",
    wrong_token: "InvalidParameterException",
};

/// Refuses a parameter's value.
fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

/// Returns the caller's things that have tags, by their ARNs: those without any are not returned.
fn all(world: &mut World, call: &Call) -> BTreeMap<String, Tags> {
    let things = SOURCES.iter().flat_map(|source| source(world, call));
    things.filter(|thing| !thing.tags.is_empty()).map(|thing| (thing.arn, thing.tags)).collect()
}

/// Returns the ARNs of all that the caller's account has in the region of the call, also of what has no tags. What
/// is not of a region is in `us-east-1`.
pub(crate) fn arns(world: &mut World, call: &Call) -> BTreeSet<String> {
    let mut arns: BTreeSet<_> =
        SOURCES.iter().flat_map(|source| source(world, call)).map(|thing| thing.arn).collect();
    arns.extend(iam::principals(world, call));
    arns
}

fn get_resources(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let filters = filter::Filters::read(parameters)?;
    check_tags_per_page(parameters)?;
    let things = all(world, call);
    let found = things.into_iter().filter(|(arn, tags)| filters.choose(arn, tags));
    let shown = found.map(|(arn, tags)| {
        let tags: Value = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        (arn.clone(), json!({ "ResourceARN": arn, "Tags": tags }))
    });
    page(parameters, "ResourceTagMappingList", shown)
}

/// "A minimum of 100 items up to a maximum of 500 items" (API reference, `TagsPerPage`). Pages are cut by
/// resources all the same.
fn check_tags_per_page(parameters: &Parameters) -> Result<(), Refusal> {
    match parameters.integer("TagsPerPage")? {
        Some(number) if !(100..=500).contains(&number) => {
            Err(invalid("TagsPerPage must be between 100 and 500."))
        }
        Some(_) | None => Ok(()),
    }
}

fn get_keys(world: &mut World, call: &Call) -> Answer {
    let keys: BTreeSet<_> = all(world, call).into_values().flat_map(Tags::into_keys).collect();
    page(&call.parameters, "TagKeys", keys.into_iter().map(|key| (key.clone(), json!(key))))
}

fn get_values(world: &mut World, call: &Call) -> Answer {
    let key = call.parameters.text("Key").ok_or_else(|| invalid("The parameter Key is missing."))?;
    let values: BTreeSet<_> =
        all(world, call).into_values().filter_map(|mut tags| tags.remove(key)).collect();
    page(&call.parameters, "TagValues", values.into_iter().map(|value| (value.clone(), json!(value))))
}

/// Answers with a page; the token of the last one is empty. So is a token that asks for the first one.
fn page(parameters: &Parameters, list: &str, things: impl Iterator<Item = (String, Value)>) -> Answer {
    let mut parameters = parameters.clone();
    if parameters.text("PaginationToken") == Some("") {
        parameters.0.remove("PaginationToken");
    }
    let (page, token) = PAGING.cut(&parameters, things)?;
    Ok(json!({ list: page, "PaginationToken": token.unwrap_or_default() }))
}
