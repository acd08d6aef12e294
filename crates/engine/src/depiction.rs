//! What things look like in a picture of a whole spec: what a kind tells of that, as data.
//!
//! A picture shows where things are, not what is made before what: frames stand for places, what is in
//! a place is drawn inside, and arrows show who reaches or trusts whom. Which kinds are places, and
//! which of a thing's attributes say where it is, is known to the kind alone.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::address::Address;
use crate::from_state::plan_of_nothing;
use crate::plan::Plan;
use crate::registry::Registry;
use crate::run::RunError;
use crate::spec::{ResourceNode, Scope, Spec};
use crate::value::Value;

/// What things of a kind are in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depiction {
    /// What people call such a thing, such as `NAT gateway`; the kind's own word if this is empty.
    pub title: &'static str,
    /// As what it is drawn.
    pub form: Form,
    /// What it is there for, which gives the colour.
    pub theme: Theme,
    /// The attributes that name what it is in, or what it belongs to. The first that names something counts.
    pub within: &'static [&'static str],
    /// The attributes whose values are worth telling.
    pub details: &'static [&'static str],
    /// The attribute that sums up many things of one block, such as the kind of objects.
    pub gist: Option<&'static str>,
    /// What leads to it, or from it.
    pub arrows: &'static [Arrow],
}

/// As what a thing is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A frame in its account, with lanes and whatever else is in it.
    Network,
    /// A part of a network in one zone, which the first of these attributes tells that is set.
    Lane {
        /// Attributes.
        zone: &'static [&'static str],
    },
    /// A gap in the border of the network that it is in.
    Door,
    /// A box that has other things in it.
    Frame,
    /// A box.
    Thing,
    /// Some words in the box of what it belongs to, or of what names it.
    Note,
    /// Nothing by itself: it belongs to something else, or only has arrows.
    Part,
}

/// What a thing is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Theme {
    /// It connects.
    Network,
    /// It computes.
    Compute,
    /// It takes requests and hands them on.
    Traffic,
    /// It says who is who, and who may do what.
    Identity,
    /// It is in a cluster.
    Workload,
    /// Anything else.
    Other,
}

/// What leads from one thing to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrow {
    /// From where.
    pub from: End,
    /// To where.
    pub to: End,
    /// What it means.
    pub relation: Relation,
    /// The kinds that what attributes name here has to be of; empty if any.
    pub kinds: &'static [&'static str],
    /// The attributes that say what it carries.
    pub label: &'static [&'static str],
}

/// An end of an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The thing itself.
    Itself,
    /// What this attribute names.
    Named(&'static str),
    /// What somebody else makes the thing for.
    Makers,
    /// The doors of the network that it is in, if what it stands in leads to them.
    Doors,
}

/// What an arrow means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// Packets find their way so. Not drawn: a lane tells where its way leads.
    Way,
    /// Requests go so.
    Traffic,
    /// One may reach the other; drawn between accounts alone, and without a head.
    Admission,
    /// One believes what the other says.
    Trust,
}

impl Depiction {
    /// A box with nothing to be told of it, in its account.
    pub const THING: Self = Self {
        title: "",
        form: Form::Thing,
        theme: Theme::Other,
        within: &[],
        details: &[],
        gist: None,
        arrows: &[],
    };
    /// Nothing by itself.
    pub const PART: Self = Self { form: Form::Part, ..Self::THING };

    /// Returns every attribute that it names.
    pub fn attributes(&self) -> impl Iterator<Item = &'static str> {
        let zones = match self.form {
            Form::Lane { zone } => zone,
            Form::Network | Form::Door | Form::Frame | Form::Thing | Form::Note | Form::Part => &[],
        };
        let ends = self.arrows.iter().flat_map(|arrow| [arrow.from, arrow.to]);
        let named = ends.filter_map(|end| match end {
            End::Named(attribute) => Some(attribute),
            End::Itself | End::Makers | End::Doors => None,
        });
        let labels = self.arrows.iter().flat_map(|arrow| arrow.label);
        let lists = zones.iter().chain(self.within).chain(self.details).chain(&self.gist).chain(labels);
        lists.copied().chain(named)
    }
}

impl Arrow {
    /// Makes an arrow between any kinds.
    #[must_use]
    pub const fn new(relation: Relation, from: End, to: End) -> Self {
        Self { from, to, relation, kinds: &[], label: &[] }
    }

    /// Draws it only between what attributes name of these kinds.
    #[must_use]
    pub const fn of(self, kinds: &'static [&'static str]) -> Self {
        Self { kinds, ..self }
    }

    /// Says what it carries.
    #[must_use]
    pub const fn labelled(self, label: &'static [&'static str]) -> Self {
        Self { label, ..self }
    }
}

/// Plans a spec as if nothing of it were there yet: all inputs, as far as they can be known. Reads
/// nothing, and is the same each time.
///
/// # Errors
/// If the spec cannot be planned.
pub fn plan_of(spec: &Spec, registry: &Registry) -> Result<Plan, RunError> {
    plan_of_nothing(registry, spec)
}

/// Returns the resources that an attribute of a resource is made of as it is written, also where the
/// value is known without them.
#[must_use]
pub fn named_by(node: &ResourceNode, attribute: &str) -> BTreeSet<Address> {
    let Some(template) = node.attributes.get(attribute) else { return BTreeSet::new() };
    let asked = Asked::default();
    // What cannot be evaluated without values has been asked for nevertheless.
    drop(template.evaluate(&asked));
    asked.0.into_inner()
}

/// Knows nothing, and notes what was asked.
#[derive(Default)]
struct Asked(RefCell<BTreeSet<Address>>);

impl Scope for Asked {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        self.0.borrow_mut().insert(address.clone());
        Value::unknown(address.clone(), attribute)
    }

    fn stack_id(&self) -> Value {
        Value::from("")
    }
}
