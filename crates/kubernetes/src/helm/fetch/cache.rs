//! Archives that were fetched, by their sha256, and which of them a version was.
//!
//! Files appear whole, in one rename, so that programs that run at the same time do not disturb each other;
//! whatever is not what its name says counts as missing.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{FetchError, LARGEST_ARCHIVE, Reference, sha256};

/// A folder of archives.
#[derive(Debug)]
pub(super) struct Cache {
    archives: PathBuf,
    /// What versions were, by the sha256 of what they are called.
    versions: PathBuf,
}

impl Cache {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { archives: folder.join("sha256"), versions: folder.join("versions") }
    }

    /// Returns an archive, if it is there and is what its name says.
    pub(super) fn find(&self, digest: &str) -> Result<Option<PathBuf>, FetchError> {
        let path = self.archive(digest);
        let found = read(&path, LARGEST_ARCHIVE)?;
        Ok(found.filter(|bytes| sha256(bytes) == digest).map(|_| path))
    }

    /// Keeps an archive.
    pub(super) fn keep(&self, digest: &str, bytes: &[u8]) -> Result<PathBuf, FetchError> {
        let path = self.archive(digest);
        write(&path, bytes)?;
        Ok(path)
    }

    /// Returns the version and the sha256 of a chart whose version is named, if it was fetched before.
    pub(super) fn remembered(&self, reference: &Reference) -> Result<Option<(String, String)>, FetchError> {
        let Some(bytes) = read(&self.version(reference), 1024)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let mut words = text.split_whitespace().map(str::to_owned);
        Ok(words.next().zip(words.next()).filter(|(_, digest)| is_digest(digest)))
    }

    /// Remembers what a chart was whose version is named.
    pub(super) fn remember(
        &self,
        reference: &Reference,
        version: &str,
        digest: &str,
    ) -> Result<(), FetchError> {
        if !reference.is_exact() {
            return Ok(());
        }
        write(&self.version(reference), format!("{version} {digest}\n").as_bytes())
    }

    fn archive(&self, digest: &str) -> PathBuf {
        // What is locked could be written by anybody.
        let name = if is_digest(digest) { digest.to_owned() } else { sha256(digest.as_bytes()) };
        self.archives.join(format!("{name}.tgz"))
    }

    fn version(&self, reference: &Reference) -> PathBuf {
        let words = [reference.source(), reference.chart(), reference.wanted()].join("\n");
        self.versions.join(sha256(words.as_bytes()))
    }
}

/// Whether a text is a sha256 in hexadecimal digits.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns what is in a file; `None` if it is not there or larger than anything that is kept.
fn read(path: &Path, largest: usize) -> Result<Option<Vec<u8>>, FetchError> {
    let found = || {
        if fs::metadata(path)?.len() > largest as u64 {
            return Ok(None);
        }
        fs::read(path).map(Some)
    };
    match found() {
        Ok(found) => Ok(found),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FetchError::Cache { path: path.to_owned(), source }),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FetchError> {
    let folder = path.parent().expect("everything that is kept is in a folder");
    let put = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    put().map_err(|source| FetchError::Cache { path: folder.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(wanted: &str) -> Reference {
        Reference::new(Some("https://charts.example.com"), "web", Some(wanted)).unwrap()
    }

    #[test]
    fn what_is_not_what_its_name_says_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        let digest = sha256(b"archive");
        assert_eq!(cache.find(&digest).unwrap(), None);
        let path = cache.keep(&digest, b"archive").unwrap();
        assert_eq!(cache.find(&digest).unwrap(), Some(path.clone()));
        fs::write(&path, "arch").unwrap();
        assert_eq!(cache.find(&digest).unwrap(), None);
        cache.keep(&digest, b"archive").unwrap();
        assert_eq!(cache.find(&digest).unwrap(), Some(path));
        assert_eq!(fs::read_dir(folder.path().join("sha256")).unwrap().count(), 1);
    }

    #[test]
    fn only_what_one_version_was_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        let digest = sha256(b"archive");
        for wanted in ["1.2.3", "^1"] {
            cache.remember(&reference(wanted), "1.2.3", &digest).unwrap();
        }
        let expected = Some(("1.2.3".to_owned(), digest));
        assert_eq!(cache.remembered(&reference("1.2.3")).unwrap(), expected);
        assert_eq!(cache.remembered(&reference("^1")).unwrap(), None);
        fs::write(cache.version(&reference("1.2.3")), "1.2.3 ../../x").unwrap();
        assert_eq!(cache.remembered(&reference("1.2.3")).unwrap(), None);
    }

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        let cache = Cache::in_folder(Path::new("cache"));
        assert!(cache.archive("../../../x").starts_with("cache/sha256"));
        assert!(!cache.archive("../../../x").display().to_string().contains(".."));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Cache::in_folder(&file).keep(&sha256(b"x"), b"x").unwrap_err().to_string();
        assert!(error.contains("file/sha256 cannot be used to keep charts: "), "{error}");
    }
}
