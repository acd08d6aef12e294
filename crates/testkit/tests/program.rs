//! The whole program on the cloud in a file: other processes see what one has done, also one
//! that died.

use std::path::Path;
use std::process::{Command, Output};

use straddle_testkit::cloud::{Life, Object};
use straddle_testkit::cloud_file::CloudFile;
use straddle_testkit::fault::{Fault, Faults};
use tempfile::TempDir;

const SPEC: &str = r#"
[stack]
name = "program"

[account.a]
id = "111111111111"
region = "here"

[defaults]
account = "a"

[network.main]
range = "10.0.0.0/16"

[gateway.main]
network = "${network.main.id}"

[segment.main]
for_each = { one = 1, two = 2 }
network = "${network.main.id}"
range = "10.0.${each.value}.0/24"
"#;

/// A folder with a spec, its state and a cloud.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        std::fs::write(folder.path().join("stack.toml"), SPEC).expect("a spec can be written");
        let place = Self { folder };
        CloudFile::empty().write(&place.cloud_path()).expect("a cloud can be written");
        place
    }

    fn cloud_path(&self) -> std::path::PathBuf {
        self.folder.path().join("cloud.json")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_by(Command::new(env!("CARGO_BIN_EXE_straddle-testkit")), arguments)
    }

    fn run_by(&self, mut command: Command, arguments: &[&str]) -> Output {
        let folder: &Path = self.folder.path();
        command.args(arguments).arg(folder.join("stack.toml")).arg("--state-dir").arg(folder.join("state"));
        command.env("STRADDLE_CLOUD", self.cloud_path()).env("STRADDLE_CONSISTENCY_WINDOW", "2s");
        command.current_dir(folder);
        command.output().expect("the program can be started")
    }

    /// Runs the program, which ends with this code, or dies if that is `None`.
    fn ends_with(&self, code: Option<i32>, arguments: &[&str]) {
        let output = self.run(arguments);
        let (told, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), code, "{arguments:?}: {told}{errors}");
    }

    fn live(&self) -> Vec<Object> {
        let cloud = CloudFile::read(&self.cloud_path()).expect("the cloud can be read").cloud;
        let live = cloud.objects().iter().filter(|object| object.life(cloud.now()) != Life::Gone);
        live.cloned().collect()
    }

    fn let_go_wrong(&self, faults: Faults) {
        let mut file = CloudFile::read(&self.cloud_path()).expect("the cloud can be read");
        file.faults = faults;
        file.write(&self.cloud_path()).expect("the cloud can be written");
    }
}

#[test]
fn a_stack_is_made_and_destroyed() {
    let place = Place::new();
    place.ends_with(Some(2), &["plan", "--detailed-exitcode"]);
    assert_eq!(place.live().len(), 0);
    place.ends_with(Some(0), &["apply", "--auto-approve"]);
    assert_eq!(place.live().len(), 4);
    place.ends_with(Some(0), &["plan", "--detailed-exitcode"]);
    place.ends_with(Some(0), &["destroy", "--auto-approve"]);
    assert_eq!(place.live().len(), 0);
}

#[test]
fn a_process_that_dies_after_any_call_leaks_nothing() {
    for call in 0..5 {
        let place = Place::new();
        place.let_go_wrong(Faults::none().mutating(call, Fault::CrashAfter));
        place.ends_with(None, &["apply", "--auto-approve"]);
        place.ends_with(Some(0), &["apply", "--auto-approve"]);
        assert_eq!(place.live().len(), 4, "after a crash at call {call}");
        place.ends_with(Some(0), &["destroy", "--auto-approve"]);
        assert_eq!(place.live().len(), 0);
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_kills_nothing() {
    let place = Place::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_straddle-testkit")]);
    let output = place.run_by(shell, &["apply", "--auto-approve"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(errors.contains("File too large"), "{errors}");
    assert_eq!(place.live().len(), 0);
    place.ends_with(Some(0), &["apply", "--auto-approve"]);
    assert_eq!(place.live().len(), 4);
}

impl Place {
    /// Returns what is offered for the last of these words.
    fn completed(&self, shell: &str, words: &[&str]) -> Vec<String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_straddle-testkit"));
        command.arg("--").arg("straddle").args(words).current_dir(self.folder.path());
        command.env("STRADDLE_COMPLETE", shell).env("STRADDLE_CLOUD", self.cloud_path());
        command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
        let output = command.output().expect("the program can be started");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        let name = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
        text.lines().map(name).collect()
    }
}

#[test]
fn shells_are_offered_the_names_in_spec_and_state() {
    let place = Place::new();
    let before = place.live().len();
    assert_eq!(place.completed("fish", &["state", "show", "net"]), [""; 0]);
    place.ends_with(Some(0), &["apply", "--auto-approve"]);
    assert_eq!(place.completed("fish", &["state", "show", "net"]), ["network.main"]);
    let keyed = ["segment.main['one']", "segment.main['two']"];
    assert_eq!(place.completed("fish", &["state", "show", "segment.main['"]), keyed);
    let escaped = r"segment.main\[\'one\'\]";
    assert_eq!(place.completed("bash", &["state", "show", r"segment.main\[\'o"]), [escaped]);
    assert_eq!(place.completed("fish", &["reference", "gat"]), ["gateway"]);
    assert_eq!(place.completed("fish", &["state", "list", "--stack", "p"]), ["program"]);
    std::fs::create_dir(place.folder.path().join("envs")).expect("a folder can be made");
    std::fs::write(place.folder.path().join("envs/prod.toml"), "").expect("a file can be written");
    assert_eq!(place.completed("fish", &["plan", "--env", ""]), ["prod"]);
    assert!(place.live().len() > before);
}

#[test]
fn who_asks_for_nonsense_is_offered_nothing_and_told_nothing() {
    let place = Place::new();
    std::fs::write(place.folder.path().join("stack.toml"), "[stack\0").expect("a spec can be written");
    for words in
        [&["state", "show", "x"][..], &["state", "show", "--env", "../..", ""], &["--", "x", ""], &[]]
    {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell", "csh"] {
            place.completed(shell, words);
        }
    }
}
