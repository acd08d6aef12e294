//! Puts new content into a file of the user's, as a whole or not at all.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use straddle_engine::diagnostic::Diagnostic;

use crate::failure::Failure;

/// Replaces the content of a file that exists. It is written beside and renamed, so that the file
/// has the old content or the new one at any moment, and keeps its mode.
///
/// # Errors
/// If the file is a link, or may not be written; it is left as it is.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failure = |error: io::Error| Failure::file("write", path, &error);
    let metadata = fs::symlink_metadata(path).map_err(failure)?;
    check(path, &metadata)?;
    write(path, &metadata, bytes).map_err(failure)
}

/// Writes a file that is not there yet, as a whole or not at all.
///
/// # Errors
/// If it is there by now, or may not be written.
pub(crate) fn create_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let create = || -> io::Result<()> {
        let folder = folder_of(path);
        // Who may read it is for the user's mask to say, as of any other file.
        let permissions = fs::Permissions::from_mode(0o666);
        let mut file = tempfile::Builder::new().permissions(permissions).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path)?;
        File::open(folder)?.sync_all()
    };
    create().map_err(|error| Failure::file("write", path, &error))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses what renaming would do although the user has forbidden it, or would not expect it.
fn check(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    let (problem, hint) = if metadata.is_symlink() {
        ("is a link, and would become a file", "Name the file that it leads to.")
    } else if !metadata.is_file() {
        ("is no regular file", "Name the file that is meant.")
    } else if metadata.permissions().readonly() {
        ("may not be written", "Make it writable, if it is meant to change.")
    } else {
        return Ok(());
    };
    let diagnostic = Diagnostic::error("not-writable", "a file is left as it is")
        .with_detail(format!("{} {problem}.", path.display()))
        .with_hint(hint);
    Err(Failure::error(diagnostic))
}

fn write(path: &Path, metadata: &Metadata, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(metadata.permissions())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace_file(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_takes_the_place_of_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        create_file(&path, b"new").unwrap();
        assert!(create_file(&path, b"newer").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn links_folders_and_what_may_not_be_written_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["a.toml", "b.toml"].map(|name| folder.path().join(name));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o440)).unwrap();
        for path in [&*file, &link, folder.path(), &folder.path().join("nothing")] {
            assert!(replace_file(path, b"new").is_err(), "{}", path.display());
        }
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
