//! Commands that need no account: help, reference, manual, layout.

use super::*;

#[test]
fn wrong_arguments_are_errors_and_help_is_none() {
    let world = World::new();
    assert!(world.run("plan --nothing", Exit::Error).stderr.contains("unexpected argument"));
    assert!(world.run("--help", Exit::Success).stdout.contains("Exit codes:"));
    assert!(world.run("--version", Exit::Success).stdout.starts_with("straddle "));
    assert!(world.run("completions bash", Exit::Success).stdout.contains("_straddle()"));
}

#[test]
fn the_reference_has_a_page_for_each_kind() {
    let world = World::new();
    let folder = world.folder.path().join("reference");
    world.run(&format!("reference --dir {}", folder.display()), Exit::Success);
    let registry = kinds::registry(CloudProvider::new(world.network.clone()));
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        registry.schemas().count() + 1,
        "and the functions"
    );
    let page = world.run("reference network", Exit::Success).stdout;
    assert_eq!(std::fs::read_to_string(folder.join("network.md")).unwrap(), page);
    snapbox::assert_data_eq!(page, snapbox::file!["../render/tests/network.md"].raw());
    let unknown = world.run("reference nothing", Exit::Error);
    assert!(unknown.stderr.contains("`nothing` is no kind."), "{}", unknown.stderr);
}

#[test]
fn every_command_has_a_page_in_the_manual() {
    let world = World::new();
    let page = world.run("man state show", Exit::Success).stdout;
    assert!(page.contains(".TH straddle-state-show 1") && page.contains("ADDRESS"), "{page}");
    let folder = world.folder.path().join("man1");
    world.run(&format!("man --dir {}", folder.display()), Exit::Success);
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in ["straddle.1", "straddle-apply.1", "straddle-state-list.1", "straddle-man.1"] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    assert!(world.run("man nothing", Exit::Error).stderr.contains("no command"));
}

#[test]
fn the_version_is_printed() {
    let world = World::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(world.run("version", Exit::Success).stdout, format!("straddle {version}\n"));
    let object = json(&world.run("version --json", Exit::Success).stdout);
    assert_eq!((&object["version"], &object["state_format"]), (&version.into(), &1.into()));
}

#[test]
fn files_are_laid_out_and_those_that_are_no_toml_are_left_alone() {
    let world = World::new();
    let path = world.spec().join("stack.toml");
    let laid_out = std::fs::read_to_string(&path).unwrap().trim_start().to_owned();
    std::fs::write(&path, laid_out.replace("name = ", "  name=")).unwrap();
    let difference = world.run("fmt SPEC --check --diff", Exit::Changes);
    assert!(difference.stdout.contains("+name = \"shop\""), "{}", difference.stdout);
    world.write("[stack");
    std::fs::create_dir(world.spec().join("envs")).unwrap();
    std::fs::write(world.spec().join("envs/prod.toml"), "a=1").unwrap();
    let broken = world.run("fmt SPEC", Exit::Error);
    assert!(broken.stdout.contains("prod.toml") && !broken.stdout.contains("stack.toml"));
    assert!(broken.stderr.contains("stack.toml:1:"), "{}", broken.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "[stack");
    std::fs::write(world.spec().join("envs/prod.toml"), "a=1").unwrap();
    let looked = json(&world.run("fmt SPEC --check --json", Exit::Error).stdout);
    assert_eq!((looked["changed"].as_array().unwrap().len(), &looked["written"]), (1, &json("[]")));
    let broken = json(&world.run("fmt SPEC --json", Exit::Error).stdout);
    assert_eq!(broken["written"], looked["changed"]);
    assert_eq!((&broken["exit_code"], broken["diagnostics"].as_array().unwrap().len()), (&1.into(), 1));
    world.write(&laid_out.replace(" = ", "="));
    let changed = json(&world.run("fmt SPEC --json", Exit::Success).stdout);
    assert_eq!(changed["changed"].as_array().unwrap().len(), 1);
    assert_eq!((&changed["written"], &changed["diagnostics"]), (&changed["changed"], &json("[]")));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), laid_out);
    assert_eq!(world.run("fmt SPEC --check", Exit::Success).stdout, "");
}
