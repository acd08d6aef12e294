//! Names: of resources, kinds, accounts, and of what the service made for us.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

macro_rules! name_type {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the name.
            #[must_use]
            pub fn new(name: impl Into<Arc<str>>) -> Self {
                Self(name.into())
            }

            /// Returns the name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type! {
    /// The word in a block's header that says what it describes, such as `nat_gateway`.
    Kind
}
name_type! {
    /// The name of an `[account.NAME]` block.
    AccountName
}
name_type! {
    /// What the service calls a thing, such as `vpc-0a1b2c3d`.
    RemoteId
}

/// The name of one atomic resource: `subnet.public['a']`, or for a part of a block that
/// expands, `route_table.public/association['a']`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    block: BlockAddress,
    key: Option<Arc<str>>,
    child: Option<ChildName>,
}

/// The name of a whole block, `kind.name`, which `for_each` may turn into many resources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockAddress {
    /// The kind in the block's header.
    pub kind: Kind,
    /// The name in the block's header.
    pub name: Arc<str>,
}

impl BlockAddress {
    /// Makes the name of a block.
    #[must_use]
    pub fn new(kind: Kind, name: impl Into<Arc<str>>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for BlockAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.kind, self.name)
    }
}

/// Names one of the resources that a block's attribute expands to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ChildName {
    role: Arc<str>,
    key: Arc<str>,
}

impl Address {
    /// Makes the address of a block that is not expanded.
    #[must_use]
    pub fn new(kind: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self::of_block(BlockAddress::new(Kind::new(kind), name))
    }

    /// Makes the address of a block that is not expanded.
    #[must_use]
    pub fn of_block(block: BlockAddress) -> Self {
        Self { block, key: None, child: None }
    }

    /// Returns the address of one instance of a block with `for_each`.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Returns the address of a child: `role` is such as `route`, `key` tells it from its siblings.
    #[must_use]
    pub fn child(&self, role: impl Into<Arc<str>>, key: impl Into<Arc<str>>) -> Self {
        let child = ChildName { role: role.into(), key: key.into() };
        Self { child: Some(child), ..self.clone() }
    }

    /// Returns the block that the resource comes from.
    #[must_use]
    pub fn block(&self) -> &BlockAddress {
        &self.block
    }

    /// Returns the `for_each` key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the role and key of a child.
    #[must_use]
    pub fn child_name(&self) -> Option<(&str, &str)> {
        self.child.as_ref().map(|child| (&*child.role, &*child.key))
    }

    /// Returns the resource that a child belongs to, or `None` for one that is no child.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.child.as_ref().map(|_| Self { child: None, ..self.clone() })
    }

    /// Returns the address in an alphabet that every service takes as a tag value.
    ///
    /// IAM allows letters, digits, spaces and `_.:/=+-@` in tag values, and 256 characters
    /// (IAM user guide, "Tags for IAM resources"). Other characters become `=` and two hex
    /// digits a byte; what is too long ends in its own SHA-256.
    #[must_use]
    pub fn tag_value(&self) -> String {
        let mut encoded = format!("{}.{}", self.block.kind, self.block.name);
        if let Some(key) = &self.key {
            encoded.push(':');
            push_tag_encoded(&mut encoded, key);
        }
        if let Some(child) = &self.child {
            encoded.push('/');
            encoded.push_str(&child.role);
            encoded.push(':');
            push_tag_encoded(&mut encoded, &child.key);
        }
        if encoded.len() <= 256 {
            return encoded;
        }
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(encoded.as_bytes()));
        encoded.truncate(256 - digest.len());
        encoded + &digest
    }
}

fn push_tag_encoded(encoded: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.+-@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('=');
            encoded.push_str(&data_encoding::HEXLOWER.encode(&[byte]));
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.block.to_string();
        if let Some(key) = &self.key {
            text.push_str(&quoted_key(key));
        }
        if let Some(child) = &self.child {
            text.push('/');
            text.push_str(&child.role);
            text.push_str(&quoted_key(&child.key));
        }
        formatter.pad(&text)
    }
}

fn quoted_key(key: &str) -> String {
    format!("['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// An address that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address; write `kind.name`, `kind.name['key']` or `kind.name/role['key']`")]
pub struct ParseAddressError {
    text: String,
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseAddressError { text: text.to_owned() })
    }
}

fn parse(text: &str) -> Option<Address> {
    let (kind, rest) = take_word(text)?;
    let (name, rest) = take_word(rest.strip_prefix('.')?)?;
    let mut address = Address::new(kind, name);
    let (key, rest) = take_key(rest)?;
    address.key = key.map(Arc::from);
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

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_a_round_trip() {
        for text in [
            "vpc.main",
            "subnet.public['a']",
            "route_table.public/route['0.0.0.0/0']",
            "route_table.public['it\\'s']/association['\\\\']",
        ] {
            let address: Address = text.parse().expect("the address is well formed");
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn broken_addresses_are_refused() {
        for text in [
            "",
            "vpc",
            "vpc.",
            ".main",
            "vpc.main[",
            "vpc.main['a",
            "vpc.main['a']x",
            "vpc.main/route",
            "1.a",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text} was taken");
        }
    }

    #[test]
    fn tag_values_fit_the_narrowest_alphabet() {
        let address = Address::new("route_table", "public").with_key("a b").child("route", "0.0.0.0/0");
        assert_eq!(address.tag_value(), "route_table.public:a=20b/route:0.0.0.0=2f0");
        let long = Address::new("vpc", "x").with_key("k".repeat(300));
        assert_eq!(long.tag_value().len(), 256);
    }
}
