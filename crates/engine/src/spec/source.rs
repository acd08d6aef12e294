//! Reads the files of a spec.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Sources};
use crate::spec::LoadRequest;

const MAXIMUM_BYTES: u64 = 16 * 1024 * 1024;

/// The files of a request.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) sources: Sources,
    /// Those of `sources` that hold values of variables; later ones win.
    pub(crate) variable_files: Vec<SourceId>,
}

/// Reads the folders of components, all inside the folder of the spec.
pub(crate) struct Folders {
    root: Option<PathBuf>,
}

impl Folders {
    /// Stands for a spec in memory, which has no folder.
    pub(crate) const NONE: Self = Self { root: None };

    /// Stands for the folder of a spec, or that of its only file.
    pub(crate) fn of(path: &Path) -> Self {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        let here = || PathBuf::from(".");
        Self { root: Some(if folder.as_os_str().is_empty() { here() } else { folder.to_owned() }) }
    }

    /// Returns the path and text of every `*.toml` of a folder, sorted. Links that lead out of the
    /// spec's folder are refused.
    pub(crate) fn read(&self, folder: &str) -> Result<Vec<(PathBuf, String)>, Box<Diagnostic>> {
        let Some(root) = &self.root else {
            let diagnostic = Diagnostic::error("missing-file", "missing file or folder")
                .with_detail("A spec in memory has no folder that components could be in.");
            return Err(diagnostic.into());
        };
        let path = root.join(folder);
        let failed = |error: std::io::Error| Box::new(unreadable(&path, &error));
        let root = Dir::open_ambient_dir(root, ambient_authority()).map_err(failed)?;
        let inside = root.open_dir(folder).map_err(failed)?;
        let mut names = Vec::new();
        for entry in inside.entries().map_err(failed)? {
            let name = PathBuf::from(entry.map_err(failed)?.file_name());
            if is_spec_file(&name) && !inside.metadata(&name).is_ok_and(|metadata| metadata.is_dir()) {
                names.push(name);
            }
        }
        names.sort();
        names.into_iter().map(|name| read_inside(&inside, &name, &path)).collect()
    }
}

fn read_inside(folder: &Dir, name: &Path, path: &Path) -> Result<(PathBuf, String), Box<Diagnostic>> {
    let path = path.join(name);
    let failed = |error: std::io::Error| Box::new(unreadable(&path, &error));
    if !folder.metadata(name).map_err(failed)?.is_file() {
        return Err(irregular(&path));
    }
    let text = read_to_end(folder.open(name).map_err(failed)?, &path)?;
    Ok((shown(&path).to_owned(), text))
}

/// Tells whether a file is part of a spec: not hidden, and `*.toml`.
fn is_spec_file(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && path.extension().is_some_and(|extension| extension == "toml")
}

/// Reads every file of the request; what cannot be read is reported.
pub(crate) fn read_files(request: &LoadRequest, diagnostics: &mut Diagnostics) -> Files {
    let mut files = Files::default();
    for path in spec_paths(&request.path, diagnostics) {
        read_into(&mut files.sources, &path, diagnostics);
    }
    let environment = request.environment.as_deref().map(|name| environment_path(&request.path, name));
    for path in environment.iter().chain(&request.variable_files) {
        files.variable_files.extend(read_into(&mut files.sources, path, diagnostics));
    }
    files
}

/// Returns the file itself, or every `*.toml` of the folder, sorted.
fn spec_paths(path: &Path, diagnostics: &mut Diagnostics) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let names = match toml_files(path) {
        Ok(names) => names,
        Err(error) => {
            diagnostics.push(unreadable(path, &error));
            return Vec::new();
        }
    };
    if names.is_empty() {
        let diagnostic = Diagnostic::error("empty-spec", "no spec in this folder")
            .with_detail(format!("`{}` holds no `.toml` file.", shown(path).display()))
            .with_hint(empty_hint(path));
        diagnostics.push(diagnostic);
    }
    names
}

/// Returns what to do about a folder without a spec, in which there may be files of another tool.
fn empty_hint(folder: &Path) -> String {
    let foreign =
        |name: &String| [".tf", ".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    match names.filter(foreign).min() {
        Some(name) => format!("A spec is written in TOML; `{}` is not read.", name.escape_debug()),
        None => "Name the folder that holds the spec; subfolders are not searched.".to_owned(),
    }
}

fn toml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if is_spec_file(&path) && !path.is_dir() {
            names.push(path);
        }
    }
    names.sort();
    Ok(names)
}

/// `--env NAME` is `envs/NAME.toml` beside the spec's files.
fn environment_path(path: &Path, name: &str) -> PathBuf {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    folder.join("envs").join(format!("{name}.toml"))
}

fn read_into(sources: &mut Sources, path: &Path, diagnostics: &mut Diagnostics) -> Option<SourceId> {
    match read_text(path) {
        Ok(text) => Some(sources.add(shown(path), text)),
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            None
        }
    }
}

fn read_text(path: &Path) -> Result<String, Box<Diagnostic>> {
    let failed = |error: std::io::Error| Box::new(unreadable(path, &error));
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(irregular(path));
    }
    read_to_end(File::open(path).map_err(failed)?, path)
}

fn irregular(path: &Path) -> Box<Diagnostic> {
    Diagnostic::error("unreadable-file", "unreadable file")
        .with_detail(format!("`{}` is no regular file.", shown(path).display()))
        .into()
}

fn read_to_end(file: impl Read, path: &Path) -> Result<String, Box<Diagnostic>> {
    let mut bytes = Vec::new();
    let read = file.take(MAXIMUM_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| Box::new(unreadable(path, &error)))?;
    if bytes.len() as u64 > MAXIMUM_BYTES {
        let diagnostic = Diagnostic::error("file-too-large", "file too large")
            .with_detail(format!("`{}` is larger than 16 MiB.", shown(path).display()))
            .with_hint("Split the spec into several files of one folder.");
        return Err(diagnostic.into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n');
        let diagnostic = Diagnostic::error("not-utf8", "text that is not UTF-8")
            .with_detail(format!("`{}` is not UTF-8 in line {}.", shown(path).display(), line.count() + 1))
            .with_hint("Save the file as UTF-8.");
        diagnostic.into()
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let (code, summary) = if error.kind() == std::io::ErrorKind::NotFound {
        ("missing-file", "missing file or folder")
    } else {
        ("unreadable-file", "unreadable file")
    };
    Diagnostic::error(code, summary).with_detail(format!("`{}`: {error}.", shown(path).display()))
}

/// Returns the path as the user would write it.
fn shown(path: &Path) -> &Path {
    path.strip_prefix(".").ok().filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(path)
}
