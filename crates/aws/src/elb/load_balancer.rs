//! `load_balancer`: an application or network load balancer that straddle makes itself.

mod check;
mod inputs;
mod listing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    self, EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum, IpAddressType, LoadBalancerAttribute,
    LoadBalancerSchemeEnum, LoadBalancerTypeEnum,
};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Observed, Problem, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use super::attribute_values;
use super::tags::TagStep;
use super::{SERVICE, describe, ownership, tags};
use crate::client::Client;
use crate::error::{answered, failed};

pub(super) use check::name as check_name;
use inputs::{DELETION_PROTECTION, LoadBalancerInputs, SubnetMapping, names};
use listing::LoadBalancers;
pub(super) use listing::readiness as readiness_of;

/// The sort of load balancer that is made if none is named.
const APPLICATION: &str = "application";
const NETWORK: &str = "network";

/// The kind.
pub(crate) struct LoadBalancer;

/// What the service says about a load balancer.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct LoadBalancerOutputs {
    /// The ARN.
    arn: String,
    /// The part of the ARN that names it in metrics: `app/NAME/ID`.
    arn_suffix: String,
    /// The name under which it is reached.
    dns_name: String,
    /// The hosted zone of that name, for alias records.
    zone_id: Option<String>,
    /// The VPC.
    vpc_id: Option<String>,
}

/// A change of a load balancer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LoadBalancerStep {
    SetSubnets(BTreeSet<SubnetMapping>),
    SetIpAddressType(String),
    SetSecurityGroups { groups: BTreeSet<String>, on_private_link: Option<String> },
    SetAttributes(BTreeMap<String, String>),
    Tag(TagStep),
    Delete,
}

impl Step for LoadBalancerStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::SetSubnets(_) => "SetSubnets",
            Self::SetIpAddressType(_) => "SetIpAddressType",
            Self::SetSecurityGroups { .. } => "SetSecurityGroups",
            Self::SetAttributes(_) => "ModifyLoadBalancerAttributes",
            Self::Tag(step) => step.elb_operation(),
            Self::Delete => "DeleteLoadBalancer",
        }
    }
}

impl Resource for LoadBalancer {
    const KIND: &'static str = "load_balancer";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        // There is one of a name, and addresses serve one at a time.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(5),
    };
    const DEPICTION: Depiction = Depiction {
        theme: Theme::Traffic,
        within: &["subnets", "subnet_mappings"],
        details: &["load_balancer_type"],
        arrows: &[Arrow::new(Relation::Traffic, End::Doors, End::Itself)],
        ..Depiction::THING
    };
    const EXAMPLE: &'static str = include_str!("load_balancer/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["name"];
    const IDENTITY: &'static [&'static str] = &["name"];
    const ID_FORM: &'static str = "arn:*:elasticloadbalancing:*:*:loadbalancer/*";
    const ARN: &'static str =
        "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/*/{name}/*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&[
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            "elasticloadbalancing:DescribeTags",
        ]),
        Need::create(&["elasticloadbalancing:CreateLoadBalancer"]).on(&["{arn}"]),
        tags::given_at_birth(&[("elasticloadbalancing:CreateAction", "CreateLoadBalancer")]),
        Need::update(&["elasticloadbalancing:ModifyLoadBalancerAttributes"]).on(&["{arn}"]).setting(&[
            "enable_deletion_protection",
            "enable_cross_zone_load_balancing",
            "enable_zonal_shift",
            "idle_timeout",
            "client_keep_alive",
            "desync_mitigation_mode",
            "drop_invalid_header_fields",
            "preserve_host_header",
            "enable_tls_version_and_cipher_suite_headers",
            "enable_xff_client_port",
            "xff_header_processing_mode",
            "enable_http2",
            "enable_waf_fail_open",
            "dns_record_client_routing_policy",
            "access_logs",
            "connection_logs",
            "attributes",
        ]),
        Need::update(&["elasticloadbalancing:SetSubnets"])
            .on(&["{arn}"])
            .changing(&["subnets", "subnet_mappings"]),
        Need::update(&["elasticloadbalancing:SetIpAddressType"])
            .on(&["{arn}"])
            .changing(&["ip_address_type"]),
        Need::update(&["elasticloadbalancing:SetSecurityGroups"])
            .on(&["{arn}"])
            .setting(&["security_groups", "enforce_security_group_inbound_rules_on_private_link_traffic"]),
        tags::CHANGED,
        Need::delete(&["elasticloadbalancing:ModifyLoadBalancerAttributes"])
            .on(&["{arn}"])
            .only_if("enable_deletion_protection", "true"),
        Need::delete(&["elasticloadbalancing:DeleteLoadBalancer"]).on(&["{arn}"]),
    ];

    type Inputs = LoadBalancerInputs;
    type Outputs = LoadBalancerOutputs;
    type Client = Client;
    type Listing = LoadBalancers;
    type Step = LoadBalancerStep;

    fn essential(found: ValueMap) -> ValueMap {
        inputs::essential(attribute_values::without_free(found))
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        check::problems(inputs)
    }

    fn must_replace_in(observed: &ValueMap, attribute: &str, before: &Value, after: &Value) -> bool {
        let has_none = |groups: &Value| groups.as_list().is_none_or(<[Value]>::is_empty);
        let is_network = observed.get("load_balancer_type") == Some(&Value::from(NETWORK));
        attribute != "security_groups" || (is_network && has_none(before) != has_none(after))
    }

    fn observe(
        listing: &LoadBalancers,
        id: &RemoteId,
    ) -> Option<Observed<LoadBalancerInputs, LoadBalancerOutputs>> {
        listing.observe(id)
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &LoadBalancerInputs,
    ) -> Result<RemoteId, ProviderError> {
        let named = named(client, &inputs.name).await;
        if let Some(arn) = ownership::already_made(client, intent, "CreateLoadBalancer", named).await? {
            return Ok(arn);
        }
        let call = client
            .elb
            .writes
            .create_load_balancer()
            .name(&inputs.name)
            .r#type(LoadBalancerTypeEnum::from(inputs.load_balancer_type.as_deref().unwrap_or(APPLICATION)))
            .scheme(scheme(inputs.internal.unwrap_or_default()))
            .set_subnets(inputs.subnets.as_ref().map(|subnets| subnets.iter().cloned().collect()))
            .set_subnet_mappings(inputs.subnet_mappings.as_ref().map(to_sdk))
            .set_security_groups(
                inputs.security_groups.as_ref().map(|groups| groups.iter().cloned().collect()),
            )
            .set_ip_address_type(inputs.ip_address_type.as_deref().map(IpAddressType::from))
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        let answer = call.send().await.map_err(failed("CreateLoadBalancer"))?;
        let made = answer.load_balancers().first().and_then(types::LoadBalancer::load_balancer_arn);
        answered("CreateLoadBalancer", made).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<LoadBalancerInputs, LoadBalancerOutputs>,
        desired: Option<&LoadBalancerInputs>,
    ) -> Option<LoadBalancerStep> {
        let found = &observed.inputs;
        let Some(desired) = desired else {
            let is_protected = found.enable_deletion_protection == Some(true);
            return Some(if is_protected { without_protection() } else { LoadBalancerStep::Delete });
        };
        let attributes = attribute_values::next_change(
            &names(),
            &LoadBalancerInputs::attributes(),
            &found.to_values(),
            &desired.to_values(),
        );
        subnets_step(found, desired)
            .or_else(|| ip_address_type_step(found, desired))
            .or_else(|| security_groups_step(found, desired))
            .or_else(|| attributes.map(LoadBalancerStep::SetAttributes))
            .or_else(|| {
                tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(LoadBalancerStep::Tag)
            })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &LoadBalancerStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, operation, arn) = (&client.elb.writes, step.operation(), id.as_str());
        match step {
            LoadBalancerStep::SetSubnets(subnets) => {
                let call = writes.set_subnets().load_balancer_arn(arn);
                let call = call.set_subnet_mappings(Some(to_sdk(subnets)));
                call.send().await.map_err(failed(operation))?;
            }
            LoadBalancerStep::SetIpAddressType(ip_address_type) => {
                let call = writes.set_ip_address_type().load_balancer_arn(arn);
                let call = call.ip_address_type(IpAddressType::from(ip_address_type.as_str()));
                call.send().await.map_err(failed(operation))?;
            }
            LoadBalancerStep::SetSecurityGroups { groups, on_private_link } => {
                let on_private_link = on_private_link
                    .as_deref()
                    .map(EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum::from);
                let call = writes
                    .set_security_groups()
                    .load_balancer_arn(arn)
                    .set_security_groups(Some(groups.iter().cloned().collect()))
                    .set_enforce_security_group_inbound_rules_on_private_link_traffic(on_private_link);
                call.send().await.map_err(failed(operation))?;
            }
            LoadBalancerStep::SetAttributes(attributes) => set_attributes(client, arn, attributes).await?,
            LoadBalancerStep::Tag(step) => step.perform_elb(client, id).await?,
            LoadBalancerStep::Delete => {
                let call = writes.delete_load_balancer().load_balancer_arn(arn);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &LoadBalancerInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        ownership::made_by(client, intent, named(client, &inputs.name).await?).await
    }
}

async fn named(client: &Client, name: &str) -> Result<Vec<RemoteId>, ProviderError> {
    let found = describe::load_balancer_named(client, name).await?;
    Ok(found.iter().filter_map(types::LoadBalancer::load_balancer_arn).map(RemoteId::new).collect())
}

async fn set_attributes(
    client: &Client,
    arn: &str,
    attributes: &BTreeMap<String, String>,
) -> Result<(), ProviderError> {
    let attributes = attributes
        .iter()
        .map(|(key, value)| LoadBalancerAttribute::builder().key(key).value(value).build())
        .collect();
    let call = client.elb.writes.modify_load_balancer_attributes().load_balancer_arn(arn);
    let call = call.set_attributes(Some(attributes));
    call.send().await.map_err(failed("ModifyLoadBalancerAttributes"))?;
    Ok(())
}

fn without_protection() -> LoadBalancerStep {
    LoadBalancerStep::SetAttributes([(DELETION_PROTECTION.to_owned(), false.to_string())].into())
}

fn scheme(internal: bool) -> LoadBalancerSchemeEnum {
    if internal { LoadBalancerSchemeEnum::Internal } else { LoadBalancerSchemeEnum::InternetFacing }
}

fn to_sdk(mappings: &BTreeSet<SubnetMapping>) -> Vec<types::SubnetMapping> {
    let mapping = |mapping: &SubnetMapping| {
        types::SubnetMapping::builder()
            .subnet_id(&mapping.subnet_id)
            .set_allocation_id(mapping.allocation_id.clone())
            .set_private_ipv4_address(mapping.private_ipv4_address.clone())
            .set_ipv6_address(mapping.ipv6_address.clone())
            .build()
    };
    mappings.iter().map(mapping).collect()
}

/// Names the call that gives it other subnets. The addresses in subnets that it keeps stay.
fn subnets_step(found: &LoadBalancerInputs, desired: &LoadBalancerInputs) -> Option<LoadBalancerStep> {
    let mappings = found.subnet_mappings.clone().unwrap_or_default();
    if let Some(wanted) = &desired.subnet_mappings {
        return (*wanted != mappings).then(|| LoadBalancerStep::SetSubnets(wanted.clone()));
    }
    let wanted = desired.subnets.as_ref().filter(|wanted| Some(*wanted) != found.subnets.as_ref())?;
    let mapping = |subnet_id: &String| {
        let kept = mappings.iter().find(|mapping| mapping.subnet_id == *subnet_id).cloned();
        kept.unwrap_or_else(|| SubnetMapping { subnet_id: subnet_id.clone(), ..SubnetMapping::default() })
    };
    Some(LoadBalancerStep::SetSubnets(wanted.iter().map(mapping).collect()))
}

fn ip_address_type_step(
    found: &LoadBalancerInputs,
    desired: &LoadBalancerInputs,
) -> Option<LoadBalancerStep> {
    let wanted = desired.ip_address_type.as_ref();
    let wanted = wanted.filter(|wanted| found.ip_address_type.as_ref() != Some(*wanted))?;
    Some(LoadBalancerStep::SetIpAddressType(wanted.clone()))
}

fn security_groups_step(
    found: &LoadBalancerInputs,
    desired: &LoadBalancerInputs,
) -> Option<LoadBalancerStep> {
    let on_private_link = |inputs: &LoadBalancerInputs| {
        inputs.enforce_security_group_inbound_rules_on_private_link_traffic.clone()
    };
    let wanted = desired.security_groups.as_ref().or(found.security_groups.as_ref())?;
    let enforced = on_private_link(desired).filter(|wanted| on_private_link(found).as_ref() != Some(wanted));
    let differs = Some(wanted) != found.security_groups.as_ref() || enforced.is_some();
    differs.then(|| LoadBalancerStep::SetSecurityGroups { groups: wanted.clone(), on_private_link: enforced })
}

#[cfg(test)]
mod tests;
