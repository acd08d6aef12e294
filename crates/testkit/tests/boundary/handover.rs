//! One share takes over from another, and that fails on the way.

use std::time::Duration;

use straddle_engine::event::Verb;
use straddle_engine::plan::Mode;
use straddle_engine::run::Report;
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::simulation::{Order, World};

use crate::stage::{apply, assert_order, count, host, lodge, share, spec, state, world};

/// Runs with a fault of the mutating call of this number.
fn run_with(world: &World, text: &str, mode: Mode, call: usize, fault: Fault) -> Report {
    let spec = spec(world, text);
    let order = Order::new(&spec, mode).with_faults(Faults::none().mutating(call, fault));
    let report = world.apply(&order).ending.expect_done("the run");
    let violations = world.network.cloud().violations().to_vec();
    assert!(violations.is_empty(), "{violations:#?}");
    report
}

/// Returns the shares that the state has the host need.
fn shares_of_host(world: &World) -> Vec<String> {
    let needed = state(world).resources[&"host.app".parse().unwrap()].dependencies.clone();
    let shares = needed.iter().filter(|address| address.block().kind.as_str() == "share");
    shares.map(ToString::to_string).collect()
}

#[test]
fn the_old_share_stays_as_long_as_the_new_one_cannot_be_made() {
    let world = world(Duration::from_secs(30));
    let (before, after) =
        (share("old", &["one"]) + &host(&["one"]), share("new", &["one"]) + &host(&["one"]));
    apply(&world, &before);
    for _ in 0..2 {
        let report = run_with(&world, &after, Mode::Apply, 0, Fault::Denied);
        assert_eq!(report.failures.len(), 1, "{:#?}", report.failures);
        assert_eq!((count(&world, "share"), count(&world, "host")), (1, 1));
        assert_eq!(shares_of_host(&world), ["share.new", "share.old"]);
    }
    apply(&world, &after);
    assert_eq!(shares_of_host(&world), ["share.new"]);
}

#[test]
fn what_a_former_object_stands_on_stays_as_long_as_that_is_there() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("old", &["one"]) + &host(&["one"])));
    let after = share("new", &["one"]) + &host(&["one"]).replace("plain", "other");
    // The second call makes the new host, the third one deletes the former.
    for (refused, hosts) in [(2, 2), (0, 2)] {
        let report = run_with(&world, &after, Mode::Apply, refused, Fault::Denied);
        assert_eq!(report.failures[0].address.to_string(), "host.app", "{:#?}", report.failures);
        assert_eq!((count(&world, "share"), count(&world, "host")), (2, hosts));
        assert_eq!(shares_of_host(&world), ["share.new", "share.old"]);
    }
    apply(&world, &after);
    assert_eq!(shares_of_host(&world), ["share.new"]);
}

#[test]
fn a_share_that_only_things_of_others_use_stays_until_another_one_holds_them() {
    let world = world(Duration::from_secs(30));
    apply(&world, &share("old", &["one", "two"]));
    lodge(&world, "one");
    let after = share("new", &["one"]);
    let report = run_with(&world, &after, Mode::Apply, 0, Fault::Denied);
    assert_eq!(report.failures.len(), 1, "{:#?}", report.failures);
    assert_eq!(count(&world, "share"), 1);
    assert_order(&apply(&world, &after), &["Create share.new", "Delete share.old"]);
}

#[test]
fn shares_exchange_what_they_hold_without_a_gap() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("left", &["one"]) + &share("right", &["two"]) + &host(&["one", "two"])));
    let after = share("left", &["two"]) + &share("right", &["one"]) + &host(&["one", "two"]);
    let events = apply(&world, &after);
    assert_order(
        &events,
        &["Update share.left", "Update share.right", "Withdraw share.left", "Withdraw share.right"],
    );
}

#[test]
fn a_share_takes_over_without_a_gap_while_the_segment_changes() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("old", &["one"]) + &host(&["one"])));
    // The text begins where the block of the segments ends.
    let changed = "public = true\n".to_owned();
    let events = apply(&world, &(changed + &share("new", &["one"]) + &host(&["one"])));
    assert_order(&events, &["Update segment.main['one']", "Create share.new", "Delete share.old"]);
}

#[test]
fn what_a_share_still_holds_is_needed_until_it_lets_go() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("lent", &["one"]) + &host(&["one"])));
    // The first call lends the other segment, the second one moves the host.
    let report =
        run_with(&world, &(share("lent", &["two"]) + &host(&["two"])), Mode::Apply, 2, Fault::Denied);
    assert_eq!(
        (report.failures.len(), report.failures[0].verb),
        (1, Verb::Withdraw),
        "{:#?}",
        report.failures
    );
    let needed = |world: &World| state(world).resources[&"share.lent".parse().unwrap()].dependencies.clone();
    let one = "segment.main['one']".parse().unwrap();
    assert!(needed(&world).contains(&one));
    apply(&world, &(share("lent", &["two"]) + &host(&["two"])));
    assert!(!needed(&world).contains(&one));
}

/// A list that is worked out is not known as a whole before everything in it is.
#[test]
fn a_share_of_a_list_that_is_worked_out_gets_what_is_new_first() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("lent", &["one"]) + &host(&["one"])));
    let extra = "[segment.extra]\nnetwork = \"${network.main.id}\"\nrange = \"10.0.7.0/24\"\n";
    let ids = "[segment.main['one'].id, segment.extra.id]";
    let lent =
        share("lent", &["one"]).replace("[\"${segment.main['one'].id}\"]", &format!("\"${{sort({ids})}}\""));
    assert!(lent.contains("sort"), "{lent}");
    let host = host(&["one"]).replace("[\"${segment.main['one'].id}\"]", &format!("\"${{sort({ids})}}\""));
    let events = apply(&world, &(extra.to_owned() + &lent + &host));
    assert_order(&events, &["Update share.lent", "Wait share.lent", "Update host.app"]);
}
