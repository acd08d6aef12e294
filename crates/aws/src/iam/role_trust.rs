//! `iam_role_trust`: who may assume a role that exists.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation};
use straddle_engine::permission::Need;
use straddle_engine::policy::Policy;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Home, Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts,
    Traits,
};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use super::role::{observed_trust, update_trust};
use super::roles::{Part, Roles};
use super::{ROLE, SERVICE, names, trust};
use crate::client::{Client, Place};

/// The kind. Its ids are the roles' names. A role that trusts nobody has no trust of this kind.
pub(crate) struct RoleTrust;

/// Who may assume a role that exists, where that is known only after something was made that needs
/// the role: the external id of an `eks_pod_identity_association`, for example. The `iam_role` has no
/// `trust` then, so that nobody may assume it until this is made, or once this is deleted. A role
/// has one trust: whatever it had before is replaced.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub(crate) struct RoleTrustInputs {
    /// The role's name.
    #[attribute(replace, refers_to = "iam_role", normalize = names::normalize_role)]
    role: String,
    /// Who may assume the role, as in an `iam_role`.
    trust: Policy,
}

/// Nothing that only IAM knows.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RoleTrustOutputs {}

/// A change of who may assume a role.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RoleTrustStep {
    Set(Policy),
}

impl Step for RoleTrustStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Set(_) => "UpdateAssumeRolePolicy",
        }
    }
}

impl Resource for RoleTrust {
    const KIND: &'static str = "iam_role_trust";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        // Setting it twice is setting it.
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        within: &["role"],
        arrows: &[Arrow::new(Relation::Trust, End::Named("trust"), End::Named("role"))
            .of(&["iam_openid_connect_provider", "iam_role"])],
        ..Depiction::PART
    };
    const ID_FORM: &'static str = "NAME";
    const EXAMPLE: &'static str = include_str!("role_trust/example.toml");
    const ARN: &'static str = ROLE;
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&[
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:ListInstanceProfilesForRole",
            "iam:ListRolePolicies",
        ])
        .on(&["{arn}"]),
        Need::create(&["iam:UpdateAssumeRolePolicy"]).on(&["{arn}"]),
        Need::update(&["iam:UpdateAssumeRolePolicy"]).on(&["{arn}"]).changing(&["trust"]),
        Need::delete(&["iam:UpdateAssumeRolePolicy"]).on(&["{arn}"]),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["role"];
    const IDENTITY: &'static [&'static str] = &["role"];

    type Inputs = RoleTrustInputs;
    type Outputs = RoleTrustOutputs;
    type Client = Client;
    type Listing = Roles;
    type Step = RoleTrustStep;

    fn canonical(home: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        trust::canonical("trust", &Place::of(home), inputs)
    }

    fn shorthands(_: Home<'_>, attribute: &str, value: &Value) -> Vec<Value> {
        let short = (attribute == "trust").then(|| trust::shorthand(value));
        short.flatten().into_iter().collect()
    }

    fn observe(listing: &Roles, id: &RemoteId) -> Option<Observed<RoleTrustInputs, RoleTrustOutputs>> {
        let trust = observed_trust(&listing.whole.get(id)?.role)?;
        (trust != nobody()).then(|| Observed {
            inputs: RoleTrustInputs { role: id.as_str().to_owned(), trust },
            outputs: RoleTrustOutputs {},
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        _: &Intent,
        inputs: &RoleTrustInputs,
    ) -> Result<RemoteId, ProviderError> {
        update_trust(client, &inputs.role, &inputs.trust).await?;
        Ok(Part::Role(&inputs.role).id())
    }

    fn next_step(
        observed: &Observed<RoleTrustInputs, RoleTrustOutputs>,
        desired: Option<&RoleTrustInputs>,
    ) -> Option<RoleTrustStep> {
        let trust = desired.map_or_else(nobody, |desired| desired.trust.clone());
        (trust != observed.inputs.trust).then_some(RoleTrustStep::Set(trust))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &RoleTrustStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        match step {
            RoleTrustStep::Set(trust) => update_trust(client, id.as_str(), trust).await?,
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        _: &Intent,
        inputs: &RoleTrustInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let id = Part::Role(&inputs.role).id();
        let listing = Roles::fetch(client, std::slice::from_ref(&id)).await?;
        let found = Self::observe(&listing, &id).filter(|found| found.inputs.trust == inputs.trust);
        Ok(found.map(|_| id).into_iter().collect())
    }
}

fn nobody() -> Policy {
    Policy::from(trust::nobody())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(trust: Policy) -> Observed<RoleTrustInputs, RoleTrustOutputs> {
        let inputs = RoleTrustInputs { role: "target".to_owned(), trust };
        Observed { inputs, outputs: RoleTrustOutputs {}, readiness: Readiness::Ready }
    }

    fn service(service: &str) -> Policy {
        Policy::from_text(&format!(
            r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Service": "{service}"}}, "Action": "sts:AssumeRole"}}}}"#
        ))
    }

    #[test]
    fn a_trust_is_set_and_taken_away() {
        let found = observed(service("a.amazonaws.com"));
        assert_eq!(RoleTrust::next_step(&found, Some(&found.inputs)), None);
        let other = observed(service("b.amazonaws.com")).inputs;
        assert_eq!(RoleTrust::next_step(&found, Some(&other)), Some(RoleTrustStep::Set(other.trust.clone())));
        assert_eq!(RoleTrust::next_step(&found, None), Some(RoleTrustStep::Set(nobody())));
    }
}
