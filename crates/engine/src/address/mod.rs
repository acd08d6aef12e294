//! Names: of resources, kinds, accounts, and of what the service made for us.

mod component;
mod parse;
mod target;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

pub use component::ComponentPath;
pub use parse::{ParseAddressError, is_word};
pub use target::Target;

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
/// expands, `route_table.public/association['a']`. Before it stands the component that it is in,
/// if it is in one: `network['eu']/subnet.public['a']`.
///
/// A run of thousands of resources has many copies of each: they share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<Parts>);

/// What an address is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    block: BlockAddress,
    key: Option<Arc<str>>,
    child: Option<ChildName>,
}

/// The name of a whole block, `kind.name`, which `for_each` may turn into many resources; before it
/// the component that it is in, if it is in one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockAddress {
    /// The component that it is in; the empty path is the spec itself.
    pub component: ComponentPath,
    /// The kind in the block's header.
    pub kind: Kind,
    /// The name in the block's header.
    pub name: Arc<str>,
}

impl BlockAddress {
    /// Makes the name of a block.
    #[must_use]
    pub fn new(kind: Kind, name: impl Into<Arc<str>>) -> Self {
        Self { component: ComponentPath::default(), kind, name: name.into() }
    }

    /// Returns the name of the same block inside of a component.
    #[must_use]
    pub fn within(self, component: ComponentPath) -> Self {
        Self { component, ..self }
    }
}

impl fmt::Display for BlockAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}.{}", self.component, self.kind, self.name)
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
        Self(Arc::new(Parts { block, key: None, child: None }))
    }

    /// Returns the address of the same thing inside of a component.
    #[must_use]
    pub fn within(self, component: ComponentPath) -> Self {
        self.with(|parts| parts.block.component = component)
    }

    /// Returns the address of one instance of a block with `for_each`.
    #[must_use]
    pub fn with_key(self, key: impl Into<Arc<str>>) -> Self {
        self.with(|parts| parts.key = Some(key.into()))
    }

    /// Returns the address of a child: `role` is such as `route`, `key` tells it from its siblings.
    #[must_use]
    pub fn child(&self, role: impl Into<Arc<str>>, key: impl Into<Arc<str>>) -> Self {
        let child = ChildName { role: role.into(), key: key.into() };
        self.clone().with(|parts| parts.child = Some(child))
    }

    /// Returns the component that the resource is in; the empty path is the spec itself.
    #[must_use]
    pub fn component(&self) -> &ComponentPath {
        &self.0.block.component
    }

    /// Returns the block that the resource comes from.
    #[must_use]
    pub fn block(&self) -> &BlockAddress {
        &self.0.block
    }

    /// Returns the `for_each` key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// Returns the role and key of a child.
    #[must_use]
    pub fn child_name(&self) -> Option<(&str, &str)> {
        self.0.child.as_ref().map(|child| (&*child.role, &*child.key))
    }

    /// Returns the resource that a child belongs to, or `None` for one that is no child.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.child.as_ref().map(|_| self.clone().with(|parts| parts.child = None))
    }

    /// Returns what every resource of the block is called without its key: the block as a whole.
    #[must_use]
    pub fn whole_block(&self) -> Self {
        self.clone().with(|parts| (parts.key, parts.child) = (None, None))
    }

    /// Returns the address in an alphabet that every service takes as a tag value.
    ///
    /// IAM allows letters, digits, spaces and `_.:/=+-@` in tag values, and 256 characters
    /// (IAM user guide, "Tags for IAM resources"). Other characters become `=` and two hex
    /// digits a byte; what is too long ends in its own SHA-256.
    #[must_use]
    pub fn tag_value(&self) -> String {
        let Parts { block, key, child } = &*self.0;
        let mut encoded = block.component.tag_prefix();
        encoded.push_str(&block.kind.0);
        encoded.push('.');
        encoded.push_str(&block.name);
        if let Some(key) = key {
            encoded.push(':');
            push_tag_encoded(&mut encoded, key);
        }
        if let Some(child) = child {
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

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
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
        let Parts { block, key, child } = &*self.0;
        let mut text = block.to_string();
        if let Some(key) = key {
            text.push_str(&quoted_key(key));
        }
        if let Some(child) = child {
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
mod tests;
