//! Records of made-up runs, for tests of the journal and of what is below it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use straddle_engine::address::{AccountName, Address, Kind, RemoteId};
use straddle_engine::spec::Lifecycle;
use straddle_engine::state::{Action, Begin, Outcome, Record, RunHeader, State, fold};
use straddle_engine::value::{Value, ValueMap};

/// The stack of every story.
pub const STACK: &str = "network";
/// The lineage of every story.
pub const LINEAGE: &str = "0123456789abcdef0123456789abcdef";
/// When everything happens.
pub const TIME: Timestamp = Timestamp::UNIX_EPOCH;

/// Makes the first record of a run that starts from this serial.
#[must_use]
pub fn header(serial: u64) -> Record {
    let (lineage, stack) = (LINEAGE.to_owned(), STACK.to_owned());
    Record::Run(RunHeader { lineage, stack, serial, plan: None, at: TIME })
}

/// Makes the address of a subnet.
#[must_use]
pub fn subnet(name: &str) -> Address {
    Address::new("subnet", name)
}

/// Makes the record that an operation starts on a resource that needs `dependencies`.
#[must_use]
pub fn begin(operation: &str, address: &Address, dependencies: &[Address], action: Action) -> Record {
    Record::Begin(Box::new(Begin {
        operation_id: operation.to_owned(),
        action,
        address: address.clone(),
        kind: Kind::new(address.block().kind.as_str()),
        account: AccountName::new("a"),
        account_id: "111111111111".to_owned(),
        region: "eu-central-1".to_owned(),
        dependencies: dependencies.iter().cloned().collect::<BTreeSet<_>>(),
        lifecycle: Lifecycle::default(),
        at: TIME,
    }))
}

/// Makes what a create does.
#[must_use]
pub fn create(size: i64) -> Action {
    Action::Create { inputs: inputs(size), token: "token".to_owned() }
}

/// Makes what an update does.
#[must_use]
pub fn update(size: i64) -> Action {
    Action::Update { inputs: inputs(size) }
}

/// Makes what a deletion does.
#[must_use]
pub fn delete(id: &str) -> Action {
    Action::Delete { remote_id: RemoteId::new(id) }
}

/// Makes inputs that differ with `size`.
#[must_use]
pub fn inputs(size: i64) -> ValueMap {
    let ratio = Value::Float(0.1 + 0.2);
    let tags = ValueMap::from([
        ("Name".to_owned(), Value::from("späť \u{1F980}\n")),
        ("$x".to_owned(), Value::Null),
    ]);
    let values = [("size", Value::Integer(size)), ("ratio", ratio), ("tags", Value::Map(tags))];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Makes the record that a call is about to be sent.
#[must_use]
pub fn attempt(operation: &str) -> Record {
    Record::Attempt { operation_id: operation.to_owned(), call: "Call".to_owned(), at: TIME }
}

/// Makes the record that an id is known.
#[must_use]
pub fn identified(operation: &str, id: &str) -> Record {
    Record::Identified { operation_id: operation.to_owned(), remote_id: RemoteId::new(id), at: TIME }
}

/// Makes the record that an operation made one thing too many.
#[must_use]
pub fn surplus(operation: &str, id: &str) -> Record {
    Record::Surplus { operation_id: operation.to_owned(), remote_id: RemoteId::new(id), at: TIME }
}

/// Makes the record that an operation has ended.
#[must_use]
pub fn end(operation: &str, outcome: Outcome) -> Record {
    Record::End { operation_id: operation.to_owned(), outcome, at: TIME }
}

/// Makes the outcome of an object that is ready.
#[must_use]
pub fn ready(id: &str) -> Outcome {
    Outcome::Ready { outputs: ValueMap::from([("id".to_owned(), Value::from(id))]) }
}

/// Makes the record of outputs that differ with `number`.
#[must_use]
pub fn outputs(number: i64) -> Record {
    let outputs = BTreeMap::from([("number".to_owned(), Value::Integer(number))]);
    Record::Outputs { outputs, sensitive: BTreeSet::new() }
}

/// Makes the records of a create that ends well, in the order in which a run appends them.
#[must_use]
pub fn created(operation: &str, address: &Address, dependencies: &[Address], id: &str) -> Vec<Vec<Record>> {
    vec![
        vec![begin(operation, address, dependencies, create(1)), attempt(operation)],
        vec![identified(operation, id)],
        vec![end(operation, ready(id))],
    ]
}

/// Returns the state that these records of a first run make.
///
/// # Panics
/// If the records do not fit each other.
#[must_use]
pub fn fold_all(records: &[Record]) -> State {
    fold(State::empty(STACK, LINEAGE), records).expect("the records fit each other")
}

/// Returns a first run of some twenty operations, one item for each append.
#[must_use]
pub fn appends() -> Vec<Vec<Record>> {
    let network = Address::new("vpc", "main");
    let mut appends = vec![vec![header(0)]];
    appends.extend(created("vpc", &network, &[], "vpc-1"));
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let needed = [network.clone()];
        appends.extend(created(name, &subnet(name), &needed, &format!("subnet-{name}")));
    }
    let (a, b, c, d) = (subnet("a"), subnet("b"), subnet("c"), subnet("d"));
    let forget = Action::Forget { remote_id: RemoteId::new("subnet-d") };
    appends.extend([
        // An update that changes the id.
        vec![begin("a2", &a, &[], update(2)), attempt("a2")],
        vec![identified("a2", "subnet-a2")],
        vec![end("a2", ready("subnet-a2"))],
        // A replacement that creates first.
        vec![begin("b2", &b, &[network], create(2)), attempt("b2")],
        vec![identified("b2", "subnet-b2")],
        vec![end("b2", ready("subnet-b2"))],
        vec![begin("b3", &b, &[], delete("subnet-b")), attempt("b3")],
        vec![end("b3", Outcome::Gone)],
        // One that deletes first.
        vec![begin("c2", &c, &[], delete("subnet-c")), attempt("c2")],
        vec![end("c2", Outcome::Gone)],
        vec![begin("c3", &c, &[], create(2)), attempt("c3")],
        vec![identified("c3", "subnet-c3"), surplus("c3", "subnet-c4")],
        vec![end("c3", Outcome::Stopped { failed: Some("no capacity".to_owned()) })],
        vec![begin("d2", &d, &[], forget), end("d2", Outcome::Gone)],
        vec![begin("e2", &subnet("e2"), &[], create(1)), attempt("e2")],
        vec![end("e2", Outcome::NothingMade)],
        vec![Record::Observed { address: subnet("f"), inputs: None, outputs: None }, outputs(1)],
        vec![begin("x", &subnet("x"), &[], create(1)), attempt("x")],
    ]);
    appends
}
