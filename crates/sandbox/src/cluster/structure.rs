//! Works on values by their types: who owns what, what differs, what comes of a merge.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::schema::{ListForm, Type};

/// What differs between two values.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) added: Fields,
    pub(super) modified: Fields,
    pub(super) removed: Fields,
}

/// Returns the element of a path for an item of a list. A key that is left out has its default, which
/// only the protocol of a port has.
pub(super) fn item_element(form: &ListForm, item: &Value) -> String {
    let ListForm::Map(keys) = form else { return format!("v:{item}") };
    let mut sorted: Vec<_> = keys.iter().collect();
    sorted.sort();
    let keys = sorted.into_iter().filter_map(|key| {
        let value = item.get(key.as_str()).cloned().or_else(|| (key == "protocol").then(|| json!("TCP")))?;
        Some((key.clone(), value))
    });
    format!("k:{}", Value::Object(keys.collect()))
}

/// Returns what somebody owns who has set a value.
pub(super) fn owned(of: &Type, value: &Value) -> Fields {
    let mut fields = Fields::default();
    own(of, value, &mut fields);
    fields
}

fn own(of: &Type, value: &Value, fields: &mut Fields) {
    if of.is_whole() {
        fields.is_member = true;
        return;
    }
    match (of, value) {
        (Type::List { form, items, .. }, Value::Array(values)) => {
            for item in values {
                let below = fields.at(&item_element(form, item));
                own(items, item, below);
                below.is_member = true;
            }
        }
        (_, Value::Object(table)) => {
            for (name, value) in table {
                let Some((of, is_declared)) = of.field(name) else { continue };
                let below = fields.at(&format!("f:{name}"));
                own(&of, value, below);
                let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                below.is_member |= is_empty || !is_declared;
            }
            fields.below.retain(|_, below| !below.is_empty());
        }
        _ => fields.is_member = true,
    }
}

/// Returns what differs between two values of a type.
pub(super) fn compare(of: &Type, old: &Value, new: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    walk(
        of,
        Some(old),
        Some(new),
        &mut |path, change| {
            let fields = match change {
                Change::Added => &mut comparison.added,
                Change::Modified => &mut comparison.modified,
                Change::Removed => &mut comparison.removed,
            };
            path.iter().fold(fields, |fields, element| fields.at(element)).is_member = true;
        },
        &mut Vec::new(),
    );
    comparison
}

#[derive(Clone, Copy)]
enum Change {
    Added,
    Modified,
    Removed,
}

type Note<'a> = &'a mut dyn FnMut(&[String], Change);

fn walk(of: &Type, old: Option<&Value>, new: Option<&Value>, note: Note<'_>, path: &mut Vec<String>) {
    let is_bare = |value: Option<&Value>| match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(table)) => table.is_empty(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => false,
    };
    if old.is_none() && new.is_some_and(Value::is_null) {
        return;
    }
    let is_plain = |value: Option<&Value>| {
        !matches!(value, None | Some(Value::Null | Value::Array(_) | Value::Object(_)))
    };
    let is_leaf = of.is_whole()
        || (is_bare(old) && is_bare(new))
        || is_plain(old)
        || is_plain(new)
        || (matches!(of, Type::Any) && (old.or(new)).is_some_and(Value::is_array));
    if !is_leaf {
        for (element, of, old, new) in parts(of, old, new) {
            path.push(element);
            walk(&of, old, new, note, path);
            path.pop();
        }
    }
    match (old, new) {
        (None, Some(_)) => note(path, Change::Added),
        (Some(_), None) => note(path, Change::Removed),
        (Some(old), Some(new)) if is_leaf && old != new => note(path, Change::Modified),
        _ => {}
    }
}

type Part<'a> = (String, Type, Option<&'a Value>, Option<&'a Value>);

/// Returns the fields or items of two values beside each other.
fn parts<'a>(of: &Type, old: Option<&'a Value>, new: Option<&'a Value>) -> Vec<Part<'a>> {
    let mut parts: BTreeMap<String, (Type, [Option<&'a Value>; 2])> = BTreeMap::new();
    for (side, value) in [old, new].into_iter().enumerate() {
        match (of, value) {
            (Type::List { form, items, .. }, Some(Value::Array(values))) => {
                for item in values {
                    let part = parts.entry(item_element(form, item));
                    part.or_insert_with(|| ((**items).clone(), [None, None])).1[side] = Some(item);
                }
            }
            (_, Some(Value::Object(table))) => {
                for (name, value) in table {
                    let Some((of, _)) = of.field(name) else { continue };
                    parts.entry(format!("f:{name}")).or_insert_with(|| (of, [None, None])).1[side] =
                        Some(value);
                }
            }
            _ => {}
        }
    }
    parts.into_iter().map(|(element, (of, [old, new]))| (element, of, old, new)).collect()
}

/// Returns what comes of a value when somebody applies another one over it.
pub(super) fn merge(of: &Type, live: &Value, applied: &Value) -> Value {
    if of.is_whole() {
        return applied.clone();
    }
    match (of, live, applied) {
        (Type::List { form, items, .. }, Value::Array(live), Value::Array(applied)) => {
            merge_items(form, items, live, applied)
        }
        (Type::List { .. }, ..) => applied.clone(),
        (_, Value::Object(live), Value::Object(applied)) => {
            let mut merged = live.clone();
            for (name, value) in applied {
                let before = live.get(name);
                let value = match (of.field(name), before) {
                    (Some((of, _)), Some(before)) => merge(&of, before, value),
                    _ => value.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        _ => applied.clone(),
    }
}

/// Merges lists: what is applied comes in its own order, what is only there already keeps its place
/// among those.
fn merge_items(form: &ListForm, items: &Type, live: &[Value], applied: &[Value]) -> Value {
    let element = |item: &Value| item_element(form, item);
    let there: BTreeMap<_, _> = live.iter().map(|item| (element(item), item)).collect();
    let wanted: BTreeMap<_, _> = applied.iter().map(|item| (element(item), item)).collect();
    let merged = |item: &Value| match there.get(&element(item)) {
        Some(before) => merge(items, before, item),
        None => item.clone(),
    };
    let mut rest = applied.iter().peekable();
    let mut result = Vec::new();
    let mut done = std::collections::BTreeSet::new();
    for item in live {
        let name = element(item);
        if !wanted.contains_key(&name) {
            result.push(item.clone());
            continue;
        }
        while !done.contains(&name) {
            let Some(next) = rest.next() else { break };
            done.insert(element(next));
            result.push(merged(next));
        }
    }
    result.extend(rest.map(merged));
    Value::Array(result)
}

/// Takes fields out of a value.
pub(super) fn remove(of: &Type, value: &Value, fields: &Fields) -> Value {
    let gone = |element: &str| fields.below.get(element).is_some_and(|below| below.is_member);
    match (of, value) {
        (Type::List { form, items, .. }, Value::Array(values)) if !of.is_whole() => {
            let kept = values.iter().filter_map(|item| {
                let element = item_element(form, item);
                (!gone(&element)).then(|| match fields.below.get(&element) {
                    Some(below) => remove(items, item, below),
                    None => item.clone(),
                })
            });
            Value::Array(kept.collect())
        }
        (_, Value::Object(table)) if !of.is_whole() => {
            let kept = table.iter().filter_map(|(name, value)| {
                let element = format!("f:{name}");
                (!gone(&element)).then(|| {
                    let rest = match (of.field(name), fields.below.get(&element)) {
                        (Some((of, _)), Some(below)) => remove(&of, value, below),
                        _ => value.clone(),
                    };
                    (name.clone(), rest)
                })
            });
            Value::Object(kept.collect())
        }
        _ => value.clone(),
    }
}

/// Makes the declared fields members under which there are any: who owns the last field of a struct,
/// owns the struct.
pub(super) fn with_structs(of: &Type, fields: &Fields) -> Fields {
    let mut wider = Fields { is_member: fields.is_member, below: BTreeMap::new() };
    for (element, below) in &fields.below {
        let (part, is_declared) = match (of, element.strip_prefix("f:")) {
            (_, Some(name)) => of.field(name).unwrap_or((Type::Any, false)),
            (Type::List { items, .. }, None) => ((**items).clone(), false),
            (_, None) => (Type::Any, false),
        };
        let mut below = with_structs(&part, below);
        below.is_member |= is_declared && !below.below.is_empty();
        wider.below.insert(element.clone(), below);
    }
    wider
}

/// Says what a value has that its type does not, in the words in which an apply is refused.
pub(super) fn problems(of: &Type, value: &Value, path: &str, found: &mut Vec<String>) {
    let expected = |what: &str| format!("{path}: expected {what}, got {}", described(value, what));
    match (of, value) {
        (_, Value::Null)
        | (Type::Any | Type::Quantity | Type::Port, _)
        | (Type::Text | Type::Bytes | Type::Time | Type::MicroTime, Value::String(_))
        | (Type::Integer | Type::Number, Value::Number(_))
        | (Type::Flag, Value::Bool(_)) => {}
        (Type::Text | Type::Bytes | Type::Time | Type::MicroTime, _) => found.push(expected("string")),
        (Type::Integer | Type::Number, _) => found.push(expected("numeric (int or float)")),
        (Type::Flag, _) => found.push(expected("boolean")),
        (Type::List { form, items, .. }, Value::Array(values)) => {
            for (index, item) in values.iter().enumerate() {
                let element = match form {
                    ListForm::Atomic => format!("[{index}]"),
                    ListForm::Set | ListForm::Map(_) => super::fields::shown(&item_element(form, item)),
                };
                problems(items, item, &format!("{path}{element}"), found);
            }
        }
        (Type::List { .. }, _) => found.push(expected("list")),
        (Type::Map { items, .. }, Value::Object(table)) => {
            table.iter().for_each(|(name, value)| problems(items, value, &format!("{path}.{name}"), found));
        }
        (Type::Named { .. } | Type::Struct(_), Value::Object(table)) => {
            for (name, value) in table {
                match of.field(name) {
                    Some((of, _)) => problems(&of, value, &format!("{path}.{name}"), found),
                    None => found.push(format!("{path}.{name}: field not declared in schema")),
                }
            }
        }
        (Type::Map { .. } | Type::Named { .. } | Type::Struct(_), _) => found.push(expected("map")),
    }
}

fn described(value: &Value, expected: &str) -> String {
    match value {
        Value::String(_) if expected != "string" => "string".to_owned(),
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            format!("&value.valueUnstructured{{Value:{value}}}")
        }
    }
}

/// Takes out of a value the fields that its type does not have, and returns where they were.
pub(super) fn prune(of: &Type, value: &mut Value, path: &str) -> Vec<String> {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let mut unknown = Vec::new();
    match (of, value) {
        (Type::List { items, .. }, Value::Array(values)) => {
            for (index, item) in values.iter_mut().enumerate() {
                unknown.extend(prune(items, item, &format!("{path}[{index}]")));
            }
        }
        (Type::Map { .. } | Type::Named { .. } | Type::Struct(_), Value::Object(table)) => {
            let names: Vec<_> = table.keys().cloned().collect();
            for name in names {
                if let (Some((of, _)), Some(value)) = (of.field(&name), table.get_mut(&name)) {
                    unknown.extend(prune(&of, value, &join(&name)));
                } else {
                    table.shift_remove(&name);
                    unknown.push(join(&name));
                }
            }
        }
        _ => {}
    }
    unknown
}

/// Takes out what the server's own form of an object does not keep: nulls, and empty lists, maps and
/// texts that are nobody's.
pub(super) fn tidy(of: &Type, value: &mut Value) {
    match (of, value) {
        (Type::List { items, .. }, Value::Array(values)) => {
            for value in values {
                tidy(items, value);
            }
        }
        (Type::Named { .. }, Value::Object(table)) => {
            let names: Vec<_> = table.keys().cloned().collect();
            for name in names {
                let (Some((of, _)), Some(value)) = (of.field(&name), table.get_mut(&name)) else { continue };
                tidy(&of, value);
                let is_bare = match (&of, &*value) {
                    (_, Value::Null) => name != "eventTime",
                    (Type::Map { .. }, Value::Object(table)) => table.is_empty(),
                    (Type::List { .. }, Value::Array(items)) => items.is_empty(),
                    _ => false,
                };
                if is_bare {
                    table.shift_remove(&name);
                }
            }
        }
        _ => {}
    }
}
