//! From text to an address.
//!
//! `component['key']/kind.name['key']/role['key']`: components come first and have no dot, the
//! block has one, and a part of the block comes after it.

use std::str::FromStr;

use crate::address::{Address, ComponentPath, Target};

/// An address that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no address; write `kind.name`, `kind.name['key']`, `kind.name/role['key']` or `component/kind.name`"
)]
pub struct ParseAddressError {
    text: String,
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match parse(text) {
            Some(Target::Resource(address)) => Ok(address),
            Some(Target::Component(_)) | None => Err(ParseAddressError { text: text.to_owned() }),
        }
    }
}

impl FromStr for Target {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseAddressError { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<Target> {
    let mut component = ComponentPath::default();
    let mut rest = text;
    loop {
        let (word, after) = take_word(rest)?;
        if let Some(after) = after.strip_prefix('.') {
            let (name, after) = take_word(after)?;
            return block(Address::new(word, name).within(component), after).map(Target::Resource);
        }
        let (key, after) = take_key(after)?;
        component = component.join(word, key.as_deref());
        if after.is_empty() {
            return Some(Target::Component(component));
        }
        rest = after.strip_prefix('/')?;
    }
}

/// Reads what follows `kind.name`.
fn block(mut address: Address, rest: &str) -> Option<Address> {
    let (key, rest) = take_key(rest)?;
    if let Some(key) = key {
        address = address.with_key(key);
    }
    if rest.is_empty() {
        return Some(address);
    }
    let (role, rest) = take_word(rest.strip_prefix('/')?)?;
    let (key, rest) = take_key(rest)?;
    rest.is_empty().then_some(())?;
    Some(address.child(role, key?))
}

/// Tells whether `text` may name a block: a letter or `_`, then letters, digits, `_` and `-`.
#[must_use]
pub fn is_word(text: &str) -> bool {
    take_word(text).is_some_and(|(_, rest)| rest.is_empty())
}

fn take_word(text: &str) -> Option<(&str, &str)> {
    let starts_well = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let end = text
        .find(|character: char| !(character.is_ascii_alphanumeric() || "_-".contains(character)))
        .unwrap_or(text.len());
    starts_well.then(|| text.split_at(end))
}

/// Takes `['key']` off the front, if it is there; `None` if it is there and broken.
fn take_key(text: &str) -> Option<(Option<String>, &str)> {
    let Some(quoted) = text.strip_prefix("['") else {
        return Some((None, text));
    };
    let mut key = String::new();
    let mut characters = quoted.char_indices();
    while let Some((offset, character)) = characters.next() {
        match character {
            '\\' => key.push(characters.next()?.1),
            '\'' => return Some((Some(key), quoted[offset + 1..].strip_prefix(']')?)),
            _ => key.push(character),
        }
    }
    None
}
