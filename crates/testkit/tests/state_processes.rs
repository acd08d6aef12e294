//! The local store in processes of its own: who has the lock, and who may read the files.
//!
//! The helpers at the end are run by the other tests as `THIS_PROGRAM --exact NAME --ignored`,
//! in the folder where the state shall be.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use straddle_engine::state::{Backend, LocalBackend, LockHolder, StateError, recovered};
use straddle_testkit::story;

fn holder() -> LockHolder {
    let (host, since) = ("builder".to_owned(), "2025-01-01T00:00:00Z".to_owned());
    LockHolder { process_id: std::process::id(), host, command: "apply".to_owned(), since }
}

fn temporary_folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is a place for temporary files")
}

fn helper(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program knows where it is"));
    command.args(["--exact", name, "--ignored", "--nocapture"]).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Starts a helper that tries to take the lock, and returns it with what it said.
fn start_locker(folder: &Path) -> Locker {
    let mut process = helper("helper_takes_the_lock", folder).spawn().expect("this program can be started");
    let output = BufReader::new(process.stdout.take().expect("it is a pipe"));
    Locker { process, output }
}

struct Locker {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Locker {
    fn answer(&mut self) -> String {
        let mut line = String::new();
        while !line.starts_with("answer: ") {
            line.clear();
            assert!(self.output.read_line(&mut line).expect("it is text") > 0, "the helper ended");
        }
        line.trim_start_matches("answer: ").trim_end().to_owned()
    }

    fn kill(mut self) {
        self.process.kill().expect("it is ours");
        self.process.wait().expect("it is ours");
    }
}

#[test]
fn of_many_processes_one_has_the_lock() {
    for _ in 0..5 {
        let folder = temporary_folder();
        let mut lockers: Vec<Locker> = (0..8).map(|_| start_locker(folder.path())).collect();
        let answers: Vec<String> = lockers.iter_mut().map(Locker::answer).collect();
        let owners: Vec<u32> = (lockers.iter().zip(&answers))
            .filter(|(_, answer)| *answer == "locked")
            .map(|(locker, _)| locker.process.id())
            .collect();
        assert_eq!(owners.len(), 1, "{answers:?}");
        let busy = format!("process {} on builder", owners[0]);
        let told = answers.iter().filter(|answer| answer.contains(&busy)).count();
        let early = answers.iter().filter(|answer| answer.ends_with("in use by another run")).count();
        assert_eq!(told + early, 7, "{answers:?}");
        lockers.into_iter().for_each(Locker::kill);
    }
}

#[test]
fn the_lock_dies_with_its_process() {
    let folder = temporary_folder();
    for _ in 0..20 {
        let mut locker = start_locker(folder.path());
        assert_eq!(locker.answer(), "locked");
        locker.kill();
    }
}

#[test]
fn a_killed_run_leaves_what_it_recorded() {
    let folder = temporary_folder();
    let mut process = helper("helper_appends_for_ever", folder.path()).spawn().expect("it can be started");
    let mut output = BufReader::new(process.stdout.take().expect("it is a pipe"));
    let mut line = String::new();
    while line != "appended 50\n" {
        line.clear();
        assert!(output.read_line(&mut line).expect("it is text") > 0, "the helper ended");
    }
    process.kill().expect("it is ours");
    process.wait().expect("it is ours");
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("it is text");
    let whole = rest.rfind('\n').map_or("", |end| &rest[..end]);
    let told: i64 = whole
        .lines()
        .last()
        .map_or(50, |line| line.trim_start_matches("appended ").parse().expect("the helper counts"));
    let runtime = tokio::runtime::Runtime::new().expect("there are threads");
    let stored = runtime.block_on(LocalBackend::new(folder.path(), story::STACK).read());
    let found = stored.expect("the state is readable").journal.len();
    let told = usize::try_from(told).expect("it counts up");
    assert!(found > told, "{told} appends were reported, {found} records are there");
}

#[test]
fn files_are_private_whatever_the_umask_is() {
    for umask in ["000", "077", "777"] {
        let folder = temporary_folder();
        let command = helper("helper_applies", folder.path());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(command.get_program());
        shell.args(command.get_args()).current_dir(folder.path()).stdout(Stdio::null());
        assert!(shell.status().expect("there is a shell").success(), "umask {umask}");
        let made = folder.path().join("made");
        let permissions = |path: &Path| std::fs::metadata(path).expect("it is ours").mode() & 0o7777;
        let mut names: Vec<String> = std::fs::read_dir(&made)
            .expect("it is ours")
            .map(|entry| entry.expect("it is ours").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let endings = ["journal.jsonl", "journal.jsonl.backup", "json", "json.backup", "lock"];
        assert_eq!(names, endings.map(|ending| format!("{}.{ending}", story::STACK)));
        assert!(names.iter().all(|name| permissions(&made.join(name)) == 0o600), "umask {umask}");
        assert_eq!(permissions(&made), 0o700, "umask {umask}");
    }
}

fn say(text: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}").and_then(|()| output.flush()).expect("somebody listens");
}

#[tokio::test]
#[ignore = "a helper of other tests"]
async fn helper_takes_the_lock() {
    let backend = LocalBackend::new("new/folder", story::STACK);
    let locked = backend.lock(&holder()).await;
    match &locked {
        Ok(_) => say("answer: locked"),
        Err(error @ StateError::Locked { .. }) => say(&format!("answer: {error}")),
        Err(error) => panic!("{error}"),
    }
    // Until the other test ends, one way or the other.
    let ended = std::io::stdin().read_to_string(&mut String::new());
    ended.expect("the input ends");
}

#[tokio::test]
#[ignore = "a helper of other tests"]
async fn helper_appends_for_ever() {
    let backend = LocalBackend::new(".", story::STACK);
    let _lock = backend.lock(&holder()).await.expect("nobody has the lock");
    backend.append(&[story::header(0)]).await.expect("the disk is fine");
    for number in 1.. {
        backend.append(&[story::outputs(number)]).await.expect("the disk is fine");
        say(&format!("appended {number}"));
    }
}

#[tokio::test]
#[ignore = "a helper of other tests"]
async fn helper_applies() {
    let backend = LocalBackend::new("made", story::STACK);
    let _lock = backend.lock(&holder()).await.expect("nobody has the lock");
    for serial in [0, 1] {
        backend.append(&[story::header(serial), story::outputs(1)]).await.expect("the disk is fine");
        let state = recovered(backend.read().await.expect("the disk is fine")).expect("the journal fits");
        let mut state = state.expect("there is a state");
        state.serial += 1;
        backend.replace(serial, &state).await.expect("the disk is fine");
    }
    backend.append(&[story::header(2)]).await.expect("the disk is fine");
}
