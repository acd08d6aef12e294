//! What a user asks of a plan besides the spec.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::address::{Address, Target};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::Request;
use crate::spec::ResourceNode;
use crate::spec::suggest::closest;

/// What a user asks of a plan besides the spec.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked for apart from the others")]
pub struct Options {
    /// Only these change, and what has to change before them; everything if there are none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub target: BTreeSet<Target>,
    /// These stay as they are, and so does everything that needs them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub exclude: BTreeSet<Target>,
    /// These are replaced although nothing makes it necessary. Children only by their own address.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub replace: BTreeSet<Target>,
    /// Much of what the state has in an account may be gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_missing: bool,
    /// What somebody else made is deleted too where its turn comes, instead of waiting until whoever made
    /// it takes it away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delete_made_by_others: bool,
    /// What is in a cluster that does not answer is dropped from the state instead of being deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forget_unreachable: bool,
    /// What the state says counts as what is there, and nothing is read. Such a plan is only
    /// looked at: nothing is done because of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from_state: bool,
}

impl Options {
    /// Tells whether nothing is asked for.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Tells whether some changes may be left out.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.target.is_empty() || !self.exclude.is_empty()
    }

    /// Tells whether a resource is to be replaced although nothing makes it necessary.
    pub(crate) fn replaces(&self, address: &Address) -> bool {
        self.replace.iter().any(|asked| asked.covers_whole(address))
    }
}

/// Returns those of the resources that one of the names covers.
pub(crate) fn covered<'a>(
    names: &BTreeSet<Target>,
    resources: impl Iterator<Item = &'a Address>,
) -> impl Iterator<Item = &'a Address> {
    resources.filter(|address| Target::covering(address).iter().any(|name| names.contains(name)))
}

/// Checks that every name is one of the spec or the state.
///
/// # Errors
/// With each that names nothing, and each that is to be replaced and cannot be.
pub(crate) fn check(request: &Request<'_>) -> Result<(), Diagnostics> {
    let options = request.options;
    let wanted: Vec<&Address> = request.spec.resources.keys().collect();
    let known: Vec<&Address> = wanted.iter().copied().chain(request.state.resources.keys()).collect();
    let mut problems = Diagnostics::default();
    for (option, asked) in [("--target", &options.target), ("--exclude", &options.exclude)] {
        let nothing = asked.iter().filter(|asked| !known.iter().any(|known| asked.covers(known)));
        let detail = "neither the spec nor the state has anything with this address";
        problems.extend(nothing.map(|asked| unknown(option, asked, detail, &known)));
    }
    let nothing =
        options.replace.iter().filter(|asked| !wanted.iter().any(|wanted| asked.covers_whole(wanted)));
    let detail = "the spec has nothing with this address";
    problems.extend(nothing.map(|asked| unknown("--replace", asked, detail, &wanted)));
    problems.extend(options.replace.iter().filter_map(|asked| never_deleted(request, asked)));
    problems.extend(options.replace.iter().filter_map(|asked| made_by_others(request, asked)));
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Refuses to replace what somebody else makes: that is done by replacing what it is made for.
fn made_by_others(request: &Request<'_>, asked: &Target) -> Option<Diagnostic> {
    let of_others =
        |node: &&ResourceNode| asked.covers_whole(&node.address) && node.lifecycle.is_made_by_others();
    let node = request.spec.resources.values().find(of_others)?;
    let makers: Vec<_> = node.lifecycle.made_by.iter().flatten().map(Address::to_string).collect();
    let hint = match makers.as_slice() {
        [] => "What it is made for is not in this spec.".to_owned(),
        makers => format!("Replace what it is made for: --replace {}.", makers.join(" --replace ")),
    };
    let problem = Diagnostic::error("cannot-replace", "--replace names something that somebody else makes")
        .with_span(node.span, "")
        .with_address(node.address.clone())
        .with_detail(format!("--replace {asked}: a `{}` is only waited for.", node.kind))
        .with_hint(hint);
    Some(problem)
}

/// Refuses to replace what is never deleted: its new object would be the old one.
fn never_deleted(request: &Request<'_>, asked: &Target) -> Option<Diagnostic> {
    let retained = |node: &&ResourceNode| {
        let kind = request.registry.kind(node.kind.as_str());
        asked.covers_whole(&node.address) && kind.is_some_and(|kind| kind.retained())
    };
    let node = request.spec.resources.values().find(retained)?;
    let problem = Diagnostic::error("cannot-replace", "--replace names something that is never deleted")
        .with_span(node.span, "")
        .with_address(node.address.clone())
        .with_detail(format!(
            "--replace {asked}: a `{}` stays whatever happens to its stack, since others may rely on it, so that \
             there is nothing to make anew.",
            node.kind
        ))
        .with_hint("Take the option away. What differs from the spec is put right in place by an apply.");
    Some(problem)
}

fn unknown(option: &str, asked: &Target, detail: &str, known: &[&Address]) -> Diagnostic {
    let problem = Diagnostic::error("unknown-address", format!("{option} names nothing"))
        .with_detail(format!("{option} {asked}: {detail}."));
    let names: BTreeSet<String> =
        known.iter().flat_map(|known| Target::covering(known)).map(|name| name.to_string()).collect();
    match closest(&asked.to_string(), names.iter().map(String::as_str)) {
        Some(name) => problem.with_hint(format!("Did you mean `{name}`?")),
        None => problem.with_hint(
            "`straddle plan` without options lists what there is to change, `straddle state list` what was made.",
        ),
    }
}
