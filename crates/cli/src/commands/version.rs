//! `straddle version`: which versions this program has and reads.

use serde_json::json;
use straddle_engine::state;

use crate::commands::Program;
use crate::exit::Exit;
use crate::{saved_plan, stream};

/// Prints the version, and for programs those of everything that it writes.
pub(crate) fn run(program: &Program) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let stdout = &program.terminal.stdout;
    if program.is_json {
        let object = json!({
            "type": "version",
            "version": version,
            "state_format": state::FORMAT,
            "plan_format": saved_plan::VERSION,
            "stream_format": stream::VERSION,
        });
        stdout.line(&format!("{object:#}"));
    } else {
        stdout.line(&format!("straddle {version}"));
    }
    Exit::Success
}
