//! Whole commands on the test kit's cloud: what they print, and how they end.

mod drift;
mod import;
mod preflight;
mod sandbox;
mod tools;
mod wrong_at_apply;

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::Value as Json;
use straddle_engine::registry::Registry;
use straddle_engine::state::{Backend, LocalBackend, LockHolder};
use straddle_testkit::client::{CloudProvider, Network};
use straddle_testkit::clock::Clock;
use straddle_testkit::cloud::{Cloud, Pace};
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::kinds;

use crate::Exit;
use crate::terminal::tests::{Captured, captured};

const STACK: &str = r#"
[stack]
name = "shop"

[var.range]
default = "10.0.0.0/16"

[account.network]
id     = "111111111111"
region = "us-east-1"

[network.main]
range = "${var.range}"
tags  = { Name = "shared" }

[segment.public]
for_each = { a = 0, b = 1 }
network  = "${network.main.id}"
range    = "${cidrsubnet(var.range, 4, each.value)}"

[output.network]
value = "${network.main.id}"
"#;

/// A spec and a state in a folder, and a cloud.
struct World {
    folder: tempfile::TempDir,
    network: Network,
}

/// A command that has ended.
struct Done {
    exit: Exit,
    stdout: String,
    stderr: String,
}

impl World {
    fn new() -> Self {
        let network = Network::new(Cloud::new(1, Pace::INSTANT), Clock::default());
        let world = Self { folder: tempfile::tempdir().unwrap(), network };
        std::fs::create_dir(world.spec()).unwrap();
        std::fs::create_dir(world.state()).unwrap();
        world.write(STACK);
        world
    }

    fn spec(&self) -> PathBuf {
        self.folder.path().join("spec")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn saved(&self) -> String {
        self.folder.path().join("shop.plan").display().to_string()
    }

    fn write(&self, text: &str) {
        std::fs::write(self.spec().join("stack.toml"), text).unwrap();
    }

    /// Runs a command in which `SPEC` stands for the spec's folder.
    #[track_caller]
    fn run(&self, arguments: &str, expected: Exit) -> Done {
        self.run_with(|registry| registry, arguments, expected)
    }

    /// Runs a command of a program with more than the kinds.
    #[track_caller]
    fn run_with(&self, more: fn(Registry) -> Registry, arguments: &str, expected: Exit) -> Done {
        let spec = self.spec().display().to_string();
        let words = arguments.split(' ').map(|word| if word == "SPEC" { &*spec } else { word });
        let arguments = std::iter::once("straddle").chain(words).map(OsString::from);
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let registry = kinds::registry(CloudProvider::new(self.network.clone()));
        let exit = crate::run(more(registry), arguments, |_| captured(&stdout, &stderr));
        let [stdout, stderr] = [stdout.text(), stderr.text()].map(|text| self.tidy(&text));
        let done = Done { exit, stdout, stderr };
        assert_eq!(done.exit, expected, "{}\n{}", done.stdout, done.stderr);
        done
    }

    /// Puts words in the place of what is different in each run.
    fn tidy(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "FOLDER")
    }
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn codes(diagnostics: &Json) -> Vec<&str> {
    diagnostics.as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap()).collect()
}

#[test]
fn a_stack_is_planned_applied_and_destroyed() {
    let world = World::new();
    let planned = world.run("plan SPEC --detailed-exitcode", Exit::Changes);
    let summary =
        "Plan: 3 to create, 0 to change, 0 to replace, 0 to delete (network 111111111111 us-east-1: 3).";
    assert!(planned.stdout.trim_end().ends_with(summary), "{}", planned.stdout);

    let applied = world.run("apply SPEC --auto-approve", Exit::Success);
    assert!(applied.stdout.starts_with(&planned.stdout), "{}", applied.stdout);
    assert!(
        applied.stderr.contains("segment.public['a'] [network us-east-1]: created seg-"),
        "{}",
        applied.stderr
    );
    assert!(
        applied.stderr.contains("Apply complete: 3 created, 0 changed, 0 deleted, after "),
        "{}",
        applied.stderr
    );

    let again = world.run("plan SPEC --detailed-exitcode", Exit::Success);
    assert_eq!(again.stdout, "No changes. All 3 resources are as the spec says.\n");
    let again = world.run("apply SPEC --auto-approve", Exit::Success);
    assert_eq!(again.stdout, "No changes. All 3 resources are as the spec says.\n");

    let destroyed = world.run("destroy SPEC --auto-approve", Exit::Success);
    assert!(destroyed.stdout.contains("Everything of the stack shop goes away"), "{}", destroyed.stdout);
    assert!(
        destroyed.stderr.contains("Destroy complete: 0 created, 0 changed, 3 deleted"),
        "{}",
        destroyed.stderr
    );
    assert_eq!(world.network.cloud().live().count(), 0);
    let nothing = world.run("destroy SPEC --auto-approve", Exit::Success);
    assert_eq!(nothing.stdout, "No changes. Nothing of the stack shop is left.\n");
}

#[test]
fn what_was_applied_can_be_looked_up() {
    let world = World::new();
    world.run("state list SPEC", Exit::Success);
    world.run("apply SPEC --auto-approve", Exit::Success);
    let listed = world.run("state list SPEC", Exit::Success);
    assert_eq!(listed.stdout.lines().count(), 3, "{}", listed.stdout);
    let shown = world.run("state show segment.public['a'] SPEC", Exit::Success);
    assert!(shown.stdout.contains("range   = \"10.0.0.0/20\""), "{}", shown.stdout);
    world.run("state show segment.public['c'] SPEC", Exit::Error);

    let id = world.run("output network --raw --spec SPEC", Exit::Success).stdout;
    assert_eq!(json(&world.run("output --json --spec SPEC", Exit::Success).stdout)["network"], id.trim_end());
    world.run("output nothing --spec SPEC", Exit::Error);
}

#[test]
fn changes_and_drift_are_shown() {
    let world = World::new();
    world.run("apply SPEC --auto-approve", Exit::Success);
    let id = world.run("output network --raw --spec SPEC", Exit::Success).stdout;
    world.network.cloud().tag(id.trim_end(), "Name", "other");
    let planned = world.run("plan SPEC --var range=10.1.0.0/16", Exit::Success);
    for expected in [
        "Changed outside of straddle since the last apply",
        "~ Name = \"shared\" -> \"other\"",
        "must be replaced: range cannot be changed in place",
        "~ range = \"10.0.0.0/16\" -> \"10.1.0.0/16\"  (makes the replacement necessary)",
        "Plan: 0 to create, 0 to change, 3 to replace, 0 to delete",
    ] {
        assert!(planned.stdout.contains(expected), "{expected}:\n{}", planned.stdout);
    }
}

#[test]
fn a_saved_plan_is_carried_out_once_and_only_as_long_as_it_fits() {
    let world = World::new();
    let saved = world.saved();
    let planned = world.run(&format!("plan SPEC --out {saved}"), Exit::Success);
    assert!(
        planned.stderr.contains("straddle apply FOLDER/spec --plan FOLDER/shop.plan"),
        "{}",
        planned.stderr
    );
    world.run(&format!("apply SPEC --plan {saved}"), Exit::Success);
    let stale = world.run(&format!("apply SPEC --plan {saved}"), Exit::Error);
    assert!(stale.stderr.contains("error[stale-plan]"), "{}", stale.stderr);
    assert_eq!(world.network.cloud().live().count(), 3);
}

#[test]
fn a_part_of_a_stack_is_applied_and_the_rest_is_listed() {
    let world = World::new();
    let planned = world.run("plan SPEC --target segment.public['a'] --detailed-exitcode", Exit::Changes);
    let listed = "Left out by --target\n\n  + segment.public['b'] [network us-east-1]\n";
    assert!(planned.stdout.contains(listed), "{}", planned.stdout);
    let summary = "(network 111111111111 us-east-1: 2). 1 change is left out by --target.\n";
    assert!(planned.stdout.ends_with(summary), "{}", planned.stdout);
    let saved = world.saved();
    world.run(&format!("plan SPEC --target segment.public['a'] --out {saved}"), Exit::Success);
    world.run(&format!("apply SPEC --plan {saved}"), Exit::Success);
    assert_eq!(world.network.cloud().live().count(), 2);
    let nothing = world.run("plan SPEC --exclude segment.public['b'] --detailed-exitcode", Exit::Success);
    assert!(
        nothing.stdout.ends_with("No changes. 1 change is left out by --exclude.\n"),
        "{}",
        nothing.stdout
    );
    let json = json(&world.run("plan SPEC --exclude network.main --json", Exit::Success).stdout);
    assert_eq!(
        json["left_out"][0]["because"],
        serde_json::json!({ "why": "needs", "address": "network.main" })
    );
    assert_eq!(json["summary"]["left_out"], 1);
    world.run("apply SPEC --auto-approve", Exit::Success);
    let replaced = world.run("plan SPEC --replace segment.public['a']", Exit::Success);
    assert!(replaced.stdout.contains("since --replace asks for it"), "{}", replaced.stdout);
    world.run("destroy SPEC --exclude segment.public['a'] --auto-approve", Exit::Success);
    assert_eq!(world.network.cloud().live().count(), 2);
    world.run("destroy SPEC --target network.main --auto-approve", Exit::Success);
    assert_eq!(world.network.cloud().live().count(), 0);
}

#[test]
fn an_address_that_names_nothing_is_an_error() {
    let world = World::new();
    for command in ["plan", "apply --auto-approve", "destroy --auto-approve"] {
        let wrong = world.run(&format!("{command} SPEC --target segment.pubic"), Exit::Error);
        for expected in ["error[unknown-address]: --target names nothing", "Did you mean `segment.public`?"] {
            assert!(wrong.stderr.contains(expected), "{}", wrong.stderr);
        }
    }
    assert!(world.run("plan SPEC --target segment.", Exit::Error).stderr.contains("is no address"));
    let both = world.run("plan SPEC --target segment.public --exclude network.main", Exit::Error);
    assert!(both.stderr.contains("--target asks for something that is left out"), "{}", both.stderr);
}

#[test]
fn every_mistake_of_a_spec_is_shown() {
    let world = World::new();
    assert_eq!(
        world.run("validate SPEC", Exit::Success).stdout,
        "The spec is valid: 3 resources in 1 account.\n"
    );
    world.write(
        &STACK
            .replace("range = \"${var", "rang = \"${var")
            .replace("${network.main.id}", "${network.other.id}"),
    );
    let checked = world.run("validate SPEC", Exit::Error);
    assert!(checked.stderr.contains("--> FOLDER/spec/stack.toml:"), "{}", checked.stderr);
    let checked = json(&world.run("validate SPEC --json", Exit::Error).stdout);
    assert_eq!((&checked["type"], &checked["valid"]), (&Json::from("validation"), &Json::from(false)));
    let found = checked["diagnostics"].as_array().unwrap();
    assert!(found.len() > 2, "{checked:#}");
    assert!(found.iter().all(|item| item["place"]["start"]["line"].as_u64() > Some(1)), "{checked:#}");
    let failure = json(&world.run("plan SPEC --json", Exit::Error).stdout);
    assert_eq!((&failure["type"], &failure["exit_code"]), (&Json::from("failure"), &Json::from(1)));
    assert_eq!(failure["diagnostics"], checked["diagnostics"]);
}

#[test]
fn a_plan_is_printed_as_json() {
    let world = World::new();
    let plan = json(&world.run("plan SPEC --json", Exit::Success).stdout);
    assert_eq!(plan["type"], "plan");
    assert_eq!(plan["summary"]["create"], 3);
    assert_eq!(plan["diagnostics"], Json::Array(Vec::new()));
    let mut addresses: Vec<_> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["address"].as_str().unwrap())
        .collect();
    assert_eq!(addresses.remove(0), "network.main");
    addresses.sort_unstable();
    assert_eq!(addresses, ["segment.public['a']", "segment.public['b']"]);
}

#[test]
fn an_apply_for_machines_is_a_stream_that_ends_in_a_report() {
    let world = World::new();
    let done = world.run("apply SPEC --auto-approve --json", Exit::Success);
    let objects: Vec<_> = done.stdout.lines().map(json).collect();
    let has_head = |object: &Json| object["at"].is_string() && object["version"] == 1;
    assert!(objects.iter().all(has_head), "{}", done.stdout);
    assert_eq!((&objects[0]["type"], &objects[0]["format"]), (&"stream".into(), &"straddle-events".into()));
    let count = |kind: &str| objects.iter().filter(|object| object["type"] == kind).count();
    assert_eq!((count("plan"), count("operation_started"), count("operation_finished")), (1, 3, 3));
    let report = objects.last().unwrap();
    assert_eq!((&report["type"], &report["complete"]), (&Json::from("report"), &Json::from(true)));
    assert_eq!(report["done"].as_array().unwrap().len(), 3);
    assert_eq!(done.stderr, "");
}

#[test]
fn what_nobody_can_approve_is_not_carried_out() {
    let world = World::new();
    for command in ["apply SPEC", "destroy SPEC"] {
        let refused = world.run(command, Exit::Error);
        assert!(refused.stderr.contains("--auto-approve"), "{}", refused.stderr);
    }
    let refused = world.run("apply SPEC --json", Exit::Error);
    let lines: Vec<_> = refused.stdout.lines().map(json).collect();
    assert_eq!([&lines[0]["type"], &lines[1]["type"]], ["stream", "failure"]);
    assert_eq!(codes(&lines[1]["diagnostics"]), ["no-approval"]);
    assert_eq!(world.network.cloud().log().len(), 0);
}

#[test]
fn failures_are_listed_at_the_end_with_their_place_in_the_spec() {
    let world = World::new();
    *world.network.faults() = Faults::none().mutating(0, Fault::Denied);
    let failed = world.run("apply SPEC --auto-approve", Exit::Incomplete);
    for expected in [
        "network.main [network us-east-1]: failed to create after ",
        "segment.public['a'] [network us-east-1]: not started: it needs network.main",
        "error[operation-failed]: failed to create a resource",
        "--> FOLDER/spec/stack.toml:",
        "Apply incomplete: 0 created, 0 changed, 0 deleted, 1 failed, 2 not started, after ",
    ] {
        assert!(failed.stderr.contains(expected), "{expected}:\n{}", failed.stderr);
    }
    world.run("apply SPEC --auto-approve", Exit::Success);
}

#[test]
fn an_account_that_cannot_be_reached_is_named() {
    let world = World::new();
    world.write(&STACK.replace("id     =", "credentials = \"999999999999\"\nid     ="));
    let failed = world.run("plan SPEC", Exit::Error);
    assert!(failed.stderr.contains("error[connect]: failed to connect to an account"), "{}", failed.stderr);
    assert!(failed.stderr.contains("The call WhoAmI in the account `network` failed"), "{}", failed.stderr);
}

#[test]
fn a_locked_state_has_its_own_exit_code() {
    let world = World::new();
    world.run("apply SPEC --auto-approve", Exit::Success);
    let backend = LocalBackend::new(world.state(), "shop");
    let holder = LockHolder {
        process_id: 7,
        host: "build-1".to_owned(),
        command: "apply".to_owned(),
        since: "2026-01-01T00:00:00Z".to_owned(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _guard = runtime.block_on(backend.lock(&holder)).unwrap_or_else(|error| panic!("{error}"));
    let locked = world.run("apply SPEC --auto-approve --var range=10.1.0.0/16", Exit::Locked);
    assert!(locked.stderr.contains("error[state-locked]"), "{}", locked.stderr);
    world.run("plan SPEC", Exit::Success);
}

#[test]
fn an_environment_has_a_state_of_its_own() {
    let world = World::new();
    std::fs::create_dir(world.spec().join("envs")).unwrap();
    std::fs::write(world.spec().join("envs/prod.toml"), "range = \"10.2.0.0/16\"\n").unwrap();
    world.run("apply SPEC --env prod --auto-approve", Exit::Success);
    world.run("apply SPEC --auto-approve", Exit::Success);
    let has = |name: &str| world.state().join(name).is_file();
    assert!(has("shop.prod.json") && has("shop.json"));
    assert!(
        world.run("state show network.main SPEC --env prod", Exit::Success).stdout.contains("10.2.0.0/16")
    );
    assert_eq!(world.network.cloud().live().count(), 6);
}

#[test]
fn what_is_sensitive_is_never_printed() {
    let world = World::new();
    let document =
        "[document.keys]\nname = \"keys\"\nbody = { a = 1 }\nsecret = \"hunter2\"\nremark = \"hunter3\"\n";
    world.write(&format!("{STACK}\n{document}"));
    for command in [
        "plan SPEC",
        "plan SPEC --json",
        "apply SPEC --auto-approve --json",
        "state show document.keys SPEC",
        "state show document.keys SPEC --json",
        "state list SPEC --json",
    ] {
        let done = world.run(command, Exit::Success);
        assert!(
            !done.stdout.contains("hunter") && !done.stderr.contains("hunter"),
            "{command}: {}",
            done.stdout
        );
        assert!(done.stdout.contains("(sensitive)"), "{command}: {}", done.stdout);
    }
}

#[test]
fn a_state_is_looked_into_without_a_spec_that_loads() {
    let world = World::new();
    world.run("apply SPEC --auto-approve", Exit::Success);
    // The name of the stack can be read, and nothing else.
    world.write("[stack]\nname = \"shop\"\n[network]\nbroken = true\n");
    for command in ["state list SPEC", "state show network.main SPEC", "output network --spec SPEC"] {
        assert!(world.run(command, Exit::Success).stdout.contains("net"), "{command}");
    }
    // The file is no TOML; there is only one state.
    world.write("[stack");
    assert!(world.run("state list SPEC", Exit::Success).stdout.contains("network.main"));
    assert!(world.run("state list SPEC --stack shop", Exit::Success).stdout.contains("network.main"));
    let wrong = world.run("state list SPEC --stack shap", Exit::Error);
    assert!(wrong.stderr.contains("`shap` has no state") && wrong.stderr.contains("there is `shop`"));
    let other = world.run("state list SPEC --env prod", Exit::Error);
    assert!(other.stderr.contains("for the environment `prod`"), "{}", other.stderr);
    std::fs::copy(world.state().join("shop.json"), world.state().join("other.json")).unwrap();
    world.run("state list SPEC", Exit::Success);
    let text = std::fs::read_to_string(world.state().join("shop.json")).unwrap();
    std::fs::write(world.state().join("other.json"), text.replace("\"shop\"", "\"other\"")).unwrap();
    let several = world.run("state list SPEC", Exit::Error);
    assert!(several.stderr.contains("names no stack"), "{}", several.stderr);
}

#[test]
fn a_graph_has_the_resources_and_what_a_plan_does_to_them() {
    let world = World::new();
    let graph = json(&world.run("graph SPEC --format json", Exit::Success).stdout);
    assert_eq!(graph["nodes"].as_array().unwrap().len(), 3);
    assert!(graph["edges"].as_array().unwrap().iter().all(|edge| edge["needs"] == "network.main"));
    assert_eq!(world.network.cloud().log().len(), 0);
    world.run("apply SPEC --auto-approve", Exit::Success);
    let end = json(&world.run("graph SPEC --plan --destroy --fold --format json", Exit::Success).stdout);
    let actions: Vec<_> = end["nodes"].as_array().unwrap().iter().map(|node| &node["action"]).collect();
    assert_eq!(actions, ["delete", "delete"]);
    let dot = world.run("graph SPEC", Exit::Success).stdout;
    assert!(dot.starts_with("digraph \"shop\" {") && dot.contains("network 111111111111 us-east-1"));
}
