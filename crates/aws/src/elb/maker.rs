//! Who made a load balancer: a controller in a cluster leaves its tags.
//!
//! The keys are those of the AWS Load Balancer Controller since its version 2.

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;

use super::{describe, tags};
use crate::client::Client;

/// The tag with the name of the cluster whose controller made a thing.
pub(crate) const CLUSTER_TAG: &str = "elbv2.k8s.aws/cluster";
/// The tag with the Ingress, as `NAMESPACE/NAME`, or the group of Ingresses that a thing was made of.
pub(crate) const STACK_TAG: &str = "ingress.k8s.aws/stack";

/// What a controller made a load balancer of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maker {
    /// Such as `game-2048/ingress-2048`, or the name of a group.
    pub(crate) ingress: String,
    /// Such as `in the cluster main`.
    pub(crate) cluster: String,
}

/// Returns what a controller made the load balancer with this name of; `None` if none did.
pub(crate) async fn maker_of(client: &Client, name: &str) -> Result<Option<Maker>, ProviderError> {
    let balancer = describe::load_balancer_named(client, name).await?;
    let Some(arn) = balancer.as_ref().and_then(|balancer| balancer.load_balancer_arn()) else {
        return Ok(None);
    };
    let tags = tags::of(client, vec![RemoteId::new(arn)]).await?;
    Ok(tags.into_values().next().and_then(|tags| {
        let ingress = tags.0.get(STACK_TAG)?.clone();
        let cluster = tags.0.get(CLUSTER_TAG)?;
        Some(Maker { ingress, cluster: format!("in the cluster {cluster}") })
    }))
}
