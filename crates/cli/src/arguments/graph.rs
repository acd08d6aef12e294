//! The arguments of `straddle graph`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::arguments::RunArguments;

/// The arguments of `straddle graph`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle graph | dot -Tsvg > graph.svg
  straddle graph --fold --format mermaid       one box for each block, for a README
  straddle graph --plan                        coloured by what an apply would do
  straddle graph --architecture -o shop.svg    accounts, networks and what stands in them")]
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
pub(crate) struct GraphArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// In which language.
    #[arg(long, value_name = "FORMAT", default_value = "dot", value_enum)]
    pub(crate) format: GraphFormat,
    /// Draw one box for each block: its instances and parts are folded into it.
    #[arg(long)]
    pub(crate) fold: bool,
    /// Make a plan, and colour everything by what would be done to it.
    #[arg(long)]
    pub(crate) plan: bool,
    /// Plan the end of everything.
    #[arg(long, requires = "plan")]
    pub(crate) destroy: bool,
    /// Draw where things are instead, as SVG: accounts, networks, clusters, and who reaches and trusts whom.
    #[arg(long, conflicts_with_all = ["format", "fold", "plan"])]
    pub(crate) architecture: bool,
    /// Write to a file.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

/// The languages in which a graph can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For Graphviz.
    Dot,
    /// For Markdown on most forges.
    Mermaid,
    /// For programs.
    Json,
}
