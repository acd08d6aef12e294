//! Tags: given at birth.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::call::{Parameters, Refusal};

/// The tags of a thing.
pub(crate) type Tags = BTreeMap<String, String>;

/// How many tags a thing may have ("Tag your Amazon EC2 resources", EC2 user guide).
const MOST: usize = 50;

/// Returns the tags that a call gives to what it makes.
pub(crate) fn at_birth(parameters: &Parameters, resource_type: &str) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    for specification in parameters.tables("TagSpecification") {
        let wanted = specification.required("ResourceType")?;
        if wanted != resource_type {
            let message = format!("'{wanted}' is not a valid taggable resource type for this operation.");
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        add(&mut tags, &specification.tables("Tag"))?;
    }
    Ok(tags)
}

/// Adds tags, or sets them anew.
pub(crate) fn add(tags: &mut Tags, added: &[Parameters]) -> Result<(), Refusal> {
    for tag in added {
        let key = tag.required("Key")?;
        let value = tag.text("Value").unwrap_or_default();
        if key.starts_with("aws:") {
            let message = "Tag keys starting with 'aws:' are reserved for internal use";
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        if key.chars().count() > 127 || value.chars().count() > 255 {
            let message = "Tag keys have at most 127 characters, values at most 255";
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST {
        let message = format!("More than {MOST} tags specified.");
        return Err(Refusal::new("TagLimitExceeded", message));
    }
    Ok(())
}

/// Returns the tags as answers have them.
pub(crate) fn shown(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// Returns the values of a filter on tags: `tag:KEY` or `tag-key`; `None` if it is another filter.
pub(crate) fn filtered(tags: &Tags, filter: &str) -> Option<Vec<String>> {
    match filter.strip_prefix("tag:") {
        Some(key) => Some(tags.get(key).cloned().into_iter().collect()),
        None => (filter == "tag-key").then(|| tags.keys().cloned().collect()),
    }
}
