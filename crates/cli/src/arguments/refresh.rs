//! The arguments that say what the live reads are for.

use clap::{ArgAction, Args};

/// What the live reads of a plan are for.
#[derive(Debug, Args)]
pub(crate) struct RefreshArguments {
    /// Only show what others changed or deleted since the last apply.
    #[arg(long, conflicts_with_all = ["target", "exclude", "replace"])]
    pub(crate) refresh_only: bool,
    /// With `false`, plan from the state alone and call no account: quick, and for looking at only.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, default_value_t = true)]
    #[arg(conflicts_with_all = ["refresh_only", "out"])]
    pub(crate) refresh: bool,
}

/// What the live reads of an apply are for.
#[derive(Debug, Args)]
pub(crate) struct RecordArguments {
    /// Record what others changed or deleted since the last apply, and change no thing.
    #[arg(long, conflicts_with_all = ["target", "exclude", "replace"])]
    pub(crate) refresh_only: bool,
    /// Only `true` is taken: an apply always reads what is there before it changes anything.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, default_value_t = true)]
    #[arg(value_parser = parse_always, hide_default_value = true)]
    pub(crate) refresh: bool,
}

fn parse_always(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Err("an apply always reads what is there: the state alone does not have what services \
                        fill in by themselves, nor what others did since, so that something might be \
                        replaced or made again without need. `straddle plan --refresh=false` only looks"
            .to_owned()),
        _ => Err("write true".to_owned()),
    }
}
