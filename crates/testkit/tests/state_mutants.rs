//! State files and journals that something else than the program has changed.

use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use straddle_engine::state::{
    Backend, LocalBackend, LockHolder, Record, State, StateError, Stored, recovered,
};
use straddle_testkit::memory_files::MemoryFiles;
use straddle_testkit::random::Random;
use straddle_testkit::story;

const MUTANTS: u64 = 1_000;

fn path(ending: &str) -> PathBuf {
    PathBuf::from(format!("state/{}.{ending}", story::STACK))
}

fn backend(files: &MemoryFiles) -> LocalBackend {
    LocalBackend::with_files(Arc::new(files.clone()), "state", story::STACK)
}

fn holder() -> LockHolder {
    let text = String::new;
    LockHolder { process_id: 1, host: text(), command: text(), since: text() }
}

/// Makes a disk with a state and the backups that the second of two runs leaves.
async fn applied() -> (MemoryFiles, State) {
    let files = MemoryFiles::default();
    let backend = backend(&files);
    let _lock = backend.lock(&holder()).await.expect("nobody has the lock");
    for records in story::appends() {
        backend.append(&records).await.expect("the disk is fine");
    }
    for serial in [0, 1] {
        let state = recovered(backend.read().await.expect("the disk is fine")).expect("the journal fits");
        let state = State { serial: serial + 1, ..state.expect("there is a state") };
        backend.replace(serial, &state).await.expect("the disk is fine");
        backend.append(&[story::header(serial + 1), story::outputs(2)]).await.expect("the disk is fine");
    }
    let state = backend.read().await.expect("the disk is fine").state.expect("there is a state");
    drop(files.take(&path("journal.jsonl")));
    (files, state)
}

/// Makes a disk with the journal of a run that did not end.
async fn interrupted() -> (MemoryFiles, Vec<u8>) {
    let (files, _) = applied().await;
    let backend = backend(&files);
    let _lock = backend.lock(&holder()).await.expect("nobody has the lock");
    backend.append(&[story::header(2)]).await.expect("the disk is fine");
    for records in story::created("y", &story::subnet("y"), &[], "subnet-y") {
        backend.append(&records).await.expect("the disk is fine");
    }
    for number in 0..10 {
        backend
            .append(&[story::outputs(number), story::outputs(number + 1)])
            .await
            .expect("the disk is fine");
    }
    let journal = files.take(&path("journal.jsonl")).expect("there is a journal");
    (files, journal)
}

/// Changes a text in one of the ways in which files are damaged.
fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut place = |length: usize| usize::try_from(random.below(length as u64)).expect("a place fits");
    let kind = place(7);
    let mut mutant = bytes.to_vec();
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let (one, other) = (place(lines.len()), place(lines.len()));
    match kind {
        0 => mutant[place(bytes.len())] ^= 1 << place(8),
        1 => mutant.truncate(place(bytes.len())),
        2 => mutant[place(bytes.len())] = b"\0 \"}],:9\n"[place(9)],
        3 => drop(mutant.remove(place(bytes.len()))),
        4 => {
            lines.remove(one);
            return lines.concat();
        }
        5 => {
            lines.swap(one, other);
            return lines.concat();
        }
        _ => {
            lines.insert(other, lines[one]);
            return lines.concat();
        }
    }
    mutant
}

fn assert_explained(error: &StateError, mutant: &[u8]) {
    let StateError::Corrupt { problem, remedy, .. } = error else {
        panic!("{error}, and not what is wrong with {}", String::from_utf8_lossy(mutant));
    };
    assert!(!problem.is_empty());
    assert!(remedy.starts_with("Nothing was changed.") && remedy.ends_with('.'), "{remedy}");
}

#[tokio::test]
async fn a_changed_state_is_refused_or_means_the_same() {
    let (files, state) = applied().await;
    let original = files.take(&path("json")).expect("there is a state");
    let mut random = Random::new(1);
    let mut refused = 0;
    for _ in 0..MUTANTS {
        let mutant = mutate(&original, &mut random);
        files.put(path("json"), &mutant);
        match backend(&files).read().await {
            Ok(stored) => assert_eq!(stored, Stored { state: Some(state.clone()), journal: Vec::new() }),
            Err(error) => {
                refused += 1;
                assert_explained(&error, &mutant);
            }
        }
    }
    assert!(refused > MUTANTS / 2, "only {refused} mutants were refused");
}

#[tokio::test]
async fn a_changed_journal_is_refused_or_lacks_its_last_line() {
    let (files, original) = interrupted().await;
    files.put(path("journal.jsonl"), &original);
    let whole = backend(&files).read().await.expect("the journal is fine").journal;
    let cut: &[Record] = &whole[..whole.len() - 2];
    let last_line =
        original[..original.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("there are lines");
    let mut random = Random::new(2);
    let mut refused = 0;
    for _ in 0..MUTANTS {
        let mutant = mutate(&original, &mut random);
        files.put(path("journal.jsonl"), &mutant);
        match backend(&files).read().await {
            Ok(stored) if mutant.starts_with(&original[..=last_line]) => {
                assert!(stored.journal == whole || stored.journal == cut, "{:#?}", stored.journal);
            }
            // Cut off: the same as if it had never been longer.
            Ok(stored) if original.starts_with(&mutant) => assert!(whole.starts_with(&stored.journal)),
            Ok(stored) => assert_eq!(stored.journal, whole, "{}", String::from_utf8_lossy(&mutant)),
            Err(error) => {
                refused += 1;
                assert_explained(&error, &mutant);
            }
        }
    }
    assert!(refused > MUTANTS / 2, "only {refused} mutants were refused");
}

#[tokio::test]
async fn a_reformatted_state_is_the_same() {
    let (files, state) = applied().await;
    let original = files.take(&path("json")).expect("there is a state");
    let mut tree: serde_json::Value = serde_json::from_slice(&original).expect("it is JSON");
    tree.sort_all_objects();
    let text = String::from_utf8(original).expect("it is text");
    for reformatted in [tree.to_string(), text.replace('\n', "\r\n"), text.replace("  ", "\t")] {
        files.put(path("json"), reformatted.as_bytes());
        assert_eq!(backend(&files).read().await.expect("nothing was changed").state, Some(state.clone()));
    }
}

/// Changes the state file, and returns what is said about it.
async fn problem_after(change: impl FnOnce(&str) -> String) -> (String, String) {
    let (files, _) = applied().await;
    let original = files.take(&path("json")).expect("there is a state");
    files.put(path("json"), change(std::str::from_utf8(&original).expect("it is text")).as_bytes());
    problem(&files).await
}

async fn problem(files: &MemoryFiles) -> (String, String) {
    match backend(files).read().await {
        Err(StateError::Corrupt { problem, remedy, .. }) => (problem, remedy),
        other => panic!("this was taken: {other:#?}"),
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let wrong = |change: fn(&str) -> String| async move { problem_after(change).await.0 };
    assert_eq!(wrong(|_| String::new()).await, "it is empty");
    assert_eq!(wrong(|_| " \n".to_owned()).await, "it is empty");
    assert_eq!(wrong(|_| "{}".to_owned()).await, "it does not say which format it has");
    let edited = wrong(|text| text.replace("\"size\": 2", "\"size\": 3")).await;
    assert_eq!(edited, "its checksum does not fit: something else than straddle changed it");
    let twice =
        wrong(|text| text.replacen("    \"serial\": 2,\n", "    \"serial\": 2,\n    \"serial\": 2,\n", 1))
            .await;
    assert!(twice.starts_with("the member `serial` is there twice at line 9 column "), "{twice}");
    let more = wrong(|text| text.replacen("\"program\"", "\"author\": \"me\",\n  \"program\"", 1)).await;
    // What is not known may be part of a secret, so only what is known is named.
    assert!(more.starts_with("expected one of `format`, `program`"), "{more}");
    assert!(!more.contains("author"), "{more}");
    assert!(more.contains("at line 3 column "), "{more}");
    let cut = wrong(|text| text[..text.len() / 2].to_owned()).await;
    assert!(cut.starts_with("EOF while parsing"), "{cut}");
}

#[tokio::test]
async fn a_later_format_names_the_program_to_use() {
    let later = |text: &str| {
        let text = text.replacen("\"format\": 1", "\"format\": 2, \"new\": {}", 1);
        text.replacen("\"program\": \"0.1.0\"", "\"program\": \"7.0.0\"", 1)
    };
    let (problem, remedy) = problem_after(later).await;
    assert_eq!(
        problem,
        "straddle 7.0.0 wrote it in format 2, and this is straddle 0.1.0, which knows format 1"
    );
    assert_eq!(remedy, "Nothing was changed. Use straddle 7.0.0 or a later one.");
}

#[tokio::test]
async fn a_missing_state_is_not_an_empty_one() {
    let (files, state) = applied().await;
    drop(files.take(&path("json")));
    let (problem_text, remedy) = problem(&files).await;
    assert_eq!(problem_text, "it is missing, and other files of the stack show that there was one");
    // The remedy's commands bring back everything.
    let commands = "`cp -p state/network.journal.jsonl.backup state/network.journal.jsonl` and \
                    `cp -p state/network.json.backup state/network.json`";
    assert!(remedy.contains(commands), "{remedy}");
    for ending in ["json", "journal.jsonl"] {
        let backup = files.take(&path(&format!("{ending}.backup"))).expect("there is a backup");
        files.put(path(ending), &backup);
    }
    let restored =
        recovered(backend(&files).read().await.expect("it is restored")).expect("the journal fits");
    assert_eq!(restored.expect("there is a state").resources, state.resources);
}

#[tokio::test]
async fn the_state_of_a_first_run_is_restored_from_its_journal() {
    let (files, _) = applied().await;
    for ending in ["json", "json.backup", "journal.jsonl.backup"] {
        drop(files.take(&path(ending)));
    }
    let first = backend(&files);
    let _lock = first.lock(&holder()).await.expect("nobody has the lock");
    first.append(&[story::header(0), story::outputs(5)]).await.expect("the disk is fine");
    let state = recovered(first.read().await.expect("the disk is fine")).expect("the journal fits");
    let state = State { serial: 1, ..state.expect("there is a state") };
    first.replace(0, &state).await.expect("the disk is fine");

    files.put(path("json"), b"{");
    let (_, remedy) = problem(&files).await;
    let commands = "`mv state/network.json state/network.json.damaged` and \
                    `cp -p state/network.journal.jsonl.backup state/network.journal.jsonl`";
    assert!(remedy.contains(commands), "{remedy}");
    drop(files.take(&path("json")));
    let (missing, _) = problem(&files).await;
    assert_eq!(missing, "it is missing, and other files of the stack show that there was one");
    let journal = files.take(&path("journal.jsonl.backup")).expect("there is a backup");
    files.put(path("journal.jsonl.backup"), &journal);
    files.put(path("journal.jsonl"), &journal);
    let restored =
        recovered(backend(&files).read().await.expect("it is restored")).expect("the journal fits");
    assert_eq!(restored, Some(State { serial: 0, ..state }));
}

#[tokio::test]
async fn files_of_other_stacks_are_refused() {
    let (files, journal) = interrupted().await;
    let journal = String::from_utf8(journal).expect("it is text");
    drop(files.take(&path("json")));
    files.put(path("journal.jsonl"), journal.as_bytes());
    let (missing, remedy) = problem(&files).await;
    assert_eq!(missing, "it is missing, and other files of the stack show that there was one");
    let aside = "`mv state/network.journal.jsonl state/network.journal.jsonl.unfinished`";
    assert!(remedy.contains(aside), "{remedy}");

    let (files, _) = applied().await;
    let state = files.take(&path("json")).expect("there is a state");
    let other = LocalBackend::with_files(Arc::new(files.clone()), "state", "other");
    files.put("state/other.json", &state);
    let Err(StateError::Corrupt { problem, .. }) = other.read().await else { panic!("it was taken") };
    assert_eq!(problem, "it is the state of the stack `network`, not of `other`");
}

/// Writes a state file as a program would that knows the format and records nonsense.
fn forge(state: &State) -> Vec<u8> {
    let state = serde_json::to_value(state).expect("a state has a JSON form");
    let mut sorted = state.clone();
    sorted.sort_all_objects();
    let checksum = HEXLOWER.encode(&Sha256::digest(sorted.to_string().as_bytes()));
    let document = serde_json::json!({
        "format": 1, "program": "0.1.0", "checksum": format!("sha256:{checksum}"), "state": state,
    });
    document.to_string().into_bytes()
}

#[tokio::test]
async fn a_state_that_makes_no_sense_is_refused() {
    let (files, mut state) = applied().await;
    files.put(path("json"), &forge(&state));
    assert_eq!(backend(&files).read().await.expect("it makes sense").state, Some(state.clone()));
    let twin = state.resources[&story::subnet("a")].clone();
    state.resources.insert(story::subnet("twin"), twin);
    files.put(path("json"), &forge(&state));
    let (problem, _) = problem(&files).await;
    assert!(problem.contains("subnet-a2 belongs to both subnet.a and subnet.twin"), "{problem}");
}
