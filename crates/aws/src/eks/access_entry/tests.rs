//! Access entries: what was found, and the next call.

use super::*;
use crate::testing::{Asked, answered_by, intent};

const ROLE: &str = "arn:aws:iam::444455556666:role/Admin";

fn id() -> RemoteId {
    RemoteId::new(format!("main/{ROLE}"))
}

fn wanted() -> AccessEntryInputs {
    AccessEntryInputs {
        cluster_name: "main".to_owned(),
        principal_arn: ROLE.to_owned(),
        r#type: Some("STANDARD".to_owned()),
        ..AccessEntryInputs::default()
    }
}

fn groups(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn observed() -> Observed<AccessEntryInputs, AccessEntryOutputs> {
    let entry = types::AccessEntry::builder()
        .cluster_name("main")
        .principal_arn(ROLE)
        .access_entry_arn("arn:entry")
        .kubernetes_groups("viewers")
        .username(ROLE)
        .r#type("STANDARD")
        .build();
    AccessEntry::observe(&AccessEntries(BTreeMap::from([(id(), entry)])), &id()).expect("it is listed")
}

#[test]
fn what_the_spec_leaves_open_stays() {
    let observed = observed();
    assert_eq!(AccessEntry::next_step(&observed, Some(&wanted())), None);
    let desired = AccessEntryInputs { kubernetes_groups: Some(groups(&["editors"])), ..wanted() };
    let update =
        AccessEntryStep::Update { kubernetes_groups: groups(&["editors"]), user_name: Some(ROLE.to_owned()) };
    assert_eq!(AccessEntry::next_step(&observed, Some(&desired)), Some(update));
    let desired = AccessEntryInputs { user_name: Some("admin".to_owned()), ..wanted() };
    let update = AccessEntryStep::Update {
        kubernetes_groups: groups(&["viewers"]),
        user_name: Some("admin".to_owned()),
    };
    assert_eq!(AccessEntry::next_step(&observed, Some(&desired)), Some(update));
    assert_eq!(AccessEntry::next_step(&observed, None), Some(AccessEntryStep::Delete));
}

#[track_caller]
fn check(inputs: &[(&str, Value)], expected: &[(&str, &str)]) {
    let inputs: ValueMap = inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let problems = AccessEntry::check(&inputs);
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.attribute, problem.hint.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((attribute, hint), (expected_attribute, part)) in found.iter().zip(expected) {
        assert_eq!(attribute, expected_attribute);
        assert!(hint.contains(part), "{part} is missing in: {hint}");
    }
}

#[test]
fn the_arn_of_a_session_is_refused_with_that_of_its_role() {
    let session = "arn:aws-cn:sts::444455556666:assumed-role/Admin/me";
    check(
        &[("principal_arn", Value::from(session))],
        &[("principal_arn", "`arn:aws-cn:iam::444455556666:role/Admin`")],
    );
    check(&[("principal_arn", Value::from(ROLE))], &[]);
    check(&[("principal_arn", Value::from("arn:aws:iam::444455556666:user/assumed-role/x"))], &[]);
}

#[test]
fn names_that_are_the_clusters_own_are_refused() {
    let masters = Value::from(vec!["readers", "system:masters"]);
    check(&[("kubernetes_groups", masters)], &[("kubernetes_groups", "AmazonEKSClusterAdminPolicy")]);
    check(&[("user_name", Value::from("eks:x"))], &[("user_name", "leave it out")]);
    let nodes = [("type", Value::from("EC2_LINUX")), ("kubernetes_groups", Value::from(vec!["readers"]))];
    check(&nodes, &[("kubernetes_groups", "Take the groups out")]);
    let nobody =
        [("type", Value::from("EC2_LINUX")), ("kubernetes_groups", Value::from(Vec::<Value>::new()))];
    check(&nobody, &[]);
}

/// Looks for the entry where EKS has one of this type, group and tag.
async fn find(sort: &str, group: &str, tag: (&str, &str)) -> Vec<RemoteId> {
    let (key, value) = tag;
    let entry = serde_json::json!({"accessEntry": {
        "clusterName": "main", "principalArn": ROLE, "type": sort, "kubernetesGroups": [group],
        "username": "made by EKS", "tags": {key: value},
    }});
    let desired = AccessEntryInputs { kubernetes_groups: Some(groups(&["readers"])), ..wanted() };
    let work = async |client: &Client| AccessEntry::find(client, &intent("eks_access_entry"), &desired).await;
    let (found, log) = answered_by(|_: &Asked| Ok(entry.to_string()), work).await;
    assert!(log[0].operation.starts_with("clusters/main/access-entries/"), "{}", log[0].operation);
    found.expect("it is answered")
}

#[tokio::test]
async fn an_entry_of_nobody_is_taken_over_if_it_is_as_wanted() {
    let nothing: Vec<RemoteId> = Vec::new();
    assert_eq!(find("STANDARD", "readers", ("team", "x")).await, [id()]);
    assert_eq!(find("EC2_LINUX", "readers", ("team", "x")).await, nothing);
    assert_eq!(find("STANDARD", "writers", ("team", "x")).await, nothing);
    assert_eq!(find("STANDARD", "readers", (STACK_TAG, "another stack")).await, nothing);
    assert_eq!(find("STANDARD", "writers", ("straddle:op", "op-1")).await, [id()]);
}
