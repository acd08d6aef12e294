//! Associations of access policies: what was found, and the next call.

use super::*;
use crate::testing::{answered_by, intent};

const ENTRY: &str = "main/arn:aws:iam::444455556666:role/teams/arn:x/Admin";
const POLICY: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";

fn scope(sort: &str, namespaces: &[&str]) -> AccessScope {
    let namespaces: BTreeSet<_> = namespaces.iter().map(|name| (*name).to_owned()).collect();
    AccessScope { r#type: sort.to_owned(), namespaces: Some(namespaces) }
}

fn wanted(access_scope: AccessScope) -> AccessPolicyAssociationInputs {
    AccessPolicyAssociationInputs {
        access_entry_id: ENTRY.to_owned(),
        policy_arn: POLICY.to_owned(),
        access_scope,
    }
}

#[test]
fn an_id_is_the_entrys_and_the_policys() {
    let id = join(&wanted(scope("cluster", &[])));
    assert_eq!(split(&id), (ENTRY, POLICY));
}

#[test]
fn another_scope_is_one_step() {
    let inputs = wanted(AccessScope { namespaces: None, ..scope("cluster", &[]) });
    let outputs = AccessPolicyAssociationOutputs {};
    let observed = Observed { inputs, outputs, readiness: Readiness::Ready };
    let step = |scope| AccessPolicyAssociation::next_step(&observed, Some(&wanted(scope)));
    assert_eq!(step(scope("cluster", &[])), None);
    let narrow = scope("namespace", &["a"]);
    assert_eq!(step(narrow.clone()), Some(AccessPolicyAssociationStep::Associate(narrow)));
    let gone = AccessPolicyAssociation::next_step(&observed, None);
    assert_eq!(gone, Some(AccessPolicyAssociationStep::Disassociate));
}

#[test]
fn namespaces_go_with_their_scope_alone() {
    let check = |sort: &str, namespaces: &[&str]| {
        let scope = [("type", Value::from(sort)), ("namespaces", Value::from(namespaces.to_vec()))];
        let scope: ValueMap = scope.map(|(name, value)| (name.to_owned(), value)).into();
        let inputs = ValueMap::from([("access_scope".to_owned(), Value::Map(scope))]);
        AccessPolicyAssociation::check(&inputs).len()
    };
    assert_eq!((check("cluster", &[]), check("namespace", &["a"])), (0, 0));
    assert_eq!((check("cluster", &["a"]), check("namespace", &[])), (1, 1));
}

/// Makes the association where the entry has the policy in this namespace. Returns what came of it
/// and how many calls there were.
async fn made(namespace: &str) -> (Result<RemoteId, String>, usize) {
    let listed = serde_json::json!({"associatedAccessPolicies": [
        {"policyArn": POLICY, "accessScope": {"type": "namespace", "namespaces": [namespace]}}
    ]});
    let inputs = wanted(scope("namespace", &["a"]));
    let intent = intent("eks_access_policy_association");
    let create = async |client: &Client| AccessPolicyAssociation::create(client, &intent, &inputs).await;
    let (made, log) = answered_by(|_| Ok(listed.to_string()), create).await;
    (made.map_err(|error| error.message), log.len())
}

#[tokio::test]
async fn a_policy_with_another_scope_is_not_taken_over() {
    let (same, calls) = made("a").await;
    assert_eq!((same, calls), (Ok(join(&wanted(scope("namespace", &["a"])))), 2));
    let (other, calls) = made("b").await;
    assert!(other.is_err_and(|message| message.contains("in the namespaces b")));
    assert_eq!(calls, 1, "nothing is changed");
}

#[tokio::test]
async fn policies_of_one_entry_are_read_once() {
    let second = POLICY.replace("View", "Edit");
    let listed = serde_json::json!({"associatedAccessPolicies": [
        {"policyArn": POLICY, "accessScope": {"type": "cluster"}}
    ]});
    let ids = [POLICY, &second].map(|policy| RemoteId::new(format!("{ENTRY}/{policy}")));
    let fetch = async |client: &Client| Policies::fetch(client, &ids).await;
    let (listing, log) = answered_by(|_| Ok(listed.to_string()), fetch).await;
    let listing = listing.expect("it is answered");
    let there = ids.iter().map(|id| AccessPolicyAssociation::observe(&listing, id).is_some());
    assert_eq!(there.collect::<Vec<_>>(), [true, false]);
    assert_eq!(log.len(), 1);
}
