//! The arguments of `straddle charts`.

use clap::{Args, Subcommand};

use crate::arguments::SpecArguments;

/// What to do with the charts of a spec.
#[derive(Debug, Subcommand)]
pub(crate) enum ChartsCommand {
    /// List the charts that a spec takes from elsewhere, with the versions that are locked.
    #[command(after_help = "\
Examples:
  straddle charts list
  straddle charts list specs/shop --newest     and the newest version that each may be
  straddle charts list --json | jq -r '.charts[].name'")]
    List(ChartsListArguments),
    /// Write down which version each chart is, and its sha256, in `charts.lock`. What is locked stays.
    #[command(after_help = "\
Examples:
  straddle charts lock
  straddle charts lock specs/shop --prune
  straddle charts lock --check                 2 if the file would change; changes nothing")]
    Lock(ChartsLockArguments),
    /// Lock the newest versions that the spec allows.
    #[command(after_help = "\
Examples:
  straddle charts update
  straddle charts update specs/shop --chart aws-load-balancer-controller")]
    Update(ChartsUpdateArguments),
}

impl ChartsCommand {
    /// Tells whether standard output is read by a program.
    pub(crate) fn is_json(&self) -> bool {
        match self {
            Self::List(arguments) => arguments.json,
            Self::Lock(arguments) => arguments.writing.json,
            Self::Update(arguments) => arguments.writing.json,
        }
    }
}

/// The arguments of `straddle charts list`.
#[derive(Debug, Args)]
pub(crate) struct ChartsListArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    /// Ask the repositories for the newest versions that the spec allows.
    #[arg(long)]
    pub(crate) newest: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `straddle charts lock`.
#[derive(Debug, Args)]
pub(crate) struct ChartsLockArguments {
    #[command(flatten)]
    pub(crate) writing: ChartsWriteArguments,
    /// Let go what the spec does not name with these values. What other environments need goes with it.
    #[arg(long)]
    pub(crate) prune: bool,
}

/// The arguments of `straddle charts update`.
#[derive(Debug, Args)]
pub(crate) struct ChartsUpdateArguments {
    #[command(flatten)]
    pub(crate) writing: ChartsWriteArguments,
    /// Only this chart; may be given several times.
    #[arg(long = "chart", value_name = "NAME")]
    pub(crate) charts: Vec<String>,
}

/// What every command takes that writes the lock file.
#[derive(Debug, Args)]
pub(crate) struct ChartsWriteArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    /// Write nothing, and exit with 2 if the file would change.
    #[arg(long)]
    pub(crate) check: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
