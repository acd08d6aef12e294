//! What an account has of a stack: everything with the stack's tag, and the things of IAM that its
//! spec names, which the search by tags does not know.

use aws_sdk_iam::types::Tag;
use aws_sdk_resourcegroupstagging::types::{ResourceTagMapping, Tag as ResourceTag, TagFilter};
use futures::future::try_join;
use straddle_engine::address::{Kind, RemoteId};
use straddle_engine::audit::{Audit, Search, Trace};
use straddle_engine::permission::Need;
use straddle_engine::provider::{BoxFuture, Connection, ErrorClass, ProviderError};
use straddle_engine::resource::{ADDRESS_TAG, STACK_TAG};
use straddle_engine::value::Value;

use crate::client::Client;
use crate::elb::{CLUSTER_TAG, INGRESS_TAG};
use crate::error::{answered, failed};

const PERMISSIONS: &[Need] =
    &[Need::read(&["tag:GetResources", "iam:GetRole", "iam:GetPolicy", "iam:GetOpenIDConnectProvider"])];

/// Finds the things of a stack.
pub(crate) struct ByTagsAndNames;

impl Audit for ByTagsAndNames {
    fn find<'a>(
        &'a self,
        connection: &'a Connection,
        search: &'a Search,
    ) -> BoxFuture<'a, Result<Vec<Trace>, ProviderError>> {
        Box::pin(async move {
            let client: &Client = connection.client();
            let (tagged, named) = try_join(tagged(client, &search.stack_id), named(client, search)).await?;
            Ok(tagged.into_iter().chain(named).collect())
        })
    }

    fn permissions(&self) -> &'static [Need] {
        PERMISSIONS
    }
}

async fn tagged(client: &Client, stack_id: &str) -> Result<Vec<Trace>, ProviderError> {
    let filter = TagFilter::builder().key(STACK_TAG).values(stack_id).build();
    let call = client.tagging.get_resources().tag_filters(filter);
    let pages = call.into_paginator().items().send();
    let found: Vec<ResourceTagMapping> =
        pages.collect::<Result<_, _>>().await.map_err(failed("GetResources"))?;
    Ok(found.iter().filter_map(trace).collect())
}

fn trace(found: &ResourceTagMapping) -> Option<Trace> {
    let arn = found.resource_arn()?;
    let tags = found.tags();
    let address = tags.iter().find(|tag| tag.key() == ADDRESS_TAG).map(|tag| tag.value().to_owned());
    let (kind, id) = match kind_and_id(arn) {
        Some((kind, id)) => (Some(Kind::new(kind)), id),
        None => (None, arn.to_owned()),
    };
    let tag = |key: &str| tags.iter().find(|tag| tag.key() == key).map(ResourceTag::value);
    // What a controller makes may carry the stack's tag too, if it is told to give it.
    let part_of =
        tag(CLUSTER_TAG).zip(tag(INGRESS_TAG)).map(|(cluster, ingress)| format!("{cluster}/{ingress}"));
    Some(Trace { kind, id: RemoteId::new(id), arn: Some(arn.to_owned()), address, part_of })
}

/// The types of things of EC2, as their ARNs have them, whose ids are the last part of it.
const EC2: [(&str, &str); 10] = [
    ("elastic-ip", "eip"),
    ("internet-gateway", "internet_gateway"),
    ("launch-template", "launch_template"),
    ("natgateway", "nat_gateway"),
    ("route-table", "route_table"),
    ("security-group", "security_group"),
    ("security-group-rule", "security_group_rule"),
    ("subnet", "subnet"),
    ("vpc", "vpc"),
    ("vpc-endpoint", "vpc_endpoint"),
];

/// Returns the kind of the thing with this ARN, and its id as that kind has it.
fn kind_and_id(arn: &str) -> Option<(&'static str, String)> {
    let mut parts = arn.splitn(6, ':');
    let (service, rest) = (parts.nth(2)?, parts.nth(2)?);
    let (resource_type, name) = rest.split_once('/')?;
    let by_arn = |kind| Some((kind, arn.to_owned()));
    match (service, resource_type) {
        ("ec2", _) => {
            let (_, kind) = EC2.iter().find(|(of_arn, _)| *of_arn == resource_type)?;
            Some((*kind, name.to_owned()))
        }
        ("elasticloadbalancing", "loadbalancer") if name.starts_with("app/") || name.starts_with("net/") => {
            by_arn("load_balancer")
        }
        ("elasticloadbalancing", "targetgroup") => by_arn("target_group"),
        ("elasticloadbalancing", "listener") => by_arn("listener"),
        ("ram", "resource-share") => by_arn("ram_resource_share"),
        ("iam", "oidc-provider") => by_arn("iam_openid_connect_provider"),
        ("iam", "policy") => by_arn("iam_policy"),
        ("eks", "cluster") => Some(("eks_cluster", name.to_owned())),
        _ => None,
    }
}

/// Returns the things of IAM with names that the spec gives and with the stack's tag: roles are not
/// among what the search by tags finds, and the others only in the region that has IAM ("Services
/// that support the Resource Groups Tagging API").
async fn named(client: &Client, search: &Search) -> Result<Vec<Trace>, ProviderError> {
    let mut found = Vec::new();
    for (kind, inputs) in &search.expected {
        let text = |name: &str| inputs.get(name).and_then(Value::as_str);
        let place = format!("arn:{}:iam::{}", client.place.partition, client.place.account);
        let read = match (kind.as_str(), text("name"), text("url")) {
            ("iam_role", Some(name), _) => role(client, name).await,
            ("iam_policy", Some(name), _) => {
                policy(client, format!("{place}:policy{}{name}", text("path").unwrap_or("/"))).await
            }
            ("iam_openid_connect_provider", _, Some(url)) => {
                let issuer = url.strip_prefix("https://").unwrap_or(url);
                provider(client, format!("{place}:oidc-provider/{issuer}")).await
            }
            _ => continue,
        };
        let Named { id, arn, tags } = match read {
            Ok(named) => named,
            Err(error) if error.class == ErrorClass::NotFound => continue,
            Err(error) => return Err(error),
        };
        let tag = |key: &str| tags.iter().find(|tag| tag.key() == key).map(|tag| tag.value().to_owned());
        if tag(STACK_TAG).as_deref() == Some(&search.stack_id) {
            let (kind, address) = (Some(kind.clone()), tag(ADDRESS_TAG));
            found.push(Trace { kind, id: RemoteId::new(id), arn: Some(arn), address, part_of: None });
        }
    }
    Ok(found)
}

/// Something of IAM.
struct Named {
    id: String,
    arn: String,
    tags: Vec<Tag>,
}

async fn role(client: &Client, name: &str) -> Result<Named, ProviderError> {
    let answer = client.iam.reads.get_role().role_name(name).send().await.map_err(failed("GetRole"))?;
    let role = answered("GetRole", answer.role())?;
    Ok(Named { id: name.to_owned(), arn: role.arn().to_owned(), tags: role.tags().to_vec() })
}

async fn policy(client: &Client, arn: String) -> Result<Named, ProviderError> {
    let answer = client.iam.reads.get_policy().policy_arn(&arn).send().await.map_err(failed("GetPolicy"))?;
    let policy = answered("GetPolicy", answer.policy())?;
    Ok(Named { id: arn.clone(), arn, tags: policy.tags().to_vec() })
}

async fn provider(client: &Client, arn: String) -> Result<Named, ProviderError> {
    let call = client.iam.reads.get_open_id_connect_provider().open_id_connect_provider_arn(&arn);
    let answer = call.send().await.map_err(failed("GetOpenIDConnectProvider"))?;
    Ok(Named { id: arn.clone(), arn, tags: answer.tags().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_controller_made_is_part_of_what_it_made_it_of() {
        let tag = |key: &str, value: &str| {
            ResourceTag::builder().key(key).value(value).build().expect("it has both")
        };
        let made = ResourceTagMapping::builder()
            .resource_arn(
                "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/k8s-game2048-service2-25975f05db/7",
            )
            .tags(tag(CLUSTER_TAG, "EKSTestDrive"))
            .tags(tag(INGRESS_TAG, "game-2048/ingress-2048"));
        let part_of = trace(&made.build()).and_then(|trace| trace.part_of);
        assert_eq!(part_of.as_deref(), Some("EKSTestDrive/game-2048/ingress-2048"));
    }

    #[test]
    fn arns_lead_to_kinds_and_ids() {
        let balancer = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/web/5";
        let share = "arn:aws:ram:us-east-1:1:resource-share/7";
        let provider = "arn:aws:iam::1:oidc-provider/oidc.example.com/id/A";
        let known = [
            ("arn:aws:ec2:us-east-1:1:vpc/vpc-1", "vpc", "vpc-1"),
            ("arn:aws:ec2:us-east-1:1:elastic-ip/eipalloc-1", "eip", "eipalloc-1"),
            (balancer, "load_balancer", balancer),
            (share, "ram_resource_share", share),
            (provider, "iam_openid_connect_provider", provider),
            ("arn:aws:eks:us-east-1:1:cluster/main", "eks_cluster", "main"),
        ];
        for (arn, kind, id) in known {
            assert_eq!(kind_and_id(arn), Some((kind, id.to_owned())), "{arn}");
        }
        assert_eq!(kind_and_id("arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/old"), None);
        assert_eq!(kind_and_id("arn:aws:ec2:us-east-1:1:network-interface/eni-1"), None);
        assert_eq!(kind_and_id("arn:aws:sqs:us-east-1:1:queue"), None);
    }
}
