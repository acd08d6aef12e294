//! What carries the stack's tag and is not in its state is found at the end of a run.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use straddle_engine::audit::Leftover;
use straddle_engine::diagnostic::Sources;
use straddle_engine::plan::Mode;
use straddle_engine::resource::{ADDRESS_TAG, STACK_TAG};
use straddle_engine::run::Report;
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::cloud::Pace;
use straddle_testkit::simulation::{Order, World};

const SPEC: &str = r#"
[stack]
name = "left"
[account.a]
id = "111111111111"
region = "here"
[defaults]
account = "a"
[network.main]
range = "10.0.0.0/16"
"#;

fn spec(world: &World, text: &str) -> Spec {
    let mut sources = Sources::default();
    sources.add("stack.toml", format!("{SPEC}{text}"));
    let loaded = load_text(SpecText { sources, ..SpecText::default() }, world.registry());
    loaded.unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

fn run(world: &World, text: &str, mode: Mode) -> Report {
    let spec = spec(world, text);
    world.apply(&Order::new(&spec, mode)).ending.expect_done("the run")
}

/// Makes a network that carries the stack's tag, and returns its id.
fn add_stray(world: &World) -> String {
    let stack_id = world.state("left").unwrap().unwrap().lineage;
    let attributes = ValueMap::from([("range".to_owned(), Value::from("10.9.0.0/16"))]);
    let mut cloud = world.network.cloud();
    let id = cloud.add_foreign("111111111111", "network", &attributes);
    cloud.meddle(&id, |object| {
        object.tags.insert(STACK_TAG.to_owned(), stack_id);
        object.tags.insert(ADDRESS_TAG.to_owned(), "network.lost".to_owned());
    });
    id
}

fn ids(leftovers: &[Leftover]) -> Vec<String> {
    leftovers.iter().map(|leftover| leftover.id.to_string()).collect()
}

#[test]
fn what_is_left_behind_is_named_and_no_run_is_complete_with_it() {
    let world = World::new(1, Pace::INSTANT).with_audit();
    assert_eq!(run(&world, "", Mode::Apply).audited.leftovers, []);
    let stray = add_stray(&world);
    let report = run(&world, "names = true", Mode::Apply);
    assert_eq!(ids(&report.audited.leftovers), std::slice::from_ref(&stray));
    assert!(report.failures.is_empty() && !report.is_complete());
    let report = run(&world, "", Mode::Destroy);
    assert!(report.failures.is_empty() && !report.is_complete());
    let [leftover] = report.audited.leftovers.as_slice() else { panic!("{:?}", report.audited) };
    assert_eq!((leftover.id.to_string(), leftover.address.as_deref()), (stray, Some("network.lost")));
    assert_eq!(leftover.account.as_str(), "a");
}

#[test]
fn what_is_gone_or_kept_on_purpose_is_not_left_behind() {
    let world = World::new(1, Pace::INSTANT).with_audit();
    let kept = "[address.kept]\nretain_on_destroy = true\n";
    run(&world, kept, Mode::Apply);
    let stray = add_stray(&world);
    world.network.cloud().vanish(&stray);
    let report = run(&world, kept, Mode::Destroy);
    assert!(report.is_complete(), "{:?} {:?}", report.audited, report.failures);
    let kept: Vec<_> = world.network.cloud().live().map(|object| object.kind.clone()).collect();
    assert_eq!(kept, ["address"]);
}
