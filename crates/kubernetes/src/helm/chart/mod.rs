//! A chart as its author wrote it.

mod archive;
mod folder;
mod ignore;
mod load;
mod metadata;
mod pattern;

use std::path::Path;

use serde_json::{Map, Value};
use straddle_engine::spec::Tree;

pub use metadata::{Dependency, Metadata};
pub(super) use pattern::glob;

use super::yaml::YamlError;

/// The largest archive of a chart, in bytes as it is packed. Charts are far smaller.
pub const LARGEST_ARCHIVE: usize = 20 << 20;

/// The most that the files of a chart may have together, in bytes: what Helm takes.
const LARGEST_CHART: u64 = 100 << 20;

/// The most that one file may have, in bytes.
const LARGEST_FILE: u64 = 5 << 20;

/// The most files that a chart may have.
const MOST_FILES: usize = 10_000;

/// How many charts may be inside of each other.
const DEEPEST: usize = 16;

/// Why something is no chart.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// A file could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The archive is broken or says what no chart does.
    #[error("the archive is no chart: {0}")]
    Archive(String),
    /// A file of the chart is YAML that cannot be read.
    #[error("{file} of the chart: {source}")]
    Yaml {
        /// The file, by its path in the chart.
        file: String,
        /// What is wrong, and where.
        source: YamlError,
    },
    /// A file of the chart does not say what it has to.
    #[error("{file} of the chart: {problem}")]
    Content {
        /// The file, by its path in the chart.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// A chart leads out of its folder, or is larger than charts are.
    #[error("the chart is refused: {0}")]
    Refused(String),
    /// A chart in this one is none.
    #[error("the chart {name} in this one: {source}")]
    Inner {
        /// Its name in `charts/`.
        name: String,
        /// What is wrong with it.
        source: Box<ChartError>,
    },
}

/// A file of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    /// The path in the chart, with slashes.
    pub name: String,
    /// What is in it.
    pub data: Vec<u8>,
}

impl ChartFile {
    /// Returns what is in it as text; what is no text is replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.data)
    }
}

/// A chart with the charts in it.
#[derive(Clone, Debug)]
pub struct Chart {
    /// `Chart.yaml`.
    pub metadata: Metadata,
    /// `values.yaml`, which may be missing.
    pub values: Map<String, Value>,
    /// `values.schema.json`, if there is one.
    pub schema: Option<Vec<u8>>,
    /// What is in `templates/`.
    pub templates: Vec<ChartFile>,
    /// Everything else, which templates read by `.Files`.
    pub files: Vec<ChartFile>,
    /// The charts in `charts/`.
    pub charts: Vec<Chart>,
}

impl Chart {
    /// Reads a chart from a folder, or from an archive if the path is a file.
    ///
    /// # Errors
    /// What is wrong with it. Links that lead out of the folder are refused.
    pub fn open(path: &Path) -> Result<Self, ChartError> {
        let read = |source| ChartError::Read { path: path.display().to_string(), source };
        if path.is_dir() {
            return load::chart(folder::files(path)?, 0);
        }
        let size = path.metadata().map_err(read)?.len();
        if size > LARGEST_ARCHIVE as u64 {
            return Err(ChartError::Refused(format!("it has more than {LARGEST_ARCHIVE} bytes")));
        }
        Self::from_archive(&std::fs::read(path).map_err(read)?)
    }

    /// Reads a chart from the files of its folder, or from an archive if there is one file without a name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_tree(tree: &Tree) -> Result<Self, ChartError> {
        match tree.get("") {
            Some(archive) => Self::from_archive(archive),
            None => load::chart(folder::kept(tree)?, 0),
        }
    }

    /// Reads a chart from the bytes of a `.tgz`.
    ///
    /// # Errors
    /// What is wrong with it. Links, and names that lead out of the chart's folder, are refused.
    pub fn from_archive(bytes: &[u8]) -> Result<Self, ChartError> {
        if bytes.len() > LARGEST_ARCHIVE {
            return Err(ChartError::Refused(format!("it has more than {LARGEST_ARCHIVE} bytes")));
        }
        load::chart(archive::files(bytes)?, 0)
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether it only lends its templates to others.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.metadata.kind == "library"
    }

    /// Returns the files in `crds/`, in order of their names.
    pub fn crd_files(&self) -> impl Iterator<Item = &ChartFile> {
        self.files.iter().filter(|file| {
            let has_ending = [".yaml", ".yml", ".json"].iter().any(|ending| file.name.ends_with(ending));
            file.name.starts_with("crds/") && has_ending
        })
    }
}
