//! `iam_role_policy_attachment`: one managed policy on a role.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::depiction::Depiction;
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Listing, Observed, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;

use super::roles::{Part, Roles};
use super::{ROLE, SERVICE};
use crate::client::Client;
use crate::error::failed;

/// The kind. Its ids are the role's name and the policy's ARN: `ROLE/ARN`.
pub(crate) struct RolePolicyAttachment;

/// One managed policy on a role that is not one of this stack's, or whose `foreign_policies` are
/// left alone. A role of this stack has its policies in `policies`.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RolePolicyAttachmentInputs {
    /// The role's name.
    #[attribute(replace, refers_to = "iam_role")]
    role: String,
    /// The policy's ARN.
    #[attribute(replace, refers_to = "iam_policy", holds, normalize = normalize_policy_arn)]
    policy_arn: String,
}

/// Nothing that only IAM knows.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RolePolicyAttachmentOutputs {}

/// A change of an attachment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RolePolicyAttachmentStep {
    Detach,
}

impl Step for RolePolicyAttachmentStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Detach => "DetachRolePolicy",
        }
    }
}

impl Resource for RolePolicyAttachment {
    const KIND: &'static str = "iam_role_policy_attachment";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        // Attaching what is attached is no error.
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction { within: &["role"], ..Depiction::PART };
    const ID_FORM: &'static str = "NAME/arn:*:iam::*:policy/*";
    const EXAMPLE: &'static str = include_str!("role_policy_attachment/example.toml");
    const ARN: &'static str = ROLE;
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["iam:ListAttachedRolePolicies"]).on(&["{arn}"]),
        Need::create(&["iam:AttachRolePolicy"]).on(&["{arn}"]),
        Need::delete(&["iam:DetachRolePolicy"]).on(&["{arn}"]),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["role", "policy_arn"];
    const IDENTITY: &'static [&'static str] = &["role", "policy_arn"];

    type Inputs = RolePolicyAttachmentInputs;
    type Outputs = RolePolicyAttachmentOutputs;
    type Client = Client;
    type Listing = Roles;
    type Step = RolePolicyAttachmentStep;

    fn observe(
        listing: &Roles,
        id: &RemoteId,
    ) -> Option<Observed<RolePolicyAttachmentInputs, RolePolicyAttachmentOutputs>> {
        let Part::Attachment { role, policy_arn } = Part::of(id) else { return None };
        let attached = listing.attached.get(&RemoteId::new(role))?;
        attached.contains(policy_arn).then(|| Observed {
            inputs: RolePolicyAttachmentInputs { role: role.to_owned(), policy_arn: policy_arn.to_owned() },
            outputs: RolePolicyAttachmentOutputs {},
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        _: &Intent,
        inputs: &RolePolicyAttachmentInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client.iam.writes.attach_role_policy();
        let call = call.role_name(&inputs.role).policy_arn(&inputs.policy_arn);
        call.send().await.map_err(failed("AttachRolePolicy"))?;
        Ok(inputs.id())
    }

    fn next_step(
        _: &Observed<RolePolicyAttachmentInputs, RolePolicyAttachmentOutputs>,
        desired: Option<&RolePolicyAttachmentInputs>,
    ) -> Option<RolePolicyAttachmentStep> {
        desired.is_none().then_some(RolePolicyAttachmentStep::Detach)
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &RolePolicyAttachmentStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        if let Part::Attachment { role, policy_arn } = Part::of(id) {
            let call = client.iam.writes.detach_role_policy().role_name(role).policy_arn(policy_arn);
            call.send().await.map_err(failed(step.operation()))?;
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        _: &Intent,
        inputs: &RolePolicyAttachmentInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let id = inputs.id();
        let listing = Roles::fetch(client, std::slice::from_ref(&id)).await?;
        Ok(Self::observe(&listing, &id).map(|_| id).into_iter().collect())
    }
}

impl RolePolicyAttachmentInputs {
    fn id(&self) -> RemoteId {
        Part::Attachment { role: &self.role, policy_arn: &self.policy_arn }.id()
    }
}

fn normalize_policy_arn(text: &str) -> Result<String, String> {
    if text.starts_with("arn:") && text.contains(":policy/") {
        return Ok(text.to_owned());
    }
    Err("it is no ARN of a managed policy, such as `arn:aws:iam::aws:policy/AmazonEKSClusterPolicy`"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";

    #[test]
    fn an_attachment_is_there_while_the_role_lists_it() {
        let inputs = RolePolicyAttachmentInputs { role: "cluster".to_owned(), policy_arn: POLICY.to_owned() };
        let listing = |attached: &[&str]| Roles {
            attached: [(RemoteId::new("cluster"), attached.iter().map(|arn| (*arn).to_owned()).collect())]
                .into(),
            ..Roles::default()
        };
        let observe = |listing: &Roles| RolePolicyAttachment::observe(listing, &inputs.id());
        let observed = observe(&listing(&[POLICY])).expect("it is attached");
        assert_eq!(observed.inputs, inputs);
        assert_eq!(RolePolicyAttachment::next_step(&observed, Some(&inputs)), None);
        assert_eq!(RolePolicyAttachment::next_step(&observed, None), Some(RolePolicyAttachmentStep::Detach));
        assert_eq!(observe(&listing(&[])), None);
        assert_eq!(observe(&Roles::default()), None);
    }

    #[test]
    fn only_managed_policies_are_attached() {
        normalize_policy_arn(POLICY).expect("it is one");
        normalize_policy_arn("arn:aws-cn:iam::111122223333:policy/team/own").expect("it is one");
        for wrong in ["AmazonEKSClusterPolicy", "arn:aws:iam::111122223333:role/x", "arn:aws:iam::1:policy"] {
            normalize_policy_arn(wrong).expect_err(wrong);
        }
    }
}
