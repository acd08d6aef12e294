//! Evaluates a spec as far as it is known without a service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::{AccountName, Address, ComponentPath, Kind};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Sources, Span};
use crate::provider::Account;
use crate::registry::Registry;
use crate::schema::{AttributeSchema, KindSchema};
use crate::spec::accounts::{account_schema, check_account};
use crate::spec::check::{account_name, check_tags};
use crate::spec::components::body::Output;
use crate::spec::components::program::{DefaultAccount, Program};
use crate::spec::expression::ast::Reference;
use crate::spec::expression::evaluate::{Evaluation, Failure};
use crate::spec::model::{Crossing, Lifecycle, OutputNode, ResourceNode};
use crate::spec::order::{Order, Part, Wait};
use crate::spec::pattern::Pattern;
use crate::spec::references::resource_not_allowed;
use crate::spec::world::{AccountFacts, Each, Local, LocalName, Shape, World};
use crate::spec::{Scope, Spec, Template, suggest};
use crate::value::{Value, ValueMap};

/// The largest local value, by [`Value::weight`]; values made of values can double at each step.
const MAXIMUM_WEIGHT: usize = 16 * 1024 * 1024;

/// A resource before the spec is complete.
pub(crate) struct Draft {
    pub(crate) address: Address,
    pub(crate) kind: Kind,
    pub(crate) account: AccountName,
    pub(crate) attributes: BTreeMap<String, Arc<Pattern>>,
    pub(crate) each: Option<Arc<Each>>,
    pub(crate) dependencies: BTreeSet<Address>,
    pub(crate) depends_on: BTreeSet<Address>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) span: Span,
}

/// What a file's `[defaults]` come to.
#[derive(Default)]
pub(crate) struct FileDefaults {
    pub(crate) account: Option<AccountName>,
    pub(crate) tags: Option<Arc<Pattern>>,
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
        let resource = self.registry.kind(address.block().kind.as_str());
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
        variables: BTreeMap<String, Option<Value>>,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let stack_name = program.stack.stack.name.clone();
        let stack = Address::new("stack", stack_name.as_str());
        Self {
            program,
            diagnostics,
            world: World { stack_name, variables, attributes: attribute_names(registry), ..World::default() },
            scope: CheckScope { registry, inputs: BTreeMap::new(), stack },
            stack_tags: None,
            defaults: BTreeMap::new(),
            drafts: BTreeMap::new(),
            children: BTreeMap::new(),
            local_dependencies: BTreeMap::new(),
            accounts: BTreeMap::new(),
            crossings: Vec::new(),
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
        }
        let world = Arc::new(self.world);
        let template = |pattern: &Arc<Pattern>, each: &Option<Arc<Each>>| {
            Template::new(pattern.clone(), each.clone(), world.clone())
        };
        let output = |(name, output): (&String, &Output)| {
            let value = template(&output.value, &None);
            (name.clone(), OutputNode { value, description: output.description.clone(), span: output.span })
        };
        let resource = |(address, draft): (Address, Draft)| {
            let attributes = draft.attributes.iter();
            let attributes = attributes.map(|(name, pattern)| (name.clone(), template(pattern, &draft.each)));
            let node = ResourceNode {
                attributes: attributes.collect(),
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
            refactoring: program.refactoring.clone(),
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
        match Evaluation::new(&self.world, each, &self.scope).pattern(pattern) {
            Ok(value) => Some(value),
            Err(Failure::Broken) => None,
            Err(Failure::Wrong(diagnostic)) => {
                self.report(*diagnostic, address);
                None
            }
        }
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

    fn find_late_locals(&mut self, order: &Order) {
        for part in &order.parts {
            if let Part::Local(name, Wait::Parent) = part
                && self.late_reference(&self.program.locals[name]).is_some()
            {
                self.late_locals.insert(name.clone());
            }
        }
    }

    /// Returns where the pattern refers to a resource, or to a local value that does.
    fn late_reference(&self, pattern: &Pattern) -> Option<Span> {
        let mut found = None;
        pattern.visit_references(&mut |reference, span| {
            let late = match reference {
                Reference::Resource(_) | Reference::Whole(_) | Reference::StackId => true,
                Reference::Local(name) => self.late_locals.contains(name),
                Reference::Variable(_)
                | Reference::AccountId(_)
                | Reference::AccountRegion(_)
                | Reference::StackName
                | Reference::EachKey
                | Reference::EachValue
                | Reference::Use(_) => false,
            };
            if late {
                found.get_or_insert(span);
            }
        });
        found
    }

    fn local(&mut self, name: &LocalName) {
        let pattern = self.program.locals[name].clone();
        let value =
            self.evaluate(&pattern, None, None).filter(|value| self.check_input(name, value, pattern.span));
        let value = value.filter(|value| {
            let small = value.weight() <= MAXIMUM_WEIGHT;
            if !small {
                let diagnostic = Diagnostic::error("value-too-large", "value too large")
                    .with_span(pattern.span, "larger than 16 MiB once evaluated");
                self.diagnostics.push(diagnostic);
            }
            small
        });
        let local = match value {
            Some(value) if value.is_known() => Local::Known(value),
            Some(_) => Local::Symbolic(pattern),
            None => Local::Broken,
        };
        self.world.locals.insert(name.clone(), local);
    }

    /// Tells whether a value is what the component wants that it is an input of.
    fn check_input(&mut self, name: &LocalName, value: &Value, given: Span) -> bool {
        let Some(check) = self.program.input_checks.get(name) else { return true };
        if matches!(value, Value::Unknown(_)) {
            return true;
        }
        let Err(message) = check.wanted.check(value) else { return true };
        let diagnostic = Diagnostic::error("wrong-type", "wrong type")
            .with_span(given, message)
            .with_related(check.declared, "the input is described here");
        self.diagnostics.push(diagnostic);
        false
    }

    fn late_local(&mut self, name: &LocalName, wait: Wait) {
        if wait == Wait::Parent {
            self.local(name);
        }
        let mut dependencies = BTreeSet::new();
        self.collect_dependencies(&self.program.locals[name], None, wait, &mut dependencies);
        self.local_dependencies.insert((name.clone(), wait), dependencies);
    }

    fn account(&mut self, name: &AccountName) {
        let block = &self.program.accounts[name];
        let mut values = ValueMap::new();
        let mut sound = true;
        for (attribute, pattern) in &block.attributes {
            match self.static_value(pattern, None, None) {
                Some(value) => {
                    values.insert(attribute.clone(), value);
                }
                None => sound = false,
            }
        }
        // What could not be evaluated was reported; that it is missing is no second problem.
        let account = sound
            .then(|| {
                let stack = &self.world.stack_name;
                check_account(name, stack, block, values, &self.account_schema, self.diagnostics)
            })
            .flatten();
        let facts = account.as_ref().map(|account| AccountFacts {
            id: Value::from(account.id.as_str()),
            region: Value::from(account.region.as_str()),
        });
        self.world.accounts.insert(name.clone(), facts);
        self.accounts.extend(account.map(|account| (name.clone(), account)));
    }

    /// Returns the value of a pattern that may not depend on resources; problems are reported.
    fn static_value(
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

    fn tags_and_defaults(&mut self) {
        let program = self.program;
        self.stack_tags = program.stack.tags.as_ref().and_then(|pattern| self.static_tags(pattern));
        for (place, written) in &program.defaults {
            let tags = written.tags.as_ref().and_then(|pattern| self.static_tags(pattern));
            let account = written
                .account
                .as_ref()
                .and_then(|pattern| self.named_account(pattern, None, None, &place.0).ok()?);
            self.defaults.insert(place.clone(), FileDefaults { account, tags });
        }
    }

    fn static_tags(&mut self, pattern: &Arc<Pattern>) -> Option<Arc<Pattern>> {
        let value = self.static_value(pattern, None, None)?;
        let schema = AttributeSchema::new("tags", "Tags.", crate::schema::AttributeType::Tags);
        let mut problems = crate::spec::check::check_attribute(&schema, &value, pattern);
        problems.extend(check_tags(&value, pattern));
        let sound = problems.is_empty();
        self.diagnostics.extend(problems);
        sound.then(|| Pattern::constant(pattern.span, value))
    }

    /// Returns the account that a pattern names, `None` if it names none.
    fn named_account(
        &mut self,
        pattern: &Arc<Pattern>,
        each: Option<&Each>,
        address: Option<&Address>,
        component: &ComponentPath,
    ) -> Result<Option<AccountName>, Reported> {
        let value = self.static_value(pattern, each, address).ok_or(Reported)?;
        let name = account_name(&value, pattern).map_err(|diagnostic| {
            self.report(*diagnostic, address);
            Reported
        })?;
        let Some(name) = name else { return Ok(None) };
        let known = match self.program.settings.get(component) {
            None => self.world.accounts.get_key_value(name.as_str()).map(|(known, _)| known.clone()),
            Some(setting) => setting.accounts.get(name.as_str()).cloned(),
        };
        if known.is_some() {
            return Ok(known);
        }
        let diagnostic = Diagnostic::error("unknown-account", "unknown account")
            .with_span(pattern.span, format!("there is no `[account.{}]`", name.escape_debug()));
        let names = self.account_names(component);
        let names = names.iter().map(AccountName::as_str);
        self.report(suggest::did_you_mean(diagnostic, &name, names), address);
        Err(Reported)
    }

    /// Returns the account of a resource: its own, its file's, its component's, or the only one.
    pub(crate) fn account_of(
        &mut self,
        written: Option<&Arc<Pattern>>,
        each: Option<&Each>,
        address: &Address,
        header: Span,
    ) -> Result<AccountName, Reported> {
        let component = address.component();
        if let Some(pattern) = written
            && let Some(account) = self.named_account(pattern, each, Some(address), component)?
        {
            return Ok(account);
        }
        self.default_account(component, header, address)
    }

    /// Returns the account of what stands at a place of a component and does not say where it lives.
    fn default_account(
        &mut self,
        component: &ComponentPath,
        header: Span,
        address: &Address,
    ) -> Result<AccountName, Reported> {
        let place = (component.clone(), header.source);
        if self.program.defaults.get(&place).is_some_and(|defaults| defaults.account.is_some()) {
            let account = self.defaults.get(&place).and_then(|defaults| defaults.account.clone());
            return account.ok_or(Reported);
        }
        match self.program.settings.get(component).map(|setting| setting.account.clone()) {
            Some(DefaultAccount::Known(account)) => return Ok(account),
            Some(DefaultAccount::OfUser(user, span)) => return self.default_account(&user, span, address),
            Some(DefaultAccount::None) | None => {}
        }
        let names = self.account_names(component);
        let diagnostic = Diagnostic::error("missing-account", "missing account");
        let diagnostic = match names.as_slice() {
            [only] if component.is_root() => return Ok(only.clone()),
            [] => diagnostic
                .with_span(header, "the spec has no account for it")
                .with_hint("Write `[account.NAME]` and below it `id = \"...\"` and `region = \"...\"`."),
            names => {
                let names: Vec<_> = names.iter().map(AccountName::as_str).collect();
                diagnostic
                    .with_span(header, "does not say in which account it lives")
                    .with_detail(format!("The accounts are {}.", suggest::list(&names)))
                    .with_hint("Write `account = \"NAME\"` here, or in `[defaults]` for the whole file.")
            }
        };
        self.report(diagnostic, Some(address));
        Err(Reported)
    }

    /// Returns how accounts are called in a component.
    fn account_names(&self, component: &ComponentPath) -> Vec<AccountName> {
        match self.program.settings.get(component) {
            Some(setting) => setting.accounts.keys().cloned().collect(),
            None => self.world.accounts.keys().cloned().collect(),
        }
    }
}

/// Returns what can be asked of the resources of each kind.
fn attribute_names(registry: &Registry) -> BTreeMap<Kind, Vec<&'static str>> {
    let names = |schema: &KindSchema| {
        let attributes = schema.inputs.iter().chain(&schema.outputs);
        attributes.map(|attribute| attribute.name).chain(["id"]).collect()
    };
    let kinds = registry.kinds().map(|kind| kind.schema());
    kinds.map(|schema| (schema.kind.clone(), names(schema))).collect()
}

/// A problem was reported.
#[derive(Debug)]
pub(crate) struct Reported;
