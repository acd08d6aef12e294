//! Names that only one thing can have, and that somebody else's thing may have already.

use futures::future::join_all;
use straddle_engine::address::RemoteId;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Item, Subject};
use straddle_engine::provider::{Account, ErrorClass, ProviderError};

use super::found;
use crate::client::Client;
use crate::elb::maker::CLUSTER_TAG;
use crate::elb::{describe, tags};
use crate::error::failed;

/// Whether roles, policies and identity providers can be made under their names.
pub(crate) struct IamNames;

/// The kinds that are looked for.
const KINDS: &[&str] = &["iam_role", "iam_policy", "iam_instance_profile", "iam_openid_connect_provider"];

impl Check for IamNames {
    const NAME: &'static str = "iam_names";
    const ABOUT: &'static str = "no role, policy or identity provider has the name of a new one";
    const PERMISSIONS: &'static [Need] = &[Need::read(&[
        "iam:GetRole",
        "iam:GetPolicy",
        "iam:GetInstanceProfile",
        "iam:GetOpenIDConnectProvider",
    ])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let made = KINDS.iter().flat_map(|kind| subject.made(kind));
        let looks = made.map(|item| async move {
            let (account, connection) = subject.account(&item.account);
            found(&item.account, look(item, account, connection.client()).await)
        });
        join_all(looks).await.concat()
    }
}

async fn look(item: &Item, account: &Account, client: &Client) -> Result<Vec<Finding>, ProviderError> {
    let iam = &client.iam.reads;
    let path = item.text("path").unwrap_or("/");
    let arn =
        |kind: &str, rest: &str| format!("arn:{}:iam::{}:{kind}{rest}", client.place.partition, account.id);
    let (name, answer) = match (item.kind.as_str(), item.text("name"), item.text("url")) {
        ("iam_role", Some(name), _) => (
            name.to_owned(),
            iam.get_role().role_name(name).send().await.map(drop).map_err(failed("GetRole")),
        ),
        ("iam_policy", Some(name), _) => {
            let arn = arn("policy", &format!("{path}{name}"));
            let answer =
                iam.get_policy().policy_arn(&arn).send().await.map(drop).map_err(failed("GetPolicy"));
            (arn, answer)
        }
        ("iam_instance_profile", Some(name), _) => {
            let call = iam.get_instance_profile().instance_profile_name(name);
            (name.to_owned(), call.send().await.map(drop).map_err(failed("GetInstanceProfile")))
        }
        ("iam_openid_connect_provider", _, Some(url)) => {
            let arn = arn("oidc-provider/", url.trim_start_matches("https://"));
            let call = iam.get_open_id_connect_provider().open_id_connect_provider_arn(&arn);
            let answer = call.send().await.map(drop).map_err(failed("GetOpenIDConnectProvider"));
            (arn, answer)
        }
        // Its name is not known yet.
        _ => return Ok(Vec::new()),
    };
    judge(item, &name, answer).map(|finding| vec![finding])
}

fn judge(item: &Item, name: &str, answer: Result<(), ProviderError>) -> Result<Finding, ProviderError> {
    let Item { account, address, .. } = item;
    match answer {
        Ok(()) => Ok(Finding::failed(
            account,
            format!("{name} exists already, so that {address} cannot be made."),
            format!("Import it as {address}, delete it if nobody needs it, or take another name."),
        )),
        Err(error) if error.class == ErrorClass::NotFound => {
            Ok(Finding::ok(account, format!("{name} is free for {address}.")))
        }
        Err(error) => Err(error),
    }
}

/// Whether security groups can be made under their names.
pub(crate) struct GroupNames;

impl Check for GroupNames {
    const NAME: &'static str = "group_names";
    const ABOUT: &'static str = "no security group of a VPC has the name of a new one";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["ec2:DescribeSecurityGroups"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        // Nothing is in a VPC that is not there yet.
        let known = subject
            .made("security_group")
            .filter_map(|group| Some((group, group.text("vpc_id")?, group.text("name")?)));
        let looks = known.map(|(group, vpc, name)| async move {
            let client = subject.account(&group.account).1.client();
            found(&group.account, groups(group, client, vpc, name).await)
        });
        join_all(looks).await.concat()
    }
}

async fn groups(group: &Item, client: &Client, vpc: &str, name: &str) -> Result<Vec<Finding>, ProviderError> {
    let call = client.ec2.reads.describe_security_groups().filters(crate::ec2::equals("vpc-id", vpc));
    let found = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let found = found.map_err(failed("DescribeSecurityGroups"))?;
    let same = |other: &&aws_sdk_ec2::types::SecurityGroup| {
        other.group_name().is_some_and(|other| other.eq_ignore_ascii_case(name))
            && other.owner_id() == Some(client.place.account.as_str())
    };
    let taken = found.iter().find(same).and_then(|group| group.group_id());
    Ok(vec![match taken {
        Some(id) => Finding::failed(
            &group.account,
            format!("{id} in {vpc} has the name {name} already, so that {} cannot be made.", group.address),
            "Import it, delete it if nobody needs it, or take another name.",
        ),
        None => Finding::ok(&group.account, format!("The name {name} is free in {vpc}.")),
    }])
}

/// Whether load balancers and target groups can be made under their names.
pub(crate) struct BalancerNames;

impl Check for BalancerNames {
    const NAME: &'static str = "load_balancer_names";
    const ABOUT: &'static str = "no load balancer or target group has the name of a new one";
    const PERMISSIONS: &'static [Need] = &[Need::read(&[
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTags",
    ])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let made = ["load_balancer", "ingress_load_balancer", "target_group"];
        let made = made.into_iter().flat_map(|kind| subject.made(kind));
        let named = made.filter_map(|item| Some((item, item.text("name")?)));
        let looks = named.map(|(item, name)| async move {
            let client = subject.account(&item.account).1.client();
            found(&item.account, balancer(item, client, name).await)
        });
        join_all(looks).await.concat()
    }
}

async fn balancer(item: &Item, client: &Client, name: &str) -> Result<Vec<Finding>, ProviderError> {
    let arn = if item.kind.as_str() == "target_group" {
        let found = describe::target_group_named(client, name).await?;
        found.and_then(|group| group.target_group_arn().map(RemoteId::new))
    } else {
        let found = describe::load_balancer_named(client, name).await?;
        found.and_then(|balancer| balancer.load_balancer_arn().map(RemoteId::new))
    };
    let maker = match &arn {
        Some(arn) if item.kind.as_str() == "ingress_load_balancer" => {
            let tags = tags::of(client, vec![arn.clone()]).await?;
            tags.into_values().next().and_then(|mut tags| tags.0.remove(CLUSTER_TAG))
        }
        Some(_) | None => None,
    };
    Ok(vec![judge_balancer(item, name, arn.as_ref(), maker.as_deref())])
}

/// Judges by what has the name, and by the cluster whose controller made that.
fn judge_balancer(item: &Item, name: &str, taken: Option<&RemoteId>, maker: Option<&str>) -> Finding {
    let Item { account, address, .. } = item;
    let cluster = item.text("ingress.cluster.name").or_else(|| item.text("ingress.cluster"));
    match taken {
        None => Finding::ok(account, format!("The name {name} is free for {address}.")),
        Some(_) if maker.is_some() && maker == cluster => {
            Finding::ok(account, format!("{name} is there already, and is the one of {address}."))
        }
        Some(arn) => Finding::failed(
            account,
            format!("{arn} has the name {name} already, so that {address} cannot come to be."),
            "Delete it if nobody needs it, or take another name.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;
    use crate::preflight::testing::{item, json};

    #[test]
    fn what_is_there_already_fails() {
        let role = item("iam_role", &[]);
        let error = |class| Err(ProviderError::new(class, "GetRole", "text"));
        let verdict = |answer| {
            judge(&role, "deployer", answer).map(|finding| finding.verdict).map_err(|error| error.class)
        };
        assert_eq!(verdict(Ok(())), Ok(Verdict::Failed));
        assert_eq!(verdict(error(ErrorClass::NotFound)), Ok(Verdict::Ok));
        assert_eq!(verdict(error(ErrorClass::AccessDenied)), Err(ErrorClass::AccessDenied));
    }

    #[test]
    fn a_load_balancer_of_the_own_ingress_is_no_other() {
        let cluster = json(r#"{"cluster": {"name": "shop"}}"#);
        let balancer = item("ingress_load_balancer", &[("ingress", cluster)]);
        let arn = RemoteId::new("arn:lb");
        let verdict = |taken, maker| judge_balancer(&balancer, "web", taken, maker).verdict;
        assert_eq!(verdict(None, None), Verdict::Ok);
        assert_eq!(verdict(Some(&arn), Some("shop")), Verdict::Ok);
        assert_eq!(verdict(Some(&arn), Some("other")), Verdict::Failed);
        assert_eq!(verdict(Some(&arn), None), Verdict::Failed);
        assert_eq!(
            judge_balancer(&item("target_group", &[]), "web", Some(&arn), None).verdict,
            Verdict::Failed
        );
    }
}
