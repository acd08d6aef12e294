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
  straddle import-setup specs/shop --cluster apps/EKSTestDrive
  straddle import-setup --env prod --from network/vpc/vpc-0a1b2c3d4e5f60718 --json

The folder of the spec has the accounts already. From a VPC, the clusters in it are found in all of them;
from a cluster, its VPC. What is found is written into network.toml, cluster.toml and controller.toml,
and what they import into imports.toml.")]
pub(crate) struct ImportSetupArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// Where a walk begins, such as network/vpc/vpc-0a1b2c3d. May be given several times.
    #[arg(long, value_name = "ACCOUNT/KIND/ID", required_unless_present = "cluster", value_parser = parse_start)]
    pub(crate) from: Vec<Start>,
    /// A cluster where a walk begins, such as apps/EKSTestDrive. May be given several times.
    #[arg(long, value_name = "ACCOUNT/NAME", value_parser = parse_cluster)]
    pub(crate) cluster: Vec<Start>,
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

fn parse_cluster(text: &str) -> Result<Start, String> {
    match text.split_once('/') {
        Some((account, name)) if !account.is_empty() && !name.is_empty() && !name.contains('/') => {
            parse_start(&format!("{account}/eks_cluster/{name}"))
        }
        _ => Err("write the name of an account and of a cluster, such as apps/EKSTestDrive".to_owned()),
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

    #[test]
    fn a_cluster_is_a_start() {
        assert_eq!(parse_cluster("apps/demo"), parse_start("apps/eks_cluster/demo"));
        assert!(["demo", "apps/", "/demo", "apps/a/b"].iter().all(|text| parse_cluster(text).is_err()));
    }
}
