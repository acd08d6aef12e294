//! From a group of Ingresses to what it is to have in AWS.

mod backend;
mod balancer;
mod listeners;
mod placement;
mod rules;

use std::collections::BTreeMap;

pub(super) use balancer::find_back_group;
use serde_json::{Value, json};

use super::group::{Group, Member};
use super::model::{FrontGroup, RESOURCE_TAG, Stack, Texts, stack_tags};
use super::names;
use super::object::{name, text};
use super::reach::{Done, Trouble};
use super::work::Work;

/// What is gathered on the way.
struct Build<'a> {
    group: &'a Group,
    /// What everything of the group is tagged with, but for what tells the things from each other.
    tags: Texts,
    /// The group towards the nodes, if the load balancer has it.
    back_group: Option<String>,
    stack: Stack,
}

/// Works out what a group is to have. Whoever has no members is to have nothing.
///
/// # Errors
/// If what the Ingresses say makes no sense, or does not fit together, or AWS does not have it.
pub(super) fn stack(work: &mut Work<'_>, group: &Group) -> Done<Stack> {
    let stack = Stack {
        id: group.id.clone(),
        front_group: None,
        target_groups: BTreeMap::new(),
        balancer: None,
        listeners: BTreeMap::new(),
    };
    if group.members.is_empty() {
        check_protection(&group.leaving)?;
        return Ok(stack);
    }
    let mut build = Build { group, tags: group_tags(work, group)?, back_group: None, stack };
    let ports = listeners::ports(group)?;
    balancer::build(work, &mut build, &ports)?;
    listeners::build(work, &mut build, &ports)?;
    Ok(build.stack)
}

/// An Ingress that says that its load balancer is protected is not let go of.
fn check_protection(leaving: &[Value]) -> Done<()> {
    for ingress in leaving {
        let attributes = super::annotations::Annotations::of(ingress).table("load-balancer-attributes")?;
        if attributes.get(PROTECTION).is_some_and(|value| value == "true") {
            let name = name(ingress);
            return Err(Trouble::other(format!(
                "deletion_protection is enabled, cannot delete the ingress: {name}"
            )));
        }
    }
    Ok(())
}

/// The attribute that protects a load balancer.
pub(super) const PROTECTION: &str = "deletion_protection.enabled";

/// Returns the tags that all things of a group have: those that the Ingresses say, and the controller's own.
fn group_tags(work: &Work<'_>, group: &Group) -> Done<Texts> {
    let mut tags = work.settings.default_tags.clone();
    for member in &group.members {
        for (key, value) in member_tags(member)? {
            if tags
                .get(&key)
                .is_some_and(|other| *other != value && !work.settings.default_tags.contains_key(&key))
            {
                let other = &tags[&key];
                return Err(Trouble::other(format!("conflicting tag {key}: {other} | {value}")));
            }
            // What the controller was started with has the say.
            tags.entry(key).or_insert(value);
        }
    }
    Ok(tags)
}

/// Returns the tags that an Ingress says, or its class.
fn member_tags(member: &Member) -> Done<Texts> {
    let mut tags = member.annotations.table("tags")?;
    for tag in super::object::items(&member.class, "/tags") {
        tags.insert(text(tag, "/key").to_owned(), text(tag, "/value").to_owned());
    }
    Ok(tags)
}

impl Build<'_> {
    /// Returns the tags of a thing.
    fn tags_of(&self, work: &Work<'_>, resource: &str) -> Texts {
        self.with_own_tags(work, self.tags.clone(), resource)
    }

    /// Adds the tags by which a thing is found again.
    fn with_own_tags(&self, work: &Work<'_>, mut tags: Texts, resource: &str) -> Texts {
        tags.extend(stack_tags(work.settings, &self.group.id));
        tags.insert(RESOURCE_TAG.to_owned(), resource.to_owned());
        tags
    }

    /// Returns the group that the controller makes for the load balancer: whoever may, reaches the listeners.
    fn front_group(&self, work: &Work<'_>, ports: &listeners::Ports) -> FrontGroup {
        let ingress = ports.iter().flat_map(|(port, wanted)| {
            let ranges = wanted.sources.iter().map(move |source| permission(*port, source));
            ranges.collect::<Vec<_>>()
        });
        FrontGroup {
            name: names::front_group(&work.settings.cluster, &self.group.id),
            tags: self.tags_of(work, "ManagedLBSecurityGroup"),
            ingress: ingress.collect(),
        }
    }
}

/// Returns what lets a range of addresses in to a port.
fn permission(port: u16, range: &str) -> Value {
    let port = port.to_string();
    let mut permission = json!({ "FromPort": port, "IpProtocol": "tcp", "ToPort": port });
    if range.contains(':') {
        permission["Ipv6Ranges"] = json!([{ "CidrIpv6": range, "Description": "" }]);
    } else {
        permission["IpRanges"] = json!([{ "CidrIp": range, "Description": "" }]);
    }
    permission
}

/// Returns the one value that members of a group say of something, or `None` if none does.
fn agreed(group: &Group, what: &str, said: impl Fn(&Member) -> Option<String>) -> Done<Option<String>> {
    let mut all: Vec<String> = group.members.iter().filter_map(said).collect();
    all.sort();
    all.dedup();
    if all.len() > 1 {
        return Err(Trouble::other(format!("conflicting {what}: [{}]", all.join(" "))));
    }
    Ok(all.pop())
}
