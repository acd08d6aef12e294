//! Tests of the steps, the observation and the checks of `eks_fargate_profile`.

use aws_sdk_eks::types::builders::FargateProfileBuilder;
use straddle_engine::value::Value;

use super::*;
use crate::testing::{answered_by, intent};

fn builder() -> FargateProfileBuilder {
    types::FargateProfile::builder()
        .cluster_name("main")
        .fargate_profile_name("batch")
        .fargate_profile_arn("arn:aws:eks:us-east-1:444455556666:fargateprofile/main/batch/1")
        .pod_execution_role_arn("arn:aws:iam::444455556666:role/pods")
        .subnets("subnet-1")
        .selectors(FargateProfileSelector::builder().namespace("batch").build())
        .status(FargateProfileStatus::Active)
}

#[test]
fn a_profile_that_failed_says_why() {
    let issue = FargateProfileIssue::builder().code(FargateProfileIssueCode::AccessDenied).message("no");
    let ill = builder().health(FargateProfileHealth::builder().issues(issue.build()).build());
    let with = |status| observed(&ill.clone().status(status).build()).readiness;
    for failed in [FargateProfileStatus::CreateFailed, FargateProfileStatus::DeleteFailed] {
        assert_eq!(with(failed), Readiness::Failed("AccessDenied: no".to_owned()));
    }
    assert_eq!(with(FargateProfileStatus::Creating), Readiness::Pending("creating".to_owned()));
    assert_eq!(with(FargateProfileStatus::Active), Readiness::Ready);
}

#[test]
fn only_tags_change_in_place() {
    let seen = observed(&builder().tags("Name", "batch").build());
    let desired = ProfileInputs { tags: Some(Tags::default()), ..seen.inputs.clone() };
    let arn = "arn:aws:eks:us-east-1:444455556666:fargateprofile/main/batch/1".to_owned();
    let step = TagStep::Remove(BTreeSet::from(["Name".to_owned()]));
    assert_eq!(Profile::next_step(&seen, Some(&desired)), Some(ProfileStep::Tag { arn, step }));
    assert_eq!(Profile::next_step(&seen, Some(&seen.inputs)), None);
    assert_eq!(Profile::next_step(&seen, None), Some(ProfileStep::Delete));
    let fixed = ProfileInputs::attributes();
    let fixed: Vec<_> = fixed.iter().filter(|attribute| !attribute.replace).map(|it| it.name).collect();
    assert_eq!(fixed, ["tags"]);
}

#[tokio::test]
async fn a_new_profile_is_asked_for_with_token_and_tags() {
    let inputs = ProfileInputs {
        cluster_name: "main".to_owned(),
        name: "batch".to_owned(),
        selectors: BTreeSet::from([Selector { namespace: "batch".to_owned(), labels: None }]),
        ..ProfileInputs::default()
    };
    let answer = |_: &_| Ok(r#"{"fargateProfile": {"fargateProfileName": "batch"}}"#.to_owned());
    let create =
        async |client: &Client| Profile::create(client, &intent("eks_fargate_profile"), &inputs).await;
    let (made, asked) = answered_by(answer, create).await;
    assert_eq!(made, Ok(RemoteId::new("main/batch")));
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).expect("the body is JSON");
    assert_eq!(body["clientRequestToken"], "token-1");
    assert_eq!(body["tags"]["straddle:op"], "op-1");
    assert_eq!(body["selectors"], serde_json::json!([{ "namespace": "batch" }]));
}

#[test]
fn another_profile_that_is_under_way_is_waited_for() {
    let class = |class, message: &str| one_at_a_time(ProviderError::new(class, "Create", message)).class;
    let words = "Cannot create Fargate Profile x because cluster main currently has Fargate profile y in \
                 status CREATING";
    assert_eq!(class(ErrorClass::AlreadyExists, words), ErrorClass::Busy);
    let words = "A Fargate Profile already exists with this name in this cluster.";
    assert_eq!(class(ErrorClass::AlreadyExists, words), ErrorClass::AlreadyExists);
}

#[test]
fn what_eks_would_refuse_is_said_before() {
    let problems = |name: &str, selectors: usize| {
        let selectors = Value::List(vec![Value::Map(ValueMap::new()); selectors]);
        let inputs = [("name".to_owned(), Value::from(name)), ("selectors".to_owned(), selectors)];
        let problems = Profile::check(&inputs.into());
        problems.iter().map(|problem| problem.attribute).collect::<Vec<_>>()
    };
    assert_eq!(problems("batch", 5), Vec::<&str>::new());
    assert_eq!(problems("ba/tch", 6), ["name", "selectors"]);
    assert_eq!(problems("batch", 0), ["selectors"]);
}
