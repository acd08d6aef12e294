//! Across the account boundary: account `b` puts a host into a segment of account `a`, which a
//! share lends to it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::wildcard_enum_match_arm, reason = "tests pick out what they look at")]

mod handover;
mod lookups;
mod stage;

use std::time::Duration;

use straddle_engine::diagnosis::held_by;
use straddle_engine::event::{Event, Verb};
use straddle_engine::plan::Mode;
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::simulation::{Ending, Order};

use crate::stage::{apply, assert_order, count, ended, host, lodge, run, share, spec, waits, world};

#[test]
fn what_stands_on_a_share_waits_until_its_account_sees_it() {
    for seconds in [0, 30, 600] {
        let world = world(Duration::from_secs(seconds));
        let text = share("lent", &["one", "two"]) + &host(&["one"]);
        let events = apply(&world, &text);
        assert_order(&events, &["Create share.lent", "Wait share.lent", "Create host.app"]);
        let waits = waits(&events);
        assert_eq!(waits.is_empty(), seconds == 0, "{waits:?}");
        assert!(waits.iter().all(|reason| *reason == "account b does not see segment.main['one'] yet"));
        let (report, events) = run(&world, &text, Mode::Destroy);
        assert!(report.is_complete(), "{:#?}", report.failures);
        assert_order(&events, &["Delete host.app", "Delete share.lent", "Delete network.main"]);
        assert_eq!(world.network.cloud().live().count(), 0);
    }
}

#[test]
fn an_account_that_never_sees_a_share_is_given_up_with_advice_and_waited_for_again() {
    let world = world(Duration::from_mins(20));
    let text = share("lent", &["one"]) + &host(&["one"]);
    let (report, _) = run(&world, &text, Mode::Apply);
    let [failure] = report.failures.as_slice() else { panic!("{report:#?}") };
    assert_eq!((failure.address.to_string(), failure.verb), ("share.lent".to_owned(), Verb::Wait));
    assert_eq!(failure.account.as_str(), "b");
    assert_eq!(failure.error, "not open within 10 min: account b does not see segment.main['one'] yet");
    assert!(failure.hint.as_ref().unwrap().contains("names the account"), "{failure:?}");
    assert_eq!(report.skipped, [("host.app".parse().unwrap(), Verb::Create)]);
    world.wait(Duration::from_mins(5));
    assert_order(&apply(&world, &text), &["Wait share.lent", "Create host.app"]);
}

#[test]
fn the_share_says_how_long_is_waited() {
    let world = world(Duration::from_mins(20));
    let text = share("lent", &["one"]) + "timeouts = { create = \"30m\" }\n" + &host(&["one"]);
    apply(&world, &text);
}

#[test]
fn nothing_is_waited_for_where_nothing_that_needs_the_share_is_made() {
    let world = world(Duration::from_hours(1));
    let text = share("lent", &["one"]);
    assert!(!ended(&apply(&world, &text)).contains(&"Wait share.lent".to_owned()));
}

#[test]
fn a_destroy_waits_for_what_others_have_in_a_segment_and_goes_on_later() {
    let world = world(Duration::from_secs(30));
    let text = share("lent", &["one", "two"]) + &host(&["one"]);
    apply(&world, &text);
    let lodger = lodge(&world, "two");
    let (report, _) = run(&world, &text, Mode::Destroy);
    let [failure] = report.failures.as_slice() else { panic!("{report:#?}") };
    assert_eq!((failure.address.to_string(), failure.verb), ("share.lent".to_owned(), Verb::Wait));
    assert!(failure.error.contains(&lodger), "{failure:?}");
    assert_eq!([count(&world, "host"), count(&world, "share"), count(&world, "segment")], [0, 1, 2]);
    world.network.cloud().vanish(&lodger);
    let (report, _) = run(&world, &text, Mode::Destroy);
    assert!(report.is_complete(), "{:#?}", report.failures);
    assert_eq!(world.network.cloud().live().count(), 0);
}

#[test]
fn a_share_under_another_name_takes_over_before_the_old_one_goes() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("old", &["one"]) + &host(&["one"])));
    let events = apply(&world, &(share("new", &["one"]) + &host(&["one"])));
    assert_order(&events, &["Create share.new", "Delete share.old"]);
    assert_eq!(waits(&events), [""; 0]);
    assert_eq!(count(&world, "host"), 1);
}

#[test]
fn a_segment_is_lent_later_together_with_what_uses_it() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("lent", &["one"]) + &host(&["one"])));
    let events = apply(&world, &(share("lent", &["one", "two"]) + &host(&["one", "two"])));
    assert_order(&events, &["Update share.lent", "Wait share.lent", "Update host.app"]);
    assert!(waits(&events).contains(&"account b does not see segment.main['two'] yet"));
}

#[test]
fn what_moves_away_does_so_before_the_segment_is_withdrawn() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("lent", &["one", "two"]) + &host(&["one"])));
    let events = apply(&world, &(share("lent", &["two"]) + &host(&["two"])));
    assert_order(&events, &["Update host.app", "Withdraw share.lent"]);
    let events = apply(&world, &(share("lent", &["one"]) + &host(&["one"])));
    assert_order(&events, &["Update share.lent", "Update host.app", "Withdraw share.lent"]);
    let events = apply(&world, &(share("lent", &[])));
    assert_order(&events, &["Delete host.app", "Withdraw share.lent"]);
}

#[test]
fn a_segment_that_others_use_is_not_withdrawn() {
    let world = world(Duration::from_secs(30));
    apply(&world, &(share("lent", &["one", "two"]) + &host(&["one"])));
    let lodger = lodge(&world, "one");
    let after = share("lent", &["two"]) + &host(&["two"]);
    let (report, events) = run(&world, &after, Mode::Apply);
    assert_order(&events, &["Update host.app"]);
    assert!(report.failures[0].error.contains(&lodger), "{report:#?}");
    assert_eq!(report.skipped, [("share.lent".parse().unwrap(), Verb::Withdraw)]);
    world.network.cloud().vanish(&lodger);
    assert_order(&apply(&world, &after), &["Withdraw share.lent"]);
}

#[test]
fn an_account_is_taken_out_of_a_share_after_what_it_has_there() {
    let world = world(Duration::from_secs(30));
    let text = share("lent", &["one"]);
    apply(&world, &(text.clone() + &host(&["one"])));
    let events = apply(&world, &text.replace("${account.b.id}", "333333333333"));
    assert_order(&events, &["Delete host.app", "Withdraw share.lent"]);
}

#[test]
fn a_read_that_is_refused_is_an_error_and_no_thing_that_is_not_seen() {
    let text = share("lent", &["one"]) + &host(&["one"]);
    let mut refused = 0;
    for read in 0.. {
        let world = world(Duration::from_secs(30));
        let spec = spec(&world, &text);
        let order = Order::new(&spec, Mode::Apply).with_faults(Faults::none().reading(read, Fault::Denied));
        let Ending::Done(report) = world.apply(&order).ending else { continue };
        if report.is_complete() {
            break;
        }
        let gate = report.failures.iter().find(|failure| failure.verb == Verb::Wait);
        refused += usize::from(gate.is_some_and(|failure| failure.error.contains("not allowed")));
        apply(&world, &text);
    }
    assert!(refused > 1, "the gate was refused {refused} times");
}

#[test]
fn a_deletion_that_stays_refused_is_explained() {
    let world = world(Duration::ZERO);
    apply(&world, "");
    let id = lodge(&world, "one");
    let (report, events) = run(&world, "", Mode::Destroy);
    let told: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Blocked { operation, blockers } => {
                Some((operation.address.to_string(), held_by(blockers)))
            }
            _ => None,
        })
        .collect();
    let chain = format!("interface {id} of account 222222222222");
    assert_eq!(told, [("segment.main['one']".to_owned(), Some(chain.clone()))]);
    let waits = events.iter().filter_map(|event| match event {
        Event::Waiting { reason, elapsed, .. } => Some((elapsed.as_secs() >= 60, reason.contains(&chain))),
        _ => None,
    });
    let waits: Vec<_> = waits.collect();
    assert!(waits.contains(&(false, false)) && waits.contains(&(true, true)), "{waits:?}");
    assert!(!waits.contains(&(false, true)), "a refusal is nothing strange in the first minute");
    let [failure] = report.failures.as_slice() else { panic!("{:#?}", report.failures) };
    assert_eq!(held_by(&failure.blockers), Some(chain));
    assert_eq!(failure.hint.as_deref(), Some("Let its account take it out."));
    world.network.cloud().vanish(&id);
    let (report, _) = run(&world, "", Mode::Destroy);
    assert!(report.is_complete(), "{:#?}", report.failures);
}
