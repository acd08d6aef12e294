//! Services that are busy with something else, and deletions that fail.

use super::*;

#[test]
fn a_service_that_makes_one_at_a_time_is_waited_for_as_long_as_making_may_take() {
    let workshop = Workshop::new("panel.main");
    // At most ten seconds apart, so that this is more than the five minutes of other refusals.
    workshop.service().busy = 50;
    assert_eq!(workshop.apply(Mode::Apply).failures, []);
    assert_eq!(workshop.calls(), ["Create"]);
}

#[test]
fn a_deletion_that_failed_is_asked_for_again() {
    let workshop = Workshop::new("panel.main");
    workshop.apply(Mode::Apply);
    workshop.calls();
    workshop.service().failing_deletions = 2;
    assert_eq!(workshop.apply(Mode::Destroy).failures, []);
    assert_eq!(workshop.calls(), ["Delete", "Delete", "Delete"]);
}

#[test]
fn a_deletion_that_fails_again_and_again_ends_with_the_services_reason() {
    let workshop = Workshop::new("panel.main");
    workshop.apply(Mode::Apply);
    workshop.calls();
    workshop.service().failing_deletions = usize::MAX;
    let report = workshop.apply(Mode::Destroy);
    assert_eq!(report.failures[0].error, "cannot be deleted, says the service: it is screwed on");
    assert!(report.failures[0].hint.as_ref().unwrap().contains("run the same command again"), "{report:?}");
    assert_eq!(workshop.calls(), ["Delete", "Delete", "Delete"]);
    workshop.service().failing_deletions = 0;
    assert_eq!(workshop.apply(Mode::Destroy).failures, []);
}
