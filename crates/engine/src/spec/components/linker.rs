//! From the folders of a spec to one program: what a component says, once for each instance of it.
//!
//! Names get the component's path in front of them. An input is a value that is written where the
//! component is used; an output is one that is written inside. So everything that comes after
//! knows local values and resources alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{AccountName, Address, ComponentPath};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::spec::Scope;
use crate::spec::admission::{MAXIMUM_RESOURCES, too_many_resources};
use crate::spec::components::body::{Body, Defaults};
use crate::spec::components::library::{Library, MAXIMUM_DEPTH, too_deep};
use crate::spec::components::names::{Inside, Instances, missing_instance};
use crate::spec::components::program::{DefaultAccount, InputCheck, Program, Setting, is_use};
use crate::spec::components::read::Use;
use crate::spec::expand::{bad_for_each, each_entries};
use crate::spec::expression::evaluate::Failure;
use crate::spec::pattern::{Content, Pattern};
use crate::spec::resource_block::ResourceBlock;
use crate::spec::sensitivity::check_keys;
use crate::spec::world::{Local, LocalName, LocalSort, World};
use crate::value::Value;

/// How many instances of components a spec may have.
const MAXIMUM_INSTANCES: usize = 10_000;
/// How large all instances may be together, by [`Body::size`].
const MAXIMUM_SIZE: usize = 32 * 1024 * 1024;

/// Puts the program of a spec together.
pub(crate) struct Linker<'a> {
    pub(crate) library: &'a Library,
    pub(crate) program: Program,
    /// What `for_each` of a `[use]` can refer to.
    pub(crate) world: World,
    pub(crate) diagnostics: &'a mut Diagnostics,
    pub(crate) copied: Copied,
}

/// What was copied of components so far.
#[derive(Default)]
pub(crate) struct Copied {
    instances: usize,
    size: usize,
    /// Whether it was too much, which was reported.
    too_much: bool,
}

/// One instance of a folder.
struct Place {
    body: usize,
    path: ComponentPath,
    /// What everything in it waits for.
    depends_on: Vec<(Address, Span)>,
}

/// What is known of resources before any is looked at.
struct Nothing;

impl Scope for Nothing {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        Value::unknown(address.clone(), attribute)
    }

    fn stack_id(&self) -> Value {
        Value::unknown(Address::new("stack", "id"), "id")
    }
}

impl Linker<'_> {
    /// Adds what the spec itself and its components say.
    pub(crate) fn link(mut self) -> Program {
        self.instance(&Place { body: 0, path: ComponentPath::default(), depends_on: Vec::new() });
        if self.copied.too_much {
            // What is left out would be missed everywhere.
            return Program::new(self.program.stack, self.program.accounts);
        }
        self.program.wait_for_components();
        self.program
    }

    fn instance(&mut self, place: &Place) {
        let library = self.library;
        let body = &library.bodies[place.body];
        let mut uses = BTreeMap::new();
        let unknown = BTreeMap::new();
        let before = Inside::new(&place.path, self.accounts(place), &unknown);
        for (name, pattern) in &body.locals {
            let name = LocalName::new(LocalSort::Local, name).within(place.path.clone());
            self.world.locals.insert(name, Local::Symbolic(before.scoped(pattern)));
        }
        let mut values = BTreeMap::new();
        for (name, found) in &body.uses {
            let (instances, keyed) = self.instances(place, found);
            uses.insert(name.clone(), instances);
            values.insert(name, keyed);
        }
        self.check_depends_on(body, &uses);
        self.contents(place, body, &uses);
        for (name, found) in &body.uses {
            let Some(component) = library.used(place.body, name) else { continue };
            for (key, value) in values.remove(name).unwrap_or_default() {
                let path = place.path.join(name.as_str(), key.as_deref());
                let each = value.map(|value| {
                    let name = LocalName::new(LocalSort::EachValue, "value").within(path.clone());
                    self.local(name.clone(), value);
                    (key.clone().unwrap_or_default(), name)
                });
                let inside = Inside::new(&place.path, self.accounts(place), &uses).with_each(each);
                self.enter(place, found, component, &path, &inside);
            }
        }
    }

    /// Returns the accounts that a component's aliases stand for.
    fn accounts(&self, place: &Place) -> Option<BTreeMap<AccountName, AccountName>> {
        self.program.settings.get(&place.path).map(|setting| setting.accounts.clone())
    }

    fn local(&mut self, name: LocalName, pattern: Arc<Pattern>) {
        self.world.locals.insert(name.clone(), Local::Symbolic(pattern.clone()));
        self.program.locals.insert(name, pattern);
    }

    /// Returns the instances of a `[use]`, and the key and value of each.
    fn instances(&mut self, place: &Place, found: &Use) -> (Instances, Keyed) {
        let Some(for_each) = &found.for_each else { return (Instances::Single, vec![(None, None)]) };
        let unknown = BTreeMap::new();
        let inside = Inside::new(&place.path, self.accounts(place), &unknown);
        let for_each = inside.scoped(for_each);
        self.world.learn_locals(&for_each);
        let value = match self.world.evaluate(&for_each, None, &Nothing) {
            Ok(value) => value,
            Err(failure) => {
                self.broken_for_each(&for_each, failure);
                return (Instances::Broken, Vec::new());
            }
        };
        if self.copied.instances + value.length() > MAXIMUM_INSTANCES {
            self.refuse(too_many_instances(for_each.span));
            return (Instances::Broken, Vec::new());
        }
        let sensitivity = self.world.sensitivity(&for_each, None);
        if let Some(problem) = check_keys(&value, sensitivity, for_each.span) {
            self.diagnostics.push(problem);
            return (Instances::Broken, Vec::new());
        }
        let mut keys = BTreeMap::new();
        match each_entries(&for_each, &value, sensitivity) {
            Ok(entries) => {
                for (key, value) in entries {
                    let label = format!("`{}` is there twice", key.escape_debug());
                    if keys.insert(Arc::<str>::from(key), value).is_some() {
                        self.diagnostics.push(bad_for_each(for_each.span, label));
                        return (Instances::Broken, Vec::new());
                    }
                }
            }
            Err(label) => {
                self.diagnostics.push(bad_for_each(for_each.span, label));
                return (Instances::Broken, Vec::new());
            }
        }
        let names = keys.keys().cloned().collect();
        (Instances::Keyed(names), keys.into_iter().map(|(key, value)| (Some(key), Some(value))).collect())
    }

    fn broken_for_each(&mut self, for_each: &Pattern, failure: Failure) {
        match failure {
            Failure::Wrong(diagnostic) | Failure::Fatal(diagnostic) => self.diagnostics.push(*diagnostic),
            // What is wrong with the reference itself was reported.
            Failure::Broken if matches!(for_each.content, Content::Broken) => {}
            Failure::Broken if self.diagnostics.has_errors() => {}
            Failure::Broken => {
                let label = "depends on resources, accounts or components";
                let diagnostic = bad_for_each(for_each.span, label.to_owned())
                    .with_hint("Variables, inputs and local values made of these can stand here.");
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// Reports keys in `depends_on` that no instance of a `[use]` has.
    fn check_depends_on(&mut self, body: &Body, uses: &BTreeMap<String, Instances>) {
        let own = body.resources.values().map(|resource| &resource.depends_on);
        let all = own.chain(body.uses.values().map(|found| &found.depends_on)).flatten();
        for (address, span) in all.filter(|(address, _)| is_use(address)) {
            let name = &address.block().name;
            if let (Some(key), Some(Instances::Keyed(keys))) = (address.key(), uses.get(&**name))
                && !keys.contains(key)
            {
                self.diagnostics.push(missing_instance(name, key, keys, *span));
            }
        }
    }

    /// Adds the local values, resources and outputs of one instance.
    fn contents(&mut self, place: &Place, body: &Body, uses: &BTreeMap<String, Instances>) {
        let mut inside = Inside::new(&place.path, self.accounts(place), uses);
        for (name, pattern) in &body.locals {
            let name = LocalName::new(LocalSort::Local, name).within(place.path.clone());
            self.local(name, inside.linked(pattern));
        }
        for (source, defaults) in &body.defaults {
            let linked = Defaults {
                account: defaults.account.as_ref().map(|pattern| inside.linked(pattern)),
                tags: defaults.tags.as_ref().map(|pattern| inside.linked(pattern)),
            };
            self.program.defaults.insert((place.path.clone(), *source), linked);
        }
        for block in body.resources.values() {
            let linked = link_resource(block, place, &mut inside);
            self.program.resources.insert(linked.address.clone(), linked);
        }
        for (name, output) in &body.outputs {
            let value = inside.linked(&output.value);
            if place.path.is_root() {
                let description = output.description.clone();
                let (sensitive, span) = (output.sensitive, output.span);
                let output = super::body::Output { value, description, sensitive, span };
                self.program.outputs.insert(name.clone(), output);
            } else {
                let name = LocalName::new(LocalSort::Output, name).within(place.path.clone());
                self.local(name, if output.sensitive { Pattern::sealed(value) } else { value });
            }
        }
        for import in &body.imports {
            let id = inside.linked(&import.id);
            self.program.imports.push(import.within(&place.path, id));
        }
        for (name, table) in inside.take_tables() {
            self.local(name, table);
        }
        self.program.refactoring.add_within(&body.refactoring, &place.path);
        self.diagnostics.extend(inside.into_problems());
    }

    /// Tells whether one more instance of a component can be copied; that it cannot is reported
    /// once, and after that nothing is copied any more.
    fn has_room_for(&mut self, component: &Body, waits: usize, span: Span) -> bool {
        if self.copied.too_much {
            return false;
        }
        self.copied.instances += 1;
        self.copied.size += component.size() + waits * component.resources.len();
        if self.copied.instances > MAXIMUM_INSTANCES {
            self.refuse(too_many_instances(span));
        } else if self.copied.size > MAXIMUM_SIZE {
            self.refuse(too_large(span));
        } else if self.program.resources.len() + component.resources.len() > MAXIMUM_RESOURCES {
            self.refuse(too_many_resources(span));
        }
        !self.copied.too_much
    }

    fn refuse(&mut self, diagnostic: Diagnostic) {
        if !std::mem::replace(&mut self.copied.too_much, true) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Goes into an instance of a component.
    fn enter(
        &mut self,
        place: &Place,
        found: &Use,
        number: usize,
        path: &ComponentPath,
        inside: &Inside<'_>,
    ) {
        let component = &self.library.bodies[number];
        if path.depth() > MAXIMUM_DEPTH {
            return self.diagnostics.push(too_deep(found.span));
        }
        let waits = place.depends_on.len() + found.depends_on.len();
        if !self.has_room_for(component, waits, found.span) {
            return;
        }
        let mut inside = inside.clone();
        for (name, declared) in &component.inputs {
            let given = found.inputs.get(name).map(|(_, pattern)| inside.linked(pattern));
            let default = || declared.default.clone().map(|value| Pattern::constant(declared.span, value));
            let broken = || Arc::new(Pattern { span: found.span, content: Content::Broken });
            let name = LocalName::new(LocalSort::Input, name).within(path.clone());
            if !declared.broken && given.is_some() {
                let check = InputCheck { wanted: declared.wanted, declared: declared.span };
                self.program.input_checks.insert(name.clone(), check);
            }
            let value = given.or_else(default).unwrap_or_else(broken);
            self.local(name, if declared.sensitive { Pattern::sealed(value) } else { value });
        }
        for (name, table) in inside.take_tables() {
            self.local(name, table);
        }
        self.program.settings.insert(path.clone(), setting(place, found, component, &inside));
        let depends_on = found.depends_on.iter();
        let depends_on =
            depends_on.map(|(address, span)| (address.clone().within(place.path.clone()), *span));
        let depends_on = place.depends_on.iter().cloned().chain(depends_on).collect();
        self.diagnostics.extend(inside.into_problems());
        self.instance(&Place { body: number, path: path.clone(), depends_on });
    }
}

/// The key and value of each instance; none of both for a `[use]` without `for_each`.
type Keyed = Vec<(Option<Arc<str>>, Option<Arc<Pattern>>)>;

fn setting(place: &Place, found: &Use, component: &Body, inside: &Inside<'_>) -> Setting {
    let mapped = |account: &AccountName| inside.account(account);
    let aliases = component.blocks.accounts.keys();
    let given = aliases.filter_map(|alias| {
        let (_, account) = found.accounts.get(alias)?;
        Some((AccountName::new(alias.as_str()), mapped(account)?))
    });
    let accounts: BTreeMap<_, _> = given.collect();
    let account = match (component.blocks.accounts.len(), accounts.first_key_value(), &found.account) {
        (1, Some((_, only)), _) => DefaultAccount::Known(only.clone()),
        (0, _, Some((_, account))) => mapped(account).map_or(DefaultAccount::None, DefaultAccount::Known),
        (0, _, None) => DefaultAccount::OfUser(place.path.clone(), found.span),
        _ => DefaultAccount::None,
    };
    Setting { accounts, account }
}

fn link_resource(block: &ResourceBlock, place: &Place, inside: &mut Inside<'_>) -> ResourceBlock {
    let mut linked = |pattern: &Arc<Pattern>| inside.linked(pattern);
    let attributes = block.attributes.iter();
    let attributes = attributes.map(|(name, pattern)| (name.clone(), linked(pattern))).collect();
    let expansions = block.expansions.iter();
    let expansions = expansions.map(|(expansion, pattern)| (expansion.clone(), linked(pattern))).collect();
    let own = block.depends_on.iter();
    let own = own.map(|(address, span)| (address.clone().within(place.path.clone()), *span));
    ResourceBlock {
        address: block.address.clone().within(place.path.clone()),
        span: block.span,
        resource: block.resource.clone(),
        attributes,
        expansions,
        for_each: block.for_each.as_ref().map(&mut linked),
        account: block.account.as_ref().map(&mut linked),
        depends_on: own.chain(place.depends_on.iter().cloned()).collect(),
        lifecycle: block.lifecycle.clone(),
    }
}

fn too_many_instances(span: Span) -> Diagnostic {
    Diagnostic::error("too-many-components", "too many components")
        .with_span(span, format!("components are used more than {MAXIMUM_INSTANCES} times"))
}

fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error("too-many-components", "too many components")
        .with_span(span, "components with all their instances are larger than 32 MiB")
        .with_hint("Split the spec into several stacks.")
}
