//! What something costs: processor time, memory, and what is written.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use straddle_engine::state::{Files, JournalFile, Locking, StateError, SystemFiles};
use wait4::ResourceUsage;

use crate::HEAP;

/// What something cost. Seconds and bytes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Of all processors, user and system.
    pub(crate) cpu: f64,
    /// On the clock.
    pub(crate) wall: f64,
    /// The most memory that the process had, its cloud included.
    pub(crate) resident: u64,
    /// The most that was allocated at once beyond what was there before.
    pub(crate) heap: u64,
    /// How often something was made durable.
    pub(crate) syncs: u64,
    /// How much was written.
    pub(crate) written: u64,
    /// How many resources there were.
    pub(crate) resources: u64,
}

/// Measures from when it is made.
pub(crate) struct Meter {
    cpu: f64,
    started: Instant,
    heap: usize,
    counts: Arc<Counts>,
}

impl Meter {
    #[expect(clippy::disallowed_methods, reason = "a benchmark is about the real time")]
    pub(crate) fn start(counts: &Arc<Counts>) -> Self {
        // What was needed for the cloud does not count. Where this cannot be written, it does.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        HEAP.reset_peak_usage();
        let (heap, counts) = (HEAP.current_usage(), Arc::clone(counts));
        Self { cpu: processor_time(), started: Instant::now(), heap, counts }
    }

    pub(crate) fn stop(&self) -> Cost {
        Cost {
            cpu: processor_time() - self.cpu,
            wall: self.started.elapsed().as_secs_f64(),
            heap: (HEAP.peak_usage() - self.heap) as u64,
            resident: peak_resident(),
            syncs: self.counts.syncs.load(Ordering::Relaxed),
            written: self.counts.written.load(Ordering::Relaxed),
            resources: 0,
        }
    }
}

/// Returns what a process cost that took `wall` in all.
pub(crate) fn of_process(used: &ResourceUsage, wall: Duration) -> Cost {
    let cpu = (used.utime + used.stime).as_secs_f64();
    Cost { cpu, wall: wall.as_secs_f64(), resident: used.maxrss, ..Cost::default() }
}

fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let second = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanosecond = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(second, nanosecond).as_secs_f64()
}

fn peak_resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024
}

/// What was done to the disk.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    syncs: AtomicU64,
    written: AtomicU64,
}

impl Counts {
    fn wrote(&self, bytes: &[u8]) {
        self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.synced();
    }

    fn synced(&self) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
    }
}

/// The machine's own files, counted.
pub(crate) struct CountedFiles(pub(crate) Arc<Counts>);

impl Files for CountedFiles {
    fn may_block(&self) -> bool {
        SystemFiles.may_block()
    }

    fn create_folder(&self, folder: &Path) -> Result<(), StateError> {
        SystemFiles.create_folder(folder)
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StateError> {
        SystemFiles.read(path)
    }

    fn write(&self, path: &Path, contents: &[u8]) -> Result<(), StateError> {
        self.0.wrote(contents);
        SystemFiles.write(path, contents)
    }

    fn create_journal(&self, path: &Path) -> Result<Box<dyn JournalFile>, StateError> {
        Ok(Box::new(CountedJournal(SystemFiles.create_journal(path)?, Arc::clone(&self.0))))
    }

    fn open_journal(&self, path: &Path, length: u64) -> Result<Box<dyn JournalFile>, StateError> {
        Ok(Box::new(CountedJournal(SystemFiles.open_journal(path, length)?, Arc::clone(&self.0))))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), StateError> {
        SystemFiles.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), StateError> {
        self.0.synced();
        SystemFiles.sync_folder(folder)
    }

    fn lock(&self, path: &Path, holder: &[u8]) -> Result<Locking, StateError> {
        SystemFiles.lock(path, holder)
    }
}

struct CountedJournal(Box<dyn JournalFile>, Arc<Counts>);

impl JournalFile for CountedJournal {
    fn reserve(&mut self, bytes: u64) -> Result<(), StateError> {
        self.0.reserve(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        self.1.wrote(bytes);
        self.0.append(bytes)
    }
}
