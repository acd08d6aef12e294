//! The arguments of `straddle rehearse`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use straddle_sandbox::Kind;

use crate::arguments::SpecArguments;
use crate::arguments::shared::SettingsArguments;

/// The arguments of `straddle rehearse`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle rehearse specs/shop
  straddle rehearse specs/shop --sample 50           a part of it, evenly spread
  straddle rehearse specs/shop --fault lost --fault denied
  straddle rehearse specs/shop --faults slow.toml --sample 0
  straddle rehearse specs/shop --list                what there is to go wrong
  straddle rehearse specs/shop --only destroy:crash:before:12
  straddle rehearse specs/shop --json | jq .critical_path")]
pub(crate) struct RehearseArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
    /// What goes wrong with every call that changes something, one rehearsal for each. May be given several times.
    #[arg(long = "fault", value_name = "FAULT", value_enum, default_value = "lost")]
    pub(crate) faults: Vec<FaultArgument>,
    /// Let go wrong in every rehearsal besides what the rules in a file say.
    #[arg(long = "faults", value_name = "FILE")]
    pub(crate) fault_file: Option<PathBuf>,
    /// Play only so many of the troubles, evenly spread over all.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) sample: Option<usize>,
    /// Play only this trouble, by its name. May be given several times.
    #[arg(long, value_name = "TROUBLE", conflicts_with = "sample")]
    pub(crate) only: Vec<String>,
    /// Print the names of the troubles and play none of them.
    #[arg(long)]
    pub(crate) list: bool,
    /// How many rehearsals are played at once [default: as many as the machine has processors]
    #[arg(long, value_name = "NUMBER", value_parser = parse_jobs)]
    pub(crate) jobs: Option<usize>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum FaultArgument {
    /// All is done, and nobody gets the answer.
    Lost,
    /// The service fails before the work, with a 500.
    Before,
    /// The service fails after the work, with a 500.
    After,
    /// The caller is told to slow down.
    Throttle,
    /// The caller may not do this.
    Denied,
}

impl From<FaultArgument> for Kind {
    fn from(fault: FaultArgument) -> Self {
        match fault {
            FaultArgument::Lost => Self::Lost,
            FaultArgument::Before => Self::Before,
            FaultArgument::After => Self::After,
            FaultArgument::Throttle => Self::Throttle,
            FaultArgument::Denied => Self::Denied,
        }
    }
}

fn parse_jobs(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| (1..=256).contains(number)).ok_or("write a number from 1 to 256".into())
}
