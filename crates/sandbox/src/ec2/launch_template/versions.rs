//! Versions of launch templates.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{LaunchTemplate, Version, data};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::describe::{Description, describe, texts};
use crate::ec2::{Network, dry_run};
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateLaunchTemplateVersion",
        &[
            "LaunchTemplateId",
            "LaunchTemplateName",
            "SourceVersion",
            "VersionDescription",
            "LaunchTemplateData",
            "ClientToken",
            "DryRun",
        ],
        create,
    ),
    Operation::new(
        "DescribeLaunchTemplateVersions",
        &[
            "LaunchTemplateId",
            "LaunchTemplateName",
            "LaunchTemplateVersion",
            "MinVersion",
            "MaxVersion",
            "Filter",
            "MaxResults",
            "NextToken",
            "DryRun",
        ],
        describe_versions,
    ),
    Operation::new(
        "DeleteLaunchTemplateVersions",
        &["LaunchTemplateId", "LaunchTemplateName", "LaunchTemplateVersion", "DryRun"],
        delete,
    ),
];

fn create(world: &mut World, call: &Call) -> Answer {
    let (parameters, now) = (&call.parameters, world.now());
    let template = world.network(&call.region).named_template(call)?;
    let source = parameters.text("SourceVersion").map(|text| template.number(text)).transpose()?;
    let source = source.and_then(|number| template.versions.get(&number));
    let data = data::read(parameters, source.map(|version| &version.data))?;
    dry_run(call)?;
    let version = Version {
        description: parameters.text("VersionDescription").map(str::to_owned),
        data,
        made_at: now,
        made_by: call.caller.arn.clone(),
    };
    template.last_version += 1;
    let number = template.last_version;
    template.versions.insert(number, version);
    Ok(json!({ "launchTemplateVersion": template.shown_version(number) }))
}

/// Describes versions of one launch template, or the default or latest ones of all.
fn describe_versions(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let parameters = &call.parameters;
    let named = ["LaunchTemplateId", "LaunchTemplateName"].iter().any(|name| parameters.text(name).is_some());
    let wanted = parameters.texts("LaunchTemplateVersion");
    let network = world.network(&call.region);
    let mut found = BTreeMap::new();
    if named {
        let template = network.named_template(call)?;
        for number in numbers(template, call, &wanted)? {
            // The newest one comes first.
            found.insert(format!("{} {:010}", template.id, u32::MAX - number), (template.clone(), number));
        }
    } else {
        if wanted.is_empty() || wanted.iter().any(|text| !text.starts_with('$')) {
            let message = "Without a launch template, the versions have to be $Latest or $Default.";
            return Err(Refusal::new("MissingParameter", message));
        }
        let own = |template: &&LaunchTemplate| template.owner == call.caller.account;
        for template in network.launch_templates.values().filter(own) {
            for text in &wanted {
                let number = template.number(text)?;
                found.insert(format!("{} {number:010}", template.id), (template.clone(), number));
            }
        }
    }
    let description = Description {
        list: "launchTemplateVersionSet",
        // Versions are chosen above.
        ids: "none",
        not_found: "InvalidLaunchTemplateId.VersionNotFound",
        visible: &|_| true,
        filter: &|(template, number), filter| filtered(template, *number, filter),
        shown: &|(template, number)| template.shown_version(*number).unwrap_or_default(),
        page: (1, 200),
    };
    describe(call, &found, &description)
}

/// Returns the numbers of the versions that a call is about.
fn numbers(template: &LaunchTemplate, call: &Call, wanted: &[&str]) -> Result<Vec<u32>, Refusal> {
    if !wanted.is_empty() {
        return wanted.iter().map(|text| template.number(text)).collect();
    }
    let (least, most) = (call.parameters.integer("MinVersion")?, call.parameters.integer("MaxVersion")?);
    let between = |number: &&u32| {
        least.is_none_or(|least| i64::from(**number) >= least)
            && most.is_none_or(|most| i64::from(**number) <= most)
    };
    Ok(template.versions.keys().filter(between).copied().collect())
}

fn filtered(template: &LaunchTemplate, number: u32, filter: &str) -> Option<Vec<String>> {
    let version = template.versions.get(&number)?;
    let said = |name: &str| texts(version.data.text(name));
    Some(match filter {
        "is-default-version" => texts([number == template.default_version]),
        "create-time" => texts([version.made_at]),
        "instance-type" => said("InstanceType"),
        "image-id" => said("ImageId"),
        "ebs-optimized" => said("EbsOptimized"),
        "http-tokens" => texts(version.data.table("MetadataOptions").text("HttpTokens")),
        _ => return None,
    })
}

/// Deletes versions but for the default one; what cannot be deleted is said in the answer, which is no refusal.
fn delete(world: &mut World, call: &Call) -> Answer {
    let wanted = call.parameters.texts("LaunchTemplateVersion");
    if wanted.is_empty() {
        let message = "The request must contain the parameter LaunchTemplateVersion";
        return Err(Refusal::new("MissingParameter", message));
    }
    let network: &mut Network = world.network(&call.region);
    let template = network.named_template(call)?;
    dry_run(call)?;
    let (mut deleted, mut kept) = (Vec::new(), Vec::new());
    for text in wanted {
        let mut item = json!({ "launchTemplateId": template.id, "launchTemplateName": template.name });
        let number: Option<u32> = text.parse().ok();
        item["versionNumber"] = json!(number);
        match number.filter(|number| template.versions.contains_key(number)) {
            None => kept.push(with_error(item, "launchTemplateVersionDoesNotExist", "does not exist")),
            Some(number) if number == template.default_version => {
                kept.push(with_error(item, "unexpectedError", "is the default version"));
            }
            Some(number) => {
                template.versions.remove(&number);
                deleted.push(item);
            }
        }
    }
    Ok(json!({
        "successfullyDeletedLaunchTemplateVersionSet": deleted,
        "unsuccessfullyDeletedLaunchTemplateVersionSet": kept,
    }))
}

fn with_error(mut item: Value, code: &str, why: &str) -> Value {
    let message = format!("The version {} {why}.", item["versionNumber"]);
    item["responseError"] = json!({ "code": code, "message": message });
    item
}
