//! From records to the state.

use straddle_engine::address::{Address, RemoteId};
use straddle_engine::state::{
    Action, Fold, Object, Outcome, Record, ResourceState, State, Status, fold, verify,
};
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::story::{
    LINEAGE, STACK, attempt, begin, create, created, delete, end, fold_all, header, identified, inputs,
    ready, subnet, surplus, update,
};

fn a() -> Address {
    subnet("a")
}

/// Returns the state after `records`, which a run appends to one that has made `a`.
fn after(records: &[Record]) -> State {
    fold_all(&[created("make", &a(), &[], "subnet-1").concat(), records.to_vec()].concat())
}

fn resource(state: &State) -> &ResourceState {
    &state.resources[&a()]
}

fn object(state: &State) -> &Object {
    resource(state).object.as_ref().expect("there is an object")
}

fn deposed(state: &State) -> Vec<&str> {
    resource(state).deposed.iter().map(|object| object.remote_id.as_str()).collect()
}

fn stopped(failed: Option<&str>) -> Outcome {
    Outcome::Stopped { failed: failed.map(str::to_owned) }
}

/// Folds records into the state of a later run, which the end of the journal before does not reach.
fn later(state: &State, records: &[Record]) -> State {
    fold(state.clone(), records).expect("the records fit the state")
}

fn problem(records: &[Record]) -> String {
    fold(State::empty(STACK, LINEAGE), records).expect_err("the records do not fit")
}

#[test]
fn every_state_of_a_run_makes_sense() {
    let mut fold = Fold::new(State::empty(STACK, LINEAGE));
    for record in straddle_testkit::story::appends().concat() {
        fold.record(&record).expect("the records fit each other");
        assert_eq!(verify(fold.state()), Ok(()), "after {record:?}");
    }
    let state = fold.into_state();
    assert_eq!(state.pending.keys().collect::<Vec<_>>(), ["x"]);
    let names: Vec<String> = state.resources.keys().map(ToString::to_string).collect();
    let expected = ["a", "b", "c", "e", "g", "h"].map(|name| format!("subnet.{name}"));
    assert_eq!(names, [&expected[..], &["vpc.main".to_owned()]].concat());
}

#[test]
fn a_create_is_pending_until_its_id_is_known() {
    let started = [begin("make", &a(), &[], create(1))];
    assert_eq!(fold_all(&started), State::empty(STACK, LINEAGE), "nothing was sent yet");
    let sent = fold_all(&[&started[..], &[attempt("make")]].concat());
    assert_eq!(sent.pending["make"].inputs, inputs(1));
    assert!(sent.resources.is_empty());
    let made = later(&sent, &[identified("make", "subnet-1")]);
    assert!(made.pending.is_empty());
    assert_eq!(object(&made).status, Status::Unfinished);
    assert_eq!(object(&made).outputs, ValueMap::from([("id".to_owned(), Value::from("subnet-1"))]));
}

#[test]
fn an_attempt_after_birth_is_no_second_create() {
    let records = [
        begin("make", &a(), &[], create(1)),
        attempt("make"),
        identified("make", "subnet-1"),
        attempt("make"),
    ];
    assert!(fold_all(&records).pending.is_empty());
}

#[test]
fn a_create_that_is_ready_has_what_was_read() {
    let state = after(&[]);
    assert_eq!(object(&state).status, Status::Ready);
    assert_eq!(object(&state).inputs, inputs(1));
    assert_eq!(object(&state).operation_id, "make");
}

#[test]
fn a_create_that_was_refused_leaves_nothing() {
    let sent = [begin("make", &a(), &[], create(1)), attempt("make")];
    let refused = fold_all(&[&sent[..], &[end("make", Outcome::NothingMade)]].concat());
    assert_eq!(refused, State::empty(STACK, LINEAGE));
    let later = later(&fold_all(&sent), &[end("make", Outcome::NothingMade)]);
    assert_eq!(later, State::empty(STACK, LINEAGE), "a later run finds out");
}

#[test]
fn a_create_that_stopped_before_its_id_stays_pending() {
    let records = [begin("make", &a(), &[], create(1)), attempt("make"), end("make", stopped(None))];
    assert!(fold_all(&records).pending.contains_key("make"));
}

#[test]
fn a_later_run_adopts_what_a_killed_one_made() {
    let killed = fold_all(&[begin("make", &a(), &[subnet("z")], create(1)), attempt("make")]);
    let adopted = later(&killed, &[identified("make", "subnet-1"), surplus("make", "subnet-2")]);
    assert_eq!(object(&adopted).remote_id, RemoteId::new("subnet-1"));
    assert_eq!(resource(&adopted).dependencies, [subnet("z")].into());
    assert_eq!(deposed(&adopted), ["subnet-2"]);
    assert_eq!(verify(&adopted), Ok(()));
}

#[test]
fn an_update_owns_the_old_and_the_new_until_it_ends() {
    let mut more = inputs(2);
    more.insert("zone".to_owned(), Value::from("z"));
    more.remove("ratio");
    let start = begin("change", &a(), &[], Action::Update { inputs: more.clone() });
    let state = after(std::slice::from_ref(&start));
    assert_eq!(object(&state).status, Status::Unfinished);
    let owned: Vec<_> = object(&state).inputs.keys().cloned().collect();
    assert_eq!(owned, ["ratio", "size", "tags", "zone"]);
    let state = after(&[start, attempt("change"), end("change", ready("subnet-1"))]);
    assert_eq!(object(&state).inputs, more);
    assert_eq!(object(&state).operation_id, "make", "the operation that made it");
}

#[test]
fn an_update_or_a_deletion_can_change_the_id() {
    let updated = after(&[begin("change", &a(), &[], update(2)), identified("change", "subnet-2")]);
    assert_eq!(object(&updated).remote_id, RemoteId::new("subnet-2"));
    assert_eq!(verify(&updated), Ok(()));
    let deleting = [begin("drop", &a(), &[], delete("subnet-1")), identified("drop", "subnet-2")];
    assert_eq!(object(&after(&deleting)).remote_id, RemoteId::new("subnet-2"));
    let deleted = after(&[&deleting[..], &[end("drop", Outcome::Gone)]].concat());
    assert!(deleted.resources.is_empty());
}

#[test]
fn failures_are_kept_with_their_reason() {
    let records = [begin("change", &a(), &[], update(2)), end("change", stopped(Some("no capacity")))];
    assert_eq!(object(&after(&records)).status, Status::Failed("no capacity".to_owned()));
    let records = [begin("drop", &a(), &[], delete("subnet-1")), end("drop", stopped(None))];
    assert_eq!(object(&after(&records)).status, Status::Unfinished);
}

#[test]
fn a_replacement_that_creates_first_deposes_the_old() {
    let start = [begin("again", &a(), &[], create(2)), attempt("again")];
    let before_id = after(&start);
    assert_eq!(object(&before_id).remote_id, RemoteId::new("subnet-1"));
    assert_eq!(verify(&before_id), Ok(()));
    let replaced = [&start[..], &[identified("again", "subnet-2"), end("again", ready("subnet-2"))]].concat();
    let state = after(&replaced);
    assert_eq!(object(&state).remote_id, RemoteId::new("subnet-2"));
    assert_eq!(deposed(&state), ["subnet-1"]);
    assert_eq!(resource(&state).deposed[0].inputs, inputs(1), "a deposed object keeps what it was made of");
    let deleting = [begin("drop", &a(), &[], delete("subnet-1"))];
    assert_eq!(resource(&later(&state, &deleting)).deposed[0].status, Status::Unfinished);
    let state = later(&state, &[&deleting[..], &[end("drop", Outcome::Gone)]].concat());
    assert!(deposed(&state).is_empty());
    assert_eq!(object(&state).remote_id, RemoteId::new("subnet-2"));
}

#[test]
fn a_replacement_without_an_id_is_not_ready() {
    let make = created("make", &a(), &[], "subnet-1").concat();
    let records = [begin("again", &a(), &[], create(2)), attempt("again"), end("again", ready("subnet-1"))];
    assert_eq!(problem(&[make, records.to_vec()].concat()), "an object is ready that is not there");
}

#[test]
fn a_replacement_that_deletes_first_leaves_nothing_in_between() {
    let deleted = [begin("drop", &a(), &[], delete("subnet-1")), end("drop", Outcome::Gone)];
    assert!(after(&deleted).resources.is_empty());
    let again = created("again", &a(), &[], "subnet-2").concat();
    let state = after(&[&deleted[..], &again].concat());
    assert_eq!(object(&state).remote_id, RemoteId::new("subnet-2"));
    assert!(deposed(&state).is_empty());
}

#[test]
fn a_deletion_leaves_deposed_objects_alone() {
    let replaced = created("again", &a(), &[], "subnet-2").concat();
    let deleted = [begin("drop", &a(), &[], delete("subnet-2")), end("drop", Outcome::Gone)];
    let state = after(&[&replaced[..], &deleted].concat());
    assert!(resource(&state).object.is_none());
    assert_eq!(deposed(&state), ["subnet-1"]);
}

#[test]
fn what_is_forgotten_is_not_in_the_state() {
    let forget = Action::Forget { remote_id: RemoteId::new("subnet-1") };
    let state = after(&[begin("forget", &a(), &[], forget), end("forget", Outcome::Gone)]);
    assert!(state.resources.is_empty());
}

#[test]
fn reads_update_outputs_or_take_the_object_away() {
    let seen =
        ValueMap::from([("id".to_owned(), Value::from("subnet-1")), ("free".to_owned(), Value::Integer(5))]);
    let state = after(&[Record::Observed { address: a(), inputs: None, outputs: Some(seen.clone()) }]);
    assert_eq!(object(&state).outputs, seen);
    let gone = Record::Observed { address: a(), inputs: None, outputs: None };
    assert!(after(std::slice::from_ref(&gone)).resources.is_empty());
    let replaced = created("again", &a(), &[], "subnet-2").concat();
    let state = after(&[&replaced[..], &[gone]].concat());
    assert_eq!(deposed(&state), ["subnet-1"]);
}

#[test]
fn an_order_that_is_turned_around_is_no_circle() {
    let (b, c) = (subnet("b"), subnet("c"));
    let made = [
        created("b", &b, &[], "subnet-b").concat(),
        created("c", &c, std::slice::from_ref(&b), "subnet-c").concat(),
        created("a", &a(), std::slice::from_ref(&c), "subnet-a").concat(),
    ];
    // The run is killed once the first resource, which the others shall stand on now, has begun.
    let turned = [begin("turn", &b, &[a()], update(2)), attempt("turn")];
    let state = fold_all(&[&made.concat()[..], &turned].concat());
    assert_eq!(verify(&state), Ok(()));
    assert_eq!(state.resources[&b].dependencies, [a()].into());
    assert_eq!(state.resources[&a()].dependencies, [c.clone()].into());
    assert!(state.resources[&c].dependencies.is_empty(), "{:?}", state.resources[&c].dependencies);
}

#[test]
fn a_journal_belongs_to_one_state() {
    let mut state = State::empty(STACK, LINEAGE);
    assert!(fold(state.clone(), &[header(0)]).is_ok());
    assert!(fold(state.clone(), &[header(1)]).is_err());
    state.lineage = "f".repeat(32);
    assert!(fold(state, &[header(0)]).is_err());
}

#[test]
fn records_that_do_not_fit_are_told() {
    let gone = end("make", Outcome::Gone);
    let made = created("make", &a(), &[], "subnet-1").concat();
    for (records, expected) in [
        (vec![attempt("x")], "a record of the operation x, which has not begun or has ended"),
        (vec![identified("x", "subnet-1")], "a record of the operation x, which has not begun or has ended"),
        (vec![end("x", stopped(None))], "a record of the operation x, which has not begun or has ended"),
        (vec![surplus("x", "subnet-1")], "a surplus of an operation that has made nothing"),
        (vec![begin("x", &a(), &[], update(1))], "a record about subnet.a, which is not in the state"),
        (vec![begin("x", &a(), &[], delete("y"))], "a record about subnet.a, which is not in the state"),
        (
            vec![Record::Observed { address: a(), inputs: None, outputs: None }],
            "a record about subnet.a, which is not in the state",
        ),
        (
            [&made[..made.len() - 1], std::slice::from_ref(&gone)].concat(),
            "only a deletion can end in an object that is gone",
        ),
        ([&made[..], &[gone]].concat(), "a record of the operation make, which has not begun or has ended"),
        (
            [&made[..], &[begin("x", &a(), &[], delete("y"))]].concat(),
            "a record about y of subnet.a, which is not in the state",
        ),
        (
            [&made[..], &[begin("x", &a(), &[], delete("subnet-1")), end("x", ready("subnet-1"))]].concat(),
            "a deletion cannot end in an object that is ready",
        ),
    ] {
        assert_eq!(problem(&records), expected);
    }
}

#[test]
fn names_change_all_at_once_and_where_others_need_them() {
    let needs_a = created("other", &subnet("z"), &[a()], "subnet-2").concat();
    let names = [(a(), subnet("z")), (subnet("z"), a())].into_iter().collect();
    let state = after(&needs_a);
    let swapped = later(&state, &[Record::Renamed { names }]);
    assert_eq!(swapped.resources[&subnet("z")].object, state.resources[&a()].object);
    assert_eq!(swapped.resources[&a()].dependencies, [subnet("z")].into());
    assert_eq!(verify(&swapped), Ok(()));
}

#[test]
fn a_circle_is_found_under_the_new_names() {
    let needs_a = created("other", &subnet("z"), &[a()], "subnet-2").concat();
    let names = [(a(), subnet("y"))].into_iter().collect();
    let mut fold = Fold::new(after(&needs_a));
    fold.record(&Record::Renamed { names }).expect("the names fit");
    let turned = begin("turn", &subnet("y"), &[subnet("z")], update(2));
    fold.record(&turned).expect("the order may be turned around");
    assert_eq!(verify(fold.state()), Ok(()));
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let rename = |from: Address, to: Address| Record::Renamed { names: [(from, to)].into_iter().collect() };
    let refused = |records: &[Record]| {
        let state = after(&created("other", &subnet("z"), &[], "subnet-2").concat());
        fold(state, records).expect_err("the records do not fit")
    };
    assert!(refused(&[rename(subnet("never"), subnet("y"))]).contains("not in the state"));
    assert!(refused(&[rename(a(), subnet("z"))]).contains("the same name"));
    let begun = begin("late", &a(), &[], delete("subnet-1"));
    assert!(refused(&[begun, rename(a(), subnet("y"))]).contains("has begun"));
}

/// A service that answers with what is there already has made nothing that could go.
#[test]
fn a_create_that_gets_the_id_of_what_it_replaces_leaves_no_former_object() {
    let again = [begin("again", &a(), &[], create(2)), attempt("again"), identified("again", "subnet-1")];
    let state = after(&again);
    assert_eq!((deposed(&state), object(&state).remote_id.as_str()), (Vec::new(), "subnet-1"));
    assert_eq!(verify(&state), Ok(()));
}
