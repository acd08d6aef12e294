//! Tags of load balancers, target groups, listeners and rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::arn::{self, Kind, with_prefix};
use super::{Balancing, invalid};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::ec2::tags::Tags;
use crate::tagged::Tagged;
use crate::validation::required;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("AddTags", &["ResourceArns", "Tags"], add_tags),
    Operation::new("RemoveTags", &["ResourceArns", "TagKeys"], remove_tags),
    Operation::new("DescribeTags", &["ResourceArns"], describe_tags),
];

/// How many tags a thing may have ("Quotas for your Application Load Balancers").
const MOST: usize = 50;
/// "You can specify up to 20 resources in a single call" (API reference, `DescribeTags`).
const MOST_RESOURCES: usize = 20;

impl Balancing {
    /// Returns the tags of a thing, whoever calls.
    pub(super) fn tags_of(&self, arn: &str) -> Option<&Tags> {
        match arn::kind(arn)? {
            Kind::Balancer => self.balancers.get(arn).map(|thing| &thing.tags),
            Kind::TargetGroup => self.target_groups.get(arn).map(|thing| &thing.tags),
            Kind::Listener => self.listeners.get(arn).map(|thing| &thing.tags),
            Kind::Rule => self.rules.get(arn).map(|thing| &thing.tags),
        }
    }

    fn tags_mut(&mut self, arn: &str) -> Option<&mut Tags> {
        match arn::kind(arn)? {
            Kind::Balancer => self.balancers.get_mut(arn).map(|thing| &mut thing.tags),
            Kind::TargetGroup => self.target_groups.get_mut(arn).map(|thing| &mut thing.tags),
            Kind::Listener => self.listeners.get_mut(arn).map(|thing| &mut thing.tags),
            Kind::Rule => self.rules.get_mut(arn).map(|thing| &mut thing.tags),
        }
    }

    /// Returns the ARNs of the caller's things of a kind.
    fn arns(&self, call: &Call, kind: Kind) -> Box<dyn Iterator<Item = &String> + '_> {
        let prefix = arn::of_account(call, kind);
        match kind {
            Kind::Balancer => Box::new(with_prefix(&self.balancers, prefix).map(|thing| &thing.arn)),
            Kind::TargetGroup => Box::new(with_prefix(&self.target_groups, prefix).map(|thing| &thing.arn)),
            Kind::Listener => Box::new(with_prefix(&self.listeners, prefix).map(|thing| &thing.arn)),
            Kind::Rule => Box::new(with_prefix(&self.rules, prefix).map(|thing| &thing.arn)),
        }
    }

    /// Returns the tags of a thing of the caller's.
    fn own_tags(&self, call: &Call, arn: &str) -> Result<&Tags, Refusal> {
        let kind = arn::kind(arn).ok_or_else(|| invalid(format!("'{arn}' is not a valid ARN")))?;
        let tags = self.tags_of(arn).filter(|_| arn.starts_with(&arn::of_account(call, kind)));
        tags.ok_or_else(|| kind.not_found(arn))
    }
}

/// Returns what the caller has, with its tags.
pub(crate) fn tagged(world: &mut World, call: &Call) -> Vec<Tagged> {
    let (balancing, _) = world.balancing(&call.region);
    let arns = Kind::ALL.into_iter().flat_map(|kind| balancing.arns(call, kind));
    let thing = |arn: &String| Some(Tagged { arn: arn.clone(), tags: balancing.tags_of(arn)?.clone() });
    arns.filter_map(thing).collect()
}

/// Returns the tags that a call gives to what it makes.
pub(super) fn at_birth(parameters: &Parameters) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    add(&mut tags, &parameters.tables("Tags"))?;
    Ok(tags)
}

fn add(tags: &mut Tags, added: &[Parameters]) -> Result<(), Refusal> {
    let mut keys = BTreeSet::new();
    for tag in added {
        let (key, value) = (required(tag, "Key")?, tag.text("Value").unwrap_or_default());
        crate::validation::length("Key", key, 1, 128)?;
        crate::validation::length("Value", value, 0, 256)?;
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid(format!("The tag key '{key}' begins with 'aws:', which is reserved")));
        }
        if !keys.insert(key) {
            let message = format!("Tag key '{key}' was specified more than once");
            return Err(Refusal::new("DuplicateTagKeys", message));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST {
        let message = format!("A resource cannot have more than '{MOST}' tags");
        return Err(Refusal::new("TooManyTags", message));
    }
    Ok(())
}

/// Returns the things that a call names.
fn named(call: &Call) -> Result<Vec<&str>, Refusal> {
    let arns = call.parameters.texts("ResourceArns");
    if arns.is_empty() {
        required(&call.parameters, "ResourceArns")?;
    }
    if arns.len() > MOST_RESOURCES {
        return Err(invalid(format!("Up to {MOST_RESOURCES} resources can be described at a time")));
    }
    Ok(arns)
}

/// Changes the tags of all things that a call names, or of none.
fn change(
    world: &mut World,
    call: &Call,
    change: impl Fn(&mut Tags) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let (balancing, _) = world.balancing(&call.region);
    let mut changed = Vec::new();
    for arn in named(call)? {
        let mut tags = balancing.own_tags(call, arn)?.clone();
        change(&mut tags)?;
        changed.push((arn, tags));
    }
    for (arn, tags) in changed {
        if let Some(own) = balancing.tags_mut(arn) {
            *own = tags;
        }
    }
    Ok(())
}

fn add_tags(world: &mut World, call: &Call) -> Answer {
    let added = call.parameters.tables("Tags");
    if added.is_empty() {
        return Err(invalid("At least one tag must be specified"));
    }
    change(world, call, |tags| add(tags, &added))?;
    Ok(json!({}))
}

fn remove_tags(world: &mut World, call: &Call) -> Answer {
    let keys = call.parameters.texts("TagKeys");
    if keys.is_empty() {
        return Err(invalid("At least one tag key must be specified"));
    }
    change(world, call, |tags| {
        tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(())
    })?;
    Ok(json!({}))
}

fn describe_tags(world: &mut World, call: &Call) -> Answer {
    let (balancing, _) = world.balancing(&call.region);
    let mut described = Vec::new();
    for arn in named(call)? {
        let tags = balancing.own_tags(call, arn)?;
        let tags: Value = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        described.push(json!({ "ResourceArn": arn, "Tags": tags }));
    }
    Ok(json!({ "TagDescriptions": described }))
}
