//! How things look: each function makes text, and writes nothing.

#![expect(clippy::format_push_string, reason = "text is made once; that it reads well counts for more")]

mod architecture;
mod block;
mod change;
mod diagnostic;
mod difference;
mod duration;
mod error;
mod functions;
mod grants;
pub(crate) mod graph;
mod import;
pub(crate) mod json;
mod lines;
mod live;
mod output;
mod palette;
mod plan;
mod preflight;
mod reference;
mod rehearsal;
mod report;
mod rounds;
mod state;
mod texts;
mod value;

pub(crate) use architecture::architecture;
pub(crate) use diagnostic::{counted, diagnostics, tally};
pub(crate) use duration::words as duration_words;
pub(crate) use error::{run_failure, state_diagnostic};
pub(crate) use functions::functions;
pub(crate) use import::import;
pub(crate) use lines::{Lines, operation_key};
pub(crate) use live::Rows;
pub(crate) use output::{output_list, outputs};
pub(crate) use palette::{Palette, paint};
pub(crate) use plan::{accounts as plan_places, plan};
pub(crate) use preflight::{preflight, preflight_warning};
pub(crate) use reference::reference;
pub(crate) use rehearsal::{rehearsal, rehearsal_json};
pub(crate) use report::{failures, nothing_is_left, summary};
pub(crate) use state::{resource, resource_list};
pub(crate) use value::{inline, raw};

#[cfg(test)]
pub(crate) mod tests;
