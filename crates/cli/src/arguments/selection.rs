//! The arguments that say which part of a stack a run is about.

use clap::Args;
use straddle_engine::address::Target;
use straddle_engine::plan::Options;

/// Which part of the stack.
#[derive(Debug, Args)]
#[command(next_help_heading = "Part of the stack")]
pub(crate) struct SelectionArguments {
    /// Change only this and what it needs: a resource with its children, a block, or a component. May be given several times.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) target: Vec<Target>,
    /// Leave this as it is, and everything that needs it. May be given several times.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) exclude: Vec<Target>,
}

impl SelectionArguments {
    /// Returns what the user asks of a plan.
    pub(crate) fn options(&self) -> Options {
        Options {
            target: self.target.iter().cloned().collect(),
            exclude: self.exclude.iter().cloned().collect(),
            ..Options::default()
        }
    }
}

/// Which part of the stack, where there is something to replace.
#[derive(Debug, Args)]
#[command(next_help_heading = "Part of the stack")]
pub(crate) struct ReplacementArguments {
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Replace this although nothing makes it necessary. May be given several times.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) replace: Vec<Target>,
}

impl ReplacementArguments {
    /// Returns what the user asks of a plan.
    pub(crate) fn options(&self) -> Options {
        Options { replace: self.replace.iter().cloned().collect(), ..self.selection.options() }
    }
}
