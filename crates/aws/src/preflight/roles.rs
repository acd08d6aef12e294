//! The roles that services act with.

use std::collections::BTreeSet;

use futures::future::join_all;
use straddle_engine::address::AccountName;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Subject};
use straddle_engine::provider::{ErrorClass, ProviderError};

use super::found;
use crate::client::Client;
use crate::error::failed;

/// The roles that are linked to services.
pub(crate) struct ServiceLinkedRoles;

/// What of the spec lets which service act, and with which role ("AWS services that work with IAM").
const LINKED: &[(&str, &str, &str)] = &[
    ("load_balancer", "elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    ("ingress_load_balancer", "elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    ("eks_cluster", "eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
    ("eks_node_group", "eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup"),
    ("eks_node_group", "autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ("eks_fargate_profile", "eks-fargate.amazonaws.com", "AWSServiceRoleForAmazonEKSForFargate"),
];

impl Check for ServiceLinkedRoles {
    const NAME: &'static str = "service_linked_roles";
    const ABOUT: &'static str = "the services have the roles that they act with, or may get them";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["iam:GetRole"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let wanted = LINKED.iter().flat_map(|(kind, service, role)| {
            subject.made(kind).map(move |item| (&item.account, *service, *role))
        });
        let wanted: BTreeSet<_> = wanted.collect();
        let looks = wanted.into_iter().map(|(account, service, role)| async move {
            let client = subject.account(account).1.client();
            found(account, look(account, client, service, role).await)
        });
        join_all(looks).await.concat()
    }
}

async fn look(
    account: &AccountName,
    client: &Client,
    service: &str,
    role: &str,
) -> Result<Vec<Finding>, ProviderError> {
    let answer = client.iam.reads.get_role().role_name(role).send().await.map_err(failed("GetRole"));
    Ok(vec![match answer {
        Ok(_) => Finding::ok(account, format!("{service} has its role {role}.")),
        Err(error) if error.class == ErrorClass::NotFound => missing(account, service, role),
        Err(error) => return Err(error),
    }])
}

/// A service makes its role at first use, in the name of whoever uses it.
fn missing(account: &AccountName, service: &str, role: &str) -> Finding {
    Finding::warning(
        account,
        format!("{service} does not have its role {role} yet. It makes it at first use, if the caller may."),
        format!(
            "Make it beforehand, with `aws iam create-service-linked-role --aws-service-name {service}` or an \
             `iam_service_linked_role`, or let the caller do iam:CreateServiceLinkedRole."
        ),
    )
}
