//! The arguments of `straddle preflight`, and those by which other commands run its checks or not.

use clap::Args;

use crate::arguments::RunArguments;

/// The arguments of `straddle preflight`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle preflight specs/shop --env prod
  straddle preflight --only zones --only permissions
  straddle preflight --destroy                 before a destroy
  straddle preflight --json | jq '.checks[] | select(.verdict == \"failed\")'")]
pub(crate) struct PreflightArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// Leave out a check, by its name. May be given several times.
    #[arg(long, value_name = "CHECK")]
    pub(crate) skip: Vec<String>,
    /// Run only this check. May be given several times.
    #[arg(long, value_name = "CHECK", conflicts_with = "skip")]
    pub(crate) only: Vec<String>,
    /// Check what a destroy will meet.
    #[arg(long)]
    pub(crate) destroy: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which checks are run before something is carried out.
#[derive(Debug, Args)]
pub(crate) struct ChecksArguments {
    /// Leave out a check of `straddle preflight`, by its name. May be given several times.
    #[arg(long, value_name = "CHECK")]
    pub(crate) skip: Vec<String>,
    /// Check nothing beforehand: what is wrong shows when the services refuse it.
    #[arg(long, env = "STRADDLE_SKIP_PREFLIGHT", hide_env = true)]
    #[arg(value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) skip_preflight: bool,
}
