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
