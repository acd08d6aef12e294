//! `iam_instance_profile`: how an instance gets a role.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::types;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Listing, Observed, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};

use super::tags::{TagStep, Tagged};
use super::{ROLE, SERVICE, names, tags, unless_missing};
use crate::client::Client;
use crate::each::each;
use crate::error::{answered, failed};

/// The kind. Its ids are the profiles' names.
pub(crate) struct InstanceProfile;

/// How an instance gets a role: instances have profiles, and a profile has one role. The nodes of an
/// `eks_node_group` need none, since EKS makes one of their role.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct InstanceProfileInputs {
    /// The name: up to 128 letters, digits and `_+=,.@-`. An account has each name once, whatever the
    /// path.
    #[attribute(replace, normalize = names::normalize)]
    name: String,
    /// The path, which becomes part of the ARN.
    #[attribute(replace, default = "/", normalize = names::normalize_path)]
    path: Option<String>,
    /// The role's name; `""` is none. Another role takes the place of the first, and instances have
    /// neither in between.
    #[attribute(default = "", refers_to = "iam_role", holds)]
    role: Option<String>,
    /// The tags.
    tags: Option<Tags>,
}

/// What IAM says about an instance profile.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct InstanceProfileOutputs {
    /// The ARN.
    arn: String,
    /// The id that no other profile ever gets.
    unique_id: String,
}

/// A change of an instance profile.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InstanceProfileStep {
    AddRole(String),
    RemoveRole(String),
    Tag(TagStep),
    Delete,
}

impl Step for InstanceProfileStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::AddRole(_) => "AddRoleToInstanceProfile",
            Self::RemoveRole(_) => "RemoveRoleFromInstanceProfile",
            Self::Tag(step) => Tagged::InstanceProfile.operation(step),
            Self::Delete => "DeleteInstanceProfile",
        }
    }
}

/// Instance profiles by name.
#[derive(Default)]
pub(crate) struct Profiles(BTreeMap<RemoteId, types::InstanceProfile>);

impl Listing for Profiles {
    type Client = Client;

    /// Reads each profile by itself: the list has no tags (API reference, `ListInstanceProfiles`).
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        Ok(Self(each(ids, async |id| read(client, id.as_str()).await).await?))
    }
}

async fn read(client: &Client, name: &str) -> Result<types::InstanceProfile, ProviderError> {
    let call = client.iam.reads.get_instance_profile().instance_profile_name(name);
    let answer = call.send().await.map_err(failed("GetInstanceProfile"))?;
    answered("GetInstanceProfile", answer.instance_profile)
}

impl Resource for InstanceProfile {
    const KIND: &'static str = "iam_instance_profile";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        title: "instance profile",
        form: Form::Note,
        theme: Theme::Identity,
        within: &["role"],
        ..Depiction::THING
    };
    const ID_FORM: &'static str = "NAME";
    const EXAMPLE: &'static str = include_str!("instance_profile/example.toml");
    const ARN: &'static str = "arn:{partition}:iam::{account}:instance-profile{path|/}{name}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["iam:GetInstanceProfile"]).on(&["{arn}"]),
        Need::create(&["iam:CreateInstanceProfile", "iam:TagInstanceProfile"]).on(&["{arn}"]),
        Need::update(&["iam:AddRoleToInstanceProfile"]).on(&["{arn}"]).setting(&["role"]),
        Need::update(&["iam:PassRole"]).on(&[ROLE]).setting(&["role"]),
        Need::update(&["iam:RemoveRoleFromInstanceProfile"]).on(&["{arn}"]).changing(&["role"]),
        Need::update(&["iam:TagInstanceProfile", "iam:UntagInstanceProfile"])
            .on(&["{arn}"])
            .changing(&["tags"]),
        Need::delete(&["iam:DeleteInstanceProfile", "iam:RemoveRoleFromInstanceProfile"]).on(&["{arn}"]),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["name"];
    const IDENTITY: &'static [&'static str] = &["name"];

    type Inputs = InstanceProfileInputs;
    type Outputs = InstanceProfileOutputs;
    type Client = Client;
    type Listing = Profiles;
    type Step = InstanceProfileStep;

    fn observe(
        listing: &Profiles,
        id: &RemoteId,
    ) -> Option<Observed<InstanceProfileInputs, InstanceProfileOutputs>> {
        let profile = listing.0.get(id)?;
        let role = profile.roles().first().map(types::Role::role_name);
        Some(Observed {
            inputs: InstanceProfileInputs {
                name: profile.instance_profile_name().to_owned(),
                path: Some(profile.path().to_owned()),
                role: Some(role.unwrap_or_default().to_owned()),
                tags: Some(tags::observed(profile.tags())),
            },
            outputs: InstanceProfileOutputs {
                arn: profile.arn().to_owned(),
                unique_id: profile.instance_profile_id().to_owned(),
            },
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &InstanceProfileInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client.iam.writes.create_instance_profile().instance_profile_name(&inputs.name);
        let call =
            call.set_path(inputs.path.clone()).set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        call.send().await.map_err(failed("CreateInstanceProfile"))?;
        Ok(RemoteId::new(inputs.name.as_str()))
    }

    fn next_step(
        observed: &Observed<InstanceProfileInputs, InstanceProfileOutputs>,
        desired: Option<&InstanceProfileInputs>,
    ) -> Option<InstanceProfileStep> {
        let found = &observed.inputs;
        let there = found.role.as_deref().filter(|role| !role.is_empty());
        let remove = || there.map(|role| InstanceProfileStep::RemoveRole(role.to_owned()));
        let Some(desired) = desired else { return Some(remove().unwrap_or(InstanceProfileStep::Delete)) };
        let wanted = match desired.role.as_deref() {
            Some("") => None,
            Some(role) => Some(role),
            None => there,
        };
        let add = || wanted.map(|role| InstanceProfileStep::AddRole(role.to_owned()));
        let role = (there != wanted).then(|| remove().or_else(add)).flatten();
        role.or_else(|| {
            tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(InstanceProfileStep::Tag)
        })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &InstanceProfileStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, profile, operation) = (&client.iam.writes, id.as_str(), step.operation());
        match step {
            InstanceProfileStep::AddRole(role) => {
                let call = writes.add_role_to_instance_profile().instance_profile_name(profile);
                call.role_name(role).send().await.map_err(failed(operation))?;
            }
            InstanceProfileStep::RemoveRole(role) => {
                let call = writes.remove_role_from_instance_profile().instance_profile_name(profile);
                call.role_name(role).send().await.map_err(failed(operation))?;
            }
            InstanceProfileStep::Tag(step) => Tagged::InstanceProfile.perform(client, id, step).await?,
            InstanceProfileStep::Delete => {
                let call = writes.delete_instance_profile().instance_profile_name(profile);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &InstanceProfileInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let profile = unless_missing(read(client, &inputs.name).await)?;
        let ours = profile.filter(|profile| tags::are_ours(profile.tags(), intent, inputs.tags.as_ref()));
        Ok(ours.map(|_| RemoteId::new(inputs.name.as_str())).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::primitives::DateTime;

    use super::*;
    use crate::iam::testing::{tag, tags};

    fn observe(role: Option<&str>) -> Observed<InstanceProfileInputs, InstanceProfileOutputs> {
        let role = role.map(|name| {
            let role = types::Role::builder().role_name(name).path("/").role_id("AROA1").arn("arn:r");
            role.create_date(DateTime::from_secs(0)).build().expect("it has every part")
        });
        let profile = types::InstanceProfile::builder()
            .instance_profile_name("nodes")
            .path("/")
            .instance_profile_id("AIPA1")
            .arn("arn:aws:iam::111122223333:instance-profile/nodes")
            .create_date(DateTime::from_secs(0))
            .set_roles(Some(role.into_iter().collect()))
            .tags(tag("team", "a"))
            .build()
            .expect("it has every part");
        let listing = Profiles([(RemoteId::new("nodes"), profile)].into());
        InstanceProfile::observe(&listing, &RemoteId::new("nodes")).expect("it is listed")
    }

    fn desired(role: Option<&str>) -> InstanceProfileInputs {
        let observed = observe(None).inputs;
        InstanceProfileInputs { role: role.map(str::to_owned), ..observed }
    }

    #[test]
    fn a_profile_has_one_role() {
        let step = |found, wanted| InstanceProfile::next_step(&observe(found), Some(&desired(wanted)));
        let add = |role: &str| Some(InstanceProfileStep::AddRole(role.to_owned()));
        let remove = |role: &str| Some(InstanceProfileStep::RemoveRole(role.to_owned()));
        assert_eq!(step(None, Some("a")), add("a"));
        assert_eq!(step(Some("a"), Some("a")), None);
        assert_eq!(step(Some("a"), Some("b")), remove("a"));
        assert_eq!(step(Some("a"), Some("")), remove("a"));
        assert_eq!(step(Some("a"), None), None);
        assert_eq!(step(None, Some("")), None);
    }

    #[test]
    fn the_role_goes_before_its_profile() {
        let step = |found| InstanceProfile::next_step(&observe(found), None);
        assert_eq!(step(Some("a")), Some(InstanceProfileStep::RemoveRole("a".to_owned())));
        assert_eq!(step(None), Some(InstanceProfileStep::Delete));
    }

    #[test]
    fn tags_change_in_place() {
        let wanted = InstanceProfileInputs { tags: Some(tags([("team", "b")])), ..desired(None) };
        let step = InstanceProfile::next_step(&observe(None), Some(&wanted));
        assert_eq!(step, Some(InstanceProfileStep::Tag(TagStep::Set(tags([("team", "b")]).0))));
    }
}
