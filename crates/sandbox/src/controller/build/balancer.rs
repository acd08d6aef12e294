//! The load balancer of a group, and the security groups around it.

use serde_json::{Value, json};

use super::{Build, agreed, listeners::Ports, placement};
use crate::controller::group::Group;
use crate::controller::model::{Balancer, Texts, tag_list};
use crate::controller::names;
use crate::controller::object::{items, text};
use crate::controller::reach::{Done, Trouble};
use crate::controller::work::{Work, filter};

/// Works the load balancer out, and its groups.
pub(super) fn build(work: &mut Work<'_>, build: &mut Build<'_>, ports: &Ports) -> Done<()> {
    let group = build.group;
    let scheme = agreed(group, "scheme", |member| member.said("/scheme", "scheme").map(str::to_owned))?;
    let scheme = scheme.unwrap_or_else(|| "internal".to_owned());
    if !["internal", "internet-facing"].contains(&scheme.as_str()) {
        return Err(Trouble::other(format!("unknown scheme: {scheme}")));
    }
    let ip_address_type = agreed(group, "IPAddressType", |member| {
        member.said("/ipAddressType", "ip-address-type").map(str::to_owned)
    })?;
    let subnets = placement::subnets(work, build, &scheme)?;
    let groups = security_groups(work, build, ports)?;
    build.stack.balancer = Some(Balancer {
        name: balancer_name(work, group, &scheme)?,
        ip_address_type: ip_address_type.unwrap_or_else(|| "ipv4".to_owned()),
        subnets,
        groups,
        attributes: attributes(group)?,
        tags: build.tags_of(work, "LoadBalancer"),
        scheme,
    });
    Ok(())
}

fn balancer_name(work: &Work<'_>, group: &Group, scheme: &str) -> Done<String> {
    let named = agreed(group, "load balancer name", |member| {
        member.said("/loadBalancerName", "load-balancer-name").map(str::to_owned)
    })?;
    match named {
        Some(name) if name.chars().count() > 32 => {
            Err(Trouble::other("load balancer name cannot be longer than 32 characters"))
        }
        Some(name) => Ok(name),
        None => Ok(names::balancer(&work.settings.cluster, &group.id, scheme)),
    }
}

fn attributes(group: &Group) -> Done<Texts> {
    let mut all = Texts::new();
    for member in &group.members {
        let mut said = member.annotations.table("load-balancer-attributes")?;
        for attribute in items(&member.class, "/loadBalancerAttributes") {
            said.insert(text(attribute, "/key").to_owned(), text(attribute, "/value").to_owned());
        }
        for (key, value) in said {
            if let Some(other) = all.get(&key).filter(|other| **other != value) {
                return Err(Trouble::other(format!(
                    "conflicting loadBalancerAttribute {key}: {other} | {value}"
                )));
            }
            all.insert(key, value);
        }
    }
    Ok(all)
}

/// Returns the groups that the load balancer has beside the one that is made for it; that one goes into the stack.
fn security_groups(work: &mut Work<'_>, build: &mut Build<'_>, ports: &Ports) -> Done<Vec<String>> {
    let group = build.group;
    let named = agreed(group, "securityGroups", |member| {
        let of_class = items(&member.class, "/securityGroups/ids").iter().filter_map(Value::as_str);
        let of_class: Vec<_> = of_class.collect();
        if of_class.is_empty() {
            member.annotations.get("security-groups").map(str::to_owned)
        } else {
            Some(of_class.join(","))
        }
    })?;
    let Some(named) = named.filter(|named| !named.trim().is_empty()) else {
        build.back_group = back_group(work)?;
        let front = build.front_group(work, ports);
        build.stack.front_group = Some(front);
        return Ok(build.back_group.iter().cloned().collect());
    };
    let named: Vec<_> = named.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let mut groups = by_name(work, &named)?;
    if manages_rules(work, group)? {
        build.back_group = back_group(work)?;
        groups.extend(build.back_group.clone());
    }
    Ok(groups)
}

fn manages_rules(work: &Work<'_>, group: &Group) -> Done<bool> {
    let mut manages = false;
    for member in &group.members {
        let usual = work.settings.manages_rules;
        manages |= member.annotations.flag("manage-backend-security-group-rules", usual)?;
    }
    Ok(manages)
}

/// Returns the ids of the groups that are named, by their ids or by their tags `Name`.
fn by_name(work: &mut Work<'_>, named: &[&str]) -> Done<Vec<String>> {
    let (ids, tagged): (Vec<&str>, Vec<&str>) = named.iter().partition(|name| name.starts_with("sg-"));
    let mut found = Vec::new();
    if !ids.is_empty() {
        let answer = work.ec2("DescribeSecurityGroups", json!({ "GroupId": ids }))?;
        found.extend(group_ids(&answer));
        // In the order in which they are named.
        found.sort_by_key(|id| ids.iter().position(|named| named == id));
    }
    if !tagged.is_empty() {
        let filters = [filter("tag:Name", &tagged), filter("vpc-id", &[&work.settings.vpc_id])];
        let answer = work.ec2("DescribeSecurityGroups", json!({ "Filter": filters }))?;
        found.extend(group_ids(&answer));
    }
    if found.len() == named.len() {
        return Ok(found);
    }
    Err(Trouble::other(format!(
        "couldn't find all securityGroups, nameOrIDs: [{}], found: [{}]",
        named.join(" "),
        found.join(" ")
    )))
}

fn group_ids(answer: &Value) -> Vec<String> {
    items(answer, "/securityGroupInfo").iter().map(|group| text(group, "/groupId").to_owned()).collect()
}

/// Returns the group that all load balancers of the cluster have towards the nodes, which is made for the first
/// of them; `None` if the controller was told to use none.
fn back_group(work: &mut Work<'_>) -> Done<Option<String>> {
    if !work.settings.uses_back_group {
        return Ok(None);
    }
    let known = work.settings.back_group.clone().or_else(|| work.memory.back_group.clone());
    if known.is_some() {
        return Ok(known);
    }
    let id = match find_back_group(work)? {
        Some(present) => present,
        None => make_back_group(work)?,
    };
    work.memory.back_group = Some(id.clone());
    Ok(Some(id))
}

/// Finds the group that a controller made for all load balancers of the cluster, by its tags.
pub(in crate::controller) fn find_back_group(work: &mut Work<'_>) -> Done<Option<String>> {
    let filters = [
        filter("vpc-id", &[&work.settings.vpc_id]),
        filter("tag:elbv2.k8s.aws/cluster", &[&work.settings.cluster]),
        filter("tag:elbv2.k8s.aws/resource", &["backend-sg"]),
    ];
    let answer = work.ec2("DescribeSecurityGroups", json!({ "Filter": filters }))?;
    Ok(group_ids(&answer).into_iter().next())
}

fn make_back_group(work: &mut Work<'_>) -> Done<String> {
    let mut tags = work.settings.default_tags.clone();
    tags.insert("elbv2.k8s.aws/cluster".to_owned(), work.settings.cluster.clone());
    tags.insert("elbv2.k8s.aws/resource".to_owned(), "backend-sg".to_owned());
    let answer = work.ec2(
        "CreateSecurityGroup",
        json!({
            "GroupName": names::back_group(&work.settings.cluster),
            "GroupDescription": "[k8s] Shared Backend SecurityGroup for LoadBalancer",
            "VpcId": work.settings.vpc_id,
            "TagSpecification": [{ "ResourceType": "security-group", "Tag": tag_list(&tags) }],
        }),
    )?;
    Ok(text(&answer, "/groupId").to_owned())
}
