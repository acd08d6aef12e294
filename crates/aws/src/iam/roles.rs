//! Roles and what is attached to them: one listing for all kinds that are about roles.
//!
//! IAM has no call that reads some roles with their boundaries and tags (API reference, `ListRoles`), so
//! each thing that is asked about is read by itself. For a plan that expects no change the listing of all
//! roles is read where that takes fewer calls.

mod listed;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{self, InstanceProfile};
use futures::try_join;
use straddle_engine::address::RemoteId;
use straddle_engine::policy::Policy;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::Listing;

use self::listed::Listed;
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
    /// `None` if they were not asked for.
    pub(crate) profiles: Option<BTreeSet<String>>,
    /// Whether it is known what it is for, and how long its sessions may be.
    pub(crate) has_details: bool,
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

const DESCRIPTION: &str = "description";
const SESSION: &str = "max_session_duration";

impl Listing for Roles {
    const SPARED: &'static [&'static str] = &[DESCRIPTION, SESSION, "instance_profile_names"];

    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        Asked::about(client, ids).read(client, WholeRole::with_profiles).await
    }

    async fn survey(
        client: &Client,
        ids: &[RemoteId],
        wanted: &BTreeSet<String>,
    ) -> Result<Self, ProviderError> {
        let asked = Asked::about(client, ids);
        let with_details = wanted.contains(DESCRIPTION) || wanted.contains(SESSION);
        let spared = asked.calls() - if with_details { asked.roles.len() } else { 0 };
        if spared < 2 {
            return asked.read(client, WholeRole::alone).await;
        }
        let listed = listed::list(client, &asked.names(), spared).await?;
        let mut found = asked.of(&listed, client);
        if with_details {
            let ids: Vec<_> = found.whole.keys().cloned().collect();
            let roles = each(&ids, async |id| get_role(client, id.as_str()).await).await?;
            for (id, role) in roles {
                found.whole.entry(id).and_modify(|whole| *whole = whole.detailed(role));
            }
        }
        if !listed.is_whole {
            let rest = asked.without(&listed).read(client, WholeRole::alone).await?;
            found.whole.extend(rest.whole);
            found.attached.extend(rest.attached);
            found.inline.extend(rest.inline);
        }
        Ok(found)
    }
}

/// What is asked about.
struct Asked {
    /// Roles, or their trust.
    roles: BTreeSet<RemoteId>,
    /// Roles whose managed policies are asked about.
    holders: BTreeSet<RemoteId>,
    /// Policies of roles' own.
    inline: BTreeSet<RemoteId>,
}

impl Asked {
    fn about(client: &Client, ids: &[RemoteId]) -> Self {
        let policies = ids.iter().filter(|id| !matches!(Part::of(id), Part::Role(_)));
        client.own_policies.add(policies.map(RemoteId::as_str));
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
        Self { roles, holders, inline }
    }

    /// Returns how many calls it takes to read each of them by itself.
    fn calls(&self) -> usize {
        2 * self.roles.len() + self.holders.len() + self.inline.len()
    }

    /// Returns the names of all roles that it is about.
    fn names(&self) -> BTreeSet<String> {
        let of_inline = self.inline.iter().map(|id| Part::of(id).role().to_owned());
        self.holders.iter().map(|id| id.as_str().to_owned()).chain(of_inline).collect()
    }

    /// Returns what the listing of the account has of them.
    fn of(&self, listed: &Listed, client: &Client) -> Roles {
        let role = |id: &RemoteId| listed.roles.get(Part::of(id).role());
        let whole = |id: &RemoteId| Some((id.clone(), listed::whole(role(id)?)?));
        let attached = |id: &RemoteId| Some((id.clone(), listed::attached(role(id)?)));
        let inline = |id: &RemoteId| {
            let Part::Inline { name, .. } = Part::of(id) else { return None };
            Some((id.clone(), document::from_answer(listed::inline(role(id)?, name)?)))
        };
        Roles {
            whole: self.roles.iter().filter_map(whole).collect(),
            attached: self.holders.iter().filter_map(attached).collect(),
            inline: self.inline.iter().filter_map(inline).collect(),
            own: client.own_policies.clone(),
        }
    }

    /// Leaves out what is about roles that were listed.
    fn without(mut self, listed: &Listed) -> Self {
        for ids in [&mut self.roles, &mut self.holders, &mut self.inline] {
            ids.retain(|id| !listed.roles.contains_key(Part::of(id).role()));
        }
        self
    }

    /// Reads each of them by itself, roles with `read_role`.
    async fn read<'a, F>(
        &self,
        client: &'a Client,
        read_role: impl Fn(&'a Client, RemoteId) -> F,
    ) -> Result<Roles, ProviderError>
    where
        F: Future<Output = Result<WholeRole, ProviderError>>,
    {
        let list = |ids: &BTreeSet<RemoteId>| ids.iter().cloned().collect::<Vec<_>>();
        let (roles, holders, inline) = (list(&self.roles), list(&self.holders), list(&self.inline));
        let (whole, attached, inline) = try_join!(
            each(&roles, |id| read_role(client, id)),
            each(&holders, |id| read_attached(client, id)),
            each(&inline, |id| read_inline(client, id)),
        )?;
        Ok(Roles { whole, attached, inline, own: client.own_policies.clone() })
    }
}

impl WholeRole {
    /// Reads a role without its instance profiles, which matter only to its deletion.
    async fn alone(client: &Client, id: RemoteId) -> Result<Self, ProviderError> {
        let policies = client.iam.reads.list_role_policies().role_name(id.as_str());
        let policies = policies.into_paginator().items().send();
        let names =
            async { policies.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListRolePolicies")) };
        let (role, inline_names) = try_join!(get_role(client, id.as_str()), names)?;
        let inline_names = inline_names.into_iter().collect();
        Ok(Self { role, inline_names, profiles: None, has_details: true })
    }

    async fn with_profiles(client: &Client, id: RemoteId) -> Result<Self, ProviderError> {
        let profiles = client.iam.reads.list_instance_profiles_for_role().role_name(id.as_str());
        let profiles = profiles.into_paginator().items().send();
        let profiles = async {
            let profiles = profiles.collect::<Result<Vec<InstanceProfile>, _>>().await;
            profiles.map_err(failed("ListInstanceProfilesForRole"))
        };
        let (role, profiles) = try_join!(Self::alone(client, id.clone()), profiles)?;
        let profiles = profiles.into_iter().map(|profile| profile.instance_profile_name).collect();
        Ok(Self { profiles: Some(profiles), ..role })
    }

    fn detailed(&self, role: types::Role) -> Self {
        Self {
            role,
            inline_names: self.inline_names.clone(),
            profiles: self.profiles.clone(),
            has_details: true,
        }
    }
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
