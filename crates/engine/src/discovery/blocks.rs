//! A block for each thing: references in the place of ids, parts inside of what they are parts of.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{AccountName, Kind, RemoteId};
use crate::discovery::toml::{Text, quoted, toml};
use crate::discovery::{Discovered, Named};
use crate::erased::{AnyResource, ObservedValues};
use crate::registry::Registry;
use crate::resource::{ADDRESS_TAG, OPERATION_TAG, STACK_TAG};
use crate::schema::{AttributeSchema, AttributeType, Expansion, ExpansionShape};
use crate::spec::Spec;
use crate::value::{Value, ValueMap};

/// What a part is written in: the things that have parts, and how each sort of part is told.
pub(super) struct Wholes<'a> {
    /// By the kind of the part: the kind of the whole, and how it has such parts.
    expansions: BTreeMap<&'a str, Vec<(&'a str, &'a Expansion)>>,
    /// By account, kind and id: the position of a thing.
    things: BTreeMap<(AccountName, Kind, RemoteId), usize>,
}

impl<'a> Wholes<'a> {
    /// Starts without a thing.
    pub(super) fn of(registry: &'a Registry) -> Self {
        let mut expansions = BTreeMap::<_, Vec<_>>::new();
        for schema in registry.kinds().map(|kind| kind.schema()) {
            for expansion in &schema.expansions {
                expansions.entry(expansion.child_kind).or_default().push((schema.kind.as_str(), expansion));
            }
        }
        Self { expansions, things: BTreeMap::new() }
    }

    /// Adds a thing that can have parts.
    pub(super) fn add(&mut self, account: &AccountName, kind: &Kind, id: &RemoteId, position: usize) {
        self.things.insert((account.clone(), kind.clone(), id.clone()), position);
    }

    /// Returns the thing that another one is a part of, and the attribute that it is written in.
    pub(super) fn part_of(
        &self,
        account: &AccountName,
        kind: &str,
        observed: &ObservedValues,
    ) -> Option<(usize, &'static str)> {
        let text = |name: &str| observed.inputs.get(name).and_then(Value::as_str);
        let mut expansions = self.expansions.get(kind).into_iter().flatten();
        expansions.find_map(|(whole, expansion)| {
            let parent = RemoteId::new(text(expansion.parent_attribute)?);
            let mut constants = expansion.constants().iter();
            if !constants.all(|(name, value)| text(name) == Some(*value)) {
                return None;
            }
            let position = self.things.get(&(account.clone(), Kind::new(*whole), parent))?;
            Some((*position, expansion.attribute))
        })
    }
}

impl Discovered {
    /// Returns the blocks of each account, laid out as `fmt` does.
    #[must_use]
    pub fn blocks(&self, spec: &Spec, registry: &Registry) -> BTreeMap<AccountName, String> {
        let writer = Writer {
            things: &self.things,
            spec,
            registry,
            ids: ids(&self.things),
            parts: parts(&self.things),
        };
        let mut blocks: BTreeMap<AccountName, String> = BTreeMap::new();
        for (position, thing) in self.things.iter().enumerate().filter(|(_, thing)| thing.part_of.is_none()) {
            let Some(kind) = registry.kind(thing.kind.as_str()) else { continue };
            let block = writer.block(position, thing, &**kind);
            let text = blocks
                .entry(thing.account.clone())
                .or_insert_with(|| format!("[defaults]\naccount = {}\n", quoted(thing.account.as_str())));
            text.push('\n');
            text.push_str(&block);
        }
        blocks
    }
}

/// What an id or an ARN is: the attribute of a thing.
type Ids = BTreeMap<String, Vec<(usize, &'static str)>>;

fn ids(things: &[Named]) -> Ids {
    let mut ids = Ids::new();
    for (position, thing) in things.iter().enumerate().filter(|(_, thing)| thing.part_of.is_none()) {
        ids.entry(thing.id.to_string()).or_default().push((position, "id"));
        if let Some(arn) = thing.observed.outputs.get("arn").and_then(Value::as_str)
            && arn != thing.id.as_str()
        {
            ids.entry(arn.to_owned()).or_default().push((position, "arn"));
        }
    }
    ids
}

/// By thing and attribute: the parts that are written in it.
type Parts = BTreeMap<(usize, &'static str), Vec<usize>>;

fn parts(things: &[Named]) -> Parts {
    let mut parts = Parts::new();
    for (position, thing) in things.iter().enumerate() {
        if let Some(whole) = thing.part_of {
            parts.entry(whole).or_default().push(position);
        }
    }
    parts
}

struct Writer<'a> {
    things: &'a [Named],
    spec: &'a Spec,
    registry: &'a Registry,
    ids: Ids,
    parts: Parts,
}

impl Writer<'_> {
    fn block(&self, position: usize, thing: &Named, kind: &dyn AnyResource) -> String {
        let schema = kind.schema();
        let mut lines: Vec<(String, String)> = Vec::new();
        for (name, text) in
            self.attributes(position, &schema.inputs, &thing.observed.inputs, &BTreeSet::new())
        {
            lines.push((name, toml(&text)));
        }
        for expansion in &schema.expansions {
            if let Some(text) = self.parts(position, expansion) {
                lines.push((expansion.attribute.to_owned(), text));
            }
        }
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let lines: Vec<_> =
            lines.into_iter().map(|(name, text)| format!("{name:width$} = {text}\n")).collect();
        format!("[{}]\n{}", thing.address, lines.concat())
    }

    /// Returns what a block has to say of a thing: what is not as it is anyway.
    fn attributes(
        &self,
        position: usize,
        schema: &[AttributeSchema],
        values: &ValueMap,
        given: &BTreeSet<&str>,
    ) -> Vec<(String, Text)> {
        let owners: BTreeSet<_> = schema
            .iter()
            .filter(|attribute| self.names_a_thing(position, attribute, values))
            .filter_map(|attribute| attribute.owner)
            .collect();
        let said = schema.iter().filter(|attribute| {
            let name = attribute.name;
            !given.contains(name) && !owners.contains(name)
        });
        let text = |attribute: &AttributeSchema| {
            let value = values.get(attribute.name)?;
            let is_default = attribute
                .default
                .as_ref()
                .is_some_and(|default| attribute.attribute_type.form().same(default, value));
            let is_empty = value.as_list().is_some_and(<[Value]>::is_empty)
                || value.as_map().is_some_and(ValueMap::is_empty)
                || value.as_str() == Some("");
            if value.is_null() || is_default || (is_empty && !attribute.required) {
                return None;
            }
            let text = if matches!(attribute.attribute_type, AttributeType::Tags) {
                tags(value)?
            } else {
                self.text(position, attribute, value)
            };
            Some((attribute.name.to_owned(), text))
        };
        said.filter_map(text).collect()
    }

    fn names_a_thing(&self, position: usize, attribute: &AttributeSchema, values: &ValueMap) -> bool {
        let value = values.get(attribute.name).and_then(Value::as_str);
        value.is_some_and(|value| self.reference(position, attribute, value).is_some())
    }

    fn text(&self, position: usize, attribute: &AttributeSchema, value: &Value) -> Text {
        match (&attribute.attribute_type, value) {
            (_, Value::String(text)) => match self.reference(position, attribute, text) {
                Some(reference) => Text::Expression(reference),
                None => Text::Value(value.clone()),
            },
            (AttributeType::Object(members), Value::Map(values)) => {
                Text::Table(self.attributes(position, members, values, &BTreeSet::new()))
            }
            (AttributeType::List(item) | AttributeType::Set(item), Value::List(items)) => {
                let of = AttributeSchema { attribute_type: (**item).clone(), ..attribute.clone() };
                Text::List(items.iter().map(|item| self.text(position, &of, item)).collect())
            }
            (_, Value::List(items)) => {
                Text::List(items.iter().map(|item| self.text(position, attribute, item)).collect())
            }
            (_, Value::Map(entries)) => Text::Table(
                entries
                    .iter()
                    .map(|(name, value)| (name.clone(), self.text(position, attribute, value)))
                    .collect(),
            ),
            (_, Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Unknown(_)) => {
                Text::Value(value.clone())
            }
        }
    }

    /// Returns the expression for what an attribute names, if that is something of the spec.
    fn reference(&self, position: usize, attribute: &AttributeSchema, text: &str) -> Option<String> {
        if text.len() == 12
            && let Some(account) = self.spec.accounts.values().find(|account| account.id == text)
        {
            return Some(format!("account.{}.id", account.name));
        }
        let whole = self.things[position].part_of.map_or(position, |(whole, _)| whole);
        let found = self.ids.get(text)?.iter().find(|(other, output)| {
            let kind = self.things[*other].kind.as_str();
            let fits = if attribute.refers_to.is_empty() {
                // A name could be anybody's.
                *output == "arn" || text.starts_with("arn:") || is_id(text)
            } else {
                *output == "arn" || attribute.refers_to.contains(&kind)
            };
            fits && *other != whole
        })?;
        Some(format!("{}.{}", self.things[found.0].address, found.1))
    }

    /// Returns the parts of a thing that one of its attributes has; `None` if there are none.
    fn parts(&self, whole: usize, expansion: &Expansion) -> Option<String> {
        let positions = self.parts.get(&(whole, expansion.attribute))?;
        let mut parts: Vec<_> =
            positions.iter().map(|position| (*position, &self.things[*position])).collect();
        let schema = self.registry.kind(expansion.child_kind)?.schema();
        let text = |position: usize, part: &Named, name: &str| {
            let value = part.observed.inputs.get(name)?;
            Some(self.text(position, schema.input(name)?, value))
        };
        Some(match &expansion.shape {
            ExpansionShape::Entries { key, value } | ExpansionShape::Policies { key, value } => {
                let entries = parts.iter().filter_map(|(position, part)| {
                    let key = part.observed.inputs.get(*key)?.as_str()?.to_owned();
                    Some((key, text(*position, part, value)?))
                });
                toml(&Text::Table(entries.collect()))
            }
            ExpansionShape::Items { value } => {
                let items = parts.iter().filter_map(|(position, part)| text(*position, part, value));
                toml(&Text::List(items.collect()))
            }
            ExpansionShape::Tables { constants, .. } => {
                let given: BTreeSet<_> =
                    constants.iter().map(|(name, _)| *name).chain([expansion.parent_attribute]).collect();
                // Those with a description come first, so that the others keep their positions.
                parts.sort_by_key(|(_, part)| !part.observed.inputs.contains_key("description"));
                let tables = parts.iter().map(|(position, part)| {
                    let attributes =
                        self.attributes(*position, &schema.inputs, &part.observed.inputs, &given);
                    format!("  {},\n", toml(&Text::Table(attributes)))
                });
                format!("[\n{}]", tables.collect::<String>())
            }
        })
    }
}

/// Tells whether a text looks like an id that no two things have: `vpc-0a1b2c3d`.
fn is_id(text: &str) -> bool {
    text.rsplit_once('-')
        .is_some_and(|(_, digits)| digits.len() >= 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Returns tags without those of a stack, which it sets by itself.
fn tags(value: &Value) -> Option<Text> {
    let ours = [STACK_TAG, ADDRESS_TAG, OPERATION_TAG];
    let tags: ValueMap = value
        .as_map()?
        .iter()
        .filter(|(key, _)| !ours.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    (!tags.is_empty()).then_some(Text::Value(Value::Map(tags)))
}
