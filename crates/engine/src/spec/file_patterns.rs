//! Patterns of paths: `manifests/*.yaml`, `manifests/**/*.yaml`.

use std::path::Path;

use cap_std::fs::Dir;

use crate::spec::files::open_folder;

/// How many entries of folders are looked at for one pattern.
const MAXIMUM_ENTRIES: usize = 10_000;
/// How deep folders may be inside of each other.
const MAXIMUM_DEPTH: usize = 32;

/// A pattern of paths. `*` and `?` stand for characters of one name, `**` for any folders. A name that
/// begins with a dot is meant only where the pattern has that dot.
pub(crate) struct FilePattern<'a> {
    parts: Vec<&'a str>,
}

impl<'a> FilePattern<'a> {
    pub(crate) fn new(pattern: &'a str) -> Self {
        Self { parts: pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect() }
    }

    /// Returns those of some paths that fit, sorted.
    pub(crate) fn among<'p>(&self, paths: impl Iterator<Item = &'p String>) -> Vec<String> {
        let fits = |path: &&String| fits_path(&self.parts, &path.split('/').collect::<Vec<_>>());
        let mut found: Vec<_> = paths.filter(fits).cloned().collect();
        found.sort();
        found
    }

    /// Returns the paths of the files in a folder that fit, sorted. Links to folders are not followed.
    pub(crate) fn inside(&self, folder: &Path) -> Result<Vec<String>, String> {
        let failed = |error: std::io::Error| format!("the folder cannot be read: {error}");
        let root = open_folder(folder).map_err(failed)?;
        let mut walk = Walk { found: Vec::new(), entries: 0 };
        walk.folder(&root, "", &self.parts, 0).map_err(|error| match error {
            WalkError::Io(error) => failed(error),
            WalkError::TooMuch => format!(
                "the folders have more than {MAXIMUM_ENTRIES} entries or are more than {MAXIMUM_DEPTH} deep"
            ),
        })?;
        walk.found.sort();
        walk.found.dedup();
        Ok(walk.found)
    }
}

struct Walk {
    found: Vec<String>,
    entries: usize,
}

enum WalkError {
    Io(std::io::Error),
    TooMuch,
}

impl From<std::io::Error> for WalkError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl Walk {
    fn folder(&mut self, folder: &Dir, path: &str, parts: &[&str], depth: usize) -> Result<(), WalkError> {
        let Some((first, rest)) = parts.split_first() else { return Ok(()) };
        if depth > MAXIMUM_DEPTH {
            return Err(WalkError::TooMuch);
        }
        if *first == "**" && !rest.is_empty() {
            self.folder(folder, path, rest, depth + 1)?;
        }
        for entry in folder.entries()? {
            let entry = entry?;
            self.entries += 1;
            if self.entries > MAXIMUM_ENTRIES {
                return Err(WalkError::TooMuch);
            }
            let name = entry.file_name();
            // What is no text has no place in a spec.
            let Some(name) = name.to_str() else { continue };
            let inner = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            let is_folder = entry.file_type()?.is_dir();
            if *first == "**" {
                if is_folder && !name.starts_with('.') {
                    self.folder(&entry.open_dir()?, &inner, parts, depth + 1)?;
                } else if !is_folder && rest.is_empty() && !name.starts_with('.') {
                    self.found.push(inner);
                }
            } else if fits_name(first, name) {
                match (rest.is_empty(), is_folder) {
                    (true, false) => self.found.push(inner),
                    (false, true) => self.folder(&entry.open_dir()?, &inner, rest, depth + 1)?,
                    (true, true) | (false, false) => {}
                }
            }
        }
        Ok(())
    }
}

fn fits_path(parts: &[&str], names: &[&str]) -> bool {
    match (parts.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) if !rest.is_empty() && fits_path(rest, names) => true,
        (Some((&"**", rest)), Some((name, names))) => {
            let fits = !name.starts_with('.');
            fits && (fits_path(parts, names) || (rest.is_empty() && names.is_empty()))
        }
        (Some((part, parts)), Some((name, names))) => fits_name(part, name) && fits_path(parts, names),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Tells whether a name fits a part of a pattern.
fn fits_name(part: &str, name: &str) -> bool {
    if name.starts_with('.') && !part.starts_with('.') {
        return false;
    }
    let (part, name): (Vec<char>, Vec<char>) = (part.chars().collect(), name.chars().collect());
    let (mut at, mut place) = (0, 0);
    // Where the last `*` is, and how far the name was when it was met.
    let mut star = None;
    while place < name.len() {
        match part.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(character) if *character == '?' || *character == name[place] => {
                at += 1;
                place += 1;
            }
            _ => match star {
                // The star takes one character more.
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    (at, place) = (star_at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    part[at..].iter().all(|character| *character == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_paths() {
        for (pattern, path, expected) in [
            ("a.yaml", "a.yaml", true),
            ("./a.yaml", "a.yaml", true),
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("*.yaml", ".a.yaml", false),
            (".*.yaml", ".a.yaml", true),
            ("*.yaml", "m/a.yaml", false),
            ("m/*.yaml", "m/a.yaml", true),
            ("m/?.yaml", "m/ab.yaml", false),
            ("m/**/*.yaml", "m/a.yaml", true),
            ("m/**/*.yaml", "m/x/y/a.yaml", true),
            ("m/**/*.yaml", "m/.x/a.yaml", false),
            ("**", "m/x/a.yaml", true),
            ("m/**", "n/a.yaml", false),
            ("*a*b*", "xaybz", true),
            ("*a*b*", "xbya", false),
        ] {
            let path = path.to_owned();
            let found = FilePattern::new(pattern).among([&path].into_iter());
            assert_eq!(!found.is_empty(), expected, "{pattern} {path}");
        }
    }
}
