//! Specs with shares: what is refused before anything is done, and what waits for what.

use straddle_engine::address::Address;
use straddle_engine::diagnostic::Sources;
use straddle_engine::spec::{LoadFailure, Loaded, SpecText, load_text};

/// Three accounts, and a subnet of the first.
const HEAD: &str = r#"
[stack]
name = "test"
[account.network]
id = "111122223333"
region = "us-east-1"
[account.apps]
id = "444455556666"
region = "us-east-1"
[account.management]
id = "777788889999"
region = "us-east-1"
[defaults]
account = "network"
[vpc.main]
cidr_block = "10.0.0.0/16"
[subnet.a]
vpc_id = "${vpc.main.id}"
cidr_block = "10.0.0.0/20"
"#;

const SHARE: &str = r#"
[ram_resource_share.main]
name = "main"
resources = ["${subnet.a.arn}"]
principals = ["${account.apps.id}"]
"#;

fn try_load(text: &str) -> Result<Loaded, Box<LoadFailure>> {
    let mut sources = Sources::default();
    sources.add("main.toml", format!("{HEAD}{text}"));
    load_text(SpecText { sources, ..SpecText::default() }, &straddle_aws::registry())
}

/// Returns what is said about a spec that is refused: details and hints.
#[track_caller]
fn refused(text: &str) -> Vec<String> {
    let failure = try_load(text).expect_err("something is wrong");
    let said = failure
        .diagnostics
        .iter()
        .map(|problem| format!("{} {}", problem.detail, problem.hint.as_deref().unwrap_or_default()));
    said.collect()
}

/// Returns what a resource of a spec needs.
#[track_caller]
fn needs(text: &str, kind: &str) -> Vec<String> {
    let loaded = try_load(text).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics));
    let node = &loaded.spec.resources[&Address::new(kind, "main")];
    node.dependencies.iter().map(ToString::to_string).collect()
}

#[test]
fn a_share_with_its_own_account_is_refused() {
    let said = refused(&SHARE.replace("account.apps", "account.network"));
    assert!(
        matches!(said.as_slice(), [text] if text.starts_with("111122223333 is the account that owns")),
        "{said:?}"
    );
}

#[test]
fn subnets_are_not_shared_outside_of_the_organization() {
    let said = refused(&format!("{SHARE}allow_external_principals = true\n"));
    assert!(matches!(said.as_slice(), [text] if text.contains("inside one organization only")), "{said:?}");
}

#[test]
fn an_id_instead_of_an_arn_is_refused() {
    let said = refused(&SHARE.replace("\"${subnet.a.arn}\"", "\"subnet-1\""));
    assert!(matches!(said.as_slice(), [text] if text.contains("`${subnet.NAME.arn}`")), "{said:?}");
}

#[test]
fn every_share_waits_for_the_organization_to_allow_it() {
    let condition = "[ram_organization_sharing.any]\naccount = \"management\"\nenable = true\n";
    let needs = needs(&format!("{SHARE}{condition}"), "ram_resource_share");
    assert_eq!(needs, ["ram_organization_sharing.any", "subnet.a"]);
}

#[test]
fn what_another_account_puts_into_a_subnet_waits_for_the_share() {
    let table = "[route_table.main]\naccount = \"apps\"\nvpc_id = \"${vpc.main.id}\"\n";
    assert_eq!(needs(&format!("{SHARE}{table}"), "route_table"), ["ram_resource_share.main", "vpc.main"]);
    let said = refused(table);
    assert!(said.iter().any(|text| text.contains("share")), "{said:?}");
}
