//! Evaluates a spec as far as it is known without a service.

mod accounts;
mod locals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::{AccountName, Address, BlockAddress, ComponentPath, Kind};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Sources, Span};
use crate::erased::AnyKind;
use crate::lookup::is_lookup;
use crate::provider::Account;
use crate::registry::Registry;
use crate::schema::AttributeSchema;
use crate::secrets::Secrets;
use crate::spec::accounts::account_schema;
use crate::spec::components::body::Output;
use crate::spec::components::program::Program;
use crate::spec::evaluator::accounts::FileDefaults;
use crate::spec::model::{Crossing, Followed, Lifecycle, OutputNode, ResourceNode};
use crate::spec::order::{Order, Part, Wait};
use crate::spec::pattern::Pattern;
use crate::spec::references::resource_not_allowed;
use crate::spec::resource_block::ResourceBlock;
use crate::spec::world::{Each, Local, LocalName, Shape, World};
use crate::spec::{Scope, Spec, Template};
use crate::value::{Value, ValueMap};

/// A resource before the spec is complete.
pub(crate) struct Draft {
    pub(crate) address: Address,
    pub(crate) kind: Kind,
    pub(crate) account: AccountName,
    pub(crate) attributes: BTreeMap<String, Arc<Pattern>>,
    pub(crate) follows: BTreeMap<String, Followed>,
    pub(crate) each: Option<Arc<Each>>,
    pub(crate) dependencies: BTreeSet<Address>,
    pub(crate) depends_on: BTreeSet<Address>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) span: Span,
}

/// Works out the parts of a spec, one after the other.
pub(crate) struct Evaluator<'a> {
    pub(crate) program: &'a Program,
    pub(crate) diagnostics: &'a mut Diagnostics,
    pub(crate) world: World,
    pub(crate) scope: CheckScope<'a>,
    pub(crate) stack_tags: Option<Arc<Pattern>>,
    /// By component and file.
    pub(crate) defaults: BTreeMap<(ComponentPath, SourceId), FileDefaults>,
    pub(crate) drafts: BTreeMap<Address, Draft>,
    /// What each resource expands to.
    pub(crate) children: BTreeMap<Address, Vec<Address>>,
    pub(crate) local_dependencies: BTreeMap<(LocalName, Wait), BTreeSet<Address>>,
    pub(crate) accounts: BTreeMap<AccountName, Account>,
    pub(crate) crossings: Vec<Crossing>,
    /// Whether there are too many resources, which was reported.
    pub(crate) is_full: bool,
    account_schema: Vec<AttributeSchema>,
    /// Local values that depend on resources.
    late_locals: BTreeSet<LocalName>,
    /// The first resource for which a problem of a place was reported; the other instances of
    /// its block have the same.
    reported: BTreeMap<(Span, &'static str), Address>,
}

/// What is known while a spec is checked: the inputs.
pub(crate) struct CheckScope<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) inputs: BTreeMap<Address, ValueMap>,
    stack: Address,
}

impl Scope for CheckScope<'_> {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        let written = self.inputs.get(address).and_then(|inputs| inputs.get(attribute));
        if let Some(value) = written.filter(|value| !value.is_null()) {
            return value.clone();
        }
        let resource = self.registry.kind_of_block(address.block().kind.as_str());
        let default = resource
            .filter(|_| self.inputs.contains_key(address))
            .and_then(|resource| resource.schema().input(attribute)?.default.clone());
        default.unwrap_or_else(|| Value::unknown(address.clone(), attribute))
    }

    fn stack_id(&self) -> Value {
        Value::unknown(self.stack.clone(), "id")
    }
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        program: &'a Program,
        registry: &'a Registry,
        world: World,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let stack = Address::new("stack", program.stack.stack.name.as_str());
        Self {
            program,
            diagnostics,
            world: World { attributes: attribute_names(registry), lookups: lookup_kinds(program), ..world },
            scope: CheckScope { registry, inputs: BTreeMap::new(), stack },
            stack_tags: None,
            defaults: BTreeMap::new(),
            drafts: BTreeMap::new(),
            children: BTreeMap::new(),
            local_dependencies: BTreeMap::new(),
            accounts: BTreeMap::new(),
            crossings: Vec::new(),
            is_full: false,
            account_schema: account_schema(registry.provider().account_attributes()),
            late_locals: BTreeSet::new(),
            reported: BTreeMap::new(),
        }
    }

    /// Works out every part: first what resources cannot change, then the rest.
    pub(crate) fn run(&mut self, order: &Order) {
        order.cyclic.iter().for_each(|part| self.give_up(part));
        self.find_late_locals(order);
        for part in &order.parts {
            match part {
                Part::Account(name) => self.account(name),
                Part::Local(name, Wait::Parent) if !self.late_locals.contains(name) => self.local(name),
                Part::Local(..) | Part::Own(_) | Part::Children(_) => {}
            }
        }
        self.tags_and_defaults();
        for part in &order.parts {
            match part {
                Part::Account(_) => {}
                Part::Local(name, wait) => {
                    if self.late_locals.contains(name) {
                        self.late_local(name, *wait);
                    }
                }
                Part::Own(block) => self.own(&self.program.resources[block]),
                Part::Children(block) => self.expand(&self.program.resources[block]),
            }
        }
    }

    /// Returns the spec; it is of use only if no error was reported.
    pub(crate) fn finish(mut self, sources: &Sources, digest: String) -> Spec {
        let program = self.program;
        for output in program.outputs.values() {
            self.evaluate(&output.value, None, None);
            self.check_output(output);
        }
        let imports = self.imports();
        let mut secrets = Secrets::default();
        self.world.secrets().for_each(|value| secrets.add(value));
        let world = Arc::new(self.world);
        let template = |pattern: &Arc<Pattern>, each: &Option<Arc<Each>>| {
            Template::new(pattern.clone(), each.clone(), world.clone())
        };
        let output = |(name, output): (&String, &Output)| {
            let value = template(&output.value, &None);
            let Output { description, sensitive, span, .. } = output;
            let description = description.clone();
            (name.clone(), OutputNode { value, description, sensitive: *sensitive, span: *span })
        };
        let resource = |(address, draft): (Address, Draft)| {
            let attributes = draft.attributes.iter();
            let attributes = attributes.map(|(name, pattern)| (name.clone(), template(pattern, &draft.each)));
            let node = ResourceNode {
                attributes: attributes.collect(),
                follows: draft.follows,
                address: draft.address,
                kind: draft.kind,
                account: draft.account,
                dependencies: draft.dependencies,
                depends_on: draft.depends_on,
                lifecycle: draft.lifecycle,
                span: draft.span,
            };
            (address, node)
        };
        Spec {
            sources: sources.clone(),
            stack: program.stack.stack.clone(),
            accounts: self.accounts,
            resources: self.drafts.into_iter().map(resource).collect(),
            crossings: self.crossings,
            outputs: program.outputs.iter().map(output).collect(),
            secrets,
            refactoring: program.refactoring.clone(),
            imports,
            digest,
        }
    }

    /// Returns the value of a pattern; a problem is reported.
    pub(crate) fn evaluate(
        &mut self,
        pattern: &Pattern,
        each: Option<&Each>,
        address: Option<&Address>,
    ) -> Option<Value> {
        match self.world.evaluate(pattern, each, &self.scope) {
            Ok(value) => Some(value),
            Err(failure) => {
                if let Some(reason) = failure.reason() {
                    self.report(reason, address);
                }
                None
            }
        }
    }

    /// Reports an output that would show something sensitive.
    fn check_output(&mut self, output: &Output) {
        if output.sensitive || !self.world.sensitivity(&output.value, None).is_any() {
            return;
        }
        let diagnostic = Diagnostic::error("sensitive-output", "sensitive value in an output that is shown")
            .with_span(output.value.span, "is made of something sensitive")
            .with_related(output.span, "this output is shown after an apply")
            .with_hint(
                "Write `sensitive = true` below the header, or show what is no secret with `nonsensitive(...)`.",
            );
        self.diagnostics.push(diagnostic);
    }

    /// Reports a problem, once for all instances of a block.
    pub(crate) fn report(&mut self, mut diagnostic: Diagnostic, address: Option<&Address>) {
        if let (Some(address), Some(span)) = (address, diagnostic.span) {
            let first = self.reported.entry((span, diagnostic.code)).or_insert_with(|| address.clone());
            if first != address {
                return;
            }
            diagnostic.address = Some(address.clone());
        }
        self.diagnostics.push(diagnostic);
    }

    fn give_up(&mut self, part: &Part) {
        match part {
            Part::Account(name) => {
                self.world.accounts.insert(name.clone(), None);
            }
            Part::Local(name, Wait::Parent) => {
                self.world.locals.insert(name.clone(), Local::Broken);
            }
            Part::Own(block) => {
                self.world.shapes.insert(block.clone(), Shape::Broken);
            }
            Part::Local(_, Wait::Whole) | Part::Children(_) => {}
        }
    }

    /// Returns the value of a pattern that may not depend on resources; problems are reported.
    pub(crate) fn static_value(
        &mut self,
        pattern: &Pattern,
        each: Option<&Each>,
        address: Option<&Address>,
    ) -> Option<Value> {
        if let Some(span) = self.late_reference(pattern) {
            self.report(resource_not_allowed(span), address);
            return None;
        }
        self.evaluate(pattern, each, address)
    }
}

/// Returns what can be asked of the resources of each kind.
fn attribute_names(registry: &Registry) -> BTreeMap<Kind, Vec<&'static str>> {
    let names = |described: &dyn AnyKind| {
        let schema = described.members().unwrap_or_else(|| described.schema());
        let attributes = schema.inputs.iter().chain(&schema.outputs);
        let names = attributes.map(|attribute| attribute.name).chain(["id"]).collect();
        (described.schema().kind.clone(), names)
    };
    let lookups = registry.lookups().map(|(_, lookup)| names(&**lookup));
    registry.all_described().map(names).chain(lookups).collect()
}

/// Returns what each `[lookup.NAME]` looks up.
fn lookup_kinds(program: &Program) -> BTreeMap<BlockAddress, Kind> {
    let kind = |(address, block): (&BlockAddress, &ResourceBlock)| {
        let kind = &block.resource.schema().kind;
        is_lookup(kind).then(|| (address.clone(), kind.clone()))
    };
    program.resources.iter().filter_map(kind).collect()
}

/// A problem was reported.
#[derive(Debug)]
pub(crate) struct Reported;
