//! Accounts that a component names and never uses.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::components::body::Body;
use crate::spec::components::library::Library;
use crate::spec::expression::ast::Reference;
use crate::spec::pattern::{Content, Pattern};

/// Warns of accounts that a component names and never uses: whoever uses it has to map them.
pub(crate) fn warn_of_unused_aliases(library: &Library, diagnostics: &mut Diagnostics) {
    for body in &library.bodies[1..] {
        let Some(used) = used_aliases(body) else { continue };
        for (alias, block) in &body.blocks.accounts {
            if !used.contains(alias) {
                let diagnostic = Diagnostic::warning("unused-account", "unused account")
                    .with_span(block.span, "nothing in the component lives in this account")
                    .with_hint("Take it out, so that nobody has to say which account it is.");
                diagnostics.push(diagnostic);
            }
        }
    }
}

/// Returns the aliases that something in a component names; `None` if an expression may name any,
/// or if the only one is where everything lives.
fn used_aliases(body: &Body) -> Option<BTreeSet<String>> {
    let lives_somewhere = !body.resources.is_empty() || !body.uses.is_empty();
    if body.blocks.accounts.len() == 1 && lives_somewhere {
        return None;
    }
    let mut used = BTreeSet::new();
    let resources = body.resources.values();
    let named = resources.clone().filter_map(|resource| resource.account.as_ref());
    for pattern in named.chain(body.defaults.values().filter_map(|defaults| defaults.account.as_ref())) {
        let Content::Constant(value) = &pattern.content else { return None };
        used.extend(value.as_str().map(str::to_owned));
    }
    for found in body.uses.values() {
        let accounts = found.accounts.values().chain(&found.account);
        used.extend(accounts.map(|(_, account)| account.to_string()));
    }
    let mut visit = |pattern: &Arc<Pattern>| {
        pattern.visit_references(&mut |reference, _| {
            if let Reference::AccountId(name) | Reference::AccountRegion(name) = reference {
                used.insert(name.to_string());
            }
        });
    };
    body.locals.values().for_each(&mut visit);
    body.outputs.values().for_each(|output| visit(&output.value));
    body.defaults.values().filter_map(|defaults| defaults.tags.as_ref()).for_each(&mut visit);
    for resource in resources {
        resource.for_each.iter().chain(resource.attributes.values()).for_each(&mut visit);
        resource.expansions.iter().for_each(|(_, pattern)| visit(pattern));
    }
    for found in body.uses.values() {
        found.for_each.iter().chain(found.inputs.values().map(|(_, pattern)| pattern)).for_each(&mut visit);
    }
    Some(used)
}
