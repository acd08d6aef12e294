//! Whole folders that bundles read: every file in them, as bytes.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use data_encoding::HEXLOWER;
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use crate::spec::files::open_folder;

/// How large the files of a folder may be together.
const MAXIMUM_BYTES: u64 = 128 * 1024 * 1024;
/// How many entries the folders may have together.
const MAXIMUM_ENTRIES: usize = 20_000;
/// How deep folders may be inside of each other.
const MAXIMUM_DEPTH: usize = 32;

/// The files of a folder by their paths in it, with slashes. Of a path that is a file itself, that one
/// alone, with an empty path.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// Reads a file, or everything in a folder; nothing is followed out of the spec's folder, and what is
/// neither file nor folder is neither waited for nor read.
pub(crate) fn read_tree(folder: &Path, path: &str) -> Result<Tree, String> {
    let failed = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return "there is no such file or folder".to_owned();
        }
        format!("it cannot be read: {error}")
    };
    let root = open_folder(folder).map_err(failed)?;
    let mut reading = Reading { root: &root, found: Tree::new(), entries: 0, room: MAXIMUM_BYTES };
    if root.metadata(path).map_err(failed)?.is_dir() {
        reading.folder(path, "", 0)?;
    } else {
        reading.file(path, String::new())?;
    }
    Ok(reading.found)
}

/// Returns the part of a tree in memory that is at a path.
pub(crate) fn tree_among(files: &BTreeMap<String, String>, path: &str) -> Result<Tree, String> {
    let path = path.trim_end_matches('/');
    if let Some(text) = files.get(path) {
        return Ok(Tree::from([(String::new(), text.as_bytes().to_vec())]));
    }
    let inside = |(name, text): (&String, &String)| {
        let name = name.strip_prefix(path)?.strip_prefix('/')?;
        Some((name.to_owned(), text.as_bytes().to_vec()))
    };
    let found: Tree = files.iter().filter_map(inside).collect();
    if found.is_empty() { Err("there is no such file or folder".to_owned()) } else { Ok(found) }
}

/// Returns a digest of the names and bytes of files.
pub(crate) fn digest(tree: &Tree) -> String {
    let mut hash = Sha256::new();
    for part in tree.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    HEXLOWER.encode(&hash.finalize())
}

struct Reading<'a> {
    root: &'a Dir,
    found: Tree,
    entries: usize,
    /// How many bytes may still come.
    room: u64,
}

impl Reading<'_> {
    /// Reads a folder; `name` is its path from where the reading began.
    fn folder(&mut self, path: &str, name: &str, depth: usize) -> Result<(), String> {
        let failed = |error: std::io::Error| problem(path, &error);
        if depth > MAXIMUM_DEPTH {
            return Err(format!("there are more than {MAXIMUM_DEPTH} folders inside of each other"));
        }
        for entry in self.root.read_dir(path).map_err(failed)? {
            let own = entry.map_err(failed)?.file_name();
            let own = own.to_str().ok_or_else(|| format!("`{path}` has a name in it that is no text"))?;
            self.entries += 1;
            if self.entries > MAXIMUM_ENTRIES {
                return Err(format!("there are more than {MAXIMUM_ENTRIES} files and folders"));
            }
            // From the root on, so that a link may lead anywhere inside of the spec's folder.
            let inner = format!("{}/{own}", path.trim_end_matches('/'));
            let name = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
            let metadata = self.root.metadata(&inner).map_err(|error| problem(&inner, &error))?;
            if metadata.is_dir() {
                self.folder(&inner, &name, depth + 1)?;
            } else {
                self.file(&inner, name)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &str, name: String) -> Result<(), String> {
        let failed = |error: std::io::Error| problem(path, &error);
        let mut options = OpenOptions::new();
        let at_once = OFlags::NONBLOCK | OFlags::NOCTTY;
        options
            .read(true)
            .custom_flags(i32::try_from(at_once.bits()).expect("flags of `open` fit its argument"));
        let file = self.root.open_with(path, &options).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(format!("`{}` is no regular file", path.escape_debug()));
        }
        let mut bytes = Vec::new();
        file.take(self.room + 1).read_to_end(&mut bytes).map_err(failed)?;
        let left = self.room.checked_sub(bytes.len() as u64);
        self.room = left.ok_or("the files are larger than 128 MiB together")?;
        self.found.insert(name, bytes);
        Ok(())
    }
}

fn problem(path: &str, error: &std::io::Error) -> String {
    format!("`{}` cannot be read: {error}", path.escape_debug())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test may write files")]
    fn everything_in_a_folder_is_read_and_nothing_outside_of_it() {
        let around = tempfile::tempdir().expect("there is room");
        let spec = around.path().join("spec");
        std::fs::create_dir_all(spec.join("chart/templates")).expect("there is room");
        for (path, text) in [
            ("spec/chart/a", "1"),
            ("spec/chart/templates/b", "2"),
            ("spec/shared", "3"),
            ("outside", "secret"),
        ] {
            std::fs::write(around.path().join(path), text).expect("there is room");
        }
        symlink("../../shared", spec.join("chart/templates/link")).expect("there is room");
        let tree = read_tree(&spec, "chart").expect("it can be read");
        let names: Vec<_> = tree.keys().map(String::as_str).collect();
        assert_eq!(names, ["a", "templates/b", "templates/link"]);
        assert_eq!(tree["templates/link"], b"3");
        assert_eq!(
            read_tree(&spec, "chart/a").expect("it can be read"),
            Tree::from([(String::new(), b"1".into())])
        );
        let before = digest(&tree);
        std::fs::write(spec.join("chart/templates/b"), "4").expect("there is room");
        assert_ne!(digest(&read_tree(&spec, "./chart").expect("it can be read")), before);

        symlink("../../outside", spec.join("chart/out")).expect("there is room");
        let refused = read_tree(&spec, "chart").expect_err("a link leads out");
        assert!(refused.starts_with("`chart/out` cannot be read: "), "{refused}");
        std::fs::remove_file(spec.join("chart/out")).expect("it is there");
        symlink(".", spec.join("chart/round")).expect("there is room");
        let refused = read_tree(&spec, "chart").expect_err("a link leads in circles");
        assert_eq!(refused, "there are more than 32 folders inside of each other");
        assert_eq!(read_tree(&spec, "none"), Err("there is no such file or folder".to_owned()));
    }
}
