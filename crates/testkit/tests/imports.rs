//! What exists becomes part of the stack as it is: recorded before anything else is done, whenever
//! the run is killed, and never made twice, deleted or taken from somebody else.

use straddle_engine::address::RemoteId;
use straddle_engine::diagnostic::Sources;
use straddle_engine::event::Verb;
use straddle_engine::plan::{ChangeAction, Mode, Plan, Reason};
use straddle_engine::run::RunError;
use straddle_engine::spec::{ImportNode, Spec, SpecText, load_text};
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::cloud::{Deed, Pace};
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::memory_files;
use straddle_testkit::simulation::{Ending, Order, World};

const ACCOUNT: &str = "111111111111";

const SPEC: &str = r#"
[stack]
name = "imports"
[account.a]
id = "111111111111"
region = "here"
[network.main]
range = "10.0.0.0/16"
[segment.all]
for_each = { a = "10.0.0.0/20", b = "10.0.16.0/20" }
network = "${network.main.id}"
range = "${each.value}"
[table.main]
network = "${network.main.id}"
segments = "${segment.all[*].id}"
"#;

const IMPORTS: &str = r#"
[[import]]
to = "network.main"
id = "net-1"
[[import]]
to = "segment.all['a']"
id = "seg-2"
[[import]]
to = "table.main"
id = "table-3"
[[import]]
to = "table.main/link['a']"
id = "LINK"
"#;

fn spec(world: &World, text: &str) -> Spec {
    let mut sources = Sources::default();
    sources.add("stack.toml", text.to_owned());
    let text = SpecText { sources, ..SpecText::default() };
    load_text(text, world.registry()).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

fn values(values: &[(&str, &str)]) -> ValueMap {
    values.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}

/// Returns a world in which somebody has made most of the stack by hand, and the spec that takes it over.
fn by_hand() -> (World, Spec) {
    let world = World::new(1, Pace::INSTANT);
    let link = {
        let mut cloud = world.network.cloud();
        let mut network =
            values(&[("range", "10.0.0.0/16"), ("tenancy", "shared"), ("locator", "cloud:network/net-1")]);
        network.extend([("dns".to_owned(), Value::from(true)), ("names".to_owned(), Value::from(true))]);
        let network = cloud.add_foreign(ACCOUNT, "network", &network);
        cloud.tag(&network, "Owner", "somebody");
        let mut segment = values(&[("network", &network), ("range", "10.0.0.0/20")]);
        segment.extend([("free".to_owned(), Value::from(251))]);
        let segment = cloud.add_foreign(ACCOUNT, "segment", &segment);
        let table = cloud.add_foreign(ACCOUNT, "table", &values(&[("network", &network)]));
        cloud.add_foreign(ACCOUNT, "table_link", &values(&[("table", &table), ("segment", &segment)]))
    };
    let spec = spec(&world, &format!("{SPEC}{}", IMPORTS.replace("LINK", &link)));
    (world, spec)
}

fn order(spec: &Spec) -> Order<'_> {
    Order::new(spec, Mode::Apply)
}

fn plan(world: &World, spec: &Spec) -> Plan {
    world.plan(&order(spec)).ending.expect_done("the plan")
}

/// Checks that everything is as wanted, and that there is one thing for each resource.
fn check_done(world: &World, spec: &Spec, when: &str) {
    let left = plan(world, spec);
    assert!(left.is_empty(), "{when}: {left:#?}");
    let state = world.state("imports").expect("the state can be read").expect("there is a state");
    assert_eq!(state.resources.len(), 6, "{when}");
    let cloud = world.network.cloud();
    assert_eq!(cloud.live().count(), 6, "{when}: something was made twice");
    for (address, id) in [("network.main", "net-1"), ("segment.all['a']", "seg-2"), ("table.main", "table-3")]
    {
        let address = address.parse().expect("it is an address");
        let object = state.resources[&address].object.as_ref().expect("it is there");
        assert_eq!(object.remote_id.as_str(), id, "{when}");
    }
    let network = cloud.live().find(|object| object.id == "net-1").expect("it is there");
    assert_eq!(network.tags["Owner"], "somebody", "{when}");
    assert_eq!(network.tags["straddle:stack"], state.lineage, "{when}");
    assert_eq!(network.attributes["names"], Value::from(true), "{when}: the spec says nothing of it");
}

#[test]
fn what_was_made_by_hand_is_taken_over_and_the_rest_is_made() {
    let (world, spec) = by_hand();
    let planned = plan(&world, &spec);
    let imported: Vec<_> = planned.imports.iter().map(|import| import.address.to_string()).collect();
    assert_eq!(imported, ["network.main", "segment.all['a']", "table.main", "table.main/link['a']"]);
    let done: Vec<_> =
        planned.changes.iter().map(|change| (change.address.to_string(), change.action)).collect();
    let expected = [
        ("network.main", ChangeAction::Update),
        ("segment.all['a']", ChangeAction::Update),
        ("segment.all['b']", ChangeAction::Create),
        ("table.main", ChangeAction::Update),
        ("table.main/link['b']", ChangeAction::Create),
    ];
    assert_eq!(done, expected.map(|(address, action)| (address.to_owned(), action)));
    for change in planned.changes.iter().filter(|change| change.action == ChangeAction::Update) {
        assert!(change.reasons.contains(&Reason::Imported), "{change:#?}");
        assert!(change.attributes.iter().all(|attribute| attribute.name == "tags"), "{change:#?}");
    }
    assert_eq!(world.network.cloud().log().iter().filter(|entry| entry.deed != Deed::Read).count(), 0);
    let report = world.apply(&order(&spec)).ending.expect_done("the apply");
    assert!(report.is_complete(), "{report:?}");
    check_done(&world, &spec, "after the apply");
}

#[test]
fn imports_can_stay_and_can_be_taken_out() {
    let (world, spec) = by_hand();
    world.apply(&order(&spec)).ending.expect_done("the apply");
    let without = self::spec(&world, SPEC);
    assert!(plan(&world, &without).is_empty());
    assert!(plan(&world, &spec).is_empty());
    let destroyed = world.apply(&Order::new(&without, Mode::Destroy)).ending.expect_done("the destroy");
    assert!(destroyed.is_complete());
    assert_eq!(world.network.cloud().live().count(), 0);
    // What is left of the imports after that is told.
    let again = world.plan(&order(&spec)).ending;
    assert!(matches!(again, Ending::Refused(RunError::Diagnostics(_))), "{again:?}");
}

#[test]
fn a_destroy_imports_nothing() {
    let (world, spec) = by_hand();
    let planned = world.plan(&Order::new(&spec, Mode::Destroy)).ending.expect_done("the plan");
    assert!(planned.is_empty(), "{planned:#?}");
}

#[test]
fn a_crash_at_any_moment_loses_nothing() {
    let (world, spec) = by_hand();
    let trial = world.apply(&order(&spec));
    let (calls, operations) = (trial.mutating_calls, trial.file_operations);
    assert!(trial.ending.expect_done("the apply").is_complete());
    let crashes = (0..operations).map(|at| {
        (format!("a crash at file operation {at}"), Faults::none(), Some((at, memory_files::Fault::Crash)))
    });
    let faults = [Fault::CrashBefore, Fault::CrashAfter];
    let at_calls = (0..calls).flat_map(|at| {
        faults
            .iter()
            .map(move |fault| (format!("{fault:?} at call {at}"), Faults::none().mutating(at, *fault), None))
    });
    for (when, faults, disk) in crashes.chain(at_calls) {
        let (world, spec) = by_hand();
        let order = Order { disk_fault: disk, ..order(&spec) }.with_faults(faults);
        assert!(matches!(world.apply(&order).ending, Ending::Crashed), "{when}");
        let report = world.apply(&self::order(&spec)).ending.expect_done(&when);
        assert!(report.is_complete(), "{when}: {report:?}");
        check_done(&world, &spec, &when);
    }
}

#[test]
fn calls_that_go_wrong_are_made_again() {
    let calls = {
        let (world, spec) = by_hand();
        world.apply(&order(&spec)).mutating_calls
    };
    for at in 0..calls {
        for fault in [Fault::Throttled, Fault::FailedBefore, Fault::FailedAfter, Fault::AnswerLost] {
            let (world, spec) = by_hand();
            let when = format!("{fault:?} at call {at}");
            let order = order(&spec).with_faults(Faults::none().mutating(at, fault));
            let report = world.apply(&order).ending.expect_done(&when);
            assert!(report.is_complete(), "{when}: {report:?}");
            check_done(&world, &spec, &when);
        }
    }
}

#[test]
fn what_was_refused_on_the_way_is_imported_nevertheless() {
    let (world, spec) = by_hand();
    let refused = order(&spec).with_faults(Faults::none().mutating(0, Fault::Denied));
    let report = world.apply(&refused).ending.expect_done("the apply");
    assert!(!report.is_complete() && report.failures.iter().all(|failure| failure.verb == Verb::Update));
    let left = plan(&world, &spec);
    assert!(left.imports.is_empty() && !left.changes.is_empty());
    world.apply(&order(&spec)).ending.expect_done("the next apply");
    check_done(&world, &spec, "after the next apply");
}

#[test]
fn a_saved_plan_is_refused_once_something_else_is_imported() {
    let (world, spec) = by_hand();
    let saved = plan(&world, &spec);
    world.apply_saved(&order(&spec), &saved).ending.expect_done("the apply");
    let again = world.apply_saved(&order(&spec), &saved).ending;
    assert!(matches!(again, Ending::Refused(RunError::Stale { .. })), "{again:?}");

    let (world, spec) = by_hand();
    let saved = plan(&world, &spec);
    let imports: Vec<_> = spec.imports.clone();
    world.import(&order(&spec), &imports[..1]).ending.expect_done("the import");
    let stale = world.apply_saved(&order(&spec), &saved).ending;
    assert!(matches!(stale, Ending::Refused(RunError::Stale { .. })), "{stale:?}");
}

#[test]
fn the_command_records_and_changes_nothing() {
    let (world, spec) = by_hand();
    let without = self::spec(&world, SPEC);
    let trial = world.import(&order(&without), &spec.imports);
    assert_eq!(trial.mutating_calls, 0);
    let report = trial.ending.expect_done("the import");
    assert_eq!(report.imports.len(), 4);
    let shown: Vec<_> = report.changes.iter().map(|change| change.address.to_string()).collect();
    assert_eq!(shown, ["network.main", "segment.all['a']", "table.main"], "links have no tags");
    let again = world.import(&order(&without), &spec.imports).ending.expect_done("the same again");
    assert_eq!((again.imports.len(), again.changes.len()), (0, 3));
    assert!(plan(&world, &without).imports.is_empty());
    world.apply(&order(&without)).ending.expect_done("the apply");
    check_done(&world, &without, "after the apply");
}

#[test]
fn the_command_imports_all_or_nothing() {
    let (world, spec) = by_hand();
    let mut imports = spec.imports.clone();
    let other = ImportNode {
        to: "segment.all['b']".parse().expect("an address"),
        id: RemoteId::new("seg-9"),
        take_over: false,
        span: None,
    };
    imports.push(other);
    let refused = world.import(&order(&spec), &imports).ending;
    assert!(matches!(refused, Ending::Refused(RunError::Diagnostics(_))), "{refused:?}");
    assert!(world.state("imports").expect("the state can be read").is_none());
    for operation in 0..world.import(&order(&spec), &spec.imports).file_operations {
        let (world, spec) = by_hand();
        let order = order(&spec).with_disk_fault(operation, memory_files::Fault::Crash);
        let _ = world.import(&order, &spec.imports);
        world.import(&self::order(&spec), &spec.imports).ending.expect_done("the import after a crash");
        world.apply(&self::order(&spec)).ending.expect_done("the apply");
        check_done(&world, &spec, &format!("a crash at operation {operation}"));
    }
}

#[test]
fn one_name_in_two_regions_is_two_things() {
    let world = World::new(1, Pace::INSTANT);
    let text = |more: &str| {
        format!(
            r#"
[stack]
name = "imports"
[account.a]
id = "111111111111"
region = "here"
[account.elsewhere]
id = "111111111111"
region = "there"
[document.here]
account = "a"
name = "same"
body = 1
{more}"#
        )
    };
    world.apply(&order(&spec(&world, &text("")))).ending.expect_done("the apply");
    let there = "[document.there]\naccount = \"elsewhere\"\nname = \"same\"\nbody = 1\n";
    let planned = plan(&world, &spec(&world, &text(there)));
    assert_eq!(planned.changes.len(), 1, "{planned:#?}");
    let id = world.network.cloud().live().next().expect("it was made").id.clone();
    let imported = text(&format!("{there}[[import]]\nto = \"document.there\"\nid = \"{id}\"\n"));
    assert_eq!(plan(&world, &spec(&world, &imported)).imports.len(), 1);
    let again = imported
        .replace("account = \"elsewhere\"", "account = \"a\"")
        .replace("\"same\"\nbody = 1\n[[", "\"b\"\nbody = 1\n[[");
    let refused = world.plan(&order(&spec(&world, &again))).ending;
    let Ending::Refused(RunError::Diagnostics(problems)) = refused else { panic!("{refused:?}") };
    assert_eq!(problems.iter().next().expect("there is one").code, "already-in-state");
}
