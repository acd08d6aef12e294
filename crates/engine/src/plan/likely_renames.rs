//! Things that seem to have got another name in the spec: one goes and one comes that is just
//! like it.

use std::collections::BTreeMap;

use crate::plan::{Change, ChangeAction, Plan, Reason, Rename};
use crate::value::{Value, ValueMap};

/// What two things have in common of which one seems to be the other under a new name.
type Looks<'a> = (&'a str, &'a str, String);

/// Returns the pairs of a plan in which one thing is deleted since the spec no longer has it, and
/// one is made with the same attributes in the same account. What several share says nothing.
/// Tags do not count, since they often have a name in them; nor do the parts of a block, which
/// move with it.
#[must_use]
pub fn likely_renames(plan: &Plan) -> Vec<Rename> {
    let mut pairs = BTreeMap::<Looks<'_>, (Vec<&Change>, Vec<&Change>)>::new();
    for change in plan.changes.iter().filter(|change| change.address.child_name().is_none()) {
        let is_made = match (change.action, change.reasons.first()) {
            (ChangeAction::Delete, Some(Reason::NotInSpec)) => false,
            (ChangeAction::Create, Some(Reason::New)) => true,
            _ => continue,
        };
        let Some(looks) = looks(change, is_made) else { continue };
        let (deleted, made) = pairs.entry(looks).or_default();
        if is_made { made.push(change) } else { deleted.push(change) }
    }
    let rename = |(deleted, made): (Vec<&Change>, Vec<&Change>)| match (&*deleted, &*made) {
        ([from], [to]) => Some(Rename { from: from.address.clone(), to: to.address.clone() }),
        _ => None,
    };
    pairs.into_values().filter_map(rename).collect()
}

/// Returns what a thing looks like; `None` if that is not known, or nothing.
fn looks(change: &Change, is_made: bool) -> Option<Looks<'_>> {
    let value = |made: &'_ Value, before: &'_ Value| if is_made { made.clone() } else { before.clone() };
    let attributes = change.attributes.iter().filter(|attribute| attribute.name != "tags");
    let values: ValueMap = attributes
        .map(|attribute| (attribute.name.clone(), value(&attribute.after, &attribute.before)))
        .filter(|(_, value)| !value.is_null())
        .collect();
    let is_told = !values.is_empty() && values.values().all(Value::is_known);
    is_told.then(|| (change.account_id.as_str(), change.kind.as_str(), format!("{values:?}")))
}
