//! The components that lead to a resource.

use std::fmt;
use std::sync::Arc;

use crate::address::{push_tag_encoded, quoted_key};

/// Which component of a spec: the names of the `[use]` blocks that lead there, each with its
/// `for_each` key. `network['eu']/inner` is shown with a `/` after it, as it stands in addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentPath {
    steps: Arc<[Step]>,
}

/// One `[use]`, or one of its instances.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Step {
    name: Arc<str>,
    key: Option<Arc<str>>,
}

impl ComponentPath {
    /// Returns the path of what a `[use]` of this component brings in.
    #[must_use]
    pub fn join(&self, name: impl Into<Arc<str>>, key: Option<&str>) -> Self {
        let step = Step { name: name.into(), key: key.map(Arc::from) };
        Self { steps: self.steps.iter().cloned().chain([step]).collect() }
    }

    /// Returns the path of the same component inside of another.
    #[must_use]
    pub fn within(&self, around: &Self) -> Self {
        self.rebased(0, around)
    }

    /// Tells whether this is the spec itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns how many components deep this is.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.steps.len()
    }

    /// Returns the path of the `depth` outermost components, or all of it if there are no more.
    #[must_use]
    pub fn outer(&self, depth: usize) -> Self {
        Self { steps: self.steps.iter().take(depth).cloned().collect() }
    }

    /// Returns this path without the key of its last step: what all instances of a `[use]` share.
    #[must_use]
    pub fn without_key(&self) -> Self {
        let mut steps = self.steps.to_vec();
        if let Some(last) = steps.last_mut() {
            last.key = None;
        }
        Self { steps: steps.into() }
    }

    /// Returns the `for_each` key of the last step.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.steps.last()?.key.as_deref()
    }

    /// Returns the names of the `[use]` blocks, the outermost first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| &*step.name)
    }

    /// Returns the name of the last `[use]`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.steps.last().map(|step| &*step.name)
    }

    /// Returns the path with its `depth` outermost steps replaced by those of another.
    #[must_use]
    pub fn rebased(&self, depth: usize, onto: &Self) -> Self {
        Self { steps: onto.steps.iter().chain(self.steps.iter().skip(depth)).cloned().collect() }
    }

    /// Returns the path as the beginning of a tag's value; see [`super::Address::tag_value`].
    pub(super) fn tag_prefix(&self) -> String {
        let mut encoded = String::new();
        for step in self.steps.iter() {
            encoded.push_str(&step.name);
            if let Some(key) = &step.key {
                encoded.push(':');
                push_tag_encoded(&mut encoded, key);
            }
            encoded.push('/');
        }
        encoded
    }
}

impl fmt::Display for ComponentPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps.iter() {
            let key = step.key.as_deref().map(quoted_key).unwrap_or_default();
            write!(formatter, "{}{key}/", step.name)?;
        }
        Ok(())
    }
}
