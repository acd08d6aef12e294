//! The arguments of `straddle import-setup`.

use clap::Args;
use straddle_engine::address::{AccountName, Kind, RemoteId};
use straddle_engine::discovery::Start;

use crate::arguments::RunArguments;

/// The arguments of `straddle import-setup`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle import-setup specs/shop --from network/vpc/vpc-0a1b2c3d4e5f60718
  straddle import-setup --env prod --from network/vpc/vpc-0a1b2c3d4e5f60718 --json

The folder of the spec has the accounts already. For each account that something is found in, a file
is written that has its name, such as network.toml, and imports.toml for all of them.")]
pub(crate) struct ImportSetupArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// Where a walk begins, such as network/vpc/vpc-0a1b2c3d. May be given several times.
    #[arg(long, value_name = "ACCOUNT/KIND/ID", required = true, value_parser = parse_start)]
    pub(crate) from: Vec<Start>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

fn parse_start(text: &str) -> Result<Start, String> {
    let parts: Vec<_> = text.splitn(3, '/').collect();
    match parts.as_slice() {
        [account, kind, id] if ![account, kind, id].iter().any(|part| part.is_empty()) => {
            Ok(Start { account: AccountName::new(*account), kind: Kind::new(*kind), id: RemoteId::new(*id) })
        }
        _ => Err("write the name of an account, what it is and its id, such as network/vpc/vpc-0a1b2c3d"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_has_three_parts() {
        let start = parse_start("network/vpc/vpc-1").expect("it has");
        assert_eq!(
            (start.account.as_str(), start.kind.as_str(), start.id.as_str()),
            ("network", "vpc", "vpc-1")
        );
        assert!(
            ["vpc-1", "network/vpc", "network//vpc-1", "/vpc/vpc-1", ""]
                .iter()
                .all(|text| parse_start(text).is_err())
        );
    }
}
