//! Reads what is written inline: a table, a list, or a list of tables whose parts become resources of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{Address, ComponentPath};
use crate::diagnostic::{Diagnostic, Span};
use crate::schema::{Expansion, ExpansionShape, KindSchema};
use crate::spec::evaluator::Evaluator;
use crate::spec::expression::evaluate::Evaluation;
use crate::spec::pattern::{Content, Pattern};
use crate::spec::reserved;
use crate::spec::resource_block::unknown_attribute;
use crate::spec::sensitivity::{Extent, Sensitivity, check_keys, sensitive_key};
use crate::spec::world::Each;
use crate::value::{Unknown, Value, ValueMap};

/// An attribute that expands, and what it expands to.
pub(crate) struct Inline<'a> {
    pub(crate) expansion: &'a Expansion,
    /// Of the children.
    pub(crate) schema: &'a KindSchema,
    pub(crate) pattern: &'a Arc<Pattern>,
    pub(crate) parent: &'a Address,
}

/// One child, before it has an address.
pub(crate) struct Item {
    pub(crate) key: String,
    /// Where it is written.
    pub(crate) span: Span,
    /// What the inline form says of it.
    pub(crate) attributes: BTreeMap<String, Arc<Pattern>>,
    /// What it is made of, if the attributes do not name everything that it comes from.
    pub(crate) source: Option<Arc<Pattern>>,
}

impl Item {
    /// Makes a child of which one attribute is written.
    fn single(key: String, attribute: &str, pattern: Arc<Pattern>) -> Self {
        let span = pattern.span;
        Self { key, span, attributes: BTreeMap::from([(attribute.to_owned(), pattern)]), source: None }
    }
}

impl Evaluator<'_> {
    /// Returns the children that an inline attribute describes; problems are reported.
    pub(crate) fn items(&mut self, inline: &Inline<'_>, each: Option<&Each>) -> Vec<Item> {
        let items = match inline.expansion.shape {
            ExpansionShape::Entries { key, value } | ExpansionShape::Policies { key, value } => {
                self.entry_items(inline, each, key, value)
            }
            ExpansionShape::Items { value } => self.single_items(inline, each, value),
            ExpansionShape::Tables { name, .. } => self.table_items(inline, each, name),
        };
        self.without_duplicates(items, inline.expansion, inline.parent)
    }

    /// Returns the value of the inline form; one that cannot be expanded is reported.
    fn inline_value(&mut self, inline: &Inline<'_>, each: Option<&Each>) -> Option<Value> {
        let value = self.evaluate(inline.pattern, each, Some(inline.parent))?;
        // The number of items is to be seen in any case.
        let whole = self.world.sensitivity(inline.pattern, each).extent == Extent::Whole;
        let problem = if whole {
            Some(sensitive_key(inline.pattern.span))
        } else {
            check_inline(inline.expansion, inline.pattern, &value)
        };
        let Some(diagnostic) = problem else {
            return self.has_room_for(value.length(), inline.pattern.span).then_some(value);
        };
        self.report(diagnostic, Some(inline.parent));
        None
    }

    fn entry_items(&mut self, inline: &Inline<'_>, each: Option<&Each>, key: &str, value: &str) -> Vec<Item> {
        let Some(Value::Map(entries)) = self.inline_value(inline, each) else { return Vec::new() };
        let sensitivity = self.world.sensitivity(inline.pattern, each);
        let item = |(name, pattern): (String, Arc<Pattern>)| {
            let mut item = Item::single(name, value, pattern);
            let name = Pattern::constant(item.span, Value::from(item.key.as_str()));
            item.attributes.insert(key.to_owned(), name);
            item.source = (!inline.pattern.is_literal()).then(|| inline.pattern.clone());
            item
        };
        inline.pattern.entries(&entries, sensitivity).into_iter().map(item).collect()
    }

    fn single_items(&mut self, inline: &Inline<'_>, each: Option<&Each>, value: &str) -> Vec<Item> {
        let Some(Value::List(values)) = self.inline_value(inline, each) else { return Vec::new() };
        let sensitivity = self.world.sensitivity(inline.pattern, each);
        let patterns = inline.pattern.items(&values, sensitivity);
        let mut items = Vec::with_capacity(values.len());
        let keys = item_keys(&values, inline.parent.component());
        for ((key, pattern), found) in keys.into_iter().zip(patterns).zip(&values) {
            if self.world.sensitivity(&pattern, each).is_any() {
                self.report(sensitive_key(pattern.span), Some(inline.parent));
                continue;
            }
            let names_all = inline.pattern.is_literal() || matches!(found, Value::Unknown(_));
            let source = (!names_all).then(|| inline.pattern.clone());
            items.push(Item { source, ..Item::single(key, value, pattern) });
        }
        items
    }

    /// A list that is written out is read table by table, so that a mistake in one of them does
    /// not hide those in the others.
    fn table_items(&mut self, inline: &Inline<'_>, each: Option<&Each>, name: &str) -> Vec<Item> {
        let tables = match &inline.pattern.content {
            Content::List(tables) => tables.clone(),
            Content::Constant(_)
            | Content::Expression(_)
            | Content::Text(_)
            | Content::Table(_)
            | Content::Layers(_)
            | Content::Item(..)
            | Content::Sealed(_)
            | Content::Member(_)
            | Content::Broken => {
                let Some(Value::List(values)) = self.inline_value(inline, each) else { return Vec::new() };
                inline.pattern.items(&values, self.world.sensitivity(inline.pattern, each))
            }
        };
        let mut items = Vec::with_capacity(tables.len());
        for (position, table) in tables.iter().enumerate() {
            let Some(entries) = self.table_entries(inline, each, table) else { continue };
            let named = entries.iter().find(|(entry, _)| entry == name);
            // What must not be shown names nothing.
            let named = named.filter(|(_, pattern)| !self.world.sensitivity(pattern, each).is_any());
            let key = named.and_then(|(_, pattern)| self.known_text(pattern, each));
            let key = key.unwrap_or_else(|| position.to_string());
            let source = [inline.pattern, table].into_iter().find(|written| !written.is_literal());
            items.push(Item { source: source.cloned(), ..self.table_item(inline, key, entries, table) });
        }
        items
    }

    /// Returns the attributes in a table; what is no table is reported.
    fn table_entries(
        &mut self,
        inline: &Inline<'_>,
        each: Option<&Each>,
        table: &Arc<Pattern>,
    ) -> Option<Vec<(String, Arc<Pattern>)>> {
        if let Content::Table(_) = table.content {
            return Some(table.entries(&ValueMap::new(), Sensitivity::default()));
        }
        let value = self.evaluate(table, each, Some(inline.parent))?;
        let sensitivity = self.world.sensitivity(table, each);
        if let Some(problem) = check_keys(&value, sensitivity, table.span) {
            self.report(problem, Some(inline.parent));
            return None;
        }
        if let Value::Map(entries) = &value {
            return Some(table.entries(entries, sensitivity));
        }
        self.report(no_table(inline.expansion, &value, table.span), Some(inline.parent));
        None
    }

    /// Returns the text that a pattern comes to, if it is known and not empty.
    fn known_text(&self, pattern: &Pattern, each: Option<&Each>) -> Option<String> {
        let value = Evaluation::new(&self.world, each, &self.scope).pattern(pattern).ok()?;
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Returns the child that a table describes; attributes that it cannot have are reported.
    fn table_item(
        &mut self,
        inline: &Inline<'_>,
        key: String,
        entries: Vec<(String, Arc<Pattern>)>,
        table: &Pattern,
    ) -> Item {
        let Inline { expansion, schema, parent, .. } = *inline;
        let mut item = Item { key, span: table.span, attributes: BTreeMap::new(), source: None };
        for (name, value) in entries {
            if expansion.takes(&name) && schema.input(&name).is_some() {
                item.attributes.insert(name, value);
                continue;
            }
            let span = table.locate_key(&name);
            let (mut diagnostic, meant) = wrong_attribute(inline, &name, span);
            if span == table.span && diagnostic.detail.is_empty() {
                // The place does not show the word.
                diagnostic = diagnostic.with_detail(format!("The attribute is `{}`.", name.escape_debug()));
            }
            self.report(diagnostic, Some(parent));
            if let Some(meant) = meant.filter(|meant| expansion.takes(meant)) {
                // It is not missing, only misspelled.
                let broken = || Arc::new(Pattern { span, content: Content::Broken });
                item.attributes.entry(meant).or_insert_with(broken);
            }
        }
        item
    }

    fn without_duplicates(&mut self, items: Vec<Item>, expansion: &Expansion, parent: &Address) -> Vec<Item> {
        let mut first: BTreeMap<String, Span> = BTreeMap::new();
        let mut unique = Vec::with_capacity(items.len());
        for item in items {
            if let Some(span) = first.get(&item.key) {
                let diagnostic = Diagnostic::error("duplicate-item", "duplicate item")
                    .with_span(item.span, format!("`{}` is there twice", item.key.escape_debug()))
                    .with_related(*span, "first here")
                    .with_detail(format!(
                        "Each item of `{}` becomes a resource of its own.",
                        expansion.attribute
                    ));
                self.report(diagnostic, Some(parent));
                continue;
            }
            first.insert(item.key.clone(), item.span);
            unique.push(item);
        }
        unique
    }
}

/// Describes an attribute that a table cannot have, and returns the attribute that was meant.
fn wrong_attribute(inline: &Inline<'_>, name: &str, span: Span) -> (Diagnostic, Option<String>) {
    let Inline { expansion, schema, parent, .. } = *inline;
    let (attribute, kind) = (expansion.attribute, schema.kind.as_str());
    let given = Diagnostic::error("given-attribute", "attribute that is given already");
    if name == expansion.parent_attribute {
        let label = format!("`{name}` follows from where the table stands: inside `{}`", parent.block());
        return (given.with_span(span, label).with_hint("Leave it out."), None);
    }
    if let Some((_, value)) = expansion.constants().iter().find(|(constant, _)| *constant == name) {
        let label = format!("in `{attribute}`, `{name}` is always `{value}`");
        return (given.with_span(span, label).with_hint("Leave it out."), None);
    }
    if reserved::names(reserved::ANY_RESOURCE).contains(&name) {
        let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
            .with_span(span, format!("`{name}` belongs to a whole block"))
            .with_detail(format!("A table in `{attribute}` has the attributes of `{kind}` alone."))
            .with_hint(format!("Write it below `[{}]`.", parent.block()));
        return (diagnostic, None);
    }
    let names = schema.inputs.iter().map(|attribute| attribute.name);
    let names: Vec<_> = names.filter(|name| expansion.takes(name)).collect();
    unknown_attribute(name, span, schema, &names)
}

/// Returns why the value of an inline attribute cannot be expanded.
fn check_inline(expansion: &Expansion, pattern: &Pattern, value: &Value) -> Option<Diagnostic> {
    if let Value::Unknown(unknown) = value {
        let detail = format!(
            "Each item of `{}` becomes a resource of its own, so their number has to be known.",
            expansion.attribute
        );
        let diagnostic = Diagnostic::error("unknown-length", "list whose length is not known");
        return Some(diagnostic.with_span(pattern.span, known_late(unknown)).with_detail(detail));
    }
    let mismatch = expansion.attribute_type().check(value).err()?;
    let label = format!("expected {}, found {}", mismatch.expected, mismatch.found);
    let span = pattern.locate(&mismatch.path);
    Some(Diagnostic::error("wrong-type", "wrong type").with_span(span, label))
}

/// Describes something in a list of tables that is none, or none yet.
fn no_table(expansion: &Expansion, value: &Value, span: Span) -> Diagnostic {
    let Value::Unknown(unknown) = value else {
        let label = format!("expected a table, found {}", value.type_name());
        return Diagnostic::error("wrong-type", "wrong type").with_span(span, label);
    };
    let detail = format!(
        "Each table of `{}` becomes a resource of its own: which attributes it has must be known, their \
         values need not.",
        expansion.attribute
    );
    let diagnostic = Diagnostic::error("unknown-table", "table whose attributes are not known");
    diagnostic.with_span(span, known_late(unknown)).with_detail(detail)
}

fn known_late(unknown: &Unknown) -> String {
    format!("depends on `{}`, which is known only after apply", unknown.origin)
}

/// Names the items of a list: what is known by itself, the rest by where it comes from.
fn item_keys(values: &[Value], component: &ComponentPath) -> Vec<String> {
    let origin = |value| {
        if let &Value::Unknown(Unknown { ref origin, .. }) = value { Some(&origin.address) } else { None }
    };
    let keyed_block = |value| origin(value).and_then(|address| address.key().map(|_| address.block()));
    let blocks: Option<Vec<_>> = values.iter().map(keyed_block).collect();
    let one_block = blocks.is_some_and(|blocks| blocks.windows(2).all(|pair| pair[0] == pair[1]));
    let name = |value| match origin(value) {
        Some(address) if one_block => address.key().unwrap_or_default().to_owned(),
        // Inside of a component, where that is used does not matter.
        Some(address) if address.component() == component => {
            address.clone().within(ComponentPath::default()).to_string()
        }
        Some(address) => address.to_string(),
        None => value.as_str().unwrap_or_default().to_owned(),
    };
    values.iter().map(name).collect()
}
