//! The arguments of the commands that look into the state.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use straddle_engine::address::Address;

use crate::arguments::StackArguments;

/// What to look for in the state.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// List the resources.
    #[command(after_help = "\
Examples:
  straddle state list
  straddle state list specs/shop --env prod
  straddle state list --stack shop             without a spec, or with one that is broken")]
    List(StateListArguments),
    /// Show everything that is recorded of a resource.
    #[command(after_help = "\
Examples:
  straddle state show vpc.main
  straddle state show \"route_table.public/route['0.0.0.0/0']\" --json")]
    Show(StateShowArguments),
}

/// The arguments of `straddle state list`.
#[derive(Debug, Args)]
pub(crate) struct StateListArguments {
    /// The folder of the spec, or its only file; only the name of its stack is read.
    #[arg(value_name = "SPEC", default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) stack: StackArguments,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `straddle state show`.
#[derive(Debug, Args)]
pub(crate) struct StateShowArguments {
    /// The resource.
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: Address,
    #[command(flatten)]
    pub(crate) state: StateListArguments,
}

/// The arguments of `straddle output`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle output
  straddle output url --raw
  straddle output --json | jq .url")]
pub(crate) struct OutputArguments {
    /// Print only this output.
    #[arg(value_name = "OUTPUT")]
    pub(crate) name: Option<String>,
    /// The folder of the spec, or its only file; only the name of its stack is read.
    #[arg(value_name = "SPEC", long = "spec", default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) stack: StackArguments,
    /// Print JSON.
    #[arg(long, conflicts_with = "raw")]
    pub(crate) json: bool,
    /// Print a single text or number without quotes.
    #[arg(long, requires = "name")]
    pub(crate) raw: bool,
}
