//! What happens to a stack: edits, plans, applies, faults, crashes, and what others do.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};
use straddle_testkit::fault::Fault;
use straddle_testkit::memory_files::Fault as DiskFault;

use crate::drift::{Drift, How};
use crate::edit::{Edit, What};

/// Everything that happens to one stack. As JSON it is a test case that can be played again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Script {
    /// Decides everything that is left to chance in the cloud.
    pub(crate) seed: u64,
    pub(crate) manner: Manner,
    pub(crate) steps: Vec<Step>,
}

/// How consistent the cloud is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Manner {
    /// Reads show at once what was done.
    Consistent,
    /// Reads lag behind.
    Lagging,
    /// Reads lag behind, and what was seen once may be hidden again for a while.
    Flapping,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Step {
    Edit(Edit),
    Plan,
    Apply(Trouble),
    /// A plan is made, saved, and applied; when that is done it is applied again.
    ApplySaved,
    Destroy(Trouble),
    /// Only a part of the stack is brought to what is wanted.
    ApplyPart(Part),
    Drift(Drift),
    /// So many minutes pass.
    Wait(u8),
}

/// A part of a stack, by numbers of resources; out of range they are taken modulo what there is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) target: Vec<u8>,
    pub(crate) exclude: Vec<u8>,
    pub(crate) replace: Vec<u8>,
    /// Whether whole blocks are meant.
    pub(crate) blocks: bool,
    /// Whether everything goes that is in the part.
    pub(crate) destroy: bool,
    /// Whether the plan is saved before it is applied.
    pub(crate) saved: bool,
}

/// What goes wrong in a run, by the number of the call or file operation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    pub(crate) mutating: Vec<(u8, Fault)>,
    pub(crate) reading: Vec<(u8, Fault)>,
    pub(crate) disk: Option<(u16, DiskFault)>,
}

impl Trouble {
    /// One thing goes wrong with one mutating call.
    pub(crate) fn with_call(call: usize, fault: Fault) -> Self {
        let call = u8::try_from(call).expect("no run of a test has so many calls");
        Self { mutating: vec![(call, fault)], ..Self::default() }
    }

    /// One thing goes wrong with one file operation.
    pub(crate) fn with_file_operation(operation: u64, fault: DiskFault) -> Self {
        let operation = u16::try_from(operation).expect("no run of a test has so many operations");
        Self { disk: Some((operation, fault)), ..Self::default() }
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Tells whether a run gets over it and does everything nevertheless.
    pub(crate) fn is_absorbed(&self) -> bool {
        let of_calls = |(_, fault): &(u8, Fault)| {
            matches!(
                fault,
                Fault::Throttled
                    | Fault::FailedBefore
                    | Fault::FailedAfter
                    | Fault::AnswerLost
                    | Fault::Late(_)
                    | Fault::Slow(_)
            )
        };
        let of_reads = |(_, fault): &(u8, Fault)| matches!(fault, Fault::Throttled | Fault::FailedBefore);
        let few = self.mutating.len() <= 1;
        few && self.mutating.iter().all(of_calls) && self.reading.iter().all(of_reads) && self.disk.is_none()
    }
}

pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    let beginning = (any::<u8>(), any::<u8>()).prop_map(|(one, other)| {
        let make = |of, value| Edit { what: What::ToggleNetwork, of, part: 0, value };
        vec![Step::Edit(make(0, one)), Step::Edit(make(1, other))]
    });
    (any::<u16>(), manners(), beginning, vec(steps(), 1..10)).prop_map(
        |(seed, manner, mut beginning, steps)| {
            // Networks of one half of the scripts are the first one only.
            if seed % 2 == 0 {
                beginning.truncate(1);
            }
            beginning.extend(steps);
            Script { seed: seed.into(), manner, steps: beginning }
        },
    )
}

fn manners() -> impl Strategy<Value = Manner> {
    select(&[Manner::Consistent, Manner::Lagging, Manner::Flapping][..])
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => edits().prop_map(Step::Edit),
        1 => Just(Step::Plan),
        6 => troubles().prop_map(Step::Apply),
        2 => Just(Step::Apply(Trouble::default())),
        1 => Just(Step::ApplySaved),
        1 => troubles().prop_map(Step::Destroy),
        2 => parts().prop_map(Step::ApplyPart),
        2 => drifts().prop_map(Step::Drift),
        1 => (0..10_u8).prop_map(Step::Wait),
    ]
}

fn parts() -> impl Strategy<Value = Part> {
    let some = |most| vec(any::<u8>(), 0..=most);
    (some(2), some(2), some(1), any::<[bool; 4]>()).prop_map(|(target, exclude, replace, switches)| {
        let [blocks, saved, first, second] = switches;
        let destroy = first && second;
        Part { target, exclude, replace: if destroy { Vec::new() } else { replace }, blocks, destroy, saved }
    })
}

fn edits() -> impl Strategy<Value = Edit> {
    (select(&What::ALL[..]), any::<u8>(), any::<u8>(), any::<u8>()).prop_map(|(what, of, part, value)| Edit {
        what,
        of,
        part,
        value,
    })
}

fn troubles() -> impl Strategy<Value = Trouble> {
    let survivable = select(&Fault::SURVIVABLE[..]);
    let deadly = select(&Fault::DEADLY[..]);
    let mutating =
        prop_oneof![6 => survivable, 2 => deadly, 1 => late(Fault::Late), 1 => late(Fault::CrashLate)];
    let reading = select(&[Fault::Throttled, Fault::FailedBefore, Fault::Denied, Fault::CrashBefore][..]);
    let disk = (0..200_u16, select(&DiskFault::ALL[..]));
    let calls = (vec((0..30_u8, mutating), 0..4), bursts(), late_and_crash());
    (calls, vec((0..40_u8, reading), 0..2), weighted(0.2, disk)).prop_map(|(calls, reading, disk)| {
        let (mutating, burst, late_and_crash) = calls;
        Trouble { mutating: [mutating, burst, late_and_crash].concat(), reading, disk }
    })
}

/// A call arrives late, at any time of which it can be learned: within the two minutes for which is
/// looked after a call without an answer, less the twenty seconds for which reads may not show what
/// is new, and the way.
fn late(fault: fn(Duration) -> Fault) -> impl Strategy<Value = Fault> {
    (1..=95_u64).prop_map(move |seconds| fault(Duration::from_secs(seconds)))
}

/// A call arrives late, and with one of the next calls the process dies; or neither.
fn late_and_crash() -> impl Strategy<Value = Vec<(u8, Fault)>> {
    let crash = select(&Fault::DEADLY[..]);
    let both = (0..30_u8, late(Fault::Late), 1..5_u8, crash);
    weighted(0.1, both).prop_map(|both| {
        let calls = both.map(|(call, late, later, crash)| vec![(call, late), (call + later, crash)]);
        calls.unwrap_or_default()
    })
}

/// The same thing goes wrong with several calls in a row, or with none.
fn bursts() -> impl Strategy<Value = Vec<(u8, Fault)>> {
    let fault = select(&[Fault::Throttled, Fault::FailedBefore, Fault::Denied][..]);
    let burst = (0..30_u8, 1..10_u8, fault);
    let calls = |(first, length, fault)| (first..first + length).map(|call| (call, fault)).collect();
    weighted(0.1, burst.prop_map(calls)).prop_map(Option::unwrap_or_default)
}

fn drifts() -> impl Strategy<Value = Drift> {
    let how = select(
        &[How::Delete, How::Change, How::Break, How::Tag, How::Untag, How::Make, How::Lodge, How::Leave][..],
    );
    (how, any::<u8>()).prop_map(|(how, which)| Drift { how, which })
}
