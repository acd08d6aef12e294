//! Orders of shares: what they get, what they let go of, and what uses it.

use super::*;
use crate::difference::Form;
use crate::plan::AttributeChange;
use crate::sharing::Sharing;
use crate::value::Value;

const SHARING: Sharing = Sharing {
    share: "thing",
    resources: "resources",
    principals: "principals",
    shareable: &[],
    precondition: None,
    accepter: None,
    advice: "",
};

fn things(names: &[&str]) -> Value {
    Value::from(names.to_vec())
}

/// Returns the order of changes in which shares hold something else than before; what is not among
/// `held` holds nothing.
#[track_caller]
fn check_shares(
    wanted: Needs<'_>,
    made: Needs<'_>,
    changes: &[(&str, ChangeAction)],
    held: &[(&str, Value, Value)],
    expected: &str,
) {
    let (mut state, mut plan) = (state(made), plan(changes));
    for (name, before, after) in held {
        let object = state.resources.get_mut(&address(name)).and_then(|prior| prior.object.as_mut());
        if let Some(object) = object {
            object.inputs.insert("resources".to_owned(), before.clone());
        }
        for change in plan.changes.iter_mut().filter(|change| change.address == address(name)) {
            change.inputs.insert("resources".to_owned(), after.clone());
            change.attributes = vec![AttributeChange {
                name: "resources".to_owned(),
                before: before.clone(),
                after: after.clone(),
                replaces: false,
                form: Form::default(),
                sensitive: false,
            }];
        }
    }
    let registry = Registry::new(NoProvider).with_sharing(SHARING);
    assert_eq!(order(&registry, wanted, &state, &mut plan).join(" "), expected);
}

const UPDATE: ChangeAction = ChangeAction::Update;
const PAIR: Needs<'static> = &[("share", &[]), ("user", &["share"])];

#[test]
fn a_share_gets_first_and_lets_go_after_its_users_have_changed() {
    let changes = [("share", UPDATE), ("user", UPDATE)];
    let other = [("share", things(&["a", "b"]), things(&["b", "c"]))];
    check_shares(PAIR, PAIR, &changes, &other, "+share +user ~share");
    let fewer = [("share", things(&["a", "b"]), things(&["b"]))];
    check_shares(PAIR, PAIR, &changes, &fewer, "+user ~share");
    let more = [("share", things(&["b"]), things(&["b", "c"]))];
    check_shares(PAIR, PAIR, &changes, &more, "+share +user");
}

#[test]
fn a_share_lets_go_after_what_no_longer_uses_it_has_gone() {
    let fewer = [("share", things(&["a", "b"]), things(&["b"]))];
    let alone: Needs<'_> = &[("share", &[])];
    let changes = [("share", UPDATE), ("user", ChangeAction::Delete)];
    check_shares(alone, PAIR, &changes, &fewer, "-user ~share");
    check_shares(PAIR, PAIR, &[("share", UPDATE), ("user", CREATE_FIRST)], &fewer, "+user -user ~share");
}

/// Among what is not known there may be something new, which its users wait for.
#[test]
fn what_a_share_gets_may_not_be_known_yet() {
    let changes = [("share", UPDATE), ("user", UPDATE)];
    let unknown = [("share", things(&["a"]), Value::unknown(address("new"), "list"))];
    check_shares(PAIR, PAIR, &changes, &unknown, "+share +user ~share");
}

#[test]
fn a_share_goes_only_after_another_one_holds_what_it_held() {
    let (wanted, made): (Needs<'_>, Needs<'_>) = (&[("zebra", &[])], &[("ape", &[])]);
    let changes = [("ape", ChangeAction::Delete), ("zebra", ChangeAction::Create)];
    let nothing = || things(&[]);
    let same = [("ape", things(&["a"]), nothing()), ("zebra", nothing(), things(&["a", "b"]))];
    check_shares(wanted, made, &changes, &same, "+zebra -ape");
    let other = [("ape", things(&["a"]), nothing()), ("zebra", nothing(), things(&["b"]))];
    check_shares(wanted, made, &changes, &other, "-ape +zebra");
}

/// What goes makes way for a change of what it needs, but not where it would leave a gap.
#[test]
fn a_share_makes_way_only_where_no_other_one_is_to_hold_what_it_held() {
    let wanted: Needs<'_> = &[("ground", &[]), ("zebra", &["ground"])];
    let made: Needs<'_> = &[("ground", &[]), ("ape", &["ground"])];
    let changes = [("ape", ChangeAction::Delete), ("ground", UPDATE), ("zebra", ChangeAction::Create)];
    let nothing = || things(&[]);
    let same = [("ape", things(&["a"]), nothing()), ("zebra", nothing(), things(&["a"]))];
    check_shares(wanted, made, &changes, &same, "+ground +zebra -ape");
    let other = [("ape", things(&["a"]), nothing()), ("zebra", nothing(), things(&["b"]))];
    check_shares(wanted, made, &changes, &other, "-ape +ground +zebra");
}

#[test]
fn shares_that_exchange_what_they_hold_both_get_first() {
    let both: Needs<'_> = &[("left", &[]), ("right", &[])];
    let (a, b) = (|| things(&["a"]), || things(&["b"]));
    let exchange = [("left", a(), b()), ("right", b(), a())];
    check_shares(both, both, &[("left", UPDATE), ("right", UPDATE)], &exchange, "+left +right ~left ~right");
}
