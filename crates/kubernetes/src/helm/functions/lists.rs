//! Lists.

use std::rc::Rc;

use super::arguments::{cut, int, list, position, shown, text, texts, to_integer};
use super::{Function, Returned, takes, takes_from};
use crate::helm::template::{CallError, Executor, GoValue};

pub(super) const FUNCTIONS: &[Function] = &[
    takes_from(0, "list", |_, arguments| Ok(GoValue::list(arguments.to_vec()))),
    takes_from(0, "tuple", |_, arguments| Ok(GoValue::list(arguments.to_vec()))),
    takes(1, "first", first),
    takes(1, "mustFirst", first),
    takes(1, "last", last),
    takes(1, "mustLast", last),
    takes(1, "rest", rest),
    takes(1, "mustRest", rest),
    takes(1, "initial", initial),
    takes(1, "mustInitial", initial),
    takes(1, "reverse", reverse),
    takes(1, "mustReverse", reverse),
    takes(1, "uniq", uniq),
    takes(1, "mustUniq", uniq),
    takes(1, "compact", compact),
    takes(1, "mustCompact", compact),
    takes_from(1, "without", without),
    takes_from(1, "mustWithout", without),
    takes(2, "has", has),
    takes(2, "mustHas", has),
    takes(2, "append", append),
    takes(2, "push", append),
    takes(2, "mustAppend", append),
    takes(2, "mustPush", append),
    takes(2, "prepend", prepend),
    takes(2, "mustPrepend", prepend),
    takes_from(0, "concat", |_, arguments| {
        let mut all = Vec::new();
        for index in 0..arguments.len() {
            all.extend(list(arguments, index, "concat")?.iter().cloned());
        }
        Ok(GoValue::list(all))
    }),
    takes(2, "chunk", chunk),
    takes(2, "mustChunk", chunk),
    takes_from(1, "mustSlice", slice),
    takes(1, "sortAlpha", |_, arguments| {
        let mut sorted = texts(&arguments[0]);
        sorted.sort();
        Ok(GoValue::texts(sorted))
    }),
    takes(1, "toStrings", |_, arguments| Ok(GoValue::texts(texts(&arguments[0])))),
    takes(2, "join", |_, arguments| Ok(GoValue::text(texts(&arguments[1]).join(&*text(arguments, 0)?)))),
    takes(2, "splitList", |_, arguments| {
        let (separator, whole) = (text(arguments, 0)?, text(arguments, 1)?);
        Ok(GoValue::texts(split(&whole, &separator)))
    }),
    takes(2, "split", |_, arguments| {
        let (separator, whole) = (text(arguments, 0)?, text(arguments, 1)?);
        Ok(numbered(split(&whole, &separator)))
    }),
    takes(3, "splitn", |_, arguments| {
        let (separator, most, whole) = (text(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
        Ok(match position(most) {
            Some(most) => numbered(whole.splitn(most, &*separator).collect()),
            None => numbered(split(&whole, &separator)),
        })
    }),
    takes(2, "trunc", |_, arguments| {
        let (count, whole) = (int(arguments, 0)?, text(arguments, 1)?);
        let length = i64::try_from(whole.len()).unwrap_or(i64::MAX);
        Ok(match position(count) {
            Some(count) => cut(&whole, 0, count),
            None if length + count > 0 => cut(&whole, position(length + count).unwrap_or(0), whole.len()),
            None => GoValue::Text(whole),
        })
    }),
    takes(3, "substr", |_, arguments| {
        let whole = text(arguments, 2)?;
        let from = position(to_integer(&arguments[0])).unwrap_or(0);
        let to = position(to_integer(&arguments[1])).map_or(whole.len(), |to| to.min(whole.len()));
        if from > to {
            return Err(format!("runtime error: slice bounds out of range [{from}:{to}]").into());
        }
        Ok(cut(&whole, from, to))
    }),
];

/// Splits text; by nothing, it falls into its characters.
fn split<'a>(whole: &'a str, separator: &str) -> Vec<&'a str> {
    if separator.is_empty() {
        let mut ends = whole.char_indices().map(|(at, character)| &whole[at..at + character.len_utf8()]);
        return ends.by_ref().collect();
    }
    whole.split(separator).collect()
}

/// Returns a table with the keys `_0`, `_1` and so on.
fn numbered(parts: Vec<&str>) -> GoValue {
    let entries = parts.into_iter().enumerate();
    GoValue::table(entries.map(|(index, part)| (format!("_{index}"), GoValue::text(part))))
}

fn first(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    Ok(list(arguments, 0, "first")?.first().cloned().unwrap_or(GoValue::Nil))
}

fn last(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    Ok(list(arguments, 0, "last")?.last().cloned().unwrap_or(GoValue::Nil))
}

fn rest(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let items = list(arguments, 0, "rest")?;
    Ok(items.split_first().map_or(GoValue::list(Vec::new()), |(_, rest)| GoValue::list(rest.to_vec())))
}

fn initial(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let items = list(arguments, 0, "initial")?;
    Ok(items.split_last().map_or(GoValue::list(Vec::new()), |(_, initial)| GoValue::list(initial.to_vec())))
}

fn reverse(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    Ok(GoValue::list(list(arguments, 0, "reverse")?.iter().rev().cloned().collect()))
}

/// Returns the items that are not among others. A look-up by what is printed comes before the slow
/// comparison, so that long lists of texts take no square of time.
fn uniq(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let mut seen: std::collections::BTreeMap<Rc<str>, Vec<GoValue>> = std::collections::BTreeMap::new();
    let mut unique = Vec::new();
    for item in list(arguments, 0, "uniq")?.iter() {
        let alike = seen.entry(shown(item)).or_default();
        if !alike.iter().any(|other| other.is_deeply_equal(item)) {
            alike.push(item.clone());
            unique.push(item.clone());
        }
    }
    Ok(GoValue::list(unique))
}

fn compact(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let items = list(arguments, 0, "compact")?;
    Ok(GoValue::list(items.iter().filter(|item| item.is_true()).cloned().collect()))
}

fn without(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let items = list(arguments, 0, "without")?;
    let is_left = |item: &&GoValue| !arguments[1..].iter().any(|other| other.is_deeply_equal(item));
    Ok(GoValue::list(items.iter().filter(is_left).cloned().collect()))
}

fn has(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    if matches!(arguments[1], GoValue::Nil) {
        return Ok(GoValue::Bool(false));
    }
    let items = list(arguments, 1, "has")?;
    Ok(GoValue::Bool(items.iter().any(|item| item.is_deeply_equal(&arguments[0]))))
}

fn append(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let mut items = pushable(arguments, "push")?.to_vec();
    items.push(arguments[1].clone());
    Ok(GoValue::list(items))
}

fn prepend(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let mut items = vec![arguments[1].clone()];
    items.extend(pushable(arguments, "prepend")?.iter().cloned());
    Ok(GoValue::list(items))
}

fn pushable(arguments: &[GoValue], verb: &str) -> Result<Rc<Vec<GoValue>>, CallError> {
    match &arguments[0] {
        GoValue::List(items) => Ok(Rc::clone(items)),
        other => Err(format!("Cannot {verb} on type {}", other.kind()).into()),
    }
}

fn chunk(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let items = list(arguments, 1, "chunk")?;
    let size = position(int(arguments, 0)?).filter(|size| *size > 0);
    let size = size.ok_or_else(|| CallError::from("runtime error: integer divide by zero"))?;
    Ok(GoValue::list(items.chunks(size).map(|part| GoValue::list(part.to_vec())).collect()))
}

/// Returns a part of a list; ends may be left out.
fn slice(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let items = list(arguments, 0, "slice")?;
    let end = |index: usize, otherwise: usize| match arguments.get(index) {
        None => Some(otherwise),
        Some(number) => position(to_integer(number)),
    };
    let part = end(1, 0).zip(end(2, items.len())).and_then(|(from, to)| items.get(from..to));
    part.map(|part| GoValue::list(part.to_vec())).ok_or_else(|| {
        CallError::from(format!("runtime error: slice bounds out of range with length {}", items.len()))
    })
}
