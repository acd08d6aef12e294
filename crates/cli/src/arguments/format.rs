//! The arguments of `straddle fmt`.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `straddle fmt`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle fmt                                 lay out the spec of this folder and its envs
  straddle fmt specs/shop --check              2 if a file would change; changes none
  straddle fmt --diff                          show what would change; changes none
  straddle fmt --stdin < draft.toml            for editors")]
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
pub(crate) struct FormatArguments {
    /// Folders of specs, with their `envs`, or single files.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing, and exit with 2 if a file would change.
    #[arg(long)]
    pub(crate) check: bool,
    /// Change nothing, and show what would change.
    #[arg(long)]
    pub(crate) diff: bool,
    /// Read one file from standard input, and print it as it should stand.
    #[arg(long, conflicts_with_all = ["paths", "json"])]
    pub(crate) stdin: bool,
    /// Print one JSON object.
    #[arg(long, conflicts_with = "diff")]
    pub(crate) json: bool,
}
