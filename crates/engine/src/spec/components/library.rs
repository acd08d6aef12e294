//! The folders that a spec is made of: its own, and those of the components that it uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::ComponentPath;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Sources, Span};
use crate::registry::Registry;
use crate::spec::blocks::{Blocks, sort_blocks};
use crate::spec::components::body::Body;
use crate::spec::components::read::{check_component, check_stack};
use crate::spec::document::{Table, read_document};
use crate::spec::source::Folders;

/// How many components may be inside of each other.
pub(crate) const MAXIMUM_DEPTH: usize = 16;

/// Every folder, read once.
pub(crate) struct Library {
    /// The first one is the spec itself.
    pub(crate) bodies: Vec<Body>,
    /// Which folder a `[use]` brings in: by the folder that has it, and its name.
    uses: BTreeMap<(usize, String), usize>,
    /// By folder: where it is first used, and by which other.
    first_uses: Vec<Option<(Span, usize)>>,
    /// The files of components, with the folder's number and the name inside the spec's tree.
    files: BTreeMap<SourceId, (usize, String)>,
}

/// What reading the folders of components needs.
pub(crate) struct Loading<'a> {
    pub(crate) folders: &'a Folders,
    pub(crate) registry: &'a Registry,
    pub(crate) sources: &'a mut Sources,
    pub(crate) diagnostics: &'a mut Diagnostics,
}

impl Library {
    /// Reads the folders of every component that a spec uses, directly or not.
    pub(crate) fn load(documents: Vec<(SourceId, Table)>, loading: &mut Loading<'_>) -> Self {
        let blocks = sort_blocks(documents, loading.registry, loading.diagnostics);
        check_stack(&blocks, loading.diagnostics);
        let root = Body::read(blocks, loading.registry, loading.sources, loading.diagnostics);
        let mut library = Self {
            bodies: vec![root],
            uses: BTreeMap::new(),
            first_uses: vec![None],
            files: BTreeMap::new(),
        };
        let mut known = BTreeMap::new();
        library.load_uses(0, &mut vec![String::new()], &mut known, loading);
        library
    }

    /// Returns the number of the folder that a `[use]` brings in; `None` if it could not be read.
    pub(crate) fn used(&self, body: usize, name: &str) -> Option<usize> {
        self.uses.get(&(body, name.to_owned())).copied()
    }

    /// Returns what the uses of a folder bring in; `None` for what could not be read.
    pub(crate) fn components_of(&self, body: usize) -> BTreeMap<String, Option<Arc<Blocks>>> {
        let blocks = |name: &String| self.used(body, name).map(|used| self.bodies[used].blocks.clone());
        self.bodies[body].uses.keys().map(|name| (name.clone(), blocks(name))).collect()
    }

    /// Returns what a component's file is called inside the spec's tree; `None` for other files.
    pub(crate) fn file_name(&self, source: SourceId) -> Option<&str> {
        self.files.get(&source).map(|(_, name)| name.as_str())
    }

    /// Adds to a problem in a component where the component is used, from the inside out.
    pub(crate) fn with_uses(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        let Some((body, _)) = diagnostic.span.and_then(|span| self.files.get(&span.source)) else {
            return diagnostic;
        };
        let uses = match &diagnostic.address {
            Some(address) => self.uses_of(address.component()),
            None => self.first_uses_of(*body),
        };
        for span in uses {
            diagnostic = diagnostic.with_related(span, "in the component that is used here");
        }
        diagnostic
    }

    /// Returns where an instance of a component comes from, from the inside out.
    fn uses_of(&self, component: &ComponentPath) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut body = 0;
        for name in component.names() {
            spans.extend(
                self.bodies[body]
                    .uses
                    .get(name)
                    .and_then(|found| found.source.as_ref())
                    .map(|(_, span)| *span),
            );
            body = self.used(body, name).unwrap_or_default();
        }
        spans.reverse();
        spans
    }

    fn first_uses_of(&self, body: usize) -> Vec<Span> {
        let user = |(_, body): &(Span, usize)| self.first_uses[*body];
        std::iter::successors(self.first_uses[body], user).map(|(span, _)| span).collect()
    }

    /// Reads what the uses of a folder name; `chain` has the folders that led here.
    fn load_uses(
        &mut self,
        body: usize,
        chain: &mut Vec<String>,
        known: &mut BTreeMap<String, Option<usize>>,
        loading: &mut Loading<'_>,
    ) {
        let uses = self.bodies[body].uses.iter();
        let uses: Vec<_> =
            uses.filter_map(|(name, found)| Some((name.clone(), found.source.clone()?))).collect();
        for (name, (source, span)) in uses {
            let here = chain.last().expect("the chain begins with the spec");
            let folder = match resolve(here, &source) {
                Ok(folder) if chain.contains(&folder) => Err(in_circle(span, &folder, chain)),
                Ok(_) if chain.len() > MAXIMUM_DEPTH => Err(too_deep(span)),
                Ok(folder) => Ok(folder),
                Err(label) => Err(Diagnostic::error("invalid-source", "invalid source")
                    .with_span(span, label)
                    .with_hint("Write a folder inside the spec's folder: `\"./components/network\"`.")),
            };
            let folder = match folder {
                Ok(folder) => folder,
                Err(diagnostic) => {
                    loading.diagnostics.push(diagnostic);
                    continue;
                }
            };
            let found = match known.get(&folder) {
                Some(found) => *found,
                None => self.load_folder(body, &folder, span, chain, known, loading),
            };
            if let Some(found) = found {
                self.uses.insert((body, name), found);
            }
        }
    }

    fn load_folder(
        &mut self,
        user: usize,
        folder: &str,
        span: Span,
        chain: &mut Vec<String>,
        known: &mut BTreeMap<String, Option<usize>>,
        loading: &mut Loading<'_>,
    ) -> Option<usize> {
        known.insert(folder.to_owned(), None);
        let number = self.bodies.len();
        let files = match loading.folders.read(folder) {
            Ok(files) => files,
            Err(diagnostic) => {
                loading.diagnostics.push((*diagnostic).with_span(span, "the component is not there"));
                return None;
            }
        };
        let mut documents = Vec::new();
        for (path, text) in files {
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let source = loading.sources.add(path, text);
            self.files.insert(source, (number, format!("{folder}/{file}")));
            documents.extend(
                read_document(source, loading.sources, loading.diagnostics).map(|table| (source, table)),
            );
        }
        let blocks = sort_blocks(documents, loading.registry, loading.diagnostics);
        check_component(&blocks, span, folder, loading.diagnostics);
        self.bodies.push(Body::read(blocks, loading.registry, loading.sources, loading.diagnostics));
        self.first_uses.push(Some((span, user)));
        known.insert(folder.to_owned(), Some(number));
        chain.push(folder.to_owned());
        self.load_uses(number, chain, known, loading);
        chain.pop();
        Some(number)
    }
}

/// Returns the folder that `source` names inside `here`, both from the spec's own folder; the
/// error says what is wrong with it.
fn resolve(here: &str, source: &str) -> Result<String, &'static str> {
    if source.starts_with('/') || source.starts_with('~') || source.contains(['\\', ':']) {
        return Err("expected a folder inside the spec's folder");
    }
    let mut folder: Vec<_> = here.split('/').filter(|part| !part.is_empty()).collect();
    for part in source.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(folder.pop().ok_or("leads out of the spec's folder")?),
            part => folder.push(part),
        }
    }
    Ok(folder.join("/"))
}

fn in_circle(span: Span, folder: &str, chain: &[String]) -> Diagnostic {
    let name =
        |folder: &String| if folder.is_empty() { "the spec".to_owned() } else { format!("`{folder}`") };
    let from = chain.iter().position(|other| other == folder).unwrap_or_default();
    let way: Vec<_> = chain[from..].iter().map(name).chain([name(&folder.to_owned())]).collect();
    Diagnostic::error("component-cycle", "component that uses itself")
        .with_span(span, "leads back to where it is used")
        .with_detail(format!("Each uses the next: {}.", way.join(" -> ")))
}

/// Describes components inside of components without end.
pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("nested-too-deep", "nested too deep")
        .with_span(span, format!("components are inside of each other more than {MAXIMUM_DEPTH} deep"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_stay_inside_the_folder_of_the_spec() {
        for (here, source, folder) in [
            ("", "./components/network", "components/network"),
            ("", "network/", "network"),
            ("components/network", "../subnet", "components/subnet"),
            ("components/network", "inner//x/.", "components/network/inner/x"),
            ("components", "..", ""),
        ] {
            assert_eq!(resolve(here, source).as_deref(), Ok(folder), "{here} {source}");
        }
        for (here, source) in
            [("", ".."), ("a", "../../a"), ("", "/etc"), ("", "~/x"), ("", "a\\b"), ("", "https://x/y")]
        {
            assert!(resolve(here, source).is_err(), "{here} {source}");
        }
    }
}
