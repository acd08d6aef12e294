//! What the arguments of several commands have in common.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::{Error, ErrorKind};
use clap::{Arg, Args, Command};
use straddle_engine::address::is_word;
use straddle_engine::plan::Options;
use straddle_engine::run::Settings;

use crate::arguments::sandbox::parse_speed;

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
#[derive(Debug, Clone, Args)]
pub(crate) struct ValueArguments {
    /// Read the variables in `envs/ENV.toml`, and keep a state for ENV of its own.
    #[arg(long = "env", value_name = "ENV", value_parser = parse_environment)]
    pub(crate) environment: Option<String>,
    /// Set a variable; the environment variable `STRADDLE_VAR_KEY` does the same.
    #[arg(long = "var", value_name = "KEY=VALUE", value_parser = VariableParser)]
    pub(crate) variables: Vec<(String, String)>,
    /// Read variables from a TOML file; later files win.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) variable_files: Vec<PathBuf>,
}

/// Which environment of a stack.
#[derive(Debug, Args)]
pub(crate) struct StackArguments {
    /// Look at the state of this environment.
    #[arg(long = "env", value_name = "ENV", value_parser = parse_environment)]
    pub(crate) environment: Option<String>,
    /// Look at the state of this stack, whatever the spec says; no spec is needed then.
    #[arg(long = "stack", value_name = "STACK", value_parser = parse_stack)]
    pub(crate) stack: Option<String>,
    #[command(flatten)]
    pub(crate) location: StateLocationArguments,
}

/// Where the state is.
#[derive(Debug, Args)]
pub(crate) struct StateLocationArguments {
    /// The folder of the state files [default: the nearest folder `state`, from the spec upwards]
    #[arg(long = "state-dir", value_name = "DIR", env = "STRADDLE_STATE_DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// Use a sandbox on this machine in the place of every account, with a state of its own. Credentials
    /// are not needed; without `--env`, the environment `sandbox` is meant if there is one.
    #[arg(long)]
    pub(crate) sandbox: bool,
}

/// How a sandbox is run.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Sandbox")]
pub(crate) struct PaceArguments {
    /// How many times faster than on AWS things get ready in the sandbox [default: 60]
    #[arg(long, value_name = "NUMBER", requires = "sandbox", value_parser = parse_speed)]
    pub(crate) speed: Option<f64>,
    /// Let go wrong in the sandbox what the rules in a file say.
    #[arg(long, value_name = "FILE", requires = "sandbox")]
    pub(crate) faults: Option<PathBuf>,
    /// Let go wrong in the sandbox what a seed says, and a run should survive.
    #[arg(long, value_name = "SEED", requires = "sandbox")]
    pub(crate) chaos: Option<u64>,
}

impl PaceArguments {
    /// How fast a sandbox is that only a run uses: a cluster is ready in nine seconds.
    const SPEED: f64 = 60.0;

    /// Returns how many times faster than on AWS things get ready.
    pub(crate) fn speed(&self) -> f64 {
        self.speed.unwrap_or(Self::SPEED)
    }
}

/// Numbers of a run.
#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    /// How many operations run at once.
    #[arg(long, value_name = "NUMBER", default_value_t = Settings::default().parallelism, value_parser = parse_parallelism)]
    parallelism: usize,
    /// How long after a lost answer the work of a call may still become visible, such as 30s or 2m
    /// [default: 2m; in a sandbox as much shorter as that is faster]
    #[arg(long, value_name = "DURATION", env = "STRADDLE_CONSISTENCY_WINDOW", hide_env = true)]
    #[arg(value_parser = parse_duration)]
    consistency_window: Option<Duration>,
}

impl SettingsArguments {
    /// Returns the settings of a run among things that get ready so many times faster than on AWS.
    pub(crate) fn settings(&self, speed: f64) -> Settings {
        let default = Settings::default();
        // A sandbox that stands still is waited for as long as AWS.
        let scaled = default.consistency_window.div_f64(if speed > 0.0 { speed } else { 1.0 });
        Settings {
            parallelism: self.parallelism,
            consistency_window: self.consistency_window.unwrap_or(scaled),
            ..default
        }
    }
}

/// What every command takes that makes a plan.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    #[command(flatten)]
    pub(crate) state: StateLocationArguments,
    #[command(flatten)]
    settings: SettingsArguments,
    #[command(flatten)]
    pub(crate) pace: PaceArguments,
    /// Go on although much of what the state has in an account is gone: more than 30 %, and at least 3 resources.
    #[arg(long)]
    pub(crate) allow_missing: bool,
}

impl RunArguments {
    /// Returns the settings of a run.
    pub(crate) fn settings(&self) -> Settings {
        self.settings.settings(if self.state.sandbox { self.pace.speed() } else { 1.0 })
    }

    /// Returns what the user asks of a plan, with what every run may allow.
    pub(crate) fn allowing(&self, options: Options) -> Options {
        Options { allow_missing: self.allow_missing, ..options }
    }
}

/// Reads `KEY=VALUE`. What is none is not quoted: it may be a secret.
#[derive(Clone)]
struct VariableParser;

impl TypedValueParser for VariableParser {
    type Value = (String, String);

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, text: &OsStr) -> Result<Self::Value, Error> {
        let parts = text.to_str().and_then(|text| text.split_once('='));
        let (key, value) = parts.ok_or_else(|| {
            let message =
                "invalid value for '--var <KEY=VALUE>': write KEY=VALUE, such as region=eu-west-1\n";
            Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })?;
        Ok((key.to_owned(), value.to_owned()))
    }
}

/// Checks the name of an environment, which becomes a part of file names.
fn parse_environment(text: &str) -> Result<String, String> {
    let is_fine = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    let is_name = !text.is_empty() && text.chars().all(is_fine);
    is_name.then(|| text.to_owned()).ok_or("write a name of letters, digits, `_` and `-`".into())
}

fn parse_stack(text: &str) -> Result<String, String> {
    is_word(text).then(|| text.to_owned()).ok_or("write the name of a stack, as in `[stack]`".into())
}

fn parse_parallelism(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| (1..=256).contains(number)).ok_or("write a number from 1 to 256".into())
}

/// Reads a number with its unit.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: Option<jiff::SignedDuration> = text.parse().ok();
    duration
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or("write a number and a unit, such as 500ms, 30s or 2m".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked() {
        let variable = |text: &str| VariableParser.parse_ref(&Command::new("x"), None, text.as_ref());
        assert_eq!(variable("a=b=c").ok(), Some(("a".to_owned(), "b=c".to_owned())));
        assert!(!variable("hunter2").expect_err("it has no key").to_string().contains("hunter2"));
        assert_eq!(parse_duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        assert!(parse_duration("2").is_err() && parse_duration("-2s").is_err());
        assert!(parse_environment("prod-1").is_ok());
        assert!(parse_environment("../prod").is_err() && parse_environment("").is_err());
        assert!(parse_parallelism("0").is_err() && parse_parallelism("257").is_err());
    }
}
