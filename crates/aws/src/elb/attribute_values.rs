//! What the API calls attributes: texts by key, of which many have a name and a type in a spec.

use std::collections::BTreeMap;

use straddle_engine::resource::Problem;
use straddle_engine::schema::{AttributeSchema, AttributeType};
use straddle_engine::value::{Value, ValueMap};

use crate::ec2::check::problem;

/// The attribute of a spec that takes keys of the API as they are.
const FREE: &str = "attributes";

/// How many attributes one call changes at most.
const BATCH: usize = 20;

/// A key of the API that has a name of its own in a spec.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    /// The way to it: `idle_timeout`, or `access_logs.bucket` in a table.
    pub(crate) path: &'static str,
    /// What the API calls it.
    pub(crate) key: &'static str,
}

impl Named {
    /// Names a key.
    pub(crate) const fn new(path: &'static str, key: &'static str) -> Self {
        Self { path, key }
    }

    fn of<'v>(&self, values: &'v ValueMap) -> Option<&'v Value> {
        match self.path.split_once('.') {
            None => values.get(self.path),
            Some((table, member)) => values.get(table)?.as_map()?.get(member),
        }
        .filter(|value| !value.is_null())
    }

    fn schema<'s>(&self, attributes: &'s [AttributeSchema]) -> Option<&'s AttributeSchema> {
        let find = |attributes: &'s [AttributeSchema], name: &str| {
            attributes.iter().find(|attribute| attribute.name == name)
        };
        let Some((table, member)) = self.path.split_once('.') else { return find(attributes, self.path) };
        let AttributeType::Object(members) = &find(attributes, table)?.attribute_type else { return None };
        find(members, member)
    }
}

/// Puts what was found into the inputs: every key into the free table, and those that have a name
/// under that too.
pub(crate) fn put(
    names: &[Named],
    attributes: &[AttributeSchema],
    found: &BTreeMap<String, String>,
    inputs: &mut ValueMap,
) {
    for named in names {
        let typed = named.schema(attributes).zip(found.get(named.key));
        let Some(value) = typed.and_then(|(schema, text)| typed_value(&schema.attribute_type, text)) else {
            continue;
        };
        match named.path.split_once('.') {
            None => drop(inputs.insert(named.path.to_owned(), value)),
            Some((table, member)) => {
                let table = inputs.entry(table.to_owned()).or_insert_with(|| Value::Map(ValueMap::new()));
                if let Value::Map(members) = table {
                    members.insert(member.to_owned(), value);
                }
            }
        }
    }
    let free = found.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    inputs.insert(FREE.to_owned(), Value::Map(free.collect()));
}

fn typed_value(attribute_type: &AttributeType, text: &str) -> Option<Value> {
    if matches!(attribute_type, AttributeType::Bool) {
        text.parse().ok().map(Value::Bool)
    } else if matches!(attribute_type, AttributeType::Integer) {
        text.parse().ok().map(Value::Integer)
    } else {
        matches!(attribute_type, AttributeType::String).then(|| Value::from(text))
    }
}

/// Returns what one call has to change, at most as much as it takes; nothing if all is as wanted.
pub(crate) fn next_change(
    names: &[Named],
    attributes: &[AttributeSchema],
    observed: &ValueMap,
    desired: &ValueMap,
) -> Option<BTreeMap<String, String>> {
    let (found, mut wanted) = (texts(names, observed), texts(names, desired));
    if desired.contains_key(FREE) {
        // Keys that were taken out of the free table go back to what they are by default, if that is known.
        for key in free(observed).into_keys() {
            let known = names.iter().find(|known| known.key == key);
            let default = known.and_then(|known| known.schema(attributes)?.default.as_ref());
            if let Some(default) = default.and_then(text) {
                wanted.entry(key).or_insert(default);
            }
        }
    }
    let wrong: BTreeMap<_, _> =
        wanted.into_iter().filter(|(key, value)| found.get(key) != Some(value)).take(BATCH).collect();
    (!wrong.is_empty()).then_some(wrong)
}

/// Returns the texts that the API has or shall have for these inputs, by its keys. What has a name of
/// its own counts under that.
fn texts(names: &[Named], inputs: &ValueMap) -> BTreeMap<String, String> {
    let typed = names.iter().filter_map(|known| Some((known.key.to_owned(), text(known.of(inputs)?)?)));
    free(inputs).into_iter().chain(typed).collect()
}

fn free(inputs: &ValueMap) -> BTreeMap<String, String> {
    let table = inputs.get(FREE).and_then(Value::as_map);
    let entries = table.into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Null | Value::Float(_) | Value::List(_) | Value::Map(_) | Value::Unknown(_) => None,
    }
}

/// Takes out of what was found the table of keys that [`put`] fills whole: those that have names are there
/// under them too, and what has none stays as it is without being said.
pub(crate) fn without_free(mut found: ValueMap) -> ValueMap {
    found.remove(FREE);
    found
}

/// Returns a problem for each key of the free table that is set under its name as well.
pub(crate) fn check_twice(names: &[Named], inputs: &ValueMap) -> Vec<Problem> {
    let table = inputs.get(FREE).and_then(Value::as_map);
    let is_free = |key: &str| table.is_some_and(|table| table.contains_key(key));
    let twice = names.iter().filter(|named| is_free(named.key) && named.of(inputs).is_some());
    let problems = twice.map(|Named { path, key }| {
        problem(
            FREE,
            format!("`{key}` is also set as `{path}`."),
            format!("Write `{path}`, and take `{key}` out of `{FREE}`."),
        )
    });
    problems.collect()
}

/// Returns a problem for each of these names that is set although only `owner` has it.
pub(crate) fn check_foreign(names: &[Named], inputs: &ValueMap, owner: &str) -> Vec<Problem> {
    let foreign = names.iter().filter(|named| named.of(inputs).is_some());
    let problems = foreign.map(|Named { path, .. }| {
        let attribute = path.split_once('.').map_or(*path, |(table, _)| table);
        problem(attribute, format!("Only {owner} has `{path}`."), "Remove it.".to_owned())
    });
    problems.collect()
}

#[cfg(test)]
mod tests {
    use straddle_engine::schema::{Attributes, Tags};

    use super::*;

    /// Attributes of each sort.
    #[derive(Debug, Default, PartialEq, Attributes)]
    struct Inputs {
        /// A number.
        #[attribute(default = 60)]
        idle_timeout: Option<i64>,
        /// A table.
        logs: Option<Logs>,
        /// Any.
        attributes: Option<Tags>,
    }

    /// A table.
    #[derive(Debug, Default, PartialEq, Attributes)]
    struct Logs {
        /// Whether.
        #[attribute(default = false)]
        enabled: Option<bool>,
        /// Where.
        bucket: Option<String>,
    }

    const NAMES: [Named; 3] = [
        Named::new("idle_timeout", "idle_timeout.timeout_seconds"),
        Named::new("logs.enabled", "access_logs.s3.enabled"),
        Named::new("logs.bucket", "access_logs.s3.bucket"),
    ];

    fn texts_of<const N: usize>(texts: [(&str, &str); N]) -> BTreeMap<String, String> {
        texts.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    fn free<const N: usize>(texts: [(&str, &str); N]) -> Tags {
        Tags(texts_of(texts))
    }

    fn next(observed: &Inputs, desired: &Inputs) -> Option<BTreeMap<String, String>> {
        next_change(&NAMES, &Inputs::attributes(), &observed.to_values(), &desired.to_values())
    }

    #[test]
    fn what_is_found_has_its_type_and_its_name() {
        let all = [
            ("idle_timeout.timeout_seconds", "60"),
            ("access_logs.s3.enabled", "false"),
            ("access_logs.s3.bucket", ""),
            ("new.key", "x"),
        ];
        let mut values = ValueMap::new();
        put(&NAMES, &Inputs::attributes(), &texts_of(all), &mut values);
        let logs = Logs { enabled: Some(false), bucket: Some(String::new()) };
        let expected = Inputs { idle_timeout: Some(60), logs: Some(logs), attributes: Some(free(all)) };
        assert_eq!(Inputs::from_values(&values).expect("the types fit"), expected);
    }

    #[test]
    fn what_differs_is_changed_in_one_call() {
        let logs =
            |enabled, bucket: &str| Some(Logs { enabled: Some(enabled), bucket: Some(bucket.to_owned()) });
        let observed = Inputs { idle_timeout: Some(60), logs: logs(false, ""), attributes: None };
        let desired = Inputs {
            idle_timeout: Some(60),
            logs: logs(true, "b"),
            attributes: Some(free([("new.key", "x")])),
        };
        let change =
            texts_of([("access_logs.s3.enabled", "true"), ("access_logs.s3.bucket", "b"), ("new.key", "x")]);
        assert_eq!(next(&observed, &desired), Some(change));
        assert_eq!(next(&observed, &Inputs::default()), None);
    }

    #[test]
    fn a_key_that_is_taken_out_goes_back_to_its_default() {
        let observed = Inputs {
            attributes: Some(free([("idle_timeout.timeout_seconds", "5"), ("new.key", "x")])),
            ..Inputs::default()
        };
        let desired = Inputs { attributes: Some(free([])), ..Inputs::default() };
        assert_eq!(next(&observed, &desired), Some(texts_of([("idle_timeout.timeout_seconds", "60")])));
        let renamed = Inputs { idle_timeout: Some(7), attributes: Some(free([])), ..Inputs::default() };
        assert_eq!(next(&observed, &renamed), Some(texts_of([("idle_timeout.timeout_seconds", "7")])));
    }

    #[test]
    fn a_key_that_is_set_twice_is_a_problem() {
        let twice = Inputs {
            idle_timeout: Some(5),
            attributes: Some(free([("idle_timeout.timeout_seconds", "5"), ("new.key", "x")])),
            ..Inputs::default()
        };
        let problems = check_twice(&NAMES, &twice.to_values());
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains("also set as `idle_timeout`"), "{problems:?}");
        let owner = "a network load balancer";
        assert_eq!(check_foreign(&NAMES, &twice.to_values(), owner)[0].attribute, "idle_timeout");
    }
}
