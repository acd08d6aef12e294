//! What an account has of the load balancers of controllers: found by the tags that controllers leave.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, NetworkInterface, SecurityGroup};
use aws_sdk_elasticloadbalancingv2::types::{
    Listener, LoadBalancer, LoadBalancerAttribute, LoadBalancerTypeEnum, TargetGroup, TargetHealthDescription,
};
use futures::future::{try_join, try_join_all};
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Listing, Observed, Readiness};
use straddle_engine::schema::Tags;

use super::super::health::{self, state, unhealthy};
use super::super::load_balancer::readiness_of;
use super::super::maker::{CLUSTER_TAG, STACK_TAG};
use super::super::{describe, tags};
use super::IngressLoadBalancerOutputs;
use super::inputs::{self, IngressLoadBalancerInputs};
use super::name::Origin;
use crate::client::Client;
use crate::error::failed;

/// The tag with what a thing is among those of its Ingress: of a target group
/// `NAMESPACE/INGRESS-SERVICE:PORT`.
const RESOURCE_TAG: &str = "ingress.k8s.aws/resource";
/// How the names of all target groups of controllers begin.
const TARGET_GROUP_PREFIX: &str = "k8s-";
/// How many values a filter of EC2 takes ("Filters" in its API reference).
const FILTER_VALUES: usize = 200;

/// What there is, by id.
pub(crate) struct Remains {
    found: BTreeMap<RemoteId, Found>,
}

/// What there is of one Ingress.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) balancer: Option<LoadBalancer>,
    pub(super) is_protected: bool,
    pub(super) ports: BTreeSet<i64>,
    pub(super) groups: Vec<Group>,
    /// Whether other Ingresses of its group use the load balancer too.
    pub(super) is_shared: bool,
    pub(super) security_groups: BTreeSet<String>,
    pub(super) interfaces: BTreeSet<String>,
}

/// A target group, with how its targets are.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) group: TargetGroup,
    pub(super) health: Vec<TargetHealthDescription>,
}

impl Listing for Remains {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let origins: Vec<Origin> = ids.iter().filter_map(Origin::of).collect();
        let (balancers, groups) = try_join(tagged_balancers(client), tagged_groups(client)).await?;
        let (security_groups, interfaces) =
            try_join(security_groups(client, &origins), interfaces(client, &origins)).await?;
        let parts = Parts { balancers: &balancers, groups: &groups, security_groups: &security_groups };
        let found = origins.iter().map(|origin| parts.of(client, origin, &interfaces));
        let found = try_join_all(found).await?;
        let found = origins.iter().map(Origin::id).zip(found);
        Ok(Self { found: found.filter(|(_, found)| found.is_there()).collect() })
    }
}

/// Everything of controllers in an account.
struct Parts<'a> {
    balancers: &'a [(LoadBalancer, Tags)],
    groups: &'a [(TargetGroup, Tags)],
    security_groups: &'a [SecurityGroup],
}

impl Parts<'_> {
    async fn of(
        &self,
        client: &Client,
        origin: &Origin,
        interfaces: &[NetworkInterface],
    ) -> Result<Found, ProviderError> {
        let is_own = |tags: &Tags| belongs(tags, origin);
        let balancer =
            self.balancers.iter().find(|(_, tags)| is_own(tags)).map(|(balancer, _)| balancer.clone());
        let of_stack: Vec<_> = self.groups.iter().filter(|(_, tags)| is_own(tags)).collect();
        let (own, others): (Vec<_>, Vec<_>) =
            of_stack.into_iter().partition(|(_, tags)| is_of_ingress(tags, origin));
        let groups = try_join_all(own.iter().map(|(group, _)| with_health(client, group))).await?;
        let (ports, is_protected) = match balancer.as_ref().and_then(LoadBalancer::load_balancer_arn) {
            Some(arn) => try_join(ports(client, arn), is_protected(client, arn)).await?,
            None => Default::default(),
        };
        let names = names(origin, balancer.as_ref());
        let of_names = |interface: &&NetworkInterface| {
            let description = interface.description().unwrap_or_default();
            names.iter().any(|name| description.starts_with(&format!("ELB app/{name}/")))
        };
        let is_of = |group: &&SecurityGroup| {
            let tag = |key: &str| {
                group.tags().iter().find(|tag| tag.key() == Some(key)).and_then(|tag| tag.value())
            };
            tag(CLUSTER_TAG) == Some(&origin.cluster) && tag(STACK_TAG) == Some(&origin.stack())
        };
        let id = |group: &SecurityGroup| group.group_id().map(str::to_owned);
        Ok(Found {
            balancer,
            is_protected,
            ports,
            groups,
            is_shared: !others.is_empty(),
            security_groups: self.security_groups.iter().filter(is_of).filter_map(id).collect(),
            interfaces: interfaces
                .iter()
                .filter(of_names)
                .filter_map(|interface| interface.network_interface_id().map(str::to_owned))
                .collect(),
        })
    }
}

impl Found {
    /// Tells whether anything is left. What other Ingresses use too stays for them.
    fn is_there(&self) -> bool {
        if self.is_shared {
            return !self.groups.is_empty();
        }
        self.balancer.is_some()
            || !self.groups.is_empty()
            || !self.security_groups.is_empty()
            || !self.interfaces.is_empty()
    }

    /// Says what is left, for whoever waits for its end.
    fn parts(&self) -> Vec<String> {
        let name =
            self.balancer.as_ref().and_then(LoadBalancer::load_balancer_name).filter(|_| !self.is_shared);
        let balancer = name.map(|name| format!("the load balancer {name}"));
        let groups = self.groups.iter().filter_map(|group| group.group.target_group_name());
        let groups = groups.map(|name| format!("the target group {name}"));
        let security_groups = self.security_groups.iter().map(|id| format!("the security group {id}"));
        let interfaces = self.interfaces.iter().map(|id| format!("the network interface {id}"));
        balancer.into_iter().chain(groups).chain(security_groups).chain(interfaces).collect()
    }

    fn readiness(&self) -> Readiness {
        let Some(balancer) = &self.balancer else {
            return Readiness::Impaired(format!(
                "there is no load balancer, and still {}",
                self.parts().join(", ")
            ));
        };
        match readiness_of(balancer) {
            Readiness::Pending(state) => Readiness::Degraded(state),
            Readiness::Ready if self.ports.is_empty() => {
                Readiness::Degraded("the load balancer has no listener yet".to_owned())
            }
            readiness @ (Readiness::Ready
            | Readiness::Degraded(_)
            | Readiness::Impaired(_)
            | Readiness::Failed(_)) => readiness,
        }
    }

    fn inputs(&self, origin: &Origin) -> IngressLoadBalancerInputs {
        let balancer = self.balancer.as_ref();
        let texts = |texts: Vec<&str>| Some(texts.into_iter().map(str::to_owned).collect::<BTreeSet<_>>());
        IngressLoadBalancerInputs {
            ingress: inputs::ingress(origin),
            check: None,
            healthy_targets: None,
            name: balancer.and_then(LoadBalancer::load_balancer_name).map(str::to_owned),
            scheme: balancer.and_then(LoadBalancer::scheme).map(|scheme| scheme.as_str().to_owned()),
            subnets: balancer.and_then(|balancer| {
                texts(balancer.availability_zones().iter().filter_map(|zone| zone.subnet_id()).collect())
            }),
            security_groups: balancer
                .and_then(|balancer| texts(balancer.security_groups().iter().map(String::as_str).collect())),
            ports: balancer.map(|_| self.ports.clone()),
            target_type: self
                .groups
                .iter()
                .find_map(|group| group.group.target_type())
                .map(|sort| sort.as_str().to_owned()),
        }
    }

    fn outputs(&self) -> IngressLoadBalancerOutputs {
        let text = |part: fn(&LoadBalancer) -> Option<&str>| {
            self.balancer.as_ref().and_then(part).map(str::to_owned)
        };
        let dns_name = text(LoadBalancer::dns_name);
        let targets = || self.groups.iter().flat_map(|group| &group.health);
        let healthy = targets().filter(|target| state(target) == "healthy").count();
        let arn = |group: &Group| group.group.target_group_arn().map(str::to_owned);
        IngressLoadBalancerOutputs {
            arn: text(LoadBalancer::load_balancer_arn),
            url: dns_name.as_ref().and_then(|name| url(name, &self.ports)),
            dns_name,
            zone_id: text(LoadBalancer::canonical_hosted_zone_id),
            vpc_id: text(LoadBalancer::vpc_id),
            deletion_protection: self.is_protected,
            shared: self.is_shared,
            healthy_targets_now: i64::try_from(healthy).unwrap_or(i64::MAX),
            unhealthy_targets: targets().filter_map(unhealthy).collect(),
            target_groups: self.groups.iter().filter_map(arn).collect(),
            made_security_groups: self.security_groups.clone(),
            interfaces: self.interfaces.clone(),
            parts: self.parts(),
        }
    }
}

impl Remains {
    pub(super) fn observe(
        &self,
        id: &RemoteId,
    ) -> Option<Observed<IngressLoadBalancerInputs, IngressLoadBalancerOutputs>> {
        let found = self.found.get(id)?;
        let origin = Origin::of(id)?;
        Some(Observed {
            inputs: found.inputs(&origin),
            outputs: found.outputs(),
            readiness: found.readiness(),
        })
    }

    #[cfg(test)]
    pub(super) fn of_one(origin: &Origin, found: Found) -> Self {
        Self { found: [(origin.id(), found)].into_iter().filter(|(_, found)| found.is_there()).collect() }
    }
}

/// Returns where the load balancer is reached: by HTTPS if it listens on no other port.
fn url(dns_name: &str, ports: &BTreeSet<i64>) -> Option<String> {
    Some(match ports.first()? {
        _ if ports.contains(&80) => format!("http://{dns_name}/"),
        _ if ports.contains(&443) => format!("https://{dns_name}/"),
        port => format!("http://{dns_name}:{port}/"),
    })
}

/// Returns the names that the load balancer has or may have had.
fn names(origin: &Origin, balancer: Option<&LoadBalancer>) -> BTreeSet<String> {
    let predicted = ["internal", "internet-facing"].map(|scheme| origin.balancer(scheme));
    let named = balancer.and_then(LoadBalancer::load_balancer_name).map(str::to_owned);
    predicted.into_iter().chain(named).collect()
}

fn belongs(tags: &Tags, origin: &Origin) -> bool {
    tags.0.get(CLUSTER_TAG) == Some(&origin.cluster) && tags.0.get(STACK_TAG) == Some(&origin.stack())
}

/// Tells whether a thing of a group is this Ingress's.
fn is_of_ingress(tags: &Tags, origin: &Origin) -> bool {
    let is_own = |resource: &String| resource.starts_with(&format!("{}-", origin.path()));
    origin.group.is_none() || tags.0.get(RESOURCE_TAG).is_some_and(is_own)
}

async fn tagged_balancers(client: &Client) -> Result<Vec<(LoadBalancer, Tags)>, ProviderError> {
    let balancers = describe::all_load_balancers(client).await?;
    let of_applications =
        |balancer: &LoadBalancer| balancer.r#type() == Some(&LoadBalancerTypeEnum::Application);
    let balancers = balancers.into_iter().filter(of_applications);
    with_tags(client, balancers.collect(), LoadBalancer::load_balancer_arn).await
}

async fn tagged_groups(client: &Client) -> Result<Vec<(TargetGroup, Tags)>, ProviderError> {
    let groups = describe::all_target_groups(client).await?.into_iter();
    let by_name = |group: &TargetGroup| {
        group.target_group_name().is_some_and(|name| name.starts_with(TARGET_GROUP_PREFIX))
    };
    with_tags(client, groups.filter(by_name).collect(), TargetGroup::target_group_arn).await
}

async fn with_tags<T>(
    client: &Client,
    things: Vec<T>,
    arn: fn(&T) -> Option<&str>,
) -> Result<Vec<(T, Tags)>, ProviderError> {
    let arns = things.iter().filter_map(arn).map(RemoteId::new).collect();
    let mut found = tags::of(client, arns).await?;
    let tagged = |thing: T| {
        let tags = found.remove(&RemoteId::new(arn(&thing)?))?;
        Some((thing, tags))
    };
    Ok(things.into_iter().filter_map(tagged).collect())
}

async fn with_health(client: &Client, group: &TargetGroup) -> Result<Group, ProviderError> {
    let arn = RemoteId::new(group.target_group_arn().unwrap_or_default());
    let health = health::of_groups(client, &[arn]).await?.into_values().next().unwrap_or_default();
    Ok(Group { group: group.clone(), health })
}

async fn ports(client: &Client, arn: &str) -> Result<BTreeSet<i64>, ProviderError> {
    let call = client.elb.reads.describe_listeners().load_balancer_arn(arn);
    let listeners = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let listeners = describe::present(listeners.map_err(failed("DescribeListeners")))?.unwrap_or_default();
    Ok(listeners.iter().filter_map(Listener::port).map(i64::from).collect())
}

async fn is_protected(client: &Client, arn: &str) -> Result<bool, ProviderError> {
    let call = client.elb.reads.describe_load_balancer_attributes().load_balancer_arn(arn);
    let answer = describe::present(call.send().await.map_err(failed("DescribeLoadBalancerAttributes")))?;
    let is_on = |attribute: &LoadBalancerAttribute| {
        attribute.key() == Some(super::DELETION_PROTECTION) && attribute.value() == Some("true")
    };
    Ok(answer.is_some_and(|answer| answer.attributes().iter().any(is_on)))
}

/// Reads the security groups that controllers made for these.
async fn security_groups(client: &Client, origins: &[Origin]) -> Result<Vec<SecurityGroup>, ProviderError> {
    let stacks: BTreeSet<_> = origins.iter().map(Origin::stack).collect();
    let mut found = Vec::new();
    for stacks in stacks.into_iter().collect::<Vec<_>>().chunks(FILTER_VALUES) {
        let filter = Filter::builder().name(format!("tag:{STACK_TAG}")).set_values(Some(stacks.to_vec()));
        let call = client.ec2.reads.describe_security_groups().filters(filter.build());
        let groups = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        found.extend(groups.map_err(failed("DescribeSecurityGroups"))?);
    }
    Ok(found)
}

/// Reads the network interfaces of load balancers with the names that these may have. They outlive
/// their load balancers by minutes.
async fn interfaces(client: &Client, origins: &[Origin]) -> Result<Vec<NetworkInterface>, ProviderError> {
    let names: BTreeSet<_> = origins.iter().flat_map(|origin| names(origin, None)).collect();
    let patterns: Vec<_> = names.iter().map(|name| format!("ELB app/{name}/*")).collect();
    let mut found = Vec::new();
    for patterns in patterns.chunks(FILTER_VALUES) {
        let filter = Filter::builder().name("description").set_values(Some(patterns.to_vec())).build();
        let call = client.ec2.reads.describe_network_interfaces().filters(filter);
        let interfaces = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        found.extend(interfaces.map_err(failed("DescribeNetworkInterfaces"))?);
    }
    Ok(found)
}
