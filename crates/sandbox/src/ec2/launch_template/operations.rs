//! Making, describing, changing and deleting launch templates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{LaunchTemplate, Thing, Version, data, name_key, no_template_name};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::describe::{Description, describe_among, texts};
use crate::ec2::{dry_run, tags};
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateLaunchTemplate",
        &[
            "LaunchTemplateName",
            "VersionDescription",
            "LaunchTemplateData",
            "TagSpecification",
            "ClientToken",
            "DryRun",
        ],
        create,
    ),
    Operation::new(
        "DescribeLaunchTemplates",
        &["LaunchTemplateId", "LaunchTemplateName", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_templates,
    ),
    Operation::new(
        "ModifyLaunchTemplate",
        &["LaunchTemplateId", "LaunchTemplateName", "SetDefaultVersion", "ClientToken", "DryRun"],
        modify,
    ),
    Operation::new("DeleteLaunchTemplate", &["LaunchTemplateId", "LaunchTemplateName", "DryRun"], delete),
];

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let name = checked_name(parameters.required("LaunchTemplateName")?)?;
    let data = data::read(parameters, None)?;
    let tags = tags::at_birth(parameters, "launch-template")?;
    let account = &call.caller.account;
    let network = world.network(&call.region);
    if network.template_names.contains_key(&name_key(account, name)) {
        let message = "Launch template name already in use.";
        return Err(Refusal::new("InvalidLaunchTemplateName.AlreadyExistsException", message));
    }
    dry_run(call)?;
    let now = world.now();
    let version = Version {
        description: parameters.text("VersionDescription").map(str::to_owned),
        data,
        made_at: now,
        made_by: call.caller.arn.clone(),
    };
    let template = LaunchTemplate {
        id: world.new_id("lt"),
        owner: account.clone(),
        name: name.to_owned(),
        made_at: now,
        made_by: call.caller.arn.clone(),
        versions: BTreeMap::from([(1, version)]),
        default_version: 1,
        last_version: 1,
        tags,
    };
    let answer = json!({ "launchTemplate": template.shown() });
    let network = world.network(&call.region);
    network.template_names.insert(name_key(account, name), template.id.clone());
    network.launch_templates.insert(template.id.clone(), template);
    Ok(answer)
}

/// Checks a name: 3 to 128 letters, digits and some signs (API reference, `CreateLaunchTemplate`).
fn checked_name(name: &str) -> Result<&str, Refusal> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "().-/_".contains(character);
    if (3..=128).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(name);
    }
    let message = "Launch template names must be between 3 and 128 characters, and may contain letters, numbers, \
         and the following characters: - ( ) . / _";
    Err(Refusal::new("InvalidLaunchTemplateName.MalformedException", message))
}

fn describe_templates(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let account = &call.caller.account;
    let network = world.network(&call.region);
    let names = call.parameters.texts("LaunchTemplateName");
    let id = |name: &&str| {
        let id = network.template_names.get(&name_key(account, name));
        id.filter(|id| !call.hidden.contains(*id)).cloned().ok_or_else(|| no_template_name(name))
    };
    let chosen = names.iter().map(id).collect::<Result<BTreeSet<_>, _>>()?;
    let description = Description {
        list: "launchTemplates",
        ids: "LaunchTemplateId",
        not_found: LaunchTemplate::NOT_FOUND,
        visible: &|template: &LaunchTemplate| template.owner == *account,
        filter: &|template, filter| {
            Some(match filter {
                "launch-template-name" => texts([&template.name]),
                "create-time" => texts([template.made_at]),
                _ => return tags::filtered(&template.tags, filter),
            })
        },
        shown: &LaunchTemplate::shown,
        page: (1, 200),
    };
    let among = (!names.is_empty()).then_some(chosen);
    describe_among(call, &network.launch_templates, among, &description)
}

fn modify(world: &mut World, call: &Call) -> Answer {
    let template = world.network(&call.region).named_template(call)?;
    let number = template.number(call.parameters.required("SetDefaultVersion")?)?;
    dry_run(call)?;
    template.default_version = number;
    Ok(json!({ "launchTemplate": template.shown() }))
}

/// Deletes a launch template with all its versions. What was launched with it goes on running.
fn delete(world: &mut World, call: &Call) -> Answer {
    let network = world.network(&call.region);
    let template = network.named_template(call)?.clone();
    dry_run(call)?;
    network.template_names.remove(&name_key(&template.owner, &template.name));
    network.launch_templates.remove(&template.id);
    Ok(json!({ "launchTemplate": template.shown() }))
}
