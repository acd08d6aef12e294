//! Reads `[[import]]` blocks, and checks what can be checked by names alone.

use crate::address::Target;
use crate::diagnostic::{Diagnostic, Diagnostics, Sources};
use crate::registry::Registry;
use crate::spec::blocks::{Block, Blocks};
use crate::spec::imports::ImportBlock;
use crate::spec::pattern::read_pattern;
use crate::spec::refactoring::{missing_attribute, read_name, unknown_attribute};
use crate::spec::reserved;
use crate::spec::variables::read_flag;

/// Reads the blocks; what is wrong with them is reported.
pub(crate) fn read_imports(
    blocks: &Blocks,
    registry: &Registry,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<ImportBlock> {
    let mut imports = Vec::new();
    for block in &blocks.imports {
        match read_import(block, registry, sources, diagnostics) {
            Ok(import) => imports.push(import),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    imports
}

fn read_import(
    block: &Block,
    registry: &Registry,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Result<ImportBlock, Box<Diagnostic>> {
    let (mut to, mut id, mut take_over) = (None, None, false);
    for entry in &block.table.entries {
        match entry.key.as_str() {
            "to" => to = Some(read_name(&entry.node, registry)?),
            "id" => id = Some(read_pattern(&entry.node, sources, diagnostics)),
            "take_over" => take_over = read_flag(&entry.node)?,
            other => {
                let known = reserved::names(reserved::IMPORT);
                return Err(unknown_attribute("[[import]]", other, entry.key_span, &known));
            }
        }
    }
    match (to, id) {
        (Some((Target::Resource(to), to_span)), Some(id)) => Ok(ImportBlock { to, to_span, id, take_over }),
        (Some((Target::Component(_), span)), _) => {
            Err(Diagnostic::error("invalid-address", "invalid address")
                .with_span(span, "is a whole component")
                .with_hint("An import names one resource, such as `network/vpc.main`.")
                .into())
        }
        (None, _) => Err(missing_attribute(block.span, "to")),
        (_, None) => Err(missing_attribute(block.span, "id")),
    }
}
