//! `iam_role_policy`: one policy of a role's own.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::depiction::Depiction;
use straddle_engine::permission::Need;
use straddle_engine::policy::Policy;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Home, Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts,
    Traits,
};
use straddle_engine::schema::Attributes;
use straddle_engine::value::ValueMap;

use super::permissions::{self, MOST_CHARACTERS_INLINE};
use super::roles::{Part, Roles};
use super::{ROLE, SERVICE, document, names};
use crate::client::Client;
use crate::error::failed;

/// The kind. Its ids are the role's name and the policy's: `ROLE:NAME`.
pub(crate) struct RolePolicy;

/// One policy of its own of a role that is not one of this stack's, or whose `foreign_policies` are
/// left alone. A role of this stack has its own policies in `inline_policies`.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub(crate) struct RolePolicyInputs {
    /// The role's name.
    #[attribute(replace, refers_to = "iam_role")]
    role: String,
    /// The policy's name: up to 128 letters, digits and `_+=,.@-`. A role has each name once.
    #[attribute(replace, normalize = names::normalize)]
    name: String,
    /// What the role may do, as a table or JSON text, of the version `2012-10-17` unless it says
    /// otherwise. It is compared by what it means. All of a role's
    /// own policies together have up to 10,240 characters besides white space.
    document: Policy,
}

/// Nothing that only IAM knows.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RolePolicyOutputs {}

/// A change of a policy of a role's own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RolePolicyStep {
    Put(Policy),
    Delete,
}

impl Step for RolePolicyStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Put(_) => "PutRolePolicy",
            Self::Delete => "DeleteRolePolicy",
        }
    }
}

impl Resource for RolePolicy {
    const KIND: &'static str = "iam_role_policy";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction { within: &["role"], ..Depiction::PART };
    const ID_FORM: &'static str = "NAME:NAME";
    const EXAMPLE: &'static str = include_str!("role_policy/example.toml");
    const ARN: &'static str = ROLE;
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["iam:GetRolePolicy"]).on(&["{arn}"]),
        Need::create(&["iam:PutRolePolicy"]).on(&["{arn}"]),
        Need::update(&["iam:PutRolePolicy"]).on(&["{arn}"]).changing(&["document"]),
        Need::delete(&["iam:DeleteRolePolicy"]).on(&["{arn}"]),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["role", "name"];
    const IDENTITY: &'static [&'static str] = &["role", "name"];

    type Inputs = RolePolicyInputs;
    type Outputs = RolePolicyOutputs;
    type Client = Client;
    type Listing = Roles;
    type Step = RolePolicyStep;

    fn canonical(_: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        Ok(document::versioned("document", inputs))
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        permissions::check("document", MOST_CHARACTERS_INLINE, inputs)
    }

    fn observe(listing: &Roles, id: &RemoteId) -> Option<Observed<RolePolicyInputs, RolePolicyOutputs>> {
        let Part::Inline { role, name } = Part::of(id) else { return None };
        let document = listing.inline.get(id)?.clone();
        Some(Observed {
            inputs: RolePolicyInputs { role: role.to_owned(), name: name.to_owned(), document },
            outputs: RolePolicyOutputs {},
            readiness: Readiness::Ready,
        })
    }

    /// IAM would overwrite a policy of this name without a word, so one that means something else
    /// is looked for first.
    async fn create(
        client: &Client,
        _: &Intent,
        inputs: &RolePolicyInputs,
    ) -> Result<RemoteId, ProviderError> {
        let id = inputs.id();
        let found = Roles::fetch(client, std::slice::from_ref(&id)).await?;
        if found.inline.get(&id).is_some_and(|document| *document != inputs.document) {
            return Err(taken(inputs));
        }
        put(client, &id, &inputs.document).await?;
        Ok(id)
    }

    fn next_step(
        observed: &Observed<RolePolicyInputs, RolePolicyOutputs>,
        desired: Option<&RolePolicyInputs>,
    ) -> Option<RolePolicyStep> {
        let Some(desired) = desired else { return Some(RolePolicyStep::Delete) };
        (desired.document != observed.inputs.document).then(|| RolePolicyStep::Put(desired.document.clone()))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &RolePolicyStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        match (step, Part::of(id)) {
            (RolePolicyStep::Put(document), _) => put(client, id, document).await?,
            (RolePolicyStep::Delete, Part::Inline { role, name }) => {
                let call = client.iam.writes.delete_role_policy().role_name(role).policy_name(name);
                call.send().await.map_err(failed(step.operation()))?;
            }
            (RolePolicyStep::Delete, Part::Role(_) | Part::Attachment { .. }) => {}
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        _: &Intent,
        inputs: &RolePolicyInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let id = inputs.id();
        let found = Roles::fetch(client, std::slice::from_ref(&id)).await?;
        let same = found.inline.get(&id).is_some_and(|document| *document == inputs.document);
        Ok(same.then_some(id).into_iter().collect())
    }
}

impl RolePolicyInputs {
    fn id(&self) -> RemoteId {
        Part::Inline { role: &self.role, name: &self.name }.id()
    }
}

async fn put(client: &Client, id: &RemoteId, document: &Policy) -> Result<(), ProviderError> {
    if let Part::Inline { role, name } = Part::of(id) {
        let call = client.iam.writes.put_role_policy().role_name(role).policy_name(name);
        let call = call.set_policy_document(document.to_text());
        call.send().await.map_err(failed("PutRolePolicy"))?;
    }
    Ok(())
}

fn taken(inputs: &RolePolicyInputs) -> ProviderError {
    let RolePolicyInputs { role, name, .. } = inputs;
    let message = format!("the role `{role}` has a policy `{name}` that allows something else");
    ProviderError::new(ErrorClass::AlreadyExists, "PutRolePolicy", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(action: &str) -> Policy {
        Policy::from_text(&format!(
            r#"{{"Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}"#
        ))
    }

    fn inputs(action: &str) -> RolePolicyInputs {
        RolePolicyInputs { role: "cluster".to_owned(), name: "read".to_owned(), document: policy(action) }
    }

    #[test]
    fn a_policy_is_put_where_it_means_something_else() {
        let inputs_found = inputs("s3:GetObject");
        let id = inputs_found.id();
        let listing = Roles { inline: [(id.clone(), policy("s3:GetObject"))].into(), ..Roles::default() };
        let observed = RolePolicy::observe(&listing, &id).expect("it is listed");
        assert_eq!(observed.inputs, inputs_found);
        assert_eq!(RolePolicy::next_step(&observed, Some(&inputs_found)), None);
        assert_eq!(
            RolePolicy::next_step(&observed, Some(&inputs("s3:*"))),
            Some(RolePolicyStep::Put(policy("s3:*")))
        );
        assert_eq!(RolePolicy::next_step(&observed, None), Some(RolePolicyStep::Delete));
        assert_eq!(RolePolicy::observe(&Roles::default(), &id), None);
    }

    #[test]
    fn a_document_needs_statements() {
        let check = |document: &str| {
            let document = crate::iam::testing::json(document);
            RolePolicy::check(&ValueMap::from([("document".to_owned(), document)])).len()
        };
        assert_eq!((check(r#"{"Statement": []}"#), check(r#"{"statement": []}"#)), (0, 1));
    }
}
