//! Describing: by ids, by filters, page by page.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeBounds};

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::call::{Answer, Call, Parameters, Refusal};

/// How things of a kind are described.
pub(crate) struct Description<'a, T> {
    /// The name of the list in the answer, such as `vpcSet`.
    pub(crate) list: &'a str,
    /// The parameter that takes ids, such as `VpcId`.
    pub(crate) ids: &'a str,
    /// The code for an id that does not exist, such as `InvalidVpcID.NotFound`.
    pub(crate) not_found: &'a str,
    /// Tells whether the caller sees a thing.
    pub(crate) visible: &'a dyn Fn(&T) -> bool,
    /// Returns the values that a filter compares; `None` if there is no such filter.
    pub(crate) filter: &'a dyn Fn(&T, &str) -> Option<Vec<String>>,
    /// Returns a thing as the caller sees it.
    pub(crate) shown: &'a dyn Fn(&T) -> Value,
    /// The fewest and the most things that a page may be asked to have.
    pub(crate) page: (i64, i64),
}

/// Describes those of the things, by their ids, that the call asks for.
///
/// Things that are asked for by id are looked up, and a page ends the search: the work grows with
/// what is answered and what is filtered out, not with what there is.
pub(crate) fn describe<T>(
    call: &Call,
    things: &BTreeMap<String, T>,
    description: &Description<'_, T>,
) -> Answer {
    describe_among(call, things, None, description)
}

/// Does as [`describe`]; of the things that are not asked for by id, only those with the ids
/// `among` are looked at. They are found by an index, and include all that the filters match.
pub(crate) fn describe_among<T>(
    call: &Call,
    things: &BTreeMap<String, T>,
    among: Option<BTreeSet<String>>,
    description: &Description<'_, T>,
) -> Answer {
    let filters = filters(&call.parameters)?;
    let (after, size) = page(&call.parameters, description.page)?;
    let after = after.map_or(Bound::Unbounded, Bound::Excluded);
    let candidates: Candidates<'_, T> = match (named(&call.parameters, things, description)?, among) {
        (Some(named), _) => Box::new(named.into_iter()),
        (None, Some(among)) => {
            let found: Vec<_> = among.iter().filter_map(|id| things.get_key_value(id)).collect();
            Box::new(found.into_iter())
        }
        (None, None) => Box::new(things.range((after.clone(), Bound::Unbounded))),
    };
    let (mut shown, mut last, mut next) = (Vec::new(), None, None);
    for (id, thing) in candidates.filter(|(id, _)| (after.clone(), Bound::Unbounded).contains(*id)) {
        if !call.hidden.contains(id)
            && (description.visible)(thing)
            && matches(thing, &filters, description.filter)?
        {
            if shown.len() == size {
                next = last.map(|id: &String| BASE64URL_NOPAD.encode(id.as_bytes()));
                break;
            }
            shown.push((description.shown)(thing));
            last = Some(id);
        }
    }
    Ok(json!({ description.list: shown, "nextToken": next }))
}

/// Things with their ids, in the order of these.
type Candidates<'a, T> = Box<dyn Iterator<Item = (&'a String, &'a T)> + 'a>;

/// Returns the things that the call names, if it does.
fn named<'a, T>(
    parameters: &Parameters,
    things: &'a BTreeMap<String, T>,
    description: &Description<'_, T>,
) -> Result<Option<Vec<(&'a String, &'a T)>>, Refusal> {
    let ids: BTreeSet<_> = parameters.texts(description.ids).into_iter().collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let found: Vec<_> = ids.iter().filter_map(|id| things.get_key_value(*id)).collect();
    let found: Vec<_> = found.into_iter().filter(|(_, thing)| (description.visible)(thing)).collect();
    let seen: BTreeSet<_> = found.iter().map(|(id, _)| id.as_str()).collect();
    let missing: Vec<_> = ids.difference(&seen).copied().collect();
    match missing.as_slice() {
        [] => Ok(Some(found)),
        [one] => Err(Refusal::new(description.not_found, format!("The ID '{one}' does not exist"))),
        several => {
            let message = format!("The IDs '{}' do not exist", several.join(", "));
            Err(Refusal::new(description.not_found, message))
        }
    }
}

/// Returns the values that a filter compares, as texts.
pub(crate) fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

/// Returns the values that a filter is compared with, if the call has it and none is a pattern.
pub(crate) fn exact(parameters: &Parameters, name: &str) -> Option<Vec<String>> {
    let filters = parameters.tables("Filter");
    let filter = filters.iter().find(|filter| filter.text("Name") == Some(name))?;
    let values = texts(filter.texts("Value"));
    values.iter().all(|value| !value.contains(['*', '?', '\\'])).then_some(values)
}

pub(super) struct Filter {
    name: String,
    patterns: Vec<String>,
}

/// How many values all filters of a call may have together (API reference, `Filter`).
const MOST_VALUES: usize = 200;

pub(super) fn filters(parameters: &Parameters) -> Result<Vec<Filter>, Refusal> {
    let mut filters = Vec::new();
    for filter in parameters.tables("Filter") {
        let name = filter.required("Name")?.to_owned();
        let patterns: Vec<_> = filter.texts("Value").into_iter().map(str::to_owned).collect();
        if patterns.is_empty() {
            let message = format!("The filter '{name}' needs at least one value");
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        filters.push(Filter { name, patterns });
    }
    if filters.iter().map(|filter| filter.patterns.len()).sum::<usize>() > MOST_VALUES {
        let message =
            format!("The maximum number of filter values specified on a single call is {MOST_VALUES}");
        return Err(Refusal::new("FilterLimitExceeded", message));
    }
    Ok(filters)
}

/// Every filter has to match, each with any of its patterns.
pub(super) fn matches<T>(
    thing: &T,
    filters: &[Filter],
    values: &dyn Fn(&T, &str) -> Option<Vec<String>>,
) -> Result<bool, Refusal> {
    for filter in filters {
        let Some(values) = values(thing, &filter.name) else {
            let message = format!("The filter '{}' is invalid", filter.name);
            return Err(Refusal::new("InvalidParameterValue", message));
        };
        let any = filter.patterns.iter().any(|pattern| values.iter().any(|value| like(pattern, value)));
        if !any {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compares with a pattern in which `*` stands for any text and `?` for any character; a
/// backslash makes them plain ("List and filter your resources", EC2 user guide).
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut position, mut star) = (0, 0, None);
    while position < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, position));
                at += 1;
            }
            Some('\\') if pattern.get(at + 1) == text.get(position) => {
                (at, position) = (at + 2, position + 1);
            }
            Some(character) if *character == '?' || *character == text[position] => {
                (at, position) = (at + 1, position + 1);
            }
            _ => {
                // Lets the last star take one character more.
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, position) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

/// Returns the id after which the page begins and how many things it may have. A token holds the
/// id, so that things which come and go in between neither repeat nor skip others.
fn page(parameters: &Parameters, (least, most): (i64, i64)) -> Result<(Option<String>, usize), Refusal> {
    let size = parameters.integer("MaxResults")?.unwrap_or(most);
    if size < least || size > most {
        let message = format!(
            "Value ( {size} ) for parameter maxResults is invalid. Expecting a value between {least} and {most}."
        );
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let after = match parameters.text("NextToken") {
        None => None,
        Some(token) => {
            let id = BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|id| String::from_utf8(id).ok());
            Some(id.ok_or_else(|| Refusal::new("InvalidNextToken", "The token is not valid"))?)
        }
    };
    Ok((after, usize::try_from(size).unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_those_of_ec2() {
        for (pattern, text) in [("*", ""), ("a*c", "abbc"), ("a?c", "abc"), ("*b*", "abc"), (r"\*x", "*x")] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a?c", "ac"), (r"\*x", "yx"), ("", "a"), ("a*b", "abc")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }
}
