//! `iam_role`: an identity that somebody or a service assumes. Its policies are resources of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_iam::types;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation, Theme};
use straddle_engine::permission::Need;
use straddle_engine::policy::Policy;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Home, Intent, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Expansion, ExpansionShape, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::roles::{Part, Roles, WholeRole, get_role};
use super::tags::{TagStep, Tagged};
use super::{SERVICE, document, names, tags, trust, unless_missing};
use crate::client::{Client, Place};
use crate::error::{answered, failed};

/// How long the sessions of a role may be, in seconds (API reference, `CreateRole`).
const SESSIONS: std::ops::RangeInclusive<i64> = 3600..=43_200;

/// The kind. Its ids are the roles' names.
pub(crate) struct Role;

/// An identity that somebody or a service assumes, with policies that say what it may do then. It
/// lives in the account of its block, whoever assumes it.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RoleInputs {
    /// The name: up to 64 letters, digits and `_+=,.@-`. An account has each name once, whatever the
    /// path.
    #[attribute(replace, normalize = names::normalize_role)]
    name: String,
    /// The path, which becomes part of the ARN.
    #[attribute(replace, default = "/", normalize = names::normalize_path)]
    path: Option<String>,
    /// What the role is for: up to 1000 characters.
    #[attribute(default = "", normalize = names::normalize_description)]
    description: Option<String>,
    /// Who may assume the role: `{ service = "eks.amazonaws.com" }`, `{ oidc_provider = "ARN",
    /// service_accounts = ["NAMESPACE/NAME"] }` (for the audience `sts.amazonaws.com` unless
    /// `audiences` says otherwise), `{ account = "ID", external_id = "..." }`, `{ role = "ARN" }` with
    /// the same and with `session_tags = true` for sessions with tags, several of them in one table,
    /// or a whole document as a table or JSON text. It is compared by what it means. Without it nobody
    /// may assume the role until an `iam_role_trust`, or somebody else, says who may.
    trust: Option<Policy>,
    /// The longest that a session may be, in seconds: 3600 to 43200.
    #[attribute(default = 3600)]
    max_session_duration: Option<i64>,
    /// The ARN of the policy that the role can never exceed, whatever else allows more. `""` is none.
    #[attribute(default = "", refers_to = "iam_policy", holds)]
    permissions_boundary: Option<String>,
    /// The policies on the role that this stack does not have: the ARNs of managed ones, and the
    /// names of the role's own. They are shown as drift and taken off the role. `ignore_changes =
    /// ["foreign_policies"]` leaves them alone.
    #[attribute(default = Vec::<Value>::new(), always)]
    foreign_policies: Option<BTreeSet<String>>,
    /// The tags.
    tags: Option<Tags>,
}

/// What IAM says about a role.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RoleOutputs {
    /// The ARN.
    arn: String,
    /// The id that no other role ever gets, also not one with the same name.
    unique_id: String,
    /// The ARNs of all managed policies on it.
    #[attribute(volatile)]
    attached_policy_arns: BTreeSet<String>,
    /// The names of all policies of its own.
    #[attribute(volatile)]
    inline_policy_names: BTreeSet<String>,
    /// The names of the instance profiles that it is in.
    #[attribute(volatile)]
    instance_profile_names: Option<BTreeSet<String>>,
}

/// A change of a role.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RoleStep {
    Trust(Policy),
    Update { description: String, max_session_duration: i64 },
    PutBoundary(String),
    DeleteBoundary,
    RemoveFromProfile(String),
    Detach(String),
    DeleteInline(String),
    Tag(TagStep),
    Delete,
}

impl Step for RoleStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Trust(_) => "UpdateAssumeRolePolicy",
            Self::Update { .. } => "UpdateRole",
            Self::PutBoundary(_) => "PutRolePermissionsBoundary",
            Self::DeleteBoundary => "DeleteRolePermissionsBoundary",
            Self::RemoveFromProfile(_) => "RemoveRoleFromInstanceProfile",
            Self::Detach(_) => "DetachRolePolicy",
            Self::DeleteInline(_) => "DeleteRolePolicy",
            Self::Tag(step) => Tagged::Role.operation(step),
            Self::Delete => "DeleteRole",
        }
    }
}

impl Resource for Role {
    const KIND: &'static str = "iam_role";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        title: "role",
        theme: Theme::Identity,
        arrows: &[Arrow::new(Relation::Trust, End::Named("trust"), End::Itself)
            .of(&["iam_openid_connect_provider", "iam_role"])],
        ..Depiction::THING
    };
    const ID_FORM: &'static str = "NAME";
    const EXAMPLE: &'static str = include_str!("role/example.toml");
    const ARN: &'static str = "arn:{partition}:iam::{account}:role{path|/}{name}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&[
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:ListInstanceProfilesForRole",
            "iam:ListRolePolicies",
        ])
        .on(&["{arn}"]),
        Need::create(&["iam:CreateRole", "iam:TagRole"]).on(&["{arn}"]),
        Need::update(&["iam:UpdateAssumeRolePolicy"]).on(&["{arn}"]).changing(&["trust"]),
        Need::update(&["iam:UpdateRole"]).on(&["{arn}"]).changing(&["description", "max_session_duration"]),
        Need::update(&["iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"])
            .on(&["{arn}"])
            .changing(&["permissions_boundary"]),
        Need::update(&["iam:DetachRolePolicy", "iam:DeleteRolePolicy"])
            .on(&["{arn}"])
            .changing(&["foreign_policies"]),
        Need::update(&["iam:TagRole", "iam:UntagRole"]).on(&["{arn}"]).changing(&["tags"]),
        Need::delete(&["iam:DeleteRole"]).on(&["{arn}"]),
        Need::delete(&["iam:DetachRolePolicy", "iam:DeleteRolePolicy"]).on(&["{arn}"]).to_repair(),
        Need::delete(&["iam:RemoveRoleFromInstanceProfile"]).to_repair(),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["name"];
    const IDENTITY: &'static [&'static str] = &["name"];

    type Inputs = RoleInputs;
    type Outputs = RoleOutputs;
    type Client = Client;
    type Listing = Roles;
    type Step = RoleStep;

    fn expansions() -> Vec<Expansion> {
        vec![
            Expansion {
                attribute: "policies",
                documentation: "The ARNs of the managed policies that say what the role may do.",
                child_kind: "iam_role_policy_attachment",
                role: "policy",
                parent_attribute: "role",
                shape: ExpansionShape::Items { value: "policy_arn" },
            },
            Expansion {
                attribute: "inline_policies",
                documentation: "Policies of the role's own by their names, each as a table or JSON text.",
                child_kind: "iam_role_policy",
                role: "inline_policy",
                parent_attribute: "role",
                shape: ExpansionShape::Policies { key: "name", value: "document" },
            },
        ]
    }

    fn canonical(home: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        trust::canonical("trust", &Place::of(home), inputs)
    }

    fn shorthands(_: Home<'_>, attribute: &str, value: &Value) -> Vec<Value> {
        let short = (attribute == "trust").then(|| trust::shorthand(value));
        short.flatten().into_iter().collect()
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let seconds = match inputs.get("max_session_duration") {
            Some(Value::Integer(seconds)) => Some(*seconds).filter(|seconds| !SESSIONS.contains(seconds)),
            _ => None,
        };
        let too_long = seconds.map(|seconds| Problem {
            attribute: "max_session_duration",
            message: format!("Sessions last 3600 to 43200 seconds, and not {seconds}."),
            hint: Some("Write at most `43200`, which is 12 hours.".to_owned()),
        });
        let foreign = names::check_foreign("foreign_policies", inputs, "`policies` or `inline_policies`");
        too_long.into_iter().chain(foreign).collect()
    }

    fn observe(listing: &Roles, id: &RemoteId) -> Option<Observed<RoleInputs, RoleOutputs>> {
        let whole = listing.whole.get(id)?;
        let role = &whole.role;
        // "Arn" may be the unique id for a moment after the role was made.
        let readiness = if role.arn.starts_with("arn:") {
            Readiness::Ready
        } else {
            Readiness::Pending("its ARN is not known yet".to_owned())
        };
        let foreign = listing.foreign(id.as_str());
        Some(Observed {
            inputs: RoleInputs { foreign_policies: Some(foreign), ..observed_inputs(whole) },
            outputs: RoleOutputs {
                arn: role.arn.clone(),
                unique_id: role.role_id.clone(),
                attached_policy_arns: listing.attached.get(id).cloned().unwrap_or_default(),
                inline_policy_names: whole.inline_names.clone(),
                instance_profile_names: whole.profiles.clone(),
            },
            readiness,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &RoleInputs,
    ) -> Result<RemoteId, ProviderError> {
        let nobody = || Policy::from(trust::nobody());
        let boundary = inputs.permissions_boundary.clone().filter(|boundary| !boundary.is_empty());
        let call = client
            .iam
            .writes
            .create_role()
            .role_name(&inputs.name)
            .set_path(inputs.path.clone())
            .set_description(inputs.description.clone().filter(|text| !text.is_empty()))
            .set_assume_role_policy_document(inputs.trust.clone().unwrap_or_else(nobody).to_text())
            .set_max_session_duration(inputs.max_session_duration.map(seconds))
            .set_permissions_boundary(boundary)
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        let answer = call.send().await.map_err(failed("CreateRole"))?;
        let role = answered("CreateRole", answer.role())?;
        Ok(Part::Role(role.role_name()).id())
    }

    fn next_step(
        observed: &Observed<RoleInputs, RoleOutputs>,
        desired: Option<&RoleInputs>,
    ) -> Option<RoleStep> {
        let Some(desired) = desired else { return Some(towards_deletion(&observed.outputs)) };
        let found = &observed.inputs;
        let trust = desired.trust.clone().filter(|wanted| found.trust.as_ref() != Some(wanted));
        // What is left alone is wanted as it was found.
        let wants_none = desired.foreign_policies.as_ref().is_some_and(BTreeSet::is_empty);
        let mut foreign = found.foreign_policies.iter().flatten().filter(|_| wants_none);
        trust
            .map(RoleStep::Trust)
            .or_else(|| update(found, desired))
            .or_else(|| boundary(found, desired))
            .or_else(|| foreign.next().map(|policy| take_off(policy)))
            .or_else(|| tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(RoleStep::Tag))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &RoleStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, role, operation) = (&client.iam.writes, id.as_str(), step.operation());
        match step {
            RoleStep::Trust(trust) => update_trust(client, role, trust).await?,
            RoleStep::Update { description, max_session_duration } => {
                // What is left out may be taken for nothing.
                let call = writes.update_role().role_name(role).description(description);
                let call = call.max_session_duration(seconds(*max_session_duration));
                call.send().await.map_err(failed(operation))?;
            }
            RoleStep::PutBoundary(policy_arn) => {
                let call = writes.put_role_permissions_boundary().role_name(role);
                call.permissions_boundary(policy_arn).send().await.map_err(failed(operation))?;
            }
            RoleStep::DeleteBoundary => {
                let call = writes.delete_role_permissions_boundary().role_name(role);
                call.send().await.map_err(failed(operation))?;
            }
            RoleStep::RemoveFromProfile(profile) => {
                let call = writes.remove_role_from_instance_profile().role_name(role);
                call.instance_profile_name(profile).send().await.map_err(failed(operation))?;
            }
            RoleStep::Detach(policy_arn) => {
                let call = writes.detach_role_policy().role_name(role).policy_arn(policy_arn);
                call.send().await.map_err(failed(operation))?;
            }
            RoleStep::DeleteInline(name) => {
                let call = writes.delete_role_policy().role_name(role).policy_name(name);
                call.send().await.map_err(failed(operation))?;
            }
            RoleStep::Tag(step) => Tagged::Role.perform(client, id, step).await?,
            RoleStep::Delete => {
                writes.delete_role().role_name(role).send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &RoleInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let role = unless_missing(get_role(client, &inputs.name).await)?;
        let ours = role.filter(|role| tags::are_ours(role.tags(), intent, inputs.tags.as_ref()));
        Ok(ours.into_iter().map(|role| Part::Role(role.role_name()).id()).collect())
    }
}

/// Sets who may assume a role.
pub(crate) async fn update_trust(client: &Client, role: &str, trust: &Policy) -> Result<(), ProviderError> {
    let call = client.iam.writes.update_assume_role_policy().role_name(role);
    let call = call.set_policy_document(trust.to_text());
    call.send().await.map_err(failed("UpdateAssumeRolePolicy"))?;
    Ok(())
}

/// Returns who may assume a role.
pub(crate) fn observed_trust(role: &types::Role) -> Option<Policy> {
    role.assume_role_policy_document().map(document::from_answer)
}

fn observed_inputs(whole: &WholeRole) -> RoleInputs {
    let role = &whole.role;
    let description = || role.description().unwrap_or_default().to_owned();
    let longest_session = || role.max_session_duration().map_or(*SESSIONS.start(), i64::from);
    let boundary = role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
    RoleInputs {
        name: role.role_name().to_owned(),
        path: Some(role.path().to_owned()),
        description: whole.has_details.then(description),
        trust: observed_trust(role),
        max_session_duration: whole.has_details.then(longest_session),
        permissions_boundary: Some(boundary.unwrap_or_default().to_owned()),
        foreign_policies: None,
        tags: Some(tags::observed(role.tags())),
    }
}

/// Names the call that sets what one call sets, both together.
fn update(found: &RoleInputs, desired: &RoleInputs) -> Option<RoleStep> {
    let description = desired.description.as_ref().or(found.description.as_ref());
    let longest_session = desired.max_session_duration.or(found.max_session_duration);
    let differs = description != found.description.as_ref() || longest_session != found.max_session_duration;
    differs.then(|| RoleStep::Update {
        description: description.cloned().unwrap_or_default(),
        max_session_duration: longest_session.unwrap_or(*SESSIONS.start()),
    })
}

fn boundary(found: &RoleInputs, desired: &RoleInputs) -> Option<RoleStep> {
    let wanted = desired.permissions_boundary.as_deref()?;
    let found = found.permissions_boundary.as_deref().unwrap_or_default();
    (wanted != found).then(|| match wanted {
        "" => RoleStep::DeleteBoundary,
        policy_arn => RoleStep::PutBoundary(policy_arn.to_owned()),
    })
}

/// Names the call that takes a policy off a role. ARNs have colons, and names have none.
fn take_off(policy: &str) -> RoleStep {
    if policy.contains(':') {
        RoleStep::Detach(policy.to_owned())
    } else {
        RoleStep::DeleteInline(policy.to_owned())
    }
}

/// Names the next call on the way out. A role that has policies or is in an instance profile is not
/// deleted (API reference, `DeleteRole`).
fn towards_deletion(role: &RoleOutputs) -> RoleStep {
    let profiles = role.instance_profile_names.as_ref();
    let profile = profiles.and_then(BTreeSet::first).cloned().map(RoleStep::RemoveFromProfile);
    let attached = || role.attached_policy_arns.first().cloned().map(RoleStep::Detach);
    let inline = || role.inline_policy_names.first().cloned().map(RoleStep::DeleteInline);
    profile.or_else(attached).or_else(inline).unwrap_or(RoleStep::Delete)
}

/// Returns seconds as the SDK has them; what is out of its range is refused by the service.
fn seconds(seconds: i64) -> i32 {
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
