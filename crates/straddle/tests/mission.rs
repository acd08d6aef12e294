//! What the mission's spec, `specs/cross-account-alb`, follows from without saying it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

#[test]
fn the_cluster_and_its_nodes_wait_for_the_share_of_their_subnets() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/cross-account-alb");
    let mut program = Command::new(env!("CARGO_BIN_EXE_straddle"));
    let state = tempfile::tempdir().unwrap();
    program.arg("graph").arg(spec).args(["--sandbox", "--fold", "--format", "mermaid"]);
    program.arg("--state-dir").arg(state.path());
    let answer = program.output().unwrap();
    let graph = String::from_utf8(answer.stdout).unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let node = |address: &str| {
        let mut named = graph.lines().filter(|line| line.contains(&format!("[\"{address}")));
        named.next().unwrap().trim().split('[').next().unwrap().to_owned()
    };
    let share = node("ram_resource_share.private_subnets");
    for waiting in ["eks_cluster.main", "eks_node_group.workers"] {
        let edge = format!("{} == boundary ==> {share}", node(waiting));
        assert!(graph.contains(&edge), "{waiting}: {graph}");
    }
}
