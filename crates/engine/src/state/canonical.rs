//! JSON in one form only: without white space, the members of every object sorted, none there
//! twice. Written on the go: a tree of a large state would take more memory than the state.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::ops::Range;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// A member in its only form, and the others as they are.
pub(super) struct Split {
    /// The member; empty if it is missing.
    pub(super) canonical: Vec<u8>,
    /// The other members of the object.
    pub(super) rest: Value,
}

/// Takes an object apart into one member, in its only form, and the others.
pub(super) fn split(bytes: &[u8], member: &str) -> Result<Split, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let split = deserializer.deserialize_any(SplitVisitor { member })?;
    deserializer.end()?;
    Ok(split)
}

/// Puts JSON into its only form.
pub(super) fn canonical(bytes: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let mut written = Vec::with_capacity(bytes.len());
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Writer(&mut written).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(written)
}

struct SplitVisitor<'m> {
    member: &'m str,
}

impl<'de> Visitor<'de> for SplitVisitor<'_> {
    type Value = Split;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Split, A::Error> {
        let mut split = Split { canonical: Vec::new(), rest: Value::Null };
        let mut rest = serde_json::Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if rest.contains_key(&name) || (name == self.member && !split.canonical.is_empty()) {
                return Err(twice(&name));
            }
            if name == self.member {
                members.next_value_seed(Writer(&mut split.canonical))?;
            } else {
                let mut text = Vec::new();
                members.next_value_seed(Writer(&mut text))?;
                rest.insert(name, serde_json::from_slice(&text).map_err(A::Error::custom)?);
            }
        }
        split.rest = Value::Object(rest);
        Ok(split)
    }
}

/// Writes a value in its only form.
struct Writer<'w>(&'w mut Vec<u8>);

impl Writer<'_> {
    fn write<E: Error>(self, value: impl serde::Serialize) -> Result<(), E> {
        serde_json::to_writer(self.0, &value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.write(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.write(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.write(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        self.0.push(b'[');
        let start = self.0.len();
        loop {
            let end = self.0.len();
            if end > start {
                self.0.push(b',');
            }
            if sequence.next_element_seed(Writer(self.0))?.is_none() {
                self.0.truncate(end);
                self.0.push(b']');
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let start = self.0.len();
        let mut written: BTreeMap<String, Range<usize>> = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            let from = self.0.len();
            Writer(self.0).write(&name)?;
            self.0.push(b':');
            match written.entry(name) {
                Entry::Vacant(free) => {
                    members.next_value_seed(Writer(self.0))?;
                    free.insert(from..self.0.len());
                }
                Entry::Occupied(taken) => return Err(twice(taken.key())),
            }
        }
        let unsorted = self.0.split_off(start);
        let members = written.values().map(|range| &unsorted[range.start - start..range.end - start]);
        self.0.push(b'{');
        for (position, member) in members.enumerate() {
            if position > 0 {
                self.0.push(b',');
            }
            self.0.extend_from_slice(member);
        }
        self.0.push(b'}');
        Ok(())
    }
}

fn twice<E: Error>(name: &str) -> E {
    E::custom(format_args!("the member `{name}` is there twice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_form_is_that_of_a_sorted_tree() {
        for text in [
            "null",
            " [true, -1, 18446744073709551615, 0.1, 1e300, [], \"a\\u00e9\\\"\\u0007\"]",
            r#"{"b": {"z": 1, "a": [{"y": 2, "x": 3}]}, "a": {}, "": 0.10}"#,
        ] {
            let mut tree: Value = serde_json::from_str(text).expect("the text is JSON");
            tree.sort_all_objects();
            let written = canonical(text.as_bytes()).expect("nothing is there twice");
            assert_eq!(String::from_utf8(written).expect("JSON is text"), tree.to_string());
        }
    }

    #[test]
    fn a_member_is_taken_out() {
        let Split { canonical, rest } =
            split(br#"{"format": 1, "state": {"b": 2, "a": 1}}"#, "state").expect("nothing is there twice");
        assert_eq!(canonical, br#"{"a":1,"b":2}"#);
        assert_eq!(rest.to_string(), r#"{"format":1}"#);
    }

    #[test]
    fn duplicates_are_refused_at_every_level() {
        for text in [
            "{\"a\": 1,\n \"a\": 1}",
            "{\"state\": 1, \"state\": 1}",
            "{\"b\": [{\"a\": 1, \"b\": 0, \"a\": 2}]}",
            "{\"state\": {\"c\": {\"a\": {}, \"\\u0061\": {}}}}",
        ] {
            let error = split(text.as_bytes(), "state").err().expect("a member is there twice").to_string();
            assert!(error.contains("is there twice"), "{error}");
            assert!(canonical(text.as_bytes()).is_err());
        }
    }
}
