//! The life of a launch template.

use serde_json::{Value, json};

use crate::testing::{Account, text};

fn wanted(more: &[(&str, Value)]) -> Value {
    let mut wanted = json!({
        "LaunchTemplateName": "nodes",
        "LaunchTemplateData": {
            "InstanceType": "t3.large",
            "MetadataOptions": { "HttpTokens": "required", "HttpPutResponseHopLimit": "2" },
            "BlockDeviceMapping": [{ "DeviceName": "/dev/xvda", "Ebs": { "VolumeSize": "30", "VolumeType": "gp3" } }],
            "NetworkInterface": [{ "DeviceIndex": "0", "SecurityGroupId": ["sg-1", "sg-2"] }],
            "TagSpecification": [{ "ResourceType": "instance", "Tag": [{ "Key": "a", "Value": "b" }] }],
        },
        "TagSpecification": [{ "ResourceType": "launch-template", "Tag": [{ "Key": "env", "Value": "test" }] }],
    });
    for (name, value) in more {
        wanted[*name] = value.clone();
    }
    wanted
}

fn make(account: &mut Account) -> Value {
    account.ok("CreateLaunchTemplate", wanted(&[("VersionDescription", json!("first"))]))["launchTemplate"]
        .clone()
}

/// API reference, `CreateLaunchTemplate` and `ResponseLaunchTemplateData`.
#[test]
fn a_template_says_what_it_was_told() {
    let mut account = Account::new();
    let made = make(&mut account);
    assert!(text(&made["launchTemplateId"]).starts_with("lt-"), "{made}");
    assert_eq!((&made["defaultVersionNumber"], &made["latestVersionNumber"]), (&json!(1), &json!(1)));
    account.refused("CreateLaunchTemplate", wanted(&[]), "InvalidLaunchTemplateName.AlreadyExistsException");
    account.other(|other| drop(make(other)));
    let named = json!({ "LaunchTemplateName": ["nodes"] });
    assert_eq!(
        account.ok("DescribeLaunchTemplates", named)["launchTemplates"][0]["tagSet"][0]["value"],
        "test"
    );
    let versions = json!({ "LaunchTemplateName": "nodes", "LaunchTemplateVersion": ["$Default"] });
    let version =
        account.ok("DescribeLaunchTemplateVersions", versions)["launchTemplateVersionSet"][0].clone();
    assert_eq!((&version["versionDescription"], &version["defaultVersion"]), (&json!("first"), &json!(true)));
    let data = &version["launchTemplateData"];
    assert_eq!(data["instanceType"], "t3.large");
    assert_eq!(data["metadataOptions"]["httpTokens"], "required");
    assert_eq!(data["blockDeviceMappingSet"][0]["ebs"]["volumeSize"], "30");
    assert_eq!(data["networkInterfaceSet"][0]["groupSet"], json!(["sg-1", "sg-2"]));
    assert_eq!(data["tagSpecificationSet"][0]["tagSet"][0]["key"], "a");
}

/// API reference, `CreateLaunchTemplateVersion`: a version goes out from another one, and none is ever changed.
#[test]
fn versions_follow_one_another_and_one_is_the_default() {
    let mut account = Account::new();
    let id = make(&mut account)["launchTemplateId"].clone();
    let named = |more: Value| {
        let mut table = json!({ "LaunchTemplateId": id });
        table.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        table
    };
    let small = json!({ "SourceVersion": "1", "LaunchTemplateData": { "InstanceType": "t3.small" } });
    let second = account.ok("CreateLaunchTemplateVersion", named(small))["launchTemplateVersion"].clone();
    assert_eq!(second["versionNumber"], 2);
    assert_eq!(second["launchTemplateData"]["instanceType"], "t3.small");
    assert_eq!(second["launchTemplateData"]["metadataOptions"]["httpTokens"], "required");
    let alone = json!({ "LaunchTemplateData": { "InstanceType": "t3.nano" } });
    let third = account.ok("CreateLaunchTemplateVersion", named(alone))["launchTemplateVersion"].clone();
    assert_eq!(third["launchTemplateData"]["metadataOptions"], Value::Null);
    let modified = account.ok("ModifyLaunchTemplate", named(json!({ "SetDefaultVersion": "2" })));
    assert_eq!(modified["launchTemplate"]["defaultVersionNumber"], 2);
    let delete = named(json!({ "LaunchTemplateVersion": ["1", "2", "9"] }));
    let deleted = account.ok("DeleteLaunchTemplateVersions", delete);
    assert_eq!(deleted["successfullyDeletedLaunchTemplateVersionSet"][0]["versionNumber"], 1);
    let kept = deleted["unsuccessfullyDeletedLaunchTemplateVersionSet"].as_array().unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[1]["responseError"]["code"], "launchTemplateVersionDoesNotExist");
    let numbers = |account: &mut Account, asked: Value| {
        let found = account.ok("DescribeLaunchTemplateVersions", asked)["launchTemplateVersionSet"].clone();
        found.as_array().unwrap().iter().map(|one| one["versionNumber"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&mut account, named(json!({}))), [3, 2]);
    assert_eq!(numbers(&mut account, named(json!({ "MinVersion": "3" }))), [3]);
    let default = json!([{ "Name": "is-default-version", "Value": ["true"] }]);
    assert_eq!(numbers(&mut account, named(json!({ "Filter": default }))), [2]);
    assert_eq!(numbers(&mut account, json!({ "LaunchTemplateVersion": ["$Latest"] })), [3]);
    let one = named(json!({ "LaunchTemplateVersion": ["1"] }));
    account.refused("DescribeLaunchTemplateVersions", one, "InvalidLaunchTemplateId.VersionNotFound");
    account.ok("DeleteLaunchTemplate", named(json!({})));
    account.refused("DeleteLaunchTemplate", named(json!({})), "InvalidLaunchTemplateId.NotFound");
}

#[test]
fn what_is_asked_for_is_checked() {
    let mut account = Account::new();
    let data = |data: Value| wanted(&[("LaunchTemplateData", data)]);
    for (wrong, code) in [
        (wanted(&[("LaunchTemplateName", json!("a"))]), "InvalidLaunchTemplateName.MalformedException"),
        (data(json!({})), "MissingParameter"),
        (data(json!({ "Colour": "red" })), "UnknownParameter"),
        (
            data(json!({ "SecurityGroupId": ["sg-1"], "NetworkInterface": [{ "DeviceIndex": "0" }] })),
            "InvalidParameterCombination",
        ),
        (wanted(&[("DryRun", json!("true"))]), "DryRunOperation"),
    ] {
        account.refused("CreateLaunchTemplate", wrong, code);
    }
    let id = make(&mut account)["launchTemplateId"].clone();
    let both = json!({ "LaunchTemplateId": id, "LaunchTemplateName": "nodes" });
    account.refused("DeleteLaunchTemplate", both, "InvalidParameterCombination");
    account.refused("DeleteLaunchTemplate", json!({}), "MissingParameter");
    let none = json!({ "LaunchTemplateName": "none" });
    account.refused("DeleteLaunchTemplate", none, "InvalidLaunchTemplateName.NotFoundException");
    let none = json!({ "LaunchTemplateName": ["none"] });
    account.refused("DescribeLaunchTemplates", none, "InvalidLaunchTemplateName.NotFoundException");
    account.other(|other| {
        let foreign = json!({ "LaunchTemplateId": id });
        other.refused("DeleteLaunchTemplate", foreign, "InvalidLaunchTemplateId.NotFound");
    });
}
