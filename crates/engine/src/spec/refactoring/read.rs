//! Reads `[[moved]]` and `[[removed]]` blocks, and checks what can be checked by names alone.

use crate::address::{Address, Kind, Target};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::registry::Registry;
use crate::spec::blocks::{Block, Blocks, unknown_kind};
use crate::spec::document::{Data, Node};
use crate::spec::refactoring::{Move, Refactoring, Removal};
use crate::spec::{reserved, suggest};

/// Reads the blocks; what is wrong with them is reported.
pub(crate) fn read_refactoring(
    blocks: &Blocks,
    registry: &Registry,
    diagnostics: &mut Diagnostics,
) -> Refactoring {
    let mut reader = Reader { read: Refactoring::default(), registry, diagnostics };
    for block in &blocks.moved {
        if let Err(diagnostic) = reader.moved(block) {
            reader.diagnostics.push(*diagnostic);
        }
    }
    for block in &blocks.removed {
        if let Err(diagnostic) = reader.removed(block) {
            reader.diagnostics.push(*diagnostic);
        }
    }
    reader.read
}

struct Reader<'a> {
    read: Refactoring,
    registry: &'a Registry,
    diagnostics: &'a mut Diagnostics,
}

/// A name, and where it is written.
pub(crate) type Name = (Target, Span);

impl Reader<'_> {
    fn moved(&mut self, block: &Block) -> Result<(), Box<Diagnostic>> {
        let (mut from, mut to) = (None, None);
        for entry in &block.table.entries {
            match entry.key.as_str() {
                "from" => from = Some(read_name(&entry.node, self.registry)?),
                "to" => to = Some(read_name(&entry.node, self.registry)?),
                other => {
                    let known = reserved::names(reserved::MOVED);
                    return Err(unknown_attribute("[[moved]]", other, entry.key_span, &known));
                }
            }
        }
        let (from, to) = match (from, to) {
            (Some(from), Some(to)) => (from, to),
            (None, _) => return Err(missing_attribute(block.span, "from")),
            (Some(_), None) => return Err(missing_attribute(block.span, "to")),
        };
        self.check_kinds(&from, &to)?;
        if let Some(first) = self.read.moves.get(&from.0) {
            let diagnostic = Diagnostic::error("moved-twice", "moved twice")
                .with_span(from.1, format!("`{}` is moved again", from.0))
                .with_related(first.span, "first moved here");
            return Err(diagnostic.into());
        }
        self.read.moves.insert(from.0, Move { to: to.0, span: from.1, to_span: to.1 });
        Ok(())
    }

    fn removed(&mut self, block: &Block) -> Result<(), Box<Diagnostic>> {
        let (mut from, mut destroy) = (None, true);
        for entry in &block.table.entries {
            match (entry.key.as_str(), &entry.node.data) {
                ("from", _) => from = Some(read_name(&entry.node, self.registry)?),
                ("destroy", Data::Bool(value)) => destroy = *value,
                ("destroy", _) => return Err(wrong_type(&entry.node, "a boolean")),
                (other, _) => {
                    let known = reserved::names(reserved::REMOVED);
                    return Err(unknown_attribute("[[removed]]", other, entry.key_span, &known));
                }
            }
        }
        let (from, span) = from.ok_or_else(|| missing_attribute(block.span, "from"))?;
        if let Some(first) = self.read.removals.insert(from.clone(), Removal { destroy, span }) {
            let diagnostic = Diagnostic::error("removed-twice", "removed twice")
                .with_span(span, format!("`{from}` is removed again"))
                .with_related(first.span, "first removed here");
            return Err(diagnostic.into());
        }
        Ok(())
    }

    fn check_kinds(&self, from: &Name, to: &Name) -> Result<(), Box<Diagnostic>> {
        let label = match (&from.0, &to.0) {
            (from, to) if from == to => "is what it is called already".to_owned(),
            (Target::Component(_), Target::Component(_)) => return Ok(()),
            (Target::Resource(old), Target::Resource(new)) => {
                let registry = self.registry;
                let (old, new) = (kind_of(old, from.1, registry)?, kind_of(new, to.1, registry)?);
                if old == new {
                    return Ok(());
                }
                format!("is a `{new}`, and the other is a `{old}`")
            }
            (Target::Resource(_), Target::Component(_)) => "is a whole component".to_owned(),
            (Target::Component(_), Target::Resource(_)) => "is no component".to_owned(),
        };
        let diagnostic = Diagnostic::error("impossible-move", "move that cannot be")
            .with_span(to.1, label)
            .with_related(from.1, "what is moved")
            .with_detail("A move gives an existing thing another name; it cannot make it something else.");
        Err(diagnostic.into())
    }
}

/// Reads the name of something in the spec or the state.
///
/// # Errors
/// If it is no address, or one of a kind or part that does not exist.
pub(crate) fn read_name(node: &Node, registry: &Registry) -> Result<Name, Box<Diagnostic>> {
    let Data::Text(text) = &node.data else { return Err(wrong_type(node, "an address in quotes")) };
    let target: Target = text.parse().map_err(|_| {
        Diagnostic::error("invalid-address", "invalid address")
            .with_span(node.span, "no address")
            .with_hint("Write `kind.name`, `kind.name['key']`, or `name` for what a `[use.name]` brings in; no expressions.")
    })?;
    if let Target::Resource(address) = &target {
        kind_of(address, node.span, registry)?;
    }
    Ok((target, node.span))
}

/// Returns the kind of what an address names; a part has the kind of the part.
fn kind_of(address: &Address, span: Span, registry: &Registry) -> Result<Kind, Box<Diagnostic>> {
    let kind = &address.block().kind;
    let resource = registry.kind_of_block(kind.as_str());
    let schema = resource.ok_or_else(|| unknown_kind(kind.as_str(), span, registry))?.schema();
    let Some((role, _)) = address.child_name() else { return Ok(schema.kind.clone()) };
    let expansions = &schema.expansions;
    let found = expansions.iter().find(|expansion| expansion.role == role);
    found.map(|expansion| Kind::new(expansion.child_kind)).ok_or_else(|| {
        let diagnostic = Diagnostic::error("invalid-address", "invalid address")
            .with_span(span, format!("`{kind}` has no parts that are called `{role}`"));
        let roles = expansions.iter().map(|expansion| expansion.role);
        suggest::did_you_mean(diagnostic, role, roles).into()
    })
}

pub(crate) fn unknown_attribute(
    what: &str,
    word: &str,
    span: Span,
    known: &[&'static str],
) -> Box<Diagnostic> {
    let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
        .with_span(span, format!("`{what}` has no such attribute"))
        .with_detail(format!("It has {}.", suggest::list(known)));
    suggest::did_you_mean(diagnostic, word, known.iter().copied()).into()
}

pub(crate) fn missing_attribute(span: Span, name: &str) -> Box<Diagnostic> {
    Diagnostic::error("missing-attribute", "missing attribute")
        .with_span(span, format!("`{name}` is missing"))
        .into()
}

fn wrong_type(node: &Node, expected: &str) -> Box<Diagnostic> {
    let label = format!("expected {expected}, found {}", node.type_name());
    Diagnostic::error("wrong-type", "wrong type").with_span(node.span, label).into()
}
