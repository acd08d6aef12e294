//! Who is told what happens in a run: live rows, plain lines, JSON, or nobody.

use std::sync::Arc;

use straddle_engine::event::{Event, Observer};

use crate::commands::Program;
use crate::render::{Lines, Rows};
use crate::stream::JsonStream;

/// What shows the progress of a run.
#[derive(Clone)]
pub(crate) enum Progress {
    /// Live rows, on a terminal.
    Rows(Arc<Rows>),
    /// Plain lines, elsewhere.
    Lines(Arc<Lines>),
    /// JSON, for a program.
    Json(Arc<JsonStream>),
    /// Nothing.
    Silent,
}

impl Progress {
    /// Returns what suits who reads the output.
    pub(crate) fn of(program: &Program) -> Self {
        let terminal = Arc::clone(&program.terminal);
        match &program.stream {
            Some(stream) => Self::Json(Arc::clone(stream)),
            None if program.is_json => Self::Silent,
            None if terminal.stderr.is_terminal => Self::Rows(Arc::new(Rows::new(terminal))),
            None => Self::Lines(Arc::new(Lines::new(terminal))),
        }
    }

    /// Says for ever, from time to time, that the run lives.
    pub(crate) async fn heartbeat(self) {
        match self {
            Self::Lines(lines) => lines.heartbeat().await,
            Self::Json(stream) => stream.heartbeat().await,
            // Live rows move by themselves.
            Self::Rows(_) | Self::Silent => std::future::pending().await,
        }
    }
}

impl Observer for Progress {
    fn notify(&self, event: &Event) {
        match self {
            Self::Rows(rows) => rows.notify(event),
            Self::Lines(lines) => lines.notify(event),
            Self::Json(stream) => stream.notify(event),
            Self::Silent => {}
        }
    }
}
