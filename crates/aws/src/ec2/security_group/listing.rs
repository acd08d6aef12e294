//! Security groups and their rules: one read for both kinds.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types;
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{ADDRESS_TAG, Listing, OPERATION_TAG, STACK_TAG};

use crate::client::{Client, OwnIds, Place};
use crate::ec2::filters;
use crate::ec2::listing::PAGE_SIZE;
use crate::error::failed;

/// Security groups and rules, by id.
pub(crate) struct SecurityGroups {
    groups: BTreeMap<String, types::SecurityGroup>,
    rules: BTreeMap<String, types::SecurityGroupRule>,
    /// The ids of the rules of each group.
    rules_of: BTreeMap<String, Vec<String>>,
    own: OwnIds,
    place: Place,
}

impl SecurityGroups {
    /// Sorts what was found.
    pub(crate) fn new(
        place: Place,
        own: OwnIds,
        groups: Vec<types::SecurityGroup>,
        rules: Vec<types::SecurityGroupRule>,
    ) -> Self {
        let mut rules_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let groups = groups.into_iter().filter_map(|group| Some((group.group_id()?.to_owned(), group)));
        let mut rules_by_id = BTreeMap::new();
        for rule in rules {
            let (Some(id), Some(group)) = (rule.security_group_rule_id(), rule.group_id()) else { continue };
            rules_of.entry(group.to_owned()).or_default().push(id.to_owned());
            rules_by_id.insert(id.to_owned(), rule);
        }
        Self { groups: groups.collect(), rules: rules_by_id, rules_of, own, place }
    }

    /// Returns the group with this id.
    pub(crate) fn group(&self, id: &str) -> Option<&types::SecurityGroup> {
        self.groups.get(id)
    }

    /// Returns the rule with this id.
    pub(crate) fn rule(&self, id: &str) -> Option<&types::SecurityGroupRule> {
        self.rules.get(id)
    }

    /// Returns the rules of a group.
    pub(crate) fn rules_of(&self, group_id: &str) -> impl Iterator<Item = &types::SecurityGroupRule> {
        self.rules_of.get(group_id).into_iter().flatten().filter_map(|id| self.rules.get(id))
    }

    /// Returns where the groups are.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Tells whether a rule is nobody's: not this stack's, also if somebody took its tags away, and
    /// without the tags that every stack gives its rules.
    pub(crate) fn is_foreign(&self, rule: &types::SecurityGroupRule) -> bool {
        let of_a_stack = |tag: &types::Tag| {
            tag.key().is_some_and(|key| [STACK_TAG, ADDRESS_TAG, OPERATION_TAG].contains(&key))
        };
        let own = rule.security_group_rule_id().is_some_and(|id| self.own.has(id));
        !own && !rule.tags().iter().any(of_a_stack)
    }
}

impl Listing for SecurityGroups {
    type Client = Client;

    /// Takes one call for groups and one for their rules, the rules last, so that they are never
    /// older. Rules of groups that are not asked for take a third call.
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let (rule_ids, group_ids): (Vec<_>, Vec<_>) = ids.iter().cloned().partition(is_rule);
        client.own_rules.add(rule_ids.iter().map(RemoteId::as_str));
        let (mut groups, mut rules) = (Vec::new(), Vec::new());
        if !group_ids.is_empty() {
            let of_groups = filters::ids("group-id", &group_ids);
            groups = read_groups(client, of_groups.clone()).await?;
            rules = read_rules(client, of_groups).await?;
        }
        let found: BTreeSet<_> =
            rules.iter().filter_map(types::SecurityGroupRule::security_group_rule_id).collect();
        let missing: Vec<_> = rule_ids.into_iter().filter(|id| !found.contains(id.as_str())).collect();
        if !missing.is_empty() {
            rules.extend(read_rules(client, filters::ids("security-group-rule-id", &missing)).await?);
        }
        Ok(Self::new(client.place.clone(), client.own_rules.clone(), groups, rules))
    }
}

fn is_rule(id: &RemoteId) -> bool {
    id.as_str().starts_with("sgr-")
}

async fn read_groups(
    client: &Client,
    filters: Option<Vec<types::Filter>>,
) -> Result<Vec<types::SecurityGroup>, ProviderError> {
    let call = client.ec2.reads.describe_security_groups().set_filters(filters);
    let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeSecurityGroups"))
}

/// Reads rules.
pub(crate) async fn read_rules(
    client: &Client,
    filters: Option<Vec<types::Filter>>,
) -> Result<Vec<types::SecurityGroupRule>, ProviderError> {
    let call = client.ec2.reads.describe_security_group_rules().set_filters(filters);
    let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeSecurityGroupRules"))
}
