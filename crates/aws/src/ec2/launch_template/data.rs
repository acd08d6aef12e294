//! What a version of a launch template says, in the words of the spec and in those of EC2.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    InstanceType, LaunchTemplateBlockDeviceMapping, LaunchTemplateBlockDeviceMappingRequest,
    LaunchTemplateEbsBlockDeviceRequest, LaunchTemplateHttpTokensState,
    LaunchTemplateIamInstanceProfileSpecification, LaunchTemplateIamInstanceProfileSpecificationRequest,
    LaunchTemplateInstanceMetadataEndpointState, LaunchTemplateInstanceMetadataOptions,
    LaunchTemplateInstanceMetadataOptionsRequest, LaunchTemplateInstanceMetadataProtocolIpv6,
    LaunchTemplateInstanceMetadataTagsState, LaunchTemplateTagSpecification,
    LaunchTemplateTagSpecificationRequest, LaunchTemplatesMonitoring, LaunchTemplatesMonitoringRequest,
    RequestLaunchTemplateData, ResourceType, ResponseLaunchTemplateData, Tag, VolumeType,
};

use super::{BlockDevice, LaunchTemplateInputs, MetadataOptions};

/// Checks that a text is base64, as EC2 wants it.
pub(super) fn normalize_base64(text: &str) -> Result<String, String> {
    let body = text.trim_end_matches('=');
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    let is_whole = text.len().is_multiple_of(4) && text.len() - body.len() <= 2;
    if is_whole && body.bytes().all(is_letter) {
        Ok(text.to_owned())
    } else {
        Err("it is no base64; write `\"${base64encode(...)}\"`".to_owned())
    }
}

/// Returns everything that the next version has to say: what is wanted, and what is there of what the spec
/// leaves open. What is no part of a version is as it is.
pub(super) fn whole(found: &LaunchTemplateInputs, desired: &LaunchTemplateInputs) -> LaunchTemplateInputs {
    fn either<T: Clone>(desired: Option<&T>, found: Option<&T>) -> Option<T> {
        desired.or(found).cloned()
    }
    LaunchTemplateInputs {
        name: found.name.clone(),
        latest_is_default: found.latest_is_default,
        tags: found.tags.clone(),
        description: either(desired.description.as_ref(), found.description.as_ref()),
        image_id: either(desired.image_id.as_ref(), found.image_id.as_ref()),
        instance_type: either(desired.instance_type.as_ref(), found.instance_type.as_ref()),
        key_name: either(desired.key_name.as_ref(), found.key_name.as_ref()),
        iam_instance_profile: either(
            desired.iam_instance_profile.as_ref(),
            found.iam_instance_profile.as_ref(),
        ),
        security_group_ids: either(desired.security_group_ids.as_ref(), found.security_group_ids.as_ref()),
        user_data: either(desired.user_data.as_ref(), found.user_data.as_ref()),
        ebs_optimized: either(desired.ebs_optimized.as_ref(), found.ebs_optimized.as_ref()),
        detailed_monitoring: either(desired.detailed_monitoring.as_ref(), found.detailed_monitoring.as_ref()),
        block_devices: either(desired.block_devices.as_ref(), found.block_devices.as_ref()),
        metadata_options: match (&desired.metadata_options, &found.metadata_options) {
            (Some(desired), Some(found)) => Some(MetadataOptions {
                http_endpoint: either(desired.http_endpoint.as_ref(), found.http_endpoint.as_ref()),
                http_tokens: either(desired.http_tokens.as_ref(), found.http_tokens.as_ref()),
                http_put_response_hop_limit: desired
                    .http_put_response_hop_limit
                    .or(found.http_put_response_hop_limit),
                http_protocol_ipv6: either(
                    desired.http_protocol_ipv6.as_ref(),
                    found.http_protocol_ipv6.as_ref(),
                ),
                instance_metadata_tags: either(
                    desired.instance_metadata_tags.as_ref(),
                    found.instance_metadata_tags.as_ref(),
                ),
            }),
            (desired, found) => either(desired.as_ref(), found.as_ref()),
        },
        tag_specifications: either(desired.tag_specifications.as_ref(), found.tag_specifications.as_ref()),
    }
}

/// Returns a text as EC2 takes it; an empty one is left out.
pub(super) fn text(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

/// Returns a version as EC2 takes it.
pub(super) fn request(inputs: &LaunchTemplateInputs) -> RequestLaunchTemplateData {
    let groups = inputs.security_group_ids.clone().unwrap_or_default();
    let monitoring = |enabled| LaunchTemplatesMonitoringRequest::builder().enabled(enabled).build();
    let profile = text(inputs.iam_instance_profile.as_ref());
    let profile = profile
        .map(|name| LaunchTemplateIamInstanceProfileSpecificationRequest::builder().name(name).build());
    let devices = inputs.block_devices.iter().flatten().map(device_request).collect();
    RequestLaunchTemplateData::builder()
        .set_image_id(text(inputs.image_id.as_ref()))
        .set_instance_type(text(inputs.instance_type.as_ref()).as_deref().map(InstanceType::from))
        .set_key_name(text(inputs.key_name.as_ref()))
        .set_iam_instance_profile(profile)
        .set_security_group_ids(Some(groups.into_iter().collect()))
        .set_user_data(text(inputs.user_data.as_ref()))
        .set_ebs_optimized(inputs.ebs_optimized.filter(|on| *on))
        .set_monitoring(inputs.detailed_monitoring.filter(|on| *on).map(monitoring))
        .set_block_device_mappings(Some(devices))
        .set_metadata_options(inputs.metadata_options.as_ref().map(metadata_request))
        .set_tag_specifications(inputs.tag_specifications.as_ref().map(tags_request))
        .build()
}

fn device_request(device: &BlockDevice) -> LaunchTemplateBlockDeviceMappingRequest {
    let ebs = LaunchTemplateEbsBlockDeviceRequest::builder()
        .set_volume_size(device.volume_size.map(number))
        .set_volume_type(device.volume_type.as_deref().map(VolumeType::from))
        .set_iops(device.iops.map(number))
        .set_throughput(device.throughput.map(number))
        .set_encrypted(device.encrypted)
        .set_kms_key_id(device.kms_key_id.clone())
        .set_snapshot_id(device.snapshot_id.clone())
        .set_delete_on_termination(device.delete_on_termination);
    let mapping = LaunchTemplateBlockDeviceMappingRequest::builder().device_name(&device.device_name);
    mapping.ebs(ebs.build()).build()
}

/// What does not fit is more than EC2 takes of anything.
fn number(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn metadata_request(options: &MetadataOptions) -> LaunchTemplateInstanceMetadataOptionsRequest {
    let endpoint = options.http_endpoint.as_deref().map(LaunchTemplateInstanceMetadataEndpointState::from);
    let ipv6 = options.http_protocol_ipv6.as_deref().map(LaunchTemplateInstanceMetadataProtocolIpv6::from);
    let tags = options.instance_metadata_tags.as_deref().map(LaunchTemplateInstanceMetadataTagsState::from);
    LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .set_http_endpoint(endpoint)
        .set_http_tokens(options.http_tokens.as_deref().map(LaunchTemplateHttpTokensState::from))
        .set_http_put_response_hop_limit(options.http_put_response_hop_limit.map(number))
        .set_http_protocol_ipv6(ipv6)
        .set_instance_metadata_tags(tags)
        .build()
}

fn tags_request(
    specifications: &BTreeMap<String, BTreeMap<String, String>>,
) -> Vec<LaunchTemplateTagSpecificationRequest> {
    let specification = |(resource_type, tags): (&String, &BTreeMap<String, String>)| {
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        LaunchTemplateTagSpecificationRequest::builder()
            .resource_type(ResourceType::from(resource_type.as_str()))
            .set_tags(Some(tags.collect()))
            .build()
    };
    specifications.iter().map(specification).collect()
}

/// Returns a version as the spec has it.
pub(super) fn observed(data: &ResponseLaunchTemplateData) -> LaunchTemplateInputs {
    let text = |text: Option<&str>| Some(text.unwrap_or_default().to_owned());
    let profile = data.iam_instance_profile();
    let profile = profile.and_then(LaunchTemplateIamInstanceProfileSpecification::name);
    let monitoring = data.monitoring().and_then(LaunchTemplatesMonitoring::enabled);
    LaunchTemplateInputs {
        image_id: text(data.image_id()),
        instance_type: text(data.instance_type().map(InstanceType::as_str)),
        key_name: text(data.key_name()),
        iam_instance_profile: text(profile),
        security_group_ids: Some(data.security_group_ids().iter().cloned().collect()),
        user_data: text(data.user_data()),
        ebs_optimized: Some(data.ebs_optimized().unwrap_or(false)),
        detailed_monitoring: Some(monitoring.unwrap_or(false)),
        block_devices: Some(data.block_device_mappings().iter().map(device).collect()),
        metadata_options: data.metadata_options().map(metadata),
        tag_specifications: Some(data.tag_specifications().iter().filter_map(tag_specification).collect()),
        ..LaunchTemplateInputs::default()
    }
}

fn device(mapping: &LaunchTemplateBlockDeviceMapping) -> BlockDevice {
    let device_name = mapping.device_name().unwrap_or_default().to_owned();
    let Some(ebs) = mapping.ebs() else { return BlockDevice { device_name, ..BlockDevice::default() } };
    BlockDevice {
        device_name,
        volume_size: ebs.volume_size().map(i64::from),
        volume_type: ebs.volume_type().map(|sort| sort.as_str().to_owned()),
        iops: ebs.iops().map(i64::from),
        throughput: ebs.throughput().map(i64::from),
        encrypted: ebs.encrypted(),
        kms_key_id: ebs.kms_key_id().map(str::to_owned),
        snapshot_id: ebs.snapshot_id().map(str::to_owned),
        delete_on_termination: ebs.delete_on_termination(),
    }
}

fn metadata(options: &LaunchTemplateInstanceMetadataOptions) -> MetadataOptions {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let endpoint = options.http_endpoint().map(LaunchTemplateInstanceMetadataEndpointState::as_str);
    let ipv6 = options.http_protocol_ipv6().map(LaunchTemplateInstanceMetadataProtocolIpv6::as_str);
    let tags = options.instance_metadata_tags().map(LaunchTemplateInstanceMetadataTagsState::as_str);
    MetadataOptions {
        http_endpoint: text(endpoint),
        http_tokens: text(options.http_tokens().map(LaunchTemplateHttpTokensState::as_str)),
        http_put_response_hop_limit: options.http_put_response_hop_limit().map(i64::from),
        http_protocol_ipv6: text(ipv6),
        instance_metadata_tags: text(tags),
    }
}

/// Returns the tags of what is made. Those of the template itself, which not every emulator of EC2 keeps
/// apart, are none.
fn tag_specification(
    specification: &LaunchTemplateTagSpecification,
) -> Option<(String, BTreeMap<String, String>)> {
    let resource_type = specification.resource_type().map(ResourceType::as_str);
    let resource_type = resource_type.filter(|resource_type| *resource_type != "launch-template")?;
    let tags = specification.tags().iter();
    let tags =
        tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())));
    Some((resource_type.to_owned(), tags.collect()))
}
