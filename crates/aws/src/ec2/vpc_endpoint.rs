//! `vpc_endpoint`: the way to a service of AWS that does not lead over the internet.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::types::{self, ResourceType, SecurityGroupIdentifier, State, VpcEndpointType};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Theme};
use straddle_engine::permission::Need;
use straddle_engine::policy::Policy;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::check::{is_set, problem};
use super::listing::{Found, PAGE_SIZE};
use super::named::{GROUPS, SUBNETS, TABLES, VPC};
use super::tags::TagStep;
use super::{SERVICE, filters, tags};
use crate::client::Client;
use crate::error::{answered, failed, refused};

/// The sort of endpoint that EC2 makes if none is named.
const GATEWAY: &str = "Gateway";

/// The kind.
pub(crate) struct VpcEndpoint;

/// The way to a service of AWS, or to somebody's own, that does not lead over the internet. Only
/// the account that owns the VPC can make one.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct VpcEndpointInputs {
    /// The service, such as `com.amazonaws.us-east-1.s3`.
    #[attribute(replace)]
    service_name: String,
    /// The VPC.
    #[attribute(replace, refers_to = "vpc")]
    vpc_id: String,
    /// `Gateway` puts a route into tables (S3 and `DynamoDB`, at no cost); the others put an
    /// interface into subnets.
    #[attribute(replace, default = "Gateway", one_of = ["Gateway", "Interface", "GatewayLoadBalancer"])]
    endpoint_type: Option<String>,
    /// The route tables that a gateway endpoint is in.
    #[attribute(refers_to = "route_table", default = Vec::<Value>::new())]
    route_table_ids: Option<BTreeSet<String>>,
    /// The subnets that the other sorts are in, one for each zone.
    #[attribute(refers_to = "subnet", holds, default = Vec::<Value>::new())]
    subnet_ids: Option<BTreeSet<String>>,
    /// The security groups of an interface endpoint. Without any it gets the VPC's default group.
    #[attribute(refers_to = "security_group", holds)]
    security_group_ids: Option<BTreeSet<String>>,
    /// Whether the service's own name leads to an interface endpoint. The VPC needs
    /// `enable_dns_support` and `enable_dns_hostnames`.
    private_dns_enabled: Option<bool>,
    /// Who may do what through the endpoint: an IAM policy, as a table or JSON text. It is compared
    /// by what it means. Everything is allowed by default.
    #[attribute(default = full_access())]
    policy: Option<Policy>,
    /// The tags.
    tags: Option<Tags>,
}

/// Returns the policy that an endpoint has if none is set (EC2 user guide, "Default endpoint policy").
fn full_access() -> Policy {
    Policy::from_text(
        r#"{"Version": "2008-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#,
    )
}

/// What EC2 says about an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct VpcEndpointOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns the endpoint.
    owner_id: Option<String>,
    /// `available`, or `pendingacceptance` until the owner of the service has accepted it.
    #[attribute(volatile)]
    state: Option<String>,
    /// The names that lead to an interface endpoint, the one for all zones first.
    #[attribute(volatile)]
    dns_names: Option<Vec<String>>,
    /// The network interfaces.
    #[attribute(volatile)]
    network_interface_ids: Option<BTreeSet<String>>,
}

impl Listing for Found<types::VpcEndpoint> {
    type Client = Client;

    /// Reads every endpoint: there are few of them (50 in a VPC unless AWS has raised it), and not
    /// every emulator of EC2 filters them by id.
    async fn fetch(client: &Client, _: &[RemoteId]) -> Result<Self, ProviderError> {
        let call = client.ec2.reads.describe_vpc_endpoints();
        let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
        let endpoints = pages.collect::<Result<_, _>>().await.map_err(failed("DescribeVpcEndpoints"))?;
        Ok(Self::new(&client.place, endpoints))
    }
}

/// A change of an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum VpcEndpointStep {
    Modify(Box<Changes>),
    Tag(TagStep),
    Delete,
}

/// What one call changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Changes {
    route_tables: Members,
    subnets: Members,
    security_groups: Members,
    private_dns_enabled: Option<bool>,
    policy: Option<Policy>,
}

/// What is missing in a list, and what it has too much.
#[derive(Debug, Clone, Default, PartialEq)]
struct Members {
    added: Vec<String>,
    removed: Vec<String>,
}

impl Members {
    /// Compares two lists. One that the spec leaves open never changes.
    fn between(found: Option<&BTreeSet<String>>, desired: Option<&BTreeSet<String>>) -> Self {
        let nothing = BTreeSet::new();
        let found = found.unwrap_or(&nothing);
        let desired = desired.unwrap_or(found);
        Self {
            added: desired.difference(found).cloned().collect(),
            removed: found.difference(desired).cloned().collect(),
        }
    }
}

impl Step for VpcEndpointStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Modify(_) => "ModifyVpcEndpoint",
            Self::Tag(step) => step.operation(),
            Self::Delete => "DeleteVpcEndpoints",
        }
    }
}

impl Resource for VpcEndpoint {
    const KIND: &'static str = "vpc_endpoint";
    const ID_FORM: &'static str = "vpce-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        // Two endpoints for a service cannot have the same name or stand in the same table.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(15),
        poll: Duration::from_secs(5),
    };
    const DEPICTION: Depiction = Depiction {
        title: "VPC endpoint",
        theme: Theme::Network,
        within: &["subnet_ids", "vpc_id"],
        details: &["service_name"],
        ..Depiction::THING
    };
    const EXAMPLE: &'static str = include_str!("vpc_endpoint/example.toml");
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:vpc-endpoint/{id}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeVpcEndpoints"]),
        Need::create(&["ec2:CreateVpcEndpoint"]).on(&["{arn}", VPC, TABLES, SUBNETS, GROUPS]),
        tags::given_at_birth(&[("ec2:CreateAction", "CreateVpcEndpoint")]),
        // The names of the endpoint are a zone of Route 53 that EC2 lets the VPC see in the caller's name.
        Need::create(&["route53:AssociateVPCWithHostedZone"]).only_if("private_dns_enabled", "true"),
        Need::update(&["ec2:ModifyVpcEndpoint"]).on(&["{arn}", TABLES, SUBNETS, GROUPS]).changing(&[
            "route_table_ids",
            "subnet_ids",
            "security_group_ids",
            "private_dns_enabled",
            "policy",
        ]),
        tags::CHANGED,
        Need::delete(&["ec2:DeleteVpcEndpoints"]).on(&["{arn}"]),
    ];

    type Inputs = VpcEndpointInputs;
    type Outputs = VpcEndpointOutputs;
    type Client = Client;
    type Listing = Found<types::VpcEndpoint>;
    type Step = VpcEndpointStep;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let endpoint_type = inputs.get("endpoint_type").filter(|value| !value.is_null());
        let endpoint_type = endpoint_type.map_or(Some(GATEWAY), Value::as_str);
        let is_gateway = endpoint_type.map(|endpoint_type| endpoint_type == GATEWAY);
        let wrong = |attribute: &'static str, of_gateway: bool| {
            let misplaced = is_set(inputs, attribute) && is_gateway == Some(!of_gateway);
            misplaced.then(|| not_of_this_type(attribute, of_gateway))
        };
        [
            wrong("route_table_ids", true),
            wrong("subnet_ids", false),
            wrong("security_group_ids", false),
            wrong("private_dns_enabled", false),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn observe(
        listing: &Self::Listing,
        id: &RemoteId,
    ) -> Option<Observed<VpcEndpointInputs, VpcEndpointOutputs>> {
        let id = id.as_str();
        let endpoint = listing.thing(id)?;
        let names = endpoint.dns_entries().iter().filter_map(|entry| entry.dns_name());
        Some(Observed {
            inputs: observed_inputs(endpoint),
            outputs: VpcEndpointOutputs {
                arn: listing.place.ec2_arn(endpoint.owner_id(), "vpc-endpoint", id),
                owner_id: endpoint.owner_id().map(str::to_owned),
                state: state(endpoint),
                dns_names: Some(names.map(str::to_owned).collect()),
                network_interface_ids: Some(endpoint.network_interface_ids().iter().cloned().collect()),
            },
            readiness: endpoint_readiness(endpoint)?,
        })
    }

    /// The SDK makes no client token by itself for this call.
    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &VpcEndpointInputs,
    ) -> Result<RemoteId, ProviderError> {
        let endpoint_type = inputs.endpoint_type.as_deref().unwrap_or(GATEWAY);
        let call = client
            .ec2
            .writes
            .create_vpc_endpoint()
            .client_token(&intent.token)
            .service_name(&inputs.service_name)
            .vpc_id(&inputs.vpc_id)
            .vpc_endpoint_type(VpcEndpointType::from(endpoint_type))
            .set_route_table_ids(texts(inputs.route_table_ids.as_ref()))
            .set_subnet_ids(texts(inputs.subnet_ids.as_ref()))
            .set_security_group_ids(texts(inputs.security_group_ids.as_ref()))
            .set_private_dns_enabled(inputs.private_dns_enabled)
            .set_policy_document(inputs.policy.as_ref().and_then(Policy::to_text))
            .tag_specifications(tags::at_birth(ResourceType::VpcEndpoint, intent, inputs.tags.as_ref()));
        let answer = call.send().await.map_err(failed("CreateVpcEndpoint"))?;
        let id = answer.vpc_endpoint().and_then(types::VpcEndpoint::vpc_endpoint_id);
        answered("CreateVpcEndpoint", id).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<VpcEndpointInputs, VpcEndpointOutputs>,
        desired: Option<&VpcEndpointInputs>,
    ) -> Option<VpcEndpointStep> {
        let Some(desired) = desired else { return Some(VpcEndpointStep::Delete) };
        let found = &observed.inputs;
        let changes = Changes {
            route_tables: Members::between(found.route_table_ids.as_ref(), desired.route_table_ids.as_ref()),
            subnets: Members::between(found.subnet_ids.as_ref(), desired.subnet_ids.as_ref()),
            security_groups: Members::between(
                found.security_group_ids.as_ref(),
                desired.security_group_ids.as_ref(),
            ),
            private_dns_enabled: desired
                .private_dns_enabled
                .filter(|wanted| found.private_dns_enabled != Some(*wanted)),
            policy: desired.policy.clone().filter(|wanted| found.policy.as_ref() != Some(wanted)),
        };
        (changes != Changes::default())
            .then(|| VpcEndpointStep::Modify(Box::new(changes)))
            .or_else(|| tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(VpcEndpointStep::Tag))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &VpcEndpointStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, operation) = (&client.ec2.writes, step.operation());
        match step {
            VpcEndpointStep::Modify(changes) => {
                let call = writes.modify_vpc_endpoint().vpc_endpoint_id(id.as_str());
                let call = changes.put_into(call);
                call.send().await.map_err(failed(operation))?;
            }
            VpcEndpointStep::Tag(step) => step.perform(client, id).await?,
            VpcEndpointStep::Delete => {
                let call = writes.delete_vpc_endpoints().vpc_endpoint_ids(id.as_str());
                let answer = call.send().await.map_err(failed(operation))?;
                // An answer without error may still say that nothing was done.
                if let Some(error) = answer.unsuccessful().iter().find_map(types::UnsuccessfulItem::error) {
                    return Err(refused(operation, error.code(), error.message()));
                }
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        _: &VpcEndpointInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let call = client.ec2.reads.describe_vpc_endpoints().filters(filters::made_by(intent));
        let answer = call.send().await.map_err(failed("DescribeVpcEndpoints"))?;
        let ours = answer.vpc_endpoints().iter().filter(|endpoint| {
            tags::are_of(intent, endpoint.tags()) && endpoint_readiness(endpoint).is_some()
        });
        let mut ours: Vec<_> = ours.collect();
        ours.sort_by_key(|endpoint| endpoint.creation_timestamp().copied());
        Ok(ours.into_iter().filter_map(types::VpcEndpoint::vpc_endpoint_id).map(RemoteId::new).collect())
    }
}

type ModifyCall = aws_sdk_ec2::operation::modify_vpc_endpoint::builders::ModifyVpcEndpointFluentBuilder;

impl Changes {
    fn put_into(&self, call: ModifyCall) -> ModifyCall {
        let list = |texts: &Vec<String>| (!texts.is_empty()).then(|| texts.clone());
        let call = call
            .set_add_route_table_ids(list(&self.route_tables.added))
            .set_remove_route_table_ids(list(&self.route_tables.removed))
            .set_add_subnet_ids(list(&self.subnets.added))
            .set_remove_subnet_ids(list(&self.subnets.removed))
            .set_add_security_group_ids(list(&self.security_groups.added))
            .set_remove_security_group_ids(list(&self.security_groups.removed))
            .set_private_dns_enabled(self.private_dns_enabled);
        match &self.policy {
            None => call,
            Some(policy) => call.set_policy_document(policy.to_text()),
        }
    }
}

fn not_of_this_type(attribute: &'static str, of_gateway: bool) -> Problem {
    let (which, other) =
        if of_gateway { ("Only a", "Gateway") } else { ("No gateway endpoint, only an", "Interface") };
    problem(
        attribute,
        format!("{which} endpoint of the type `{other}` takes `{attribute}`."),
        format!("Remove it, or set `endpoint_type = \"{other}\"`."),
    )
}

/// Returns the state in small letters: EC2 writes it now this way, now that.
fn state(endpoint: &types::VpcEndpoint) -> Option<String> {
    endpoint.state().map(|state| State::as_str(state).to_ascii_lowercase())
}

/// Returns `None` for an endpoint that is deleted: EC2 goes on listing it for a while.
fn endpoint_readiness(endpoint: &types::VpcEndpoint) -> Option<Readiness> {
    let state = state(endpoint);
    Some(match state.as_deref() {
        Some("deleted") => return None,
        Some(state @ ("failed" | "rejected" | "expired")) => Readiness::Failed(failure(endpoint, state)),
        // Whether and when the owner of a service accepts it is nothing to wait for.
        Some("available" | "pendingacceptance") | None => Readiness::Ready,
        Some(state) => Readiness::Pending(state.to_owned()),
    })
}

fn failure(endpoint: &types::VpcEndpoint, state: &str) -> String {
    let last = endpoint.last_error().and_then(types::LastError::message);
    match last.or(endpoint.failure_reason()).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{state}: {reason}"),
        None => state.to_owned(),
    }
}

fn observed_inputs(endpoint: &types::VpcEndpoint) -> VpcEndpointInputs {
    let groups = endpoint.groups().iter().filter_map(SecurityGroupIdentifier::group_id);
    VpcEndpointInputs {
        service_name: endpoint.service_name().unwrap_or_default().to_owned(),
        vpc_id: endpoint.vpc_id().unwrap_or_default().to_owned(),
        endpoint_type: Some(endpoint.vpc_endpoint_type().map_or(GATEWAY, VpcEndpointType::as_str).to_owned()),
        route_table_ids: Some(endpoint.route_table_ids().iter().cloned().collect()),
        subnet_ids: Some(endpoint.subnet_ids().iter().cloned().collect()),
        security_group_ids: Some(groups.map(str::to_owned).collect()),
        private_dns_enabled: endpoint.private_dns_enabled(),
        policy: endpoint.policy_document().map(Policy::from_text),
        tags: Some(tags::observed(endpoint.tags())),
    }
}

/// Returns the texts in a list of a request; a list without any is left out.
fn texts(set: Option<&BTreeSet<String>>) -> Option<Vec<String>> {
    set.filter(|set| !set.is_empty()).map(|set| set.iter().cloned().collect())
}

#[cfg(test)]
mod tests;
