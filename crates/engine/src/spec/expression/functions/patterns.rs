//! Functions on patterns in text: regular expressions in time that is linear in the text.

use regex::{Captures, Regex, RegexBuilder};

use super::argument::{ArgumentError, check_size, text_argument};
use super::{Body, Function, FunctionGroup};
use crate::value::{Value, ValueMap};

/// How large a regular expression may become once it is compiled, in bytes.
const LARGEST_PROGRAM: usize = 1024 * 1024;

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Patterns in text",
    functions: &[
        Function::new(
            "regex(pattern, text)",
            (2, 2),
            Body::Whole(regex),
            "The first match of a regular expression: its text; with groups, the list of what they matched; \
             with named groups, a table. No match is an error, see `can` and `try`.",
            ("regex('(?P<zone>[a-z]+)-([0-9])', 'eu-west-1').zone", "'west'"),
        ),
        Function::new(
            "regexall(pattern, text)",
            (2, 2),
            Body::Whole(regexall),
            "All matches of a regular expression, each as `regex` returns it.",
            ("regexall('[0-9]+', '10.0.16')", "['10', '0', '16']"),
        ),
        Function::new(
            "replace(text, part, replacement)",
            (3, 3),
            Body::Whole(replace),
            "The text with every occurrence of the part replaced. A part between slashes, as in `/[0-9]+/`, is a \
             regular expression, and `$1` in the replacement is what its first group matched.",
            ("replace('10.0.0.0/16', '.', '-')", "'10-0-0-0/16'"),
        ),
    ],
};

fn regex(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let pattern = compile(0, text_argument(arguments, 0)?)?;
    let found = pattern.captures(text_argument(arguments, 1)?);
    let found = found.ok_or_else(|| ArgumentError::new(1, "the text does not match"))?;
    Ok(matched(&pattern, &found))
}

fn regexall(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let pattern = compile(0, text_argument(arguments, 0)?)?;
    let text = text_argument(arguments, 1)?;
    let each = pattern.captures_len().saturating_mul(size_of::<Value>());
    let mut all = Vec::new();
    for found in pattern.captures_iter(text) {
        check_size(all.len().saturating_mul(each))?;
        all.push(matched(&pattern, &found));
    }
    Ok(Value::List(all))
}

fn replace(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let (text, part, replacement) =
        (text_argument(arguments, 0)?, text_argument(arguments, 1)?, text_argument(arguments, 2)?);
    if part.is_empty() {
        return Err(ArgumentError::new(1, "the part to replace is empty"));
    }
    let pattern =
        part.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|inner| !inner.is_empty());
    let Some(pattern) = pattern else {
        check_size(text.matches(part).count().saturating_mul(replacement.len()))?;
        return Ok(Value::from(text.replace(part, replacement)));
    };
    let pattern = compile(1, pattern)?;
    let mut replaced = String::new();
    let mut end = 0;
    for found in pattern.captures_iter(text) {
        let whole = found.get_match();
        replaced.push_str(&text[end..whole.start()]);
        found.expand(replacement, &mut replaced);
        check_size(replaced.len())?;
        end = whole.end();
    }
    replaced.push_str(&text[end..]);
    Ok(Value::String(replaced))
}

fn compile(argument: usize, pattern: &str) -> Result<Regex, ArgumentError> {
    RegexBuilder::new(pattern).size_limit(LARGEST_PROGRAM).dfa_size_limit(LARGEST_PROGRAM).build().map_err(
        |error| {
            let reason = if matches!(error, regex::Error::CompiledTooBig(_)) {
                "it is too large".to_owned()
            } else {
                // The last line of several says what is wrong, those before it draw where.
                error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            };
            ArgumentError::new(argument, format!("the regular expression cannot be used: {reason}"))
        },
    )
}

fn matched(pattern: &Regex, found: &Captures<'_>) -> Value {
    let text =
        |group: Option<regex::Match<'_>>| group.map_or(Value::Null, |group| Value::from(group.as_str()));
    if pattern.captures_len() == 1 {
        return text(found.get(0));
    }
    let named: ValueMap =
        pattern.capture_names().flatten().map(|name| (name.to_owned(), text(found.name(name)))).collect();
    if named.is_empty() { Value::List(found.iter().skip(1).map(text).collect()) } else { Value::Map(named) }
}
