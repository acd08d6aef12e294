//! How targets are: worked out from the network as it is, and from the time that checks take.

use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Balancing;
use super::load_balancer::LoadBalancer;
use super::target::{self, Target};
use super::target_group::{TargetGroup, TargetType};
use crate::call::{Answer, Call, Operation};
use crate::ec2::{Hosts, Network};
use crate::validation::required;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("DescribeTargetHealth", &["TargetGroupArn", "Targets", "Include"], describe_health)];

/// How a target is, and why, in the words of the API reference (`TargetHealth`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Healthy,
    NotRegistered,
    /// Nothing sends anything to the group.
    NotInUse,
    /// Its zone is not among those of the load balancer.
    OtherZone,
    RegistrationInProgress,
    InitialChecks,
    /// Nobody answers.
    Timeout,
    Draining,
    NotChecked,
}

impl Health {
    fn shown(self) -> Value {
        let (state, reason, description) = match self {
            Self::Healthy => return json!({ "State": "healthy" }),
            Self::NotRegistered => {
                ("unused", "Target.NotRegistered", "Target is not registered to the target group")
            }
            Self::NotInUse => (
                "unused",
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer",
            ),
            Self::OtherZone => (
                "unused",
                "Target.NotInUse",
                "Target is in an Availability Zone that is not enabled for the load balancer",
            ),
            Self::RegistrationInProgress => {
                ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
            }
            Self::InitialChecks => {
                ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
            }
            Self::Timeout => ("unhealthy", "Target.Timeout", "Request timed out"),
            Self::Draining => {
                ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
            }
            Self::NotChecked => ("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled"),
        };
        json!({ "State": state, "Reason": reason, "Description": description })
    }
}

fn describe_health(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "TargetGroupArn")?;
    let now = world.now();
    let (balancing, network) = world.balancing(&call.region);
    let group = balancing.target_group(call, arn)?;
    let hosts = network.hosts(group.vpc_id.as_deref().unwrap_or_default());
    let present = |key: &str| group.targets.get(key).filter(|target| target.is_there(now));
    let named = target::named(&call.parameters, group, now)?;
    let targets: Vec<(Target, bool)> = if named.is_empty() {
        let there = group.targets.values().filter(|target| target.is_there(now));
        there.map(|target| (target.clone(), true)).collect()
    } else {
        let found = named.into_iter().map(|named| match present(&target::key(&named)) {
            Some(present) => (present.clone(), true),
            None => (named, false),
        });
        found.collect()
    };
    let asked = Asked { balancing, hosts: &hosts, group, now };
    let include = call.parameters.texts("Include");
    let anomalies = include.iter().any(|what| ["All", "AnomalyDetection"].contains(what));
    // Nothing answers with errors here.
    let anomalies = anomalies.then(|| json!({ "Result": "normal", "MitigationInEffect": "no" }));
    let described = targets.iter().map(|(target, is_registered)| {
        let health = if *is_registered { asked.health(target) } else { Health::NotRegistered };
        let port = target.port.map(|port| group.health_check.port_of(port).to_string());
        json!({
            "Target": target.shown(),
            "HealthCheckPort": port.filter(|_| *is_registered),
            "TargetHealth": health.shown(),
            "AnomalyDetection": anomalies,
        })
    });
    Ok(json!({ "TargetHealthDescriptions": described.collect::<Vec<_>>() }))
}

impl Balancing {
    /// Returns the targets of a group that are healthy.
    pub(super) fn healthy<'a>(
        &'a self,
        network: &Network,
        group: &'a TargetGroup,
        now: Timestamp,
    ) -> Vec<&'a Target> {
        let hosts = network.hosts(group.vpc_id.as_deref().unwrap_or_default());
        let asked = Asked { balancing: self, hosts: &hosts, group, now };
        let there = group.targets.values().filter(|target| target.is_there(now));
        there.filter(|target| asked.health(target) == Health::Healthy).collect()
    }
}

/// What the health of a target is worked out from.
struct Asked<'a> {
    balancing: &'a Balancing,
    hosts: &'a Hosts<'a>,
    group: &'a TargetGroup,
    now: Timestamp,
}

impl Asked<'_> {
    fn health(&self, target: &Target) -> Health {
        if target.drains_until.is_some() {
            return Health::Draining;
        }
        // A group has one load balancer (`TargetGroupAssociationLimit`).
        let arn = self.balancing.balancers_of(&self.group.arn).into_iter().next();
        let Some(balancer) = arn.and_then(|arn| self.balancing.balancers.get(arn)) else {
            return Health::NotInUse;
        };
        if target.zone_id.as_ref().is_some_and(|zone| !balancer.is_in_zone(zone)) {
            return Health::OtherZone;
        }
        if !balancer.is_active(self.now) {
            return Health::RegistrationInProgress;
        }
        if !self.group.health_check.is_enabled {
            return Health::NotChecked;
        }
        self.checked(target, balancer)
    }

    /// Returns what checks have found: the first one that succeeds is enough for a new target, and several
    /// have to fail. How long it takes until checks notice that the network has changed is not told.
    fn checked(&self, target: &Target, balancer: &LoadBalancer) -> Health {
        let check = &self.group.health_check;
        let answers = self.answers(target, balancer);
        let checks = if answers { 1 } else { check.unhealthy_threshold };
        let takes = SignedDuration::from_secs(check.interval * checks);
        let since = self
            .balancing
            .used_since(&self.group.arn)
            .into_iter()
            .chain([target.registered_at, balancer.ready_at()]);
        let since = since.max().unwrap_or(self.now);
        if self.now.duration_since(since) < takes {
            Health::InitialChecks
        } else if answers {
            Health::Healthy
        } else {
            Health::Timeout
        }
    }

    /// Tells whether a target answers: an address does if an interface has it whose groups let every node
    /// of the load balancer through. What is outside of the VPC, nobody here can reach.
    fn answers(&self, target: &Target, balancer: &LoadBalancer) -> bool {
        match self.group.target_type {
            TargetType::Lambda => true,
            TargetType::Alb => {
                let other = self.balancing.balancers.get(&target.id);
                other.is_some_and(|other| other.is_active(self.now))
            }
            TargetType::Instance | TargetType::Ip => {
                let of_instance = || self.hosts.address_of_instance(&target.id);
                let address: Option<Ipv4Addr> = target.id.parse().ok().or_else(of_instance);
                let port = target.port.map(|port| self.group.health_check.port_of(port));
                let interfaces = balancer.interfaces();
                address.zip(port).is_some_and(|(to, port)| self.hosts.reach(&interfaces, to, port))
            }
        }
    }
}
