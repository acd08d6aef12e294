//! The `[stack]` block.

use std::sync::Arc;

use semver::{Version, VersionReq};

use crate::address::is_word;
use crate::diagnostic::{Diagnostic, Diagnostics, Sources};
use crate::spec::blocks::Block;
use crate::spec::document::{Data, Entry, Node};
use crate::spec::model::Stack;
use crate::spec::pattern::{Pattern, read_pattern};
use crate::spec::{reserved, suggest};

/// The block as read, tags not evaluated.
pub(crate) struct StackBlock {
    pub(crate) stack: Stack,
    pub(crate) tags: Option<Arc<Pattern>>,
}

/// Reads the block; what is wrong with it is reported.
pub(crate) fn read_stack(
    block: Option<&Block>,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> StackBlock {
    let mut read = StackBlock { stack: Stack { name: String::new(), requires: None }, tags: None };
    let Some(block) = block else {
        let diagnostic = Diagnostic::error("missing-stack", "no `[stack]` block")
            .with_detail("The stack's name is also that of its state.")
            .with_hint("Write `[stack]` and below it `name = \"...\"`.");
        diagnostics.push(diagnostic);
        return read;
    };
    for entry in &block.table.entries {
        if let Err(diagnostic) = take(entry, &mut read, sources, diagnostics) {
            diagnostics.push(*diagnostic);
        }
    }
    let named = block.table.entries.iter().any(|entry| entry.key == "name");
    if !named {
        let diagnostic = Diagnostic::error("missing-attribute", "missing attribute")
            .with_span(block.span, "`name` is missing")
            .with_detail("The stack's name is also that of its state.");
        diagnostics.push(diagnostic);
    }
    read
}

fn take(
    entry: &Entry,
    read: &mut StackBlock,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Result<(), Box<Diagnostic>> {
    match entry.key.as_str() {
        "name" => read.stack.name = name(&entry.node)?,
        "requires" => read.stack.requires = Some(read_requires(&entry.node)?),
        "tags" => read.tags = Some(read_pattern(&entry.node, sources, diagnostics)),
        other => {
            let known = reserved::names(reserved::STACK);
            let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
                .with_span(entry.key_span, "`[stack]` has no such attribute")
                .with_detail(format!("It has {}.", suggest::list(&known)));
            return Err(suggest::did_you_mean(diagnostic, other, known).into());
        }
    }
    Ok(())
}

fn name(node: &Node) -> Result<String, Box<Diagnostic>> {
    match &node.data {
        Data::Text(name) if is_word(name) => Ok(name.clone()),
        Data::Text(_)
        | Data::Bool(_)
        | Data::Integer(_)
        | Data::Float(_)
        | Data::List(_)
        | Data::Table(_) => {
            let diagnostic = Diagnostic::error("invalid-name", "invalid name")
                .with_span(node.span, "no name for a stack")
                .with_hint("Names begin with a letter or `_` and go on with letters, digits, `_` and `-`.");
            Err(diagnostic.into())
        }
    }
}

/// Reads a range of versions that this program must be in.
pub(crate) fn read_requires(node: &Node) -> Result<VersionReq, Box<Diagnostic>> {
    let invalid = || {
        Diagnostic::error("invalid-version", "invalid version")
            .with_span(node.span, "no range of versions")
            .with_hint("Write such as `\">=0.1\"` or `\">=0.1, <2\"`.")
    };
    let Data::Text(text) = &node.data else { return Err(invalid().into()) };
    let requires = VersionReq::parse(text).map_err(|_| invalid())?;
    let version = Version::parse(env!("CARGO_PKG_VERSION")).expect("Cargo checks the package's version");
    if requires.matches(&version) {
        return Ok(requires);
    }
    let diagnostic = Diagnostic::error("wrong-version", "written for another version")
        .with_span(node.span, format!("this is version {version}"))
        .with_hint("Install a version in this range.");
    Err(diagnostic.into())
}
