//! Tables with attributes of their own: each member belongs to whoever set it, as each attribute does.

use std::collections::BTreeSet;

use crate::erased::AnyResource;
use crate::resource::OPERATION_TAG;
use crate::schema::{AttributeSchema, AttributeType};
use crate::value::{Value, ValueMap};

/// Returns what is there of an attribute: of tags and of tables with attributes, the members that one
/// of `owners` has, and of what cannot be told from a read, what was applied.
pub(crate) fn owned(
    attribute: &AttributeSchema,
    found: Option<&Value>,
    owners: &[&Value],
    applied: Option<&Value>,
) -> Option<Value> {
    if attribute.is_told_by_the_state() {
        return applied.cloned();
    }
    Some(match (&attribute.attribute_type, found?) {
        (AttributeType::Tags, Value::Map(tags)) => {
            Value::Map(owned_tags(tags.clone(), owners.iter().copied()))
        }
        (AttributeType::Object(attributes), Value::Map(found)) => {
            let member = |attribute: &AttributeSchema| {
                let name = attribute.name;
                let owners: Vec<_> = owners.iter().filter_map(|owner| owner.as_map()?.get(name)).collect();
                let applied = applied.and_then(|applied| applied.as_map()?.get(name));
                let owned = owned(attribute, found.get(name), &owners, applied)?;
                (!owners.is_empty()).then(|| (name.to_owned(), owned))
            };
            Value::Map(attributes.iter().filter_map(member).collect())
        }
        (_, found) => found.clone(),
    })
}

/// Returns the tags whose keys one of `owners` has.
pub(crate) fn owned_tags<'v>(tags: ValueMap, owners: impl Iterator<Item = &'v Value>) -> ValueMap {
    let keys: BTreeSet<&String> = owners.filter_map(Value::as_map).flat_map(ValueMap::keys).collect();
    let ours = |key: &String| keys.contains(key) && key != OPERATION_TAG;
    tags.into_iter().filter(|(key, _)| ours(key)).collect()
}

/// Returns what an attribute goes back to when the spec gives it up; `None` if it stays.
pub(crate) fn given_up(attribute: &AttributeSchema, applied: &Value) -> Option<Value> {
    match &attribute.attribute_type {
        AttributeType::Tags => Some(Value::Map(ValueMap::new())),
        AttributeType::Object(attributes) if attribute.default.is_none() => {
            let mut members = ValueMap::new();
            add_given_up(attributes, &mut members, applied.as_map()?);
            (!members.is_empty()).then_some(Value::Map(members))
        }
        AttributeType::Bool
        | AttributeType::Integer
        | AttributeType::String
        | AttributeType::Any
        | AttributeType::Policy
        | AttributeType::Document
        | AttributeType::List(_)
        | AttributeType::Set(_)
        | AttributeType::Map(_)
        | AttributeType::Object(_) => attribute.default.clone(),
    }
}

/// Adds to a wanted value what the members of its tables go back to that the spec gives up.
pub(crate) fn with_given_up(attribute_type: &AttributeType, wanted: &mut Value, applied: &Value) {
    if let (AttributeType::Object(attributes), Value::Map(wanted), Value::Map(applied)) =
        (attribute_type, wanted, applied)
    {
        add_given_up(attributes, wanted, applied);
    }
}

fn add_given_up(attributes: &[AttributeSchema], wanted: &mut ValueMap, applied: &ValueMap) {
    // What is always wanted is there with its table, and goes with it.
    for attribute in attributes.iter().filter(|attribute| !attribute.always) {
        let Some(applied) = applied.get(attribute.name) else { continue };
        match wanted.get_mut(attribute.name) {
            Some(wanted) => with_given_up(&attribute.attribute_type, wanted, applied),
            None => {
                wanted.extend(given_up(attribute, applied).map(|value| (attribute.name.to_owned(), value)));
            }
        }
    }
}

/// Adds the defaults that are wanted also where the spec says nothing: to the attributes, and to every
/// table with attributes in them that is there.
pub(crate) fn add_defaults(attributes: &[AttributeSchema], values: &mut ValueMap) {
    for attribute in attributes {
        let name = attribute.name;
        if let Some(default) = attribute.default.as_ref().filter(|_| attribute.always) {
            let value = values.entry(name.to_owned()).or_insert(Value::Null);
            if value.is_null() {
                *value = default.clone();
            }
        }
        if let Some(value) = values.get_mut(name) {
            add_defaults_inside(&attribute.attribute_type, value);
        }
    }
}

fn add_defaults_inside(attribute_type: &AttributeType, value: &mut Value) {
    match (attribute_type, value) {
        (AttributeType::Object(attributes), Value::Map(values)) => add_defaults(attributes, values),
        (AttributeType::List(item) | AttributeType::Set(item), Value::List(items)) => {
            for value in items {
                add_defaults_inside(item, value);
            }
        }
        _ => {}
    }
}

/// Adds to a value what the plan promised besides: what members go back to that the spec gives up.
pub(crate) fn add_promised(attribute_type: &AttributeType, value: &mut Value, promised: &Value) {
    let (AttributeType::Object(attributes), Value::Map(value), Value::Map(promised)) =
        (attribute_type, value, promised)
    else {
        return;
    };
    for attribute in attributes {
        let Some(promised) = promised.get(attribute.name).filter(|promised| promised.is_known()) else {
            continue;
        };
        let member = value.entry(attribute.name.to_owned()).or_insert_with(|| promised.clone());
        add_promised(&attribute.attribute_type, member, promised);
    }
}

/// Tells whether a change of an attribute, or of a member of its table, makes another resource
/// necessary. The kind is asked with the way there, such as `network.ip_family`.
pub(crate) fn replaces(
    kind: &dyn AnyResource,
    observed: &ValueMap,
    (attribute, path): (&AttributeSchema, &str),
    before: &Value,
    after: &Value,
) -> bool {
    if attribute.replace {
        return kind.must_replace(observed, path, before, after);
    }
    let (AttributeType::Object(members), Value::Map(after)) = (&attribute.attribute_type, after) else {
        return false;
    };
    members.iter().any(|member| {
        let Some(after) = after.get(member.name) else { return false };
        let before = before.as_map().and_then(|before| before.get(member.name)).unwrap_or(&Value::Null);
        let path = format!("{path}.{}", member.name);
        !member.attribute_type.form().same(before, after)
            && replaces(kind, observed, (member, &path), before, after)
    })
}

/// Copies the attributes that are `chosen` from one set of inputs to another, also inside tables that
/// both have.
pub(crate) fn copy(
    attributes: &[AttributeSchema],
    chosen: fn(&AttributeSchema) -> bool,
    from: &ValueMap,
    to: &mut ValueMap,
) {
    for attribute in attributes {
        let Some(value) = from.get(attribute.name) else { continue };
        if chosen(attribute) {
            to.insert(attribute.name.to_owned(), value.clone());
        } else if let (AttributeType::Object(members), Value::Map(from), Some(Value::Map(to))) =
            (&attribute.attribute_type, value, to.get_mut(attribute.name))
        {
            copy(members, chosen, from, to);
        }
    }
}

/// Wants what others may change as it is found, unless the plan changes it: `before` is what the plan
/// compares with.
pub(crate) fn leave_to_others(
    attributes: &[AttributeSchema],
    wanted: &mut ValueMap,
    found: &ValueMap,
    before: &ValueMap,
) {
    for attribute in attributes {
        let name = attribute.name;
        let (Some(wanted), Some(found)) = (wanted.get_mut(name), found.get(name)) else { continue };
        let before = before.get(name);
        if attribute.handed_over {
            if before == Some(&*wanted) {
                wanted.clone_from(found);
            }
        } else if let (AttributeType::Object(members), Value::Map(wanted), Value::Map(found)) =
            (&attribute.attribute_type, wanted, found)
            && let Some(before) = before.and_then(Value::as_map)
        {
            leave_to_others(members, wanted, found, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    fn check_type() -> AttributeType {
        let mut port = AttributeSchema::new("port", "", AttributeType::String);
        port.default = Some(Value::from("traffic-port"));
        let path = AttributeSchema::new("path", "", AttributeType::String);
        let inner = AttributeSchema::new("inner", "", AttributeType::Object(vec![port.clone()]));
        AttributeType::Object(vec![port, path, inner])
    }

    fn table<const N: usize>(members: [(&str, Value); N]) -> Value {
        Value::Map(members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())
    }

    #[test]
    fn members_that_nobody_set_are_the_services() {
        let inner = || table([("port", Value::from("1"))]);
        let found = table([("port", Value::from("80")), ("path", Value::from("/")), ("inner", inner())]);
        let check = AttributeSchema::new("check", "", check_type());
        let owned = |owner: Value| owned(&check, Some(&found), &[&owner], None).expect("it was found");
        let path = || table([("path", Value::from("/"))]);
        assert_eq!(owned(table([("path", Value::from("/x"))])), path());
        assert_eq!(owned(table([("inner", table([]))])), table([("inner", table([]))]));
        assert_eq!(owned(table([("inner", inner())])), table([("inner", inner())]));
    }

    #[test]
    fn members_that_are_given_up_go_back_to_their_defaults() {
        let applied = table([("port", Value::from("80")), ("path", Value::from("/x"))]);
        let mut wanted = table([]);
        with_given_up(&check_type(), &mut wanted, &applied);
        assert_eq!(wanted, table([("port", Value::from("traffic-port"))]));
        let whole = AttributeSchema::new("check", "", check_type());
        assert_eq!(given_up(&whole, &applied), Some(wanted));
        assert_eq!(given_up(&whole, &table([("path", Value::from("/x"))])), None);
    }

    #[test]
    fn what_is_always_wanted_comes_and_goes_with_its_table() {
        let mut port = AttributeSchema::new("port", "", AttributeType::Integer);
        port.default = Some(Value::from(80));
        port.always = true;
        let target = AttributeType::Object(vec![port]);
        let list = AttributeSchema::new("list", "", AttributeType::List(Box::new(target.clone())));
        let one = AttributeSchema::new("one", "", target);
        let complete = || table([("port", Value::from(80))]);
        let attributes = [list, one];
        let mut values = ValueMap::new();
        add_defaults(&attributes, &mut values);
        assert_eq!(values, ValueMap::new());
        values.insert("list".to_owned(), Value::List(vec![table([("port", Value::Null)]), table([])]));
        values.insert("one".to_owned(), table([("port", Value::from(1))]));
        add_defaults(&attributes, &mut values);
        assert_eq!(values["list"], Value::List(vec![complete(), complete()]));
        assert_eq!(values["one"], table([("port", Value::from(1))]));
        assert_eq!(given_up(&attributes[1], &values["one"]), None);
    }

    #[test]
    fn what_the_plan_promised_besides_is_kept() {
        let unknown = Value::unknown(Address::new("vpc", "main"), "id");
        let promised = table([("port", Value::from("traffic-port")), ("path", unknown)]);
        let mut value = table([]);
        add_promised(&check_type(), &mut value, &promised);
        assert_eq!(value, table([("port", Value::from("traffic-port"))]));
    }
}
