//! Commands with `--sandbox`. The kinds here are the test kit's, which reach no service: what is
//! looked at is the sandbox itself.

use super::*;

impl World {
    fn file(&self, name: &str) -> PathBuf {
        self.state().join("sandbox").join(name)
    }
}

#[test]
fn a_run_in_a_sandbox_keeps_its_world_and_its_state_apart() {
    let world = World::new();
    let state = format!("--state-dir {}", world.state().display());
    world.run(&format!("apply SPEC --auto-approve --sandbox {state}"), Exit::Success);
    assert!(world.file("shop.json").exists() && !world.state().join("shop.json").exists());
    let kept: Json = json(&std::fs::read_to_string(world.file("shop.world")).unwrap());
    assert_eq!(kept["world"]["organization"]["accounts"]["111111111111"], "network");
    let listed = world.run(&format!("state list SPEC --sandbox {state}"), Exit::Success);
    assert!(listed.stdout.contains("network.main"), "{}", listed.stdout);
    world.run(&format!("plan SPEC --detailed-exitcode --sandbox {state}"), Exit::Success);
    world.run(&format!("sandbox status --state {}", world.file("shop.world").display()), Exit::Error);
}

#[test]
fn what_belongs_to_a_sandbox_is_refused_without_one() {
    let world = World::new();
    for option in ["--speed 10", "--chaos 1", "--faults faults.toml"] {
        let done = world.run(&format!("plan SPEC {option}"), Exit::Error);
        assert!(done.stderr.contains("--sandbox"), "{}", done.stderr);
    }
    let missing = world.run("plan SPEC --sandbox --faults nothing.toml", Exit::Error);
    assert!(missing.stderr.contains("nothing.toml"), "{}", missing.stderr);
}

#[test]
fn a_world_that_is_damaged_is_not_taken_for_an_empty_one() {
    let world = World::new();
    std::fs::create_dir(world.state().join("sandbox")).unwrap();
    let file = world.file("shop.world");
    std::fs::write(&file, "{").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let state = format!("--state-dir {}", world.state().display());
    let done = world.run(&format!("plan SPEC --sandbox {state}"), Exit::Error);
    assert!(done.stderr.contains("shop.world") && done.stderr.contains("reset"), "{}", done.stderr);
    world.run(&format!("sandbox reset --state {}", file.display()), Exit::Success);
    assert!(!file.exists());
    world.run(&format!("plan SPEC --sandbox {state}"), Exit::Success);
}

#[test]
fn commands_about_a_sandbox_that_does_not_serve_say_so() {
    let world = World::new();
    let file = world.state().join("none.world").display().to_string();
    for command in ["stop", "status", "env"] {
        let done = world.run(&format!("sandbox {command} --state {file}"), Exit::Error);
        assert!(done.stderr.contains("straddle sandbox start"), "{}", done.stderr);
    }
    assert_eq!(world.run(&format!("sandbox log --state {file}"), Exit::Success).stdout, "");
    let done = world.run(&format!("sandbox reset --state {file}"), Exit::Success);
    assert!(done.stderr.contains("no world"), "{}", done.stderr);
}
