//! From blocks to atomic resources: `for_each`, then inline children.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{AccountName, Address, ComponentPath};
use crate::diagnostic::{Diagnostic, Span};
use crate::schema::KindSchema;
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::inline::{Inline, Item};
use crate::spec::order::Wait;
use crate::spec::pattern::{Content, Pattern};
use crate::spec::resource_block::ResourceBlock;
use crate::spec::sensitivity::{Sensitivity, check_keys};
use crate::spec::world::{Each, Shape};
use crate::value::{AttributeReference, Value};

impl Evaluator<'_> {
    /// Works out the resources of a block, without what they expand to.
    pub(crate) fn own(&mut self, block: &ResourceBlock) {
        if let Some(bundle) = self.scope.registry.bundle(block.address.kind.as_str()) {
            return self.own_bundle(block, bundle);
        }
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
        let schema = block.resource.schema();
        let attributes =
            self.with_tags(block.attributes.clone(), schema, block.span, &block.address.component);
        self.check_depends_on(block);
        let depends_on = self.depends_on(block);
        let mut dependencies = depends_on.clone();
        if let Some(for_each) = block.for_each.as_ref().filter(|for_each| !names_values_only(for_each)) {
            self.collect_dependencies(for_each, None, Wait::Whole, &mut dependencies);
        }
        for (address, each) in instances {
            let Some(account) = self.account_for(block, each.as_deref(), &address) else { continue };
            let draft = Draft {
                address,
                kind: schema.kind.clone(),
                account,
                attributes: attributes.clone(),
                follows: BTreeMap::new(),
                each,
                dependencies: dependencies.clone(),
                depends_on: depends_on.clone(),
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
                let resource = self.scope.registry.kind(expansion.child_kind).cloned();
                let resource = resource.expect("the kind of every expansion is registered");
                let schema = resource.schema();
                let inline = Inline { expansion, schema, pattern, parent: &parent };
                for item in self.items(&inline, each.as_deref()) {
                    let address = parent.child(expansion.role, item.key.as_str());
                    let span = item.span;
                    let mut dependencies = depends_on.clone();
                    dependencies.insert(parent.clone());
                    if let Some(source) = &item.source {
                        self.collect_dependencies(source, each.as_deref(), Wait::Parent, &mut dependencies);
                    }
                    let attributes = child_attributes(&inline, item);
                    let draft = Draft {
                        address: address.clone(),
                        kind: schema.kind.clone(),
                        account: account.clone(),
                        attributes: self.with_tags(attributes, schema, span, &block.address.component),
                        follows: BTreeMap::new(),
                        each: each.clone(),
                        dependencies,
                        depends_on: depends_on.clone(),
                        lifecycle: block.lifecycle.clone(),
                        span,
                    };
                    self.children.entry(parent.clone()).or_default().push(address);
                    self.add(draft, &*resource, Wait::Parent);
                }
            }
        }
    }

    /// Returns where a resource of a block lives; `None` if that is wrong, which is reported.
    pub(crate) fn account_for(
        &mut self,
        block: &ResourceBlock,
        each: Option<&Each>,
        address: &Address,
    ) -> Option<AccountName> {
        let through = self.account_through(block, each);
        through.or_else(|| self.account_of(block.account.as_ref(), each, address, block.span).ok())
    }

    /// Returns the account of the cluster that the resources of a block are in, if the block does not say
    /// an account.
    fn account_through(&self, block: &ResourceBlock, each: Option<&Each>) -> Option<AccountName> {
        let attribute = block.resource.through().filter(|_| block.account.is_none())?;
        let cluster = self.made_of(block.attributes.get(attribute)?, each)?;
        self.drafts.get(&cluster).map(|draft| draft.account.clone())
    }

    fn account_and_each(&self, parent: &Address) -> Option<(AccountName, Option<Arc<Each>>)> {
        self.drafts.get(parent).map(|draft| (draft.account.clone(), draft.each.clone()))
    }

    pub(crate) fn keyed_instances(
        &mut self,
        block: &ResourceBlock,
        for_each: &Arc<Pattern>,
    ) -> Option<Vec<(Address, Option<Arc<Each>>)>> {
        let value = self.evaluate(for_each, None, None)?;
        if !self.has_room_for(value.length(), for_each.span) {
            return None;
        }
        let sensitivity = self.world.sensitivity(for_each, None);
        if let Some(problem) = check_keys(&value, sensitivity, for_each.span) {
            self.diagnostics.push(problem.with_address(Address::of_block(block.address.clone())));
            return None;
        }
        let instances = each_entries(for_each, &value, sensitivity).and_then(|entries| {
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
        instances
            .map_err(|label| {
                let address = Address::of_block(block.address.clone());
                self.diagnostics.push(bad_for_each(for_each.span, label).with_address(address));
            })
            .ok()
    }

    /// Returns the attributes with the tags of the stack and of the file under their own.
    pub(crate) fn with_tags(
        &self,
        mut attributes: BTreeMap<String, Arc<Pattern>>,
        schema: &KindSchema,
        span: Span,
        component: &ComponentPath,
    ) -> BTreeMap<String, Arc<Pattern>> {
        if !schema.has_tags() {
            return attributes;
        }
        let file =
            self.defaults.get(&(component.clone(), span.source)).and_then(|defaults| defaults.tags.clone());
        let mut layers: Vec<_> = self.stack_tags.iter().cloned().chain(file).collect();
        if layers.is_empty() {
            return attributes;
        }
        let own = attributes.remove("tags");
        let span = own.as_ref().map_or(span, |own| own.span);
        layers.extend(own);
        attributes.insert("tags".to_owned(), Arc::new(Pattern { span, content: Content::Layers(layers) }));
        attributes
    }
}

/// Tells whether the keys of a `for_each` come from nothing that has to be made; who uses the values
/// waits for what these name.
fn names_values_only(for_each: &Pattern) -> bool {
    matches!(for_each.content, Content::Table(_) | Content::Constant(_))
}

/// Returns the keys and values of `for_each`; the error says what is wrong with it.
pub(crate) fn each_entries(
    for_each: &Arc<Pattern>,
    value: &Value,
    sensitivity: Sensitivity,
) -> Result<Vec<(String, Arc<Pattern>)>, String> {
    match value {
        Value::Map(entries) => Ok(for_each.entries(entries, sensitivity)),
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

/// Adds what follows from where the child stands to what the inline form says of it.
fn child_attributes(inline: &Inline<'_>, item: Item) -> BTreeMap<String, Arc<Pattern>> {
    let Item { span, mut attributes, .. } = item;
    let id = AttributeReference { address: inline.parent.clone(), attribute: "id".to_owned() };
    attributes.insert(inline.expansion.parent_attribute.to_owned(), Pattern::attribute(span, id));
    for (name, value) in inline.expansion.constants() {
        attributes.insert((*name).to_owned(), Pattern::constant(span, Value::from(*value)));
    }
    attributes
}

/// Describes a `for_each` of which the keys are not known, or are none.
pub(crate) fn bad_for_each(span: Span, label: String) -> Diagnostic {
    Diagnostic::error("invalid-for-each", "invalid `for_each`").with_span(span, label).with_detail(
        "`for_each` makes one resource for each key, so the keys have to be known before anything is made.",
    )
}
