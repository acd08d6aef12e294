//! The arguments of `straddle plan`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::{RefreshArguments, ReplacementArguments, RunArguments};

/// The arguments of `straddle plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle plan
  straddle plan --env prod --out shop.plan     save it, for `straddle apply --plan shop.plan`
  straddle plan --detailed-exitcode            2 if there are changes
  straddle plan --refresh-only --detailed-exitcode   2 if others changed something
  straddle plan --refresh=false                from the state alone, without any call
  straddle plan --target nat_gateway.main      only that and what it needs
  straddle plan --json | jq '.changes[].address'")]
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    #[command(flatten)]
    pub(crate) replacement: ReplacementArguments,
    #[command(flatten)]
    pub(crate) refreshing: RefreshArguments,
    /// Show what a destroy would do.
    #[arg(long, conflicts_with_all = ["replace", "refresh_only"])]
    pub(crate) destroy: bool,
    /// With `--destroy`: delete load balancers that a controller made, instead of waiting for it.
    #[arg(long, requires = "destroy")]
    pub(crate) force_load_balancers: bool,
    /// With `--destroy`: forget what is in clusters that do not answer, instead of stopping.
    #[arg(long, requires = "destroy")]
    pub(crate) forget_unreachable_clusters: bool,
    /// Save the plan, with every value in it, readable by you alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 2 if there are changes (with `--refresh-only`: by others), and 0 only if there are none.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
