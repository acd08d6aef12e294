//! Components: what becomes of them, and what they cannot reach.
#![expect(clippy::disallowed_methods, reason = "these tests write the files that are loaded")]

mod support;

use std::path::Path;

use straddle_engine::address::Address;
use straddle_engine::spec::{LoadFailure, LoadRequest, Loaded, Scope, Spec, load};
use straddle_engine::value::Value;

const STACK: &str = r#"
[stack]
name = "shop"
[account.main]
id = "111122223333"
region = "us-east-1"
[account.other]
id = "444455556666"
region = "us-east-1"
[defaults]
account = "main"
"#;

const NETWORK: &str = r#"
[component]
name = "network"
description = "A network with subnets."
requires = ">=0.1"

[input.cidr_block]
type = "string"
[input.zones]
default = { a = 1 }

[local]
prefix = "${input.cidr_block} in ${stack.name}"

[vpc.main]
cidr_block = "${input.cidr_block}"
tags = { Name = "${local.prefix}" }

[subnet.public]
for_each = "${input.zones}"
vpc_id = "${vpc.main.id}"
cidr_block = "${cidrsubnet(input.cidr_block, 8, each.value)}"
availability_zone_id = "use1-az${each.value}"

[output.vpc_id]
value = "${vpc.main.id}"
[output.subnets]
value = "${subnet.public[*].id}"
"#;

struct NoScope;

impl Scope for NoScope {
    fn attribute(&self, address: &Address, attribute: &str) -> Value {
        Value::unknown(address.clone(), attribute)
    }

    fn stack_id(&self) -> Value {
        Value::Null
    }
}

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("the file is in a folder"))
                .expect("a folder can be made");
            std::fs::write(path, content).expect("a file can be written");
        }
        Self(folder)
    }

    fn load(&self) -> Result<Loaded, Box<LoadFailure>> {
        load_path(self.0.path())
    }

    fn spec(&self) -> Spec {
        self.load().unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
    }
}

fn load_path(path: &Path) -> Result<Loaded, Box<LoadFailure>> {
    load(&LoadRequest { path: path.to_owned(), ..LoadRequest::default() }, &support::registry())
}

fn spec(stack: &str, components: &[(&str, &str)]) -> Spec {
    let stack = format!("{STACK}{stack}");
    let mut files = vec![("main.toml", stack.as_str())];
    files.extend(components);
    Files::new(&files).spec()
}

fn names(spec: &Spec) -> Vec<String> {
    spec.resources.keys().map(ToString::to_string).collect()
}

fn needs(spec: &Spec, address: &str) -> Vec<String> {
    let address: Address = address.parse().expect("the address is well formed");
    spec.resources[&address].dependencies.iter().map(ToString::to_string).collect()
}

fn account<'a>(spec: &'a Spec, address: &str) -> &'a str {
    let address: Address = address.parse().expect("the address is well formed");
    spec.resources[&address].account.as_str()
}

const USE: &str = r#"
[use.network]
source = "./components/network"
inputs = { cidr_block = "10.0.0.0/16", zones = { a = 1, b = 2 } }
"#;

#[test]
fn a_component_brings_in_its_resources_and_tells_its_outputs() {
    let text = format!(
        "{USE}
[route_table.main]
vpc_id = \"${{use.network.vpc_id}}\"
subnets = \"${{use.network.subnets}}\"
"
    );
    let spec = spec(&text, &[("components/network/main.toml", NETWORK)]);
    assert_eq!(
        names(&spec),
        [
            "route_table.main",
            "route_table.main/association['a']",
            "route_table.main/association['b']",
            "network/subnet.public['a']",
            "network/subnet.public['b']",
            "network/vpc.main",
        ]
    );
    // Outputs make edges to what they are made of, and to nothing else.
    assert_eq!(needs(&spec, "route_table.main"), ["network/vpc.main"]);
    assert_eq!(needs(&spec, "network/subnet.public['a']"), ["network/vpc.main"]);
    let tags = spec.resources[&"network/vpc.main".parse().expect("it is an address")].attributes["tags"]
        .evaluate(&NoScope)
        .expect("the tags are known");
    assert_eq!(tags.as_map().expect("it is a table")["Name"], Value::from("10.0.0.0/16 in shop"));
}

#[test]
fn instances_of_a_component_have_values_of_their_own() {
    let text = r#"
[use.network]
source = "components/network"
for_each = { east = 1, west = 2 }
inputs = { cidr_block = "10.${each.value}.0.0/16", zones = { z = 1 } }
[subnet.own]
for_each = ["east", "west"]
vpc_id = "${use.network[each.key].vpc_id}"
cidr_block = "10.0.0.0/24"
availability_zone_id = "use1-az1"
[output.firsts]
value = "${use.network[*].subnets[0]}"
"#;
    let spec = spec(text, &[("components/network/main.toml", NETWORK)]);
    assert_eq!(
        names(&spec),
        [
            "subnet.own['east']",
            "subnet.own['west']",
            "network['east']/subnet.public['z']",
            "network['east']/vpc.main",
            "network['west']/subnet.public['z']",
            "network['west']/vpc.main",
        ]
    );
    let range = |key: &str| {
        let address = format!("network['{key}']/vpc.main").parse().expect("it is an address");
        spec.resources[&address].attributes["cidr_block"].evaluate(&NoScope).expect("it is known")
    };
    assert_eq!((range("east"), range("west")), (Value::from("10.1.0.0/16"), Value::from("10.2.0.0/16")));
    let first = |key: &str| {
        let address = format!("network['{key}']/subnet.public['z']").parse().expect("it is an address");
        Value::unknown(address, "id")
    };
    let firsts = spec.outputs["firsts"].value.evaluate(&NoScope).expect("it can be evaluated");
    assert_eq!(firsts, Value::List(vec![first("east"), first("west")]));
}

#[test]
fn components_are_used_inside_of_components_and_more_than_once() {
    let outer = r#"
[component]
[input.number]
[use.first]
source = "../network"
inputs.cidr_block = "10.${input.number}.0.0/16"
[use.second]
source = "./../network"
inputs.cidr_block = "10.1${input.number}.0.0/16"
depends_on = ["use.first"]
[output.vpc_id]
value = "${use.second.vpc_id}"
"#;
    let stack = r#"
[use.outer]
source = "components/outer"
inputs.number = 5
[eip.last]
depends_on = ["use.outer"]
[output.vpc]
value = "${use.outer.vpc_id}"
"#;
    let spec =
        spec(stack, &[("components/network/main.toml", NETWORK), ("components/outer/main.toml", outer)]);
    assert_eq!(
        names(&spec),
        [
            "eip.last",
            "outer/first/subnet.public['a']",
            "outer/first/vpc.main",
            "outer/second/subnet.public['a']",
            "outer/second/vpc.main",
        ]
    );
    assert_eq!(
        needs(&spec, "outer/second/vpc.main"),
        ["outer/first/subnet.public['a']", "outer/first/vpc.main"]
    );
    assert_eq!(needs(&spec, "eip.last").len(), 4);
    let vpc = spec.outputs["vpc"].value.evaluate(&NoScope).expect("it can be evaluated");
    let Value::Unknown(unknown) = vpc else { panic!("{vpc:?} is known") };
    assert_eq!(unknown.origin.to_string(), "outer/second/vpc.main.id");
    assert!(unknown.exact);
}

#[test]
fn accounts_are_called_by_names_of_the_component() {
    let two = r#"
[component]
[account.hub]
[account.spoke]
description = "Where the workload is."
[eip.hub]
account = "hub"
tags = { id = "${account.hub.id}" }
[eip.spoke]
account = "spoke"
[use.one]
source = "../one"
accounts = { only = "spoke" }
[use.none]
source = "../none"
account = "hub"
"#;
    let one = "[component]\n[account.only]\n[eip.x]\n";
    let none = "[component]\n[eip.x]\n";
    let stack = r#"
[use.two]
source = "./two"
accounts = { hub = "other", spoke = "main" }
[use.none]
source = "./none"
"#;
    let files = [("two/main.toml", two), ("one/main.toml", one), ("none/main.toml", none)];
    let spec = spec(stack, &files);
    assert_eq!(account(&spec, "two/eip.hub"), "other");
    assert_eq!(account(&spec, "two/eip.spoke"), "main");
    assert_eq!(account(&spec, "two/one/eip.x"), "main");
    assert_eq!(account(&spec, "two/none/eip.x"), "other");
    assert_eq!(account(&spec, "none/eip.x"), "main");
    let tags = &spec.resources[&"two/eip.hub".parse().expect("it is an address")].attributes["tags"];
    let tags = tags.evaluate(&NoScope).expect("the tags are known");
    assert_eq!(tags.as_map().expect("it is a table")["id"], Value::from("444455556666"));
}

#[test]
fn digests_cover_the_files_of_components() {
    let digest = |network: &str| {
        let stack = format!("{STACK}{USE}");
        let files = [("main.toml", stack.as_str()), ("components/network/main.toml", network)];
        Files::new(&files).spec().digest
    };
    assert_eq!(digest(NETWORK), digest(NETWORK));
    assert_ne!(digest(NETWORK), digest(&NETWORK.replace("A network", "The network")));
}

#[test]
fn what_is_inside_can_be_renamed_by_the_component_itself() {
    let component = "[component]\n[eip.new]\n[[moved]]\nfrom = \"eip.old\"\nto = \"eip.new\"\n";
    let stack = "[use.a]\nsource = \"c\"\nfor_each = [\"x\"]\n";
    let files = Files::new(&[("main.toml", &format!("{STACK}{stack}")), ("c/main.toml", component)]);
    let moved = files.spec().refactoring;
    assert!(format!("{moved:?}").contains("\"old\""), "{moved:?}");
    let gone = component.replace("[eip.new]", "[eip.other]");
    let files = Files::new(&[("main.toml", &format!("{STACK}{stack}")), ("c/main.toml", &gone)]);
    let failure = files.load().expect_err("the move leads to nothing");
    let labels: Vec<_> = failure.diagnostics.iter().map(|diagnostic| diagnostic.label.clone()).collect();
    assert_eq!(labels, ["the spec has no `a['x']/eip.new`"]);
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_the_folder_of_the_spec() {
    let outside = Files::new(&[("main.toml", NETWORK)]);
    let files = Files::new(&[("main.toml", &format!("{STACK}{USE}")), ("components/x.txt", "")]);
    let link = files.0.path().join("components/network");
    std::os::unix::fs::symlink(outside.0.path(), &link).expect("a link can be made");
    let failure = files.load().expect_err("the link is not followed");
    assert_eq!(
        failure.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(),
        ["unreadable-file"]
    );
}

#[test]
fn a_component_alone_says_what_it_is() {
    let files = Files::new(&[("network/main.toml", NETWORK)]);
    let failure = load_path(&files.0.path().join("network")).expect_err("a component is no stack");
    assert_eq!(
        failure.diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(),
        ["component-alone"]
    );
}

#[test]
fn components_cannot_grow_without_end() {
    let deep = |number: usize| {
        format!(
            "[component]\n[use.a]\nsource = \"../c{}\"\n[use.b]\nsource = \"../c{}\"\n",
            number + 1,
            number + 1
        )
    };
    let mut files: Vec<_> = (0..16).map(|number| (format!("c{number}/main.toml"), deep(number))).collect();
    files.push(("c16/main.toml".to_owned(), "[component]\n[eip.x]\n".to_owned()));
    files.push(("main.toml".to_owned(), format!("{STACK}[use.a]\nsource = \"c0\"\n")));
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let failure = Files::new(&files).load().expect_err("there are too many");
    let codes: std::collections::BTreeSet<_> =
        failure.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert!(codes.contains("nested-too-deep") || codes.contains("too-many-components"), "{codes:?}");
    assert!(failure.diagnostics.iter().count() < 10, "{:#?}", failure.diagnostics);
}

#[test]
fn components_are_not_copied_beyond_the_limits() {
    let each = "for_each = \"${[for number in range(9000) : tostring(number)]}\"\n";
    let stack = format!("{STACK}[use.many]\nsource = \"c\"\n{each}");
    let blocks: Vec<_> = (0..2000).map(|number| format!("[eip.e{number}]\n")).collect();
    let list = "\"${stack.name}\",".repeat(100_000);
    for (component, code) in [
        (format!("[component]\n{}", blocks.concat()), "too-many-resources"),
        (format!("[component]\n[local]\na = [{list}]\n"), "too-many-components"),
        (format!("[component]\n[local]\na = [{}]\n", "0,".repeat(1_000_000)), "too-many-components"),
    ] {
        let files = Files::new(&[("main.toml", &stack), ("c/main.toml", &component)]);
        let failure = files.load().expect_err("all instances together are too large");
        let codes: Vec<_> = failure.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [code]);
    }
}

#[test]
fn outputs_of_many_instances_are_collected_once() {
    let each = "for_each = \"${[for number in range(9000) : tostring(number)]}\"\n";
    let output = |number: usize| format!("[output.o{number}]\nvalue = \"${{length(use.many[*].x)}}\"\n");
    let outputs: Vec<_> = (0..1000).map(output).collect();
    let stack = format!("{STACK}[use.many]\nsource = \"c\"\n{each}{}", outputs.concat());
    let component = "[component]\n[output.x]\nvalue = \"${stack.name}\"\n";
    let spec = Files::new(&[("main.toml", &stack), ("c/main.toml", component)]).spec();
    let last = spec.outputs["o999"].value.evaluate(&NoScope);
    assert_eq!(last.map_err(|error| error.to_string()), Ok(Value::Integer(9000)));
}
