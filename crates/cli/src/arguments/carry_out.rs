//! The arguments of `straddle apply` and `straddle destroy`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use straddle_engine::run::Settings;

use crate::arguments::shared::parse_duration;
use crate::arguments::{
    ChecksArguments, RecordArguments, ReplacementArguments, RunArguments, SelectionArguments,
};

/// What apply and destroy have in common.
#[derive(Debug, Args)]
pub(crate) struct CarryOutArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// Wait so long for another run that has the state locked, such as 30s or 10m, instead of failing at once.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub(crate) lock_timeout: Duration,
    /// Do not ask.
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Print one JSON object a line: what happens, and at last the report.
    #[arg(long)]
    pub(crate) json: bool,
}

impl CarryOutArguments {
    /// Returns the settings of a run.
    pub(crate) fn settings(&self) -> Settings {
        Settings { lock_timeout: self.lock_timeout, ..self.run.settings() }
    }
}

/// The arguments of `straddle apply`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle apply
  straddle apply --plan shop.plan              carry out a saved plan, and nothing else
  straddle apply --replace nat_gateway.main    make it anew
  straddle apply --exclude vpc.main            everything but that and what needs it
  straddle apply --skip quotas                 without one of the checks of `straddle preflight`
  straddle apply --refresh-only                record what others changed, and change no thing
  straddle apply --auto-approve --json         for machines: one JSON object a line")]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    pub(crate) carry_out: CarryOutArguments,
    #[command(flatten)]
    pub(crate) replacement: ReplacementArguments,
    #[command(flatten)]
    pub(crate) recording: RecordArguments,
    #[command(flatten)]
    pub(crate) checks: ChecksArguments,
    /// Carry out a plan that `straddle plan --out` saved, without asking.
    #[arg(long, value_name = "FILE")]
    #[arg(conflicts_with_all = ["auto_approve", "target", "exclude", "replace", "allow_missing", "refresh_only"])]
    pub(crate) plan: Option<PathBuf>,
}

/// The arguments of `straddle destroy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle destroy
  straddle plan --destroy                      only show it
  straddle destroy --env sandbox --auto-approve
  straddle destroy --repair                    first bring back what a controller needs to clean up
  straddle destroy --force-load-balancers      do not wait for a controller that is gone
  straddle destroy --forget-unreachable-clusters --force-load-balancers     nor for a cluster")]
pub(crate) struct DestroyArguments {
    #[command(flatten)]
    pub(crate) carry_out: CarryOutArguments,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Delete load balancers that a controller made of an Ingress, and their target groups, instead of
    /// waiting until it takes them away: only those with its tags of the cluster and the Ingress.
    #[arg(long)]
    pub(crate) force_load_balancers: bool,
    /// First apply what the load balancers stand on that a controller made of an Ingress: the controller, its role,
    /// its nodes, its network. A controller that works again takes them away by itself.
    #[arg(long, conflicts_with_all = ["force_load_balancers", "forget_unreachable_clusters"])]
    pub(crate) repair: bool,
    /// Drop from the state what is in clusters that do not answer, instead of stopping. Load balancers that a
    /// controller there made are not taken away by it any more: see --force-load-balancers.
    #[arg(long)]
    pub(crate) forget_unreachable_clusters: bool,
}
