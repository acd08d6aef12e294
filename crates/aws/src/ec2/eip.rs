//! `eip`: an Elastic IP address.

use std::time::Duration;

use aws_sdk_ec2::types::{self, DomainType, ResourceType};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Listing, Observed, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::listing::Found;
use super::tags::TagStep;
use super::{SERVICE, filters, tags};
use crate::blockers::INTERFACES_READ;
use crate::client::Client;
use crate::error::{answered, failed, unless};
use crate::essential;

/// The kind.
pub(crate) struct Eip;

/// An Elastic IP address: a public IPv4 address that stays the account's until it is released.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct EipInputs {
    /// The address itself, to get one back that was released or to pick one from a pool.
    #[attribute(replace)]
    address: Option<String>,
    /// The pool of the account's own addresses that it is taken from; `amazon` is Amazon's.
    #[attribute(replace)]
    public_ipv4_pool: Option<String>,
    /// The pool of IP Address Manager that it is taken from.
    #[attribute(replace, write_only)]
    ipam_pool_id: Option<String>,
    /// The zones from which the address is announced; the region's name unless it is a local zone's.
    #[attribute(replace)]
    network_border_group: Option<String>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EC2 says about an Elastic IP address.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct EipOutputs {
    /// The ARN.
    arn: String,
    /// The address.
    public_ip: Option<String>,
    /// The id of the association with a network interface, such as that of a NAT gateway.
    #[attribute(volatile)]
    association_id: Option<String>,
    /// The network interface that has the address.
    #[attribute(volatile)]
    network_interface_id: Option<String>,
    /// The private address that it stands for.
    #[attribute(volatile)]
    private_ip: Option<String>,
}

impl Listing for Found<types::Address> {
    type Client = Client;

    /// `DescribeAddresses` has no pages.
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let call = client.ec2.reads.describe_addresses().set_filters(filters::ids("allocation-id", ids));
        let answer = call.send().await.map_err(failed("DescribeAddresses"))?;
        Ok(Self::new(&client.place, answer.addresses.unwrap_or_default()))
    }
}

/// A change of an Elastic IP address.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EipStep {
    Disassociate { association_id: String },
    Release { network_border_group: Option<String> },
    Tag(TagStep),
}

impl Step for EipStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Disassociate { .. } => "DisassociateAddress",
            Self::Release { .. } => "ReleaseAddress",
            Self::Tag(step) => step.operation(),
        }
    }
}

impl Resource for Eip {
    const KIND: &'static str = "eip";
    const ID_FORM: &'static str = "eipalloc-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::TagSearch,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction { title: "address", form: Form::Note, ..Depiction::THING };
    const EXAMPLE: &'static str = include_str!("eip/example.toml");
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:elastic-ip/{id}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeAddresses"]),
        Need::create(&["ec2:AllocateAddress"]).on(&["{arn}"]),
        tags::given_at_birth(&[("ec2:CreateAction", "AllocateAddress")]),
        tags::CHANGED,
        Need::delete(&["ec2:ReleaseAddress"]).on(&["{arn}"]),
        // Who uses it may let go of it any moment: then EC2 knows no address that the call is about.
        Need::delete(&["ec2:DisassociateAddress"]),
        INTERFACES_READ,
    ];

    type Inputs = EipInputs;
    type Outputs = EipOutputs;
    type Client = Client;
    type Listing = Found<types::Address>;
    type Step = EipStep;

    fn essential(found: ValueMap) -> ValueMap {
        let found = essential::unless_chosen(found, "public_ipv4_pool", &[Value::from("amazon")]);
        // An address is had by its id; a border group that is a region ends with its only number.
        let group = found.get("network_border_group").and_then(Value::as_str).unwrap_or_default();
        let is_number = |word: &str| word.parse::<u8>().is_ok();
        let is_region = group.rsplit('-').next().is_some_and(is_number)
            && group.split('-').filter(|word| is_number(word)).count() == 1;
        let surplus: &[&str] = if is_region { &["address", "network_border_group"] } else { &["address"] };
        essential::without(found, surplus)
    }

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<EipInputs, EipOutputs>> {
        let id = id.as_str();
        let address = listing.thing(id)?;
        Some(Observed {
            inputs: EipInputs {
                address: filled(address.public_ip()),
                public_ipv4_pool: filled(address.public_ipv4_pool()),
                ipam_pool_id: None,
                network_border_group: filled(address.network_border_group()),
                tags: Some(tags::observed(address.tags())),
            },
            outputs: EipOutputs {
                arn: listing.place.ec2_arn(None, "elastic-ip", id),
                public_ip: filled(address.public_ip()),
                association_id: filled(address.association_id()),
                network_interface_id: filled(address.network_interface_id()),
                private_ip: filled(address.private_ip_address()),
            },
            readiness: Readiness::Ready,
        })
    }

    async fn create(client: &Client, intent: &Intent, inputs: &EipInputs) -> Result<RemoteId, ProviderError> {
        let call = client
            .ec2
            .writes
            .allocate_address()
            .domain(DomainType::Vpc)
            .set_address(inputs.address.clone())
            .set_public_ipv4_pool(inputs.public_ipv4_pool.clone())
            .set_ipam_pool_id(inputs.ipam_pool_id.clone())
            .set_network_border_group(inputs.network_border_group.clone())
            .tag_specifications(tags::at_birth(ResourceType::ElasticIp, intent, inputs.tags.as_ref()));
        let answer = call.send().await.map_err(failed("AllocateAddress"))?;
        answered("AllocateAddress", answer.allocation_id()).map(RemoteId::new)
    }

    fn next_step(observed: &Observed<EipInputs, EipOutputs>, desired: Option<&EipInputs>) -> Option<EipStep> {
        let found = &observed.inputs;
        if let Some(desired) = desired {
            return tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(EipStep::Tag);
        }
        let association_id = observed.outputs.association_id.clone();
        let disassociate = association_id.map(|association_id| EipStep::Disassociate { association_id });
        // Without its border group, EC2 does not find an address of a local zone.
        let release = EipStep::Release { network_border_group: found.network_border_group.clone() };
        disassociate.or(Some(release))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &EipStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let operation = step.operation();
        match step {
            EipStep::Disassociate { association_id } => {
                let call = client.ec2.writes.disassociate_address().association_id(association_id);
                let answer = call.send().await.map_err(failed(operation)).map_err(still_in_use);
                unless(answer, "InvalidAssociationID.NotFound")?;
            }
            EipStep::Release { network_border_group } => {
                let call = client.ec2.writes.release_address().allocation_id(id.as_str());
                let call = call.set_network_border_group(network_border_group.clone());
                call.send().await.map_err(failed(operation)).map_err(still_in_use)?;
            }
            EipStep::Tag(step) => step.perform(client, id).await?,
        }
        Ok(None)
    }

    async fn find(client: &Client, intent: &Intent, _: &EipInputs) -> Result<Vec<RemoteId>, ProviderError> {
        let call = client.ec2.reads.describe_addresses().filters(filters::made_by(intent));
        let answer = call.send().await.map_err(failed("DescribeAddresses"))?;
        Ok(answer.addresses().iter().filter_map(types::Address::allocation_id).map(RemoteId::new).collect())
    }
}

/// Returns a text that says something: where nothing is associated, the answer has empty ones.
fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Sorts a refusal anew. While a NAT gateway has the address, also shortly after it is deleted, EC2
/// answers that the caller may not touch the gateway's interface.
fn still_in_use(error: ProviderError) -> ProviderError {
    let class = if error.code == "AuthFailure" { ErrorClass::Dependency } else { error.class };
    ProviderError { class, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{found, tag, tags};

    fn observed(association_id: &str) -> Observed<EipInputs, EipOutputs> {
        let address = types::Address::builder()
            .allocation_id("eipalloc-1")
            .public_ip("192.0.2.1")
            .network_border_group("us-east-1")
            .association_id(association_id)
            .network_interface_id("")
            .tags(tag("Name", "nat"))
            .build();
        Eip::observe(&found(address), &RemoteId::new("eipalloc-1")).expect("it is listed")
    }

    #[test]
    fn it_is_disassociated_before_it_is_released() {
        let disassociate = EipStep::Disassociate { association_id: "eipassoc-1".to_owned() };
        assert_eq!(Eip::next_step(&observed("eipassoc-1"), None), Some(disassociate));
        let release = EipStep::Release { network_border_group: Some("us-east-1".to_owned()) };
        assert_eq!(Eip::next_step(&observed(""), None), Some(release));
    }

    #[test]
    fn only_tags_change_in_place() {
        let mut desired = observed("").inputs;
        assert_eq!(Eip::next_step(&observed(""), Some(&desired)), None);
        desired.tags = Some(tags([("Name", "new")]));
        let step = EipStep::Tag(TagStep::Set(tags([("Name", "new")]).0));
        assert_eq!(Eip::next_step(&observed("eipassoc-1"), Some(&desired)), Some(step));
    }

    #[test]
    fn what_was_found_is_observed() {
        let outputs = observed("").outputs;
        assert_eq!(outputs.arn, "arn:aws:ec2:us-east-1:111122223333:elastic-ip/eipalloc-1");
        assert_eq!(outputs.public_ip.as_deref(), Some("192.0.2.1"));
        assert_eq!((outputs.association_id, outputs.network_interface_id), (None, None));
    }
}
