//! Keeps what happens: one thread writes for all who wait, so that those who come together share
//! one sync, and nobody holds the world meanwhile.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use straddle_engine::state::{Files, JournalFile};
use tokio::sync::oneshot;

use super::{Happened, StoreError, WorldFiles, journal, snapshot};
use crate::world::World;

/// How large the log of requests may grow before it begins anew.
const LARGEST_LOG: u64 = 16 << 20;

/// Keeps a world in its files.
pub(crate) struct Keeper {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// Tells when something is kept, or why it is not.
pub(crate) type Kept = oneshot::Receiver<Result<(), String>>;

type Waiting = oneshot::Sender<Result<(), String>>;

enum Order {
    /// Append to the journal.
    Happened(Vec<u8>, Waiting),
    /// Append to the log of requests.
    Request(Vec<u8>),
    /// Write the world down, and begin a new journal.
    World(String, Vec<u8>, Waiting),
}

impl Keeper {
    /// Writes the world down and starts the thread.
    pub(super) fn begin(files: Arc<dyn Files>, names: WorldFiles, world: &World) -> Result<Self, StoreError> {
        let id = snapshot_id();
        let journal = replace(&*files, &names, &id, &snapshot::encode(&id, world))?;
        let (orders, receiver) = channel();
        let mut desk = Desk { files, names, journal, requests: None, failure: None };
        let thread = std::thread::Builder::new().name("world".to_owned());
        let thread = thread.spawn(move || desk.work(&receiver)).map_err(|source| {
            straddle_engine::state::StateError::Io {
                action: "start a thread for",
                path: "world".into(),
                source,
            }
        })?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Keeps something that happened.
    pub(crate) fn keep(&self, happened: &Happened) -> Kept {
        self.order(|waiting| Order::Happened(happened.line(), waiting))
    }

    /// Keeps what was asked. Nobody waits for that.
    pub(crate) fn log(&self, line: Vec<u8>) {
        self.send(Order::Request(line));
    }

    /// Writes the world down.
    pub(crate) fn write_down(&self, world: &World) -> Kept {
        let id = snapshot_id();
        let contents = snapshot::encode(&id, world);
        self.order(|waiting| Order::World(id, contents, waiting))
    }

    fn order(&self, order: impl FnOnce(Waiting) -> Order) -> Kept {
        let (waiting, kept) = oneshot::channel();
        self.send(order(waiting));
        kept
    }

    fn send(&self, order: Order) {
        let orders = self.orders.as_ref().expect("it is taken when the keeper is dropped");
        // The thread ends with the sender only; if it has died, who waits is told.
        drop(orders.send(order));
    }
}

impl Drop for Keeper {
    /// Waits until everything is written.
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Returns an id that no other snapshot has.
fn snapshot_id() -> String {
    let environment = straddle_engine::environment::SystemEnvironment;
    straddle_engine::environment::random_id(&environment)
}

/// Writes the world down and begins its journal. A crash in between leaves the new world with the
/// old one's journal, which is not read then.
fn replace(
    files: &dyn Files,
    names: &WorldFiles,
    id: &str,
    contents: &[u8],
) -> Result<Box<dyn JournalFile>, StoreError> {
    files.create_folder(names.folder())?;
    snapshot::write(files, names.world(), contents)?;
    let mut journal = files.create_journal(&names.journal())?;
    journal.append(&journal::head(id))?;
    files.sync_folder(names.folder())?;
    Ok(journal)
}

/// What the thread works with.
struct Desk {
    files: Arc<dyn Files>,
    names: WorldFiles,
    journal: Box<dyn JournalFile>,
    requests: Option<(File, u64)>,
    /// Why nothing is kept any more: after a write that failed nobody knows what is in the file.
    failure: Option<String>,
}

impl Desk {
    fn work(&mut self, orders: &Receiver<Order>) {
        while let Ok(first) = orders.recv() {
            let (mut lines, mut waiting, mut requests) = (Vec::new(), Vec::new(), Vec::new());
            for order in std::iter::once(first).chain(orders.try_iter()) {
                match order {
                    Order::Happened(line, kept) => {
                        lines.extend(line);
                        waiting.push(kept);
                    }
                    Order::Request(line) => requests.extend(line),
                    Order::World(id, contents, kept) => {
                        self.append(&std::mem::take(&mut lines), std::mem::take(&mut waiting));
                        let replaced = self.replace(&id, &contents);
                        drop(kept.send(replaced));
                    }
                }
            }
            self.append(&lines, waiting);
            self.log(&requests);
        }
    }

    fn append(&mut self, lines: &[u8], waiting: Vec<Waiting>) {
        if self.failure.is_none() && !lines.is_empty() {
            self.failure = self.journal.append(lines).err().map(|error| explained(&error));
        }
        for kept in waiting {
            let result = self.failure.clone().map_or(Ok(()), Err);
            // Who does not wait any more has lost the connection.
            drop(kept.send(result));
        }
    }

    fn replace(&mut self, id: &str, contents: &[u8]) -> Result<(), String> {
        match replace(&*self.files, &self.names, id, contents) {
            Ok(journal) => {
                (self.journal, self.failure) = (journal, None);
                Ok(())
            }
            Err(error) => Err(self.failure.insert(explained(&error)).clone()),
        }
    }

    /// A log that cannot be written is no reason to refuse calls.
    fn log(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        let path = self.names.requests();
        if self.requests.as_ref().is_some_and(|(_, length)| *length > LARGEST_LOG) {
            self.requests = None;
            drop(std::fs::rename(&path, self.names.beside("requests.old")));
        }
        if self.requests.is_none() {
            let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
            self.requests = opened
                .and_then(|file| Ok((file.metadata()?.len(), file)))
                .ok()
                .map(|(length, file)| (file, length));
        }
        if let Some((file, length)) = &mut self.requests {
            drop(file.write_all(lines));
            *length += lines.len() as u64;
        }
    }
}

/// Returns an error with its causes.
fn explained(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.extend([": ", &error.to_string()]);
        cause = error.source();
    }
    text
}
