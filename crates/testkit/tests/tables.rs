//! What a change of one attribute of a table sends of the others, which others may have changed.

use std::fs;

use straddle_engine::plan::Mode;
use straddle_engine::spec::{LoadRequest, Spec, load};
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::cloud::Pace;
use straddle_testkit::simulation::{Order, World};

fn spec(world: &World, limits: &str) -> Spec {
    let folder = tempfile::tempdir().expect("a folder for the spec can be made");
    let text = format!(
        r#"
        [stack]
        name = "case"
        [account.a]
        id = "111111111111"
        region = "here"
        [defaults]
        account = "a"
        [network.main]
        range = "10.0.0.0/16"
        [segment.main]
        network = "${{network.main.id}}"
        range = "10.0.1.0/24"
        [host.main]
        image = "one"
        segments = ["${{segment.main.id}}"]
        limits = {limits}
        "#
    );
    fs::write(folder.path().join("spec.toml"), text).expect("the folder was just made");
    let request = LoadRequest { path: folder.path().to_owned(), ..LoadRequest::default() };
    load(&request, world.registry()).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

fn apply(world: &World, limits: &str) {
    let spec = spec(world, limits);
    let report = world.apply(&Order::new(&spec, Mode::Apply)).ending.expect_done("the apply");
    assert!(report.is_complete(), "{report:?}");
}

/// Returns the id and the limits of the host that the cloud has.
fn limits(world: &World) -> (String, ValueMap) {
    let cloud = world.network.cloud();
    let host = cloud.live().find(|object| object.attributes.contains_key("limits")).expect("there is a host");
    (host.id.clone(), host.attributes["limits"].as_map().expect("it is a table").clone())
}

/// Returns `files`, `memory` and `threads` as the cloud has them.
fn numbers(world: &World) -> [Option<i64>; 3] {
    let (_, limits) = limits(world);
    ["files", "memory", "threads"].map(|name| match limits.get(name) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    })
}

/// Does what only the cloud does.
fn set_threads(world: &World, threads: i64) {
    let (id, mut limits) = limits(world);
    limits.insert("threads".to_owned(), Value::Integer(threads));
    world.network.cloud().set(&id, "limits", Value::Map(limits));
}

#[test]
fn what_others_may_change_is_sent_as_it_is_unless_the_spec_says_otherwise_now() {
    let world = World::new(1, Pace::INSTANT);
    apply(&world, "{ files = 5, threads = 2 }");
    assert_eq!(numbers(&world), [Some(5), Some(512), Some(2)]);
    set_threads(&world, 4);
    apply(&world, "{ files = 6, threads = 2 }");
    assert_eq!(numbers(&world), [Some(6), Some(512), Some(4)], "the other change takes nothing back");
    apply(&world, "{ files = 6, threads = 3 }");
    assert_eq!(numbers(&world), [Some(6), Some(512), Some(3)], "another value in the spec counts");
    apply(&world, "{ files = 6, memory = 9 }");
    assert_eq!(numbers(&world), [Some(6), Some(9), Some(3)], "what is given up stays without a default");
}
