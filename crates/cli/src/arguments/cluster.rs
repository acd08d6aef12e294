//! The arguments of `straddle token` and `straddle kubeconfig`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::{PaceArguments, SpecArguments, StateLocationArguments};

/// Which cluster.
#[derive(Debug, Args)]
pub(crate) struct ClusterArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    /// The name of the cluster in its account.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: String,
    /// The account that has the cluster [default: the one that has it]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) state: StateLocationArguments,
    #[command(flatten)]
    pub(crate) pace: PaceArguments,
}

/// The arguments of `straddle token`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle token specs/shop --env prod --cluster shop
  straddle token --cluster shop --account apps | jq -r .status.token")]
pub(crate) struct TokenArguments {
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
}

/// The arguments of `straddle kubeconfig`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle kubeconfig specs/shop --cluster shop                     print an entry
  straddle kubeconfig --cluster shop --write ~/.kube/config         put it into a file
  straddle kubeconfig --cluster shop --sandbox --write /tmp/config  for the cluster in the sandbox")]
pub(crate) struct KubeconfigArguments {
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    /// Put the entry into this file and make it the current one; whatever else is in the file stays.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// What the entry is called [default: the name of the cluster]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The namespace of commands that do not name one.
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
}
