//! The security group in front of a load balancer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::controller::model::{FrontGroup, RESOURCE_TAG, STACK_TAG, Stack, tag_list};
use crate::controller::object::{items, text};
use crate::controller::reach::Done;
use crate::controller::work::{Work, filter};

/// Finds or makes the group, and lets its rules be as they are to be. Returns its id, and those of the groups of
/// the stack that are needed no more.
pub(super) fn deploy(work: &mut Work<'_>, stack: &Stack) -> Done<(Option<String>, Vec<String>)> {
    let mut present = present(work, stack)?;
    let Some(wanted) = &stack.front_group else {
        return Ok((None, present.into_iter().map(|(id, _)| id).collect()));
    };
    let resource = &wanted.tags[RESOURCE_TAG];
    let place = present.iter().position(|(_, name)| name == resource);
    let id = match place {
        Some(place) => present.remove(place).0,
        None => make(work, wanted)?,
    };
    set_rules(work, &id, &wanted.ingress)?;
    Ok((Some(id), present.into_iter().map(|(id, _)| id).collect()))
}

/// Deletes groups.
pub(super) fn remove(work: &mut Work<'_>, groups: Vec<String>) -> Done<()> {
    for id in groups {
        delete(work, &id)?;
    }
    Ok(())
}

/// Deletes a group, which may be gone.
pub(in crate::controller) fn delete(work: &mut Work<'_>, id: &str) -> Done<()> {
    match work.ec2("DeleteSecurityGroup", json!({ "GroupId": id })) {
        Err(trouble) if !trouble.has_code("InvalidGroup.NotFound") => Err(trouble),
        _ => Ok(()),
    }
}

/// Returns the groups of the stack, with what they are in it. Those of the first versions had another tag.
fn present(work: &mut Work<'_>, stack: &Stack) -> Done<Vec<(String, String)>> {
    let mut found = Vec::new();
    for cluster_tag in ["tag:elbv2.k8s.aws/cluster", "tag:ingress.k8s.aws/cluster"] {
        let filters = [
            filter("vpc-id", &[&work.settings.vpc_id]),
            filter(cluster_tag, &[&work.settings.cluster]),
            filter(&format!("tag:{STACK_TAG}"), &[&stack.id.to_string()]),
        ];
        let answer = work.ec2("DescribeSecurityGroups", json!({ "Filter": filters }))?;
        for group in items(&answer, "/securityGroupInfo") {
            let tags = items(group, "/tagSet").iter();
            let name = tags.filter(|tag| text(tag, "/key") == RESOURCE_TAG).map(|tag| text(tag, "/value"));
            found.push((text(group, "/groupId").to_owned(), name.collect::<String>()));
        }
    }
    Ok(found)
}

fn make(work: &mut Work<'_>, wanted: &FrontGroup) -> Done<String> {
    let answer = work.ec2(
        "CreateSecurityGroup",
        json!({
            "GroupName": wanted.name,
            "GroupDescription": "[k8s] Managed SecurityGroup for LoadBalancer",
            "VpcId": work.settings.vpc_id,
            "TagSpecification": [{ "ResourceType": "security-group", "Tag": tag_list(&wanted.tags) }],
        }),
    )?;
    Ok(text(&answer, "/groupId").to_owned())
}

/// Lets a group have these rules for what comes in, and no other ones.
fn set_rules(work: &mut Work<'_>, id: &str, wanted: &[Value]) -> Done<()> {
    let answer = work.ec2("DescribeSecurityGroups", json!({ "GroupId": [id] }))?;
    let present: BTreeSet<_> =
        items(&answer, "/securityGroupInfo/0/ipPermissions").iter().flat_map(ranges).collect();
    let missing: Vec<_> = wanted.iter().filter(|permission| !present.contains(&rule(permission))).collect();
    let wanted_rules: BTreeSet<_> = wanted.iter().map(rule).collect();
    let surplus: Vec<_> = present.difference(&wanted_rules).map(Rule::parameters).collect();
    if !surplus.is_empty() {
        let parameters = json!({ "GroupId": id, "IpPermissions": surplus });
        work.ec2("RevokeSecurityGroupIngress", parameters)?;
    }
    if !missing.is_empty() {
        let parameters = json!({ "GroupId": id, "IpPermissions": missing });
        work.ec2("AuthorizeSecurityGroupIngress", parameters)?;
    }
    Ok(())
}

/// A rule: a port and who may come in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    protocol: String,
    port: String,
    source: String,
}

impl Rule {
    fn parameters(&self) -> Value {
        let Self { protocol, port, source } = self;
        let mut permission = json!({ "FromPort": port, "IpProtocol": protocol, "ToPort": port });
        if source.contains(':') {
            permission["Ipv6Ranges"] = json!([{ "CidrIpv6": source }]);
        } else {
            permission["IpRanges"] = json!([{ "CidrIp": source }]);
        }
        permission
    }
}

/// Returns the rule that a wanted permission is.
fn rule(permission: &Value) -> Rule {
    let ranges = [text(permission, "/IpRanges/0/CidrIp"), text(permission, "/Ipv6Ranges/0/CidrIpv6")];
    Rule {
        protocol: text(permission, "/IpProtocol").to_owned(),
        port: text(permission, "/FromPort").to_owned(),
        source: ranges.concat(),
    }
}

/// Returns the rules that a described permission has.
fn ranges(permission: &Value) -> Vec<Rule> {
    let sources = [("/ipRanges", "/cidrIp"), ("/ipv6Ranges", "/cidrIpv6")].into_iter();
    let sources = sources.flat_map(|(list, member)| {
        items(permission, list).iter().map(move |range| text(range, member).to_owned())
    });
    let of = |source| Rule {
        protocol: text(permission, "/ipProtocol").to_owned(),
        port: permission["fromPort"].to_string(),
        source,
    };
    sources.map(of).collect()
}
