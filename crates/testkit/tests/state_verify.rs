//! What holds for every state.

use straddle_engine::address::{Address, Kind, RemoteId};
use straddle_engine::state::{Object, ResourceState, State, verify};
use straddle_engine::value::Value;
use straddle_testkit::story::{attempt, begin, create, created, fold_all, outputs, subnet};

fn a() -> Address {
    subnet("a")
}

/// Returns what is wrong with a state of two resources and an unresolved create.
fn problems(spoil: impl FnOnce(&mut State)) -> Vec<String> {
    let records = [
        created("make", &a(), &[], "subnet-1").concat(),
        created("other", &subnet("b"), &[a()], "subnet-2").concat(),
        vec![begin("x", &subnet("x"), &[], create(1)), attempt("x"), outputs(1)],
    ];
    let mut state = fold_all(&records.concat());
    assert_eq!(verify(&state), Ok(()));
    spoil(&mut state);
    verify(&state).err().unwrap_or_default()
}

fn spoil_object(state: &mut State, spoil: impl FnOnce(&mut Object)) {
    let resource = state.resources.get_mut(&a()).expect("it was made");
    spoil(resource.object.as_mut().expect("it was made"));
}

fn need(state: &mut State, address: Address) {
    state.resources.get_mut(&a()).expect("it was made").dependencies.insert(address);
}

#[test]
fn what_is_wrong_with_a_state_is_told() {
    let unknown = || Value::unknown(a(), "id");
    let told = |spoil: fn(&mut State)| problems(spoil).join("; ");
    assert_eq!(told(|state| state.lineage = "X".to_owned()), "the lineage `X` is not 32 hexadecimal digits");
    assert_eq!(
        told(|state| spoil_object(state, |object| {
            object.remote_id = RemoteId::new("subnet-2");
            object.outputs.clear();
        })),
        "subnet-2 belongs to both subnet.a and subnet.b"
    );
    assert_eq!(
        told(|state| spoil_object(state, |object| object.remote_id = RemoteId::new("y"))),
        "y of subnet.a has another id among its outputs"
    );
    assert_eq!(
        told(|state| spoil_object(state, |object| object.operation_id = "other".to_owned())),
        "the operation other made objects of two resources, one of them subnet.b"
    );
    assert_eq!(
        told(|state| spoil_object(state, |object| object.operation_id = "x".to_owned())),
        "the operation x made subnet-1, and is unresolved"
    );
    assert_eq!(
        problems(|state| spoil_object(state, |object| drop(
            object.inputs.insert("size".to_owned(), unknown())
        ))),
        ["the input size of subnet.a is not known"]
    );
    assert_eq!(
        told(|state| spoil_object(state, |object| {
            object.inputs.insert("size".to_owned(), Value::List(vec![Value::Float(f64::NAN)]));
        })),
        "the input size of subnet.a is not a finite number"
    );
    assert_eq!(
        told(|state| state.resources.get_mut(&a()).expect("it was made").object = None),
        "subnet.a has no object"
    );
    assert_eq!(
        told(|state| need(state, subnet("b"))),
        "these resources need each other in a circle: subnet.a, subnet.b"
    );
    assert_eq!(told(|state| need(state, a())), "subnet.a needs itself");
}

#[test]
fn the_same_id_elsewhere_is_another_thing() {
    let elsewhere: [fn(&mut ResourceState); 3] = [
        |resource| resource.region = "us-east-1".to_owned(),
        |resource| resource.account_id = "222222222222".to_owned(),
        |resource| resource.kind = Kind::new("cidr"),
    ];
    for move_away in elsewhere {
        let told = problems(|state| {
            move_away(state.resources.get_mut(&a()).expect("it was made"));
            spoil_object(state, |object| {
                object.remote_id = RemoteId::new("subnet-2");
                object.outputs.clear();
            });
        });
        assert!(told.is_empty(), "{told:?}");
    }
}

#[test]
fn a_dependency_outside_of_the_state_is_fine() {
    let told = problems(|state| need(state, subnet("gone")));
    assert!(told.is_empty(), "{told:?}");
}
