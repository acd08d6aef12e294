//! Tagging what is there already, and listing tags over all kinds.
//!
//! Who only sees a thing cannot tag it: "VPC tags and tags for the resources within the shared VPC
//! are not shared with the participants" (VPC user guide).

use std::collections::BTreeMap;

use serde_json::json;

use super::describe::{Description, describe, exact};
use super::ownership::{Thing, own};
use super::tags::{self, Tags};
use super::{Network, dry_run};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::tagged::Tagged;
use crate::world::{AccountId, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateTags", &["ResourceId", "Tag", "DryRun"], create),
    Operation::new("DeleteTags", &["ResourceId", "Tag", "DryRun"], delete),
    Operation::new("DescribeTags", &["Filter", "MaxResults", "NextToken", "DryRun"], describe_tags),
];

/// How many things a call may tag (API reference, `CreateTags`).
const MOST: usize = 1000;

/// A kind of things that have tags.
pub(super) struct Kind {
    /// What the ids begin with, before the dash.
    prefix: &'static str,
    /// EC2's word for the type, such as `route-table`.
    pub(super) resource_type: &'static str,
    /// Returns what policies ask of a thing, whoever calls.
    pub(super) found: for<'a> fn(&'a Network, &str) -> Option<Found<'a>>,
    /// Returns the tags of a thing that the caller may change.
    tags: for<'a> fn(&'a mut Network, &Call, &str) -> Result<&'a mut Tags, Refusal>,
    /// Returns the things of an account with their tags.
    owned: fn(&Network, &AccountId) -> Vec<(String, Tags)>,
}

/// What policies ask of a thing.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) owner: &'a AccountId,
    pub(super) tags: &'a Tags,
    /// The VPC that it is in, where that is a condition key.
    pub(super) vpc_id: Option<&'a str>,
}

const KINDS: &[Kind] = &[
    Kind {
        prefix: "vpc",
        resource_type: "vpc",
        found: |network, id| network.vpcs.get(id).map(|thing| found(thing, &thing.tags, None)),
        tags: |network, call, id| Ok(&mut network.own_vpc(call, id)?.tags),
        owned: |network, account| owned(&network.vpcs, account, |vpc| &vpc.tags),
    },
    Kind {
        prefix: "subnet",
        resource_type: "subnet",
        found: |network, id| {
            network.subnets.get(id).map(|thing| found(thing, &thing.tags, Some(&thing.vpc_id)))
        },
        tags: |network, call, id| Ok(&mut network.own_subnet(call, id)?.tags),
        owned: |network, account| owned(&network.subnets, account, |subnet| &subnet.tags),
    },
    Kind {
        prefix: "igw",
        resource_type: "internet-gateway",
        found: |network, id| network.internet_gateways.get(id).map(|thing| found(thing, &thing.tags, None)),
        tags: |network, call, id| Ok(&mut network.own_gateway(call, id)?.tags),
        owned: |network, account| owned(&network.internet_gateways, account, |gateway| &gateway.tags),
    },
    Kind {
        prefix: "eipalloc",
        resource_type: "elastic-ip",
        found: |network, id| network.addresses.get(id).map(|thing| found(thing, &thing.tags, None)),
        tags: |network, call, id| Ok(&mut own(call, &mut network.addresses, id, false)?.tags),
        owned: |network, account| owned(&network.addresses, account, |address| &address.tags),
    },
    Kind {
        prefix: "nat",
        resource_type: "natgateway",
        found: |network, id| network.nat_gateways.get(id).map(|thing| found(thing, &thing.tags, None)),
        tags: |network, call, id| Ok(&mut network.own_nat_gateway(call, id)?.tags),
        owned: |network, account| owned(&network.nat_gateways, account, |gateway| &gateway.tags),
    },
    Kind {
        prefix: "rtb",
        resource_type: "route-table",
        found: |network, id| {
            network.route_tables.get(id).map(|thing| found(thing, &thing.tags, Some(&thing.vpc_id)))
        },
        tags: |network, call, id| Ok(&mut network.own_table(call, id)?.tags),
        owned: |network, account| owned(&network.route_tables, account, |table| &table.tags),
    },
    Kind {
        prefix: "acl",
        resource_type: "network-acl",
        found: |network, id| network.access_lists.get(id).map(|thing| found(thing, &thing.tags, None)),
        tags: |network, call, id| Ok(&mut network.own_acl(call, id)?.tags),
        owned: |network, account| owned(&network.access_lists, account, |list| &list.tags),
    },
    Kind {
        prefix: "eni",
        resource_type: "network-interface",
        found: |network, id| {
            network.interfaces.get(id).map(|thing| found(thing, &thing.tags, Some(&thing.vpc_id)))
        },
        tags: |network, call, id| Ok(&mut network.own_interface(call, id)?.tags),
        owned: |network, account| owned(&network.interfaces, account, |interface| &interface.tags),
    },
    Kind {
        prefix: "i",
        resource_type: "instance",
        found: |network, id| network.instances.get(id).map(|thing| found(thing, &thing.tags, None)),
        tags: |network, call, id| Ok(&mut own(call, &mut network.instances, id, false)?.tags),
        owned: |network, account| owned(&network.instances, account, |instance| &instance.tags),
    },
    Kind {
        prefix: "lt",
        resource_type: "launch-template",
        found: |network, id| network.launch_templates.get(id).map(|thing| found(thing, &thing.tags, None)),
        tags: |network, call, id| Ok(&mut network.own_template(call, id)?.tags),
        owned: |network, account| owned(&network.launch_templates, account, |template| &template.tags),
    },
    Kind {
        prefix: "sg",
        resource_type: "security-group",
        found: |network, id| {
            network.groups.get(id).map(|thing| found(thing, &thing.tags, Some(&thing.vpc_id)))
        },
        tags: |network, call, id| Ok(&mut network.own_group(call, id)?.tags),
        owned: |network, account| owned(&network.groups, account, |group| &group.tags),
    },
    Kind {
        prefix: "sgr",
        resource_type: "security-group-rule",
        found: |network, id| {
            let rule = network.rules.get(id)?;
            let group = network.groups.get(&rule.group_id)?;
            Some(found(group, &rule.tags, Some(&group.vpc_id)))
        },
        tags: |network, call, id| Ok(&mut network.own_rule(call, id)?.tags),
        owned: |network, account| network.owned_rules(account),
    },
    Kind {
        prefix: "vpce",
        resource_type: "vpc-endpoint",
        found: |network, id| network.endpoints.get(id).map(|thing| found(thing, &thing.tags, None)),
        tags: |network, call, id| Ok(&mut network.own_endpoint(call, id)?.tags),
        owned: |network, account| owned(&network.endpoints, account, |endpoint| &endpoint.tags),
    },
];

fn found<'a, T: Thing>(thing: &'a T, tags: &'a Tags, vpc_id: Option<&'a str>) -> Found<'a> {
    Found { owner: thing.owner(), tags, vpc_id }
}

fn owned<T: Thing>(
    things: &BTreeMap<String, T>,
    account: &AccountId,
    tags: fn(&T) -> &Tags,
) -> Vec<(String, Tags)> {
    let own = things.iter().filter(|(_, thing)| thing.owner() == account);
    own.map(|(id, thing)| (id.clone(), tags(thing).clone())).collect()
}

/// Returns what the caller has, with its tags.
pub(crate) fn tagged(world: &mut World, call: &Call) -> Vec<Tagged> {
    let (region, account) = (&call.region, &call.caller.account);
    let network = world.network(region);
    let of_kind = |kind: &'static Kind| {
        let things = (kind.owned)(network, account).into_iter();
        let prefix = format!("arn:aws:ec2:{region}:{account}:{}", kind.resource_type);
        things.map(move |(id, tags)| Tagged { arn: format!("{prefix}/{id}"), tags })
    };
    KINDS.iter().flat_map(of_kind).collect()
}

/// Returns the kind of a thing.
pub(super) fn kind(id: &str) -> Result<&'static Kind, Refusal> {
    let prefix = id.split('-').next().unwrap_or_default();
    let found = KINDS.iter().find(|kind| kind.prefix == prefix && id.len() > prefix.len());
    found.ok_or_else(|| Refusal::new("InvalidID", format!("The ID '{id}' is not valid")))
}

/// Returns the things that a call names.
fn named(call: &Call) -> Result<Vec<&str>, Refusal> {
    let ids = call.parameters.texts("ResourceId");
    match ids.len() {
        0 => Err(Refusal::new("MissingParameter", "The request must contain the parameter resourceIdSet")),
        1..=MOST => Ok(ids),
        _ => Err(Refusal::new("InvalidParameterValue", format!("At most {MOST} resources can be named"))),
    }
}

/// Changes the tags of all things that a call names, or of none of them.
fn change(
    world: &mut World,
    call: &Call,
    change: &dyn Fn(&mut Tags) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let ids = named(call)?;
    let network = world.network(&call.region);
    let mut changed = Vec::new();
    for id in ids {
        let kind = kind(id)?;
        let mut tags = (kind.tags)(network, call, id)?.clone();
        change(&mut tags)?;
        changed.push((kind, id, tags));
    }
    dry_run(call)?;
    for (kind, id, tags) in changed {
        *(kind.tags)(network, call, id)? = tags;
    }
    Ok(())
}

fn create(world: &mut World, call: &Call) -> Answer {
    let added = call.parameters.tables("Tag");
    if added.is_empty() {
        return Err(Refusal::new("MissingParameter", "The request must contain the parameter tagSet"));
    }
    change(world, call, &|tags| tags::add(tags, &added))?;
    Ok(json!({ "return": true }))
}

/// Removes tags. "If you specify a tag key without a tag value, we delete any tag with this key";
/// with a value, even an empty one, only the tag that has it; without tags, all but AWS's own.
fn delete(world: &mut World, call: &Call) -> Answer {
    let removed = call.parameters.tables("Tag");
    change(world, call, &|tags| {
        if removed.is_empty() {
            tags.retain(|key, _| key.starts_with("aws:"));
        }
        for tag in &removed {
            let key = tag.required("Key")?;
            let value = tag.text("Value");
            if value.is_none_or(|value| tags.get(key).is_some_and(|present| present == value)) {
                tags.remove(key);
            }
        }
        Ok(())
    })?;
    Ok(json!({ "return": true }))
}

/// A tag of a thing.
struct Row {
    id: String,
    resource_type: &'static str,
    key: String,
    value: String,
}

fn describe_tags(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let rows = rows(network, call);
    let description = Description {
        list: "tagSet",
        ids: "",
        not_found: "InvalidID",
        visible: &|_: &Row| true,
        filter: &|row, filter| {
            let value = match filter {
                "key" => row.key.clone(),
                "value" => row.value.clone(),
                "resource-id" => row.id.clone(),
                "resource-type" => row.resource_type.to_owned(),
                _ => {
                    let key = filter.strip_prefix("tag:")?;
                    return Some(Some(row.value.clone()).filter(|_| row.key == key).into_iter().collect());
                }
            };
            Some(vec![value])
        },
        shown: &|row| {
            json!({
                "resourceId": row.id,
                "resourceType": row.resource_type,
                "key": row.key,
                "value": row.value,
            })
        },
        page: (5, 1000),
    };
    describe(call, &rows, &description)
}

/// Returns the tags of the things that the call can be about.
fn rows(network: &mut Network, call: &Call) -> BTreeMap<String, Row> {
    let account = &call.caller.account;
    let things: Vec<_> = if let Some(ids) = exact(&call.parameters, "resource-id") {
        let found = ids.into_iter().filter_map(|id| {
            let kind = kind(&id).ok()?;
            let tags = (kind.tags)(network, call, &id).ok()?.clone();
            Some((kind.resource_type, id, tags))
        });
        found.collect()
    } else {
        let of_kind = |kind: &'static Kind| {
            let things = (kind.owned)(network, account).into_iter();
            things.map(|(id, tags)| (kind.resource_type, id, tags))
        };
        KINDS.iter().flat_map(of_kind).collect()
    };
    let rows = things.into_iter().flat_map(|(resource_type, id, tags)| {
        tags.into_iter().map(move |(key, value)| {
            (format!("{id} {key}"), Row { id: id.clone(), resource_type, key, value })
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::ec2::testing::{
        address, attached_gateway, group, instance, interface, list, table, with_subnet,
    };
    use crate::testing::{Account, text};

    fn tags(account: &mut Account, id: &str) -> Value {
        let filter = json!([{ "Name": "resource-id", "Value": [id] }]);
        let found = account.ok("DescribeTags", json!({ "Filter": filter }));
        let tags = list(&found, "tagSet").iter();
        tags.map(|tag| format!("{}={}", text(&tag["key"]), text(&tag["value"]))).collect()
    }

    #[test]
    fn everything_is_tagged() {
        let (mut account, vpc, subnet) = with_subnet();
        let group = group(&mut account, &vpc, "web");
        let rules = json!([{ "Name": "group-id", "Value": [group] }]);
        let rules = account.ok("DescribeSecurityGroupRules", json!({ "Filter": rules }));
        let rule = text(&rules["securityGroupRuleSet"][0]["securityGroupRuleId"]);
        let address = address(&mut account);
        let gateway = attached_gateway(&mut account, &vpc);
        let nat = json!({ "SubnetId": subnet, "AllocationId": address });
        let nat = text(&account.ok("CreateNatGateway", nat)["natGateway"]["natGatewayId"]);
        let (interface, table) = (interface(&mut account, &subnet), table(&mut account, &vpc));
        let lists = account.ok("DescribeNetworkAcls", json!({}));
        let access_list = text(&list(&lists, "networkAclSet")[0]["networkAclId"]);
        let endpoint = json!({ "VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3" });
        let endpoint = text(&account.ok("CreateVpcEndpoint", endpoint)["vpcEndpoint"]["vpcEndpointId"]);
        let instance = instance(&mut account, &subnet);
        let template =
            json!({ "LaunchTemplateName": "nodes", "LaunchTemplateData": { "InstanceType": "t3.nano" } });
        let template = account.ok("CreateLaunchTemplate", template);
        let template = text(&template["launchTemplate"]["launchTemplateId"]);
        let ids = [
            vpc,
            subnet,
            gateway,
            address,
            nat,
            table,
            access_list,
            interface,
            group,
            rule,
            endpoint,
            instance,
            template,
        ];
        assert_eq!(ids.len(), KINDS.len());
        account.ok("CreateTags", json!({ "ResourceId": ids, "Tag": [{ "Key": "env", "Value": "test" }] }));
        let filter = json!([{ "Name": "tag:env", "Value": ["test"] }]);
        let found = account.ok("DescribeTags", json!({ "Filter": filter }));
        let mut found: Vec<_> = list(&found, "tagSet").iter().map(|tag| text(&tag["resourceType"])).collect();
        let mut types: Vec<_> = KINDS.iter().map(|kind| kind.resource_type).collect();
        found.sort();
        types.sort_unstable();
        assert_eq!(found, types);
        for id in &ids {
            let tags = text(&tags(&mut account, id)[0]);
            assert!(tags == "env=test" || tags == "Name=a", "{id}: {tags}");
        }
    }

    #[test]
    fn tags_are_set_anew_and_removed() {
        let (mut account, vpc, _) = with_subnet();
        let set = |tag: Value| json!({ "ResourceId": [vpc], "Tag": [tag] });
        account.ok("CreateTags", set(json!({ "Key": "a", "Value": "1" })));
        account.ok("CreateTags", set(json!({ "Key": "a", "Value": "2" })));
        account.ok("CreateTags", set(json!({ "Key": "b" })));
        assert_eq!(tags(&mut account, &vpc), json!(["a=2", "b="]));
        account.ok("DeleteTags", set(json!({ "Key": "a", "Value": "1" })));
        account.ok("DeleteTags", set(json!({ "Key": "a", "Value": "" })));
        assert_eq!(tags(&mut account, &vpc), json!(["a=2", "b="]), "the value is another");
        account.ok("DeleteTags", set(json!({ "Key": "a" })));
        assert_eq!(tags(&mut account, &vpc), json!(["b="]));
        account.ok("DeleteTags", json!({ "ResourceId": [vpc] }));
        assert_eq!(tags(&mut account, &vpc), json!([]));
    }

    #[test]
    fn what_ec2_refuses_to_tag_is_refused() {
        let (mut account, vpc, subnet) = with_subnet();
        let tag = json!([{ "Key": "a", "Value": "1" }]);
        for (ids, code) in [
            (json!([]), "MissingParameter"),
            (json!(["thing-1"]), "InvalidID"),
            (json!(["vpc"]), "InvalidID"),
            (json!(["vpc-0"]), "InvalidVpcID.NotFound"),
            (json!(["igw-0"]), "InvalidInternetGatewayID.NotFound"),
            (json!(["sg-0"]), "InvalidGroup.NotFound"),
            (json!(["sgr-0"]), "InvalidSecurityGroupRuleId.NotFound"),
            (json!([vpc, "rtb-0"]), "InvalidRouteTableID.NotFound"),
        ] {
            account.refused("CreateTags", json!({ "ResourceId": ids, "Tag": tag }), code);
        }
        assert_eq!(tags(&mut account, &vpc), json!([]), "all or none");
        account.refused("CreateTags", json!({ "ResourceId": [vpc] }), "MissingParameter");
        let reserved = json!({ "ResourceId": [vpc], "Tag": [{ "Key": "aws:x", "Value": "" }] });
        account.refused("CreateTags", reserved, "InvalidParameterValue");
        let dry = json!({ "ResourceId": [vpc], "Tag": tag, "DryRun": "true" });
        account.refused("CreateTags", dry, "DryRunOperation");
        let many: Vec<_> = (0..51).map(|number| json!({ "Key": number.to_string() })).collect();
        account.refused("CreateTags", json!({ "ResourceId": [vpc], "Tag": many }), "TagLimitExceeded");
        // A participant cannot tag what it only sees.
        let shared = json!({ "ResourceId": [subnet], "Tag": tag });
        account.other(|other| other.refused("CreateTags", shared.clone(), "InvalidSubnetID.NotFound"));
        account.share_with_other(&subnet);
        account.other(|other| {
            other.refused("CreateTags", shared.clone(), "UnauthorizedOperation");
            assert_eq!(tags(other, &subnet), json!([]));
        });
    }
}
