//! The arguments of `straddle sandbox`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use straddle_sandbox::AccountId;

use crate::arguments::shared::parse_duration;

/// What to do with a sandbox.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Serve until Ctrl-C, and print the environment for `aws` and SDKs.
    Start(Box<SandboxStartArguments>),
    /// End a sandbox; its world is kept.
    #[command(after_help = "\
Examples:
  straddle sandbox stop
  straddle sandbox stop --state /tmp/mine.world")]
    Stop(SandboxOrderArguments),
    /// Show who serves which world.
    #[command(after_help = "\
Examples:
  straddle sandbox status
  straddle sandbox status --json | jq -r .endpoint")]
    Status(SandboxOrderArguments),
    /// Empty the world; the accounts stay if somebody serves it.
    #[command(after_help = "\
Examples:
  straddle sandbox reset")]
    Reset(SandboxOrderArguments),
    /// Show what was asked, by whom, and what came of it.
    Log(SandboxLogArguments),
    /// Print the environment for `aws` and SDKs once more, also for another account.
    Env(SandboxEnvironmentArguments),
}

impl SandboxCommand {
    /// Tells whether standard output is read by a program.
    pub(crate) fn is_json(&self) -> bool {
        match self {
            Self::Start(arguments) => arguments.json,
            Self::Stop(arguments) | Self::Status(arguments) | Self::Reset(arguments) => arguments.json,
            Self::Log(arguments) => arguments.json,
            Self::Env(arguments) => arguments.json,
        }
    }
}

/// Which world.
#[derive(Debug, Args)]
pub(crate) struct WorldArguments {
    /// The file that the world is kept in [default: `sandbox.world` in the nearest folder `state`]
    #[arg(long = "state", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The folder of the state files [default: the nearest folder `state`, from here upwards]
    #[arg(long = "state-dir", value_name = "DIR", env = "STRADDLE_STATE_DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// The arguments of `straddle sandbox start`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle sandbox start                       here, until Ctrl-C
  straddle sandbox start --background > sandbox.env     then: . ./sandbox.env; aws ec2 describe-vpcs
  straddle sandbox start --account network=111111111111 --account apps=222222222222 --speed 60")]
pub(crate) struct SandboxStartArguments {
    #[command(flatten)]
    pub(crate) world: WorldArguments,
    /// The port on this machine; 0 takes one that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// The port at which clusters and other outside hosts are, by TLS and the name in its handshake.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) tls_port: u16,
    /// The port at which load balancers and other outside hosts are, by HTTP and its header `Host`.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) plain_port: u16,
    /// Make an account in the organization. May be given several times.
    #[arg(long = "account", value_name = "NAME=ID", value_parser = parse_account)]
    pub(crate) accounts: Vec<(String, AccountId)>,
    /// The organization's management account, whose administrator the printed credentials are.
    #[arg(long, value_name = "ID", default_value = "123456789012")]
    pub(crate) management: AccountId,
    /// The region of the printed environment. Every region exists.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
    /// How many times faster than on AWS things get ready; at 0 time stands still.
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, value_parser = parse_speed)]
    pub(crate) speed: f64,
    /// From which the ids of a new world are made: the same calls get the same ids.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Ask policies what a caller may do. Without this, everybody may do everything in their account.
    #[arg(long)]
    pub(crate) enforce_iam: bool,
    /// For how long other services do not know a new role, in the time of the world.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub(crate) iam_delay: Duration,
    /// For how long reads do not know a new id, in the time of the world.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub(crate) consistency_window: Duration,
    /// Let go wrong what the rules in a file say, see specs/README.md.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// Let go wrong what a seed says, and a program should survive.
    #[arg(long, value_name = "SEED")]
    pub(crate) chaos: Option<u64>,
    /// Return when the sandbox serves, and let it run until `straddle sandbox stop`.
    #[arg(long)]
    pub(crate) background: bool,
    /// Print one JSON object instead of lines for a shell.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of the orders to a sandbox.
#[derive(Debug, Args)]
pub(crate) struct SandboxOrderArguments {
    #[command(flatten)]
    pub(crate) world: WorldArguments,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `straddle sandbox log`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle sandbox log
  straddle sandbox log --follow
  straddle sandbox log --json | jq 'select(.outcome != \"ok\")'")]
pub(crate) struct SandboxLogArguments {
    #[command(flatten)]
    pub(crate) world: WorldArguments,
    /// Go on with what is asked from now on, until Ctrl-C.
    #[arg(long)]
    pub(crate) follow: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `straddle sandbox env`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  . <(straddle sandbox env)
  . <(straddle sandbox env --account apps)     as the administrator of that account")]
pub(crate) struct SandboxEnvironmentArguments {
    #[command(flatten)]
    pub(crate) world: WorldArguments,
    /// The account, by its name or number, whose administrator the credentials are [default: the management account]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

fn parse_account(text: &str) -> Result<(String, AccountId), String> {
    let (name, id) = text.split_once('=').ok_or("write NAME=ID, such as apps=222222222222")?;
    if name.is_empty() {
        return Err("write a name before the `=`".to_owned());
    }
    Ok((name.to_owned(), id.parse().map_err(|error: straddle_sandbox::InvalidAccountId| error.to_string())?))
}

/// Reads how many times faster time goes.
pub(super) fn parse_speed(text: &str) -> Result<f64, String> {
    let speed: Option<f64> = text.parse().ok();
    speed.filter(|speed| (0.0..=1e6).contains(speed)).ok_or("write a number from 0 to 1000000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked() {
        let (name, id) = parse_account("apps=222222222222").unwrap();
        assert_eq!((name.as_str(), id.as_str()), ("apps", "222222222222"));
        for wrong in ["apps", "=222222222222", "apps=2"] {
            assert!(parse_account(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_speed("0.5"), Ok(0.5));
        for wrong in ["-1", "NaN", "inf", "fast"] {
            assert!(parse_speed(wrong).is_err(), "{wrong}");
        }
    }
}
