//! Values as JSON, for state files, journals, saved plans and `--json`.
//!
//! An unknown value is an object with the single key `$unknown`; a user's own map whose only
//! key begins with `$` gets one more `$`, so that the two cannot be mistaken for each other.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{AttributeReference, Unknown, Value, ValueMap};

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
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "a number too large for 64 bits is one with a fraction")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut entries = ValueMap::new();
        while let Some((key, value)) = members.next_entry()? {
            entries.insert(key, value);
        }
        let is_marked = entries.len() == 1 && entries.keys().all(|key| key.starts_with('$'));
        if !is_marked {
            return Ok(Value::Map(entries));
        }
        let (key, value) = entries.pop_first().expect("there is one entry");
        if key == UNKNOWN_KEY {
            return unknown(value)
                .map(Value::Unknown)
                .ok_or_else(|| A::Error::custom("a broken unknown value"));
        }
        Ok(Value::Map(ValueMap::from([(key[1..].to_owned(), value)])))
    }
}

fn unknown(value: Value) -> Option<Unknown> {
    let Value::Map(mut members) = value else { return None };
    let (origin, exact) = (members.remove("origin")?, members.remove("exact")?);
    let (Value::Map(mut origin), Value::Bool(exact), true) = (origin, exact, members.is_empty()) else {
        return None;
    };
    let (address, attribute) = (origin.remove("address")?, origin.remove("attribute")?);
    let (Value::String(attribute), true) = (attribute, origin.is_empty()) else { return None };
    let address = address.as_str()?.parse().ok()?;
    Some(Unknown { origin: AttributeReference { address, attribute }, exact })
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
