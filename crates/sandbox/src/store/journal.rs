//! What has happened to a world since it was written down: one JSON object a line.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use straddle_engine::state::Files;

use super::{FORMAT, StoreError, damaged};
use crate::call::{Call, Refusal};
use crate::dispatch;
use crate::world::{AccountId, Failure, World};

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    /// The snapshot from which the journal goes on.
    after: String,
}

/// Something that changed a world, with what it depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Happened {
    /// The world's time.
    pub(crate) at: Timestamp,
    /// How many ids the world had made before.
    pub(crate) made: u64,
    #[serde(flatten)]
    pub(crate) event: Event,
}

/// What changed a world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// A call was carried out.
    Call {
        call: Box<Call>,
        /// Why what it made was to fail.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fate: Option<Failure>,
    },
    /// A call was sent off that arrives late.
    Late { call: Box<Call>, due: Timestamp },
    /// The next call that was late has arrived.
    Arrived,
    /// The organization got an account.
    Account {
        /// Its name.
        name: String,
        /// Its number.
        id: AccountId,
    },
    /// Somebody began to issue web identities at an address.
    Issuer(String),
    /// An account may have another number of something.
    Quota {
        /// Its number.
        account: AccountId,
        /// The quota's code.
        code: String,
        /// How much of it.
        value: usize,
    },
}

impl Happened {
    /// Returns the line of a journal.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("an event has a JSON form");
        line.push(b'\n');
        line
    }

    /// Lets it happen again. What succeeded then has to succeed now: else this program has other
    /// rules than the one that wrote the journal, and would show another world.
    pub(super) fn replay(self, world: &mut World) -> Result<(), String> {
        world.stand_at(self.at);
        world.set_made(self.made);
        let operation = match &self.event {
            Event::Call { call, .. } => call.operation.clone(),
            Event::Late { .. }
            | Event::Arrived
            | Event::Account { .. }
            | Event::Issuer(_)
            | Event::Quota { .. } => String::new(),
        };
        self.event.apply(world).map_err(|refusal| format!("{operation} is refused now: {refusal}"))
    }
}

impl Event {
    /// Lets it happen to a world. Fails if a call is refused.
    pub(crate) fn apply(self, world: &mut World) -> Result<(), Refusal> {
        match self {
            Self::Call { call, fate } => {
                world.doom(fate);
                let answer = dispatch::run(world, &call);
                world.doom(None);
                // What was answered then, somebody knows already.
                return answer.map(drop);
            }
            Self::Late { call, due } => world.delay(*call, due),
            // Nobody was told what came of it.
            Self::Arrived => drop(world.arrive()),
            Self::Account { name, id } => world.add_account(&name, &id),
            Self::Issuer(url) => {
                world.issuer(&url);
            }
            Self::Quota { account, code, value } => world.adjust_quota(account, code, value),
        }
        Ok(())
    }
}

/// Returns the first line of a journal that goes on from a snapshot.
pub(super) fn head(after: &str) -> Vec<u8> {
    let head = Head { format: FORMAT, after: after.to_owned() };
    let mut line = serde_json::to_vec(&head).expect("a text and a number have a JSON form");
    line.push(b'\n');
    line
}

/// Reads what has happened since a snapshot. A last line that a crash has cut short was never answered.
pub(super) fn read(files: &dyn Files, path: &Path, after: &str) -> Result<Vec<Happened>, StoreError> {
    let bytes = files.read(path)?.unwrap_or_default();
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    let on_line = |index: usize, problem: &dyn ToString| {
        damaged(path, &format!("line {}: {}", index + 1, problem.to_string()))
    };
    let Some((_, first)) = lines.next().filter(|(_, line)| line.ends_with(b"\n")) else {
        return Ok(Vec::new());
    };
    let head: Head = serde_json::from_slice(first).map_err(|error| on_line(0, &error))?;
    if head.format > FORMAT {
        return Err(damaged(path, &format!("it has the format {}, of a later version", head.format)));
    }
    // The snapshot has it all: the process ended between writing that and beginning a journal.
    if head.after != after {
        return Ok(Vec::new());
    }
    let mut happened = Vec::new();
    while let Some((index, line)) = lines.next() {
        match serde_json::from_slice(line) {
            Ok(_) if !line.ends_with(b"\n") => break,
            Ok(event) => happened.push(event),
            Err(_) if lines.peek().is_none() => break,
            Err(error) => return Err(on_line(index, &error)),
        }
    }
    Ok(happened)
}
