//! What a controller works with: its settings, what it remembers, and calls with its credentials.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::credentials::Credentials;
use super::model::Texts;
use super::object::{items, taken, text};
use super::reach::{AwsError, Done, Reach, Trouble};
use super::settings::Settings;
use crate::protocol::Service;

/// What a controller works with.
pub(super) struct Work<'a> {
    pub(super) reach: &'a mut dyn Reach,
    pub(super) settings: &'a Settings,
    pub(super) memory: &'a mut Memory,
}

/// What a controller remembers as long as its process lives.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) credentials: Credentials,
    /// The tags of things of ELB, by ARN, with the time at which they were read.
    tags: BTreeMap<String, (Timestamp, Texts)>,
    /// The zones that were looked at.
    zones: BTreeSet<String>,
    /// The ranges of the VPC.
    pub(super) ranges: Vec<String>,
    /// The group towards the nodes that it has found or made.
    pub(super) back_group: Option<String>,
    /// The targets of target groups, and whether they are known to be healthy for good; by ARN.
    pub(super) targets: BTreeMap<String, KnownTargets>,
    /// The groups of the instances that pods run on.
    pub(super) instances: BTreeMap<String, Vec<String>>,
    /// What bindings want in the groups of pods.
    pub(super) rules: super::binding::Rules,
    /// The events that were told.
    pub(super) told: super::events::Told,
}

/// The targets of a target group as they were found.
#[derive(Debug, Clone)]
pub(super) struct KnownTargets {
    pub(super) read_at: Timestamp,
    /// By address and port; how they are.
    pub(super) targets: BTreeMap<(String, u16), String>,
}

/// For how long read tags are believed. A change by the controller itself is read again.
const TAGS_HOLD: SignedDuration = SignedDuration::from_mins(20);
/// How many ARNs `DescribeTags` takes.
const TAGS_AT_ONCE: usize = 20;

impl Work<'_> {
    /// Makes a call as the controller.
    pub(super) fn call(&mut self, service: Service, operation: &str, parameters: Value) -> Done<Value> {
        let key = Credentials::access_key(self)?;
        let answer = self.reach.aws(key.as_deref(), service, operation, parameters);
        answer.map_err(|error| self.refused(error))
    }

    /// Makes a call of EC2.
    pub(super) fn ec2(&mut self, operation: &str, parameters: Value) -> Done<Value> {
        self.call(Service::Ec2, operation, parameters)
    }

    /// Makes a call of ELB.
    pub(super) fn elb(&mut self, operation: &str, parameters: Value) -> Done<Value> {
        self.call(Service::Elb, operation, parameters)
    }

    /// Returns all of a list of ELB, of however many pages.
    pub(super) fn elb_list(&mut self, operation: &str, parameters: Value, list: &str) -> Done<Vec<Value>> {
        let (mut found, mut parameters) = (Vec::new(), parameters);
        loop {
            let mut answer = self.elb(operation, parameters.clone())?;
            found.extend(taken(&mut answer, list));
            match answer["NextMarker"].as_str() {
                Some(marker) => parameters["Marker"] = json!(marker),
                None => return Ok(found),
            }
        }
    }

    /// Says a refusal in the words of the controller's SDK, of which the second version came with 2.10.
    pub(super) fn refused(&self, error: AwsError) -> Trouble {
        let AwsError { service, operation, status, code, message, request_id } = &error;
        let text = if self.settings.is_since(2, 10) {
            let service = match service.scope() {
                "ec2" => "EC2",
                "sts" => "STS",
                _ => "Elastic Load Balancing v2",
            };
            format!(
                "operation error {service}: {operation}, https response error StatusCode: {status}, RequestID: \
                 {request_id}, api error {code}: {message}"
            )
        } else {
            format!("{code}: {message}\n\tstatus code: {status}, request id: {request_id}")
        };
        Trouble::Aws { error: Box::new(error), text }
    }

    /// Returns the tags of things of ELB, of which those are read that are not remembered.
    pub(super) fn tags_of(&mut self, arns: &[String]) -> Done<BTreeMap<String, Texts>> {
        let now = self.reach.now();
        let holds = |read: &(Timestamp, Texts)| now.duration_since(read.0) < TAGS_HOLD;
        let unknown: Vec<_> =
            arns.iter().filter(|arn| !self.memory.tags.get(*arn).is_some_and(holds)).cloned().collect();
        for arns in unknown.chunks(TAGS_AT_ONCE) {
            let answer = self.elb("DescribeTags", json!({ "ResourceArns": arns }))?;
            for described in items(&answer, "/TagDescriptions") {
                let tags = items(described, "/Tags").iter();
                let tags = tags.map(|tag| (text(tag, "/Key").to_owned(), text(tag, "/Value").to_owned()));
                let arn = text(described, "/ResourceArn").to_owned();
                self.memory.tags.insert(arn, (now, tags.collect()));
            }
        }
        let known = |arn: &String| Some((arn.clone(), self.memory.tags.get(arn)?.1.clone()));
        Ok(arns.iter().filter_map(known).collect())
    }

    /// Lets a thing of ELB have tags, which has others: all that are wanted, and none that is not wanted.
    pub(super) fn set_tags(&mut self, arn: &str, present: &Texts, wanted: &Texts) -> Done<()> {
        let missing: Texts = wanted
            .iter()
            .filter(|(key, value)| present.get(*key) != Some(*value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let surplus: Vec<_> =
            present.keys().filter(|key| !wanted.contains_key(*key) && !key.starts_with("aws:")).collect();
        if !missing.is_empty() {
            self.memory.tags.remove(arn);
            let tags = super::model::tag_list(&missing);
            self.elb("AddTags", json!({ "ResourceArns": [arn], "Tags": tags }))?;
        }
        if !surplus.is_empty() {
            self.memory.tags.remove(arn);
            self.elb("RemoveTags", json!({ "ResourceArns": [arn], "TagKeys": surplus }))?;
        }
        Ok(())
    }

    /// Looks at zones, once each: whether they are ordinary ones.
    pub(super) fn look_at_zones(&mut self, zones: &[String]) -> Done<()> {
        for zone in zones {
            if !self.memory.zones.contains(zone) {
                self.ec2("DescribeAvailabilityZones", json!({ "ZoneId": [zone] }))?;
                self.memory.zones.insert(zone.clone());
            }
        }
        Ok(())
    }
}

/// Returns a filter of EC2.
pub(super) fn filter(name: &str, values: &[&str]) -> Value {
    json!({ "Name": name, "Value": values })
}
