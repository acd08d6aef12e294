//! What a spec names, without what it means: for those who have no whole spec yet.

use std::path::Path;

use crate::address::is_word;
use crate::diagnostic::Diagnostics;
use crate::spec::document::{Data, Entry, Table, read_document};
use crate::spec::source::read_files;
use crate::spec::{LoadRequest, blocks};

/// The names in a spec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// The stack.
    pub stack: Option<String>,
    /// The blocks of kinds, as `kind.name`.
    pub blocks: Vec<String>,
    /// The variables.
    pub variables: Vec<String>,
    /// The outputs.
    pub outputs: Vec<String>,
    /// The accounts.
    pub accounts: Vec<String>,
}

/// Reads the names of a spec as far as its files can be read. Mistakes in it are not looked for,
/// so that a stack can still be named when its spec is half written.
#[must_use]
pub fn outline(path: &Path) -> Outline {
    let mut ignored = Diagnostics::default();
    let request = LoadRequest { path: path.to_owned(), ..LoadRequest::default() };
    let sources = read_files(&request, &mut ignored).sources;
    let mut outline = Outline::default();
    for (source, _) in sources.iter() {
        if let Some(document) = read_document(source, &sources, &mut ignored) {
            outline.take(document);
        }
    }
    outline
}

impl Outline {
    fn take(&mut self, document: Table) {
        for Entry { key, node, .. } in document.entries {
            let Data::Table(block) = node.data else { continue };
            let names = block.entries.iter().map(|entry| entry.key.clone()).filter(|name| is_word(name));
            match key.as_str() {
                "stack" => self.stack = self.stack.take().or_else(|| stack_name(&block)),
                "var" => self.variables.extend(names),
                "output" => self.outputs.extend(names),
                "account" => self.accounts.extend(names),
                word if blocks::is_reserved(word) => {}
                kind => self.blocks.extend(names.map(|name| format!("{kind}.{name}"))),
            }
        }
    }
}

fn stack_name(block: &Table) -> Option<String> {
    let name = block.entries.iter().find(|entry| entry.key == "name")?;
    match &name.node.data {
        Data::Text(name) if is_word(name) => Some(name.clone()),
        Data::Text(_)
        | Data::Bool(_)
        | Data::Integer(_)
        | Data::Float(_)
        | Data::List(_)
        | Data::Table(_) => None,
    }
}
