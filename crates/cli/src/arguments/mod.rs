//! The arguments of every command. One definition gives parsing, help and completions.

mod carry_out;
mod charts;
mod cluster;
mod format;
mod graph;
mod iam_policy;
mod import;
mod import_setup;
mod language;
mod plan;
mod preflight;
mod refresh;
mod rehearse;
mod sandbox;
mod selection;
mod shared;
mod state;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

pub(crate) use carry_out::{ApplyArguments, CarryOutArguments, DestroyArguments};
pub(crate) use charts::{
    ChartsCommand, ChartsListArguments, ChartsLockArguments, ChartsUpdateArguments, ChartsWriteArguments,
};
pub(crate) use cluster::{ClusterArguments, KubeconfigArguments, TokenArguments};
pub(crate) use format::FormatArguments;
pub(crate) use graph::{GraphArguments, GraphFormat};
pub(crate) use iam_policy::IamPolicyArguments;
pub(crate) use import::ImportArguments;
pub(crate) use import_setup::ImportSetupArguments;
pub(crate) use language::{
    CompletionsArguments, ManArguments, ReferenceArguments, SchemaArguments, ValidateArguments,
    VersionArguments,
};
pub(crate) use plan::PlanArguments;
pub(crate) use preflight::{ChecksArguments, PreflightArguments};
pub(crate) use refresh::{RecordArguments, RefreshArguments};
pub(crate) use rehearse::RehearseArguments;
pub(crate) use sandbox::{
    SandboxCommand, SandboxEnvironmentArguments, SandboxLogArguments, SandboxOrderArguments,
    SandboxStartArguments, WorldArguments,
};
pub(crate) use selection::{ReplacementArguments, SelectionArguments};
pub(crate) use shared::{
    PaceArguments, RunArguments, SpecArguments, StackArguments, StateLocationArguments, ValueArguments,
};
pub(crate) use state::{OutputArguments, StateCommand, StateListArguments, StateShowArguments};

use crate::exit;
use crate::terminal::ColorChoice;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  straddle validate                      find every mistake in the spec of this folder
  straddle plan specs/shop --env prod    show what would change
  straddle apply specs/shop              show it, ask, and carry it out
  straddle destroy specs/shop            delete everything that the stack made
";

/// Makes the accounts look as a spec says: plan, apply, destroy.
#[derive(Debug, Parser)]
#[command(name = "straddle", version, styles = STYLES, after_help = format!("{EXAMPLES}\n{}", exit::HELP))]
#[command(disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Arguments {
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_enum)]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find every mistake in a spec, without connecting to any account.
    Validate(ValidateArguments),
    /// Lay out the files of a spec: white space changes, and nothing else.
    #[command(name = "fmt")]
    Format(FormatArguments),
    /// Show what an apply would do. Reads the accounts and changes nothing.
    Plan(PlanArguments),
    /// Look whether an apply will work: accounts, zones, ranges, quotas, versions, permissions. Changes nothing.
    Preflight(PreflightArguments),
    /// Show the plan, ask, and carry it out.
    Apply(ApplyArguments),
    /// Delete everything that the stack made, in every account.
    Destroy(DestroyArguments),
    /// Make something that exists a resource of the stack. Nothing is called that changes anything.
    Import(ImportArguments),
    /// Write the spec of a network that exists, with its imports. Nothing is called that changes anything.
    ImportSetup(ImportSetupArguments),
    /// Lock the versions of the charts that a spec takes from repositories and registries.
    #[command(
        subcommand,
        after_help = "\
Examples:
  straddle charts lock
  straddle charts update --chart aws-load-balancer-controller"
    )]
    Charts(ChartsCommand),
    /// Draw what needs what, as a graph.
    Graph(GraphArguments),
    /// Print what has to be allowed in an account, as a policy of IAM, and nothing else.
    IamPolicy(IamPolicyArguments),
    /// Write an entry for `kubectl` that leads into a cluster of the stack.
    Kubeconfig(KubeconfigArguments),
    /// Print a token for a cluster of the stack, as `kubectl` takes it.
    Token(TokenArguments),
    /// Look into the state.
    #[command(
        subcommand,
        after_help = "\
Examples:
  straddle state list
  straddle state show \"subnet.public['a']\""
    )]
    State(StateCommand),
    /// Print the outputs of the last apply.
    Output(OutputArguments),
    /// Serve an organization of AWS accounts on this machine, to try and rehearse in.
    #[command(
        subcommand,
        after_help = "\
Examples:
  straddle sandbox start --account apps=222222222222
  straddle sandbox log --follow"
    )]
    Sandbox(SandboxCommand),
    /// Make and delete everything in sandboxes again and again, each time with another fault or crash.
    Rehearse(RehearseArguments),
    /// Print the reference of all kinds as Markdown.
    Reference(ReferenceArguments),
    /// Print the JSON Schema of the spec language, for editors.
    Schema(SchemaArguments),
    /// Print the completions of a shell.
    Completions(CompletionsArguments),
    /// Print the manual, a page for each command.
    Man(ManArguments),
    /// Print the version.
    Version(VersionArguments),
}

impl Command {
    /// Tells whether standard output is read by a program.
    pub(crate) fn is_json(&self) -> bool {
        match self {
            Self::Validate(arguments) => arguments.json,
            Self::Format(arguments) => arguments.json,
            Self::Plan(arguments) => arguments.json,
            Self::Import(arguments) => arguments.json,
            Self::ImportSetup(arguments) => arguments.json,
            Self::Preflight(arguments) => arguments.json,
            Self::Graph(arguments) => arguments.format == GraphFormat::Json,
            Self::Apply(arguments) => arguments.carry_out.json,
            Self::Destroy(arguments) => arguments.carry_out.json,
            Self::State(StateCommand::List(arguments)) => arguments.json,
            Self::State(StateCommand::Show(arguments)) => arguments.state.json,
            Self::Output(arguments) => arguments.json,
            Self::Charts(command) => command.is_json(),
            Self::Sandbox(command) => command.is_json(),
            Self::Rehearse(arguments) => arguments.json,
            Self::Version(arguments) => arguments.json,
            Self::IamPolicy(_)
            | Self::Kubeconfig(_)
            | Self::Token(_)
            | Self::Reference(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }

    /// Tells whether that program reads one JSON object a line.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Self::Apply(_) | Self::Destroy(_)) && self.is_json()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn each_command(command: &mut clap::Command, check: &mut impl FnMut(&mut clap::Command)) {
        check(command);
        for subcommand in command.get_subcommands_mut() {
            each_command(subcommand, check);
        }
    }

    #[test]
    fn the_help_of_every_command_has_examples_that_parse() {
        let mut root = Arguments::command();
        root.build();
        let mut examples = Vec::new();
        each_command(&mut root, &mut |command| {
            let help = command.render_long_help().to_string();
            let name = command.get_name().to_owned();
            assert!(help.contains("Examples:"), "{name}: {help}");
            let lines = help.lines().map(str::trim).filter(|line| line.starts_with("straddle "));
            examples.extend(lines.map(str::to_owned));
        });
        for example in examples {
            let words = example.split(['|', '>', '<']).next().unwrap().split("  ").next().unwrap();
            let words = words.split_whitespace().map(|word| word.trim_matches('"'));
            Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
        assert!(Arguments::command().render_long_help().to_string().contains("Exit codes:"));
    }
}
