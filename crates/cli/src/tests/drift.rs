//! What others changed or took away: the guard, reports of drift, plans from the state.

use super::*;

#[test]
fn much_that_is_gone_is_neither_made_anew_nor_forgotten_without_a_word() {
    // Nothing is too new to be seen.
    const WINDOW: &str = "--consistency-window 1ms";
    let world = World::new();
    world.run("apply SPEC --auto-approve", Exit::Success);
    let id = world.run("output network --raw --spec SPEC", Exit::Success).stdout;
    world.network.cloud().vanish(id.trim_end());
    let state = || std::fs::read(world.state().join("shop.json")).unwrap();
    let before = state();
    for command in
        ["plan SPEC", "plan SPEC --destroy", "apply SPEC --auto-approve", "destroy SPEC --auto-approve"]
    {
        let refused = world.run(&format!("{command} {WINDOW}"), Exit::Error);
        for expected in ["error[resources-missing]", "Of 3 resources", "--allow-missing"] {
            assert!(refused.stderr.contains(expected), "{command}: {}", refused.stderr);
        }
    }
    assert_eq!(state(), before);
    let saved = world.saved();
    world.run(&format!("plan SPEC --allow-missing {WINDOW} --out {saved}"), Exit::Success);
    world.run(&format!("apply SPEC --plan {saved} {WINDOW}"), Exit::Success);
    assert_eq!(world.network.cloud().live().count(), 3);
    let id = world.run("output network --raw --spec SPEC", Exit::Success).stdout;
    world.network.cloud().vanish(id.trim_end());
    world.run(&format!("destroy SPEC --auto-approve --allow-missing {WINDOW}"), Exit::Success);
    assert_eq!(world.run("state list SPEC", Exit::Success).stdout, "");
}

impl World {
    /// Lets others rename the network and delete a segment.
    fn meddle(&self) {
        let state = json(&self.run("state show network.main SPEC --json", Exit::Success).stdout);
        let network = state["object"]["remote_id"].as_str().unwrap().to_owned();
        let state = json(&self.run("state show segment.public['b'] SPEC --json", Exit::Success).stdout);
        let mut cloud = self.network.cloud();
        cloud.tag(&network, "Name", "theirs");
        cloud.vanish(state["object"]["remote_id"].as_str().unwrap());
    }
}

#[test]
fn drift_alone_is_reported_and_recorded() {
    let world = World::new();
    world.run("apply SPEC --auto-approve", Exit::Success);
    // What is gone right after it was made would be looked for until the window has passed.
    let report = "plan SPEC --consistency-window 0s --refresh-only --detailed-exitcode";
    let clean = world.run(report, Exit::Success);
    assert_eq!(clean.stdout, "No drift. All 3 resources are as they were applied.\n");
    world.meddle();
    let drifted = world.run(report, Exit::Changes);
    for words in ["\"shared\" -> \"theirs\"", "segment.public['b'] [network us-east-1] seg-", " is gone\n"] {
        assert!(drifted.stdout.contains(words), "{words}: {}", drifted.stdout);
    }
    assert!(drifted.stdout.contains("\nDrift: 1 changed, 1 gone, 1 as applied. "), "{}", drifted.stdout);
    let object =
        json(&world.run("plan SPEC --consistency-window 0s --refresh-only --json", Exit::Success).stdout);
    assert_eq!(object["mode"], "refresh");
    assert_eq!(object["changes"], serde_json::json!([]));
    assert_eq!(object["summary"]["drift"], serde_json::json!({ "changed": 1, "gone": 1 }));

    world.run("apply SPEC --refresh-only", Exit::Error);
    let saved = world.saved();
    world.run(&format!("plan SPEC --consistency-window 0s --refresh-only --out {saved}"), Exit::Success);
    let recorded = world.run(&format!("apply SPEC --consistency-window 0s --plan {saved}"), Exit::Success);
    assert!(recorded.stderr.contains("Recorded: 1 changed, 1 forgotten, after "), "{}", recorded.stderr);
    world.run(report, Exit::Success);
    world.run(&format!("apply SPEC --consistency-window 0s --plan {saved}"), Exit::Error);
    let again = world.run("apply SPEC --refresh-only --auto-approve --json", Exit::Success);
    assert!(again.stdout.contains("\"complete\":true"), "{}", again.stdout);
    let wanted = world.run("plan SPEC", Exit::Success);
    assert!(wanted.stdout.contains("\"theirs\" -> \"shared\""), "{}", wanted.stdout);
    assert!(!wanted.stdout.contains("Changed outside"), "{}", wanted.stdout);
}

#[test]
fn a_plan_from_the_state_says_so_and_is_for_looking_at() {
    let world = World::new();
    world.run("apply SPEC --auto-approve", Exit::Success);
    world.meddle();
    let calls = world.network.cloud().log().len();
    let planned = world.run("plan SPEC --refresh=false", Exit::Success);
    assert!(planned.stdout.contains("from the state alone (--refresh=false)"), "{}", planned.stdout);
    assert!(planned.stdout.ends_with("No changes. All 3 resources are as the spec says.\n"));
    let object = json(&world.run("plan SPEC --refresh=false --json", Exit::Success).stdout);
    assert_eq!(object["options"]["from_state"], true);
    let refused = world.run("apply SPEC --refresh=false --auto-approve", Exit::Error);
    assert!(refused.stderr.contains("an apply always reads what is there"), "{}", refused.stderr);
    world.run(&format!("plan SPEC --refresh=false --out {}", world.saved()), Exit::Error);
    world.run("plan SPEC --refresh=false --refresh-only", Exit::Error);
    world.run("plan SPEC --refresh-only --target network.main", Exit::Error);
    world.run("plan SPEC --refresh-only --destroy", Exit::Error);
    assert_eq!(world.network.cloud().log().len(), calls);
}
