//! Many runs of the whole program on one state: one proceeds, the others say who has it; a run
//! that is killed leaves nothing behind; and whoever only looks is never in the way.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use straddle_testkit::cloud::{Cloud, Life, Pace};
use straddle_testkit::cloud_file::CloudFile;
use straddle_testkit::fault::Faults;
use tempfile::TempDir;

/// Slow enough that runs which start together meet.
const SLOW: Pace = Pace { latency: Duration::from_millis(100), ..Pace::INSTANT };

/// A folder with a spec of some documents, its state and a cloud.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new(documents: usize, pace: Pace) -> Self {
        let new = Self { folder: tempfile::tempdir().expect("there is a place for temporary files") };
        new.write_spec(documents, "first");
        let cloud = Cloud::new(0, pace).without_quotas();
        let file = CloudFile { cloud, faults: Faults::none() };
        file.write(&new.path("cloud.json")).expect("a cloud can be written");
        new
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_spec(&self, documents: usize, label: &str) {
        let mut spec = "[stack]\nname = \"many\"\n[account.a]\nid = \"111111111111\"\nregion = \"here\"\n\
                        [document.one]\nname = \"${each.key}\"\nfor_each = ["
            .to_owned();
        for number in 0..documents {
            write!(spec, "\"d{number}\", ").expect("text takes everything");
        }
        write!(spec, "]\nbody = \"{label}\"\n").expect("text takes everything");
        std::fs::write(self.path("stack.toml"), spec).expect("a spec can be written");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_straddle-testkit"));
        command.args(arguments).arg("--state-dir").arg(self.path("state"));
        command.arg(self.path("stack.toml")).env("STRADDLE_CLOUD", self.path("cloud.json"));
        command.env("STRADDLE_CONSISTENCY_WINDOW", "2s").current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("the program can be started")
    }

    /// Starts a run whose output nobody reads: a pipe would fill up and stop it.
    fn start_unheard(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the program can be started")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.start(arguments).wait_with_output().expect("it is ours")
    }

    fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}{errors}");
        told
    }

    fn serial(&self) -> u64 {
        let text = std::fs::read(self.path("state/many.json")).expect("there is a state");
        let state: Value = serde_json::from_slice(&text).expect("it is JSON");
        state["state"]["serial"].as_u64().expect("a state has a serial")
    }

    /// Returns the names of what is there.
    fn live(&self) -> Vec<String> {
        let cloud = CloudFile::read(&self.path("cloud.json")).expect("the cloud can be read").cloud;
        let live = cloud.objects().iter().filter(|object| object.life(cloud.now()) != Life::Gone);
        live.map(|object| object.id.clone()).collect()
    }

    /// Waits until a run that is going on has recorded so many operations as done.
    fn wait_for_journal(&self, done: usize) {
        let mut pause = Duration::from_millis(10);
        for _ in 0..3_000 {
            let journal = std::fs::read_to_string(self.path("state/many.journal.jsonl")).unwrap_or_default();
            if journal.matches("\"end\"").count() >= done {
                return;
            }
            wait(pause);
            // Reading a long journal again and again would slow down the run that writes it.
            pause = (pause * 21 / 20).min(Duration::from_millis(200));
        }
        panic!("the run did not get far enough within ten minutes");
    }
}

#[expect(clippy::disallowed_methods, reason = "other processes take real time")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}

/// Lets so many applies of the same change run at once.
fn race(place: &Place, runs: usize) {
    let before = place.serial();
    let running: Vec<_> = (0..runs).map(|_| place.start(&["apply", "--auto-approve"])).collect();
    let ids: Vec<_> = running.iter().map(Child::id).collect();
    let outputs: Vec<_> =
        running.into_iter().map(|child| child.wait_with_output().expect("it is ours")).collect();
    let mut changed = 0;
    for output in &outputs {
        let (told, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match output.status.code() {
            // Whoever comes when all is done finds nothing to do.
            Some(0) => changed += usize::from(!told.contains("No changes")),
            Some(4) => {
                let words: String = errors.split_whitespace().collect::<Vec<_>>().join(" ");
                let named = |id: &u32| words.contains(&format!("`straddle apply`, process {id} on "));
                let early = words.contains("in use by another run");
                assert!(early || (ids.iter().any(named) && words.contains("since")), "{errors}");
            }
            code => panic!("{code:?}: {told}{errors}"),
        }
    }
    assert_eq!(changed, 1, "{outputs:?}");
    assert_eq!(place.serial(), before + 1);
}

fn race_often(rounds: usize, runs: usize) {
    let place = Place::new(3, SLOW);
    place.expect(0, &["apply", "--auto-approve"]);
    for round in 0..rounds {
        place.write_spec(3, &format!("round {round}"));
        race(&place, runs);
    }
    place.expect(0, &["plan", "--detailed-exitcode"]);
    assert_eq!(place.live().len(), 3);
}

#[test]
fn of_two_runs_one_proceeds() {
    race_often(4, 2);
}

#[test]
fn of_eight_runs_one_proceeds() {
    race_often(3, 8);
}

#[test]
#[ignore = "takes minutes"]
fn of_many_runs_one_proceeds_every_time() {
    race_often(100, 2);
    race_often(50, 8);
}

#[test]
fn a_killed_holder_frees_the_state_at_once() {
    let place = Place::new(40, SLOW);
    for done in [1, 15] {
        // The second one gets further only if the first one's lock is gone.
        let mut holder = place.start_unheard(&["apply", "--auto-approve"]);
        place.wait_for_journal(done);
        holder.kill().expect("it is ours");
        holder.wait().expect("it is ours");
    }
    place.expect(0, &["apply", "--auto-approve"]);
    place.expect(0, &["plan", "--detailed-exitcode"]);
    assert_eq!(place.live().len(), 40);
}

#[test]
fn whoever_only_looks_sees_a_state_that_was_there() {
    let place = Place::new(60, SLOW);
    let mut running = place.start_unheard(&["apply", "--auto-approve"]);
    place.wait_for_journal(1);
    let mut seen = 0;
    while running.try_wait().expect("it is ours").is_none() {
        let listed = place.expect(0, &["state", "list"]).lines().count();
        assert!(listed >= seen, "{listed} resources after {seen}");
        seen = listed;
        let plan = place.expect(0, &["plan", "--json"]);
        let plan: Value = serde_json::from_str(&plan).expect("it is JSON");
        let text = plan.to_string();
        assert!(!text.contains("vanished") && !text.contains("deposed"), "{text}");
    }
    assert!(running.wait().expect("it is ours").success());
    place.expect(0, &["plan", "--detailed-exitcode"]);
}

/// Kills an apply of so many resources in its middle, and goes on.
fn kill_in_the_middle(documents: usize) {
    let place = Place::new(documents, Pace::INSTANT);
    let mut run = place.start_unheard(&["apply", "--auto-approve"]);
    place.wait_for_journal(documents / 2);
    run.kill().expect("it is ours");
    run.wait().expect("it is ours");
    place.expect(0, &["apply", "--auto-approve"]);
    place.expect(0, &["plan", "--detailed-exitcode"]);
    let mut live = place.live();
    live.sort();
    live.dedup();
    assert_eq!(live.len(), documents);
    place.expect(0, &["destroy", "--auto-approve"]);
    assert_eq!(place.live().len(), 0);
}

#[test]
fn a_long_apply_that_is_killed_goes_on() {
    kill_in_the_middle(300);
}

#[test]
#[ignore = "takes minutes"]
fn an_apply_of_thousands_that_is_killed_goes_on() {
    kill_in_the_middle(5_000);
}
