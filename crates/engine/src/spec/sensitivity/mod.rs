//! What is sensitive: how far it reaches from where the spec says so.
//!
//! 1. [`reach`] follows references, once for each value: what is made of something sensitive is
//!    sensitive too, whichever branch is taken and whether or not it is known yet;
//! 2. here: what was found so far, and what sensitive values cannot be used for;
//! 3. [`stand_ins`]: what can be told of problems with sensitive values, and [`hidden`]: which
//!    places in files must not be shown.

mod hidden;
mod reach;
mod stand_ins;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::{Address, BlockAddress, Kind};
use crate::diagnostic::{Diagnostic, Span};
use crate::registry::Registry;
use crate::spec::expression::ast::Reference;
use crate::spec::pattern::Pattern;
use crate::spec::world::{Local, LocalName};
use crate::value::Value;

pub(crate) use hidden::{declares_sensitive, hidden_places};
pub(crate) use reach::Reach;
pub(crate) use stand_ins::{WITHHELD, mask, revealed};

/// How much of a value must not be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// Nothing of it.
    #[default]
    Nothing,
    /// Something inside of it, but neither its keys nor how many items it has.
    Inside,
    /// All of it.
    Whole,
}

/// What a value has to do with sensitive ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sensitivity {
    /// How much of it must not be shown.
    pub(crate) extent: Extent,
    /// Whether a sensitive value is looked at on the way, also where the result tells nothing of it.
    pub(crate) touched: bool,
}

impl Sensitivity {
    /// Of a value that must not be shown.
    pub(crate) const WHOLE: Self = Self { extent: Extent::Whole, touched: true };

    /// Tells whether some of the value must not be shown.
    pub(crate) fn is_any(self) -> bool {
        self.extent > Extent::Nothing
    }

    /// Returns that of a value that is as sensitive as both.
    fn and(self, other: Self) -> Self {
        Self { extent: self.extent.max(other.extent), touched: self.touched || other.touched }
    }

    /// Returns that of something that is made of the value, or of an unknown part of it.
    fn mixed(self) -> Self {
        Self { extent: if self.is_any() { Extent::Whole } else { Extent::Nothing }, ..self }
    }

    /// Returns that of a list or table that has the value in it.
    fn around(self) -> Self {
        Self { extent: self.extent.min(Extent::Inside), ..self }
    }

    /// Returns that of something that tells nothing of the value.
    fn told(self) -> Self {
        Self { extent: Extent::Nothing, ..self }
    }
}

/// What was found to be sensitive so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sensitivities {
    variables: BTreeSet<String>,
    /// Attributes that are sensitive by their kind.
    kinds: BTreeMap<Kind, BTreeSet<&'static str>>,
    /// Attributes that are sensitive by what they are made of, in one resource of a block or several.
    attributes: BTreeMap<BlockAddress, BTreeSet<String>>,
    /// What was found of the resources of a block.
    instances: BTreeMap<BlockAddress, Instances>,
    /// Local values that have to do with sensitive ones, and how they are worked out.
    locals: BTreeMap<LocalName, (Sensitivity, Local)>,
}

/// Which resources of a block have nothing sensitive.
#[derive(Debug, Clone, Default)]
struct Instances {
    /// The keys of those that have not; `None` is that of a block that is one resource.
    plain: BTreeSet<Option<Arc<str>>>,
    /// Whether there are others.
    has_others: bool,
}

impl Sensitivities {
    /// Takes the variables that the spec calls sensitive, and the attributes that kinds do.
    pub(crate) fn new(variables: BTreeSet<String>, registry: &Registry) -> Self {
        let mut kinds = BTreeMap::new();
        for described in registry.all_described() {
            let schema = described.members().unwrap_or_else(|| described.schema());
            let attributes = schema.inputs.iter().chain(&schema.outputs);
            let names: BTreeSet<_> =
                attributes.filter(|attribute| attribute.sensitive).map(|attribute| attribute.name).collect();
            if !names.is_empty() {
                kinds.insert(described.schema().kind.clone(), names);
            }
        }
        Self { variables, kinds, ..Self::default() }
    }

    /// Tells whether the spec calls this variable sensitive.
    pub(crate) fn has_variable(&self, name: &str) -> bool {
        self.variables.contains(name)
    }

    /// Tells whether an attribute of the resources of a block is sensitive.
    pub(crate) fn has_attribute(&self, block: &BlockAddress, attribute: &str) -> bool {
        self.kinds.get(&block.kind).is_some_and(|names| names.contains(attribute))
            || self.attributes.get(block).is_some_and(|names| names.contains(attribute))
    }

    /// Tells whether some attribute of a resource of a block is sensitive, or of any of them if it is not
    /// known which one is meant.
    pub(crate) fn has_some_attribute(&self, block: &BlockAddress, key: Option<&str>) -> bool {
        let is_plain = self.instances.get(block).is_some_and(|instances| match key {
            Some(key) => instances.plain.contains(&Some(Arc::from(key))),
            None => !instances.has_others,
        });
        !is_plain && (self.kinds.contains_key(&block.kind) || self.attributes.contains_key(block))
    }

    /// Replaces the local values by those that a pattern needs, in an order in which each comes
    /// after those that it is made of.
    pub(crate) fn learn_locals(&mut self, pattern: &Pattern, locals: &BTreeMap<LocalName, Local>) {
        self.locals.clear();
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<_> = names_of_locals(pattern).into_iter().map(|name| (name, false)).collect();
        while let Some((name, is_ready)) = waiting.pop() {
            let Some(Local::Symbolic(pattern)) = locals.get(&name) else { continue };
            if is_ready {
                let sensitivity = Reach::new(self, None).pattern(pattern);
                self.add_local(&name, sensitivity, pattern);
            } else if seen.insert(name.clone()) {
                waiting.push((name, true));
                waiting.extend(names_of_locals(pattern).into_iter().map(|name| (name, false)));
            }
        }
    }

    /// Adds attributes of a resource of a block.
    pub(crate) fn add_attributes(&mut self, block: &BlockAddress, names: &BTreeSet<String>) {
        if !names.is_empty() {
            self.attributes.entry(block.clone()).or_default().extend(names.iter().cloned());
        }
    }

    /// Adds a resource of a block, and whether something of it is sensitive.
    pub(crate) fn add_instance(&mut self, address: &Address, is_sensitive: bool) {
        let instances = self.instances.entry(address.block().clone()).or_default();
        if is_sensitive {
            instances.has_others = true;
        } else {
            instances.plain.insert(address.key().map(Arc::from));
        }
    }

    /// Adds a local value, if it has to do with sensitive ones.
    pub(crate) fn add_local(&mut self, name: &LocalName, sensitivity: Sensitivity, pattern: &Arc<Pattern>) {
        if sensitivity.touched {
            self.locals.insert(name.clone(), (sensitivity, Local::Symbolic(pattern.clone())));
        }
    }

    /// Returns how sensitive a local value is that was added.
    pub(crate) fn of_local(&self, name: &LocalName) -> Sensitivity {
        self.locals.get(name).map(|(sensitivity, _)| *sensitivity).unwrap_or_default()
    }

    /// Returns how a local value is worked out that has to do with sensitive ones.
    pub(crate) fn local(&self, name: &LocalName) -> Option<&Local> {
        self.locals.get(name).map(|(_, local)| local)
    }

    /// Returns how it is written.
    fn pattern_of(&self, name: &LocalName) -> Option<&Pattern> {
        match self.local(name)? {
            Local::Symbolic(pattern) => Some(pattern),
            Local::Known(_) | Local::Broken => None,
        }
    }
}

fn names_of_locals(pattern: &Pattern) -> BTreeSet<LocalName> {
    let mut names = BTreeSet::new();
    pattern.visit_references(&mut |reference, _| {
        if let Reference::Local(name) = reference {
            names.insert(name.clone());
        }
    });
    names
}

/// Reports keys that are made of something sensitive; `value` is what has them.
pub(crate) fn check_keys(value: &Value, sensitivity: Sensitivity, span: Span) -> Option<Diagnostic> {
    let tells = match value {
        Value::Map(_) => sensitivity.extent == Extent::Whole,
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Unknown(_) => sensitivity.is_any(),
    };
    tells.then(|| sensitive_key(span))
}

/// Describes a key that is made of something sensitive.
pub(crate) fn sensitive_key(span: Span) -> Diagnostic {
    Diagnostic::error("sensitive-key", "sensitive value in a name")
        .with_span(span, "is made of something sensitive")
        .with_detail("Keys become names of resources, which plans, states and messages show.")
        .with_hint(
            "Take other keys, and let the values alone be sensitive: a table with plain keys may hold sensitive \
             values. What is no secret in it can be shown with `nonsensitive(...)`.",
        )
}

/// Describes a sensitive value in a place that is shown.
pub(crate) fn shown_value(span: Span, detail: String) -> Diagnostic {
    Diagnostic::error("sensitive-value", "sensitive value where it would be shown")
        .with_span(span, "is made of something sensitive")
        .with_detail(detail)
        .with_hint("Take a value that is not sensitive, or show what is no secret with `nonsensitive(...)`.")
}
