//! What `straddle iam-policy` prints for the specs of the repository.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Returns the statements that are printed for the account `network` of a spec that was never applied.
fn statements(arguments: &[&str]) -> Vec<Value> {
    let state = tempfile::tempdir().unwrap();
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs/cross-account-alb");
    let mut program = Command::new(env!("CARGO_BIN_EXE_straddle"));
    program.arg("iam-policy").arg(spec).args(["--sandbox", "--account", "network"]).args(arguments);
    let answer = program.arg("--state-dir").arg(state.path()).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let printed: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let policies = printed.as_array().cloned().unwrap_or_else(|| vec![printed.clone()]);
    policies.iter().flat_map(|policy| policy["Statement"].as_array().unwrap().clone()).collect()
}

fn list(value: &Value) -> BTreeSet<String> {
    let one = value.as_str().into_iter();
    let many = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    one.chain(many).map(str::to_owned).collect()
}

/// Returns what an action is allowed on.
fn resources(statements: &[Value], action: &str) -> BTreeSet<String> {
    let has = |statement: &&Value| list(&statement["Action"]).contains(action);
    statements.iter().filter(has).flat_map(|statement| list(&statement["Resource"])).collect()
}

#[test]
fn an_apply_may_make_what_the_spec_has_and_no_more() {
    let statements = statements(&[]);
    let gateway = resources(&statements, "ec2:CreateNatGateway");
    let expected = [
        "arn:aws:ec2:us-east-1:*:subnet/*",
        "arn:aws:ec2:us-east-1:111111111111:elastic-ip/*",
        "arn:aws:ec2:us-east-1:111111111111:natgateway/*",
    ];
    assert_eq!(gateway, expected.map(str::to_owned).into());
    assert!(!resources(&statements, "ec2:DescribeNatGateways").is_empty());
    // The spec wants host names, which no VPC is born with, and nothing that IPv6 needs.
    assert!(!resources(&statements, "ec2:ModifyVpcAttribute").is_empty());
    for action in ["ec2:DeleteVpc", "ec2:AssociateSubnetCidrBlock", "ec2:CreateVpcEndpoint"] {
        assert!(resources(&statements, action).is_empty(), "{action}");
    }
}

#[test]
fn a_plan_only_looks_and_a_destroy_only_deletes() {
    let actions = |statements: &[Value]| {
        statements.iter().flat_map(|statement| list(&statement["Action"])).collect::<BTreeSet<_>>()
    };
    let plan = actions(&statements(&["--phase", "plan"]));
    let looks = |action: &String| [":Describe", ":Get", ":List"].iter().any(|word| action.contains(word));
    assert!(plan.iter().all(looks), "{plan:?}");
    let destroy = actions(&statements(&["--phase", "destroy"]));
    assert!(plan.is_subset(&destroy) && destroy.contains("ec2:DeleteVpc"), "{destroy:?}");
    assert!(!destroy.iter().any(|action| action.contains(":Create")), "{destroy:?}");
}

#[test]
fn any_change_may_also_replace_and_repair() {
    let statements = statements(&["--any-change"]);
    for action in ["ec2:DeleteVpc", "ec2:AssociateSubnetCidrBlock", "ec2:DeleteTags", "ram:UntagResource"] {
        assert!(!resources(&statements, action).is_empty(), "{action}");
    }
}
