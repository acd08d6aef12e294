//! Why a chart could not be had, and what to do about it.

use std::io;
use std::path::PathBuf;

use straddle_web::WebError;

use crate::helm::ChartError;
use crate::helm::lock::LOCK_FILE;
use crate::helm::yaml::YamlError;

/// Why a chart could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nothing can be asked at all.
    #[error("no repository can be asked: {0}")]
    System(WebError),
    /// The address of the repository is none.
    #[error("{address} is no address of a chart: {problem}")]
    Address {
        /// What is written.
        address: String,
        /// What is wrong.
        problem: String,
    },
    /// What is asked of the version is no constraint.
    #[error("`{wanted}` is neither a version nor a constraint on versions")]
    Constraint {
        /// What is written.
        wanted: String,
    },
    /// Nothing says which of the versions is meant.
    #[error("the version of the chart {chart} is not locked: {}", allowed(wanted))]
    NotLocked {
        /// The chart.
        chart: String,
        /// The constraint.
        wanted: String,
    },
    /// There is a lock file, and the chart is not in it.
    #[error("{LOCK_FILE} does not have the chart {chart} {}", in_version(wanted))]
    Absent {
        /// The chart.
        chart: String,
        /// The constraint.
        wanted: String,
    },
    /// Nothing came from an address.
    #[error("{address} could not be read: {problem}")]
    Read {
        /// The address.
        address: String,
        /// Why.
        problem: String,
    },
    /// A host wants to know who asks, or refuses to tell who does.
    #[error("{host} does not let anybody in: {problem}")]
    Denied {
        /// The host.
        host: String,
        /// What it wants, or says.
        problem: String,
    },
    /// The index of a repository is none.
    #[error("the index of {repository} cannot be read: {source}")]
    Index {
        /// The repository.
        repository: String,
        /// What is wrong, and where.
        source: YamlError,
    },
    /// A repository or registry answers something that it should not.
    #[error("{address} {problem}")]
    Answer {
        /// The address.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The repository has no such chart.
    #[error("{repository} has no chart {chart}")]
    Chart {
        /// The repository.
        repository: String,
        /// The chart.
        chart: String,
    },
    /// The repository does not have the chart in a version that is wanted.
    #[error("{repository} has no version of {chart} that is {wanted}; the newest is {newest}")]
    Version {
        /// The repository.
        repository: String,
        /// The chart.
        chart: String,
        /// The constraint.
        wanted: String,
        /// What there is.
        newest: String,
    },
    /// What came is not what was promised.
    #[error("{address} has the sha256 {found}, but {expected} is promised")]
    Digest {
        /// The address.
        address: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A chart is another one than was locked.
    #[error(
        "the chart {chart} {version} of {repository} has the sha256 {found}, but {LOCK_FILE} says {expected}"
    )]
    Changed {
        /// The chart.
        chart: String,
        /// Its version.
        version: String,
        /// Where it comes from.
        repository: String,
        /// What the file says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// What came is no chart.
    #[error("{address} is no chart: {source}")]
    NoChart {
        /// The address.
        address: String,
        /// Why not.
        source: ChartError,
    },
    /// What is kept on this machine cannot be read or written.
    #[error("{path} cannot be used to keep charts: {source}")]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

fn allowed(wanted: &str) -> String {
    if wanted.is_empty() { "none is named".to_owned() } else { format!("`{wanted}` allows several") }
}

fn in_version(wanted: &str) -> String {
    if wanted.is_empty() { "in any version".to_owned() } else { format!("in the version `{wanted}`") }
}

impl FetchError {
    /// Returns what to do about it, in a whole sentence, if there is something to do here.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotLocked { .. } => {
                "Run `straddle charts lock`, or name one version such as `1.13.4`.".to_owned()
            }
            Self::Absent { .. } => "Run `straddle charts lock`, and keep the file with the spec.".to_owned(),
            Self::Changed { chart, .. } => format!(
                "Somebody has put another archive under the same version. If that is meant, run `straddle charts \
                 update --chart {chart}`."
            ),
            Self::Digest { .. } => {
                "Try again; if it stays so, the archive is not the one that was published.".to_owned()
            }
            Self::Denied { host, .. } => {
                format!("Log in, for instance with `docker login {host}` or `helm registry login {host}`.")
            }
            Self::Version { .. } => "Take another version, and then run `straddle charts lock`.".to_owned(),
            Self::Address { .. } => {
                "Repositories are written as `https://host/path`, registries as `oci://host/path`.".to_owned()
            }
            Self::System(_)
            | Self::Constraint { .. }
            | Self::Read { .. }
            | Self::Index { .. }
            | Self::Answer { .. }
            | Self::Chart { .. }
            | Self::NoChart { .. }
            | Self::Cache { .. } => return None,
        })
    }
}
