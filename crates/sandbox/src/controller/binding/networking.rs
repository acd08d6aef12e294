//! Who is let through to pods: rules in the groups of the instances that they run on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Binding, Endpoint};
use crate::controller::object::{Key, items, key, text};
use crate::controller::reach::{BINDING, Done, Trouble};
use crate::controller::work::{Work, filter};

/// What bindings want of the groups of pods, and what these have.
#[derive(Debug, Default)]
pub(in crate::controller) struct Rules {
    /// By binding and group.
    wanted: BTreeMap<Key, BTreeMap<String, BTreeSet<Rule>>>,
    /// Those of the controller that groups are known to have, with the account of who is let in.
    present: BTreeMap<String, BTreeMap<Rule, Option<String>>>,
    /// Whether the groups of the cluster were looked for, in which an earlier process may have left rules.
    has_looked: bool,
}

/// A rule: who may come in, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    /// The id of a group, or a range of addresses.
    source: String,
    protocol: String,
    port: u16,
}

/// What the controller describes its rules by.
const LABEL: &str = "elbv2.k8s.aws/targetGroupBinding=shared";

/// Lets those through to the endpoints of a binding that it wants.
pub(super) fn reconcile(work: &mut Work<'_>, binding: &Binding, endpoints: &[Endpoint]) -> Done<()> {
    let mut wanted: BTreeMap<String, BTreeSet<Rule>> = BTreeMap::new();
    if !binding.object["spec"]["networking"].is_null() {
        let groups = groups_of(work, endpoints)?;
        for (group, ports) in groups {
            wanted.insert(group, rules(&binding.object, &ports));
        }
    }
    work.memory.rules.wanted.insert(binding.key(), wanted);
    apply(work)
}

/// Lets nobody through any more for a binding that goes.
pub(super) fn forget(work: &mut Work<'_>, key: &Key) -> Done<()> {
    work.memory.rules.wanted.remove(key);
    apply(work)
}

/// Returns the rules that a binding wants in a group, behind which there are these ports.
fn rules(binding: &Value, ports: &BTreeSet<u16>) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    for ingress in items(binding, "/spec/networking/ingress") {
        for from in items(ingress, "/from") {
            let source = [text(from, "/securityGroup/groupID"), text(from, "/ipBlock/cidr")].concat();
            for port in items(ingress, "/ports") {
                let protocol = Some(text(port, "/protocol")).filter(|text| !text.is_empty()).unwrap_or("TCP");
                // A port without a number, or with a name, is that of the targets.
                let number = port["port"].as_u64().and_then(|port| u16::try_from(port).ok());
                let ports: Vec<_> = number.map_or_else(|| ports.iter().copied().collect(), |port| vec![port]);
                rules.extend(ports.into_iter().map(|port| Rule {
                    source: source.clone(),
                    protocol: protocol.to_lowercase(),
                    port,
                }));
            }
        }
    }
    rules
}

/// Returns the groups of the instances that endpoints run on, with the ports behind them. Of several groups of
/// an instance the one is meant that the cluster's tag tells.
fn groups_of(work: &mut Work<'_>, endpoints: &[Endpoint]) -> Done<BTreeMap<String, BTreeSet<u16>>> {
    let instances: BTreeSet<_> = endpoints.iter().map(|endpoint| endpoint.instance.clone()).collect();
    let unknown: Vec<_> =
        instances.iter().filter(|id| !work.memory.instances.contains_key(*id)).cloned().collect();
    if !unknown.is_empty() {
        let answer = work.ec2("DescribeInstances", json!({ "InstanceId": unknown }))?;
        let reservations = items(&answer, "/reservationSet").iter();
        for instance in reservations.flat_map(|reservation| items(reservation, "/instancesSet")) {
            let groups = items(instance, "/groupSet").iter().map(|group| text(group, "/groupId").to_owned());
            let groups = groups.collect();
            work.memory.instances.insert(text(instance, "/instanceId").to_owned(), groups);
        }
    }
    let mut found: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for endpoint in endpoints {
        let groups = work.memory.instances.get(&endpoint.instance).cloned().unwrap_or_default();
        found.entry(chosen(work, groups)?).or_default().insert(endpoint.port);
    }
    Ok(found)
}

fn chosen(work: &mut Work<'_>, mut groups: Vec<String>) -> Done<String> {
    if groups.len() > 1 {
        let answer = work.ec2("DescribeSecurityGroups", json!({ "GroupId": groups }))?;
        let tag = format!("kubernetes.io/cluster/{}", work.settings.cluster);
        let has_tag = |group: &&Value| items(group, "/tagSet").iter().any(|one| text(one, "/key") == tag);
        let tagged = items(&answer, "/securityGroupInfo").iter().filter(has_tag);
        groups = tagged.map(|group| text(group, "/groupId").to_owned()).collect();
    }
    match (groups.pop(), groups.is_empty()) {
        (Some(group), true) => Ok(group),
        _ => Err(Trouble::other(format!(
            "expected exactly one securityGroup tagged with kubernetes.io/cluster/{} for eni, got: []",
            work.settings.cluster
        ))),
    }
}

/// Lets groups have the rules that bindings want.
fn apply(work: &mut Work<'_>) -> Done<()> {
    let wanted_groups = work.memory.rules.wanted.values().flat_map(BTreeMap::keys);
    let unknown: Vec<_> =
        wanted_groups.filter(|group| !work.memory.rules.present.contains_key(*group)).cloned().collect();
    for group in unknown {
        let answer = work.ec2("DescribeSecurityGroups", json!({ "GroupId": [group] }))?;
        let present = own_rules(answer.pointer("/securityGroupInfo/0").unwrap_or(&Value::Null));
        work.memory.rules.present.insert(group, present);
    }
    let groups: Vec<_> = work.memory.rules.present.keys().cloned().collect();
    for group in groups {
        set(work, &group)?;
    }
    look(work)
}

/// Looks once for rules that an earlier process has left. They are taken away when it is known what all bindings
/// want.
fn look(work: &mut Work<'_>) -> Done<()> {
    if work.memory.rules.has_looked {
        return Ok(());
    }
    let tag = format!("tag:kubernetes.io/cluster/{}", work.settings.cluster);
    let filters = [filter(&tag, &["owned", "shared"]), filter("vpc-id", &[&work.settings.vpc_id])];
    let answer = work.ec2("DescribeSecurityGroups", json!({ "Filter": filters }))?;
    work.memory.rules.has_looked = true;
    let all = BINDING.list(work.reach)?;
    let is_known = |binding: &Value| {
        binding["spec"]["networking"].is_null() || work.memory.rules.wanted.contains_key(&key(binding))
    };
    if !all.iter().all(is_known) {
        work.memory.rules.has_looked = false;
        return Ok(());
    }
    for group in items(&answer, "/securityGroupInfo") {
        let id = text(group, "/groupId").to_owned();
        if !work.memory.rules.present.contains_key(&id) {
            work.memory.rules.present.insert(id.clone(), own_rules(group));
            set(work, &id)?;
        }
    }
    Ok(())
}

/// Returns the rules of the controller that a described group has.
fn own_rules(group: &Value) -> BTreeMap<Rule, Option<String>> {
    let mut rules = BTreeMap::new();
    for permission in items(group, "/ipPermissions") {
        let port = permission["fromPort"].as_u64().and_then(|port| u16::try_from(port).ok());
        let sources = [("/groups", "/groupId"), ("/ipRanges", "/cidrIp"), ("/ipv6Ranges", "/cidrIpv6")];
        for (list, member) in sources {
            let own = items(permission, list).iter().filter(|source| text(source, "/description") == LABEL);
            for source in own {
                let rule = Rule {
                    source: text(source, member).to_owned(),
                    protocol: text(permission, "/ipProtocol").to_owned(),
                    port: port.unwrap_or_default(),
                };
                rules.insert(rule, source["userId"].as_str().map(str::to_owned));
            }
        }
    }
    rules
}

/// Lets one group have the rules that bindings want there.
fn set(work: &mut Work<'_>, group: &str) -> Done<()> {
    let rules = &work.memory.rules;
    let wanted = rules.wanted.values().filter_map(|groups| groups.get(group)).flatten();
    let wanted: BTreeSet<Rule> = wanted.cloned().collect();
    let present = rules.present.get(group).cloned().unwrap_or_default();
    for (rule, account) in present.iter().filter(|(rule, _)| !wanted.contains(rule)) {
        let permission = permission(rule, account.as_deref());
        let parameters = json!({ "GroupId": group, "IpPermissions": [permission] });
        match work.ec2("RevokeSecurityGroupIngress", parameters) {
            Err(trouble)
                if !["InvalidPermission.NotFound", "InvalidGroup.NotFound"]
                    .iter()
                    .any(|code| trouble.has_code(code)) =>
            {
                return Err(trouble);
            }
            _ => {}
        }
        if let Some(present) = work.memory.rules.present.get_mut(group) {
            present.remove(rule);
        }
    }
    for rule in wanted.into_iter().filter(|rule| !present.contains_key(rule)) {
        let parameters = json!({ "GroupId": group, "IpPermissions": [permission(&rule, None)] });
        let answer = work.ec2("AuthorizeSecurityGroupIngress", parameters)?;
        let account = answer.pointer("/securityGroupRuleSet/0/referencedGroupInfo/userId");
        let account = account.and_then(Value::as_str).map(str::to_owned);
        work.memory.rules.present.entry(group.to_owned()).or_default().insert(rule, account);
    }
    Ok(())
}

fn permission(rule: &Rule, account: Option<&str>) -> Value {
    let Rule { source, protocol, port } = rule;
    let port = port.to_string();
    let mut permission = json!({ "FromPort": port, "IpProtocol": protocol, "ToPort": port });
    if source.starts_with("sg-") {
        let mut group = json!({ "Description": LABEL, "GroupId": source });
        if let Some(account) = account {
            group["UserId"] = json!(account);
        }
        permission["Groups"] = json!([group]);
    } else if source.contains(':') {
        permission["Ipv6Ranges"] = json!([{ "CidrIpv6": source, "Description": LABEL }]);
    } else {
        permission["IpRanges"] = json!([{ "CidrIp": source, "Description": LABEL }]);
    }
    permission
}
