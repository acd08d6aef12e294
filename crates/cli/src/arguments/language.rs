//! The arguments of the commands that are about specs and the program, and touch no account.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::SpecArguments;

/// The arguments of `straddle validate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle validate
  straddle validate specs/shop --env prod
  straddle validate --json | jq '.diagnostics[].place'")]
pub(crate) struct ValidateArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `straddle reference`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle reference
  straddle reference subnet
  straddle reference functions
  straddle reference --dir specs/reference     one file for each kind, and one for the functions")]
pub(crate) struct ReferenceArguments {
    /// Print only this kind, or `functions`: what expressions can call.
    #[arg(value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Write one file for each kind, and one for the functions, into this folder.
    #[arg(long = "dir", value_name = "DIR", conflicts_with = "kind")]
    pub(crate) directory: Option<PathBuf>,
}

/// The arguments of `straddle completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle completions bash > ~/.local/share/bash-completion/completions/straddle
  straddle completions zsh > ~/.zfunc/_straddle
  straddle completions fish > ~/.config/fish/completions/straddle.fish")]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// The arguments of `straddle schema`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle schema > straddle.schema.json       for taplo, tombi and other editors")]
pub(crate) struct SchemaArguments {}

/// The arguments of `straddle man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle man | man -l -
  straddle man state show | man -l -
  straddle man --dir ~/.local/share/man/man1   one file for each command")]
pub(crate) struct ManArguments {
    /// Print the page of this command.
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Write one file for each command into this folder.
    #[arg(long = "dir", value_name = "DIR", conflicts_with = "command")]
    pub(crate) directory: Option<PathBuf>,
}

/// The arguments of `straddle version`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle version
  straddle version --json | jq .state_format")]
pub(crate) struct VersionArguments {
    /// Print one JSON object, with the versions of the formats too.
    #[arg(long)]
    pub(crate) json: bool,
}
