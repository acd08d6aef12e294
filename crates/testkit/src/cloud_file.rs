//! A cloud in a JSON file, for whole programs: it outlives their processes, also those that die.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::client::Network;
use crate::clock::Clock;
use crate::cloud::{Cloud, Pace};
use crate::fault::Faults;

/// What is in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudFile {
    /// The cloud.
    pub cloud: Cloud,
    /// What goes wrong in the next process.
    #[serde(default)]
    pub faults: Faults,
}

impl CloudFile {
    /// Makes an empty cloud in which nothing goes wrong and everything happens at once.
    #[must_use]
    pub fn empty() -> Self {
        Self { cloud: Cloud::new(0, Pace::INSTANT), faults: Faults::none() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or is not such a file.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }

    /// Writes a file; whoever reads it meanwhile has the one before.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("new");
        fs::write(&beside, serde_json::to_vec_pretty(self)?)?;
        fs::rename(beside, path)
    }
}

/// Opens the network around the cloud in a file, which is made if it is missing. Every call
/// that the cloud carries out is in the file before it is answered, and a crash is one.
///
/// # Errors
/// If the file cannot be read or written.
///
/// # Panics
/// Later, when the file cannot be written any more.
pub fn open(path: impl Into<PathBuf>) -> io::Result<Network> {
    let path = path.into();
    if !path.exists() {
        CloudFile::empty().write(&path)?;
    }
    let CloudFile { cloud, faults } = CloudFile::read(&path)?;
    let clock = Clock::starting_at(cloud.now());
    let keep = move |cloud: &Cloud| {
        let file = CloudFile { cloud: cloud.clone(), faults: Faults::none() };
        file.write(&path).expect("the file of the cloud can be written");
    };
    Ok(Network::new(cloud, clock).of_process(faults, Arc::new(keep)))
}
