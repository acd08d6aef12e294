//! From blocks to atomic resources: `for_each`, then inline children.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::{AccountName, Address};
use crate::diagnostic::{Diagnostic, Span};
use crate::erased::AnyResource;
use crate::schema::{Expansion, ExpansionShape};
use crate::spec::check::{check_attribute, check_required, check_tags};
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::expression::ast::{Instance, Reference, ResourceReference};
use crate::spec::expression::evaluate::Evaluation;
use crate::spec::normalize::normalize_inputs;
use crate::spec::order::Wait;
use crate::spec::pattern::{Content, Pattern};
use crate::spec::resource_block::ResourceBlock;
use crate::spec::world::{Each, Shape};
use crate::value::{AttributeReference, Unknown, Value, ValueMap};

const MAXIMUM_RESOURCES: usize = 100_000;

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
        let entries: Vec<(Arc<str>, Arc<Pattern>)> = match &value {
            Value::Map(map) => {
                let entries = for_each.entries(map).into_iter();
                entries.map(|(key, pattern)| (Arc::from(key), pattern)).collect()
            }
            Value::List(items) => {
                let Some(keys) = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>() else {
                    self.diagnostics
                        .push(bad_for_each(for_each.span, "a list here holds only strings that are known"));
                    return None;
                };
                keys.into_iter()
                    .map(|key| (Arc::from(key), Pattern::constant(for_each.span, Value::from(key))))
                    .collect()
            }
            Value::Unknown(unknown) => {
                let label = format!("depends on `{}`, which is known only after apply", unknown.origin);
                self.diagnostics.push(bad_for_each(for_each.span, &label));
                return None;
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
                let label = format!("expected a table or a list of strings, found {}", value.type_name());
                self.diagnostics.push(bad_for_each(for_each.span, &label));
                return None;
            }
        };
        let mut instances = BTreeMap::new();
        for (key, pattern) in entries {
            let address = Address::of_block(block.address.clone()).with_key(key.clone());
            if instances
                .insert(key.clone(), (address, Some(Arc::new(Each { key: key.clone(), value: pattern }))))
                .is_some()
            {
                let label = format!("`{}` is there twice", key.escape_debug());
                self.diagnostics.push(bad_for_each(for_each.span, &label));
                return None;
            }
        }
        Some(instances.into_values().collect())
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

    fn depends_on(&self, block: &ResourceBlock) -> BTreeSet<Address> {
        let mut addresses = BTreeSet::new();
        for (target, _) in &block.depends_on {
            match (self.world.shapes.get(target.block()), target.key()) {
                (Some(Shape::Keyed(instances)), Some(key)) => {
                    if let Some(address) = instances.get(key) {
                        self.wait_for(address, Wait::Whole, &mut addresses);
                    }
                }
                (Some(Shape::Keyed(instances)), None) => {
                    for address in instances.values() {
                        self.wait_for(address, Wait::Whole, &mut addresses);
                    }
                }
                (Some(Shape::Single(address)), _) => self.wait_for(address, Wait::Whole, &mut addresses),
                (Some(Shape::Broken) | None, _) => {}
            }
        }
        addresses
    }

    fn wait_for(&self, address: &Address, wait: Wait, addresses: &mut BTreeSet<Address>) {
        addresses.insert(address.clone());
        if wait == Wait::Whole {
            addresses.extend(self.children.get(address).into_iter().flatten().cloned());
        }
    }

    /// Adds the resources that a pattern refers to.
    pub(crate) fn collect_dependencies(
        &self,
        pattern: &Pattern,
        each: Option<&Each>,
        wait: Wait,
        addresses: &mut BTreeSet<Address>,
    ) {
        let mut uses_each_value = false;
        pattern.visit_references(&mut |reference, _| match reference {
            Reference::Resource(reference) => {
                for address in self.instances(reference, each) {
                    self.wait_for(address, wait, addresses);
                }
            }
            Reference::Local(name) => {
                let found = self.local_dependencies.get(&(name.clone(), wait));
                addresses.extend(found.into_iter().flatten().cloned());
            }
            Reference::EachValue => uses_each_value = true,
            Reference::Variable(_)
            | Reference::AccountId(_)
            | Reference::AccountRegion(_)
            | Reference::StackName
            | Reference::StackId
            | Reference::EachKey => {}
        });
        pattern.visit_attributes(&mut |reference| self.wait_for(&reference.address, wait, addresses));
        if let Some(each) = each.filter(|_| uses_each_value) {
            self.collect_dependencies(&each.value, None, wait, addresses);
        }
    }

    /// Returns the resources that a reference means; all of the block if its key is not known.
    fn instances(&self, reference: &ResourceReference, each: Option<&Each>) -> Vec<&Address> {
        match (self.world.shapes.get(&reference.block), &reference.instance) {
            (Some(Shape::Single(address)), _) => vec![address],
            (Some(Shape::Keyed(addresses)), Instance::Key(key)) => {
                let key = Evaluation::new(&self.world, each, &self.scope).expression(key);
                match key.as_deref() {
                    Ok(Value::String(key)) => addresses.get(key.as_str()).into_iter().collect(),
                    Ok(_) | Err(_) => addresses.values().collect(),
                }
            }
            (Some(Shape::Keyed(addresses)), Instance::Single | Instance::All) => addresses.values().collect(),
            (Some(Shape::Broken) | None, _) => Vec::new(),
        }
    }

    /// Checks a resource, remembers its inputs and adds it.
    fn add(&mut self, mut draft: Draft, resource: &dyn AnyResource, wait: Wait) {
        if self.drafts.len() >= MAXIMUM_RESOURCES {
            if self.drafts.len() == MAXIMUM_RESOURCES {
                let diagnostic = Diagnostic::error("too-many-resources", "too many resources")
                    .with_span(draft.span, format!("the spec has more than {MAXIMUM_RESOURCES} resources"))
                    .with_hint("Split it into several stacks.");
                self.report(diagnostic, None);
                self.drafts.insert(draft.address.clone(), draft);
            }
            return;
        }
        for pattern in draft.attributes.values() {
            self.collect_dependencies(pattern, draft.each.as_deref(), wait, &mut draft.dependencies);
        }
        draft.dependencies.remove(&draft.address);
        let inputs = self.check(&draft, resource);
        self.scope.inputs.insert(draft.address.clone(), inputs);
        self.drafts.insert(draft.address.clone(), draft);
    }

    /// Returns the inputs as far as they are known; what is wrong is reported, and unknown.
    fn check(&mut self, draft: &Draft, resource: &dyn AnyResource) -> ValueMap {
        let schema = resource.schema();
        let mut values = ValueMap::new();
        let mut problems = Vec::new();
        let mut sound = true;
        for (name, pattern) in &draft.attributes {
            let value = self.evaluate(pattern, draft.each.as_deref(), Some(&draft.address));
            let found = match (&value, schema.input(name)) {
                (Some(value), Some(attribute)) => {
                    let mut found = check_attribute(attribute, value, pattern);
                    if name == "tags" && schema.has_tags() {
                        found.extend(check_tags(value, pattern));
                    }
                    found
                }
                _ => Vec::new(),
            };
            let good = value.filter(|_| found.is_empty());
            sound &= good.is_some();
            problems.extend(found);
            values.insert(
                name.clone(),
                good.unwrap_or_else(|| Value::unknown(draft.address.clone(), name.as_str())),
            );
        }
        problems.extend(check_required(&schema.inputs, &values, schema.kind.as_str(), draft.span));
        let place = |name: &str| draft.attributes.get(name).map(|pattern| &**pattern);
        let normalized = normalize_inputs(schema, values).unwrap_or_else(|invalid| {
            sound = false;
            problems.extend(invalid.into_iter().map(|text| text.describe(place, draft.span)));
            ValueMap::new()
        });
        if sound && problems.is_empty() {
            problems.extend(resource.check(&normalized).into_iter().map(|problem| {
                let span = place(problem.attribute).map_or(draft.span, |pattern| pattern.span);
                let diagnostic = Diagnostic::error("invalid-value", "invalid value")
                    .with_span(span, format!("`{}` cannot be this", problem.attribute))
                    .with_detail(problem.message);
                problem.hint.map_or(diagnostic.clone(), |hint| diagnostic.with_hint(hint))
            }));
        }
        for problem in problems {
            self.report(problem, Some(&draft.address));
        }
        normalized
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
        if let Value::Unknown(unknown) = &value {
            let diagnostic = Diagnostic::error("unknown-length", "list whose length is not known")
                .with_span(
                    pattern.span,
                    format!("depends on `{}`, which is known only after apply", unknown.origin),
                )
                .with_detail(format!(
                    "Each item of `{}` becomes a resource of its own, so their number has to be known.",
                    expansion.attribute
                ));
            self.report(diagnostic, Some(parent));
            return Vec::new();
        }
        if let Err(mismatch) = expansion.attribute_type().check(&value) {
            let label = format!("expected {}, found {}", mismatch.expected, mismatch.found);
            let diagnostic = Diagnostic::error("wrong-type", "wrong type")
                .with_span(pattern.locate(&mismatch.path), label);
            self.report(diagnostic, Some(parent));
            return Vec::new();
        }
        let items = match (&expansion.shape, &value) {
            (ExpansionShape::Entries { .. }, Value::Map(entries)) => {
                let named = pattern.entries(entries).into_iter();
                named.map(|(key, pattern)| Item { key, pattern }).collect()
            }
            (ExpansionShape::Items { .. }, Value::List(values)) => {
                let keys = item_keys(values);
                keys.into_iter()
                    .zip(pattern.items(values))
                    .map(|(key, pattern)| Item { key, pattern })
                    .collect()
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

fn bad_for_each(span: Span, label: &str) -> Diagnostic {
    Diagnostic::error("invalid-for-each", "invalid `for_each`").with_span(span, label).with_detail(
        "`for_each` makes one resource for each key, so the keys have to be known before anything is made.",
    )
}
