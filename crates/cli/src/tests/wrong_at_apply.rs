//! What the user wrote that turns out to be wrong only when everything in it is known.

use super::*;

/// Ids of this cloud are no numbers, which is known only once there is one.
const NUMBER: &str = "${tonumber(network.main.id)}";

#[test]
fn an_expression_that_fails_at_apply_is_the_users_and_is_shown_where_it_stands() {
    let world = World::new();
    world.write(&format!(
        "{STACK}\n[document.note]\naccount = \"network\"\nname = \"note\"\nbody = \"{NUMBER}\"\n"
    ));
    let failed = world.run("apply SPEC --auto-approve", Exit::Incomplete);
    for expected in ["tonumber", "--> FOLDER/spec/stack.toml:27:", "stack.toml:27:", "1 failed"] {
        assert!(failed.stderr.contains(expected), "{expected}:\n{}", failed.stderr);
    }
    assert!(!failed.stderr.contains("defect"), "{}", failed.stderr);
    world.write(STACK);
    world.run("apply SPEC --auto-approve", Exit::Success);
}

#[test]
fn an_output_that_fails_at_apply_is_told_and_everything_else_is_recorded() {
    let world = World::new();
    let wrong = format!("{STACK}\n[output.number]\nvalue = \"{NUMBER}\"\n");
    world.write(&wrong);
    let failed = world.run("apply SPEC --auto-approve", Exit::Incomplete);
    for expected in ["--> FOLDER/spec/stack.toml:25:", "Apply incomplete", "1 not worked out"] {
        assert!(failed.stderr.contains(expected), "{expected}:\n{}", failed.stderr);
    }
    assert_eq!(world.run("output network --raw --spec SPEC", Exit::Success).stdout.trim(), "net-1");
    let again = world.run("plan SPEC", Exit::Error);
    assert!(again.stderr.contains("stack.toml:25:"), "{}", again.stderr);
    world.write(STACK);
    world.run("plan SPEC --detailed-exitcode", Exit::Success);
}

#[test]
fn a_shorthand_that_cannot_be_is_refused_as_soon_as_it_is_known() {
    let world = World::new();
    let document = |reader: &str| {
        let policy = format!("policy = {{ readers = [\"{reader}\"] }}");
        format!("{STACK}\n[document.note]\naccount = \"network\"\nname = \"note\"\nbody = 1\n{policy}\n")
    };
    world.write(&document("*"));
    let refused = world.run("validate SPEC", Exit::Error);
    for expected in
        ["`policy` cannot be this", "stack.toml:28:", "`*` is no reader.", "{ readers = [\"ID\"] }"]
    {
        assert!(refused.stderr.contains(expected), "{expected}:\n{}", refused.stderr);
    }
    world.write(&document("${replace(network.main.id, 'net-1', '*')}"));
    let failed = world.run("apply SPEC --auto-approve", Exit::Incomplete);
    for expected in ["`policy` is wrong: `*` is no reader.", "stack.toml:28:", "{ readers = [\"ID\"] }"] {
        assert!(failed.stderr.contains(expected), "{expected}:\n{}", failed.stderr);
    }
    world.write(&document("111111111111"));
    world.run("apply SPEC --auto-approve", Exit::Success);
    world.run("plan SPEC --detailed-exitcode", Exit::Success);
}
