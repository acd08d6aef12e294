//! What resources of one account use of another one's, and the shares that they wait for.

mod support;

use straddle_engine::diagnostic::Sources;
use straddle_engine::spec::{LoadFailure, Loaded, Spec, SpecText, load_text};

/// Two accounts, the owner's under two names, and a network of the owner.
const HEAD: &str = r#"
[stack]
name = "test"
[account.owner]
id = "111111111111"
region = "here"
[account.alias]
id = "111111111111"
region = "here"
[account.apps]
id = "222222222222"
region = "here"
[defaults]
account = "owner"
[vpc.main]
cidr_block = "10.0.0.0/16"
[subnet.a]
for_each = { x = 1, y = 2 }
vpc_id = "${vpc.main.id}"
cidr_block = "10.0.${each.value}.0/24"
"#;

fn try_load(text: &str) -> Result<Loaded, Box<LoadFailure>> {
    let mut sources = Sources::default();
    sources.add("main.toml", format!("{HEAD}{text}"));
    load_text(SpecText { sources, ..SpecText::default() }, &support::registry())
}

#[track_caller]
fn load(text: &str) -> Spec {
    try_load(text).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

/// Returns what crosses the boundary, as `resource -> thing by shares`.
#[track_caller]
fn crossings(text: &str) -> Vec<String> {
    let spec = load(text);
    let shown = spec.crossings.iter().map(|crossing| {
        let shares: Vec<_> = crossing.shares.iter().map(ToString::to_string).collect();
        let node = &spec.resources[&crossing.resource];
        assert!(crossing.shares.is_subset(&node.dependencies), "{crossing:?} {:?}", node.dependencies);
        format!("{} -> {} by {}", crossing.resource, crossing.thing, shares.join(" "))
    });
    shown.collect()
}

const SHARE_OF_ALL: &str = r#"
[share.all]
resources = "${subnet.a[*].arn}"
principals = ["${account.apps.id}"]
"#;

const NAT_OF_APPS: &str = r#"
[nat_gateway.apps]
account = "apps"
subnet_id = "${subnet.a['x'].id}"
"#;

#[test]
fn what_uses_a_subnet_of_another_account_waits_for_its_share() {
    let text = format!("{SHARE_OF_ALL}{NAT_OF_APPS}");
    assert_eq!(crossings(&text), ["nat_gateway.apps -> subnet.a['x'] by share.all"]);
}

#[test]
fn a_network_is_covered_by_a_subnet_of_it() {
    let text =
        format!("{SHARE_OF_ALL}[route_table.apps]\naccount = \"apps\"\nvpc_id = \"${{vpc.main.id}}\"\n");
    assert_eq!(crossings(&text), ["route_table.apps -> vpc.main by share.all"]);
    let through = "[route_table.apps]\naccount = \"apps\"\nvpc_id = \"${subnet.a['x'].vpc_id}\"\n";
    assert_eq!(crossings(&format!("{SHARE_OF_ALL}{through}")), ["route_table.apps -> vpc.main by share.all"]);
}

#[test]
fn parts_and_instances_count_each() {
    let text = format!(
        "{SHARE_OF_ALL}{}",
        r#"
[nat_gateway.apps]
for_each = ["x", "y"]
account = "apps"
subnet_id = "${subnet.a[each.key].id}"
[route_table.apps]
account = "apps"
vpc_id = "${vpc.main.id}"
subnets = "${subnet.a[*].id}"
"#
    );
    let expected = [
        "nat_gateway.apps['x'] -> subnet.a['x'] by share.all",
        "nat_gateway.apps['y'] -> subnet.a['y'] by share.all",
        "route_table.apps -> vpc.main by share.all",
        "route_table.apps/association['x'] -> subnet.a['x'] by share.all",
        "route_table.apps/association['y'] -> subnet.a['y'] by share.all",
    ];
    assert_eq!(crossings(&text), expected);
}

#[test]
fn shares_may_be_written_in_many_ways() {
    let resources = [
        r#""${subnet.a[*].arn}""#,
        r#"["${subnet.a['x'].arn}"]"#,
        r#"["arn:of:${subnet.a['x'].id}"]"#,
        r#""${local.shared}""#,
        r#""${sort(concat(subnet.a[*].arn, []))}""#,
        r#""${values({ one = subnet.a['x'].arn })}""#,
    ];
    let principals = [
        r#"["${account.apps.id}"]"#,
        r#"["222222222222"]"#,
        r#"["arn:aws:organizations::111111111111:organization/o-1"]"#,
        r#"["${subnet.a['y'].arn}"]"#,
    ];
    for resources in resources {
        for principals in principals {
            let text = format!(
                "{NAT_OF_APPS}[share.one]\nresources = {resources}\nprincipals = {principals}\n[local]\nshared = \"${{subnet.a[*].arn}}\"\n"
            );
            assert_eq!(crossings(&text), ["nat_gateway.apps -> subnet.a['x'] by share.one"], "{text}");
        }
    }
}

#[test]
fn every_share_that_covers_is_waited_for() {
    let more = "[share.two]\nresources = [\"${subnet.a['x'].arn}\"]\nprincipals = [\"222222222222\"]\n";
    let other = "[share.other]\nresources = [\"${subnet.a['x'].arn}\"]\nprincipals = [\"333333333333\"]\n";
    let text = format!("{SHARE_OF_ALL}{more}{other}{NAT_OF_APPS}");
    assert_eq!(crossings(&text), ["nat_gateway.apps -> subnet.a['x'] by share.all share.two"]);
}

#[test]
fn accounts_are_told_apart_by_their_ids() {
    let nat = "[nat_gateway.alias]\naccount = \"alias\"\nsubnet_id = \"${subnet.a['x'].id}\"\n";
    assert_eq!(crossings(nat), [""; 0]);
}

#[test]
fn text_that_names_a_subnet_is_no_use_of_it() {
    let group = "[group.apps]\naccount = \"apps\"\nnote = \"in ${subnet.a['x'].id}\"\n";
    assert_eq!(crossings(group), [""; 0]);
}

#[test]
fn a_problem_of_a_share_is_the_only_one_reported() {
    let share = "[share.all]\nresources = 5\nprincipals = [\"222222222222\"]\n";
    let failure = try_load(&format!("{share}{NAT_OF_APPS}")).expect_err("the share is broken");
    let codes: Vec<_> = failure.diagnostics.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["wrong-type"]);
}

#[test]
fn every_share_waits_for_the_precondition() {
    let switch = "[share_switch.on]\n";
    let spec = load(&format!("{SHARE_OF_ALL}{switch}"));
    let needs: Vec<_> = spec.resources[&"share.all".parse().unwrap_or_else(|error| panic!("{error}"))]
        .dependencies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(needs, ["share_switch.on", "subnet.a['x']", "subnet.a['y']"]);
}
