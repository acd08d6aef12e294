//! Tests of the steps, the observation and the checks of `eks_node_group`.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eks::types::builders::NodegroupBuilder;
use aws_sdk_eks::types::{
    self, Issue, LaunchTemplateSpecification, NodegroupHealth, NodegroupIssueCode, NodegroupScalingConfig,
    NodegroupStatus, NodegroupUpdateConfig, TaintEffect,
};
use straddle_engine::resource::Readiness;
use straddle_engine::schema::Tags;

use super::attributes::{LaunchTemplate, Repair, Scaling, Taint, Update};
use super::*;
use crate::eks::memory::Progress;
use crate::testing::{answered_by, intent};

type Seen = Observed<NodeGroupInputs, NodeGroupOutputs>;

fn builder() -> NodegroupBuilder {
    let scaling = NodegroupScalingConfig::builder().min_size(1).desired_size(2).max_size(4).build();
    let taint = types::Taint::builder().key("dedicated").value("web").effect(TaintEffect::NoSchedule);
    types::Nodegroup::builder()
        .cluster_name("main")
        .nodegroup_name("workers")
        .nodegroup_arn("arn:aws:eks:us-east-1:444455556666:nodegroup/main/workers/1")
        .node_role("arn:aws:iam::444455556666:role/nodes")
        .subnets("subnet-1")
        .version("1.33")
        .release_version("1.33.0-20260101")
        .scaling_config(scaling)
        .update_config(NodegroupUpdateConfig::builder().max_unavailable(1).build())
        .labels("team", "web")
        .labels("old", "x")
        .taints(taint.build())
        .status(NodegroupStatus::Active)
}

fn observe(group: NodegroupBuilder) -> Seen {
    listing::observed(&group.build(), &Progress::Done)
}

/// Returns the step that makes the change.
fn step_for(observed: &Seen, change: impl FnOnce(&mut NodeGroupInputs)) -> Option<NodeGroupStep> {
    let mut desired = observed.inputs.clone();
    change(&mut desired);
    NodeGroup::next_step(observed, Some(&desired))
}

#[track_caller]
fn config_for(change: impl FnOnce(&mut NodeGroupInputs)) -> ConfigChange {
    match step_for(&observe(builder()), change) {
        Some(NodeGroupStep::UpdateConfig(change)) => *change,
        other => panic!("not a change of the configuration: {other:?}"),
    }
}

#[track_caller]
fn version_for(seen: &Seen, change: impl FnOnce(&mut NodeGroupInputs)) -> VersionChange {
    match step_for(seen, change) {
        Some(NodeGroupStep::UpdateVersion(change)) => *change,
        other => panic!("not a change of the version: {other:?}"),
    }
}

fn labels<const N: usize>(labels: [(&str, &str); N]) -> BTreeMap<String, String> {
    labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn taint(key: &str, value: Option<&str>, effect: &str) -> Taint {
    Taint { key: key.to_owned(), value: value.map(str::to_owned), effect: effect.to_owned() }
}

fn scaling(min: i64, desired: Option<i64>, max: i64) -> Scaling {
    Scaling { min, desired, max }
}

#[test]
fn a_group_that_failed_says_why() {
    let issue = Issue::builder().code(NodegroupIssueCode::NodeCreationFailure);
    let issue = issue.message("instances did not join").resource_ids("i-1").build();
    let ill = builder().health(NodegroupHealth::builder().issues(issue).build());
    let with = |status| observe(ill.clone().status(status)).readiness;
    let reason = "NodeCreationFailure: instances did not join (i-1)".to_owned();
    assert_eq!(with(NodegroupStatus::CreateFailed), Readiness::Failed(reason.clone()));
    assert_eq!(with(NodegroupStatus::DeleteFailed), Readiness::Failed(reason.clone()));
    assert_eq!(with(NodegroupStatus::Degraded), Readiness::Impaired(reason.clone()));
    assert_eq!(with(NodegroupStatus::Creating), Readiness::Pending(format!("creating: {reason}")));
    let updating = observe(builder().status(NodegroupStatus::Updating)).readiness;
    assert_eq!(updating, Readiness::Pending("updating".to_owned()));
}

#[test]
fn an_update_that_failed_is_told_and_not_begun_again() {
    let seen = listing::observed(&builder().build(), &Progress::Failed("the update failed: x".to_owned()));
    assert_eq!(seen.readiness, Readiness::Impaired("the update failed: x".to_owned()));
    assert_eq!(step_for(&seen, |group| group.version = Some("1.34".to_owned())), None);
    assert_eq!(NodeGroup::next_step(&seen, None), Some(NodeGroupStep::Delete));
}

#[test]
fn what_nodes_run_comes_first() {
    let seen = observe(builder());
    let change = version_for(&seen, |group| {
        group.version = Some("1.34".to_owned());
        group.labels = Some(labels([]));
        group.force_version_update = Some(true);
    });
    let expected = VersionChange {
        from: Some("1.33".to_owned()),
        version: Some("1.34".to_owned()),
        release_version: None,
        launch_template: None,
        force: true,
    };
    assert_eq!(change, expected);
}

#[test]
fn a_version_of_the_launch_template_is_named_with_its_id_or_its_name() {
    let template = LaunchTemplateSpecification::builder().id("lt-1").name("nodes").version("1").build();
    let seen = observe(builder().launch_template(template));
    let found = seen.inputs.launch_template.clone().expect("it has one");
    assert_eq!(found.version, Some(1));
    let wanted = LaunchTemplate { version: Some(2), ..found };
    let change = version_for(&seen, |group| group.launch_template = Some(wanted));
    let by_id = LaunchTemplate { id: Some("lt-1".to_owned()), name: None, version: Some(2) };
    assert_eq!(change.launch_template, Some(by_id));
    let by_name = LaunchTemplate { id: None, name: Some("nodes".to_owned()), version: Some(2) };
    let change = version_for(&seen, |group| group.launch_template = Some(by_name.clone()));
    assert_eq!(change.launch_template, Some(by_name));
    let no_version = LaunchTemplate { id: Some("lt-1".to_owned()), name: None, version: None };
    assert_eq!(step_for(&seen, |group| group.launch_template = Some(no_version)), None);
}

#[test]
fn labels_and_taints_are_sent_as_what_comes_and_goes() {
    let change = config_for(|group| {
        group.labels = Some(labels([("team", "app"), ("new", "y")]));
        group.taints = Some(BTreeSet::from([
            taint("dedicated", Some("app"), "NO_SCHEDULE"),
            taint("gpu", None, "NO_EXECUTE"),
        ]));
    });
    assert_eq!(change.labels_to_set, labels([("team", "app"), ("new", "y")]));
    assert_eq!(change.labels_to_remove, BTreeSet::from(["old".to_owned()]));
    assert_eq!(change.taints_to_set.len(), 2);
    assert_eq!(change.taints_to_remove, BTreeSet::new(), "another value takes the place of the old one");
    let change = config_for(|group| {
        group.taints = Some(BTreeSet::from([taint("dedicated", Some("web"), "NO_EXECUTE")]));
    });
    let old = BTreeSet::from([taint("dedicated", Some("web"), "NO_SCHEDULE")]);
    assert_eq!(change.taints_to_remove, old, "another effect is another taint");
}

#[test]
fn the_number_of_nodes_stays_between_the_limits() {
    let wanted =
        |min, desired, max| config_for(|group| group.scaling = Some(scaling(min, desired, max))).scaling;
    assert_eq!(wanted(1, None, 5), Some(scaling(1, Some(2), 5)), "the number is what it is");
    assert_eq!(wanted(3, None, 5), Some(scaling(3, Some(3), 5)));
    assert_eq!(wanted(0, None, 1), Some(scaling(0, Some(1), 1)));
    assert_eq!(wanted(1, Some(4), 4), Some(scaling(1, Some(4), 4)));
    let same = step_for(&observe(builder()), |group| group.scaling = Some(scaling(1, None, 4)));
    assert_eq!(same, None);
}

#[test]
fn a_percentage_takes_the_place_of_a_number() {
    let wanted = Update { max_unavailable_percentage: Some(33), ..Update::default() };
    let change = config_for(|group| group.update = Some(wanted));
    let update = change.update.expect("it changes");
    assert_eq!((update.max_unavailable, update.max_unavailable_percentage), (None, Some(33)));
    let repair = Repair { enabled: Some(true), ..Repair::default() };
    let change = config_for(|group| group.repair = Some(repair));
    assert_eq!(change.repair.and_then(|repair| repair.enabled), Some(true));
}

#[test]
fn tags_come_last() {
    let wanted = Tags([("Name".to_owned(), "x".to_owned())].into());
    let set = TagStep::Set(wanted.0.clone());
    let arn = "arn:aws:eks:us-east-1:444455556666:nodegroup/main/workers/1".to_owned();
    let step = step_for(&observe(builder()), |group| group.tags = Some(wanted));
    assert_eq!(step, Some(NodeGroupStep::Tag { arn, step: set }));
}

#[tokio::test]
async fn a_new_group_is_asked_for_with_token_and_tags() {
    let inputs = NodeGroupInputs {
        cluster_name: "main".to_owned(),
        name: "workers".to_owned(),
        role_arn: "arn:aws:iam::444455556666:role/nodes".to_owned(),
        subnet_ids: BTreeSet::from(["subnet-1".to_owned()]),
        scaling: Some(scaling(1, Some(2), 3)),
        taints: Some(BTreeSet::from([taint("gpu", None, "NO_EXECUTE")])),
        launch_template: Some(LaunchTemplate { id: Some("lt-1".to_owned()), name: None, version: Some(3) }),
        ..NodeGroupInputs::default()
    };
    let answer = |_: &_| Ok(r#"{"nodegroup": {"nodegroupName": "workers"}}"#.to_owned());
    let create = async |client: &Client| NodeGroup::create(client, &intent("eks_node_group"), &inputs).await;
    let (made, asked) = answered_by(answer, create).await;
    assert_eq!(made, Ok(RemoteId::new("main/workers")));
    assert_eq!(asked[0].operation, "clusters/main/node-groups");
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).expect("the body is JSON");
    assert_eq!(body["clientRequestToken"], "token-1");
    assert_eq!(body["tags"]["straddle:op"], "op-1");
    assert_eq!(body["scalingConfig"]["desiredSize"], 2);
    assert_eq!(body["taints"][0]["effect"], "NO_EXECUTE");
    assert_eq!(body["launchTemplate"], serde_json::json!({ "id": "lt-1", "version": "3" }));
}

/// Checks at which attributes the problems are.
#[track_caller]
fn check_problems(inputs: &str, expected: &[&str]) {
    let inputs = straddle_engine::json::decode(inputs).expect("it is JSON");
    let problems = NodeGroup::check(inputs.as_map().expect("it is a table"));
    let problems: Vec<_> = problems.iter().map(|problem| problem.attribute).collect();
    assert_eq!(problems, expected, "{inputs:?}");
}

#[test]
fn what_eks_would_refuse_is_said_before() {
    check_problems(r#"{"name": "workers", "scaling": {"min": 1, "desired": 2, "max": 3}}"#, &[]);
    check_problems(r#"{"name": "work/ers"}"#, &["name"]);
    check_problems(r#"{"subnet_ids": []}"#, &["subnet_ids"]);
    check_problems(r#"{"scaling": {"min": 3, "max": 2}}"#, &["scaling"]);
    check_problems(r#"{"scaling": {"min": 1, "desired": 5, "max": 2}}"#, &["scaling"]);
    check_problems(r#"{"scaling": {"min": 0, "max": 0}}"#, &["scaling"]);
    check_problems(r#"{"scaling": {"min": -1, "max": 2}}"#, &["scaling"]);
    check_problems(r#"{"update": {"max_unavailable": 1, "max_unavailable_percentage": 5}}"#, &["update"]);
    check_problems(r#"{"launch_template": {"version": 1}}"#, &["launch_template"]);
    check_problems(r#"{"launch_template": {"id": "lt-1", "name": "x"}}"#, &["launch_template"]);
    check_problems(r#"{"launch_template": {"id": "lt-1"}, "disk_size": 30}"#, &["disk_size"]);
}
