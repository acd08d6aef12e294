//! Tags of any service: what was found, and what is still to be changed.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::resource::OPERATION_TAG;
use straddle_engine::schema::Tags;

/// A change of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TagStep {
    /// Sets these tags.
    Set(BTreeMap<String, String>),
    /// Takes away the tags with these keys.
    Remove(BTreeSet<String>),
}

/// Returns the tags that were found, as pairs of key and value. Those of AWS's own are left out:
/// nobody else can change them.
pub(crate) fn observed<'a>(tags: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Tags {
    let ours = tags.filter_map(|(key, value)| {
        let key = key.filter(|key| !key.starts_with("aws:"))?;
        Some((key.to_owned(), value.unwrap_or_default().to_owned()))
    });
    Tags(ours.collect())
}

/// Names the call that brings the tags closer to the desired ones. The operation's tag stays as
/// it was at birth.
pub(crate) fn next_step(observed: Option<&Tags>, desired: Option<&Tags>) -> Option<TagStep> {
    let desired = &desired?.0;
    let nothing = Tags::default();
    let observed = &observed.unwrap_or(&nothing).0;
    let wrong =
        desired.iter().filter(|(key, value)| *key != OPERATION_TAG && observed.get(*key) != Some(value));
    let wrong: BTreeMap<_, _> = wrong.map(|(key, value)| (key.clone(), value.clone())).collect();
    if !wrong.is_empty() {
        return Some(TagStep::Set(wrong));
    }
    let surplus = observed.keys().filter(|key| *key != OPERATION_TAG && !desired.contains_key(*key));
    let surplus: BTreeSet<_> = surplus.cloned().collect();
    (!surplus.is_empty()).then_some(TagStep::Remove(surplus))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags<const N: usize>(tags: [(&str, &str); N]) -> Tags {
        Tags(tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
    }

    #[test]
    fn wrong_tags_are_set_before_surplus_ones_go() {
        let desired = tags([("Name", "new"), ("team", "net")]);
        let observed = tags([("Name", "old"), ("team", "net"), ("gone", "x"), (OPERATION_TAG, "1")]);
        let set = TagStep::Set(tags([("Name", "new")]).0);
        assert_eq!(next_step(Some(&observed), Some(&desired)), Some(set));
        let observed = tags([("Name", "new"), ("team", "net"), ("gone", "x"), (OPERATION_TAG, "1")]);
        let remove = TagStep::Remove(BTreeSet::from(["gone".to_owned()]));
        assert_eq!(next_step(Some(&observed), Some(&desired)), Some(remove));
        assert_eq!(next_step(Some(&desired), Some(&desired)), None);
        assert_eq!(next_step(Some(&observed), None), None);
    }

    #[test]
    fn tags_of_aws_are_not_observed() {
        let found = [(Some("aws:cloudformation:stack-name"), Some("x")), (Some("empty"), None), (None, None)];
        assert_eq!(self::observed(found.into_iter()), tags([("empty", "")]));
    }
}
