//! Whole specs, from text to atomic resources.

mod bundles;
mod children;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use straddle_engine::address::Address;
use straddle_engine::diagnostic::Sources;
use straddle_engine::resource::ReplaceOrder;
use straddle_engine::spec::{
    LoadFailure, Loaded, Scope, Spec, SpecText, VariableArgument, VariableSource, load_text,
};
use straddle_engine::value::Value;

const HEAD: &str = r#"
[stack]
name = "test"
[account.main]
id = "111122223333"
region = "us-east-1"
"#;

const NETWORK: &str = include_str!("../specs/network/network.toml");
const STACK: &str = include_str!("../specs/network/stack.toml");

fn load_files(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Loaded, Box<LoadFailure>> {
    let mut sources = Sources::default();
    for (name, text) in files {
        sources.add(*name, *text);
    }
    let argument = |(name, value): &(&str, &str)| VariableArgument {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
        source: VariableSource::CommandLine,
    };
    let variables = variables.iter().map(argument).collect();
    load_text(SpecText { sources, variables, ..SpecText::default() }, &support::registry())
}

fn load(text: &str) -> Spec {
    let text = format!("{HEAD}{text}");
    load_files(&[("main.toml", &text)], &[])
        .unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics))
        .spec
}

fn network() -> Spec {
    let variables = [("network_account_id", "111122223333"), ("apps_account_id", "444455556666")];
    let loaded = load_files(&[("network.toml", NETWORK), ("stack.toml", STACK)], &variables);
    loaded.unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

/// Knows nothing but what it is told.
#[derive(Default)]
struct Known(BTreeMap<String, Value>);

impl Scope for Known {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        let known = self.0.get(&format!("{address}.{attribute}")).cloned();
        known.unwrap_or_else(|| Value::unknown(address.clone(), attribute))
    }

    fn stack_id(&self) -> Value {
        Value::from("lineage")
    }
}

fn attribute(spec: &Spec, address: &str, attribute: &str, known: &[(&str, &str)]) -> Value {
    let known = known.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    let node = &spec.resources[&address.parse().expect("the address is well formed")];
    node.attributes[attribute].evaluate(&Known(known)).expect("the attribute can be evaluated")
}

fn dependencies(spec: &Spec, address: &str) -> Vec<String> {
    let node = &spec.resources[&address.parse().expect("the address is well formed")];
    node.dependencies.iter().map(ToString::to_string).collect()
}

#[test]
fn the_network_of_the_mission_expands() {
    let spec = network();
    let addresses: Vec<_> = spec.resources.keys().map(ToString::to_string).collect();
    assert_eq!(
        addresses,
        [
            "eip.nat",
            "internet_gateway.main",
            "nat_gateway.main",
            "route_table.private",
            "route_table.private/association['a']",
            "route_table.private/association['b']",
            "route_table.private/route['0.0.0.0/0']",
            "route_table.public",
            "route_table.public/association['a']",
            "route_table.public/association['b']",
            "route_table.public/route['0.0.0.0/0']",
            "subnet.private['a']",
            "subnet.private['b']",
            "subnet.public['a']",
            "subnet.public['b']",
            "vpc.main",
        ]
    );
}

#[test]
fn expressions_of_the_network_are_evaluated_with_what_is_known() {
    let spec = network();
    let known = [("vpc.main.cidr_block", "10.0.0.0/16"), ("vpc.main.id", "vpc-1")];
    let value = |address, name| attribute(&spec, address, name, &known);
    assert_eq!(value("subnet.private['b']", "cidr_block"), Value::from("10.0.144.0/20"));
    assert_eq!(value("subnet.private['b']", "availability_zone_id"), Value::from("use1-az2"));
    assert_eq!(value("subnet.private['b']", "vpc_id"), Value::from("vpc-1"));
    let subnet: Address = "subnet.public['a']".parse().expect("the address is well formed");
    assert_eq!(value("route_table.public/association['a']", "subnet_id"), Value::unknown(subnet, "id"));
}

#[test]
fn dependencies_of_the_network_are_atomic() {
    let spec = network();
    assert_eq!(
        dependencies(&spec, "nat_gateway.main"),
        [
            "eip.nat",
            "route_table.public",
            "route_table.public/association['a']",
            "route_table.public/association['b']",
            "route_table.public/route['0.0.0.0/0']",
            "subnet.public['a']",
        ]
    );
    assert_eq!(dependencies(&spec, "route_table.public"), ["vpc.main"]);
    assert_eq!(
        dependencies(&spec, "route_table.public/association['b']"),
        ["route_table.public", "subnet.public['b']"]
    );
    assert_eq!(
        dependencies(&spec, "route_table.private/route['0.0.0.0/0']"),
        ["nat_gateway.main", "route_table.private"]
    );
}

#[test]
fn tags_of_stack_and_resource_are_merged() {
    let spec = network();
    let tags = attribute(&spec, "vpc.main", "tags", &[]);
    let tags = tags.as_map().expect("tags are a table");
    assert_eq!(tags["project"], Value::from("cross-account-alb"));
    assert_eq!(tags["Name"], Value::from("shared"));
    assert_eq!(attribute(&spec, "eip.nat", "tags", &[]).as_map().map(BTreeMap::len), Some(1));
}

#[test]
fn accounts_are_known() {
    let spec = network();
    let apps = &spec.accounts["apps"];
    assert_eq!((apps.id.as_str(), apps.region.as_str()), ("444455556666", "us-east-1"));
    assert_eq!(apps.settings["role_arn"], Value::from("arn:aws:iam::444455556666:role/Deployer"));
    assert!(spec.resources.values().all(|node| node.account.as_str() == "network"));
}

#[test]
fn groups_that_let_each_other_in_are_no_cycle() {
    let spec = load(
        r#"
        [group.a]
        peers = ["${group.b.id}", "${group.a.id}"]
        [group.b]
        peers = ["${group.a.id}"]
        "#,
    );
    assert_eq!(dependencies(&spec, "group.a/peer['group.b']"), ["group.a", "group.b"]);
    assert_eq!(dependencies(&spec, "group.a/peer['group.a']"), ["group.a"]);
    assert_eq!(dependencies(&spec, "group.b/peer['group.a']"), ["group.a", "group.b"]);
    assert!(dependencies(&spec, "group.a").is_empty());
}

#[test]
fn meta_attributes_reach_the_node_and_its_children() {
    let spec = load(
        r#"
        [group.a]
        prevent_destroy = true
        retain_on_destroy = true
        ignore_changes = ["note"]
        replace_order = "create_first"
        timeouts = { create = "30m" }
        depends_on = ["group.b"]
        peers = ["sg-1"]
        [group.b]
        peers = ["sg-2"]
        "#,
    );
    let node = |address: &str| &spec.resources[&address.parse().expect("the address is well formed")];
    let lifecycle = &node("group.a").lifecycle;
    assert!(lifecycle.prevent_destroy && lifecycle.retain_on_destroy);
    assert_eq!(lifecycle.ignore_changes.iter().collect::<Vec<_>>(), ["note"]);
    assert_eq!(lifecycle.replace_order, Some(ReplaceOrder::CreateFirst));
    let timeouts = lifecycle.timeouts.expect("the spec sets one");
    assert_eq!((timeouts.create.as_secs(), timeouts.delete.as_secs()), (1800, 300));
    assert_eq!(node("group.a/peer['sg-1']").lifecycle, *lifecycle);
    assert_eq!(dependencies(&spec, "group.a"), ["group.b", "group.b/peer['sg-2']"]);
    assert_eq!(dependencies(&spec, "group.a/peer['sg-1']"), ["group.a", "group.b", "group.b/peer['sg-2']"]);
}

#[test]
fn values_of_for_each_stay_symbolic() {
    let spec = load(
        r#"
        [local]
        peers = { x = { id = "${group.b.id}", note = "for ${group.b.arn}" } }
        [group.a]
        for_each = "${local.peers}"
        note = "${each.value.note}"
        peers = ["${each.value.id}"]
        [group.b]
        "#,
    );
    let known = [("group.b.id", "sg-2"), ("group.b.arn", "arn")];
    assert_eq!(attribute(&spec, "group.a['x']", "note", &known), Value::from("for arn"));
    assert_eq!(attribute(&spec, "group.a['x']/peer['group.b']", "peer_id", &known), Value::from("sg-2"));
    assert_eq!(dependencies(&spec, "group.a['x']"), ["group.b"]);
}

#[test]
fn accounts_of_instances_may_differ() {
    let spec = load(
        r#"
        [account.other]
        id = "444455556666"
        region = "eu-west-1"
        [eip.each]
        for_each = ["main", "other"]
        account = "${each.key}"
        tags = { Region = "${account.other.region}" }
        "#,
    );
    let accounts: Vec<_> = spec.resources.values().map(|node| node.account.as_str()).collect();
    assert_eq!(accounts, ["main", "other"]);
}

#[test]
fn for_expressions_refer_to_resources_and_expand() {
    let spec = load(
        r#"
        [local]
        zones = ["a", "b"]
        [vpc.main]
        cidr_block = "10.0.0.0/16"
        [subnet.private]
        for_each = "${ {for i, zone in local.zones : zone => cidrsubnet(vpc.main.cidr_block, 8, i)} }"
        vpc_id = "${vpc.main.id}"
        cidr_block = "${each.value}"
        [route_table.private]
        vpc_id = "${vpc.main.id}"
        subnets = "${[for zone in local.zones : subnet.private[zone].id]}"
        "#,
    );
    assert_eq!(attribute(&spec, "subnet.private['b']", "cidr_block", &[]), Value::from("10.0.1.0/24"));
    let association = "route_table.private/association['b']";
    let known = [("subnet.private['b'].id", "subnet-b")];
    assert_eq!(attribute(&spec, association, "subnet_id", &known), Value::from("subnet-b"));
    assert_eq!(dependencies(&spec, association), ["route_table.private", "subnet.private['b']"]);
}

#[test]
fn a_local_value_inside_a_for_expression_has_names_of_its_own() {
    let spec = load(
        r#"
[vpc.main]
cidr_block = "10.0.0.0/16"
[local]
ids = "${[for number in [1, 2] : format('%s-%s', number, vpc.main.id)]}"
[output.ids]
value = "${[for word in ['a'] : join(' ', concat([word], local.ids))]}"
"#,
    );
    let known = Known(BTreeMap::from([("vpc.main.id".to_owned(), Value::from("vpc-1"))]));
    let ids = spec.outputs["ids"].value.evaluate(&known).expect("it can be evaluated");
    assert_eq!(ids, Value::from(vec!["a 1-vpc-1 2-vpc-1"]));
}

#[test]
fn whole_resources_are_tables_of_what_they_are() {
    let spec = load(
        r#"
[vpc.main]
cidr_block = "10.0.0.0/16"
[subnet.all]
for_each = { a = 1, b = 2 }
vpc_id = "${vpc.main.id}"
cidr_block = "10.0.${each.value}.0/24"
availability_zone_id = "use1-az1"
[output.vpc]
value = "${vpc.main}"
[output.one]
value = "${subnet.all['b']}"
[output.all]
value = "${subnet.all}"
[output.keys]
value = "${keys(subnet.all)}"
[output.ranges]
value = "${subnet.all[*]['cidr_block']}"
[output.last]
value = "${(subnet.all[*])[1]}"
"#,
    );
    let known = Known(BTreeMap::from([
        ("vpc.main.cidr_block".to_owned(), Value::from("10.0.0.0/16")),
        ("subnet.all['b'].cidr_block".to_owned(), Value::from("10.0.2.0/24")),
    ]));
    let value = |name: &str| spec.outputs[name].value.evaluate(&known).expect("it can be evaluated");
    let vpc = value("vpc");
    let vpc = vpc.as_map().expect("it is a table");
    assert_eq!(vpc["cidr_block"], Value::from("10.0.0.0/16"));
    assert_eq!(vpc["id"], Value::unknown(Address::new("vpc", "main"), "id"));
    assert_eq!(value("all").as_map().expect("it is a table")["b"], value("one"));
    assert_eq!(value("keys"), Value::from(vec!["a", "b"]));
    assert_eq!(value("ranges").as_list().expect("it is a list")[1], Value::from("10.0.2.0/24"));
    assert_eq!(value("last"), value("one"));
}

#[test]
fn what_is_known_when_the_spec_is_loaded_is_waited_for_too() {
    let spec = load(
        r#"
[vpc.main]
cidr_block = "10.0.0.0/16"
[vpc.other]
cidr_block = "10.1.0.0/16"
[internet_gateway.main]
vpc_id = "${vpc.main.id}"
[local]
ranges = "${[vpc.main.cidr_block]}"
[eip.listed]
for_each = ["${vpc.main.cidr_block}", "x"]
[eip.made]
for_each = "${{for range in local.ranges : range => 1}}"
[eip.written]
for_each = { a = "${vpc.main.cidr_block}", b = "${vpc.other.cidr_block}" }
tags = { Name = "${each.value}" }
[eip.keys]
for_each = { a = "${vpc.main.cidr_block}" }
[route_table.main]
vpc_id = "${vpc.other.id}"
routes = "${{for range in local.ranges : range => internet_gateway.main.id}}"
subnets = "${[vpc.main.cidr_block]}"
[security_group.main]
vpc_id = "${vpc.other.id}"
ingress = "${[for range in local.ranges : { protocol = 'tcp', cidr = range }]}"
"#,
    );
    for (address, expected) in [
        ("eip.listed['x']", vec!["vpc.main"]),
        ("eip.made['10.0.0.0/16']", vec!["vpc.main"]),
        ("eip.written['a']", vec!["vpc.main"]),
        ("eip.written['b']", vec!["vpc.other"]),
        ("eip.keys['a']", vec![]),
        (
            "route_table.main/route['10.0.0.0/16']",
            vec!["internet_gateway.main", "route_table.main", "vpc.main"],
        ),
        ("route_table.main/association['10.0.0.0/16']", vec!["route_table.main", "vpc.main"]),
        ("security_group.main/ingress['0']", vec!["security_group.main", "vpc.main"]),
    ] {
        assert_eq!(dependencies(&spec, address), expected, "{address}");
    }
}
