//! What an address can name besides one resource.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::address::{Address, ComponentPath};

/// What a `[[moved]]`, a `[[removed]]` or an option such as `--target` names. Without a key, the name of a block that has
/// `for_each` names all of its resources, and that of a component all of its instances.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A resource with its parts, or all resources of a block.
    Resource(Address),
    /// Everything in a component.
    Component(ComponentPath),
}

impl Target {
    /// Tells whether this covers a resource.
    #[must_use]
    pub fn covers(&self, address: &Address) -> bool {
        Self::covering(address).contains(self)
    }

    /// Tells whether this covers a resource that is no part of another, or is its very name.
    #[must_use]
    pub fn covers_whole(&self, address: &Address) -> bool {
        match self {
            Self::Resource(named) if named == address => true,
            Self::Resource(_) | Self::Component(_) => address.child_name().is_none() && self.covers(address),
        }
    }

    /// Returns every name that covers a resource, narrowest first: itself, what it is a part of,
    /// its block, and the components around it, each with and without its key.
    #[must_use]
    pub fn covering(address: &Address) -> Vec<Self> {
        let mut names = vec![Self::Resource(address.clone())];
        names.extend(address.parent().map(Self::Resource));
        if address.key().is_some() {
            names.push(Self::Resource(address.whole_block()));
        }
        let component = address.component();
        for depth in (1..=component.depth()).rev() {
            let around = component.outer(depth);
            let keyed = around.key().is_some();
            let whole = around.without_key();
            names.push(Self::Component(around));
            if keyed {
                names.push(Self::Component(whole));
            }
        }
        names
    }

    /// Returns the name of the same thing inside of a component.
    #[must_use]
    pub fn within(&self, around: &ComponentPath) -> Self {
        match self {
            Self::Resource(address) => {
                Self::Resource(address.clone().within(address.component().within(around)))
            }
            Self::Component(component) => Self::Component(component.within(around)),
        }
    }

    /// Returns what a resource is called once this is called `to`; `None` if that means nothing
    /// for the resource.
    #[must_use]
    pub fn renamed(&self, to: &Self, address: &Address) -> Option<Address> {
        match (self, to) {
            (Self::Resource(from), Self::Resource(to)) => renamed_resource(from, to, address),
            (Self::Component(from), Self::Component(to)) => {
                let depth = from.depth();
                let around = address.component().outer(depth);
                let onto = if around == *from {
                    to.clone()
                } else if from.key().is_none() && to.key().is_none() && around.without_key() == *from {
                    to.outer(to.depth() - 1).join(to.name()?, around.key())
                } else {
                    return None;
                };
                Some(address.clone().within(address.component().rebased(depth, &onto)))
            }
            (Self::Resource(_), Self::Component(_)) | (Self::Component(_), Self::Resource(_)) => None,
        }
    }
}

fn renamed_resource(from: &Address, to: &Address, address: &Address) -> Option<Address> {
    if address == from {
        return Some(to.clone());
    }
    let part = |of: &Address| address.child_name().map(|(role, key)| of.child(role, key));
    let whole = |of: &Address| of.key().is_none() && of.child_name().is_none();
    if to.child_name().is_none() && address.parent().as_ref() == Some(from) {
        return part(to);
    }
    let key = address.key().filter(|_| whole(from) && whole(to) && address.whole_block() == *from)?;
    let to = to.clone().with_key(key);
    Some(part(&to).unwrap_or(to))
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(address) => formatter.pad(&address.to_string()),
            Self::Component(component) => {
                let text = component.to_string();
                formatter.pad(text.strip_suffix('/').unwrap_or(&text))
            }
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
