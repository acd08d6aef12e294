//! Tags of shares.

use std::collections::BTreeMap;

use serde_json::json;

use super::{SHARE, invalid, required};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::tagged::Tagged;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("TagResource", &["resourceShareArn", "tags"], tag).on(SHARE),
    Operation::new("UntagResource", &["resourceShareArn", "tagKeys"], untag).on(SHARE),
];

/// Returns the caller's shares with their tags.
pub(crate) fn tagged(world: &mut World, call: &Call) -> Vec<Tagged> {
    let shares = world.shares(&call.region).by_arn.values();
    let own = shares.filter(|share| share.owner == call.caller.account && share.deleted_at.is_none());
    own.map(|share| Tagged { arn: share.arn.clone(), tags: share.tags.clone() }).collect()
}

/// How many tags a share may have ("Tagging your AWS resources").
const MOST: usize = 50;

fn tag(world: &mut World, call: &Call) -> Answer {
    let now = world.now();
    let share = world.shares(&call.region).own(call, required(call, "resourceShareArn")?, now)?;
    let mut tags = share.tags.clone();
    add(&mut tags, &call.parameters.tables("tags"))?;
    share.tags = tags;
    Ok(json!({}))
}

fn untag(world: &mut World, call: &Call) -> Answer {
    let now = world.now();
    let share = world.shares(&call.region).own(call, required(call, "resourceShareArn")?, now)?;
    for key in call.parameters.texts("tagKeys") {
        share.tags.remove(key);
    }
    Ok(json!({}))
}

/// Adds tags, or sets them anew.
pub(super) fn add(tags: &mut BTreeMap<String, String>, added: &[Parameters]) -> Result<(), Refusal> {
    for tag in added {
        let key = tag.text("key").filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| invalid("The key of a tag is missing."))?;
        let value = tag.text("value").unwrap_or_default();
        if key.starts_with("aws:") {
            let message = "The specified tag key is a reserved word and can't be used.";
            return Err(Refusal::new("TagPolicyViolationException", message));
        }
        if key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid("Tag keys have at most 128 characters, values at most 256."));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST {
        let message = format!("A resource share has at most {MOST} tags.");
        return Err(Refusal::new("TagLimitExceededException", message));
    }
    Ok(())
}
