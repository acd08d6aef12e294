//! Checks what names lead to, folder by folder, and what each `[use]` gives to its component.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{AccountName, Address};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::registry::Registry;
use crate::spec::accounts::AccountBlock;
use crate::spec::blocks::Blocks;
use crate::spec::components::body::Body;
use crate::spec::components::library::Library;
use crate::spec::components::program::is_use;
use crate::spec::components::read::Use;
use crate::spec::pattern::Pattern;
use crate::spec::references::{Names, Place};
use crate::spec::stack::StackBlock;
use crate::spec::suggest;

/// Reports every reference that leads nowhere, and takes it out.
pub(crate) fn check_references(library: &mut Library, registry: &Registry, diagnostics: &mut Diagnostics) {
    for number in 0..library.bodies.len() {
        let components = library.components_of(number);
        let body = &mut library.bodies[number];
        let blocks = body.blocks.clone();
        let names = Names { blocks: &blocks, components: &components, registry };
        check_body(body, names, diagnostics);
        check_depends_on(body, names, diagnostics);
    }
}

/// Does the same with what only the spec itself has.
pub(crate) fn check_stack_references(
    stack: &mut StackBlock,
    accounts: &mut BTreeMap<AccountName, AccountBlock>,
    library: &Library,
    registry: &Registry,
    diagnostics: &mut Diagnostics,
) {
    let components = library.components_of(0);
    let names = Names { blocks: &library.bodies[0].blocks, components: &components, registry };
    let attributes = accounts.values_mut().flat_map(|account| account.attributes.values_mut());
    for pattern in stack.tags.iter_mut().chain(attributes) {
        names.check(pattern, Place::STATIC, diagnostics);
    }
}

fn check_body(body: &mut Body, names: Names<'_>, diagnostics: &mut Diagnostics) {
    let mut check = |pattern: &mut Arc<Pattern>, place| names.check(pattern, place, diagnostics);
    for defaults in body.defaults.values_mut() {
        let patterns = defaults.account.iter_mut().chain(&mut defaults.tags);
        patterns.for_each(|pattern| check(pattern, Place::STATIC));
    }
    body.locals.values_mut().for_each(|pattern| check(pattern, Place::FREE));
    body.outputs.values_mut().for_each(|output| check(&mut output.value, Place::FREE));
    for found in body.uses.values_mut() {
        let place = Place { each: found.for_each.is_some(), ..Place::FREE };
        found.for_each.iter_mut().for_each(|pattern| check(pattern, Place::STATIC));
        found.inputs.values_mut().for_each(|(_, pattern)| check(pattern, place));
    }
    body.imports.iter_mut().for_each(|import| check(&mut import.id, Place::STATIC));
    for resource in body.resources.values_mut() {
        let each = resource.for_each.is_some();
        let owner = Some(&resource.address);
        let own = Place { each, resources: true, owner };
        resource.for_each.iter_mut().for_each(|pattern| check(pattern, Place { each: false, ..own }));
        resource.account.iter_mut().for_each(|pattern| check(pattern, Place { each, ..Place::STATIC }));
        resource.attributes.values_mut().for_each(|pattern| check(pattern, own));
        let children = resource.expansions.iter_mut().map(|(_, pattern)| pattern);
        children.for_each(|pattern| check(pattern, Place { owner: None, ..own }));
    }
}

/// Takes out every `depends_on` that leads nowhere.
fn check_depends_on(body: &mut Body, names: Names<'_>, diagnostics: &mut Diagnostics) {
    let mut check = |depends_on: &mut Vec<(Address, Span)>, owner: &str| {
        depends_on.retain(|(address, span)| {
            let problem = if address.block().to_string() == owner {
                let diagnostic = Diagnostic::error("self-reference", "resource refers to itself");
                Some(diagnostic.with_span(*span, format!("this is `{owner}` itself")))
            } else if is_use(address) {
                names.check_use(&address.block().name, address.key().is_some(), *span)
            } else {
                names.check_block(address.block(), address.key().is_some(), *span)
            };
            let known = is_use(address) || names.blocks.resources.contains_key(address.block());
            let keep = problem.is_none() && known;
            diagnostics.extend(problem);
            keep
        });
    };
    for resource in body.resources.values_mut() {
        check(&mut resource.depends_on, &resource.address.to_string());
    }
    for (name, found) in &mut body.uses {
        check(&mut found.depends_on, &format!("use.{name}"));
    }
}

/// Reports what a `[use]` gives and the component does not want, and the other way round.
pub(crate) fn check_uses(library: &Library, diagnostics: &mut Diagnostics) {
    for (number, body) in library.bodies.iter().enumerate() {
        for (name, found) in &body.uses {
            if let Some(used) = library.used(number, name) {
                let component = &library.bodies[used];
                check_inputs(found, component, diagnostics);
                check_accounts(&body.blocks, number == 0, found, &component.blocks, diagnostics);
            }
        }
    }
}

fn check_inputs(found: &Use, component: &Body, diagnostics: &mut Diagnostics) {
    for (name, (span, _)) in &found.inputs {
        if component.inputs.contains_key(name) {
            continue;
        }
        let diagnostic = Diagnostic::error("unknown-input", "unknown input")
            .with_span(*span, "the component has no such input");
        let diagnostic = match &component.blocks.component {
            Some(header) => diagnostic.with_related(header.span, "the component"),
            None => diagnostic,
        };
        let known = component.inputs.keys().map(String::as_str);
        diagnostics.push(suggest::did_you_mean(diagnostic, name, known));
    }
    for (name, declared) in &component.inputs {
        if declared.default.is_none() && !declared.broken && !found.inputs.contains_key(name) {
            let diagnostic = Diagnostic::error("missing-input", "missing input")
                .with_span(found.span, format!("`{name}` is missing"))
                .with_related(declared.span, "the component wants it here")
                .with_hint(format!("Write `inputs = {{ {name} = ... }}`."));
            diagnostics.push(diagnostic);
        }
    }
}

fn check_accounts(
    user: &Blocks,
    user_is_stack: bool,
    found: &Use,
    component: &Blocks,
    diagnostics: &mut Diagnostics,
) {
    for (alias, (span, account)) in &found.accounts {
        if !component.accounts.contains_key(alias) {
            let diagnostic = Diagnostic::error("unknown-account", "unknown account")
                .with_span(*span, format!("the component has no `[account.{}]`", alias.escape_debug()));
            let known = component.accounts.keys().map(String::as_str);
            diagnostics.push(suggest::did_you_mean(diagnostic, alias, known));
        }
        diagnostics.extend(unknown_account(user, user_is_stack, account, *span));
    }
    if let Some((span, account)) = &found.account {
        diagnostics.extend(unknown_account(user, user_is_stack, account, *span));
        if let Some((alias, block)) = component.accounts.first_key_value() {
            let diagnostic =
                Diagnostic::error("needless-account", "account of a component that names its own")
                    .with_span(*span, "says nothing")
                    .with_related(block.span, "the component calls its accounts by names of its own")
                    .with_hint(format!("Write `accounts = {{ {alias} = \"{account}\" }}`."));
            diagnostics.push(diagnostic);
        }
    }
    for (alias, block) in &component.accounts {
        if !found.accounts.contains_key(alias) {
            let diagnostic = Diagnostic::error("missing-account", "missing account")
                .with_span(found.span, format!("does not say which account `{alias}` is"))
                .with_related(block.span, "the component wants it here")
                .with_hint(format!("Write `accounts = {{ {alias} = \"NAME\" }}`."));
            diagnostics.push(diagnostic);
        }
    }
}

fn unknown_account(
    user: &Blocks,
    user_is_stack: bool,
    account: &AccountName,
    span: Span,
) -> Option<Diagnostic> {
    if user.accounts.contains_key(account.as_str()) {
        return None;
    }
    let whose = if user_is_stack { "there is no" } else { "this component has no" };
    let diagnostic = Diagnostic::error("unknown-account", "unknown account")
        .with_span(span, format!("{whose} `[account.{}]`", account.as_str().escape_debug()));
    Some(suggest::did_you_mean(diagnostic, account.as_str(), user.accounts.keys().map(String::as_str)))
}
