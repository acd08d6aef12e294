//! Whole specs in memory, for tests.

use std::collections::BTreeMap;

use straddle_engine::diagnostic::Sources;
use straddle_engine::provider::{Account, BoxFuture, Connection, Provider, ProviderError};
use straddle_engine::registry::Registry;
use straddle_engine::schema::AttributeSchema;
use straddle_engine::spec::{LoadFailure, Spec, SpecFiles, SpecText, load_text};
use straddle_engine::supply::Supplies;

/// Connects to nothing.
struct NoAccount;

impl Provider for NoAccount {
    fn account_attributes(&self) -> Vec<AttributeSchema> {
        Vec::new()
    }

    fn connect<'a>(&'a self, _: &'a Account) -> BoxFuture<'a, Result<Connection, ProviderError>> {
        unreachable!("loading a spec connects to nothing")
    }
}

const HEAD: &str =
    "[stack]\nname = \"shop\"\n[account.apps]\nid = \"444455556666\"\nregion = \"us-east-1\"\n";

/// Loads a spec with one account, with files beside it and what was fetched for it.
pub(crate) fn load_with(
    text: &str,
    files: &[(&str, &str)],
    supplies: Supplies,
) -> Result<Spec, Box<LoadFailure>> {
    let mut sources = Sources::default();
    sources.add("main.toml", format!("{HEAD}{text}"));
    let file = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    let files = SpecFiles::InMemory(files.iter().map(file).collect::<BTreeMap<_, _>>());
    let registry = crate::with_kinds(Registry::new(NoAccount));
    let text = SpecText { sources, files, supplies, ..SpecText::default() };
    load_text(text, &registry).map(|loaded| loaded.spec)
}
