//! Pod identity associations: what was found, and the next call.

use super::*;
use crate::testing::{Answer, Asked, answered_by, intent};

const SOURCE: &str = "arn:aws:iam::444455556666:role/source";
const TARGET: &str = "arn:aws:iam::111122223333:role/target";

fn id() -> RemoteId {
    RemoteId::new("main/a-1")
}

fn wanted() -> PodIdentityAssociationInputs {
    PodIdentityAssociationInputs {
        cluster_name: "main".to_owned(),
        namespace: "kube-system".to_owned(),
        service_account: "controller".to_owned(),
        role_arn: SOURCE.to_owned(),
        ..PodIdentityAssociationInputs::default()
    }
}

fn observed() -> Observed<PodIdentityAssociationInputs, PodIdentityAssociationOutputs> {
    let association = types::PodIdentityAssociation::builder()
        .cluster_name("main")
        .namespace("kube-system")
        .service_account("controller")
        .role_arn(SOURCE)
        .target_role_arn(TARGET)
        .external_id("us-east-1/444455556666/main/a-1")
        .association_id("a-1")
        .build();
    PodIdentityAssociation::observe(&Associations(BTreeMap::from([(id(), association)])), &id())
        .expect("it is listed")
}

fn update(desired: &PodIdentityAssociationInputs) -> Option<Update> {
    match PodIdentityAssociation::next_step(&observed(), Some(desired)) {
        Some(PodIdentityAssociationStep::Update(update)) => Some(*update),
        _ => None,
    }
}

#[test]
fn the_external_id_is_told() {
    assert_eq!(observed().outputs.external_id.as_deref(), Some("us-east-1/444455556666/main/a-1"));
}

#[test]
fn what_the_spec_leaves_open_stays() {
    assert_eq!(update(&wanted()), None);
    let other = update(&PodIdentityAssociationInputs { role_arn: "other".to_owned(), ..wanted() });
    let other = other.expect("the role differs");
    assert_eq!((other.role_arn.as_str(), other.target_role_arn.as_str()), ("other", TARGET));
    let none = update(&PodIdentityAssociationInputs { target_role_arn: Some(String::new()), ..wanted() });
    assert_eq!(none.expect("the target differs").target_role_arn, "");
}

#[test]
fn a_policy_needs_sessions_without_tags_and_can_be_taken_away() {
    let policy = Policy::from_text(r#"{"Statement": []}"#);
    let limited = PodIdentityAssociationInputs {
        policy: Some(policy.clone()),
        disable_session_tags: Some(true),
        ..wanted()
    };
    let update = update(&limited).expect("it differs");
    assert_eq!(policy_text(&update.policy), policy.to_text());
    assert_eq!(policy_text(&no_policy()), None);
    let problems = |policy: ValueMap| {
        let inputs = ValueMap::from([("policy".to_owned(), Value::Map(policy))]);
        PodIdentityAssociation::check(&inputs).len()
    };
    let statement = ValueMap::from([("Statement".to_owned(), Value::from(Vec::<Value>::new()))]);
    assert_eq!((problems(statement), problems(ValueMap::new())), (1, 0));
}

#[test]
fn the_first_role_is_of_the_clusters_account() {
    let problems = |account: &str| {
        let inputs = ValueMap::from([("role_arn".to_owned(), Value::from(SOURCE))]);
        PodIdentityAssociation::check_in(account, &inputs).len()
    };
    assert_eq!((problems("444455556666"), problems("111122223333")), (0, 1));
}

fn service_account(asked: &Asked) -> Answer {
    let association = r#"{"association": {"associationId": "a-1", "tags": {"straddle:op": "op-1"}}}"#;
    match asked.operation.split_once('?') {
        Some((_, query)) if !query.contains("serviceAccount=controller") => Err("InvalidParameterException"),
        Some(_) => Ok(r#"{"associations": [{"associationId": "a-1"}]}"#.to_owned()),
        None => Ok(association.to_owned()),
    }
}

#[tokio::test]
async fn an_association_is_found_by_its_service_account_and_tag() {
    let intent = intent("eks_pod_identity_association");
    let find = async |client: &Client| PodIdentityAssociation::find(client, &intent, &wanted()).await;
    let (found, _) = answered_by(service_account, find).await;
    assert_eq!(found, Ok(vec![id()]));
    let other = Intent { operation_id: "op-2".to_owned(), ..intent.clone() };
    let find = async |client: &Client| PodIdentityAssociation::find(client, &other, &wanted()).await;
    let (found, _) = answered_by(service_account, find).await;
    assert_eq!(found, Ok(Vec::new()));
}

#[tokio::test]
async fn a_new_association_sends_its_token_and_target() {
    let inputs = PodIdentityAssociationInputs { target_role_arn: Some(TARGET.to_owned()), ..wanted() };
    let intent = intent("eks_pod_identity_association");
    let create = async |client: &Client| PodIdentityAssociation::create(client, &intent, &inputs).await;
    let (made, log) = answered_by(service_account, create).await;
    assert_eq!(made, Ok(id()));
    let sent: serde_json::Value = serde_json::from_str(&log[0].body).expect("it is JSON");
    let part = |name: &str| sent[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (part("clientRequestToken"), part("targetRoleArn")),
        ("token-1".to_owned(), TARGET.to_owned())
    );
    assert_eq!(sent.get("policy"), None);
}
