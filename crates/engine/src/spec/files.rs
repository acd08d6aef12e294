//! The files that expressions read: only those in the spec's own folder, each read once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use data_encoding::HEXLOWER;
use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use crate::diagnostic::{SourceId, Sources};
use crate::spec::file_patterns::FilePattern;
use crate::spec::file_trees::{self, Tree};
use crate::supply::{Supplied, Supplies, Supply, Unsupplied};

/// How large a file that an expression reads may be.
const MAXIMUM_BYTES: u64 = 4 * 1024 * 1024;

/// Where the files are that expressions read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecFiles {
    /// Here, by their paths from the folder of the spec.
    InMemory(BTreeMap<String, String>),
    /// Beside the file of the spec that names them.
    OnDisk,
}

impl Default for SpecFiles {
    fn default() -> Self {
        Self::InMemory(BTreeMap::new())
    }
}

/// What a file says, or why it cannot be read, without a full stop. Of a pattern, the paths that it
/// stands for, one a line.
type Content = Result<Arc<str>, String>;

/// Why the text of a file is not to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// What is wrong with the file or its path, without a full stop. It stays so.
    Problem(String),
    /// It was not asked for while the spec was loaded.
    Late,
}

/// What is said of a file that was not asked for while the spec was loaded.
pub(crate) const LATE: &str = "was not named when the spec was loaded, and is not read later";

impl Unreadable {
    /// Says why, without a full stop.
    pub(crate) fn into_reason(self) -> String {
        match self {
            Self::Problem(problem) => problem,
            Self::Late => LATE.to_owned(),
        }
    }
}

/// The files that a spec reads. What was read once stays as it was, so that plan and apply see
/// what the check saw; a file that was not read while loading is not read any more, since the
/// digest of the spec would not count it.
#[derive(Debug, Default)]
pub(crate) struct FileReader {
    files: SpecFiles,
    /// The folders of the spec's own files.
    folders: BTreeMap<SourceId, PathBuf>,
    read: Mutex<BTreeMap<(PathBuf, String), Content>>,
    /// Whole folders; their digests are among what was read.
    trees: Mutex<BTreeMap<(PathBuf, String), Arc<Tree>>>,
    /// What was fetched before the spec was loaded.
    supplies: Supplies,
    /// What was asked for and is not among them.
    lacking: Mutex<BTreeSet<Supply>>,
    /// The files that problems may be shown in.
    shown: Mutex<Shown>,
    closed: AtomicBool,
}

/// Files that become sources besides the spec's own.
#[derive(Debug, Default)]
struct Shown {
    ids: BTreeMap<PathBuf, SourceId>,
    /// In the order of their ids.
    texts: Vec<(PathBuf, Arc<str>)>,
    /// The sources before them.
    before: Sources,
}

impl FileReader {
    pub(crate) fn new(files: SpecFiles, supplies: Supplies, sources: &Sources) -> Self {
        let folder = |path: &Path| path.parent().unwrap_or(Path::new("")).to_owned();
        let folders = sources.iter().map(|(id, source)| (id, folder(&source.path))).collect();
        let shown = Mutex::new(Shown { before: sources.clone(), ..Shown::default() });
        Self { files, folders, supplies, shown, ..Self::default() }
    }

    /// Returns the text of a file that is named in a file of the spec.
    pub(crate) fn read(&self, named_in: SourceId, path: &str) -> Result<Arc<str>, Unreadable> {
        check_path(path).map_err(Unreadable::Problem)?;
        let folder = self.folder(named_in);
        let content = |folder: &Path| match &self.files {
            SpecFiles::InMemory(files) => files
                .get(path)
                .map(|text| Arc::from(text.as_str()))
                .ok_or_else(|| "there is no such file".to_owned()),
            SpecFiles::OnDisk => read_inside(folder, path).map(Arc::from),
        };
        self.once((folder, path.to_owned()), content)
    }

    /// Does the same with a file in which places of problems can be shown.
    pub(crate) fn read_shown(&self, named_in: SourceId, path: &str) -> Result<Arc<str>, Unreadable> {
        let text = self.read(named_in, path)?;
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.folder(named_in).join(path);
        if !self.is_closed() && !shown.ids.contains_key(&place) {
            let id = shown.before.future_id(shown.texts.len());
            shown.ids.insert(place.clone(), id);
            shown.texts.push((place, text.clone()));
        }
        Ok(text)
    }

    /// Returns as which source a file that was read so is shown.
    pub(crate) fn shown_as(&self, named_in: SourceId, path: &str) -> Option<SourceId> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.ids.get(&self.folder(named_in).join(path)).copied()
    }

    /// Returns the files that become sources, in the order of their ids.
    pub(crate) fn take_shown(&self) -> Vec<(PathBuf, Arc<str>)> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut shown.texts)
    }

    /// Returns the paths that a pattern stands for, sorted.
    pub(crate) fn matching(&self, named_in: SourceId, pattern: &str) -> Result<Vec<String>, Unreadable> {
        check_path(pattern).map_err(Unreadable::Problem)?;
        let found = |folder: &Path| match &self.files {
            SpecFiles::InMemory(files) => Ok(FilePattern::new(pattern).among(files.keys())),
            SpecFiles::OnDisk => FilePattern::new(pattern).inside(folder),
        };
        // No path of a file has such a beginning.
        let key = (self.folder(named_in), format!("\u{0}{pattern}"));
        let listed = self.once(key, |folder| found(folder).map(|paths| Arc::from(paths.join("\n"))))?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// Returns a file, or every file in a folder, as bytes.
    pub(crate) fn tree(&self, named_in: SourceId, path: &str) -> Result<Arc<Tree>, Unreadable> {
        check_path(path).map_err(Unreadable::Problem)?;
        let folder = self.folder(named_in);
        let place = (folder.clone(), path.to_owned());
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        // No path of a file has such a beginning, nor has a pattern.
        self.once((folder, format!("\u{1}{path}")), |folder| {
            let tree = match &self.files {
                SpecFiles::InMemory(files) => file_trees::tree_among(files, path),
                SpecFiles::OnDisk => file_trees::read_tree(folder, path),
            }?;
            let digest = file_trees::digest(&tree);
            trees.insert(place.clone(), Arc::new(tree));
            Ok(Arc::from(digest))
        })?;
        Ok(trees[&place].clone())
    }

    /// Returns what came of fetching something; `None` if that was not done yet.
    pub(crate) fn supplied(&self, supply: &Supply) -> Option<Supplied> {
        let Some(supplied) = self.supplies.get(supply) else {
            self.lacking.lock().unwrap_or_else(PoisonError::into_inner).insert(supply.clone());
            return None;
        };
        // No path of a file has such a beginning, nor has a pattern or a folder.
        let counted = self.once((PathBuf::new(), format!("\u{2}{supply}")), |_| match supplied {
            Ok(tree) => Ok(Arc::from(file_trees::digest(tree))),
            Err(unsupplied) => Err(unsupplied.reason.clone()),
        });
        Some(match counted {
            Err(Unreadable::Late) => Err(Unsupplied { reason: format!("it {LATE}"), remedy: None }),
            Ok(_) | Err(Unreadable::Problem(_)) => supplied.clone(),
        })
    }

    /// Returns what was asked for and not fetched before.
    pub(crate) fn take_lacking(&self) -> BTreeSet<Supply> {
        std::mem::take(&mut self.lacking.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns what was found before, or what is found now.
    fn once(
        &self,
        key: (PathBuf, String),
        find: impl FnOnce(&Path) -> Content,
    ) -> Result<Arc<str>, Unreadable> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = read.get(&key) {
            return content.clone().map_err(Unreadable::Problem);
        }
        if self.is_closed() {
            return Err(Unreadable::Late);
        }
        let content = find(&key.0);
        read.insert(key, content.clone());
        content.map_err(Unreadable::Problem)
    }

    fn folder(&self, named_in: SourceId) -> PathBuf {
        self.folders.get(&named_in).cloned().unwrap_or_default()
    }

    /// Tells whether no further file is read.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Lets no further file be read, and returns a digest of those that were; `None` if none was.
    pub(crate) fn close(&self) -> Option<String> {
        self.closed.store(true, Ordering::Relaxed);
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hash = Sha256::new();
        for ((_, path), content) in read.iter() {
            let (found, text) = match content {
                Ok(text) => (1_u64, &**text),
                Err(problem) => (0, problem.as_str()),
            };
            for part in [path.as_bytes(), &found.to_be_bytes(), text.as_bytes()] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        (!read.is_empty()).then(|| HEXLOWER.encode(&hash.finalize()))
    }
}

/// Refuses paths that lead out by what they say; links are refused when the file is opened.
fn check_path(path: &str) -> Result<(), String> {
    let refuse = |reason: &str| Err(format!("`{}` {reason}", path.escape_debug()));
    if path.is_empty() {
        return Err("the path is empty".to_owned());
    }
    if path.chars().any(|character| character.is_control() || character == '\\') {
        return refuse("has characters that no path of a spec has");
    }
    for component in Path::new(path).components() {
        match component {
            Component::Normal(_) | Component::CurDir => {}
            Component::ParentDir => return refuse("leads out of the folder of the spec with `..`"),
            Component::RootDir | Component::Prefix(_) => {
                return refuse("is no path from the folder of the spec: it begins at the root");
            }
        }
    }
    Ok(())
}

/// Opens a folder, of which nothing is followed out.
pub(crate) fn open_folder(folder: &Path) -> std::io::Result<Dir> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    Dir::open_ambient_dir(folder, ambient_authority())
}

/// Reads a regular file inside a folder. Nothing is followed out of it, and what is no regular
/// file is neither waited for nor read.
fn read_inside(folder: &Path, path: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return "there is no such file".to_owned();
        }
        format!("the file cannot be read: {error}")
    };
    let folder = open_folder(folder).map_err(failed)?;
    let mut options = OpenOptions::new();
    let at_once = OFlags::NONBLOCK | OFlags::NOCTTY;
    options.read(true).custom_flags(i32::try_from(at_once.bits()).expect("flags of `open` fit its argument"));
    let file = folder.open_with(path, &options).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err("this is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MAXIMUM_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAXIMUM_BYTES {
        return Err("the file is larger than 4 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())
}
