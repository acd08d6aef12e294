//! A block for each thing: references in the place of ids, parts inside of what they are parts of.

use std::collections::{BTreeMap, BTreeSet};

use crate::discovery::Named;
use crate::discovery::references::References;
use crate::discovery::toml::{Text, quoted, toml};
use crate::erased::AnyResource;
use crate::registry::Registry;
use crate::resource::{ADDRESS_TAG, OPERATION_TAG, STACK_TAG};
use crate::schema::{AttributeSchema, AttributeType, Expansion, ExpansionShape};
use crate::spec::Spec;
use crate::value::{Value, ValueMap};

/// By thing and attribute: the parts that are written in it.
type Parts = BTreeMap<(usize, &'static str), Vec<usize>>;

/// Writes blocks.
pub(super) struct Writer<'a> {
    things: &'a [Named],
    spec: &'a Spec,
    registry: &'a Registry,
    references: References<'a>,
    parts: Parts,
}

impl<'a> Writer<'a> {
    /// Writes blocks of these things.
    pub(super) fn of(things: &'a [Named], spec: &'a Spec, registry: &'a Registry) -> Self {
        let mut parts = Parts::new();
        for (position, thing) in things.iter().enumerate() {
            if let Some(whole) = thing.part_of {
                parts.entry(whole).or_default().push(position);
            }
        }
        Self { things, spec, registry, references: References::of(things, &spec.accounts, registry), parts }
    }

    /// Returns the block of a thing, with its account if that is not the file's; `None` if its kind is not
    /// known.
    pub(super) fn block(&self, position: usize, is_elsewhere: bool) -> Option<String> {
        let thing = &self.things[position];
        let kind = &**self.registry.kind(thing.kind.as_str())?;
        let schema = kind.schema();
        let mut lines: Vec<(String, String)> = Vec::new();
        if is_elsewhere {
            lines.push(("account".to_owned(), quoted(thing.account.as_str())));
        }
        let inputs = self.with_shorthand(thing, kind);
        let given = schema.inputs.iter().filter(|attribute| self.follows_anyway(thing, kind, attribute));
        let given = given.map(|attribute| attribute.name).collect();
        for (name, text) in self.attributes(position, &schema.inputs, &inputs, &given) {
            lines.push((name, toml(&text)));
        }
        for expansion in &schema.expansions {
            if let Some(text) = self.parts(position, expansion) {
                lines.push((expansion.attribute.to_owned(), text));
            }
        }
        let needed = thing.needs.iter().filter_map(|(kind, id)| self.references.needed(position, kind, id));
        let needed: Vec<Text> = needed.map(|address| Text::Value(Value::from(address.to_string()))).collect();
        if !needed.is_empty() {
            lines.push(("depends_on".to_owned(), toml(&Text::List(needed))));
        }
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let lines: Vec<_> =
            lines.into_iter().map(|(name, text)| format!("{name:width$} = {text}\n")).collect();
        Some(format!("[{}]\n{}", thing.address, lines.concat()))
    }

    /// Returns the inputs of a thing, each once, and with shorthand where that stands for just what is there.
    fn with_shorthand(&self, thing: &Named, kind: &dyn AnyResource) -> ValueMap {
        let home = self.spec.home(&thing.account);
        let mut inputs = kind.essential(thing.observed.inputs.clone());
        for attribute in &kind.schema().inputs {
            let name = attribute.name;
            let Some(value) = inputs.get_mut(name) else { continue };
            let form = attribute.attribute_type.form();
            let stands_for_it = |short: &Value| {
                let alone = ValueMap::from([(name.to_owned(), short.clone())]);
                let whole = kind.canonical(home, alone).ok();
                whole.is_some_and(|whole| whole.get(name).is_some_and(|whole| form.same(whole, value)))
            };
            if let Some(short) = kind.shorthands(home, name, value).into_iter().find(stands_for_it) {
                *value = short;
            }
        }
        inputs
    }

    /// Tells whether an attribute is as another resource lets it be where nothing is written.
    fn follows_anyway(&self, thing: &Named, kind: &dyn AnyResource, attribute: &AttributeSchema) -> bool {
        let observed = &thing.observed;
        let followed = attribute.follows.as_ref().and_then(|follows| {
            let by = kind.schema().input(follows.by)?;
            let text = observed.inputs.get(follows.by)?.as_str()?;
            self.references.thing(by, text)?.observed.inputs.get(follows.attribute)
        });
        let left_out = followed.and_then(|followed| kind.follow(attribute.name, followed, Some(observed)));
        left_out.is_some() && left_out.as_ref() == observed.inputs.get(attribute.name)
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
            // Nothing is left of a table that is in all of it as it is anyway.
            let is_left = attribute.required || !matches!(&text, Text::Table(entries) if entries.is_empty());
            is_left.then(|| (attribute.name.to_owned(), text))
        };
        said.filter_map(text).collect()
    }

    fn names_a_thing(&self, position: usize, attribute: &AttributeSchema, values: &ValueMap) -> bool {
        let value = values.get(attribute.name).and_then(Value::as_str);
        value.is_some_and(|value| self.references.find(position, attribute, value).is_some())
    }

    fn text(&self, position: usize, attribute: &AttributeSchema, value: &Value) -> Text {
        match (&attribute.attribute_type, value) {
            (_, Value::String(text)) => match self.references.find(position, attribute, text) {
                Some(reference) => Text::Expression(reference),
                None => Text::Value(value.clone()),
            },
            (AttributeType::Object(members), Value::Map(values)) => {
                Text::Table(self.attributes(position, members, values, &BTreeSet::new()))
            }
            (AttributeType::List(item) | AttributeType::Set(item), Value::List(items)) => {
                let of = AttributeSchema { attribute_type: (**item).clone(), ..attribute.clone() };
                let mut items: Vec<_> = items.iter().map(|item| self.text(position, &of, item)).collect();
                if matches!(attribute.attribute_type, AttributeType::Set(_)) {
                    items.sort_by_cached_key(toml);
                }
                Text::List(items)
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
                let mut items: Vec<_> = items.collect();
                items.sort_by_cached_key(toml);
                toml(&Text::List(items))
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
