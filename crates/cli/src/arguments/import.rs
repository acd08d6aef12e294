//! The arguments of `straddle import`.

use std::time::Duration;

use clap::Args;
use straddle_engine::address::{Address, RemoteId};
use straddle_engine::run::Settings;
use straddle_engine::spec::ImportNode;

use crate::arguments::RunArguments;
use crate::arguments::shared::parse_duration;

/// The arguments of `straddle import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straddle import vpc.main vpc-0a1b2c3d4e5f60718
  straddle import \"subnet.public['a']\" subnet-0a1b2c3d4e5f60718 specs/shop --env prod
  straddle import \"route_table.public/route['0.0.0.0/0']\" rtb-0a1b2c3d_0.0.0.0/0

What the id of a kind looks like is in its reference: straddle reference vpc")]
pub(crate) struct ImportArguments {
    /// The resource of the spec that it becomes.
    #[arg(value_name = "RESOURCE")]
    pub(crate) address: Address,
    /// What the service calls it.
    #[arg(value_name = "ID", value_parser = parse_id)]
    id: RemoteId,
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// Import it also if its tag says that it belongs to another stack.
    #[arg(long)]
    take_over: bool,
    /// Wait so long for another run that has the state locked, such as 30s or 10m, instead of failing at once.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    lock_timeout: Duration,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

impl ImportArguments {
    /// Returns what is to be imported.
    pub(crate) fn import(&self) -> ImportNode {
        ImportNode { to: self.address.clone(), id: self.id.clone(), take_over: self.take_over, span: None }
    }

    /// Returns the settings of the run.
    pub(crate) fn settings(&self) -> Settings {
        Settings { lock_timeout: self.lock_timeout, ..self.run.settings() }
    }
}

fn parse_id(text: &str) -> Result<RemoteId, String> {
    (!text.is_empty()).then(|| RemoteId::new(text)).ok_or("write what the service calls the thing".into())
}
