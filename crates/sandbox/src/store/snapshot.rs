//! A world as a whole, written down.

use std::ffi::OsString;
use std::path::Path;

use serde::{Deserialize, Serialize};
use straddle_engine::state::Files;

use super::{FORMAT, StoreError, damaged};
use crate::world::World;

/// What is in the file.
#[derive(Deserialize)]
pub(super) struct Snapshot {
    format: u32,
    /// Tells which journal goes on from here: one that a crash has left from before belongs to
    /// another snapshot.
    pub(super) id: String,
    pub(super) world: World,
}

/// As [`Snapshot`], to be written.
#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    program: &'static str,
    id: &'a str,
    world: &'a World,
}

/// Returns what is to be in the file.
pub(super) fn encode(id: &str, world: &World) -> Vec<u8> {
    let written = Written { format: FORMAT, program: env!("CARGO_PKG_VERSION"), id, world };
    serde_json::to_vec(&written).expect("a world has a JSON form")
}

/// Replaces the file, as a whole or not at all.
pub(super) fn write(files: &dyn Files, path: &Path, contents: &[u8]) -> Result<(), StoreError> {
    let mut new = OsString::from(path);
    new.push(".new");
    files.write(new.as_ref(), contents)?;
    files.rename(new.as_ref(), path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(files.sync_folder(folder)?)
}

/// Reads the file; `None` if there is none.
pub(super) fn read(files: &dyn Files, path: &Path) -> Result<Option<Snapshot>, StoreError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Some(bytes) = files.read(path)? else { return Ok(None) };
    let format: Format = serde_json::from_slice(&bytes).map_err(|error| damaged(path, &error))?;
    if format.format > FORMAT {
        return Err(damaged(path, &format!("it has the format {}, of a later version", format.format)));
    }
    let snapshot: Snapshot = serde_json::from_slice(&bytes).map_err(|error| damaged(path, &error))?;
    debug_assert_eq!(snapshot.format, FORMAT);
    Ok(Some(snapshot))
}
