//! Attacks the engine with random scripts of edits, runs, faults, crashes and drift, and checks
//! after every step what must hold.
//!
//! | | what must hold |
//! | --- | --- |
//! | I1 | state and journal can be read |
//! | I2 | every live thing of ours is in the state, or in a create that it has as pending |
//! | I3 | no address has two live things, and no operation ever made two |
//! | I4 | a plan changes nothing |
//! | I5 | after an apply without faults there is nothing to do |
//! | I6 | after a destroy without faults nothing of ours is left, and what others made is untouched |
//! | I7 | what was done is what was planned |
//! | I8 | the serial grows, the lineage stays |
//! | I9 | nothing is made before what it needs, and nothing deleted before what needs it |
//! | I10 | every run ends |
//! | I11 | no call is made with the credentials of another account |
//! | I12 | the same script has the same history |
//! | I13 | a part of a plan leaves the rest as it is, and has everything that must come before it |
//!
//! A failing script is printed as JSON; as a file in `tests/properties/scripts` it is a test.
//! These tests are tested themselves by defects that were put into the engine, each of which
//! they found within 1,000 scripts or by `every_fault`:
//!
//! - a create of unknown outcome is sent again with another token, or at once, or without looking;
//! - a search for what a lost create made ends before the consistency window does;
//! - a refusal after a lost answer is taken as if nothing had been made;
//! - the intent is recorded after the call, or a new id never;
//! - what may not be read is taken as gone, and so is what is too new to be found;
//! - what is pending is taken as ready, what is being deleted as gone;
//! - things are made, deleted or taken over in any order;
//! - a replaced thing is forgotten, or deleted in the account that it moves to;
//! - the tags of others are taken as ours;
//! - the name of a new state is not synced.
//!
//! `STRADDLE_CASES` sets how many scripts are played, `STRADDLE_SEED` which ones: a run plays the same
//! scripts as the run before unless it is told another seed.

#![expect(clippy::wildcard_enum_match_arm, reason = "tests pick out what they look at")]

mod check;
mod drift;
mod edit;
mod every_fault;
mod model;
mod outcome;
mod part;
mod play;
mod renamed;
mod script;
mod toml;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::play::play;
use crate::script::{Script, scripts};

/// How many scripts are played if nothing else is said.
const CASES: u32 = 1000;

/// Returns a number that the environment may set.
#[expect(clippy::disallowed_methods, reason = "a test may be told how thorough to be")]
fn setting(name: &str) -> Option<u32> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

#[test]
fn every_script_ends_well() {
    let cases = setting("STRADDLE_CASES").unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&setting("STRADDLE_SEED").unwrap_or_default().to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    // Only the smallest script that fails is worth reading about.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = TestRunner::new_with_rng(config, random).run(&scripts(), |script| {
        let first = play(&script);
        // Playing everything twice would cost twice the time.
        if script.seed % 4 == 0 {
            assert_eq!(play(&script), first, "the same script has another history");
        }
        Ok(())
    });
    std::panic::set_hook(hook);
    match result {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => panic!("{reason}"),
        Err(TestError::Fail(reason, script)) => {
            let script = serde_json::to_string(&script).expect("a script has a JSON form");
            panic!("{reason}\nin the script\n{script}");
        }
    }
}

#[test]
fn scripts_that_failed_once_end_well() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/properties/scripts");
    let files = std::fs::read_dir(folder).expect("the folder of scripts is there");
    for file in files {
        let path = file.expect("the folder of scripts can be read").path();
        let text = std::fs::read_to_string(&path).expect("a script can be read");
        let script: Script = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{} is no script: {error}", path.display()));
        let played = std::panic::catch_unwind(|| play(&script));
        assert!(played.is_ok(), "{} does not end well", path.display());
    }
}
