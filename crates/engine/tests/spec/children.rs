//! What stands in lists and tables of a resource and is one by itself.

use super::*;

#[test]
fn items_of_a_mixed_list_are_named_by_text_or_address() {
    let spec = load(
        r#"
        [subnet.s]
        for_each = ["a"]
        vpc_id = "vpc-1"
        cidr_block = "10.0.0.0/24"
        [route_table.t]
        vpc_id = "vpc-1"
        subnets = "${concat(subnet.s[*].id, ['subnet-1'])}"
        "#,
    );
    let children: Vec<_> = spec.resources.keys().filter_map(|address| address.child_name()).collect();
    assert_eq!(children, [("association", "subnet-1"), ("association", "subnet.s['a']")]);
    let value = attribute(
        &spec,
        "route_table.t/association['subnet.s[\\'a\\']']",
        "subnet_id",
        &[("subnet.s['a'].id", "x")],
    );
    assert_eq!(value, Value::from("x"));
}

#[test]
fn what_refers_to_another_accounts_group_knows_whose_it_is() {
    let accounts =
        "[account.other]\nid = \"444455556666\"\nregion = \"us-east-1\"\n[defaults]\naccount = \"main\"\n";
    let groups = r#"
        [group.theirs]
        account = "other"
        [group.ours]
        peers = ["${group.theirs.id}"]
        [rule.theirs]
        group_id = "${group.ours.id}"
        peer_id = "${group.theirs.id}"
        [rule.said]
        group_id = "${group.ours.id}"
        peer_id = "${group.theirs.id}"
        peer_account = "nobody"
        [rule.ours]
        group_id = "${group.theirs.id}"
        account = "other"
        peer_id = "${group.theirs.id}"
    "#;
    let spec = load(&format!("{accounts}{groups}"));
    let owner = |address| attribute(&spec, address, "peer_account", &[]);
    assert_eq!(owner("rule.theirs"), Value::from("444455556666"));
    assert_eq!(owner("group.ours/peer['group.theirs']"), Value::from("444455556666"));
    assert_eq!(owner("rule.said"), Value::from("nobody"));
    let ours = &spec.resources[&"rule.ours".parse().expect("the address is well formed")];
    assert!(!ours.attributes.contains_key("peer_account"));
}

#[test]
fn tables_become_children_named_by_description_or_position() {
    let spec = load(
        r#"
        [defaults]
        tags = { team = "net" }
        [vpc.main]
        cidr_block = "10.0.0.0/16"
        [security_group.alb]
        vpc_id  = "${vpc.main.id}"
        ingress = [
          { protocol = "tcp", ports = "80", cidr = "0.0.0.0/0", description = "HTTP from anywhere" },
          { protocol = "tcp", ports = "22", source = "${security_group.alb.id}", tags = { team = "ops" } },
        ]
        egress  = [{ protocol = "tcp", cidr = "${vpc.main.cidr_block}", description = "to ${vpc.main.id}" }]
        "#,
    );
    let addresses: Vec<_> = spec.resources.keys().map(ToString::to_string).collect();
    assert_eq!(
        addresses,
        [
            "security_group.alb",
            "security_group.alb/egress['0']",
            "security_group.alb/ingress['1']",
            "security_group.alb/ingress['HTTP from anywhere']",
            "vpc.main",
        ]
    );
    let http = "security_group.alb/ingress['HTTP from anywhere']";
    let known = [("security_group.alb.id", "sg-1"), ("vpc.main.id", "vpc-1")];
    let value = |address, name| attribute(&spec, address, name, &known);
    assert_eq!(value(http, "direction"), Value::from("ingress"));
    assert_eq!(value(http, "security_group_id"), Value::from("sg-1"));
    assert_eq!(value("security_group.alb/egress['0']", "direction"), Value::from("egress"));
    assert_eq!(value("security_group.alb/egress['0']", "description"), Value::from("to vpc-1"));
    assert_eq!(value("security_group.alb/ingress['1']", "source"), Value::from("sg-1"));
    assert_eq!(dependencies(&spec, http), ["security_group.alb"]);
    assert_eq!(dependencies(&spec, "security_group.alb/egress['0']"), ["security_group.alb", "vpc.main"]);
    let team = |address| value(address, "tags").as_map().and_then(|tags| tags.get("team").cloned());
    assert_eq!(team(http), Some(Value::from("net")));
    assert_eq!(team("security_group.alb/ingress['1']"), Some(Value::from("ops")));
}

#[test]
fn tables_may_come_from_expressions() {
    let spec = load(
        r#"
        [local]
        open = [{ protocol = "tcp", ports = "80", cidr = "0.0.0.0/0", description = "web" }]
        peer = { protocol = "tcp", ports = "81", source = "${security_group.b.id}", description = "peer" }
        [security_group.a]
        for_each = { x = "443", y = "444" }
        vpc_id   = "vpc-1"
        ingress  = "${concat(local.open, [local.peer])}"
        egress   = ["${local.peer}", { protocol = "tcp", ports = "${each.value}", cidr = "10.0.0.0/8" }]
        [security_group.b]
        vpc_id   = "vpc-1"
        "#,
    );
    let children = spec.resources.keys().filter(|address| address.child_name().is_some());
    let children: Vec<_> = children.map(ToString::to_string).collect();
    assert_eq!(
        children,
        [
            "security_group.a['x']/egress['1']",
            "security_group.a['x']/egress['peer']",
            "security_group.a['x']/ingress['peer']",
            "security_group.a['x']/ingress['web']",
            "security_group.a['y']/egress['1']",
            "security_group.a['y']/egress['peer']",
            "security_group.a['y']/ingress['peer']",
            "security_group.a['y']/ingress['web']",
        ]
    );
    let known = [("security_group.b.id", "sg-2")];
    let peer = "security_group.a['y']/ingress['peer']";
    assert_eq!(attribute(&spec, peer, "source", &known), Value::from("sg-2"));
    assert_eq!(attribute(&spec, "security_group.a['y']/egress['1']", "ports", &[]), Value::from("444"));
    assert_eq!(dependencies(&spec, peer), ["security_group.a['y']", "security_group.b"]);
}
