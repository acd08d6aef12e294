//! What must hold of a run without faults: it did what was planned, in the right order.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::address::{Address, RemoteId};
use straddle_engine::event::{Event, Verb};
use straddle_engine::plan::{Change, ChangeAction};
use straddle_engine::run::Report;
use straddle_engine::spec::Spec;
use straddle_engine::state::State;
use straddle_testkit::cloud::{Cloud, Deed};

/// Checks that what was done is what was planned, and nothing else.
pub(crate) fn check_deeds(cloud: &Cloud, report: &Report, log_start: usize, consistent: bool) {
    let mut planned: BTreeMap<(String, Deed), usize> = BTreeMap::new();
    for change in &report.plan.changes {
        let (makes, deletes) = match change.action {
            ChangeAction::Create => (1, 0),
            ChangeAction::Replace(_) => (1, 1),
            ChangeAction::Delete if consistent => (0, 1),
            // It may be gone already.
            ChangeAction::Delete | ChangeAction::DeleteDeposed => {
                (0, usize::from(was_deleted(cloud, change, log_start)))
            }
            ChangeAction::Update | ChangeAction::Forget => (0, 0),
        };
        for (deed, count) in [(Deed::Make, makes), (Deed::Delete, deletes)] {
            if count > 0 {
                *planned.entry((change.kind.to_string(), deed)).or_default() += count;
            }
        }
    }
    let log = &cloud.log()[log_start..];
    let mut done: BTreeMap<(String, Deed), BTreeSet<&String>> = BTreeMap::new();
    for entry in log.iter().filter(|entry| entry.has_changed() && entry.deed != Deed::Change) {
        done.entry((entry.kind.clone(), entry.deed)).or_default().extend(&entry.id);
    }
    let done: BTreeMap<_, _> = done.into_iter().map(|(key, ids)| (key, ids.len())).collect();
    assert_eq!(done, planned, "what was done is not what was planned");
    if consistent {
        let refused: Vec<_> = log.iter().filter(|entry| entry.refusal.is_some()).collect();
        assert!(refused.is_empty(), "calls were refused in a run without faults: {refused:#?}");
    }
}

/// Checks that nothing was made before what it needs, and nothing deleted before what needs it.
pub(crate) fn check_order(spec: &Spec, before: Option<&State>, events: &[Event]) {
    let making = Spans::of(events, &[Verb::Create, Verb::Update]);
    for node in spec.resources.values() {
        for needed in &node.dependencies {
            let in_order = making.is_before(needed, &node.address);
            assert!(in_order, "{} was made before {needed}", node.address);
        }
    }
    let deleting = Spans::of(events, &[Verb::Delete]);
    for (address, resource) in before.iter().flat_map(|state| &state.resources) {
        for needed in &resource.dependencies {
            let in_order = deleting.is_before(address, needed);
            assert!(in_order, "{needed} was deleted before {address}");
        }
    }
}

/// When the operations of some verbs started and ended, by the number of the event.
#[derive(Default)]
struct Spans<'a> {
    started: BTreeMap<&'a Address, usize>,
    finished: BTreeMap<&'a Address, usize>,
}

impl<'a> Spans<'a> {
    fn of(events: &'a [Event], verbs: &[Verb]) -> Self {
        let mut spans = Self::default();
        for (number, event) in events.iter().enumerate() {
            let (operation, times) = match event {
                Event::OperationStarted { operation } => (operation, &mut spans.started),
                Event::OperationFinished { operation, .. } => (operation, &mut spans.finished),
                _ => continue,
            };
            if verbs.contains(&operation.verb) {
                times.insert(&operation.address, number);
            }
        }
        spans
    }

    /// Tells whether the first ended before the second started, if both happened.
    fn is_before(&self, first: &Address, second: &Address) -> bool {
        let Some(start) = self.started.get(second).filter(|_| self.started.contains_key(first)) else {
            return true;
        };
        self.finished.get(first).is_some_and(|end| end < start)
    }
}

/// Tells whether a run that began at a place of the log has deleted what a change is about.
fn was_deleted(cloud: &Cloud, change: &Change, log_start: usize) -> bool {
    let id = change.remote_id.as_ref().map(RemoteId::as_str);
    cloud.log()[log_start..]
        .iter()
        .any(|entry| entry.deed == Deed::Delete && entry.has_changed() && entry.id.as_deref() == id)
}
