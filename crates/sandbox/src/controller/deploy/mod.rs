//! From what a group is to have to what it has: in the order in which one thing needs the other.

mod balancer;
mod bindings;
mod listener;
mod rule;
mod security_group;
mod target_group;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::{RESOURCE_TAG, Stack, Texts};
use super::object::text;
use super::reach::Done;
use super::work::Work;
pub(super) use security_group::delete as delete_group;

/// Makes, changes and deletes until a group has what it is to have. Returns the DNS name of its load balancer.
///
/// # Errors
/// If AWS or the API server refuses something. What was done until then stays, and is found again by its tags.
pub(super) fn stack(work: &mut Work<'_>, stack: &Stack) -> Done<Option<String>> {
    let (front_group, old_groups) = security_group::deploy(work, stack)?;
    let (arns, old_target_groups) = target_group::deploy(work, stack)?;
    let balancer = balancer::deploy(work, stack, front_group)?;
    if let Some(balancer) = &balancer {
        let listeners = listener::deploy(work, stack, &balancer.arn, &arns)?;
        rule::deploy(work, stack, &listeners, &arns)?;
    }
    bindings::deploy(work, stack, &arns)?;
    target_group::remove(work, old_target_groups)?;
    security_group::remove(work, old_groups)?;
    Ok(balancer.map(|balancer| balancer.dns_name))
}

/// The ARNs of the target groups of a stack, by their names in the stack.
type Arns = BTreeMap<String, String>;

/// Returns the things of a list that have tags, with all tags that they have.
pub(super) fn tagged(
    work: &mut Work<'_>,
    operation: &str,
    list: &str,
    arn: &str,
    wanted: &Texts,
) -> Done<Vec<(Value, Texts)>> {
    let all = work.elb_list(operation, json!({}), list)?;
    let arns: Vec<_> = all.iter().map(|thing| text(thing, &format!("/{arn}")).to_owned()).collect();
    let mut tags = work.tags_of(&arns)?;
    let with_tags =
        all.into_iter().zip(&arns).map(|(thing, arn)| (thing, tags.remove(arn).unwrap_or_default()));
    let has = |tags: &Texts| wanted.iter().all(|(key, value)| tags.get(key) == Some(value));
    Ok(with_tags.filter(|(_, tags)| has(tags)).collect())
}

/// Returns what a thing is called in its stack.
fn resource(tags: &Texts) -> String {
    tags.get(RESOURCE_TAG).cloned().unwrap_or_default()
}

/// Lets a thing have attributes, of those that are said.
fn set_attributes(
    work: &mut Work<'_>,
    (describe, modify): (&str, &str),
    (name, arn): (&str, &str),
    wanted: &Texts,
) -> Done<()> {
    let answer = work.elb(describe, json!({ name: arn }))?;
    let present = super::object::items(&answer, "/Attributes").iter();
    let present: Texts = present
        .map(|attribute| (text(attribute, "/Key").to_owned(), text(attribute, "/Value").to_owned()))
        .collect();
    let differs = |(key, value): &(&String, &String)| present.get(*key) != Some(*value);
    let changed: Texts =
        wanted.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone())).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let attributes = super::model::tag_list(&changed);
    work.elb(modify, json!({ name: arn, "Attributes": attributes })).map(drop)
}
