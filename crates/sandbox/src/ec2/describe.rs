//! Describing: by ids, by filters, page by page.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Returns the values that a filter compares; `None` if there is no such filter.
    pub(crate) filter: fn(&T, &str) -> Option<Vec<String>>,
    /// Returns a thing as the caller sees it.
    pub(crate) shown: &'a dyn Fn(&T) -> Value,
    /// The fewest and the most things that a page may be asked to have.
    pub(crate) page: (i64, i64),
}

/// Describes those of the things, by their ids, that the call asks for.
pub(crate) fn describe<T>(
    call: &Call,
    things: &BTreeMap<&str, &T>,
    description: &Description<'_, T>,
) -> Answer {
    let chosen = chosen(&call.parameters, things, description)?;
    let (page, next) = page(&call.parameters, &chosen, description.page)?;
    let shown: Vec<_> = page.iter().map(|(_, thing)| (description.shown)(thing)).collect();
    Ok(json!({ description.list: shown, "nextToken": next }))
}

/// Things with their ids.
type Chosen<'a, T> = Vec<(&'a str, &'a T)>;
/// Some of them, and the token of the next page.
type Page<'a, 'b, T> = (&'b [(&'a str, &'a T)], Option<String>);

fn chosen<'a, T>(
    parameters: &Parameters,
    things: &BTreeMap<&'a str, &'a T>,
    description: &Description<'_, T>,
) -> Result<Chosen<'a, T>, Refusal> {
    let ids: BTreeSet<_> = parameters.texts(description.ids).into_iter().collect();
    let missing: Vec<_> = ids.iter().copied().filter(|id| !things.contains_key(id)).collect();
    if let Some(first) = missing.first() {
        let message = if missing.len() == 1 {
            format!("The ID '{first}' does not exist")
        } else {
            format!("The IDs '{}' do not exist", missing.join(", "))
        };
        return Err(Refusal::new(description.not_found, message));
    }
    let filters = filters(parameters)?;
    let mut chosen = Vec::new();
    for (id, thing) in things {
        let asked_for = ids.is_empty() || ids.contains(id);
        if asked_for && matches(*thing, &filters, description.filter)? {
            chosen.push((*id, *thing));
        }
    }
    Ok(chosen)
}

struct Filter {
    name: String,
    patterns: Vec<String>,
}

/// How many values all filters of a call may have together (API reference, `Filter`).
const MOST_VALUES: usize = 200;

fn filters(parameters: &Parameters) -> Result<Vec<Filter>, Refusal> {
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
fn matches<T>(
    thing: &T,
    filters: &[Filter],
    values: fn(&T, &str) -> Option<Vec<String>>,
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
fn like(pattern: &str, text: &str) -> bool {
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

/// Returns one page and the token of the next. A token holds the id after which the page begins,
/// so that things which come and go in between neither repeat nor skip others.
fn page<'a, 'b, T>(
    parameters: &Parameters,
    chosen: &'b [(&'a str, &'a T)],
    limits: (i64, i64),
) -> Result<Page<'a, 'b, T>, Refusal> {
    let size = parameters.integer("MaxResults")?.unwrap_or(limits.1);
    if size < limits.0 || size > limits.1 {
        let message = format!(
            "Value ( {size} ) for parameter maxResults is invalid. Expecting a value between {} and {}.",
            limits.0, limits.1
        );
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let begin = match parameters.text("NextToken") {
        None => 0,
        Some(token) => {
            let id = BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|id| String::from_utf8(id).ok());
            let id = id.ok_or_else(|| Refusal::new("InvalidNextToken", "The token is not valid"))?;
            chosen.partition_point(|(other, _)| *other <= id.as_str())
        }
    };
    let rest = &chosen[begin..];
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if rest.len() <= size {
        return Ok((rest, None));
    }
    let (page, _) = rest.split_at(size);
    let last = page.last().map(|(id, _)| BASE64URL_NOPAD.encode(id.as_bytes()));
    Ok((page, last))
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
