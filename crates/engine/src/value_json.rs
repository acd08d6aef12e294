//! Values as JSON, for state files, journals, saved plans and `--json`.
//!
//! An unknown value is an object with the single key `$unknown`; a user's own map whose only
//! key begins with `$` gets one more `$`, so that the two cannot be mistaken for each other.

use serde::de::Error as _;
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{Unknown, Value, ValueMap};

const UNKNOWN_KEY: &str = "$unknown";

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::Float(_) => Err(S::Error::custom("a number that is not finite has no JSON form")),
            Self::String(value) => serializer.serialize_str(value),
            Self::List(items) => items.serialize(serializer),
            Self::Map(entries) => serialize_map(entries, serializer),
            Self::Unknown(unknown) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(UNKNOWN_KEY, unknown)?;
                map.end()
            }
        }
    }
}

fn serialize_map<S: Serializer>(entries: &ValueMap, serializer: S) -> Result<S::Ok, S::Error> {
    match entries.iter().next() {
        Some((key, value)) if entries.len() == 1 && key.starts_with('$') => {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(&format!("${key}"), value)?;
            map.end()
        }
        _ => entries.serialize(serializer),
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_json(serde_json::Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn from_json(json: serde_json::Value) -> Result<Value, serde_json::Error> {
    Ok(match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Float(number.as_f64().ok_or_else(|| {
                <serde_json::Error as serde::de::Error>::custom(format!(
                    "the number {number} is out of range"
                ))
            })?),
        },
        serde_json::Value::String(value) => Value::String(value),
        serde_json::Value::Array(items) => {
            Value::List(items.into_iter().map(from_json).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(mut entries) => {
            if entries.len() == 1
                && let Some((key, _)) = entries.iter().next()
                && key.starts_with('$')
            {
                let key = key.clone();
                let value = entries.remove(&key).expect("the only key was just read");
                return from_marked(&key, value);
            }
            let entries = entries.into_iter().map(|(key, value)| Ok((key, from_json(value)?)));
            Value::Map(entries.collect::<Result<_, serde_json::Error>>()?)
        }
    })
}

fn from_marked(key: &str, value: serde_json::Value) -> Result<Value, serde_json::Error> {
    if key == UNKNOWN_KEY {
        return Ok(Value::Unknown(serde_json::from_value::<Unknown>(value)?));
    }
    let key = key.strip_prefix('$').expect("only keys that begin with `$` are marked");
    Ok(Value::Map(ValueMap::from([(key.to_owned(), from_json(value)?)])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    fn round_trip(value: &Value) -> Value {
        let json = serde_json::to_string(value).expect("the value has a JSON form");
        serde_json::from_str(&json).expect("what was written can be read")
    }

    #[test]
    fn unknown_and_lookalike_maps_survive() {
        let unknown = Value::unknown(Address::new("vpc", "main"), "id");
        let lookalike = Value::Map(ValueMap::from([("$unknown".to_owned(), Value::from("x"))]));
        let dollar = Value::Map(ValueMap::from([("$$".to_owned(), Value::Null)]));
        for value in [unknown.clone(), lookalike, dollar, Value::List(vec![unknown, Value::Float(1.5)])] {
            assert_eq!(round_trip(&value), value);
        }
    }
}
