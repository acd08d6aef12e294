//! Regular expressions. Go's and Rust's are nearly one language.

use regex::{NoExpand, Regex};

use super::arguments::{int, position, text};
use super::{Function, Returned, takes};
use crate::helm::template::{CallError, Executor, GoValue};

pub(super) const FUNCTIONS: &[Function] = &[
    // A pattern that is none finds nothing.
    takes(2, "regexMatch", |executor, arguments| {
        let text = text(arguments, 0).and_then(|_| text(arguments, 1))?;
        Ok(is_match(executor, &[arguments[0].clone(), GoValue::Text(text)]).unwrap_or(GoValue::Bool(false)))
    }),
    takes(2, "mustRegexMatch", is_match),
    takes(2, "regexFind", find),
    takes(2, "mustRegexFind", find),
    takes(3, "regexFindAll", find_all),
    takes(3, "mustRegexFindAll", find_all),
    takes(3, "regexReplaceAll", replace),
    takes(3, "mustRegexReplaceAll", replace),
    takes(3, "regexReplaceAllLiteral", replace_literal),
    takes(3, "mustRegexReplaceAllLiteral", replace_literal),
    takes(3, "regexSplit", split),
    takes(3, "mustRegexSplit", split),
    takes(1, "regexQuoteMeta", |_, arguments| Ok(GoValue::text(quote(&text(arguments, 0)?)))),
];

fn pattern(arguments: &[GoValue]) -> Result<Regex, CallError> {
    let pattern = text(arguments, 0)?;
    Regex::new(&pattern).map_err(|error| {
        let problem = error.to_string();
        let last = problem.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let last = match last {
            "unclosed group" => format!("missing closing ): `{pattern}`"),
            "unclosed character class" => format!("missing closing ]: `{pattern}`"),
            other => other.to_owned(),
        };
        format!("regexp: Compile(`{pattern}`): error parsing regexp: {last}").into()
    })
}

fn is_match(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    Ok(GoValue::Bool(pattern(arguments)?.is_match(&text(arguments, 1)?)))
}

fn find(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let whole = text(arguments, 1)?;
    Ok(GoValue::text(pattern(arguments)?.find(&whole).map_or("", |found| found.as_str())))
}

fn find_all(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let whole = text(arguments, 1)?;
    let most = position(int(arguments, 2)?).unwrap_or(usize::MAX);
    let pattern = pattern(arguments)?;
    Ok(GoValue::texts(pattern.find_iter(&whole).take(most).map(|found| found.as_str())))
}

fn replace(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let (whole, replacement) = (text(arguments, 1)?, text(arguments, 2)?);
    Ok(GoValue::text(pattern(arguments)?.replace_all(&whole, &*replacement)))
}

fn replace_literal(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let (whole, replacement) = (text(arguments, 1)?, text(arguments, 2)?);
    Ok(GoValue::text(pattern(arguments)?.replace_all(&whole, NoExpand(&replacement))))
}

fn split(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let whole = text(arguments, 1)?;
    let pattern = pattern(arguments)?;
    let most = int(arguments, 2)?;
    Ok(GoValue::texts(match position(most) {
        Some(0) => Vec::new(),
        Some(most) => pattern.splitn(&whole, most).collect(),
        None => pattern.split(&whole).collect(),
    }))
}

/// Escapes what means something in Go's expressions, which is less than in Rust's.
fn quote(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}
