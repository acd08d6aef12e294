//! What becomes of the resources of a block when the keys of its `for_each` change.

use std::fmt::Write as _;

use straddle_engine::diagnostic::Sources;
use straddle_engine::plan::{ChangeAction, Mode, Plan, likely_renames};
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_testkit::cloud::{Cloud, Pace};
use straddle_testkit::simulation::{Order, World};

/// A world without quotas, in which everything happens at once.
fn world() -> World {
    let world = World::new(7, Pace::INSTANT);
    *world.network.cloud() = Cloud::new(7, Pace::INSTANT).without_quotas();
    world
}

/// A block of documents, which an account has once by name, over this `for_each`.
fn spec(world: &World, for_each: &str) -> Spec {
    let text = format!(
        "[stack]\nname = \"keys\"\n[account.a]\nid = \"111111111111\"\nregion = \"here\"\n\
         [local]\nall = {for_each}\n\
         [document.each]\nfor_each = \"${{local.all}}\"\nname = \"${{each.value}}\"\nbody = \"${{each.key}}\"\n"
    );
    let mut sources = Sources::default();
    sources.add("stack.toml", text);
    let loaded = load_text(SpecText { sources, ..SpecText::default() }, world.registry());
    loaded.unwrap_or_else(|failure| panic!("{:?}", failure.diagnostics)).spec
}

/// Changes `before` into `after`, and returns what was planned for that.
fn change(world: &World, before: &str, after: &str) -> Plan {
    let (before, after) = (spec(world, before), spec(world, after));
    apply(world, &before);
    let plan = world.plan(&Order::new(&after, Mode::Apply)).ending.expect_done("the plan");
    apply(world, &after);
    let again = world.plan(&Order::new(&after, Mode::Apply)).ending.expect_done("the plan afterwards");
    assert!(again.is_empty(), "{:?}", again.changes);
    assert_eq!(world.network.cloud().live().count(), after.resources.len());
    plan
}

fn apply(world: &World, spec: &Spec) {
    let report = world.apply(&Order::new(spec, Mode::Apply)).ending.expect_done("the apply");
    assert!(report.failures.is_empty(), "{:?}", report.failures);
}

/// Returns the changes as `action address`, in their order.
fn shown(plan: &Plan) -> Vec<String> {
    let action = |action| match action {
        ChangeAction::Create => "create",
        ChangeAction::Update => "update",
        ChangeAction::Replace(_) => "replace",
        ChangeAction::Delete => "delete",
        ChangeAction::DeleteDeposed => "delete former",
        ChangeAction::Forget => "forget",
    };
    plan.changes.iter().map(|change| format!("{} {}", action(change.action), change.address)).collect()
}

#[test]
fn a_key_that_is_added_touches_no_other() {
    let plan = change(&world(), "{ a = 'x' }", "{ a = 'x', b = 'y' }");
    assert_eq!(shown(&plan), ["create document.each['b']"]);
}

#[test]
fn a_key_that_is_taken_away_touches_no_other() {
    let plan = change(&world(), "{ a = 'x', b = 'y', c = 'z' }", "{ a = 'x', c = 'z' }");
    assert_eq!(shown(&plan), ["delete document.each['b']"]);
}

#[test]
fn a_renamed_key_gives_its_name_up_before_the_new_one_takes_it() {
    let plan = change(&world(), "{ a = 'x' }", "{ b = 'x' }");
    assert_eq!(shown(&plan), ["delete document.each['a']", "create document.each['b']"]);
}

/// Returns the renames that a plan seems to have, of blocks in which the key is no attribute.
fn seeming(before: &str, after: &str) -> Vec<String> {
    let world = world();
    let spec = |all: &str| {
        let text = format!(
            "[stack]\nname = \"keys\"\n[account.a]\nid = \"111111111111\"\nregion = \"here\"\n\
             [document.each]\nfor_each = {all}\nname = \"${{each.value}}\"\nbody = 1\n\
             tags = {{ Name = \"${{each.key}}\" }}\n"
        );
        let mut sources = Sources::default();
        sources.add("stack.toml", text);
        let loaded = load_text(SpecText { sources, ..SpecText::default() }, world.registry());
        loaded.unwrap_or_else(|failure| panic!("{:?}", failure.diagnostics)).spec
    };
    apply(&world, &spec(before));
    let after = spec(after);
    let plan = world.plan(&Order::new(&after, Mode::Apply)).ending.expect_done("the plan");
    likely_renames(&plan).iter().map(|rename| format!("{} {}", rename.from, rename.to)).collect()
}

#[test]
fn a_renamed_key_looks_like_one() {
    let one = ["document.each['a'] document.each['b']"];
    assert_eq!(seeming("{ a = 'x' }", "{ b = 'x' }"), one);
    assert_eq!(seeming("{ a = 'x', c = 'z' }", "{ b = 'x', d = 'other' }"), one);
    assert!(seeming("{ a = 'x' }", "{ b = 'y' }").is_empty());
    assert!(seeming("{ a = 'x' }", "{ a = 'x', b = 'y' }").is_empty());
}

#[test]
fn all_keys_may_change_at_once() {
    let plan = change(&world(), "{ a = 'x', b = 'y', c = 'z' }", "{ d = 'x', e = 'y', f = 'z' }");
    let shown = shown(&plan);
    assert_eq!(shown.iter().filter(|change| change.starts_with("delete")).count(), 3, "{shown:?}");
    assert_eq!(shown.iter().filter(|change| change.starts_with("create")).count(), 3, "{shown:?}");
}

#[test]
fn keys_may_swap_what_only_one_can_have() {
    let plan = change(&world(), "{ a = 'x', b = 'y' }", "{ a = 'y', b = 'x' }");
    assert_eq!(shown(&plan), ["replace document.each['a']", "replace document.each['b']"]);
}

#[test]
fn keys_may_pass_what_only_one_can_have_around() {
    let plan = change(&world(), "{ a = 'x', b = 'y', c = 'z' }", "{ a = 'y', b = 'z', c = 'x' }");
    assert_eq!(plan.changes.len(), 3);
}

#[test]
fn a_map_may_become_a_list_of_the_same_keys() {
    let plan = change(&world(), "{ a = 'a', b = 'b' }", "{ a = 'a', b = 'b', c = 'c' }");
    assert_eq!(shown(&plan), ["create document.each['c']"]);
    let world = world();
    let map = spec(&world, "{ a = 'a', b = 'b' }");
    apply(&world, &map);
    let list = "[stack]\nname = \"keys\"\n[account.a]\nid = \"111111111111\"\nregion = \"here\"\n\
                [document.each]\nfor_each = ['a', 'b']\nname = \"${each.value}\"\nbody = \"${each.key}\"\n";
    let mut sources = Sources::default();
    sources.add("stack.toml", list);
    let loaded = load_text(SpecText { sources, ..SpecText::default() }, world.registry());
    let list = loaded.expect("a list of strings is its own keys").spec;
    let plan = world.plan(&Order::new(&list, Mode::Apply)).ending.expect_done("the plan");
    assert!(plan.is_empty(), "{:?}", plan.changes);
}

#[test]
fn a_thousand_keys_change_as_few_do() {
    let map = |name: &str| {
        let mut map = "{".to_owned();
        for number in 0..1000 {
            write!(map, " {name}{number} = 'n{number}',").expect("text takes everything");
        }
        map + " }"
    };
    let plan = change(&world(), &map("old"), &map("new"));
    assert_eq!(plan.changes.len(), 2000);
}
