//! The local store on a disk that crashes, is full or is broken, at every operation in turn.

use std::sync::Arc;

use straddle_engine::state::{Backend, LocalBackend, LockHolder, Record, State, StateError, recovered};
use straddle_testkit::memory_files::{Fault, MemoryFiles, Remains};
use straddle_testkit::story;

/// What a run asks of the store.
enum Step {
    Lock,
    Append(Vec<Record>),
    Replace,
    Unlock,
}

/// Two runs: the first of a stack, and one that goes on.
fn steps() -> Vec<Step> {
    let first = story::appends().into_iter().map(Step::Append);
    let second =
        [vec![story::header(1)], vec![story::outputs(2)], vec![story::outputs(3), story::outputs(4)]];
    let second = second.into_iter().chain(story::created("y", &story::subnet("y"), &[], "subnet-y"));
    let mut steps = vec![Step::Lock];
    steps.extend(first);
    steps.extend([Step::Replace, Step::Unlock, Step::Lock]);
    steps.extend(second.map(Step::Append));
    steps.extend([Step::Replace, Step::Unlock]);
    steps
}

/// Returns the state that is to be read before the first step and after each step.
fn expected_states() -> Vec<Option<State>> {
    let mut state: Option<State> = None;
    let mut records = Vec::new();
    let mut start = State::empty(story::STACK, story::LINEAGE);
    let mut states = vec![None];
    for step in steps() {
        match step {
            Step::Append(more) => {
                records.extend(more);
                state = Some(straddle_engine::state::fold(start.clone(), &records).expect("the story fits"));
            }
            Step::Replace => {
                let replaced = state.as_mut().expect("something was appended");
                replaced.serial += 1;
                start = replaced.clone();
                records.clear();
            }
            Step::Lock | Step::Unlock => {}
        }
        states.push(state.clone());
    }
    states
}

fn backend(files: &MemoryFiles) -> LocalBackend {
    LocalBackend::with_files(Arc::new(files.clone()), "state", story::STACK)
}

fn holder() -> LockHolder {
    let text = String::new;
    LockHolder { process_id: 1, host: text(), command: text(), since: text() }
}

/// Runs the story until a step fails; returns how many steps went well, and the error.
async fn tell(files: &MemoryFiles, expected: &[Option<State>]) -> (usize, Option<StateError>) {
    let backend = backend(files);
    let mut lock = None;
    for (index, step) in steps().into_iter().enumerate() {
        let done = match step {
            Step::Lock => backend.lock(&holder()).await.map(|taken| lock = Some(taken)),
            Step::Append(records) => backend.append(&records).await,
            Step::Replace => {
                let state = expected[index + 1].as_ref().expect("there is a state");
                backend.replace(state.serial - 1, state).await
            }
            Step::Unlock => {
                lock = None;
                Ok(())
            }
        };
        if let Err(error) = done {
            assert_spoilt(&backend, &error).await;
            return (index, Some(error));
        }
    }
    (expected.len() - 1, None)
}

/// After an error nothing is written any more.
async fn assert_spoilt(backend: &LocalBackend, error: &StateError) {
    assert!(matches!(error, StateError::Io { .. }), "{error}");
    let append = backend.append(&[story::outputs(9)]).await;
    let replace = backend.replace(1, &story::fold_all(&[])).await;
    assert!(append.is_err(), "an append succeeds after: {error}");
    assert!(replace.is_err(), "a replacement succeeds after: {error}");
}

async fn read(files: &MemoryFiles) -> Option<State> {
    let stored = backend(files).read().await.expect("what a crash leaves is readable");
    recovered(stored).expect("what a crash leaves fits")
}

/// A run can go on from here: append to the journal or start one, and replace the state.
async fn assert_usable(files: &MemoryFiles) {
    let backend = backend(files);
    let _lock = backend.lock(&holder()).await.expect("the lock died with its run");
    let stored = backend.read().await.expect("it was just read");
    let serial = stored.state.as_ref().map_or(0, |state| state.serial);
    backend.append(&[story::header(serial), story::outputs(7)]).await.expect("the disk is fine");
    let mut state =
        recovered(backend.read().await.expect("the disk is fine")).expect("it fits").expect("is there");
    assert!(stored.state.is_none() || state.outputs.len() == 1);
    state.serial += 1;
    backend.replace(serial, &state).await.expect("the disk is fine");
    assert_eq!(read(files).await, Some(state));
}

#[tokio::test]
async fn the_story_is_told_without_faults() {
    let (files, expected) = (MemoryFiles::default(), expected_states());
    let (told, error) = tell(&files, &expected).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(told, expected.len() - 1);
    assert_eq!(read(&files).await, expected[told]);
    files.restart(Remains::Nothing, Remains::Nothing);
    assert_eq!(read(&files).await, expected[told], "something was not synced");
}

/// Runs the story with a fault at every operation in turn, and looks at what every possible
/// crash leaves.
async fn check_every_operation(fault: Fault) {
    let (faultless, expected) = (MemoryFiles::default(), expected_states());
    tell(&faultless, &expected).await;
    let operations = faultless.operations();
    assert!(operations > 100, "the story has only {operations} operations");
    for operation in 0..operations {
        let faulty = MemoryFiles::default();
        faulty.fail_at(operation, fault);
        let (told, error) = tell(&faulty, &expected).await;
        assert!(error.is_some(), "{fault:?} at operation {operation} was reported as success");
        for (contents, names) in every_remains() {
            let files = faulty.copy();
            files.restart(contents, names);
            let found = read(&files).await;
            assert!(
                found == expected[told] || found == expected[told + 1],
                "{fault:?} at operation {operation}, {contents:?} of the contents and {names:?} of the names \
                 remain: not the state before or after step {told}, but {found:#?}"
            );
            assert_usable(&files).await;
        }
    }
}

fn every_remains() -> impl Iterator<Item = (Remains, Remains)> {
    Remains::ALL.into_iter().flat_map(|contents| Remains::ALL.map(|names| (contents, names)))
}

#[tokio::test]
async fn a_crash_anywhere_leaves_the_state_before_or_after() {
    check_every_operation(Fault::Crash).await;
}

#[tokio::test]
async fn a_full_disk_is_never_success() {
    check_every_operation(Fault::Full).await;
}

#[tokio::test]
async fn a_broken_disk_is_never_success() {
    check_every_operation(Fault::Broken).await;
}

#[tokio::test]
async fn space_is_set_aside_before_the_first_record() {
    let expected = expected_states();
    let mut actions = Vec::new();
    for operation in 0.. {
        let files = MemoryFiles::default();
        files.fail_at(operation, Fault::Full);
        let (told, error) = tell(&files, &expected).await;
        if told > 1 {
            break;
        }
        if let Some(StateError::Io { action, .. }) = error {
            actions.push(action);
        }
    }
    let reserved = actions.iter().position(|action| *action == "reserve space for");
    let written = actions.iter().position(|action| *action == "write");
    assert!(reserved.is_some() && reserved < written, "{actions:?}");
}
