//! `launch_template`: how instances are made.

mod data;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ec2::types::{self, ResourceType};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::check::problem;
use super::tags::TagStep;
use super::{SERVICE, filters, tags};
use crate::client::{Client, Place};
use crate::each::each;
use crate::error::{answered, failed};

/// The kind.
pub(crate) struct LaunchTemplate;

/// How instances are made, for those who make them: node groups, say. Each change is a new version, which
/// becomes the default one; what uses another version goes on with that. Each version says everything.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct LaunchTemplateInputs {
    /// The name.
    #[attribute(replace)]
    name: String,
    /// What is special about the version.
    #[attribute(default = "")]
    description: Option<String>,
    /// Whether the latest version is the default one.
    #[attribute(default = true, always)]
    latest_is_default: Option<bool>,
    /// The image. For a node group, EKS takes its own without one.
    #[attribute(default = "")]
    image_id: Option<String>,
    /// The type of the instances, such as `t3.medium`.
    #[attribute(default = "")]
    instance_type: Option<String>,
    /// The name of the key pair that lets people log in.
    #[attribute(default = "")]
    key_name: Option<String>,
    /// The name of the instance profile. A node group must not have one here.
    #[attribute(default = "")]
    iam_instance_profile: Option<String>,
    /// The security groups. Nodes of a group that has some here do not get the cluster's.
    #[attribute(refers_to = "security_group", holds, default = Vec::<Value>::new())]
    security_group_ids: Option<BTreeSet<String>>,
    /// What the instances do when they start, in base64: `"${base64encode(file('start.sh'))}"`. It is
    /// hidden if it is made of something sensitive.
    #[attribute(default = "", normalize = data::normalize_base64)]
    user_data: Option<String>,
    /// Whether instances have bandwidth to their volumes of its own.
    #[attribute(default = false)]
    ebs_optimized: Option<bool>,
    /// Whether they are watched every minute, at a price, and not every five.
    #[attribute(default = false)]
    detailed_monitoring: Option<bool>,
    /// The volumes.
    #[attribute(default = Vec::<Value>::new())]
    block_devices: Option<BTreeSet<BlockDevice>>,
    /// How instances learn about themselves.
    metadata_options: Option<MetadataOptions>,
    /// The tags of what is made, by its type: `{ instance = { team = "web" }, volume = { team = "web" } }`.
    #[attribute(default = ValueMap::new())]
    tag_specifications: Option<BTreeMap<String, BTreeMap<String, String>>>,
    /// The tags. They are those of the template.
    tags: Option<Tags>,
}

/// A volume of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Attributes)]
pub(crate) struct BlockDevice {
    /// What the instance calls it, such as `/dev/xvda`.
    device_name: String,
    /// The size in gigabytes.
    volume_size: Option<i64>,
    /// The sort, such as `gp3`.
    volume_type: Option<String>,
    /// How many operations it can do in a second.
    iops: Option<i64>,
    /// How many megabytes it can move in a second.
    throughput: Option<i64>,
    /// Whether it is encrypted.
    encrypted: Option<bool>,
    /// The ARN of the key.
    kms_key_id: Option<String>,
    /// The snapshot that it begins with.
    snapshot_id: Option<String>,
    /// Whether it goes with the instance.
    delete_on_termination: Option<bool>,
}

/// How instances learn about themselves.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct MetadataOptions {
    /// Whether they do.
    #[attribute(one_of = ["enabled", "disabled"])]
    http_endpoint: Option<String>,
    /// Whether whoever asks has to show a token.
    #[attribute(one_of = ["required", "optional"])]
    http_tokens: Option<String>,
    /// How far answers go: 1 does not reach pods, 2 does.
    http_put_response_hop_limit: Option<i64>,
    /// Whether they can ask by IPv6.
    #[attribute(one_of = ["enabled", "disabled"])]
    http_protocol_ipv6: Option<String>,
    /// Whether they learn their tags.
    #[attribute(one_of = ["enabled", "disabled"])]
    instance_metadata_tags: Option<String>,
}

/// What EC2 says about a launch template.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct LaunchTemplateOutputs {
    /// The ARN.
    arn: String,
    /// The number of the latest version.
    #[attribute(volatile)]
    latest_version: i64,
    /// The number of the default version.
    #[attribute(volatile)]
    default_version: i64,
}

/// Launch templates by id, each with its latest version.
pub(crate) struct LaunchTemplates {
    found: BTreeMap<RemoteId, (types::LaunchTemplate, types::LaunchTemplateVersion)>,
    place: Place,
}

impl Listing for LaunchTemplates {
    type Client = Client;

    /// Reads each with two calls: there is no filter by id, and no call for versions of several.
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let read = |id: RemoteId| async move {
            let reads = &client.ec2.reads;
            let call = reads.describe_launch_templates().launch_template_ids(id.as_str());
            let answer = call.send().await.map_err(failed("DescribeLaunchTemplates"))?;
            let template = answered("DescribeLaunchTemplates", answer.launch_templates().first().cloned())?;
            let call = reads.describe_launch_template_versions().launch_template_id(id.as_str());
            let answer = call.versions("$Latest").send().await;
            let answer = answer.map_err(failed("DescribeLaunchTemplateVersions"))?;
            let version = answer.launch_template_versions().first().cloned();
            Ok((template, answered("DescribeLaunchTemplateVersions", version)?))
        };
        Ok(Self { found: each(ids, read).await?, place: client.place.clone() })
    }
}

/// A change of a launch template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LaunchTemplateStep {
    CreateVersion(Box<LaunchTemplateInputs>),
    SetDefault(i64),
    Tag(TagStep),
    Delete,
}

impl Step for LaunchTemplateStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::CreateVersion(_) => "CreateLaunchTemplateVersion",
            Self::SetDefault(_) => "ModifyLaunchTemplate",
            Self::Tag(step) => step.operation(),
            Self::Delete => "DeleteLaunchTemplate",
        }
    }
}

impl Resource for LaunchTemplate {
    const KIND: &'static str = "launch_template";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction =
        Depiction { form: Form::Note, details: &["instance_type"], ..Depiction::THING };
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:launch-template/{id}";
    const ID_FORM: &'static str = "lt-*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"]),
        Need::create(&["ec2:CreateLaunchTemplate"]).on(&["{arn}"]),
        tags::given_at_birth(&[("ec2:CreateAction", "CreateLaunchTemplate")]),
        Need::update(&["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"])
            .on(&["{arn}"])
            .changing(&[
                "description",
                "latest_is_default",
                "image_id",
                "instance_type",
                "key_name",
                "iam_instance_profile",
                "security_group_ids",
                "user_data",
                "ebs_optimized",
                "detailed_monitoring",
                "block_devices",
                "metadata_options",
                "tag_specifications",
            ]),
        tags::CHANGED,
        Need::delete(&["ec2:DeleteLaunchTemplate"]).on(&["{arn}"]),
    ];
    const EXAMPLE: &'static str = include_str!("launch_template/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["name"];

    type Inputs = LaunchTemplateInputs;
    type Outputs = LaunchTemplateOutputs;
    type Client = Client;
    type Listing = LaunchTemplates;
    type Step = LaunchTemplateStep;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let limit = inputs.get("metadata_options").and_then(Value::as_map);
        let limit = limit.and_then(|options| options.get("http_put_response_hop_limit"));
        let wrong = match limit {
            Some(Value::Integer(limit)) if !(1..=64).contains(limit) => problem(
                "metadata_options",
                format!("`http_put_response_hop_limit` cannot be {limit}."),
                "Write a number from 1 to 64.",
            ),
            _ => return Vec::new(),
        };
        vec![wrong]
    }

    fn observe(
        listing: &LaunchTemplates,
        id: &RemoteId,
    ) -> Option<Observed<LaunchTemplateInputs, LaunchTemplateOutputs>> {
        let (template, version) = listing.found.get(id)?;
        Some(observed(&listing.place, id.as_str(), template, version))
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &LaunchTemplateInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client
            .ec2
            .writes
            .create_launch_template()
            .client_token(&intent.token)
            .launch_template_name(&inputs.name)
            .set_version_description(data::text(inputs.description.as_ref()))
            .launch_template_data(data::request(inputs))
            .tag_specifications(tags::at_birth(ResourceType::LaunchTemplate, intent, inputs.tags.as_ref()));
        let answer = call.send().await.map_err(failed("CreateLaunchTemplate"))?;
        let id = answer.launch_template().and_then(types::LaunchTemplate::launch_template_id);
        answered("CreateLaunchTemplate", id).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<LaunchTemplateInputs, LaunchTemplateOutputs>,
        desired: Option<&LaunchTemplateInputs>,
    ) -> Option<LaunchTemplateStep> {
        let Some(desired) = desired else { return Some(LaunchTemplateStep::Delete) };
        let found = &observed.inputs;
        let whole = data::whole(found, desired);
        let becomes_default =
            desired.latest_is_default == Some(true) && found.latest_is_default == Some(false);
        if whole != *found {
            return Some(LaunchTemplateStep::CreateVersion(Box::new(whole)));
        }
        if becomes_default {
            return Some(LaunchTemplateStep::SetDefault(observed.outputs.latest_version));
        }
        tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(LaunchTemplateStep::Tag)
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &LaunchTemplateStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, template, operation) = (&client.ec2.writes, id.as_str(), step.operation());
        match step {
            LaunchTemplateStep::CreateVersion(inputs) => {
                let call = writes.create_launch_template_version().launch_template_id(template);
                let call = call.set_version_description(data::text(inputs.description.as_ref()));
                let call = call.launch_template_data(data::request(inputs));
                call.send().await.map_err(failed(operation))?;
            }
            LaunchTemplateStep::SetDefault(version) => {
                let call = writes.modify_launch_template().launch_template_id(template);
                call.default_version(version.to_string()).send().await.map_err(failed(operation))?;
            }
            LaunchTemplateStep::Tag(step) => step.perform(client, id).await?,
            LaunchTemplateStep::Delete => {
                let call = writes.delete_launch_template().launch_template_id(template);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        _: &LaunchTemplateInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let call = client.ec2.reads.describe_launch_templates().filters(filters::made_by(intent));
        let answer = call.send().await.map_err(failed("DescribeLaunchTemplates"))?;
        let ours = answer.launch_templates().iter().filter(|found| tags::are_of(intent, found.tags()));
        Ok(ours.filter_map(types::LaunchTemplate::launch_template_id).map(RemoteId::new).collect())
    }
}

fn observed(
    place: &Place,
    id: &str,
    template: &types::LaunchTemplate,
    version: &types::LaunchTemplateVersion,
) -> Observed<LaunchTemplateInputs, LaunchTemplateOutputs> {
    let latest = version.version_number().or(template.latest_version_number()).unwrap_or_default();
    let default = template.default_version_number().unwrap_or_default();
    let inputs = LaunchTemplateInputs {
        name: template.launch_template_name().unwrap_or_default().to_owned(),
        description: Some(version.version_description().unwrap_or_default().to_owned()),
        latest_is_default: Some(latest == default),
        tags: Some(tags::observed(template.tags())),
        ..version.launch_template_data().map(data::observed).unwrap_or_default()
    };
    let arn = place.ec2_arn(None, "launch-template", id);
    Observed {
        inputs,
        outputs: LaunchTemplateOutputs { arn, latest_version: latest, default_version: default },
        readiness: Readiness::Ready,
    }
}

#[cfg(test)]
mod tests;
