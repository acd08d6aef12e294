//! Which states a folder holds.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::Value as Json;

use crate::state::{Files, SystemFiles};

/// A state in a folder, as far as its files tell without being checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedState {
    /// What the files' names begin with: the stack, and the environment after a dot.
    pub name: String,
    /// The stack that it says it belongs to.
    pub stack: String,
}

/// Returns the states in a folder, sorted by name; none if there is no such folder.
///
/// # Errors
/// If the folder cannot be read.
pub fn list_states(folder: &Path) -> io::Result<Vec<ListedState>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut states = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let read = |stack: fn(&str) -> Option<String>| {
            let bytes = SystemFiles.read(&path).ok().flatten()?;
            stack(std::str::from_utf8(&bytes).ok()?)
        };
        if let Some(name) = file.strip_suffix(".journal.jsonl") {
            if let Some(stack) = read(stack_of_journal) {
                states.entry(name.to_owned()).or_insert(stack);
            }
        } else if let Some(name) = file.strip_suffix(".json")
            && let Some(stack) = read(stack_of_state)
        {
            states.insert(name.to_owned(), stack);
        }
    }
    Ok(states.into_iter().map(|(name, stack)| ListedState { name, stack }).collect())
}

fn stack_of_state(text: &str) -> Option<String> {
    let document: Json = serde_json::from_str(text).ok()?;
    Some(document["state"]["stack"].as_str()?.to_owned())
}

/// The second line of a journal begins with the record of its run.
fn stack_of_journal(text: &str) -> Option<String> {
    let records = text.lines().nth(1)?.splitn(4, ' ').nth(3)?;
    let records: Json = serde_json::from_str(records).ok()?;
    Some(records[0]["stack"].as_str()?.to_owned())
}
