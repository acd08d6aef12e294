//! What a chart draws by chance: keys, certificates, passwords, times.
//!
//! A chart is rendered with two different chances; whatever differs between the two was drawn, however it
//! was encoded or hashed. It is kept from what stands, as long as all of a release can be: certificates
//! in one object fit the keys in another one. Objects with something drawn carry a mark of the drawing, so
//! that those of different drawings are told apart after a run that ended half-way; the mark also says
//! for which calls it was drawn.

use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use straddle_engine::value::{Unknown, Value, ValueMap};

use crate::object::from_json;
use crate::release::stand_ins::unknown_in;

/// The annotation with the mark.
pub(super) const MARK: &str = "straddle/drawn";

/// Times and bytes that templates see. All letters that are made of them differ between the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chance {
    Low,
    High,
    /// What nobody can foresee, at the time at which a plan is carried out.
    Real(jiff::Timestamp),
}

impl Chance {
    pub(super) fn now(self) -> jiff::Timestamp {
        match self {
            Self::Low => jiff::Timestamp::UNIX_EPOCH,
            // 2222-12-31T23:59:59Z.
            Self::High => jiff::Timestamp::new(7_983_878_399, 0).expect("it is a time"),
            Self::Real(now) => now,
        }
    }

    pub(super) fn fill(self, buffer: &mut [u8]) {
        match self {
            Self::Low => buffer.fill(0),
            Self::High => buffer.fill(0xFF),
            Self::Real(_) => getrandom::fill(buffer).expect("every supported system has a random source"),
        }
    }
}

/// Returns what says for which calls something is drawn. It is short, so that it does not help to guess
/// what was given to them.
pub(super) fn digest_of_calls(calls: &[String]) -> String {
    HEXLOWER.encode(&Sha256::digest(calls.join("\n"))[..2])
}

/// Returns the mark of a new drawing.
pub(super) fn new_mark(calls: &[String]) -> String {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("every supported system has a random source");
    format!("{}-{}", digest_of_calls(calls), HEXLOWER.encode(&bytes))
}

/// Returns the mark that an object has.
pub(super) fn mark_of(object: &Json) -> Option<&str> {
    object["metadata"]["annotations"].get(MARK)?.as_str()
}

/// Puts a mark on a manifest.
pub(super) fn put_mark(manifest: &mut ValueMap, mark: Value) {
    let Some(Value::Map(metadata)) = manifest.get_mut("metadata") else { return };
    let annotations = metadata.entry("annotations".to_owned()).or_insert(Value::Null);
    if annotations.is_null() {
        *annotations = Value::Map(ValueMap::new());
    }
    if let Value::Map(annotations) = annotations {
        annotations.insert(MARK.to_owned(), mark);
    }
}

/// One object in three renderings: the second has other stand-ins than the first, the third has another
/// chance.
#[derive(Clone, Copy)]
pub(super) struct Three<'a> {
    pub(super) one: &'a Json,
    pub(super) two: &'a Json,
    pub(super) drawn: &'a Json,
}

impl<'a> Three<'a> {
    fn get(self, part: impl Fn(&'a Json) -> &'a Json) -> Self {
        Self { one: part(self.one), two: part(self.two), drawn: part(self.drawn) }
    }
}

/// Puts renderings of one object together: what all of them say is known.
pub(super) struct Blend<'a> {
    unknowns: &'a [Unknown],
    /// What stands for something that is not drawn yet.
    by_chance: &'a Value,
    /// Whether the object is a Secret, with data that is encoded.
    is_secret: bool,
    /// Whether something in it is drawn.
    pub(super) is_drawn: bool,
    /// Whether something drawn could not be kept.
    pub(super) is_lost: bool,
}

impl<'a> Blend<'a> {
    pub(super) fn new(object: &Json, unknowns: &'a [Unknown], by_chance: &'a Value) -> Self {
        let is_secret = object["kind"] == "Secret" && object["apiVersion"] == "v1";
        Self { unknowns, by_chance, is_secret, is_drawn: false, is_lost: false }
    }

    /// Returns the object; what was drawn is that of the one that stands.
    pub(super) fn object(&mut self, three: Three<'_>, standing: Option<&Json>) -> Value {
        self.value(three, standing, 0, false)
    }

    fn value(&mut self, three: Three<'_>, standing: Option<&Json>, depth: usize, is_data: bool) -> Value {
        let Three { one, two, drawn: other } = three;
        if one == two && one == other {
            return from_json(one);
        }
        match (one, two, other) {
            (Json::Object(one), Json::Object(two), Json::Object(other))
                if one.keys().eq(two.keys()) && one.keys().eq(other.keys()) =>
            {
                let mut table = ValueMap::new();
                for key in one.keys() {
                    let is_data = is_data || (depth == 0 && self.is_secret && key == "data");
                    let inner = standing.and_then(|standing| standing.get(key));
                    let three = three.get(|part| &part[key]);
                    table.insert(key.clone(), self.value(three, inner, depth + 1, is_data));
                }
                Value::Map(table)
            }
            (Json::Array(one), Json::Array(two), Json::Array(other))
                if one.len() == two.len() && one.len() == other.len() =>
            {
                let standing = standing
                    .filter(|standing| standing.as_array().is_some_and(|items| items.len() == one.len()));
                let item = |index: usize| {
                    let inner = standing.map(|standing| &standing[index]);
                    self.value(three.get(|part| &part[index]), inner, depth + 1, is_data)
                };
                Value::List((0..one.len()).map(item).collect())
            }
            (one, two, other) => {
                self.is_drawn |= one != other;
                if one != two {
                    self.is_lost |= one != other;
                    return unknown_in(one, self.unknowns).unwrap_or_else(|| from_json(one));
                }
                self.drawn(one, other, standing, is_data)
            }
        }
    }

    fn drawn(&mut self, one: &Json, other: &Json, standing: Option<&Json>, is_data: bool) -> Value {
        if let Some(kept) = standing.filter(|standing| fits(one, other, standing, is_data)) {
            return from_json(kept);
        }
        self.is_lost = true;
        self.by_chance.clone()
    }
}

/// Tells whether something that stands may be what two renderings have drawn: whatever is around the drawn
/// part is the same.
fn fits(one: &Json, other: &Json, standing: &Json, is_data: bool) -> bool {
    match (one, other, standing) {
        (Json::String(one), Json::String(other), Json::String(standing)) => {
            let decoded = |text: &String| BASE64.decode(text.as_bytes()).ok();
            match (decoded(one), decoded(other), decoded(standing)) {
                (Some(one), Some(other), Some(standing)) if is_data => surrounds(&one, &other, &standing),
                _ => surrounds(one.as_bytes(), other.as_bytes(), standing.as_bytes()),
            }
        }
        (Json::Number(_), Json::Number(_), Json::Number(_))
        | (Json::Bool(_), Json::Bool(_), Json::Bool(_))
        | (Json::Array(_), Json::Array(_), Json::Array(_))
        | (Json::Object(_), Json::Object(_), Json::Object(_)) => true,
        _ => false,
    }
}

/// Tells whether a text begins and ends as two others do, up to the letters and digits that these may have
/// in common by chance.
fn surrounds(one: &[u8], other: &[u8], standing: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let before = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let before = one[..before].iter().rposition(|byte| !is_word(byte)).map_or(0, |last| last + 1);
    let (one, rest) = (&one[before..], &other[before.min(other.len())..]);
    let after = one.iter().rev().zip(rest.iter().rev()).take_while(|(one, other)| one == other).count();
    let end = &one[one.len() - after..];
    let end = end.iter().position(|byte| !is_word(byte)).map_or(&[][..], |first| &end[first..]);
    standing.len() >= before + end.len() && standing.starts_with(&other[..before]) && standing.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_around_a_drawn_part_has_to_be_the_same() {
        let fits = |one: &str, other: &str, standing: &str| {
            surrounds(one.as_bytes(), other.as_bytes(), standing.as_bytes())
        };
        assert!(fits("aaaa", "pppp", "x7Q"));
        assert!(fits("db://me:aaaa@host/shop", "db://me:pppp@host/shop", "db://me:x7@host/shop"));
        assert!(!fits("db://me:aaaa@host/shop", "db://me:pppp@host/shop", "db://me:x7@other/shop"));
        assert!(!fits("db://me:aaaa@host/shop", "db://me:pppp@host/shop", "db://you:x7@host/shop"));
        assert!(fits("0f3a", "0e9a", "77"), "hashes may begin and end with the same digits");
        assert!(!fits("a@b", "c@b", "b"));
    }
}
