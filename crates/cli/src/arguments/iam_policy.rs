//! The arguments of `straddle iam-policy`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use straddle_engine::permission::Phase;

use crate::arguments::{SpecArguments, StateLocationArguments};

/// The arguments of `straddle iam-policy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle iam-policy --account network                        what the next apply needs there
  straddle iam-policy --account network --phase plan           for a job that only looks
  straddle iam-policy --account apps --phase apply --phase destroy --any-change
  straddle iam-policy --account apps --out apps.json
  straddle iam-policy | jq '.network[].Statement[].Action'     of every account")]
pub(crate) struct IamPolicyArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    #[command(flatten)]
    pub(crate) state: StateLocationArguments,
    /// The account of the spec, by its name. Without it, all are printed, by name.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// For what: may be given several times.
    #[arg(long = "phase", value_name = "PHASE", value_enum, default_value = "apply")]
    pub(crate) phases: Vec<PhaseArgument>,
    /// Allow whatever an apply of this spec may ever have to do: change any attribute, replace, repair.
    /// Otherwise, just what leads from the state that there is to the spec.
    #[arg(long)]
    pub(crate) any_change: bool,
    /// Write the policy to a file. If it is too long for one, FILE.json becomes FILE-1.json, FILE-2.json.
    #[arg(long, value_name = "FILE", requires = "account")]
    pub(crate) out: Option<PathBuf>,
}

/// For what something has to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PhaseArgument {
    /// Looking at everything.
    Plan,
    /// Bringing about what the spec says; looking is included.
    Apply,
    /// Deleting everything that the spec and the state have; looking is included.
    Destroy,
    /// The checks of `straddle preflight`, which an apply runs too; looking is included.
    Preflight,
}

impl From<PhaseArgument> for Phase {
    fn from(phase: PhaseArgument) -> Self {
        match phase {
            PhaseArgument::Plan => Self::Plan,
            PhaseArgument::Apply => Self::Apply,
            PhaseArgument::Destroy => Self::Destroy,
            PhaseArgument::Preflight => Self::Preflight,
        }
    }
}
