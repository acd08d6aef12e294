//! What belongs to somebody else is read when it is due, and never written; what others change between
//! plan and apply stops what would be made of it.

use straddle_engine::diagnostic::Sources;
use straddle_engine::event::Verb;
use straddle_engine::plan::{Mode, Plan};
use straddle_engine::run::RunError;
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::cloud::{Deed, Pace};
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::memory_files;
use straddle_testkit::simulation::{Ending, Order, World};

const ACCOUNT: &str = "111111111111";

const PREAMBLE: &str = r#"
[stack]
name = "lookups"
[account.a]
id = "111111111111"
region = "here"
"#;

/// Something of somebody else's, and a segment in it.
const SHARED: &str = r#"
[lookup.shared]
kind = "network"
filter = { tags = { Name = "shared" } }
[segment.mine]
network = "${lookup.shared.id}"
range = "10.0.0.0/20"
"#;

/// What is looked up is made in the same run.
const LATE: &str = r#"
[network.main]
range = "10.0.0.0/16"
[segment.all]
for_each = { a = "10.0.0.0/20", b = "10.0.16.0/20" }
network = "${network.main.id}"
range = "${each.value}"
[lookup.all]
kind = "segments"
network = "${network.main.id}"
depends_on = ["segment.all"]
[table.main]
network = "${network.main.id}"
tags = { count = "${length(lookup.all.ids)} segments" }
"#;

fn spec(world: &World, text: &str) -> Spec {
    let mut sources = Sources::default();
    sources.add("stack.toml", format!("{PREAMBLE}{text}"));
    let text = SpecText { sources, ..SpecText::default() };
    load_text(text, world.registry()).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

fn add_network(world: &World, name: &str, range: &str) -> String {
    let mut network: ValueMap = [("range", range), ("tenancy", "shared"), ("locator", "x")]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    network.extend(["dns", "names"].map(|name| (name.to_owned(), Value::from(true))));
    let mut cloud = world.network.cloud();
    let id = cloud.add_foreign(ACCOUNT, "network", &network);
    cloud.tag(&id, "Name", name);
    id
}

fn order(spec: &Spec) -> Order<'_> {
    Order::new(spec, Mode::Apply)
}

fn plan(world: &World, spec: &Spec) -> Plan {
    world.plan(&order(spec)).ending.expect_done("the plan")
}

fn segment_networks(world: &World) -> Vec<String> {
    let cloud = world.network.cloud();
    let segments = cloud.live().filter(|object| object.kind == "segment" && !object.foreign);
    segments.map(|object| object.text("network").unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_is_looked_up_is_not_recorded_and_not_touched() {
    let world = World::new(1, Pace::INSTANT);
    let id = add_network(&world, "shared", "10.0.0.0/16");
    add_network(&world, "other", "10.1.0.0/16");
    let spec = spec(&world, SHARED);
    let planned = plan(&world, &spec);
    assert_eq!(planned.lookups.len(), 1);
    let outputs = planned.lookups[0].outputs.as_ref().expect("it is known");
    assert_eq!(outputs["id"], Value::from(id.as_str()));
    assert!(!planned.lookups[0].later);
    world.apply(&order(&spec)).ending.expect_done("the apply");
    assert_eq!(segment_networks(&world), [id.as_str()]);
    assert!(plan(&world, &spec).is_empty());
    let state = world.state("lookups").expect("the state can be read").expect("there is a state");
    assert_eq!(state.resources.len(), 1);
    let destroyed = world.apply(&Order::new(&spec, Mode::Destroy)).ending.expect_done("the destroy");
    assert!(destroyed.is_complete());
    let cloud = world.network.cloud();
    assert!(cloud.live().all(|object| object.foreign) && cloud.live().count() == 2);
    let touched =
        cloud.log().iter().filter(|entry| entry.deed != Deed::Read && entry.operation.contains("Network"));
    assert_eq!(touched.count(), 0);
}

#[test]
fn what_is_made_first_is_looked_up_after_it() {
    let world = World::new(1, Pace::INSTANT);
    let spec = spec(&world, LATE);
    let planned = plan(&world, &spec);
    assert!(planned.lookups[0].later && planned.lookups[0].outputs.is_none());
    let report = world.apply(&order(&spec)).ending.expect_done("the apply");
    assert!(report.is_complete(), "{report:?}");
    let done: Vec<_> = report.done.iter().map(|(address, verb)| (address.to_string(), *verb)).collect();
    let place = |name: &str| done.iter().position(|(address, _)| address == name).expect("it was done");
    assert!(place("segment.all['b']") < place("lookup.all") && place("lookup.all") < place("table.main"));
    assert_eq!(done[place("lookup.all")].1, Verb::Look);
    let state = world.state("lookups").expect("the state can be read").expect("there is a state");
    let table = &state.resources[&"table.main".parse().expect("an address")];
    let tags = table.object.as_ref().expect("it is there").inputs["tags"].as_map().expect("a table").clone();
    assert_eq!(tags["count"], Value::from("2 segments"));
    assert!(plan(&world, &spec).is_empty());
}

#[test]
fn a_crash_at_any_moment_loses_nothing() {
    let trial = {
        let world = World::new(1, Pace::INSTANT);
        let spec = spec(&world, LATE);
        world.apply(&order(&spec))
    };
    let (calls, operations) = (trial.mutating_calls, trial.file_operations);
    let of_disk = (0..operations).map(|at| (Faults::none(), Some((at, memory_files::Fault::Crash))));
    let of_calls = (0..calls).map(|at| (Faults::none().mutating(at, Fault::CrashAfter), None));
    for (number, (faults, disk_fault)) in of_disk.chain(of_calls).enumerate() {
        let world = World::new(1, Pace::INSTANT);
        let spec = spec(&world, LATE);
        let order = Order { disk_fault, ..order(&spec) }.with_faults(faults);
        assert!(matches!(world.apply(&order).ending, Ending::Crashed), "crash {number}");
        let report = world.apply(&self::order(&spec)).ending.expect_done("the next apply");
        assert!(report.is_complete(), "crash {number}: {report:?}");
        assert!(plan(&world, &spec).is_empty(), "crash {number}");
        assert_eq!(world.network.cloud().live().count(), 4, "crash {number}");
    }
}

#[test]
fn a_saved_plan_is_refused_once_another_thing_fits() {
    let world = World::new(1, Pace::INSTANT);
    let first = add_network(&world, "shared", "10.0.0.0/16");
    let spec = spec(&world, SHARED);
    let saved = plan(&world, &spec);
    world.network.cloud().tag(&first, "Name", "other");
    add_network(&world, "shared", "10.0.0.0/16");
    let stale = world.apply_saved(&order(&spec), &saved).ending;
    assert!(matches!(stale, Ending::Refused(RunError::Stale { .. })), "{stale:?}");
    assert_eq!(segment_networks(&world), [""; 0]);
}

#[test]
fn nothing_or_several_things_are_told_with_their_place() {
    for (networks, code) in [(0, "lookup-found-nothing"), (2, "lookup-found-several")] {
        let world = World::new(1, Pace::INSTANT);
        for _ in 0..networks {
            add_network(&world, "shared", "10.0.0.0/16");
        }
        let spec = spec(&world, SHARED);
        let Ending::Refused(RunError::Diagnostics(problems)) = world.plan(&order(&spec)).ending else {
            panic!("{networks} networks are no problem");
        };
        let problem = problems.iter().next().expect("there is one");
        assert_eq!(problem.code, code);
        let place = spec.sources.location(problem.span.expect("it says where"));
        assert_eq!((place.line, place.column), (8, 9), "{place:?}");
    }
}

#[test]
fn what_is_not_there_after_all_stops_what_needs_it() {
    let world = World::new(1, Pace::INSTANT);
    let text = r#"
[network.main]
range = "10.0.0.0/16"
[lookup.never]
kind = "network"
filter = { tags = { Name = "never" } }
depends_on = ["network.main"]
[segment.mine]
network = "${lookup.never.id}"
range = "10.0.0.0/20"
"#;
    let spec = spec(&world, text);
    let report = world.apply(&order(&spec)).ending.expect_done("the apply");
    let failed: Vec<_> =
        report.failures.iter().map(|failure| (failure.address.to_string(), failure.verb)).collect();
    assert_eq!(failed, [("lookup.never".to_owned(), Verb::Look)]);
    let problem = report.failures[0].problem.as_ref().expect("it says where");
    assert_eq!(problem.code, "lookup-found-nothing");
    let skipped: Vec<_> = report.skipped.iter().map(|(address, _)| address.to_string()).collect();
    assert_eq!(skipped, ["segment.mine"]);
}

#[test]
fn the_order_through_a_lookup_is_kept_for_the_way_back() {
    let world = World::new(1, Pace::INSTANT);
    let spec = spec(&world, LATE);
    world.apply(&order(&spec)).ending.expect_done("the apply");
    let state = world.state("lookups").expect("the state can be read").expect("there is a state");
    let table = &state.resources[&"table.main".parse().expect("an address")];
    for segment in ["segment.all['a']", "segment.all['b']"] {
        assert!(table.dependencies.contains(&segment.parse().expect("an address")), "{table:?}");
    }
    // Also where nothing is left of the spec that says so.
    let destroyed = world.apply(&Order::new(&spec, Mode::Destroy)).ending.expect_done("the destroy");
    let place = |name: &str| destroyed.done.iter().position(|(address, _)| address.to_string() == name);
    assert!(place("table.main") < place("segment.all['a']"), "{:?}", destroyed.done);
}
