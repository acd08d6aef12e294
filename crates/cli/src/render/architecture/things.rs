//! The resources of a spec, as a picture asks for them: what each is, what it names, what is worth telling.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::address::Address;
use straddle_engine::depiction::{Depiction, End, Form, Relation, named_by};
use straddle_engine::plan::Plan;
use straddle_engine::registry::Registry;
use straddle_engine::sharing::Sharing;
use straddle_engine::spec::{ResourceNode, Spec};
use straddle_engine::value::{Value, ValueMap};

use crate::safe::Safe;

/// What the kinds of lookups begin with.
const LOOKUP: &str = "lookup.";
/// Through how many things it is looked for what something belongs to.
const FARTHEST: usize = 6;

/// The resources of a spec.
pub(super) struct Things<'a> {
    pub(super) spec: &'a Spec,
    registry: &'a Registry,
    inputs: BTreeMap<&'a Address, &'a ValueMap>,
    /// What needs each of them.
    needed_by: BTreeMap<&'a Address, BTreeSet<&'a Address>>,
    named: RefCell<BTreeMap<(Address, &'static str), BTreeSet<Address>>>,
}

impl<'a> Things<'a> {
    /// `plan` is one as if nothing were there.
    pub(super) fn new(spec: &'a Spec, registry: &'a Registry, plan: &'a Plan) -> Self {
        let changes = plan.changes.iter().map(|change| (&change.address, &change.inputs));
        let lookups = plan.lookups.iter().map(|lookup| (&lookup.address, &lookup.inputs));
        let mut needed_by = BTreeMap::<_, BTreeSet<_>>::new();
        for node in spec.resources.values() {
            for needed in node.dependencies.difference(&node.depends_on) {
                needed_by.entry(needed).or_default().insert(&node.address);
            }
        }
        let inputs = changes.chain(lookups).collect();
        Self { spec, registry, inputs, needed_by, named: RefCell::default() }
    }

    pub(super) fn node(&self, address: &Address) -> Option<&'a ResourceNode> {
        self.spec.resources.get(address)
    }

    /// Tells whether somebody else has it.
    pub(super) fn is_found(&self, address: &Address) -> bool {
        self.node(address).is_some_and(|node| node.kind.as_str().starts_with(LOOKUP))
    }

    /// Returns what a resource is in a picture; what is looked up is what it would be if it were ours.
    pub(super) fn depiction(&self, address: &Address) -> Depiction {
        let Some(node) = self.node(address) else { return Depiction::PART };
        let kind = node.kind.as_str();
        let Some(found) = kind.strip_prefix(LOOKUP) else {
            return self.registry.kind(kind).map_or(Depiction::THING, |kind| kind.depiction());
        };
        let one = self.registry.kind(found).or_else(|| self.registry.kind(found.strip_suffix('s')?));
        one.map_or(Depiction::PART, |kind| kind.depiction())
    }

    pub(super) fn sharing(&self) -> Option<&'a Sharing> {
        self.registry.sharing()
    }

    pub(super) fn form(&self, address: &Address) -> Form {
        self.depiction(address).form
    }

    /// Returns what people call such a thing.
    pub(super) fn title(&self, address: &Address) -> String {
        let title = self.depiction(address).title;
        let kind = || self.node(address).map_or("", |node| node.kind.as_str());
        if title.is_empty() { words(kind().trim_start_matches(LOOKUP)) } else { title.to_owned() }
    }

    /// Returns what an attribute names.
    pub(super) fn named(&self, address: &Address, attribute: &'static str) -> BTreeSet<Address> {
        let Some(node) = self.node(address) else { return BTreeSet::new() };
        let key = (address.clone(), attribute);
        let known = self.named.borrow().get(&key).cloned();
        known.unwrap_or_else(|| {
            let named = named_by(node, attribute);
            self.named.borrow_mut().insert(key, named.clone());
            named
        })
    }

    /// Returns what a part or a note belongs to: something that is drawn.
    pub(super) fn owner(&self, address: &Address) -> Option<Address> {
        self.owner_within(address, FARTHEST)
    }

    fn owner_within(&self, address: &Address, farthest: usize) -> Option<Address> {
        match self.form(address) {
            Form::Note | Form::Part => {}
            Form::Network | Form::Lane { .. } | Form::Door | Form::Frame | Form::Thing => {
                return Some(address.clone());
            }
        }
        let nearer = farthest.checked_sub(1)?;
        let up = |above: &Address| self.owner_within(above, nearer);
        let named =
            self.depiction(address).within.iter().flat_map(|attribute| self.named(address, attribute));
        let mut above = address.parent().into_iter().chain(named);
        above.find_map(|above| up(&above)).or_else(|| {
            let is_note = self.form(address) == Form::Note;
            let mut below = self.needed_by.get(address).into_iter().flatten().filter(|_| is_note);
            below.find_map(|below| up(below))
        })
    }

    /// Returns what can be told of an attribute, if it is known and nobody wants it hidden.
    pub(super) fn value(&self, address: &Address, attribute: &str) -> Option<String> {
        let node = self.node(address)?;
        let schema = self.registry.kind(node.kind.as_str()).map(|kind| kind.schema());
        let known = schema.and_then(|schema| schema.input(attribute));
        let is_hidden = known.is_some_and(|known| known.is_hidden(&node.lifecycle.sensitive));
        let is_hidden = is_hidden || node.lifecycle.sensitive.contains(attribute);
        let value = self.inputs.get(address)?.get(attribute).filter(|_| !is_hidden)?;
        told(value).map(|text| Safe(text).to_string())
    }

    /// Returns its name: as the service has it, by its tag, or as the spec calls it.
    pub(super) fn name(&self, address: &Address) -> String {
        let tag = || {
            let node = self.node(address).filter(|node| !node.lifecycle.sensitive.contains("tags"))?;
            let tags = self.inputs.get(&node.address)?.get("tags")?.as_map()?;
            tags.get("Name").and_then(told).map(|name| Safe(name).to_string())
        };
        self.value(address, "name").or_else(tag).unwrap_or_else(|| called(address))
    }

    /// Returns where ways lead, step by step.
    pub(super) fn ways(&self) -> BTreeMap<Address, BTreeSet<Address>> {
        let mut ways = BTreeMap::<_, BTreeSet<_>>::new();
        for address in self.spec.resources.keys() {
            for arrow in self.depiction(address).arrows.iter().filter(|arrow| arrow.relation == Relation::Way)
            {
                for from in self.end(address, arrow.from) {
                    ways.entry(from).or_default().extend(self.end(address, arrow.to));
                }
            }
        }
        ways
    }

    /// Returns the things at an end of an arrow; doors depend on the place.
    pub(super) fn end(&self, address: &Address, end: End) -> BTreeSet<Address> {
        match end {
            End::Itself => BTreeSet::from([address.clone()]),
            End::Named(attribute) => self.named(address, attribute),
            End::Makers => {
                self.node(address).and_then(|node| node.lifecycle.made_by.clone()).unwrap_or_default()
            }
            End::Doors => BTreeSet::new(),
        }
    }
}

/// Returns a name as words.
pub(super) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// Returns what the spec calls a resource, without its kind; before it, which instance of a component it is in.
pub(super) fn called(address: &Address) -> String {
    let component = address.component();
    let words = component.key().or(component.name()).into_iter();
    let words = words.chain([&*address.block().name]).chain(address.key());
    Safe(words.collect::<Vec<_>>().join(" ")).to_string()
}

/// Returns a detail; a bare number with what it is of.
pub(super) fn detail(attribute: &str, value: String) -> String {
    let is_number = value.chars().all(|character| character.is_ascii_digit() || character == '.');
    if is_number { format!("{} {value}", words(attribute)) } else { value }
}

/// Returns a value in as few words as will do; `None` if it is nothing, or not known.
fn told(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Unknown(_) => None,
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::List(items) => {
            let items: Vec<_> = items.iter().filter_map(told).collect();
            Some(items.join(", ")).filter(|text| !text.is_empty())
        }
        Value::Map(entries) => {
            let entries = entries.iter().filter_map(|(key, value)| Some(format!("{key} {}", told(value)?)));
            let entries: Vec<_> = entries.collect();
            Some(entries.join(", ")).filter(|text| !text.is_empty())
        }
    }
}
