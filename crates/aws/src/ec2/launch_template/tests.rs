//! Tests of the steps, the observation and the checks of `launch_template`.

use aws_sdk_ec2::types::builders::{LaunchTemplateBuilder, LaunchTemplateVersionBuilder};
use aws_sdk_ec2::types::{
    LaunchTemplateBlockDeviceMapping, LaunchTemplateEbsBlockDevice, LaunchTemplateHttpTokensState,
    LaunchTemplateInstanceMetadataOptions, ResponseLaunchTemplateData,
};

use super::*;
use crate::ec2::testing::{place, tag, tags as spec_tags};

type Seen = Observed<LaunchTemplateInputs, LaunchTemplateOutputs>;

fn template(default: i64, latest: i64) -> LaunchTemplateBuilder {
    types::LaunchTemplate::builder()
        .launch_template_id("lt-1")
        .launch_template_name("nodes")
        .default_version_number(default)
        .latest_version_number(latest)
        .tags(tag("Name", "nodes"))
}

fn version(number: i64) -> LaunchTemplateVersionBuilder {
    let ebs = LaunchTemplateEbsBlockDevice::builder().volume_size(20).build();
    let device = LaunchTemplateBlockDeviceMapping::builder().device_name("/dev/xvda").ebs(ebs).build();
    let metadata = LaunchTemplateInstanceMetadataOptions::builder()
        .http_tokens(LaunchTemplateHttpTokensState::Required)
        .http_put_response_hop_limit(2);
    let data = ResponseLaunchTemplateData::builder()
        .instance_type(types::InstanceType::T3Medium)
        .block_device_mappings(device)
        .metadata_options(metadata.build())
        .security_group_ids("sg-1");
    types::LaunchTemplateVersion::builder().version_number(number).launch_template_data(data.build())
}

fn observe(default: i64, latest: i64) -> Seen {
    observed(&place(), "lt-1", &template(default, latest).build(), &version(latest).build())
}

/// Returns the step that makes the change.
fn step_for(seen: &Seen, change: impl FnOnce(&mut LaunchTemplateInputs)) -> Option<LaunchTemplateStep> {
    let mut desired = LaunchTemplateInputs { latest_is_default: Some(true), ..seen.inputs.clone() };
    change(&mut desired);
    LaunchTemplate::next_step(seen, Some(&desired))
}

#[test]
fn what_was_found_is_observed() {
    let Observed { inputs, outputs, .. } = observe(1, 2);
    assert_eq!((outputs.default_version, outputs.latest_version), (1, 2));
    assert_eq!(outputs.arn, "arn:aws:ec2:us-east-1:111122223333:launch-template/lt-1");
    assert_eq!(inputs.latest_is_default, Some(false));
    assert_eq!(inputs.instance_type.as_deref(), Some("t3.medium"));
    assert_eq!(inputs.image_id.as_deref(), Some(""), "what a version does not say is empty");
    let sizes: Vec<_> = inputs.block_devices.iter().flatten().map(|device| device.volume_size).collect();
    assert_eq!(sizes, [Some(20)]);
}

#[test]
fn a_change_is_a_new_version_that_becomes_the_default_one() {
    let seen = observe(2, 2);
    assert_eq!(step_for(&seen, |_| ()), None);
    let step = step_for(&seen, |template| template.instance_type = Some("m7i.large".to_owned()));
    let Some(LaunchTemplateStep::CreateVersion(whole)) = step else { panic!("no new version: {step:?}") };
    assert_eq!(whole.instance_type.as_deref(), Some("m7i.large"));
    assert_eq!(whole.block_devices, seen.inputs.block_devices, "each version says everything");
    let after = observe(2, 3);
    assert_eq!(step_for(&after, |_| ()), Some(LaunchTemplateStep::SetDefault(3)));
    assert_eq!(step_for(&after, |template| template.latest_is_default = Some(false)), None);
}

#[test]
fn options_that_are_left_open_stay() {
    let options = MetadataOptions { http_put_response_hop_limit: Some(1), ..MetadataOptions::default() };
    let step = step_for(&observe(1, 1), |template| template.metadata_options = Some(options));
    let Some(LaunchTemplateStep::CreateVersion(whole)) = step else { panic!("no new version: {step:?}") };
    let options = whole.metadata_options.expect("they were there");
    assert_eq!(options.http_tokens.as_deref(), Some("required"));
    assert_eq!(options.http_put_response_hop_limit, Some(1));
}

#[test]
fn tags_of_the_template_need_no_version() {
    let wanted = spec_tags([("Name", "other")]);
    let set = LaunchTemplateStep::Tag(TagStep::Set(wanted.0.clone()));
    assert_eq!(step_for(&observe(1, 1), |template| template.tags = Some(wanted)), Some(set));
    assert_eq!(LaunchTemplate::next_step(&observe(1, 1), None), Some(LaunchTemplateStep::Delete));
}

#[test]
fn what_is_sent_comes_back_the_same() {
    let inputs = LaunchTemplateInputs {
        image_id: Some(String::new()),
        user_data: Some("aGVsbG8=".to_owned()),
        security_group_ids: Some(BTreeSet::from(["sg-1".to_owned()])),
        ..LaunchTemplateInputs::default()
    };
    let sent = data::request(&inputs);
    assert_eq!((sent.image_id(), sent.user_data()), (None, Some("aGVsbG8=")));
    assert_eq!(sent.security_group_ids(), ["sg-1"]);
    assert!(sent.monitoring().is_none() && sent.metadata_options().is_none());
}

#[test]
fn user_data_is_base64() {
    for good in ["", "aGVsbG8=", "aGk=", "YWJj", "YQ=="] {
        assert_eq!(data::normalize_base64(good), Ok(good.to_owned()));
    }
    for wrong in ["#!/bin/sh", "YQ=", "YQ===", "a b=", "====", "YWJ"] {
        data::normalize_base64(wrong).expect_err("that is no base64");
    }
}

#[test]
fn answers_go_far_enough() {
    let inputs = |limit: i64| {
        let options = ValueMap::from([("http_put_response_hop_limit".to_owned(), Value::from(limit))]);
        ValueMap::from([("metadata_options".to_owned(), Value::Map(options))])
    };
    assert_eq!(LaunchTemplate::check(&inputs(2)), []);
    assert_eq!(LaunchTemplate::check(&inputs(0)).len(), 1);
    assert_eq!(LaunchTemplate::check(&inputs(65)).len(), 1);
}
