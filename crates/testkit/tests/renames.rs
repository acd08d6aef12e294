//! A block with another name: the state follows in one step, whenever the run is killed, and
//! nothing is made or deleted.

use straddle_engine::diagnostic::Sources;
use straddle_engine::plan::Mode;
use straddle_engine::run::RunError;
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_testkit::cloud::{Deed, Pace};
use straddle_testkit::memory_files::Fault;
use straddle_testkit::simulation::{Ending, Order, World};

const PREAMBLE: &str = r#"
[stack]
name = "renames"
[account.a]
id = "111111111111"
region = "here"
[network.main]
range = "10.0.0.0/16"
"#;

const BEFORE: &str = r#"
[segment.a]
network = "${network.main.id}"
range = "10.0.0.0/20"
[table.one]
network = "${network.main.id}"
segments = ["${segment.a.id}"]
"#;

/// New names, and one thing that changes besides.
const AFTER: &str = r#"
[segment.all]
for_each = { a = "10.0.0.0/20" }
network = "${network.main.id}"
range = "${each.value}"
public = true
[table.two]
network = "${network.main.id}"
segments = "${segment.all[*].id}"
[[moved]]
from = "segment.a"
to = "segment.all['a']"
[[moved]]
from = "table.one"
to = "table.two"
[[moved]]
from = "table.two/link['segment.a']"
to = "table.two/link['a']"
"#;

fn spec(world: &World, text: &str) -> Spec {
    let mut sources = Sources::default();
    sources.add("stack.toml", format!("{PREAMBLE}{text}"));
    let text = SpecText { sources, ..SpecText::default() };
    load_text(text, world.registry()).expect("the spec is sound").spec
}

/// Returns a world in which the spec has new names since the last apply.
fn renamed() -> (World, Spec) {
    let world = World::new(1, Pace::INSTANT);
    let before = spec(&world, BEFORE);
    world.apply(&Order::new(&before, Mode::Apply)).ending.expect_done("the apply before");
    let after = spec(&world, AFTER);
    (world, after)
}

fn names(world: &World) -> Vec<String> {
    let state = world.state("renames").expect("the state can be read").expect("there is a state");
    state.resources.keys().map(ToString::to_string).collect()
}

#[test]
fn a_crash_at_any_moment_leaves_one_name_for_each_thing() {
    let (world, after) = renamed();
    let old = names(&world);
    let trial = world.apply(&Order::new(&after, Mode::Apply));
    assert!(trial.ending.expect_done("the apply").is_complete());
    let new = names(&world);
    assert_eq!(new, ["network.main", "segment.all['a']", "table.two", "table.two/link['a']"]);
    let mut seen = Vec::new();
    for operation in 0..trial.file_operations {
        let (world, after) = renamed();
        let start = world.network.cloud().log().len();
        let order = Order::new(&after, Mode::Apply).with_disk_fault(operation, Fault::Crash);
        assert!(matches!(world.apply(&order).ending, Ending::Crashed), "operation {operation}");
        let left = names(&world);
        assert!([&old, &new].contains(&&left), "operation {operation} left {left:?}");
        seen.push(left);
        let report = world.apply(&Order::new(&after, Mode::Apply)).ending.expect_done("the next apply");
        assert!(report.is_complete());
        assert_eq!(names(&world), new, "operation {operation}");
        let cloud = world.network.cloud();
        let deeds = cloud.log()[start..].iter().map(|entry| entry.deed);
        assert!(deeds.into_iter().all(|deed| matches!(deed, Deed::Read | Deed::Change)));
    }
    assert!(seen.contains(&old) && seen.contains(&new), "the crashes are all on one side of the renaming");
}

#[test]
fn a_saved_plan_with_new_names_is_applied_once() {
    let (world, after) = renamed();
    let order = Order::new(&after, Mode::Apply);
    let plan = world.plan(&order).ending.expect_done("the plan");
    assert_eq!(plan.renames.len(), 3);
    world.apply_saved(&order, &plan).ending.expect_done("the apply");
    let again = world.apply_saved(&order, &plan).ending;
    assert!(matches!(again, Ending::Refused(RunError::Stale { .. })), "{again:?}");
}

#[test]
fn a_saved_plan_is_refused_once_the_names_are_others() {
    let (world, after) = renamed();
    let order = Order::new(&after, Mode::Apply);
    let plan = world.plan(&order).ending.expect_done("the plan");
    world.apply(&order).ending.expect_done("another apply");
    let refused = world.apply_saved(&order, &plan).ending;
    assert!(matches!(refused, Ending::Refused(RunError::Stale { .. })), "{refused:?}");
}

#[test]
fn names_alone_are_a_change_that_touches_nothing() {
    let (world, _) = renamed();
    // A link has no tags that could follow.
    let text = BEFORE.replace("[\"${segment.a.id}\"]", "[]");
    let link = "[table_link.own]\ntable = \"${table.one.id}\"\nsegment = \"${segment.a.id}\"\n";
    let moved = "[[moved]]\nfrom = \"table.one/link['segment.a']\"\nto = \"table_link.own\"\n";
    let after = spec(&world, &format!("{text}{link}{moved}"));
    let order = Order::new(&after, Mode::Apply);
    let plan = world.plan(&order).ending.expect_done("the plan");
    assert!(plan.changes.is_empty() && !plan.is_empty(), "{plan:#?}");
    let trial = world.apply(&order);
    assert_eq!(trial.mutating_calls, 0);
    trial.ending.expect_done("the apply");
    assert!(names(&world).contains(&"table_link.own".to_owned()));
    assert!(world.plan(&order).ending.expect_done("the last plan").is_empty());
}
