//! From blocks to atomic resources: `for_each`, then inline children.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{AccountName, Address};
use crate::diagnostic::{Diagnostic, Span};
use crate::schema::{Expansion, ExpansionShape};
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::order::Wait;
use crate::spec::pattern::{Content, Pattern};
use crate::spec::resource_block::ResourceBlock;
use crate::spec::world::{Each, Shape};
use crate::value::{AttributeReference, Unknown, Value};

/// One child, before it has an address.
struct Item {
    key: String,
    pattern: Arc<Pattern>,
}

impl Evaluator<'_> {
    /// Works out the resources of a block, without what they expand to.
    pub(crate) fn own(&mut self, block: &ResourceBlock) {
        let instances = match &block.for_each {
            None => {
                let address = Address::of_block(block.address.clone());
                self.world.shapes.insert(block.address.clone(), Shape::Single(address.clone()));
                vec![(address, None)]
            }
            Some(for_each) => {
                let Some(instances) = self.keyed_instances(block, for_each) else {
                    self.world.shapes.insert(block.address.clone(), Shape::Broken);
                    return;
                };
                let key = |address: &Address| Arc::from(address.key().expect("instances have keys"));
                let keyed = instances.iter().map(|(address, _)| (key(address), address.clone()));
                self.world.shapes.insert(block.address.clone(), Shape::Keyed(keyed.collect()));
                instances
            }
        };
        let attributes = self.with_tags(block);
        self.check_depends_on(block);
        let depends_on = self.depends_on(block);
        for (address, each) in instances {
            let account = self.account_of(block.account.as_ref(), each.as_deref(), &address, block.span);
            let Ok(account) = account else { continue };
            let draft = Draft {
                address,
                kind: block.address.kind.clone(),
                account,
                attributes: attributes.clone(),
                each,
                dependencies: depends_on.clone(),
                lifecycle: block.lifecycle.clone(),
                span: block.span,
            };
            self.add(draft, &*block.resource, Wait::Whole);
        }
    }

    /// Works out what the resources of a block expand to.
    pub(crate) fn expand(&mut self, block: &ResourceBlock) {
        let parents: Vec<_> = match self.world.shapes.get(&block.address) {
            Some(Shape::Single(address)) => vec![address.clone()],
            Some(Shape::Keyed(addresses)) => addresses.values().cloned().collect(),
            Some(Shape::Broken) | None => return,
        };
        let depends_on = self.depends_on(block);
        for parent in parents {
            let Some((account, each)) = self.account_and_each(&parent) else { continue };
            for (expansion, pattern) in &block.expansions {
                for item in self.items(expansion, pattern, each.as_deref(), &parent) {
                    let draft = Draft {
                        address: parent.child(expansion.role, item.key.as_str()),
                        kind: crate::address::Kind::new(expansion.child_kind),
                        account: account.clone(),
                        span: item.pattern.span,
                        attributes: child_attributes(expansion, &parent, item),
                        each: each.clone(),
                        dependencies: depends_on.iter().cloned().chain([parent.clone()]).collect(),
                        lifecycle: block.lifecycle.clone(),
                    };
                    let siblings = self.children.entry(parent.clone()).or_default();
                    siblings.push(draft.address.clone());
                    let resource = self.scope.registry.kind(expansion.child_kind).cloned();
                    let resource = resource.expect("the kind of every expansion is registered");
                    self.add(draft, &*resource, Wait::Parent);
                }
            }
        }
    }

    fn account_and_each(&self, parent: &Address) -> Option<(AccountName, Option<Arc<Each>>)> {
        self.drafts.get(parent).map(|draft| (draft.account.clone(), draft.each.clone()))
    }

    fn keyed_instances(
        &mut self,
        block: &ResourceBlock,
        for_each: &Arc<Pattern>,
    ) -> Option<Vec<(Address, Option<Arc<Each>>)>> {
        let value = self.evaluate(for_each, None, None)?;
        let instances = each_entries(for_each, &value).and_then(|entries| {
            let mut instances = BTreeMap::new();
            for (key, value) in entries {
                let key: Arc<str> = Arc::from(key);
                let address = Address::of_block(block.address.clone()).with_key(key.clone());
                let each = Arc::new(Each { key: key.clone(), value });
                if instances.insert(key.clone(), (address, Some(each))).is_some() {
                    return Err(format!("`{}` is there twice", key.escape_debug()));
                }
            }
            Ok(instances.into_values().collect())
        });
        instances.map_err(|label| self.diagnostics.push(bad_for_each(for_each.span, label))).ok()
    }

    /// Returns the block's attributes with the tags of the stack and of the file under its own.
    fn with_tags(&self, block: &ResourceBlock) -> BTreeMap<String, Arc<Pattern>> {
        let mut attributes = block.attributes.clone();
        if !block.resource.schema().has_tags() {
            return attributes;
        }
        let file = self.defaults.get(&block.span.source).and_then(|defaults| defaults.tags.clone());
        let mut layers: Vec<_> = self.stack_tags.iter().cloned().chain(file).collect();
        if layers.is_empty() {
            return attributes;
        }
        let own = attributes.remove("tags");
        let span = own.as_ref().map_or(block.span, |own| own.span);
        layers.extend(own);
        attributes.insert("tags".to_owned(), Arc::new(Pattern { span, content: Content::Layers(layers) }));
        attributes
    }

    /// Returns the children that an inline attribute describes; problems are reported.
    fn items(
        &mut self,
        expansion: &Expansion,
        pattern: &Arc<Pattern>,
        each: Option<&Each>,
        parent: &Address,
    ) -> Vec<Item> {
        let Some(value) = self.evaluate(pattern, each, Some(parent)) else { return Vec::new() };
        if let Some(diagnostic) = check_inline(expansion, pattern, &value) {
            self.report(diagnostic, Some(parent));
            return Vec::new();
        }
        let items = match (&expansion.shape, &value) {
            (ExpansionShape::Entries { .. }, Value::Map(entries)) => {
                let named = pattern.entries(entries).into_iter();
                named.map(|(key, pattern)| Item { key, pattern }).collect()
            }
            (ExpansionShape::Items { .. }, Value::List(values)) => {
                let named = item_keys(values).into_iter().zip(pattern.items(values));
                named.map(|(key, pattern)| Item { key, pattern }).collect()
            }
            _ => Vec::new(),
        };
        self.without_duplicates(items, expansion, parent)
    }

    fn without_duplicates(&mut self, items: Vec<Item>, expansion: &Expansion, parent: &Address) -> Vec<Item> {
        let mut first: BTreeMap<String, Span> = BTreeMap::new();
        let mut unique = Vec::with_capacity(items.len());
        for item in items {
            if let Some(span) = first.get(&item.key) {
                let diagnostic = Diagnostic::error("duplicate-item", "duplicate item")
                    .with_span(item.pattern.span, format!("`{}` is there twice", item.key.escape_debug()))
                    .with_related(*span, "first here")
                    .with_detail(format!(
                        "Each item of `{}` becomes a resource of its own.",
                        expansion.attribute
                    ));
                self.report(diagnostic, Some(parent));
                continue;
            }
            first.insert(item.key.clone(), item.pattern.span);
            unique.push(item);
        }
        unique
    }
}

/// Returns why the value of an inline attribute cannot be expanded.
fn check_inline(expansion: &Expansion, pattern: &Pattern, value: &Value) -> Option<Diagnostic> {
    if let Value::Unknown(unknown) = value {
        let label = format!("depends on `{}`, which is known only after apply", unknown.origin);
        let detail = format!(
            "Each item of `{}` becomes a resource of its own, so their number has to be known.",
            expansion.attribute
        );
        let diagnostic = Diagnostic::error("unknown-length", "list whose length is not known");
        return Some(diagnostic.with_span(pattern.span, label).with_detail(detail));
    }
    let mismatch = expansion.attribute_type().check(value).err()?;
    let label = format!("expected {}, found {}", mismatch.expected, mismatch.found);
    let span = pattern.locate(&mismatch.path);
    Some(Diagnostic::error("wrong-type", "wrong type").with_span(span, label))
}

/// Returns the keys and values of `for_each`; the error says what is wrong with it.
fn each_entries(for_each: &Arc<Pattern>, value: &Value) -> Result<Vec<(String, Arc<Pattern>)>, String> {
    match value {
        Value::Map(entries) => Ok(for_each.entries(entries)),
        Value::List(items) => {
            let entry = |item: &Value| {
                let key = item.as_str()?.to_owned();
                Some((key, Pattern::constant(for_each.span, item.clone())))
            };
            let entries: Option<Vec<_>> = items.iter().map(entry).collect();
            entries.ok_or_else(|| "a list here holds only strings that are known".to_owned())
        }
        Value::Unknown(unknown) => {
            Err(format!("depends on `{}`, which is known only after apply", unknown.origin))
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
            Err(format!("expected a table or a list of strings, found {}", value.type_name()))
        }
    }
}

/// Names the items of a list: what is known by itself, the rest by where it comes from.
fn item_keys(values: &[Value]) -> Vec<String> {
    let origin = |value| {
        if let &Value::Unknown(Unknown { ref origin, .. }) = value { Some(&origin.address) } else { None }
    };
    let keyed_block = |value| origin(value).and_then(|address| address.key().map(|_| address.block()));
    let blocks: Option<Vec<_>> = values.iter().map(keyed_block).collect();
    let one_block = blocks.is_some_and(|blocks| blocks.windows(2).all(|pair| pair[0] == pair[1]));
    let name = |value| match origin(value) {
        Some(address) if one_block => address.key().unwrap_or_default().to_owned(),
        Some(address) => address.to_string(),
        None => value.as_str().unwrap_or_default().to_owned(),
    };
    values.iter().map(name).collect()
}

fn child_attributes(expansion: &Expansion, parent: &Address, item: Item) -> BTreeMap<String, Arc<Pattern>> {
    let span = item.pattern.span;
    let id = AttributeReference { address: parent.clone(), attribute: "id".to_owned() };
    let mut attributes =
        BTreeMap::from([(expansion.parent_attribute.to_owned(), Pattern::attribute(span, id))]);
    let value = match &expansion.shape {
        ExpansionShape::Entries { key, value } => {
            attributes.insert((*key).to_owned(), Pattern::constant(span, Value::from(item.key)));
            value
        }
        ExpansionShape::Items { value } => value,
    };
    attributes.insert((*value).to_owned(), item.pattern);
    attributes
}

fn bad_for_each(span: Span, label: String) -> Diagnostic {
    Diagnostic::error("invalid-for-each", "invalid `for_each`").with_span(span, label).with_detail(
        "`for_each` makes one resource for each key, so the keys have to be known before anything is made.",
    )
}
