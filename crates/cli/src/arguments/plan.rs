//! The arguments of `straddle plan`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::{ReplacementArguments, RunArguments};

/// The arguments of `straddle plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle plan
  straddle plan --env prod --out shop.plan     save it, for `straddle apply --plan shop.plan`
  straddle plan --detailed-exitcode            2 if there are changes
  straddle plan --target nat_gateway.main      only that and what it needs
  straddle plan --json | jq '.changes[].address'")]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    #[command(flatten)]
    pub(crate) replacement: ReplacementArguments,
    /// Show what a destroy would do.
    #[arg(long, conflicts_with = "replace")]
    pub(crate) destroy: bool,
    /// Save the plan, with every value in it, readable by you alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 2 if there are changes, and 0 only if there are none.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
