//! Blocks that bring in resources of another kind.

use std::collections::BTreeMap;

use straddle_engine::spec::SpecFiles;

use super::*;

/// Loads a spec with the file `list.txt` beside it.
fn load_with_list(text: &str, list: &str) -> Result<Loaded, Box<LoadFailure>> {
    let mut sources = Sources::default();
    sources.add("main.toml", format!("{HEAD}{text}"));
    let files = BTreeMap::from([("list.txt".to_owned(), list.to_owned())]);
    let files = SpecFiles::InMemory(files);
    load_text(SpecText { sources, files, ..SpecText::default() }, &support::registry())
}

fn loaded(text: &str, list: &str) -> Spec {
    load_with_list(text, list).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

const LIST: &str = "web: the web\ndata after web: the data\n";

#[test]
fn members_are_resources_with_keys_that_others_refer_to() {
    let spec = loaded(
        r#"
        [group_list.shop]
        files = ["list.txt"]
        [group.one]
        note = "${group_list.shop['data'].note}"
        [group.all]
        note = "${join('+', group_list.shop[*].note)}"
        [group.table]
        note = "${group_list.shop['web'].arn}"
        [group.after]
        depends_on = ["group_list.shop"]
        [output.keys]
        value = "${keys(group_list.shop)}"
        [output.whole]
        value = "${group_list.shop['web']}"
        "#,
        LIST,
    );
    let members: Vec<_> = spec.resources.keys().filter(|address| address.key().is_some()).collect();
    let shown: Vec<_> = members.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["group_list.shop['data']", "group_list.shop['web']"]);
    assert!(members.iter().all(|address| spec.resources[*address].kind.as_str() == "group"));
    let known = [("group_list.shop['web'].note", "w"), ("group_list.shop['data'].note", "d")];
    assert_eq!(attribute(&spec, "group.one", "note", &known), Value::from("d"));
    assert_eq!(attribute(&spec, "group.all", "note", &known), Value::from("d+w"));
    assert_eq!(dependencies(&spec, "group.one"), ["group_list.shop['data']"]);
    assert_eq!(dependencies(&spec, "group.after"), shown);
    assert_eq!(dependencies(&spec, "group_list.shop['data']"), ["group_list.shop['web']"]);
    let keys = spec.outputs["keys"].value.evaluate(&Known::default()).expect("it can be evaluated");
    assert_eq!(keys, Value::from(vec!["data", "web"]));
    let whole = spec.outputs["whole"].value.evaluate(&Known::default()).expect("it can be evaluated");
    let whole: Vec<_> = whole.as_map().expect("it is a table").keys().cloned().collect();
    assert_eq!(whole, ["arn", "id", "note", "ports", "scaling"]);
}

#[test]
fn unknown_values_stay_where_they_stand_and_come_true_in_the_apply() {
    let spec = loaded(
        r#"
        [vpc.main]
        cidr_block = "10.0.0.0/16"
        [group_list.shop]
        files      = ["list.txt"]
        patch      = { web = "in ${vpc.main.id}" }
        depends_on = ["vpc.main"]
        "#,
        LIST,
    );
    let web = "group_list.shop['web']";
    let unknown = attribute(&spec, web, "note", &[]);
    assert_eq!(
        unknown.first_unknown().map(|unknown| unknown.origin.to_string()).as_deref(),
        Some("vpc.main.id")
    );
    assert_eq!(attribute(&spec, web, "note", &[("vpc.main.id", "vpc-1")]), Value::from("in vpc-1"));
    assert_eq!(attribute(&spec, "group_list.shop['data']", "note", &[]), Value::from("the data"));
    assert_eq!(dependencies(&spec, web), ["vpc.main"]);
    assert_eq!(dependencies(&spec, "group_list.shop['data']"), [web, "vpc.main"]);
}

#[test]
fn with_for_each_keys_begin_with_that_of_the_instance() {
    let spec = loaded(
        r#"
        [group_list.shop]
        for_each = ["east", "west"]
        files    = ["list.txt"]
        patch    = { web = "${each.key}" }
        "#,
        LIST,
    );
    let shown: Vec<_> = spec.resources.keys().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["east/data", "east/web", "west/data", "west/web"].map(|key| format!("group_list.shop['{key}']"))
    );
    assert_eq!(attribute(&spec, "group_list.shop['west/web']", "note", &[]), Value::from("west"));
    assert_eq!(dependencies(&spec, "group_list.shop['west/data']"), ["group_list.shop['west/web']"]);
}

#[test]
fn members_of_two_instances_cannot_have_one_name() {
    let text = "[group_list.shop]\nfor_each = [\"a\", \"a/b\"]\nfiles = [\"list.txt\"]\n";
    let failure = load_with_list(text, "b/web: x\nweb: y\n").expect_err("two have one name");
    let labels: Vec<_> = failure.diagnostics.iter().map(|problem| problem.label.as_str()).collect();
    assert_eq!(labels, ["two resources would be `group_list.shop['a/b/web']`"]);
}

#[test]
fn only_members_that_sensitive_values_are_in_are_sensitive() {
    let text = r#"
        [var.password]
        type      = "string"
        default   = "hunter2"
        sensitive = true
        [group_list.shop]
        files = ["list.txt"]
        patch = { web = "${var.password}" }
        "#;
    let spec = loaded(text, LIST);
    let hidden = |address: &str| {
        let node = &spec.resources[&address.parse().expect("the address is well formed")];
        node.lifecycle.sensitive.contains("note")
    };
    assert!(hidden("group_list.shop['web']"));
    assert!(!hidden("group_list.shop['data']"));
}

#[test]
fn what_files_say_counts_in_the_digest() {
    let spec = |list| loaded("[group_list.shop]\nfiles = [\"*.txt\"]\n", list).digest;
    assert_eq!(spec(LIST), spec(LIST));
    assert_ne!(spec(LIST), spec("web: another\n"));
}
