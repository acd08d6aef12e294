//! Load balancers: those that somebody has made, and those that a controller makes.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{Listener, LoadBalancer, TargetGroup};
use straddle_engine::address::RemoteId;
use straddle_engine::discovery::{Note, Stuck};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::Tags;

use super::{Place, Tour};
use crate::client::Client;
use crate::elb::describe::{all_load_balancers, all_target_groups};
use crate::elb::maker::{CLUSTER_TAG, STACK_TAG};
use crate::elb::tags;
use crate::error::failed;

/// As [`STACK_TAG`], of what the controller makes of a Service.
const SERVICE_TAG: &str = "service.k8s.aws/stack";

/// The load balancers and target groups of an account in a network.
#[derive(Default)]
struct Fronts {
    balancers: Vec<LoadBalancer>,
    groups: Vec<TargetGroup>,
    listeners: BTreeMap<String, Vec<Listener>>,
    tags: BTreeMap<RemoteId, Tags>,
}

impl<'a> Tour<'a> {
    /// Adds what was made by hand in a network, of every account there; says of the others who makes them.
    pub(super) async fn balancers(&mut self, owner: Place<'a>, vpc: &str) -> Result<(), Stuck> {
        for at in std::iter::once(owner).chain(self.guests(owner)) {
            let found = read(at.client, vpc).await;
            let found = self.if_allowed(at, "load balancers", found)?;
            self.add_balancers(at, &found);
        }
        Ok(())
    }

    fn add_balancers(&mut self, at: Place<'a>, found: &Fronts) {
        let maker = |arn: &str| found.tags.get(&RemoteId::new(arn)).and_then(maker);
        for arn in found.groups.iter().filter_map(TargetGroup::target_group_arn) {
            if maker(arn).is_none() {
                self.add(at, "target_group", arn);
            }
        }
        for balancer in &found.balancers {
            let (Some(arn), name) = (balancer.load_balancer_arn(), balancer.load_balancer_name()) else {
                continue;
            };
            if let Some(maker) = maker(arn) {
                let name = name.unwrap_or(arn);
                let text = format!(
                    "The load balancer {name} of the account `{}` is left out with its listeners and target groups: {maker}, \
                     and takes it away with that.",
                    at.name
                );
                self.leave_out(text.clone());
                self.walk.notes.push(Note { file: self.file, text });
                continue;
            }
            self.add(at, "load_balancer", arn);
            let listeners = found.listeners.get(arn).into_iter().flatten();
            for listener in listeners {
                let name = listener
                    .port()
                    .map(|port| format!("{}_{port}", balancer.load_balancer_name().unwrap_or("listener")));
                if let Some(arn) = listener.listener_arn() {
                    self.add_thing(at, "listener", arn, name, None);
                }
            }
        }
    }
}

/// Says who makes a thing, if a controller does.
fn maker(tags: &Tags) -> Option<String> {
    let cluster = tags.0.get(CLUSTER_TAG)?;
    let of = |tag: &str, kind: &str| Some(format!("{kind} {}", tags.0.get(tag)?));
    let object = of(STACK_TAG, "the Ingress").or_else(|| of(SERVICE_TAG, "the Service"));
    let object = object.unwrap_or_else(|| "something".to_owned());
    Some(format!("the controller in the cluster {cluster} makes it of {object}"))
}

async fn read(client: &Client, vpc: &str) -> Result<Fronts, ProviderError> {
    let balancers = all_load_balancers(client).await?;
    let balancers: Vec<_> = balancers.into_iter().filter(|it| it.vpc_id() == Some(vpc)).collect();
    let groups = all_target_groups(client).await?;
    let groups: Vec<_> = groups.into_iter().filter(|it| it.vpc_id() == Some(vpc)).collect();
    let mut listeners = BTreeMap::new();
    for arn in balancers.iter().filter_map(LoadBalancer::load_balancer_arn) {
        let pages = client.elb.reads.describe_listeners().load_balancer_arn(arn).into_paginator();
        let found = pages.items().send().collect::<Result<Vec<_>, _>>().await;
        listeners.insert(arn.to_owned(), found.map_err(failed("DescribeListeners"))?);
    }
    let arns = balancers.iter().filter_map(LoadBalancer::load_balancer_arn);
    let arns: Vec<_> =
        arns.chain(groups.iter().filter_map(TargetGroup::target_group_arn)).map(RemoteId::new).collect();
    let tags = if arns.is_empty() { BTreeMap::new() } else { tags::of(client, arns).await? };
    Ok(Fronts { balancers, groups, listeners, tags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_controller_makes_says_so() {
        let tags = |tags: &[(&str, &str)]| {
            Tags(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
        };
        let made = tags(&[(CLUSTER_TAG, "main"), (STACK_TAG, "shop/front")]);
        let said = maker(&made).expect("it says so");
        assert_eq!(said, "the controller in the cluster main makes it of the Ingress shop/front");
        assert_eq!(maker(&tags(&[("Name", "front")])), None);
    }
}
