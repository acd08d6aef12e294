//! Roles and what is attached to them: one listing for all kinds that are about roles.
//!
//! IAM has no call that reads many roles with their boundaries and tags (API reference, `ListRoles`),
//! so each thing that is asked about is read by itself.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{self, InstanceProfile};
use futures::try_join;
use straddle_engine::address::RemoteId;
use straddle_engine::policy::Policy;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::Listing;

use super::document;
use crate::client::{Client, OwnIds};
use crate::each::each;
use crate::error::{answered, failed};

/// What an id of one of these kinds stands for. Names of roles and policies have neither `/` nor `:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A role, or its trust: the role's name.
    Role(&'a str),
    /// A managed policy on a role: `ROLE/ARN`.
    Attachment { role: &'a str, policy_arn: &'a str },
    /// A policy of the role's own: `ROLE:NAME`.
    Inline { role: &'a str, name: &'a str },
}

impl<'a> Part<'a> {
    /// Reads an id.
    pub(crate) fn of(id: &'a RemoteId) -> Self {
        let id = id.as_str();
        match (id.split_once('/'), id.split_once(':')) {
            (Some((role, policy_arn)), _) => Self::Attachment { role, policy_arn },
            (None, Some((role, name))) => Self::Inline { role, name },
            (None, None) => Self::Role(id),
        }
    }

    /// Writes the id.
    pub(crate) fn id(self) -> RemoteId {
        match self {
            Self::Role(name) => RemoteId::new(name),
            Self::Attachment { role, policy_arn } => RemoteId::new(format!("{role}/{policy_arn}")),
            Self::Inline { role, name } => RemoteId::new(format!("{role}:{name}")),
        }
    }

    fn role(self) -> &'a str {
        match self {
            Self::Role(role) | Self::Attachment { role, .. } | Self::Inline { role, .. } => role,
        }
    }
}

/// Roles, and policies on roles.
#[derive(Default)]
pub(crate) struct Roles {
    pub(crate) whole: BTreeMap<RemoteId, WholeRole>,
    /// The ARNs of the managed policies of each role.
    pub(crate) attached: BTreeMap<RemoteId, BTreeSet<String>>,
    /// The policies of roles' own that were asked about.
    pub(crate) inline: BTreeMap<RemoteId, Policy>,
    pub(crate) own: OwnIds,
}

/// A role with what has to go before it can.
pub(crate) struct WholeRole {
    pub(crate) role: types::Role,
    pub(crate) inline_names: BTreeSet<String>,
    pub(crate) profiles: BTreeSet<String>,
}

impl Roles {
    /// Returns what nobody's spec has of the policies on a role: ARNs of managed ones, and names of
    /// its own. What the engine has ever asked about is the stack's.
    pub(crate) fn foreign(&self, name: &str) -> BTreeSet<String> {
        let id = RemoteId::new(name);
        let attached = self.attached.get(&id).into_iter().flatten();
        let inline = self.whole.get(&id).into_iter().flat_map(|role| &role.inline_names);
        let is_foreign = |part: Part<'_>| !self.own.has(part.id().as_str());
        let attached = attached.filter(|policy_arn| is_foreign(Part::Attachment { role: name, policy_arn }));
        let inline = inline.filter(|policy| is_foreign(Part::Inline { role: name, name: policy }));
        attached.chain(inline).cloned().collect()
    }
}

impl Listing for Roles {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let (mut roles, mut holders, mut inline) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for id in ids {
            let holder = RemoteId::new(Part::of(id).role());
            match Part::of(id) {
                Part::Role(_) => {
                    roles.insert(holder.clone());
                    holders.insert(holder);
                }
                Part::Attachment { .. } => {
                    holders.insert(holder);
                }
                Part::Inline { .. } => {
                    inline.insert(id.clone());
                }
            }
        }
        let policies = ids.iter().filter(|id| !matches!(Part::of(id), Part::Role(_)));
        client.own_policies.add(policies.map(RemoteId::as_str));
        let list = |ids: BTreeSet<RemoteId>| ids.into_iter().collect::<Vec<_>>();
        let (roles, holders, inline) = (list(roles), list(holders), list(inline));
        let (roles, attached, inline) = try_join!(
            each(&roles, |id| read_role(client, id)),
            each(&holders, |id| read_attached(client, id)),
            each(&inline, |id| read_inline(client, id)),
        )?;
        Ok(Self { whole: roles, attached, inline, own: client.own_policies.clone() })
    }
}

async fn read_role(client: &Client, id: RemoteId) -> Result<WholeRole, ProviderError> {
    let (reads, name) = (&client.iam.reads, id.as_str());
    let role = get_role(client, name).await?;
    let pages = reads.list_role_policies().role_name(name).into_paginator().items().send();
    let inline_names = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListRolePolicies"))?;
    let inline_names = inline_names.into_iter().collect();
    let pages = reads.list_instance_profiles_for_role().role_name(name).into_paginator().items().send();
    let profiles = pages.collect::<Result<Vec<InstanceProfile>, _>>().await;
    let profiles = profiles.map_err(failed("ListInstanceProfilesForRole"))?;
    let profiles = profiles.into_iter().map(|profile| profile.instance_profile_name).collect();
    Ok(WholeRole { role, inline_names, profiles })
}

/// Reads a role.
pub(crate) async fn get_role(client: &Client, name: &str) -> Result<types::Role, ProviderError> {
    let answer = client.iam.reads.get_role().role_name(name).send().await.map_err(failed("GetRole"))?;
    answered("GetRole", answer.role)
}

async fn read_attached(client: &Client, id: RemoteId) -> Result<BTreeSet<String>, ProviderError> {
    let call = client.iam.reads.list_attached_role_policies().role_name(id.as_str());
    let pages = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let policies = pages.map_err(failed("ListAttachedRolePolicies"))?;
    Ok(policies.into_iter().filter_map(|policy| policy.policy_arn).collect())
}

async fn read_inline(client: &Client, id: RemoteId) -> Result<Policy, ProviderError> {
    let Part::Inline { role, name } = Part::of(&id) else {
        return Err(ProviderError::new(ErrorClass::NotFound, "GetRolePolicy", "the id has no policy in it"));
    };
    let call = client.iam.reads.get_role_policy().role_name(role).policy_name(name);
    let answer = call.send().await.map_err(failed("GetRolePolicy"))?;
    Ok(document::from_answer(&answer.policy_document))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_what_it_is_of() {
        let policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";
        for part in [
            Part::Role("cluster"),
            Part::Attachment { role: "cluster", policy_arn },
            Part::Inline { role: "cluster", name: "read" },
        ] {
            assert_eq!(Part::of(&part.id()), part);
            assert_eq!(part.role(), "cluster");
        }
    }
}
