//! Where a load balancer is: the subnets that are named, or that tags tell.

use serde_json::{Value, json};

use super::Build;
use crate::controller::model::stack_tags;
use crate::controller::object::{items, taken, text};
use crate::controller::reach::{Done, Trouble};
use crate::controller::work::{Work, filter};

/// How many subnets an application load balancer needs at least.
const LEAST: usize = 2;
/// How many addresses a subnet has to have left that is found, and not named.
const LEAST_FREE: i64 = 8;

/// Returns the ids of the subnets.
pub(super) fn subnets(work: &mut Work<'_>, build: &Build<'_>, scheme: &str) -> Done<Vec<String>> {
    let (class, members) = (&build.group.members[0].class, &build.group.members);
    let mut named: Vec<Vec<String>> = members
        .iter()
        .map(|member| member.annotations.list("subnets"))
        .filter(|list| !list.is_empty())
        .collect();
    let of_class: Vec<_> = items(class, "/subnets/ids").iter().filter_map(Value::as_str).collect();
    if !of_class.is_empty() {
        named = vec![of_class.into_iter().map(str::to_owned).collect()];
    }
    for list in &mut named {
        list.sort();
    }
    named.dedup();
    if named.len() > 1 {
        let lists: Vec<_> = named.iter().map(|list| format!("[{}]", list.join(" "))).collect();
        return Err(Trouble::other(format!("conflicting subnets: {}", lists.join(" | "))));
    }
    let subnets = match named.pop() {
        Some(named) => by_name(work, &named)?,
        None => match of_present(work, build, scheme)? {
            Some(ids) => describe(work, json!({ "SubnetId": ids }))?,
            None => by_tags(work, class, scheme)?,
        },
    };
    checked(work, &subnets)
}

/// Checks that there are enough, each in a zone of its own.
fn checked(work: &mut Work<'_>, subnets: &[Value]) -> Done<Vec<String>> {
    let mut zones: Vec<_> =
        subnets.iter().map(|subnet| text(subnet, "/availabilityZoneId").to_owned()).collect();
    zones.dedup();
    work.look_at_zones(&zones)?;
    for (place, subnet) in subnets.iter().enumerate() {
        let zone = text(subnet, "/availabilityZone");
        let same = |other: &&Value| text(other, "/availabilityZone") == zone;
        if subnets[..place].iter().any(|other| same(&other)) {
            let ids: Vec<_> = subnets.iter().filter(same).map(|subnet| text(subnet, "/subnetId")).collect();
            return Err(Trouble::other(format!(
                "multiple subnets in same Availability Zone {zone}: [{}]",
                ids.join(" ")
            )));
        }
    }
    if subnets.len() < LEAST {
        return Err(Trouble::other(format!(
            "subnets count less than minimal required count: {} < {LEAST}",
            subnets.len()
        )));
    }
    Ok(subnets.iter().map(|subnet| text(subnet, "/subnetId").to_owned()).collect())
}

/// Returns the subnets that are named, by their ids or by their tags `Name`.
fn by_name(work: &mut Work<'_>, named: &[String]) -> Done<Vec<Value>> {
    let (ids, tagged): (Vec<_>, Vec<_>) = named.iter().partition(|name| name.starts_with("subnet-"));
    let mut found = Vec::new();
    if !ids.is_empty() {
        found.extend(describe(work, json!({ "SubnetId": ids }))?);
    }
    if !tagged.is_empty() {
        let tagged: Vec<_> = tagged.into_iter().map(String::as_str).collect();
        let filters = [filter("tag:Name", &tagged), filter("vpc-id", &[&work.settings.vpc_id])];
        found.extend(describe(work, json!({ "Filter": filters }))?);
    }
    if found.len() != named.len() {
        let named = named.join(", ");
        return Err(Trouble::other(format!(
            "couldn't find all subnets, nameOrIDs: [{named}], found: {}",
            found.len()
        )));
    }
    Ok(found)
}

/// Returns the subnets that the load balancer of the group has, if there is one with this scheme.
fn of_present(work: &mut Work<'_>, build: &Build<'_>, scheme: &str) -> Done<Option<Vec<String>>> {
    let wanted = stack_tags(work.settings, &build.group.id);
    let balancers = crate::controller::deploy::tagged(
        work,
        "DescribeLoadBalancers",
        "LoadBalancers",
        "LoadBalancerArn",
        &wanted,
    )?;
    let own = balancers.into_iter().find(|(balancer, _)| text(balancer, "/Scheme") == scheme);
    Ok(own.map(|(balancer, _)| {
        let zones = items(&balancer, "/AvailabilityZones").iter();
        zones.map(|zone| text(zone, "/SubnetId").to_owned()).collect()
    }))
}

/// Returns the subnets that the class means by tags, or those with the tag of a role: one in each zone, the
/// first by id. A subnet that is of other clusters only is left out, and one that is full.
fn by_tags(work: &mut Work<'_>, class: &Value, scheme: &str) -> Done<Vec<Value>> {
    let vpc = filter("vpc-id", &[&work.settings.vpc_id]);
    let by_class = class.pointer("/subnets/tags").and_then(Value::as_object);
    let role =
        if scheme == "internal" { "kubernetes.io/role/internal-elb" } else { "kubernetes.io/role/elb" };
    let (filters, meant) = match by_class {
        Some(tags) => {
            let wanted =
                tags.iter().map(|(key, values)| json!({ "Name": format!("tag:{key}"), "Value": values }));
            (std::iter::once(vpc).chain(wanted).collect(), tags.keys().cloned().collect::<Vec<_>>().join(" "))
        }
        None => (vec![vpc, filter(&format!("tag:{role}"), &["", "1"])], role.to_owned()),
    };
    let found = describe(work, json!({ "Filter": filters }))?;
    let matching = found.len();
    let mut usable: Vec<_> = found.into_iter().filter(|subnet| is_usable(work, subnet)).collect();
    usable.sort_by(|one, other| text(one, "/subnetId").cmp(text(other, "/subnetId")));
    let mut chosen: Vec<Value> = Vec::new();
    for subnet in usable {
        let zone = text(&subnet, "/availabilityZone");
        if !chosen.iter().any(|other| text(other, "/availabilityZone") == zone) {
            chosen.push(subnet);
        }
    }
    if chosen.is_empty() && work.settings.is_since(2, 13) && by_class.is_none() {
        chosen = by_reach(work, scheme)?;
    }
    if chosen.is_empty() {
        return Err(Trouble::other(format!(
            "couldn't auto-discover subnets: unable to resolve at least one subnet ({matching} match VPC and tags: \
             [{meant}])"
        )));
    }
    Ok(chosen)
}

/// Returns the subnets from which the internet is reached, or is not, as the scheme wants it. Newer versions
/// look for these if no tags tell.
fn by_reach(work: &mut Work<'_>, scheme: &str) -> Done<Vec<Value>> {
    let vpc = filter("vpc-id", &[&work.settings.vpc_id]);
    let mut subnets = describe(work, json!({ "Filter": [vpc.clone()] }))?;
    let tables = work.ec2("DescribeRouteTables", json!({ "Filter": [vpc] }))?;
    let tables = items(&tables, "/routeTableSet");
    let is_public = |subnet: &str| {
        let associations = |table: &'_ Value| items(table, "/associationSet").to_vec();
        let explicit = tables
            .iter()
            .find(|table| associations(table).iter().any(|one| text(one, "/subnetId") == subnet));
        let main = || tables.iter().find(|table| associations(table).iter().any(is_main));
        let table = explicit.or_else(main);
        table.is_some_and(|table| {
            items(table, "/routeSet").iter().any(|route| text(route, "/gatewayId").starts_with("igw-"))
        })
    };
    subnets.retain(|subnet| is_public(text(subnet, "/subnetId")) == (scheme == "internet-facing"));
    subnets.retain(|subnet| is_usable(work, subnet));
    subnets.sort_by(|one, other| text(one, "/subnetId").cmp(text(other, "/subnetId")));
    let mut zones = std::collections::BTreeSet::new();
    subnets.retain(|subnet| zones.insert(text(subnet, "/availabilityZone").to_owned()));
    Ok(subnets)
}

fn is_main(association: &Value) -> bool {
    association["main"] == json!(true) || association["main"] == json!("true")
}

fn is_usable(work: &Work<'_>, subnet: &Value) -> bool {
    let tags = items(subnet, "/tagSet").iter().map(|tag| text(tag, "/key"));
    let mut clusters = tags.filter_map(|key| key.strip_prefix("kubernetes.io/cluster/")).peekable();
    let is_own = clusters.peek().is_none() || clusters.any(|cluster| cluster == work.settings.cluster);
    let free = subnet["availableIpAddressCount"].as_i64().unwrap_or_default();
    is_own && free >= LEAST_FREE
}

fn describe(work: &mut Work<'_>, parameters: Value) -> Done<Vec<Value>> {
    Ok(taken(&mut work.ec2("DescribeSubnets", parameters)?, "subnetSet"))
}
