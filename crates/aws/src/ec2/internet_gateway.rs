//! `internet_gateway`: the way between a VPC and the internet.

use std::time::Duration;

use aws_sdk_ec2::types::{self, AttachmentStatus, ResourceType};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Listing, Observed, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};

use super::listing::{Found, PAGE_SIZE, readiness};
use super::named::VPC;
use super::tags::TagStep;
use super::{SERVICE, filters, tags};
use crate::blockers::INTERFACES_READ;
use crate::client::Client;
use crate::error::{answered, failed, unless};

/// The kind.
pub(crate) struct InternetGateway;

/// What stands for the VPC of a gateway that is attached to none.
const DETACHED: &str = "";

/// The way between a VPC and the internet. A VPC has at most one.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct InternetGatewayInputs {
    /// The VPC that the gateway is attached to. Taking it out of the spec detaches the gateway.
    #[attribute(refers_to = "vpc", default = DETACHED)]
    vpc_id: Option<String>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EC2 says about an internet gateway.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct InternetGatewayOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns the gateway.
    owner_id: Option<String>,
}

impl Listing for Found<types::InternetGateway> {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let filters = filters::ids("internet-gateway-id", ids);
        let call = client.ec2.reads.describe_internet_gateways().set_filters(filters);
        let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
        let gateways = pages.collect::<Result<_, _>>().await.map_err(failed("DescribeInternetGateways"))?;
        Ok(Self::new(&client.place, gateways))
    }
}

/// A change of an internet gateway.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InternetGatewayStep {
    Attach { vpc_id: String },
    Detach { vpc_id: String },
    Tag(TagStep),
    Delete,
}

impl Step for InternetGatewayStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Attach { .. } => "AttachInternetGateway",
            Self::Detach { .. } => "DetachInternetGateway",
            Self::Tag(step) => step.operation(),
            Self::Delete => "DeleteInternetGateway",
        }
    }
}

impl Resource for InternetGateway {
    const KIND: &'static str = "internet_gateway";
    const ID_FORM: &'static str = "igw-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::TagSearch,
        // A VPC takes no second one.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(20),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction =
        Depiction { form: Form::Door, theme: Theme::Network, within: &["vpc_id"], ..Depiction::THING };
    const EXAMPLE: &'static str = include_str!("internet_gateway/example.toml");
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:internet-gateway/{id}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeInternetGateways"]),
        Need::create(&["ec2:CreateInternetGateway"]).on(&["{arn}"]),
        tags::given_at_birth(&[("ec2:CreateAction", "CreateInternetGateway")]),
        Need::update(&["ec2:AttachInternetGateway"]).on(&["{arn}", VPC]).setting(&["vpc_id"]),
        Need::update(&["ec2:DetachInternetGateway"]).on(&["{arn}", VPC]).changing(&["vpc_id"]),
        tags::CHANGED,
        Need::delete(&["ec2:DeleteInternetGateway"]).on(&["{arn}"]),
        Need::delete(&["ec2:DetachInternetGateway"]).on(&["{arn}", VPC]),
        INTERFACES_READ,
    ];
    const EXCLUSIVE: &'static [&'static str] = &["vpc_id"];

    type Inputs = InternetGatewayInputs;
    type Outputs = InternetGatewayOutputs;
    type Client = Client;
    type Listing = Found<types::InternetGateway>;
    type Step = InternetGatewayStep;

    fn observe(
        listing: &Self::Listing,
        id: &RemoteId,
    ) -> Option<Observed<InternetGatewayInputs, InternetGatewayOutputs>> {
        let id = id.as_str();
        let gateway = listing.thing(id)?;
        let attachment = gateway
            .attachments()
            .iter()
            .find(|attachment| attachment.state().map(AttachmentStatus::as_str) != Some("detached"));
        Some(Observed {
            inputs: InternetGatewayInputs {
                vpc_id: Some(
                    attachment.and_then(|attachment| attachment.vpc_id()).unwrap_or(DETACHED).to_owned(),
                ),
                tags: Some(tags::observed(gateway.tags())),
            },
            outputs: InternetGatewayOutputs {
                arn: listing.place.ec2_arn(gateway.owner_id(), "internet-gateway", id),
                owner_id: gateway.owner_id().map(str::to_owned),
            },
            readiness: readiness(attachment.and_then(attachment_state), "available"),
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &InternetGatewayInputs,
    ) -> Result<RemoteId, ProviderError> {
        let tags = tags::at_birth(ResourceType::InternetGateway, intent, inputs.tags.as_ref());
        let call = client.ec2.writes.create_internet_gateway().tag_specifications(tags);
        let answer = call.send().await.map_err(failed("CreateInternetGateway"))?;
        let id = answer.internet_gateway().and_then(types::InternetGateway::internet_gateway_id);
        answered("CreateInternetGateway", id).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<InternetGatewayInputs, InternetGatewayOutputs>,
        desired: Option<&InternetGatewayInputs>,
    ) -> Option<InternetGatewayStep> {
        let found = &observed.inputs;
        let attached = found.vpc_id.clone().filter(|vpc_id| vpc_id != DETACHED);
        let detach = attached.map(|vpc_id| InternetGatewayStep::Detach { vpc_id });
        let Some(desired) = desired else { return detach.or(Some(InternetGatewayStep::Delete)) };
        if let Some(vpc_id) = desired.vpc_id.clone().filter(|vpc_id| found.vpc_id.as_ref() != Some(vpc_id)) {
            return detach.or(Some(InternetGatewayStep::Attach { vpc_id }));
        }
        tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(InternetGatewayStep::Tag)
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &InternetGatewayStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let operation = step.operation();
        match step {
            InternetGatewayStep::Attach { vpc_id } => {
                let call = client.ec2.writes.attach_internet_gateway().vpc_id(vpc_id);
                let answer = call.internet_gateway_id(id.as_str()).send().await.map_err(failed(operation));
                // Attached by an attempt whose answer was lost, or elsewhere; the next read tells.
                unless(answer, "Resource.AlreadyAssociated")?;
            }
            InternetGatewayStep::Detach { vpc_id } => {
                let call = client.ec2.writes.detach_internet_gateway().vpc_id(vpc_id);
                let answer = call.internet_gateway_id(id.as_str()).send().await.map_err(failed(operation));
                unless(answer, "Gateway.NotAttached")?;
            }
            InternetGatewayStep::Tag(step) => step.perform(client, id).await?,
            InternetGatewayStep::Delete => {
                let call = client.ec2.writes.delete_internet_gateway().internet_gateway_id(id.as_str());
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        _: &InternetGatewayInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let call = client.ec2.reads.describe_internet_gateways().filters(filters::made_by(intent));
        let answer = call.send().await.map_err(failed("DescribeInternetGateways"))?;
        let ids = answer.internet_gateways().iter().filter_map(types::InternetGateway::internet_gateway_id);
        Ok(ids.map(RemoteId::new).collect())
    }
}

/// EC2 documents `available` for an attached gateway, and returns `attached` too.
fn attachment_state(attachment: &types::InternetGatewayAttachment) -> Option<&str> {
    attachment.state().map(AttachmentStatus::as_str).filter(|state| *state != "attached")
}

#[cfg(test)]
mod tests {
    use straddle_engine::resource::Readiness;

    use super::*;
    use crate::ec2::testing::{found, tag, tags};

    type Seen = Observed<InternetGatewayInputs, InternetGatewayOutputs>;

    fn observed(attachment: Option<(&str, AttachmentStatus)>) -> Seen {
        let attachment = attachment.map(|(vpc_id, state)| {
            types::InternetGatewayAttachment::builder().vpc_id(vpc_id).state(state).build()
        });
        let gateway = types::InternetGateway::builder()
            .internet_gateway_id("igw-1")
            .owner_id("111122223333")
            .set_attachments(Some(attachment.into_iter().collect()))
            .tags(tag("Name", "main"))
            .build();
        InternetGateway::observe(&found(gateway), &RemoteId::new("igw-1")).expect("it is listed")
    }

    fn attached_to(vpc_id: &str) -> Seen {
        observed(Some((vpc_id, AttachmentStatus::from("available"))))
    }

    fn desired(vpc_id: Option<&str>) -> InternetGatewayInputs {
        InternetGatewayInputs { vpc_id: vpc_id.map(str::to_owned), tags: Some(tags([("Name", "main")])) }
    }

    #[test]
    fn it_is_attached_after_birth() {
        let attach = InternetGatewayStep::Attach { vpc_id: "vpc-1".to_owned() };
        assert_eq!(InternetGateway::next_step(&observed(None), Some(&desired(Some("vpc-1")))), Some(attach));
        assert_eq!(InternetGateway::next_step(&attached_to("vpc-1"), Some(&desired(Some("vpc-1")))), None);
    }

    #[test]
    fn it_leaves_one_vpc_before_it_goes_to_another() {
        let detach = InternetGatewayStep::Detach { vpc_id: "vpc-1".to_owned() };
        assert_eq!(
            InternetGateway::next_step(&attached_to("vpc-1"), Some(&desired(Some("vpc-2")))),
            Some(detach)
        );
        assert_eq!(InternetGateway::next_step(&attached_to("vpc-1"), Some(&desired(None))), None);
    }

    #[test]
    fn it_is_detached_when_the_spec_gives_the_vpc_up() {
        let detach = InternetGatewayStep::Detach { vpc_id: "vpc-1".to_owned() };
        let given_up = desired(Some(DETACHED));
        assert_eq!(InternetGateway::next_step(&attached_to("vpc-1"), Some(&given_up)), Some(detach));
        assert_eq!(InternetGateway::next_step(&observed(None), Some(&given_up)), None);
    }

    #[test]
    fn it_is_detached_before_it_is_deleted() {
        let detach = InternetGatewayStep::Detach { vpc_id: "vpc-1".to_owned() };
        assert_eq!(InternetGateway::next_step(&attached_to("vpc-1"), None), Some(detach));
        assert_eq!(InternetGateway::next_step(&observed(None), None), Some(InternetGatewayStep::Delete));
    }

    #[test]
    fn tags_are_set() {
        let desired = InternetGatewayInputs { tags: Some(tags([("Name", "new")])), ..desired(Some("vpc-1")) };
        let step = InternetGatewayStep::Tag(TagStep::Set(tags([("Name", "new")]).0));
        assert_eq!(InternetGateway::next_step(&attached_to("vpc-1"), Some(&desired)), Some(step));
    }

    #[test]
    fn attaching_is_waited_for() {
        assert_eq!(attached_to("vpc-1").readiness, Readiness::Ready);
        assert_eq!(observed(Some(("vpc-1", AttachmentStatus::Attached))).readiness, Readiness::Ready);
        let attaching = observed(Some(("vpc-1", AttachmentStatus::Attaching)));
        assert_eq!(attaching.readiness, Readiness::Pending("attaching".to_owned()));
        assert_eq!(
            observed(Some(("vpc-1", AttachmentStatus::Detached))).inputs.vpc_id.as_deref(),
            Some(DETACHED)
        );
    }

    #[test]
    fn outputs_are_observed() {
        let arn = "arn:aws:ec2:us-east-1:111122223333:internet-gateway/igw-1";
        assert_eq!(observed(None).outputs.arn, arn);
        assert_eq!(observed(None).outputs.owner_id.as_deref(), Some("111122223333"));
    }
}
