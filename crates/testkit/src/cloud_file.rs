//! A cloud in a file, for whole programs: it outlives their processes, also those that die, and
//! processes that run at the same time share it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::client::{Keeper, Network};
use crate::clock::Clock;
use crate::cloud::{Cloud, Difference, Pace};
use crate::fault::Faults;

/// How much time passes in the cloud before a call that changes nothing else is kept.
const TICK: Duration = Duration::from_secs(1);

/// What is in the file: this, as a line of JSON, and then a line for what each call changed.
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
        Ok(Self::decode(&fs::read(path)?)?.0)
    }

    /// Writes a file; whoever reads it meanwhile has the one before.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        fs::write(&beside, line)?;
        fs::rename(beside, path)
    }

    /// Returns what is in a file, and how many bytes of it are good.
    fn decode(bytes: &[u8]) -> io::Result<(Self, usize)> {
        let mut lines = whole_lines(bytes);
        let first = lines.next().ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut file: Self = serde_json::from_slice(first)?;
        let mut length = first.len();
        for line in lines {
            file.cloud.take_over(serde_json::from_slice(line)?);
            file.faults = Faults::none();
            length += line.len();
        }
        Ok((file, length))
    }
}

/// Opens the network around the cloud in a file, which is made if it is missing. What a call
/// changes is in the file before it is answered, and a crash is one.
///
/// # Errors
/// If the file cannot be read or written.
pub fn open(path: impl Into<PathBuf>) -> io::Result<Network> {
    let path = path.into();
    if !path.exists() {
        CloudFile::empty().write(&path)?;
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let (CloudFile { cloud, faults }, length) = CloudFile::decode(&bytes)?;
    let clock = Clock::starting_at(cloud.now());
    let (length, kept_at) = (length as u64, cloud.now());
    let shared = SharedFile { file, length, kept_at, has_faults: faults != Faults::none() };
    Ok(Network::new(cloud, clock).of_process(faults, Box::new(Mutex::new(shared))))
}

/// A file that several processes have open; one has the lock while it carries out a call.
struct SharedFile {
    file: File,
    /// How much of it is in this process's cloud.
    length: u64,
    /// The cloud's time in the last line.
    kept_at: Duration,
    /// Whether the file says that something goes wrong, which is the case for one process only.
    has_faults: bool,
}

impl SharedFile {
    /// Takes over what other processes have added. What is after the last whole line is left of
    /// a process that was killed before its call was answered.
    fn catch_up(&mut self, cloud: &mut Cloud) -> io::Result<()> {
        self.file.lock()?;
        if self.file.metadata()?.len() == self.length {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.length))?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        for line in whole_lines(&bytes) {
            cloud.take_over(serde_json::from_slice(line)?);
            self.length += line.len() as u64;
        }
        Ok(())
    }

    fn add(&mut self, cloud: &mut Cloud) -> io::Result<()> {
        let difference: Difference = cloud.take_difference();
        let has_faults = std::mem::take(&mut self.has_faults);
        if has_faults || !difference.is_empty() || cloud.now() >= self.kept_at + TICK {
            let mut line = serde_json::to_vec(&difference)?;
            line.push(b'\n');
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            self.file.write_all(&line)?;
            self.length += line.len() as u64;
            self.kept_at = cloud.now();
        }
        self.file.unlock()
    }
}

impl Keeper for Mutex<SharedFile> {
    fn fetch(&self, cloud: &mut Cloud) {
        locked(self).catch_up(cloud).expect("the file of the cloud can be read");
    }

    fn keep(&self, cloud: &mut Cloud) {
        locked(self).add(cloud).expect("the file of the cloud can be written");
    }
}

fn locked(file: &Mutex<SharedFile>) -> MutexGuard<'_, SharedFile> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"))
}
