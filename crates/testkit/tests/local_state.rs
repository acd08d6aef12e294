//! The local store on the machine's own files.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use straddle_engine::state::{Backend, LocalBackend, LockHolder, StateError, Stored, recovered};
use straddle_testkit::story;

fn holder(process_id: u32) -> LockHolder {
    LockHolder {
        process_id,
        host: "builder".to_owned(),
        command: "apply".to_owned(),
        since: "2025-01-01T00:00:00Z".to_owned(),
    }
}

/// Applies a whole story and replaces the state at its end.
async fn apply_story(folder: &Path) -> LocalBackend {
    let backend = LocalBackend::new(folder, story::STACK);
    let _lock = backend.lock(&holder(1)).await.expect("nobody has the lock");
    for records in story::appends() {
        backend.append(&records).await.expect("the disk is fine");
    }
    let stored = backend.read().await.expect("the state is fine");
    let mut state = recovered(stored).expect("the journal fits").expect("there is a state");
    state.serial += 1;
    backend.replace(0, &state).await.expect("the disk is fine");
    backend
}

#[tokio::test]
async fn a_run_is_recorded_and_read_again() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let backend = LocalBackend::new(folder.path().join("a/b"), story::STACK);
    assert_eq!(backend.read().await.expect("nothing is fine"), Stored::default());

    let lock = backend.lock(&holder(1)).await.expect("nobody has the lock");
    let mut written = Vec::new();
    for records in story::appends() {
        backend.append(&records).await.expect("the disk is fine");
        written.extend(records);
        let stored = backend.read().await.expect("the state is fine");
        assert_eq!(stored.journal, written);
        assert_eq!(recovered(stored).expect("the journal fits"), Some(story::fold_all(&written)));
    }
    let mut state = story::fold_all(&written);
    state.serial = 1;
    backend.replace(0, &state).await.expect("the disk is fine");
    drop(lock);
    let stored = backend.read().await.expect("the state is fine");
    assert_eq!(stored, Stored { state: Some(state), journal: Vec::new() });
}

#[tokio::test(start_paused = true)]
async fn appends_of_many_tasks_are_all_there() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let backend = LocalBackend::new(folder.path(), story::STACK);
    let _lock = backend.lock(&holder(1)).await.expect("nobody has the lock");
    backend.append(&[story::header(0)]).await.expect("the disk is fine");
    let records: Vec<_> = (0..200).map(|index| [story::outputs(index)]).collect();
    let appends = futures::future::join_all(records.iter().map(|record| backend.append(record))).await;
    assert!(appends.iter().all(Result::is_ok));
    let journal = backend.read().await.expect("the state is fine").journal;
    assert_eq!(journal[1..], *records.concat());
}

#[tokio::test]
async fn a_dropped_append_is_whole_or_not_there() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let backend = LocalBackend::new(folder.path(), story::STACK);
    let _lock = backend.lock(&holder(1)).await.expect("nobody has the lock");
    backend.append(&[story::header(0)]).await.expect("the disk is fine");
    for index in 0..50 {
        let (dropped, kept) = ([story::outputs(2 * index)], [story::outputs(2 * index + 1)]);
        let mut append = backend.append(&dropped);
        let mut waiting = backend.append(&dropped);
        let _ = (futures::poll!(&mut append), futures::poll!(&mut waiting));
        drop((append, waiting));
        backend.append(&kept).await.expect("the disk is fine");
    }
    let journal = backend.read().await.expect("the journal is whole").journal;
    let kept = journal.iter().filter(|record| (0..50).any(|index| **record == story::outputs(2 * index + 1)));
    assert_eq!(kept.count(), 50);
}

#[tokio::test]
async fn a_second_run_is_told_who_has_the_lock() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let first = LocalBackend::new(folder.path(), story::STACK);
    let second = LocalBackend::new(folder.path(), story::STACK);
    let lock = first.lock(&holder(4711)).await.expect("nobody has the lock");
    let Err(StateError::Locked { holder: named, .. }) = second.lock(&holder(2)).await else {
        panic!("two runs have the lock");
    };
    assert_eq!(named, "`straddle apply`, process 4711 on builder, since 2025-01-01T00:00:00Z");
    let unlocked = second.append(&[story::header(0)]).await;
    assert!(matches!(unlocked, Err(StateError::Refused { .. })), "{unlocked:?}");
    drop(lock);
    second.lock(&holder(2)).await.map(drop).expect("the lock is free again");
}

#[tokio::test]
async fn another_runs_state_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let backend = apply_story(folder.path()).await;
    let _lock = backend.lock(&holder(1)).await.expect("nobody has the lock");
    let mut state = backend.read().await.expect("the state is fine").state.expect("there is a state");
    state.serial = 9;
    let fenced = backend.replace(0, &state).await;
    assert!(matches!(fenced, Err(StateError::Fenced { expected: 0, found: 1, .. })), "{fenced:?}");
    state.lineage = "f".repeat(32);
    let foreign = backend.replace(1, &state).await;
    assert!(matches!(foreign, Err(StateError::Refused { .. })), "{foreign:?}");
}

#[tokio::test]
async fn files_that_others_can_reach_are_refused() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let backend = apply_story(folder.path()).await;
    let path = folder.path().join("network.json");
    for mode in [0o640, 0o604, 0o620] {
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("the file is ours");
        let Err(StateError::Corrupt { problem, remedy, .. }) = backend.read().await else {
            panic!("a file with mode {mode:o} was read");
        };
        assert_eq!(problem, format!("others than its owner can read or write it (its mode is 0{mode:o})"));
        assert!(remedy.contains(&format!("`chmod 600 {}`", path.display())), "{remedy}");
    }
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
    backend.read().await.expect("the remedy helps");
}

#[tokio::test]
async fn links_and_pipes_are_refused() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let backend = apply_story(folder.path()).await;
    let path = folder.path().join("network.json");
    std::fs::rename(&path, folder.path().join("elsewhere")).expect("the file is ours");
    std::os::unix::fs::symlink("elsewhere", &path).expect("the folder is ours");
    let linked = backend.read().await.expect_err("a link was followed").to_string();
    assert!(linked.ends_with("it is a symbolic link"), "{linked}");
    std::fs::remove_file(&path).expect("the folder is ours");
    let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&path).status();
    assert!(made.expect("the system can make pipes").success());
    let pipe = backend.read().await.expect_err("a pipe was read").to_string();
    assert!(pipe.ends_with("it is not a regular file"), "{pipe}");
}
