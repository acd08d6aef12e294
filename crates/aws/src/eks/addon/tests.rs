//! Add-ons: what was found, and the next call.

use aws_sdk_eks::types::{self, AddonHealth, AddonIssue, AddonIssueCode, AddonStatus};
use straddle_engine::resource::Listing;

use super::listing::Found;
use super::*;
use crate::eks::memory::{DefaultVersions, Progress};
use crate::testing::{Answer, Asked, answered_by, intent};

fn coredns() -> RemoteId {
    RemoteId::new("main/coredns")
}

fn addon(status: AddonStatus) -> types::builders::AddonBuilder {
    let issue =
        AddonIssue::builder().code(AddonIssueCode::InsufficientNumberOfReplicas).message("no nodes").build();
    types::Addon::builder()
        .cluster_name("main")
        .addon_name("coredns")
        .addon_version("v1.11.1-eksbuild.4")
        .addon_arn("arn:aws:eks:us-east-1:444455556666:addon/main/coredns/1")
        .health(AddonHealth::builder().issues(issue).build())
        .status(status)
}

fn found(addon: types::builders::AddonBuilder) -> Found {
    Found {
        addon: addon.build(),
        roles: BTreeMap::new(),
        default_versions: Some(DefaultVersions::new()),
        progress: Progress::Done,
    }
}

fn observe(found: Found) -> Observed<AddonInputs, AddonOutputs> {
    Addon::observe(&Addons::of(coredns(), found), &coredns()).expect("it is listed")
}

fn wanted() -> AddonInputs {
    AddonInputs { cluster_name: "main".to_owned(), name: "coredns".to_owned(), ..AddonInputs::default() }
}

#[test]
fn states_tell_whether_it_can_be_used() {
    let readiness = |status| observe(found(addon(status))).readiness;
    let with_issue = |status: &str| format!("{status}: InsufficientNumberOfReplicas: no nodes");
    assert_eq!(readiness(AddonStatus::Active), Readiness::Ready);
    assert_eq!(readiness(AddonStatus::Degraded), Readiness::Degraded(with_issue("DEGRADED")));
    assert_eq!(readiness(AddonStatus::Creating), Readiness::Pending(with_issue("CREATING")));
    assert_eq!(readiness(AddonStatus::Deleting), Readiness::Pending(with_issue("DELETING")));
    assert_eq!(readiness(AddonStatus::CreateFailed), Readiness::Failed(with_issue("CREATE_FAILED")));
    assert_eq!(readiness(AddonStatus::DeleteFailed), Readiness::Failed(with_issue("DELETE_FAILED")));
    assert_eq!(readiness(AddonStatus::UpdateFailed), Readiness::Impaired(with_issue("UPDATE_FAILED")));
}

#[test]
fn an_update_of_this_run_counts_until_it_has_ended_well() {
    let readiness = |progress| observe(Found { progress, ..found(addon(AddonStatus::Active)) }).readiness;
    assert_eq!(readiness(Progress::UnderWay), Readiness::Pending("UPDATING".to_owned()));
    let failed = Readiness::Impaired("the update failed: InsufficientNumberOfReplicas: no nodes".to_owned());
    assert_eq!(readiness(Progress::Failed("the update failed".to_owned())), failed);
}

#[test]
fn settings_are_compared_as_data() {
    let configured = addon(AddonStatus::Active).configuration_values("replicaCount: 2\nzone: a");
    let observed = observe(found(configured));
    let same = Document::from_text(r#"{"zone": "a", "replicaCount": 2}"#);
    let desired = AddonInputs { configuration_values: Some(same), ..wanted() };
    assert_eq!(Addon::next_step(&observed, Some(&desired)), None);
    let other = Document::from_text(r#"{"zone": "b", "replicaCount": 2}"#);
    let desired = AddonInputs { configuration_values: Some(other.clone()), ..wanted() };
    let Some(AddonStep::Update(update)) = Addon::next_step(&observed, Some(&desired)) else {
        panic!("the settings differ");
    };
    assert_eq!(update.configuration_values, Some(other));
}

#[test]
fn a_new_version_keeps_the_role_that_others_gave() {
    let role = "arn:aws:iam::444455556666:role/dns";
    let observed = observe(found(addon(AddonStatus::Active).service_account_role_arn(role)));
    let desired = AddonInputs { version: Some("v1.11.4-eksbuild.2".to_owned()), ..wanted() };
    let update = Update {
        version: Some("v1.11.4-eksbuild.2".to_owned()),
        service_account_role_arn: Some(role.to_owned()),
        configuration_values: Some(Document::from_text("{}")),
        pod_identity_associations: None,
        resolve_conflicts: "NONE".to_owned(),
    };
    let step = AddonStep::Update(Box::new(update));
    assert_eq!(Addon::next_step(&observed, Some(&desired)), Some(step));
    let given_up = AddonInputs { service_account_role_arn: Some(String::new()), ..wanted() };
    let Some(AddonStep::Update(update)) = Addon::next_step(&observed, Some(&given_up)) else {
        panic!("the role differs");
    };
    assert_eq!(role_of(&update), None);
}

fn role_of(update: &Update) -> Option<String> {
    super::role(update.service_account_role_arn.as_ref())
}

#[test]
fn an_update_that_failed_is_made_again() {
    let failed = observe(found(addon(AddonStatus::UpdateFailed)));
    assert!(matches!(Addon::next_step(&failed, Some(&wanted())), Some(AddonStep::Update(_))));
    let degraded = observe(found(addon(AddonStatus::Degraded)));
    assert_eq!(Addon::next_step(&degraded, Some(&wanted())), None);
}

#[test]
fn what_is_deleted_can_go_on_running() {
    let mut observed = observe(found(addon(AddonStatus::Active)));
    assert_eq!(Addon::next_step(&observed, None), Some(AddonStep::Delete { preserve: false }));
    observed.inputs.preserve = Some(true);
    assert_eq!(Addon::next_step(&observed, None), Some(AddonStep::Delete { preserve: true }));
}

#[test]
fn roles_of_service_accounts_are_wanted_as_a_whole() {
    let roles = |role: &str| BTreeMap::from([("coredns".to_owned(), role.to_owned())]);
    let observed = observe(Found { roles: roles("one"), ..found(addon(AddonStatus::Active)) });
    let step = |roles: Option<BTreeMap<String, String>>| match Addon::next_step(
        &observed,
        Some(&AddonInputs { pod_identity_associations: roles, ..wanted() }),
    ) {
        Some(AddonStep::Update(update)) => update.pod_identity_associations,
        _ => None,
    };
    assert_eq!(step(None), None);
    assert_eq!(step(Some(roles("one"))), None);
    assert_eq!(step(Some(roles("two"))), Some(roles("two")));
    assert_eq!(step(Some(BTreeMap::new())), Some(BTreeMap::new()));
}

#[test]
fn without_a_version_it_goes_along_with_its_cluster_and_never_back() {
    let defaults = [("1.34", "v1.11.4-eksbuild.2"), ("1.33", "v1.9.3-eksbuild.1")];
    let default_versions = defaults.map(|(of, version)| (of.to_owned(), version.to_owned())).into();
    let observed =
        observe(Found { default_versions: Some(default_versions), ..found(addon(AddonStatus::Active)) });
    let follow = |cluster: &str, found| Addon::follow("version", &Value::from(cluster), found);
    assert_eq!(follow("1.34", Some(&observed)), Some(Value::from("v1.11.4-eksbuild.2")));
    assert_eq!(
        follow("1.33", Some(&observed)),
        Some(Value::from("v1.11.1-eksbuild.4")),
        "there is a later one"
    );
    assert_eq!(follow("1.35", Some(&observed)), None, "EKS tells no default");
    assert_eq!(follow("1.34", None), None, "EKS chooses for a new one");
}

const ACTIVE: &str = r#"{"addon": {"clusterName": "main", "addonName": "coredns", "status": "ACTIVE",
    "addonVersion": "v1", "podIdentityAssociations":
    ["arn:aws:eks:us-east-1:444455556666:podidentityassociation/main/a-1"]}}"#;

/// A cluster in which an update has failed of an add-on that works.
fn cluster(asked: &Asked) -> Answer {
    let path = asked.operation.split('?').next().unwrap_or_default();
    Ok(match path {
        "clusters/main/addons/coredns" => ACTIVE.to_owned(),
        "clusters/main/addons/coredns/update" => r#"{"update": {"id": "u-1", "status": "InProgress"}}"#.to_owned(),
        "clusters/main/updates/u-1" => r#"{"update": {"id": "u-1", "status": "Failed", "errors":
            [{"errorCode": "ConfigurationConflict", "errorMessage": "Conflicts found"}]}}"#
            .to_owned(),
        "clusters/main/pod-identity-associations/a-1" => {
            r#"{"association": {"serviceAccount": "coredns", "roleArn": "one"}}"#.to_owned()
        }
        "addons/supported-versions" => r#"{"addons": [{"addonVersions": [
            {"addonVersion": "v2", "compatibilities": [
                {"clusterVersion": "1.35", "defaultVersion": true},
                {"clusterVersion": "1.34", "defaultVersion": false}]},
            {"addonVersion": "v1", "compatibilities": [{"clusterVersion": "1.34", "defaultVersion": true}]}]}]}"#
            .to_owned(),
        _ => return Err("ResourceNotFoundException"),
    })
}

#[tokio::test]
async fn an_update_that_failed_tells_why_although_the_addon_works() {
    let step = Addon::next_step(&observe(found(addon(AddonStatus::UpdateFailed))), Some(&wanted()));
    let work = async |client: &Client| {
        Addon::perform(client, &coredns(), &step.expect("it is made again")).await?;
        let listing = Addons::fetch(client, &[coredns(), RemoteId::new("main/other")]).await?;
        Addons::fetch(client, &[coredns()]).await?;
        Ok::<_, ProviderError>(listing)
    };
    let (listing, log) = answered_by(cluster, work).await;
    let listing = listing.expect("everything is answered");
    let observed = Addon::observe(&listing, &coredns()).expect("it is there");
    let reason = "the update failed: ConfigurationConflict: Conflicts found".to_owned();
    assert_eq!(observed.readiness, Readiness::Impaired(reason));
    let roles = BTreeMap::from([("coredns".to_owned(), "one".to_owned())]);
    assert_eq!(observed.inputs.pod_identity_associations, Some(roles));
    let defaults = [("1.34", "v1"), ("1.35", "v2")].map(|(of, version)| (of.to_owned(), version.to_owned()));
    assert_eq!(observed.outputs.default_versions, Some(BTreeMap::from(defaults)));
    assert_eq!(Addon::observe(&listing, &RemoteId::new("main/other")), None);
    let asked = |path: &str| log.iter().filter(|asked| asked.operation.starts_with(path)).count();
    assert_eq!(asked("addons/supported-versions"), 1, "default versions are read once in a run");
}

#[tokio::test]
async fn a_new_addon_takes_over_a_copy_that_nobody_keeps() {
    let create = async |client: &Client| Addon::create(client, &intent("eks_addon"), &wanted()).await;
    let (id, log) = answered_by(|_| Ok(r#"{"addon": {}}"#.to_owned()), create).await;
    assert_eq!(id, Ok(coredns()));
    let sent: serde_json::Value = serde_json::from_str(&log[0].body).expect("it is JSON");
    let expected = serde_json::json!({
        "addonName": "coredns",
        "clientRequestToken": "token-1",
        "resolveConflicts": "OVERWRITE",
        "tags": {"straddle:op": "op-1"},
    });
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn only_the_own_addon_is_found_again() {
    let answer = |tags: &str| format!(r#"{{"addon": {{"addonName": "coredns", "tags": {tags}}}}}"#);
    let find = async |client: &Client| Addon::find(client, &intent("eks_addon"), &wanted()).await;
    let (ours, _) = answered_by(|_| Ok(answer(r#"{"straddle:op": "op-1"}"#)), find).await;
    assert_eq!(ours, Ok(vec![coredns()]));
    let (others, _) = answered_by(|_| Ok(answer(r#"{"straddle:op": "op-2"}"#)), find).await;
    assert_eq!(others, Ok(Vec::new()));
    let (none, _) = answered_by(|_| Err("ResourceNotFoundException"), find).await;
    assert_eq!(none, Ok(Vec::new()));
}
