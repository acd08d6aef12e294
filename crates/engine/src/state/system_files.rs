//! The machine's own files: private, never through a symbolic link, synced.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::state::remedy::shell_quoted;
use crate::state::{Files, JournalFile, LockGuard, Locking, StateError};

const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_FOLDER: u32 = 0o700;
const OTHERS: u32 = 0o077;

/// The machine's own files.
///
/// Every file has the mode 0600, whatever the umask is. A file that the group or the world can
/// read or write, that belongs to somebody else, or that is a symbolic link, is refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFiles;

impl Files for SystemFiles {
    fn may_block(&self) -> bool {
        true
    }

    fn create_folder(&self, folder: &Path) -> Result<(), StateError> {
        let missing: Vec<&Path> = folder.ancestors().take_while(|folder| is_missing(folder)).collect();
        for folder in missing.into_iter().rev() {
            make_folder(folder).map_err(failed("create", folder))?;
            // What is synced inside of a folder is of no use if the folder is not there.
            self.sync_folder(parent(folder))?;
        }
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StateError> {
        let mut file = match open_existing(OpenOptions::new().read(true), path) {
            Err(StateError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut contents = Vec::new();
        file.read_to_end(&mut contents).map_err(failed("read", path))?;
        Ok(Some(contents))
    }

    fn write(&self, path: &Path, contents: &[u8]) -> Result<(), StateError> {
        let mut file = create(path)?;
        file.write_all(contents).map_err(failed("write", path))?;
        file.sync_all().map_err(failed("sync", path))
    }

    fn create_journal(&self, path: &Path) -> Result<Box<dyn JournalFile>, StateError> {
        Ok(Box::new(SystemJournal { file: create(path)?, path: path.to_owned() }))
    }

    fn open_journal(&self, path: &Path, length: u64) -> Result<Box<dyn JournalFile>, StateError> {
        let mut file = open_existing(OpenOptions::new().write(true), path)?;
        file.set_len(length).map_err(failed("truncate", path))?;
        file.sync_all().map_err(failed("sync", path))?;
        file.seek(SeekFrom::Start(length)).map_err(failed("read", path))?;
        Ok(Box::new(SystemJournal { file, path: path.to_owned() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), StateError> {
        std::fs::rename(from, to).map_err(failed("replace", to))
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), StateError> {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
    }

    fn lock(&self, path: &Path, holder: &[u8]) -> Result<Locking, StateError> {
        // Made by whoever comes first and never removed: removing it would let two runs lock
        // two files of the same name.
        match create_new(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed("create", path)(error)),
        }
        let mut file = open_existing(OpenOptions::new().read(true).write(true), path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = Vec::new();
                file.read_to_end(&mut holder).map_err(failed("read", path))?;
                return Ok(Locking::Busy(holder));
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", path)(error)),
        }
        file.set_len(0).and_then(|()| file.write_all(holder)).map_err(failed("write", path))?;
        Ok(Locking::Held(Box::new(SystemLock(file))))
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(PRIVATE_FOLDER).create(folder) {
        Ok(()) => std::fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER)),
        // Another run was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

fn is_missing(folder: &Path) -> bool {
    !folder.as_os_str().is_empty() && !folder.is_dir()
}

fn parent(folder: &Path) -> &Path {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// The system drops the lock when the file is closed, also when the process is killed.
struct SystemLock(#[expect(dead_code, reason = "it is held, not used")] File);

impl LockGuard for SystemLock {}

struct SystemJournal {
    file: File,
    path: PathBuf,
}

impl JournalFile for SystemJournal {
    fn reserve(&mut self, bytes: u64) -> Result<(), StateError> {
        let reserved = self.file.stream_position().and_then(|end| reserve(&self.file, end, bytes));
        reserved.map_err(failed("reserve space for", &self.path))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        self.file.write_all(bytes).map_err(failed("write", &self.path))?;
        self.file.sync_data().map_err(failed("sync", &self.path))
    }
}

#[cfg(target_os = "linux")]
fn reserve(file: &File, end: u64, bytes: u64) -> io::Result<()> {
    use rustix::fs::FallocateFlags;
    match rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, end, bytes) {
        // The file system cannot set space aside: at least find out whether there is some.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => try_space(file, end, bytes),
        reserved => Ok(reserved?),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(file: &File, end: u64, bytes: u64) -> io::Result<()> {
    try_space(file, end, bytes)
}

fn try_space(file: &File, end: u64, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
    let tried = file.write_all_at(&zeros, end).and_then(|()| file.sync_data());
    file.set_len(end)?;
    tried
}

/// Makes a new file in place of any that has the name.
fn create(path: &Path) -> Result<File, StateError> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed("remove", path)(error)),
    }
    create_new(path).map_err(failed("create", path))
}

fn create_new(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(path)?;
    // A umask can only take away from the mode, even from the owner.
    file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?;
    Ok(file)
}

fn open_existing(options: &mut OpenOptions, path: &Path) -> Result<File, StateError> {
    // Without O_NONBLOCK, opening a named pipe would wait for ever.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).expect("the flags of open are an int");
    let file = options.custom_flags(flags).open(path).map_err(|error| {
        if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
            let remedy = "Put the file itself there, or name the folder in which it is.";
            return refused(path, "it is a symbolic link".to_owned(), remedy.to_owned());
        }
        failed("open", path)(error)
    })?;
    check_private(&file, path)?;
    Ok(file)
}

fn check_private(file: &File, path: &Path) -> Result<(), StateError> {
    let metadata = file.metadata().map_err(failed("read", path))?;
    if !metadata.is_file() {
        let remedy = "Move it away, or keep the state in another folder.";
        return Err(refused(path, "it is not a regular file".to_owned(), remedy.to_owned()));
    }
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(refused(
            path,
            format!("it belongs to the user {owner}, and this is the user {user}"),
            format!(
                "Run as the user {owner}. If the file is yours to take, run `chown {user} {}`.",
                shell_quoted(path)
            ),
        ));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(refused(
            path,
            format!("others than its owner can read or write it (its mode is {mode:04o})"),
            format!("If you trust what is in it, run `chmod 600 {}`.", shell_quoted(path)),
        ));
    }
    Ok(())
}

fn refused(path: &Path, problem: String, remedy: String) -> StateError {
    StateError::Corrupt { path: path.to_owned(), problem, remedy }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    move |source| StateError::Io { action, path: path.to_owned(), source }
}
