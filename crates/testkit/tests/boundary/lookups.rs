//! What is looked up in a network that another account lends.

use std::time::Duration;

use straddle_engine::plan::Mode;
use straddle_engine::run::RunError;
use straddle_testkit::simulation::{Ending, Order};

use crate::stage::{apply, assert_order, run, share, spec, state, waits, world};

/// A host in all segments that account `b` sees.
const FOUND: &str = r#"
[lookup.all]
kind = "segments"
account = "b"
network = "${network.main.id}"
[host.app]
account = "b"
image = "plain"
segments = "${lookup.all.ids}"
"#;

#[test]
fn a_network_is_looked_into_once_all_that_is_lent_of_it_is_seen() {
    for seconds in [0, 30] {
        let world = world(Duration::from_secs(seconds));
        let text = share("lent", &["one", "two"]) + FOUND;
        let events = apply(&world, &text);
        assert_order(
            &events,
            &["Create share.lent", "Wait share.lent", "Look lookup.all", "Create host.app"],
        );
        assert_eq!(waits(&events).is_empty(), seconds == 0);
        let state = state(&world);
        let found = &state.resources[&"host.app".parse().unwrap()];
        let segments = found.object.as_ref().unwrap().inputs["segments"].as_list().unwrap().len();
        assert_eq!(segments, 2, "the share was seen by halves");
        let (report, events) = run(&world, &text, Mode::Destroy);
        assert!(report.is_complete(), "{:#?}", report.failures);
        assert_order(&events, &["Delete host.app", "Delete share.lent", "Delete network.main"]);
    }
}

#[test]
fn a_share_that_comes_to_hold_more_is_looked_at_anew() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("lent", &["one"]) + FOUND));
    let events = apply(&world, &(share("lent", &["one", "two"]) + FOUND));
    assert_order(&events, &["Update share.lent", "Wait share.lent", "Look lookup.all", "Update host.app"]);
}

#[test]
fn what_was_lent_a_moment_ago_is_not_looked_up_by_halves() {
    let world = world(Duration::from_mins(5));
    apply(&world, &share("lent", &["one", "two"]));
    let spec = spec(&world, &(share("lent", &["one", "two"]) + FOUND));
    let refused = world.plan(&Order::new(&spec, Mode::Apply)).ending;
    let Ending::Refused(RunError::Diagnostics(problems)) = refused else { panic!("{refused:?}") };
    assert_eq!(problems.iter().next().unwrap().code, "not-seen-yet");
    world.wait(Duration::from_mins(5));
    let planned = world.plan(&Order::new(&spec, Mode::Apply)).ending.expect_done("the plan");
    assert_eq!(planned.changes.len(), 1, "{planned:#?}");
}
