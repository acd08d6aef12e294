//! The state file: JSON that can be read, compared line by line, and checked.
//!
//! ```json
//! {
//!   "format": 1,
//!   "program": "0.1.0",
//!   "checksum": "sha256:...",
//!   "state": { "stack": "network", "lineage": "...", "serial": 7, ... }
//! }
//! ```
//!
//! The checksum is that of `state` without white space and with the members of every object
//! sorted: whoever reformats the file does no harm, whoever changes a value is found out.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::secrets::unreadable;
use crate::state::canonical::Split;
use crate::state::{State, canonical};

/// The version of the format of state files.
pub const FORMAT: u64 = 1;
/// The version of this program.
pub(super) const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Why a file is not usable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Defect {
    /// It is not what this program wrote; the words say where and why.
    Damaged(String),
    /// A later version of this program wrote it.
    Newer {
        /// The format of the file.
        format: u64,
        /// The version that wrote it.
        program: String,
    },
}

impl Defect {
    /// Checks the format of a file, which a later version may have written.
    pub(super) fn check_format(document: &serde_json::Value) -> Result<(), Self> {
        let Some(format) = document.get("format").and_then(serde_json::Value::as_u64) else {
            return Err(Self::Damaged("it does not say which format it has".to_owned()));
        };
        match format {
            // The place to bring an older format up to date, once there is one.
            FORMAT => Ok(()),
            0 => Err(Self::Damaged("it says that it has format 0, which never was".to_owned())),
            _ => {
                let program = document.get("program").and_then(serde_json::Value::as_str);
                Err(Self::Newer { format, program: program.unwrap_or("of an unknown version").to_owned() })
            }
        }
    }

    /// Says what is wrong.
    pub(super) fn problem(&self) -> String {
        match self {
            Self::Damaged(problem) => problem.clone(),
            Self::Newer { format, program } => format!(
                "straddle {program} wrote it in format {format}, and this is straddle {PROGRAM}, which knows \
                 format {FORMAT}"
            ),
        }
    }
}

/// What every file of this program begins with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormatLine {
    format: u64,
    program: String,
}

impl FormatLine {
    /// Makes the one that is written.
    pub(super) fn current() -> Self {
        Self { format: FORMAT, program: PROGRAM.to_owned() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<S> {
    format: u64,
    program: String,
    checksum: String,
    state: S,
}

/// Writes a state; fails for values that have no JSON form.
pub(super) fn encode(state: &State) -> Result<Vec<u8>, serde_json::Error> {
    let checksum = checksum(&canonical::canonical(&serde_json::to_vec(state)?)?);
    let document = Document { format: FORMAT, program: PROGRAM.to_owned(), checksum, state };
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads what [`encode`] wrote, and nothing else.
pub(super) fn decode(bytes: &[u8]) -> Result<State, Defect> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Defect::Damaged("it is empty".to_owned()));
    }
    let damaged = |error: serde_json::Error| Defect::Damaged(unreadable(&error));
    let Split { canonical, rest } = canonical::split(bytes, "state").map_err(damaged)?;
    Defect::check_format(&rest)?;
    let document: Document<State> = serde_json::from_slice(bytes).map_err(damaged)?;
    if document.checksum != checksum(&canonical) {
        return Err(Defect::Damaged(
            "its checksum does not fit: something else than straddle changed it".to_owned(),
        ));
    }
    Ok(document.state)
}

fn checksum(canonical: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(canonical)))
}
