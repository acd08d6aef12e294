//! The arguments of every command. One definition gives parsing, help and completions.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};
use straddle_engine::address::Address;
use straddle_engine::run::Settings;

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
    /// Find every mistake in a spec, without connecting to anything.
    #[command(after_help = "\
Examples:
  straddle validate
  straddle validate specs/shop --env prod
  straddle validate --json | jq '.diagnostics[].place'")]
    Validate(ValidateArguments),
    /// Show what an apply would do. Reads the accounts and changes nothing.
    #[command(after_help = "\
Examples:
  straddle plan
  straddle plan --env prod --out shop.plan     save it, for `straddle apply --plan shop.plan`
  straddle plan --detailed-exitcode            2 if there are changes
  straddle plan --json | jq '.changes[].address'")]
    Plan(PlanArguments),
    /// Show the plan, ask, and carry it out.
    #[command(after_help = "\
Examples:
  straddle apply
  straddle apply --plan shop.plan              carry out a saved plan, and nothing else
  straddle apply --auto-approve --json         for machines: one JSON object a line")]
    Apply(ApplyArguments),
    /// Delete everything that the stack made, in every account.
    #[command(after_help = "\
Examples:
  straddle destroy
  straddle plan --destroy                      only show it
  straddle destroy --env sandbox --auto-approve")]
    Destroy(DestroyArguments),
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
    #[command(after_help = "\
Examples:
  straddle output
  straddle output url --raw
  straddle output --json | jq .url")]
    Output(OutputArguments),
    /// Print the reference of all kinds as Markdown.
    #[command(after_help = "\
Examples:
  straddle reference
  straddle reference subnet
  straddle reference --dir specs/reference     one file for each kind")]
    Reference(ReferenceArguments),
    /// Print the completions of a shell.
    #[command(after_help = "\
Examples:
  straddle completions bash > ~/.local/share/bash-completion/completions/straddle
  straddle completions fish > ~/.config/fish/completions/straddle.fish")]
    Completions(CompletionsArguments),
}

impl Command {
    /// Tells whether standard output is read by a program.
    pub(crate) fn is_json(&self) -> bool {
        match self {
            Self::Validate(arguments) => arguments.json,
            Self::Plan(arguments) => arguments.json,
            Self::Apply(arguments) => arguments.carry_out.json,
            Self::Destroy(arguments) => arguments.carry_out.json,
            Self::State(StateCommand::List(arguments)) => arguments.json,
            Self::State(StateCommand::Show(arguments)) => arguments.json,
            Self::Output(arguments) => arguments.json,
            Self::Reference(_) | Self::Completions(_) => false,
        }
    }
}

/// Which spec, with which values.
#[derive(Debug, Args)]
pub(crate) struct SpecArguments {
    /// The folder of the spec, or its only file.
    #[arg(value_name = "SPEC", default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) values: ValueArguments,
}

/// With which values.
#[derive(Debug, Args)]
pub(crate) struct ValueArguments {
    /// Read the variables in `envs/NAME.toml`, and keep a state for NAME of its own.
    #[arg(long = "env", value_name = "NAME", value_parser = parse_environment)]
    pub(crate) environment: Option<String>,
    /// Set a variable; the environment variable `STRADDLE_VAR_KEY` does the same.
    #[arg(long = "var", value_name = "KEY=VALUE", value_parser = parse_variable)]
    pub(crate) variables: Vec<(String, String)>,
    /// Read variables from a TOML file; later files win.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) variable_files: Vec<PathBuf>,
}

/// Where the state is.
#[derive(Debug, Args)]
pub(crate) struct StateLocationArguments {
    /// The folder of the state files [default: the nearest folder `state`, from the spec upwards]
    #[arg(long = "state-dir", value_name = "DIR", env = "STRADDLE_STATE_DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// Numbers of a run.
#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    /// How many operations run at once.
    #[arg(long, value_name = "NUMBER", default_value_t = Settings::default().parallelism, value_parser = parse_parallelism)]
    parallelism: usize,
    /// How long after a lost answer the work of a call may still become visible, such as 30s or 2m.
    #[arg(long, value_name = "DURATION", env = "STRADDLE_CONSISTENCY_WINDOW", hide_env = true)]
    #[arg(default_value = "2m", value_parser = parse_duration)]
    consistency_window: Duration,
}

impl SettingsArguments {
    /// Returns the settings of a run.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            parallelism: self.parallelism,
            consistency_window: self.consistency_window,
            ..Settings::default()
        }
    }
}

/// The arguments of `straddle validate`.
#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `straddle plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    #[command(flatten)]
    pub(crate) state: StateLocationArguments,
    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
    /// Show what a destroy would do.
    #[arg(long)]
    pub(crate) destroy: bool,
    /// Save the plan, with every value in it, readable by you alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 2 if there are changes, and 0 only if there are none.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What apply and destroy have in common.
#[derive(Debug, Args)]
pub(crate) struct CarryOutArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    #[command(flatten)]
    pub(crate) state: StateLocationArguments,
    #[command(flatten)]
    pub(crate) settings: SettingsArguments,
    /// Do not ask.
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Print one JSON object a line: what happens, and at last the report.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `straddle apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    pub(crate) carry_out: CarryOutArguments,
    /// Carry out a plan that `straddle plan --out` saved, without asking.
    #[arg(long, value_name = "FILE", conflicts_with = "auto_approve")]
    pub(crate) plan: Option<PathBuf>,
}

/// The arguments of `straddle destroy`.
#[derive(Debug, Args)]
pub(crate) struct DestroyArguments {
    #[command(flatten)]
    pub(crate) carry_out: CarryOutArguments,
}

/// What to look for in the state.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// List the resources.
    #[command(after_help = "\
Examples:
  straddle state list
  straddle state list specs/shop --env prod")]
    List(StateListArguments),
    /// Show everything that is recorded of a resource.
    #[command(after_help = "\
Examples:
  straddle state show vpc.main
  straddle state show \"route_table.public/route['0.0.0.0/0']\" --json")]
    Show(StateShowArguments),
}

/// The arguments of `straddle state list`.
#[derive(Debug, Args)]
pub(crate) struct StateListArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    #[command(flatten)]
    pub(crate) state: StateLocationArguments,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `straddle state show`.
#[derive(Debug, Args)]
pub(crate) struct StateShowArguments {
    /// The resource.
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: Address,
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    #[command(flatten)]
    pub(crate) state: StateLocationArguments,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `straddle output`.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// Print only this output.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The folder of the spec, or its only file.
    #[arg(value_name = "SPEC", long = "spec", default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) values: ValueArguments,
    #[command(flatten)]
    pub(crate) state: StateLocationArguments,
    /// Print JSON.
    #[arg(long, conflicts_with = "raw")]
    pub(crate) json: bool,
    /// Print a single text or number without quotes.
    #[arg(long, requires = "name")]
    pub(crate) raw: bool,
}

/// The arguments of `straddle reference`.
#[derive(Debug, Args)]
pub(crate) struct ReferenceArguments {
    /// Print only this kind.
    #[arg(value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Write one file for each kind into this folder.
    #[arg(long = "dir", value_name = "DIR", conflicts_with = "kind")]
    pub(crate) directory: Option<PathBuf>,
}

/// The arguments of `straddle completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

fn parse_variable(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as region=eu-west-1")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Checks the name of an environment, which becomes a part of file names.
fn parse_environment(text: &str) -> Result<String, String> {
    let is_fine = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    let is_name = !text.is_empty() && text.chars().all(is_fine);
    is_name.then(|| text.to_owned()).ok_or("write a name of letters, digits, `_` and `-`".into())
}

fn parse_parallelism(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| (1..=256).contains(number)).ok_or("write a number from 1 to 256".into())
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: Option<jiff::SignedDuration> = text.parse().ok();
    duration
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or("write a number and a unit, such as 500ms, 30s or 2m".into())
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
            let words = example.split(['|', '>']).next().unwrap().split("  ").next().unwrap();
            let words = words.split_whitespace().map(|word| word.trim_matches('"'));
            Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
        assert!(Arguments::command().render_long_help().to_string().contains("Exit codes:"));
    }

    #[test]
    fn values_are_checked() {
        assert_eq!(parse_variable("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(parse_variable("a").is_err());
        assert_eq!(parse_duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        assert!(parse_duration("2").is_err() && parse_duration("-2s").is_err());
        assert!(parse_environment("prod-1").is_ok());
        assert!(parse_environment("../prod").is_err() && parse_environment("").is_err());
        assert!(parse_parallelism("0").is_err() && parse_parallelism("257").is_err());
    }
}
