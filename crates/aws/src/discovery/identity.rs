//! Roles with everything that is on them, and who trusts a cluster's issuer of tokens.

use std::collections::BTreeSet;

use aws_sdk_iam::types::Role;
use percent_encoding::percent_decode_str;
use straddle_engine::discovery::Stuck;
use straddle_engine::provider::ProviderError;

use super::cluster::SERVICE_LINKED;
use super::{CLUSTER, CONTROLLER, Place, Tour};
use crate::elb::describe::present;
use crate::error::{answered, failed};
use crate::iam::roles::{Part, get_role};

/// How the names of instance profiles begin that EKS makes for its node groups.
const PROFILES_OF_EKS: &str = "eks-";

impl<'a> Tour<'a> {
    /// Adds a role of any account of the spec, with its policies and profiles. `near` is where it is used.
    pub(super) async fn role_with_arn(&mut self, near: Place<'a>, arn: &str) -> Result<(), Stuck> {
        let owner = arn.split(':').nth(4).unwrap_or_default();
        let name = arn.rsplit('/').next().unwrap_or_default();
        if arn.contains(SERVICE_LINKED) {
            return Ok(());
        }
        let Some(at) = self.account_with_id(near, owner) else {
            self.leave_out(format!(
                "The role {name} is left out: it belongs to the account {owner}, which the spec does not have."
            ));
            return Ok(());
        };
        self.file = if owner == near.account_id() { CLUSTER } else { CONTROLLER };
        let role = present(get_role(at.client, name).await);
        let role = self.if_allowed(at, "roles", role)?;
        match role {
            Some(role) => self.role(at, &role).await.map_err(|source| at.stuck(source)),
            None => Ok(()),
        }
    }

    /// Adds who trusts the issuer of a cluster's tokens: its provider in any account, and the roles that
    /// trust that.
    pub(super) async fn trusted(&mut self, of: Place<'a>, cluster: &str, issuer: &str) -> Result<(), Stuck> {
        let host = issuer.trim_start_matches("https://");
        let mut asked = BTreeSet::new();
        for at in self.places.clone() {
            if !asked.insert(at.account_id().to_owned()) {
                continue;
            }
            let arn = at.client.place.iam_arn(&format!("oidc-provider/{host}"));
            let call = at.client.iam.reads.get_open_id_connect_provider().open_id_connect_provider_arn(&arn);
            let found = present(call.send().await.map_err(failed("GetOpenIDConnectProvider")));
            if self.if_allowed(at, "identity providers", found)?.is_none() {
                continue;
            }
            self.file = if at.account_id() == of.account_id() { CLUSTER } else { CONTROLLER };
            self.add_thing(at, "iam_openid_connect_provider", arn.as_str(), Some(cluster.to_owned()), None);
            let roles = trusting(at, &arn).await;
            for role in self.if_allowed(at, "roles", roles)? {
                self.role(at, &role).await.map_err(|source| at.stuck(source))?;
            }
        }
        Ok(())
    }

    /// Returns the account with an id; the same one under another name and in another region is as good.
    fn account_with_id(&self, near: Place<'a>, id: &str) -> Option<Place<'a>> {
        let mut places = std::iter::once(&near).chain(&self.places);
        places.find(|place| place.account_id() == id).copied()
    }

    async fn role(&mut self, at: Place<'a>, role: &Role) -> Result<(), ProviderError> {
        let (reads, name) = (&at.client.iam.reads, role.role_name());
        if !self.is_new(at, "iam_role", name) {
            return Ok(());
        }
        // A list of roles comes without their tags.
        let role = get_role(at.client, name).await?;
        let pages = reads.list_attached_role_policies().role_name(name).into_paginator().items().send();
        let attached = pages.collect::<Result<Vec<_>, _>>().await;
        let attached: Vec<_> = attached
            .map_err(failed("ListAttachedRolePolicies"))?
            .into_iter()
            .filter_map(|policy| policy.policy_arn)
            .collect();
        let boundary = role.permissions_boundary().and_then(|it| it.permissions_boundary_arn());
        for arn in attached.iter().map(String::as_str).chain(boundary) {
            self.policy(at, name, arn).await?;
        }
        let tags = role.tags().iter().map(|tag| (tag.key(), tag.value()));
        self.add_tagged(at, "iam_role", name, tags);
        for policy_arn in &attached {
            let part = Part::Attachment { role: name, policy_arn };
            self.add(at, "iam_role_policy_attachment", part.id().to_string());
        }
        let pages = reads.list_role_policies().role_name(name).into_paginator().items().send();
        let inline = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListRolePolicies"))?;
        for policy in &inline {
            self.add(at, "iam_role_policy", Part::Inline { role: name, name: policy }.id().to_string());
        }
        let pages = reads.list_instance_profiles_for_role().role_name(name).into_paginator().items().send();
        let profiles = pages.collect::<Result<Vec<_>, _>>().await;
        for profile in profiles.map_err(failed("ListInstanceProfilesForRole"))? {
            if !profile.instance_profile_name.starts_with(PROFILES_OF_EKS) {
                self.add(at, "iam_instance_profile", profile.instance_profile_name);
            }
        }
        Ok(())
    }

    /// Adds a policy of the account's own, as a role has it.
    async fn policy(&mut self, at: Place<'a>, role: &str, arn: &str) -> Result<(), ProviderError> {
        if arn.split(':').nth(4) != Some(at.account_id()) || !self.is_new(at, "iam_policy", arn) {
            return Ok(());
        }
        let answer = at.client.iam.reads.get_policy().policy_arn(arn).send().await;
        let policy = answered("GetPolicy", answer.map_err(failed("GetPolicy"))?.policy)?;
        let others = policy.attachment_count().unwrap_or(1) - 1;
        let remark = (others > 0).then(|| format!("Not {role} alone has this: {others} more use it."));
        self.add_thing(at, "iam_policy", arn, None, remark);
        Ok(())
    }

    fn is_new(&self, at: Place<'a>, kind: &'static str, id: &str) -> bool {
        !self.seen.contains(&(at.account_id().to_owned(), kind, id.to_owned()))
    }
}

/// Returns the roles of an account that trust a provider of identities.
async fn trusting(at: Place<'_>, provider: &str) -> Result<Vec<Role>, ProviderError> {
    let roles = at.client.iam.reads.list_roles().into_paginator().items().send();
    let roles = roles.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListRoles"))?;
    Ok(roles.into_iter().filter(|role| names(role, provider)).collect())
}

/// Tells whether the trust of a role names something; documents come percent-encoded.
fn names(role: &Role, arn: &str) -> bool {
    let document = role.assume_role_policy_document().unwrap_or_default();
    let document = percent_decode_str(document).decode_utf8_lossy();
    document.contains(&format!("\"{arn}\"")) || document.contains(&format!("\"{}\"", arn.replace('/', "\\/")))
}
