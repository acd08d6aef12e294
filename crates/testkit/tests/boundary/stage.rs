//! Two accounts, a network and the runs on it.

use std::time::Duration;

use straddle_engine::diagnostic::Sources;
use straddle_engine::event::{Event, Verb};
use straddle_engine::plan::Mode;
use straddle_engine::run::Report;
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_engine::state::State;
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::cloud::Pace;
use straddle_testkit::simulation::{Order, Trial, World};

const PREAMBLE: &str = r#"
[stack]
name = "boundary"
[account.a]
id = "111111111111"
region = "here"
[account.b]
id = "222222222222"
region = "here"
[defaults]
account = "a"
[network.main]
range = "10.0.0.0/16"
[segment.main]
for_each = { one = 1, two = 2 }
network = "${network.main.id}"
range = "10.0.${each.value}.0/24"
"#;

/// A share under a name, of segments of which each is a key.
pub(crate) fn share(name: &str, segments: &[&str]) -> String {
    let ids: Vec<_> =
        segments.iter().map(|segment| format!("\"${{segment.main['{segment}'].id}}\"")).collect();
    format!("[share.{name}]\nresources = [{}]\nprincipals = [\"${{account.b.id}}\"]\n", ids.join(", "))
}

/// A host of account `b` in segments.
pub(crate) fn host(segments: &[&str]) -> String {
    let ids: Vec<_> =
        segments.iter().map(|segment| format!("\"${{segment.main['{segment}'].id}}\"")).collect();
    format!("[host.app]\naccount = \"b\"\nimage = \"plain\"\nsegments = [{}]\n", ids.join(", "))
}

/// A world in which an account sees what is shared with it after so long.
pub(crate) fn world(sharing: Duration) -> World {
    World::new(1, Pace { sharing, work: 100, ..Pace::INSTANT })
}

pub(crate) fn spec(world: &World, text: &str) -> Spec {
    let mut sources = Sources::default();
    sources.add("stack.toml", format!("{PREAMBLE}{text}"));
    let loaded = load_text(SpecText { sources, ..SpecText::default() }, world.registry());
    loaded.unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

pub(crate) fn run(world: &World, text: &str, mode: Mode) -> (Report, Vec<Event>) {
    let spec = spec(world, text);
    let Trial { ending, events, .. } = world.apply(&Order::new(&spec, mode));
    let violations = world.network.cloud().violations().to_vec();
    assert!(violations.is_empty(), "{violations:#?}");
    (ending.expect_done("the run"), events)
}

/// Applies, and checks that everything was done and nothing is left to do.
#[track_caller]
pub(crate) fn apply(world: &World, text: &str) -> Vec<Event> {
    let (report, events) = run(world, text, Mode::Apply);
    assert!(report.is_complete(), "{:#?}", report.failures);
    let next = world.plan(&Order::new(&spec(world, text), Mode::Apply)).ending.expect_done("the plan");
    assert!(next.is_empty(), "{:#?}", next.changes);
    events
}

/// Returns the operations in the order in which they ended.
pub(crate) fn ended(events: &[Event]) -> Vec<String> {
    let ended = events.iter().filter_map(|event| match event {
        Event::OperationFinished { operation, .. } => {
            Some(format!("{:?} {}", operation.verb, operation.address))
        }
        _ => None,
    });
    ended.collect()
}

#[track_caller]
pub(crate) fn assert_order(events: &[Event], expected: &[&str]) {
    let ended = ended(events);
    let found: Vec<_> = ended.iter().filter(|operation| expected.contains(&operation.as_str())).collect();
    assert_eq!(found, expected, "{ended:#?}");
}

/// Returns the reasons for which the gate of the share waited.
pub(crate) fn waits(events: &[Event]) -> Vec<&str> {
    let reasons = events.iter().filter_map(|event| match event {
        Event::Waiting { operation, reason, .. } if operation.verb == Verb::Wait => Some(reason.as_str()),
        _ => None,
    });
    reasons.collect()
}

/// Puts something of account `b` that no stack knows into a segment, and returns its id.
pub(crate) fn lodge(world: &World, segment: &str) -> String {
    let state = state(world);
    let address = format!("segment.main['{segment}']").parse().unwrap();
    let id = state.resources[&address].object.as_ref().unwrap().remote_id.to_string();
    let attributes = ValueMap::from([("segment".to_owned(), Value::from(id))]);
    world.network.cloud().add_foreign("222222222222", "interface", &attributes)
}

/// Returns how many live things of a kind there are.
pub(crate) fn count(world: &World, kind: &str) -> usize {
    world.network.cloud().live().filter(|object| object.kind == kind).count()
}

/// Returns the state, which is there.
pub(crate) fn state(world: &World) -> State {
    world.state("boundary").unwrap().unwrap()
}
