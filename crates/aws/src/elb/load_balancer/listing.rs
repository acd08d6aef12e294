//! What the service says about load balancers, with their attributes and tags.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types::{
    self, AvailabilityZone, IpAddressType, LoadBalancerAddress, LoadBalancerSchemeEnum,
    LoadBalancerStateEnum, LoadBalancerTypeEnum,
};
use futures::future::try_join;
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Listing, Observed, Readiness};
use straddle_engine::schema::{Attributes, Tags};

use super::super::{arn_suffix, attribute_values, describe, tags};
use super::inputs::{LoadBalancerInputs, SubnetMapping, names};
use super::{APPLICATION, LoadBalancerOutputs};
use crate::client::Client;
use crate::each::each;
use crate::error::failed;

/// Load balancers, with their attributes and tags.
pub(crate) struct LoadBalancers {
    balancers: BTreeMap<RemoteId, types::LoadBalancer>,
    attributes: BTreeMap<RemoteId, BTreeMap<String, String>>,
    tags: BTreeMap<RemoteId, Tags>,
}

impl Listing for LoadBalancers {
    type Client = Client;

    /// Attributes have no call for several load balancers.
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let balancers = describe::load_balancers(client, ids).await?;
        let balancers: BTreeMap<_, _> = balancers
            .into_iter()
            .filter_map(|balancer| Some((RemoteId::new(balancer.load_balancer_arn()?), balancer)))
            .collect();
        let arns: Vec<_> = balancers.keys().cloned().collect();
        let attributes = each(&arns, |arn| attributes(client, arn));
        let (attributes, tags) = try_join(attributes, tags::of(client, arns.clone())).await?;
        Ok(Self { balancers, attributes, tags })
    }
}

async fn attributes(client: &Client, arn: RemoteId) -> Result<BTreeMap<String, String>, ProviderError> {
    let call = client.elb.reads.describe_load_balancer_attributes().load_balancer_arn(arn.as_str());
    let answer = call.send().await.map_err(failed("DescribeLoadBalancerAttributes"))?;
    let attribute = |attribute: &types::LoadBalancerAttribute| {
        Some((attribute.key()?.to_owned(), attribute.value().unwrap_or_default().to_owned()))
    };
    Ok(answer.attributes().iter().filter_map(attribute).collect())
}

impl LoadBalancers {
    #[cfg(test)]
    pub(super) fn of_one(
        balancer: types::LoadBalancer,
        attributes: BTreeMap<String, String>,
        tags: Tags,
    ) -> Self {
        let arn = RemoteId::new(balancer.load_balancer_arn().expect("the test gives it one"));
        Self {
            balancers: [(arn.clone(), balancer)].into(),
            attributes: [(arn.clone(), attributes)].into(),
            tags: [(arn, tags)].into(),
        }
    }

    /// Returns what was found; `None` also for one that has gone while it was read.
    pub(super) fn observe(&self, id: &RemoteId) -> Option<Observed<LoadBalancerInputs, LoadBalancerOutputs>> {
        let balancer = self.balancers.get(id)?;
        let text = |part: Option<&str>| part.map(str::to_owned);
        let mut inputs = observed_inputs(balancer, self.tags.get(id)?).to_values();
        let attributes = self.attributes.get(id)?;
        attribute_values::put(&names(), &LoadBalancerInputs::attributes(), attributes, &mut inputs);
        Some(Observed {
            inputs: LoadBalancerInputs::from_values(&inputs)
                .expect("values are put in with the types of their attributes"),
            outputs: LoadBalancerOutputs {
                arn: id.as_str().to_owned(),
                arn_suffix: arn_suffix(id.as_str(), "loadbalancer/"),
                dns_name: balancer.dns_name().unwrap_or_default().to_owned(),
                zone_id: text(balancer.canonical_hosted_zone_id()),
                vpc_id: text(balancer.vpc_id()),
            },
            readiness: readiness(balancer),
        })
    }
}

/// Tells whether a load balancer takes connections. One that is impaired does: it lacks what it needs
/// to grow (API reference, `LoadBalancerState`).
pub(in crate::elb) fn readiness(balancer: &types::LoadBalancer) -> Readiness {
    let state = balancer.state();
    match state.and_then(types::LoadBalancerState::code).map(LoadBalancerStateEnum::as_str) {
        Some("failed") => {
            let reason = state.and_then(types::LoadBalancerState::reason).unwrap_or("no reason is given");
            Readiness::Failed(format!("failed: {reason}"))
        }
        Some("active" | "active_impaired") | None => Readiness::Ready,
        Some(state) => Readiness::Pending(state.to_owned()),
    }
}

fn observed_inputs(balancer: &types::LoadBalancer, tags: &Tags) -> LoadBalancerInputs {
    let zones = balancer.availability_zones();
    let on_private_link = balancer.enforce_security_group_inbound_rules_on_private_link_traffic();
    LoadBalancerInputs {
        name: balancer.load_balancer_name().unwrap_or_default().to_owned(),
        internal: Some(balancer.scheme() == Some(&LoadBalancerSchemeEnum::Internal)),
        load_balancer_type: Some(
            balancer.r#type().map_or(APPLICATION, LoadBalancerTypeEnum::as_str).to_owned(),
        ),
        subnets: Some(zones.iter().filter_map(AvailabilityZone::subnet_id).map(str::to_owned).collect()),
        subnet_mappings: Some(zones.iter().filter_map(mapping).collect::<BTreeSet<_>>()),
        security_groups: Some(balancer.security_groups().iter().cloned().collect()),
        enforce_security_group_inbound_rules_on_private_link_traffic: on_private_link.map(str::to_owned),
        ip_address_type: Some(balancer.ip_address_type().map_or("ipv4", IpAddressType::as_str).to_owned()),
        tags: Some(tags.clone()),
        ..LoadBalancerInputs::default()
    }
}

fn mapping(zone: &AvailabilityZone) -> Option<SubnetMapping> {
    let address = |part: fn(&LoadBalancerAddress) -> Option<&str>| {
        zone.load_balancer_addresses().iter().find_map(part).map(str::to_owned)
    };
    Some(SubnetMapping {
        subnet_id: zone.subnet_id()?.to_owned(),
        allocation_id: address(LoadBalancerAddress::allocation_id),
        private_ipv4_address: address(LoadBalancerAddress::private_ipv4_address),
        ipv6_address: address(LoadBalancerAddress::ipv6_address),
    })
}
