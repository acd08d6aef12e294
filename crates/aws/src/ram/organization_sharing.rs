//! `ram_organization_sharing`: whether accounts of an organization can share without invitations.

use std::time::Duration;

use aws_sdk_organizations::types::EnabledServicePrincipal;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::Readiness;
use straddle_engine::resource::{
    Intent, Listing, Observed, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;

use crate::client::Client;
use crate::error::failed;

/// The service's name in the organization, which is the thing's id too: there is one of it.
const RAM: &str = "ram.amazonaws.com";
const LIST: &str = "ListAWSServiceAccessForOrganization";
const ENABLE: &str = "EnableSharingWithAwsOrganization";

/// The kind.
pub(crate) struct OrganizationSharing;

/// That the accounts of the organization can share resources with one another, without invitations.
/// Subnets cannot be shared otherwise. It belongs into the management account, and every
/// `ram_resource_share` of the spec waits for it. It is a condition that is looked after: destroying
/// it never switches the sharing off.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct OrganizationSharingInputs {
    /// Whether to switch the sharing on if it is off. If this is false, that it is off is an error
    /// that says so.
    #[attribute(write_only, default = false)]
    enable: Option<bool>,
}

/// What AWS says about the sharing: nothing but that it is on.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct OrganizationSharingOutputs {}

/// Whether the sharing is on.
pub(crate) struct Switch {
    on: bool,
}

impl Listing for Switch {
    type Client = Client;

    async fn fetch(client: &Client, _: &[RemoteId]) -> Result<Self, ProviderError> {
        let call = client.organizations.reads.list_aws_service_access_for_organization();
        let pages = call.into_paginator().send().collect::<Result<Vec<_>, _>>().await;
        let pages = pages.map_err(failed(LIST)).map_err(explained)?;
        let services = pages.into_iter().flat_map(|page| page.enabled_service_principals.unwrap_or_default());
        let services: Vec<_> = services.collect();
        Ok(Self::of(&services))
    }
}

impl Switch {
    fn of(services: &[EnabledServicePrincipal]) -> Self {
        Self { on: services.iter().any(|service| service.service_principal() == Some(RAM)) }
    }
}

/// There is nothing to be done about it after birth.
#[derive(Debug, PartialEq)]
pub(crate) enum NoStep {}

impl Step for NoStep {
    fn operation(&self) -> &'static str {
        match *self {}
    }
}

impl Resource for OrganizationSharing {
    const KIND: &'static str = "ram_organization_sharing";
    const ID_FORM: &'static str = RAM;
    const TRAITS: Traits = Traits {
        service: "organizations",
        // It is a switch: switching it on twice is switching it on.
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(5),
    };
    const DEPICTION: Depiction =
        Depiction { title: "sharing in the organization", form: Form::Note, ..Depiction::THING };
    const EXAMPLE: &'static str = include_str!("organization_sharing/example.toml");
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["organizations:ListAWSServiceAccessForOrganization"]),
        // RAM does these in the caller's name ("Actions defined by AWS Resource Access Manager").
        Need::create(&[
            "ram:EnableSharingWithAwsOrganization",
            "organizations:DescribeOrganization",
            "organizations:EnableAWSServiceAccess",
        ])
        .only_if("enable", "true"),
        Need::create(&["iam:CreateServiceLinkedRole"])
            .on(&["arn:{partition}:iam::{account}:role/aws-service-role/ram.amazonaws.com/*"])
            .given(&[("iam:AWSServiceName", RAM)])
            .only_if("enable", "true"),
    ];
    const RETAINED: bool = true;

    type Inputs = OrganizationSharingInputs;
    type Outputs = OrganizationSharingOutputs;
    type Client = Client;
    type Listing = Switch;
    type Step = NoStep;

    fn observe(
        listing: &Switch,
        id: &RemoteId,
    ) -> Option<Observed<OrganizationSharingInputs, OrganizationSharingOutputs>> {
        (listing.on && id.as_str() == RAM).then(|| Observed {
            inputs: OrganizationSharingInputs::default(),
            outputs: OrganizationSharingOutputs {},
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        _: &Intent,
        inputs: &OrganizationSharingInputs,
    ) -> Result<RemoteId, ProviderError> {
        if inputs.enable == Some(true) {
            // Not `EnableAWSServiceAccess` of Organizations, which would leave out the role that RAM needs.
            let call = client.ram.writes.enable_sharing_with_aws_organization();
            call.send().await.map_err(failed(ENABLE)).map_err(explained)?;
        } else if !Switch::fetch(client, &[]).await?.on {
            return Err(off());
        }
        Ok(RemoteId::new(RAM))
    }

    fn next_step(
        _: &Observed<OrganizationSharingInputs, OrganizationSharingOutputs>,
        _: Option<&OrganizationSharingInputs>,
    ) -> Option<NoStep> {
        None
    }

    async fn perform(_: &Client, _: &RemoteId, step: &NoStep) -> Result<Option<RemoteId>, ProviderError> {
        match *step {}
    }

    async fn find(
        client: &Client,
        _: &Intent,
        _: &OrganizationSharingInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let switch = Switch::fetch(client, &[]).await?;
        Ok(switch.on.then(|| RemoteId::new(RAM)).into_iter().collect())
    }
}

fn off() -> ProviderError {
    let message = "sharing inside the organization is off, so its accounts cannot share subnets. Set `enable = \
                   true` to switch it on, or run `aws ram enable-sharing-with-aws-organization` in the \
                   management account";
    ProviderError::new(ErrorClass::Rejected, LIST, message)
}

/// Says where the call has to be made, if it was made elsewhere.
fn explained(mut error: ProviderError) -> ProviderError {
    let elsewhere = error.class == ErrorClass::AccessDenied
        || ["AWSOrganizationsNotInUseException", "OperationNotPermittedException"]
            .contains(&error.code.as_str());
    if elsewhere {
        error.message = format!(
            "{}. Only the organization's management account can do this: let the resource live in the account \
             with that id",
            error.message.trim_end_matches('.')
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, Asked, answered_by, intent};

    fn services(names: &[&str]) -> Switch {
        let service = |name: &&str| EnabledServicePrincipal::builder().service_principal(*name).build();
        Switch::of(&names.iter().map(service).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_there_if_ram_is_among_the_services_of_the_organization() {
        let observe = |switch: &Switch| OrganizationSharing::observe(switch, &RemoteId::new(RAM));
        let seen = observe(&services(&["sso.amazonaws.com", RAM])).expect("it is on");
        assert_eq!((seen.readiness.clone(), seen.inputs.enable), (Readiness::Ready, None));
        assert_eq!(OrganizationSharing::next_step(&seen, None), None);
        assert_eq!(observe(&services(&["sso.amazonaws.com"])), None);
    }

    /// An organization whose second page has this service.
    fn organization(asked: &Asked, service: &str) -> Answer {
        match asked.operation.as_str() {
            LIST if asked.body.contains("\"NextToken\":\"2\"") => {
                Ok(format!("{{\"EnabledServicePrincipals\":[{{\"ServicePrincipal\":\"{service}\"}}]}}"))
            }
            LIST => Ok("{\"EnabledServicePrincipals\":[],\"NextToken\":\"2\"}".to_owned()),
            "enablesharingwithawsorganization" => Ok("{\"returnValue\":true}".to_owned()),
            _ => Err("NotCalled"),
        }
    }

    /// Makes it; returns what came of it and the last operation.
    async fn made(enable: bool, service: &str) -> (Result<RemoteId, ErrorClass>, String) {
        let inputs = OrganizationSharingInputs { enable: Some(enable) };
        let intent = intent("ram_organization_sharing");
        let create = async |client: &Client| OrganizationSharing::create(client, &intent, &inputs).await;
        let (made, log) = answered_by(|asked| organization(asked, service), create).await;
        (made.map_err(|error| error.class), log.last().expect("something was asked").operation.clone())
    }

    #[tokio::test]
    async fn it_is_switched_on_only_where_the_spec_says_so() {
        let (there, off) = (Ok(RemoteId::new(RAM)), Err(ErrorClass::Rejected));
        assert_eq!(made(false, RAM).await, (there.clone(), LIST.to_owned()));
        assert_eq!(made(false, "sso.amazonaws.com").await, (off, LIST.to_owned()));
        let enabled = "enablesharingwithawsorganization".to_owned();
        assert_eq!(made(true, "sso.amazonaws.com").await, (there, enabled));
    }

    #[test]
    fn what_is_off_comes_with_the_way_to_switch_it_on() {
        let error = off();
        assert_eq!(error.class, ErrorClass::Rejected);
        for part in ["`enable = true`", "aws ram enable-sharing-with-aws-organization"] {
            assert!(error.message.contains(part), "{part} is missing in: {}", error.message);
        }
    }

    #[test]
    fn another_account_is_told_which_one_it_must_be() {
        let message = |class, code: &str| {
            let error = ProviderError::new(class, LIST, "You may not.");
            explained(ProviderError { code: code.to_owned(), ..error }).message
        };
        let told = "You may not. Only the organization's management account";
        assert!(message(ErrorClass::AccessDenied, "AccessDeniedException").starts_with(told));
        assert!(message(ErrorClass::Rejected, "AWSOrganizationsNotInUseException").starts_with(told));
        assert_eq!(message(ErrorClass::Throttled, "TooManyRequestsException"), "You may not.");
    }
}
