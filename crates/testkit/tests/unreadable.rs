//! What may not be read, or is answered with nonsense, is never taken for gone.

#![expect(clippy::wildcard_enum_match_arm, reason = "tests pick out what they look at")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use straddle_engine::diagnostic::Sources;
use straddle_engine::plan::{Mode, Options};
use straddle_engine::run::RunError;
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_testkit::cloud::Pace;
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::simulation::{Ending, Order, World};

/// Has something of every kind.
const SPEC: &str = r#"
[stack]
name = "unreadable"
[account.a]
id = "111111111111"
region = "here"
[account.b]
id = "222222222222"
region = "here"
[defaults]
account = "a"
[network.main]
range = "10.0.0.0/16"
[segment.main]
network = "${network.main.id}"
range = "10.0.1.0/24"
[gateway.main]
network = "${network.main.id}"
[address.main]
[relay.main]
segment = "${segment.main.id}"
address = "${address.main.id}"
depends_on = ["gateway.main"]
[table.main]
network = "${network.main.id}"
entries = { "0.0.0.0/0" = "${gateway.main.id}" }
segments = ["${segment.main.id}"]
[document.main]
name = "main"
body = { a = 1 }
[share.main]
resources = ["${segment.main.id}"]
principals = ["${account.b.id}"]
[host.main]
account = "b"
image = "plain"
segments = ["${segment.main.id}"]
"#;

/// More calls than any run of these tests makes.
const MANY: usize = 3000;

fn spec(world: &World) -> Spec {
    let mut sources = Sources::default();
    sources.add("stack.toml", SPEC);
    let loaded = load_text(SpecText { sources, ..SpecText::default() }, world.registry());
    loaded.unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

/// Lets this go wrong with every read from the given one on.
fn from(first: usize, fault: Fault) -> Faults {
    (first..first + MANY).fold(Faults::none(), |faults, call| faults.reading(call, fault))
}

/// Lets every read of a plan go wrong in turn, and returns the kinds that could not be read.
fn unreadable_kinds(fault: Fault) -> BTreeSet<String> {
    let world = World::new(1, Pace::INSTANT);
    let spec = spec(&world);
    let made = world.apply(&Order::new(&spec, Mode::Apply)).ending.expect_done("the apply");
    assert!(made.is_complete(), "{:#?}", made.failures);
    let before = files(&world);
    let mut kinds = BTreeSet::new();
    for first in 0.. {
        // Not even who allows much to be gone allows this.
        let options = Options { allow_missing: true, ..Options::default() };
        let order =
            |mode| Order::new(&spec, mode).with_options(options.clone()).with_faults(from(first, fault));
        let Ending::Refused(error) = world.plan(&order(Mode::Apply)).ending else { break };
        match error {
            RunError::Read { what, .. } => drop(kinds.insert(what)),
            RunError::Connect { .. } => {}
            other => panic!("{other:?}"),
        }
        for mode in [Mode::Apply, Mode::Destroy] {
            let run = world.apply(&order(mode));
            assert!(matches!(run.ending, Ending::Refused(RunError::Read { .. } | RunError::Connect { .. })));
            assert_eq!(run.mutating_calls, 0);
        }
    }
    assert!(files(&world) == before, "a run that could not read has written files");
    let next = world.plan(&Order::new(&spec, Mode::Apply)).ending.expect_done("the plan");
    assert!(next.is_empty() && next.drift.is_empty(), "{next:#?}");
    kinds
}

/// Returns what is written, the lock aside.
fn files(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = world.disk.contents();
    files.retain(|path, _| path.extension().is_none_or(|extension| extension != "lock"));
    files
}

#[test]
fn what_cannot_be_read_is_not_gone() {
    // An answer that makes no sense is for the engine what an internal error is: it tells nothing.
    for fault in [Fault::Denied, Fault::Expired, Fault::FailedBefore, Fault::Throttled, Fault::AnswerLost] {
        // The parts of a table are read with it.
        const READ: [&str; 9] =
            ["address", "document", "gateway", "host", "network", "relay", "segment", "share", "table"];
        let kinds = unreadable_kinds(fault);
        assert!(kinds.iter().eq(READ.iter()), "{fault:?}: {kinds:?}");
    }
}
