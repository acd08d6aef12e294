//! The files of a spec: which block is in which, and what is remarked beside it.

use std::collections::BTreeMap;

use crate::address::AccountName;
use crate::discovery::blocks::Writer;
use crate::discovery::toml::quoted;
use crate::discovery::{Discovered, Named};
use crate::registry::Registry;
use crate::spec::Spec;

/// How long the lines of a remark are.
const WIDTH: usize = 110;

impl Discovered {
    /// Returns the files that tell of everything, each with its name without ending and its text, in the
    /// order of the things.
    #[must_use]
    pub fn files(&self, spec: &Spec, registry: &Registry) -> Vec<(&'static str, String)> {
        let writer = Writer::of(&self.things, spec, registry);
        let mut files: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (position, thing) in self.things.iter().enumerate().filter(|(_, thing)| thing.part_of.is_none()) {
            match files.iter_mut().find(|(file, _)| *file == thing.file) {
                Some((_, positions)) => positions.push(position),
                None => files.push((thing.file, vec![position])),
            }
        }
        let of_notes = self.notes.iter().map(|note| note.file);
        for file in of_notes {
            if !files.iter().any(|(known, _)| *known == file) {
                files.push((file, Vec::new()));
            }
        }
        files.into_iter().map(|(file, positions)| (file, self.file(&writer, file, &positions))).collect()
    }

    fn file(&self, writer: &Writer<'_>, file: &str, positions: &[usize]) -> String {
        let account = most_common(positions.iter().map(|position| &self.things[*position]));
        let mut pieces = Vec::new();
        if let Some(account) = account {
            pieces.push(format!("[defaults]\naccount = {}\n", quoted(account.as_str())));
        }
        for position in positions {
            let thing = &self.things[*position];
            let remark = thing.remark.as_deref().map(comment).unwrap_or_default();
            let is_elsewhere = account != Some(&thing.account);
            pieces.extend(writer.block(*position, is_elsewhere).map(|block| remark + &block));
        }
        pieces.extend(self.notes.iter().filter(|note| note.file == file).map(|note| comment(&note.text)));
        pieces.join("\n")
    }
}

/// Returns the account in which most of the things are.
fn most_common<'t>(things: impl Iterator<Item = &'t Named>) -> Option<&'t AccountName> {
    let mut counts: BTreeMap<&AccountName, usize> = BTreeMap::new();
    for thing in things {
        *counts.entry(&thing.account).or_default() += 1;
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(account, _)| account)
}

/// Returns a text as lines of a comment.
fn comment(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always one");
        if last.len() + word.len() >= WIDTH {
            lines.push(word.to_owned());
        } else {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(word);
        }
    }
    format!("# {}\n", lines.join("\n# "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_broken_into_lines() {
        assert_eq!(comment("one two"), "# one two\n");
        let long = comment(&"word ".repeat(60));
        assert_eq!(long.lines().count(), 3, "{long}");
        assert!(long.lines().all(|line| line.starts_with("# word") && line.len() <= WIDTH + 2));
    }
}
