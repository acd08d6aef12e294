//! What is found again after any end.

use std::collections::BTreeSet;
use std::fs;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::call::{Call, Parameters};
use crate::fault::Faults;
use crate::identity::Caller;
use crate::playground::Playground;
use crate::protocol::Service;
use crate::world::{AccountId, WorldSettings};

/// A world in a folder, with somebody who calls.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn files(&self) -> WorldFiles {
        WorldFiles::new(self.folder.path().join("a.world"))
    }

    fn open(&self) -> Playground {
        let account: AccountId = "111111111111".parse().unwrap();
        let settings =
            WorldSettings { speed: 0.0, start: Timestamp::UNIX_EPOCH, ..WorldSettings::new(account) };
        let world = self.files().load().unwrap().unwrap_or_else(|| World::new(settings));
        let keeper = self.files().keep(&world).unwrap();
        Playground::new(world, Faults::default(), Some(keeper))
    }

    /// Returns the world in the files.
    fn kept(&self) -> Value {
        serde_json::to_value(self.files().load().unwrap().expect("there is one")).unwrap()
    }
}

fn call(operation: &str, parameters: Value) -> Call {
    let Value::Object(parameters) = parameters else { panic!("{parameters} is no table") };
    Call {
        service: Service::Ec2,
        operation: operation.to_owned(),
        region: "us-east-1".to_owned(),
        caller: Caller::administrator("111111111111".parse().unwrap()),
        parameters: Parameters(parameters),
        hidden: BTreeSet::default(),
    }
}

fn make_vpc(playground: &mut Playground) -> String {
    let (answer, kept) = playground.carry_out(call("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" })));
    kept.expect("it has changed something").blocking_recv().unwrap().unwrap();
    answer.unwrap()["vpc"]["vpcId"].as_str().unwrap().to_owned()
}

#[test]
fn a_world_is_the_same_after_every_end() {
    let ground = Ground::new();
    let mut playground = ground.open();
    let first = make_vpc(&mut playground);
    drop(playground.carry_out(call("CreateVpc", json!({ "CidrBlock": "wrong" }))));
    drop(playground.carry_out(call("DescribeVpcs", json!({}))));
    make_vpc(&mut playground);
    let world = serde_json::to_value(&playground.world).unwrap();
    // Killed: what was answered is in the journal.
    std::mem::forget(playground);
    assert_eq!(ground.kept(), world);
    // Begun again, and ended without a word in between.
    let mut playground = ground.open();
    assert_eq!(serde_json::to_value(&playground.world).unwrap(), world);
    let (_, kept) = playground.carry_out(call("DeleteVpc", json!({ "VpcId": first })));
    kept.unwrap().blocking_recv().unwrap().unwrap();
    let world = serde_json::to_value(&playground.world).unwrap();
    let keeper = playground.keeper.take().unwrap();
    keeper.write_down(&playground.world).blocking_recv().unwrap().unwrap();
    drop(keeper);
    assert_eq!(ground.kept(), world);
}

#[test]
fn a_line_that_is_cut_short_was_never_answered() {
    let ground = Ground::new();
    let mut playground = ground.open();
    make_vpc(&mut playground);
    let before = serde_json::to_value(&playground.world).unwrap();
    make_vpc(&mut playground);
    let after = serde_json::to_value(&playground.world).unwrap();
    std::mem::forget(playground);
    let journal = ground.files().journal();
    let whole = fs::read(&journal).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for length in last..whole.len() {
        fs::write(&journal, &whole[..length]).unwrap();
        assert_eq!(ground.kept(), before, "{length} of {} bytes", whole.len());
    }
    fs::write(&journal, &whole).unwrap();
    assert_eq!(ground.kept(), after);
}

#[test]
fn damage_is_told_and_not_taken_for_an_empty_world() {
    let ground = Ground::new();
    let mut playground = ground.open();
    make_vpc(&mut playground);
    make_vpc(&mut playground);
    std::mem::forget(playground);
    let (world, journal) = (ground.files().world().to_owned(), ground.files().journal());
    let (whole_world, whole_journal) = (fs::read(&world).unwrap(), fs::read(&journal).unwrap());
    let mut damaged = whole_journal.clone();
    let second_line = damaged.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    damaged[second_line] = b'x';
    fs::write(&journal, damaged).unwrap();
    let error = ground.files().load().unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
    let other = String::from_utf8(whole_journal.clone()).unwrap().replace("10.0.0.0/16", "10.0.0.0/8");
    fs::write(&journal, other).unwrap();
    let error = ground.files().load().unwrap_err().to_string();
    assert!(error.contains("CreateVpc is refused now"), "{error}");
    fs::write(&journal, whole_journal).unwrap();
    for wrong in [&b""[..], &whole_world[..10], br#"{"format":2}"#] {
        fs::write(&world, wrong).unwrap();
        assert!(matches!(ground.files().load(), Err(StoreError::Damaged { .. })), "{wrong:?}");
    }
}

#[test]
fn a_journal_of_another_snapshot_is_not_read() {
    let ground = Ground::new();
    let mut playground = ground.open();
    make_vpc(&mut playground);
    let journal = fs::read(ground.files().journal()).unwrap();
    let keeper = playground.keeper.take().unwrap();
    keeper.write_down(&playground.world).blocking_recv().unwrap().unwrap();
    // The crash between the two files: the new world, and the old journal, whose calls it has.
    fs::write(ground.files().journal(), journal).unwrap();
    assert_eq!(ground.kept(), serde_json::to_value(&playground.world).unwrap());
}

#[test]
fn one_world_is_run_by_one_process() {
    let ground = Ground::new();
    let holder = Holder { process_id: 7, endpoint: "http://127.0.0.1:1".into(), since: "now".into() };
    let lock = ground.files().lock(&holder).unwrap();
    let error = ground.files().remove();
    assert_eq!(error.ok(), Some(false), "there is no world yet");
    drop(ground.open());
    let Err(StoreError::Busy { holder: found, .. }) = ground.files().remove() else { panic!("it is taken") };
    assert_eq!(*found, holder);
    assert!(ground.files().is_in_use().unwrap());
    drop(lock);
    assert!(!ground.files().is_in_use().unwrap());
    assert!(ground.files().remove().unwrap() && !ground.files().exist());
}
