//! Who is told what happens in a run: live rows, plain lines, JSON, or nobody.

use std::sync::Arc;

use straddle_engine::event::{Event, Observer};

use crate::commands::Program;
use crate::render::{Lines, Rows};

/// Returns what shows progress to people: live rows on a terminal, lines elsewhere.
pub(crate) fn for_people(program: &Program) -> Box<dyn Observer> {
    let terminal = Arc::clone(&program.terminal);
    if terminal.stderr.is_terminal { Box::new(Rows::new(terminal)) } else { Box::new(Lines::new(terminal)) }
}

/// Tells nobody.
pub(crate) struct Silent;

impl Observer for Silent {
    fn notify(&self, _event: &Event) {}
}
