//! `iam_service_linked_role`: the role by which a service of AWS acts in an account.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::types;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Listing, Observed, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;

use super::roles::get_role;
use super::{SERVICE, names};
use crate::client::Client;
use crate::each::each;
use crate::error::{answered, failed};

/// Where these roles are; then follows the name of the service (IAM user guide, "Create a
/// service-linked role").
const PATH: &str = "/aws-service-role/";
const CREATE: &str = "CreateServiceLinkedRole";

/// The kind. Its ids are the roles' names.
pub(crate) struct ServiceLinkedRole;

/// The role by which a service of AWS acts in an account, such as `elasticloadbalancing.amazonaws.com`.
/// Services make theirs when they first need it, if whoever uses them may; where that is not so, or
/// comes too late, this makes it. One that is there already is taken as it is. An account has one of
/// each, and everything else of the service relies on it: destroying it only forgets it.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ServiceLinkedRoleInputs {
    /// The service's name.
    #[attribute(replace, normalize = normalize_service)]
    aws_service_name: String,
    /// What the role's name ends with, for services that allow several.
    #[attribute(replace, normalize = names::normalize_role)]
    custom_suffix: Option<String>,
    /// What the role is for: up to 1000 characters. Services write something here, too.
    #[attribute(normalize = names::normalize_description)]
    description: Option<String>,
}

/// What IAM says about a service-linked role.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ServiceLinkedRoleOutputs {
    /// The ARN.
    arn: String,
    /// The name, which the service has chosen.
    name: String,
}

/// A change of a service-linked role.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ServiceLinkedRoleStep {
    Describe(String),
}

impl Step for ServiceLinkedRoleStep {
    fn operation(&self) -> &'static str {
        match self {
            // The only change of them that IAM makes for others than their service.
            Self::Describe(_) => "UpdateRoleDescription",
        }
    }
}

/// Service-linked roles by name.
#[derive(Default)]
pub(crate) struct LinkedRoles(BTreeMap<RemoteId, types::Role>);

impl Listing for LinkedRoles {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        Ok(Self(each(ids, async |id| get_role(client, id.as_str()).await).await?))
    }
}

impl Resource for ServiceLinkedRole {
    const KIND: &'static str = "iam_service_linked_role";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        title: "service-linked role",
        form: Form::Note,
        theme: Theme::Identity,
        ..Depiction::THING
    };
    const ID_FORM: &'static str = "NAME";
    const EXAMPLE: &'static str = include_str!("service_linked_role/example.toml");
    const ARN: &'static str = "arn:{partition}:iam::{account}:role/aws-service-role/{aws_service_name}/*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["iam:GetRole"]).on(&["{arn}"]),
        Need::create(&["iam:CreateServiceLinkedRole"])
            .on(&["{arn}"])
            .given(&[("iam:AWSServiceName", "{aws_service_name}")]),
        // One that is there is found by its path.
        Need::create(&["iam:ListRoles"]),
        Need::update(&["iam:UpdateRoleDescription"]).on(&["{arn}"]).changing(&["description"]),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["aws_service_name", "custom_suffix"];
    const IDENTITY: &'static [&'static str] = &["custom_suffix"];
    const RETAINED: bool = true;

    type Inputs = ServiceLinkedRoleInputs;
    type Outputs = ServiceLinkedRoleOutputs;
    type Client = Client;
    type Listing = LinkedRoles;
    type Step = ServiceLinkedRoleStep;

    fn observe(
        listing: &LinkedRoles,
        id: &RemoteId,
    ) -> Option<Observed<ServiceLinkedRoleInputs, ServiceLinkedRoleOutputs>> {
        let role = listing.0.get(id)?;
        Some(Observed {
            inputs: ServiceLinkedRoleInputs {
                aws_service_name: service_of(role.path())?.to_owned(),
                custom_suffix: suffix(role.role_name()).map(str::to_owned),
                description: Some(role.description().unwrap_or_default().to_owned()),
            },
            outputs: ServiceLinkedRoleOutputs {
                arn: role.arn().to_owned(),
                name: role.role_name().to_owned(),
            },
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        _: &Intent,
        inputs: &ServiceLinkedRoleInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client.iam.writes.create_service_linked_role();
        let call = call.aws_service_name(&inputs.aws_service_name);
        let call = call.set_custom_suffix(inputs.custom_suffix.clone());
        let call = call.set_description(inputs.description.clone().filter(|text| !text.is_empty()));
        let answer = call.send().await.map_err(failed(CREATE)).map_err(sorted)?;
        let role = answered(CREATE, answer.role())?;
        Ok(RemoteId::new(role.role_name()))
    }

    fn next_step(
        observed: &Observed<ServiceLinkedRoleInputs, ServiceLinkedRoleOutputs>,
        desired: Option<&ServiceLinkedRoleInputs>,
    ) -> Option<ServiceLinkedRoleStep> {
        let wanted = desired?.description.clone()?;
        (observed.inputs.description.as_ref() != Some(&wanted))
            .then_some(ServiceLinkedRoleStep::Describe(wanted))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &ServiceLinkedRoleStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let ServiceLinkedRoleStep::Describe(description) = step;
        let call = client.iam.writes.update_role_description().role_name(id.as_str());
        call.description(description).send().await.map_err(failed(step.operation()))?;
        Ok(None)
    }

    async fn find(
        client: &Client,
        _: &Intent,
        inputs: &ServiceLinkedRoleInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let path = format!("{PATH}{}/", inputs.aws_service_name);
        let pages = client.iam.reads.list_roles().path_prefix(path).into_paginator().items().send();
        let roles = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListRoles"))?;
        let mut roles = roles.iter().map(types::Role::role_name);
        let found = roles.find(|name| suffix(name) == inputs.custom_suffix.as_deref());
        Ok(found.map(RemoteId::new).into_iter().collect())
    }
}

/// Takes that the role is there for what it is: "Service role name … has been taken in this account".
fn sorted(mut error: ProviderError) -> ProviderError {
    if error.code == "InvalidInput" && error.message.contains("has been taken in this account") {
        error.class = ErrorClass::AlreadyExists;
    }
    error
}

/// Returns the service whose role this is.
fn service_of(path: &str) -> Option<&str> {
    path.strip_prefix(PATH)?.strip_suffix('/')
}

/// Returns the end that somebody has chosen of a role's name.
fn suffix(name: &str) -> Option<&str> {
    name.split_once('_').map(|(_, suffix)| suffix)
}

fn normalize_service(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    if text.contains('.') && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("it is no service's name, such as `elasticloadbalancing.amazonaws.com`".to_owned())
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::primitives::DateTime;

    use super::*;

    const NAME: &str = "AWSServiceRoleForElasticLoadBalancing";

    fn observe(path: &str, name: &str) -> Option<ServiceLinkedRoleInputs> {
        let role = types::Role::builder().role_name(name).path(path).role_id("AROA1").arn("arn:r");
        let role = role.description("Made by the service").create_date(DateTime::from_secs(0)).build();
        let listing = LinkedRoles([(RemoteId::new(name), role.expect("it has every part"))].into());
        Some(ServiceLinkedRole::observe(&listing, &RemoteId::new(name))?.inputs)
    }

    #[test]
    fn a_role_tells_its_service() {
        let inputs = observe("/aws-service-role/elasticloadbalancing.amazonaws.com/", NAME);
        let inputs = inputs.expect("it is of a service");
        assert_eq!(inputs.aws_service_name, "elasticloadbalancing.amazonaws.com");
        assert_eq!(inputs.custom_suffix, None);
        let suffixed = observe("/aws-service-role/autoscaling.amazonaws.com/", &format!("{NAME}_shop"));
        assert_eq!(suffixed.and_then(|inputs| inputs.custom_suffix).as_deref(), Some("shop"));
        assert_eq!(observe("/", NAME), None);
    }

    #[test]
    fn only_a_description_that_the_spec_has_is_set() {
        let inputs = observe("/aws-service-role/a.amazonaws.com/", NAME).expect("it is of a service");
        let outputs = ServiceLinkedRoleOutputs::default();
        let observed = Observed { inputs: inputs.clone(), outputs, readiness: Readiness::Ready };
        let step = |description: Option<&str>| {
            let description = description.map(str::to_owned);
            let wanted = ServiceLinkedRoleInputs { description, ..inputs.clone() };
            ServiceLinkedRole::next_step(&observed, Some(&wanted))
        };
        assert_eq!(step(None), None);
        assert_eq!(step(Some("x")), Some(ServiceLinkedRoleStep::Describe("x".to_owned())));
        assert_eq!(ServiceLinkedRole::next_step(&observed, None), None);
    }

    #[test]
    fn a_name_that_is_taken_is_the_role_that_is_wanted() {
        let class = |code: &str, words: &str| {
            let error = ProviderError::new(ErrorClass::Rejected, CREATE, words);
            sorted(ProviderError { code: code.to_owned(), ..error }).class
        };
        let taken = "Service role name AWSServiceRoleForX has been taken in this account, please try another";
        assert_eq!(class("InvalidInput", taken), ErrorClass::AlreadyExists);
        assert_eq!(class("InvalidInput", "Custom suffix is not allowed"), ErrorClass::Rejected);
    }

    #[test]
    fn services_have_names_with_dots() {
        normalize_service("eks-nodegroup.amazonaws.com").expect("it is one");
        normalize_service("eks").expect_err("it is none");
    }
}
