//! The load balancer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{set_attributes, tagged};
use crate::controller::build::PROTECTION;
use crate::controller::model::{Balancer, Stack, Texts, stack_tags, tag_list};
use crate::controller::object::{items, text};
use crate::controller::reach::Done;
use crate::controller::work::Work;

/// A load balancer that is there.
pub(super) struct Deployed {
    pub(super) arn: String,
    pub(super) dns_name: String,
}

/// Finds or makes the load balancer. One that cannot become what is wanted is deleted before another is made.
pub(super) fn deploy(
    work: &mut Work<'_>,
    stack: &Stack,
    front_group: Option<String>,
) -> Done<Option<Deployed>> {
    let wanted_tags = stack_tags(work.settings, &stack.id);
    let present = tagged(work, "DescribeLoadBalancers", "LoadBalancers", "LoadBalancerArn", &wanted_tags)?;
    let mut kept = None;
    for (balancer, tags) in present {
        match &stack.balancer {
            Some(wanted) if kept.is_none() && text(&balancer, "/Scheme") == wanted.scheme => {
                kept = Some((balancer, tags));
            }
            _ => delete(work, text(&balancer, "/LoadBalancerArn"))?,
        }
    }
    let Some(wanted) = &stack.balancer else { return Ok(None) };
    let groups: Vec<_> = front_group.into_iter().chain(wanted.groups.iter().cloned()).collect();
    let balancer = match kept {
        None => make(work, wanted, &groups)?,
        Some((balancer, tags)) => {
            change(work, wanted, &balancer, &tags, &groups)?;
            balancer
        }
    };
    let deployed = Deployed {
        arn: text(&balancer, "/LoadBalancerArn").to_owned(),
        dns_name: text(&balancer, "/DNSName").to_owned(),
    };
    let calls = ("DescribeLoadBalancerAttributes", "ModifyLoadBalancerAttributes");
    set_attributes(work, calls, ("LoadBalancerArn", &deployed.arn), &wanted.attributes)?;
    Ok(Some(deployed))
}

/// Deletes a load balancer. One that is protected is protected no more: that its Ingress wants it is known by now.
fn delete(work: &mut Work<'_>, arn: &str) -> Done<()> {
    let parameters = json!({ "LoadBalancerArn": arn });
    match work.elb("DeleteLoadBalancer", parameters.clone()) {
        Err(trouble) if trouble.has_code("OperationNotPermitted") => {
            let attributes = json!([{ "Key": PROTECTION, "Value": "false" }]);
            let off = json!({ "LoadBalancerArn": arn, "Attributes": attributes });
            work.elb("ModifyLoadBalancerAttributes", off)?;
            work.elb("DeleteLoadBalancer", parameters).map(drop)
        }
        result => result.map(drop),
    }
}

fn mappings(subnets: &[String]) -> Value {
    subnets.iter().map(|subnet| json!({ "SubnetId": subnet })).collect()
}

fn make(work: &mut Work<'_>, wanted: &Balancer, groups: &[String]) -> Done<Value> {
    let parameters = json!({
        "Name": wanted.name,
        "Type": "application",
        "Scheme": wanted.scheme,
        "IpAddressType": wanted.ip_address_type,
        "SecurityGroups": groups,
        "SubnetMappings": mappings(&wanted.subnets),
        "Tags": tag_list(&wanted.tags),
    });
    let mut answer = work.elb("CreateLoadBalancer", parameters)?;
    Ok(answer["LoadBalancers"][0].take())
}

fn change(
    work: &mut Work<'_>,
    wanted: &Balancer,
    balancer: &Value,
    tags: &Texts,
    groups: &[String],
) -> Done<()> {
    let arn = text(balancer, "/LoadBalancerArn");
    work.set_tags(arn, tags, &wanted.tags)?;
    let present: BTreeSet<_> = items(balancer, "/SecurityGroups").iter().filter_map(Value::as_str).collect();
    if present != groups.iter().map(String::as_str).collect() {
        work.elb("SetSecurityGroups", json!({ "LoadBalancerArn": arn, "SecurityGroups": groups }))?;
    }
    let zones = items(balancer, "/AvailabilityZones").iter();
    let present: BTreeSet<_> = zones.map(|zone| text(zone, "/SubnetId")).collect();
    if present != wanted.subnets.iter().map(String::as_str).collect() {
        let parameters = json!({ "LoadBalancerArn": arn, "SubnetMappings": mappings(&wanted.subnets) });
        work.elb("SetSubnets", parameters)?;
    }
    if text(balancer, "/IpAddressType") != wanted.ip_address_type {
        let parameters = json!({ "LoadBalancerArn": arn, "IpAddressType": wanted.ip_address_type });
        work.elb("SetIpAddressType", parameters)?;
    }
    Ok(())
}
