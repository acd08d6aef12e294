//! Every fault at every place of a few fixed runs, one at a time.

use std::time::Duration;

use straddle_testkit::fault::Fault;
use straddle_testkit::memory_files::Fault as DiskFault;

use crate::edit::{Edit, What};
use crate::play::play;
use crate::script::{Manner, Script, Step, Trouble};

/// A network with everything in it but the third segment.
const EVERYTHING: u8 = 0b11_1111;
/// A network with two segments and two tables.
const A_FEW_THINGS: u8 = 0b01_0110;
/// As [`EVERYTHING`], with the host in the other account and a share of its segments.
const ACROSS: u8 = 0b1011_1111;
/// Two segments, and a host in the other account with a share of what it stands in.
const LENT: u8 = 0b1010_0110;

#[derive(Clone, Copy)]
enum Run {
    Apply,
    /// An apply that replaces the network and with it everything.
    Replace,
    /// An apply that lets the host, and so the share, have other segments than before: a bit for each.
    Lend(u8, u8),
    /// An apply that gives the share another name.
    Rename,
    Destroy,
}

/// Makes the script in which something goes wrong with a run.
fn script(run: Run, value: u8, trouble: Trouble) -> Script {
    let edit = |what, value| Step::Edit(Edit { what, of: 0, part: 0, value });
    let beginning = vec![edit(What::ToggleNetwork, value), edit(What::DocumentSecret, 1)];
    let done = Step::Apply(Trouble::default());
    let steps = match run {
        Run::Apply => vec![Step::Apply(trouble)],
        Run::Replace => vec![done, edit(What::NetworkRange, 0), Step::Apply(trouble)],
        Run::Lend(before, after) => {
            let segments = |value| edit(What::HostSegments, value);
            vec![segments(before), done, segments(after), Step::Apply(trouble)]
        }
        Run::Rename => vec![done, edit(What::ShareName, 0), Step::Apply(trouble)],
        Run::Destroy => vec![done, Step::Destroy(trouble)],
    };
    Script { seed: 1, manner: Manner::Flapping, steps: [beginning, steps].concat() }
}

/// Those that leave the most behind; a replacement has too many calls for all.
const WORST: [Fault; 5] = [
    Fault::FailedAfter,
    Fault::Late(Duration::from_secs(45)),
    Fault::Denied,
    Fault::CrashAfter,
    Fault::CrashLate(Duration::from_secs(30)),
];

/// Lets each of the faults go wrong with every call of a run, of which there are at least so many.
fn play_every_call(run: Run, value: u8, at_least: usize, faults: &[Fault]) {
    let (calls, _) = play(&script(run, value, Trouble::default())).last_run;
    assert!(calls >= at_least, "the run has {calls} calls");
    for call in 0..calls {
        for fault in faults {
            play_one(&script(run, value, Trouble::with_call(call, *fault)));
        }
    }
}

/// After a call whose answer was lost, nothing is allowed any more.
fn play_every_lost_call_before_a_denial(run: Run) {
    let (calls, _) = play(&script(run, EVERYTHING, Trouble::default())).last_run;
    for call in 0..calls {
        let mut trouble = Trouble::with_call(call, Fault::FailedAfter);
        trouble
            .mutating
            .extend((call + 1..call + 20).flat_map(|call| Trouble::with_call(call, Fault::Denied).mutating));
        play_one(&script(run, EVERYTHING, trouble));
    }
}

fn play_every_file_operation(run: Run) {
    let (_, operations) = play(&script(run, A_FEW_THINGS, Trouble::default())).last_run;
    assert!(operations > 10, "the run has {operations} file operations");
    for operation in 0..operations {
        for fault in DiskFault::ALL {
            play_one(&script(run, A_FEW_THINGS, Trouble::with_file_operation(operation, fault)));
        }
    }
}

fn play_one(script: &Script) {
    let played = std::panic::catch_unwind(|| play(script));
    let text = serde_json::to_string(script).expect("a script has a JSON form");
    assert!(played.is_ok(), "this script does not end well:\n{text}");
}

#[test]
fn every_fault_of_every_call_of_an_apply() {
    play_every_call(Run::Apply, EVERYTHING, 11, &Fault::SURVIVABLE);
    play_every_call(Run::Apply, EVERYTHING, 11, &Fault::DEADLY);
}

#[test]
fn every_lost_call_of_an_apply_before_a_denial() {
    play_every_lost_call_before_a_denial(Run::Apply);
}

#[test]
fn every_fault_of_every_call_of_a_replacement() {
    play_every_call(Run::Replace, EVERYTHING, 11, &WORST);
}

#[test]
fn every_fault_of_every_call_of_a_destroy() {
    play_every_call(Run::Destroy, EVERYTHING, 11, &Fault::SURVIVABLE);
    play_every_call(Run::Destroy, EVERYTHING, 11, &Fault::DEADLY);
}

#[test]
fn every_fault_of_every_file_operation_of_an_apply() {
    play_every_file_operation(Run::Apply);
}

#[test]
fn every_fault_of_every_file_operation_of_a_destroy() {
    play_every_file_operation(Run::Destroy);
}

/// Every fault of a mutating call.
fn every_fault() -> Vec<Fault> {
    [&Fault::SURVIVABLE[..], &Fault::DEADLY].concat()
}

#[test]
fn every_fault_of_every_call_of_an_apply_across_accounts() {
    play_every_call(Run::Apply, ACROSS, 11, &every_fault());
}

#[test]
fn every_fault_of_every_call_of_a_destroy_across_accounts() {
    play_every_call(Run::Destroy, ACROSS, 11, &every_fault());
}

#[test]
fn every_fault_of_every_call_of_a_share_that_changes() {
    // A member is added, is taken out, and is exchanged for another.
    for (before, after, calls) in [(0b01, 0b11, 2), (0b11, 0b01, 2), (0b01, 0b10, 3)] {
        play_every_call(Run::Lend(before, after), LENT, calls, &every_fault());
    }
}

#[test]
fn every_fault_of_every_call_of_a_share_that_takes_over_from_another() {
    play_every_call(Run::Rename, LENT, 2, &every_fault());
}
