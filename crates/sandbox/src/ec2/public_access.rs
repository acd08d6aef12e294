//! What an account forbids its VPCs to have to do with the internet ("Block public access to VPCs and
//! subnets", VPC user guide).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Description, describe, texts};
use super::ownership::{Thing, own};
use super::tags::Tags;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{AccountId, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("DescribeVpcBlockPublicAccessOptions", &["DryRun"], describe_options),
    Operation::new(
        "ModifyVpcBlockPublicAccessOptions",
        &["InternetGatewayBlockMode", "DryRun"],
        modify_options,
    ),
    Operation::new(
        "CreateVpcBlockPublicAccessExclusion",
        &["VpcId", "SubnetId", "InternetGatewayExclusionMode", "TagSpecification", "DryRun"],
        create_exclusion,
    ),
    Operation::new(
        "DescribeVpcBlockPublicAccessExclusions",
        &["ExclusionId", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_exclusions,
    ),
    Operation::new("DeleteVpcBlockPublicAccessExclusion", &["ExclusionId", "DryRun"], delete_exclusion),
];

/// What accounts forbid.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct PublicAccess {
    /// The mode that an account has set, and when.
    modes: BTreeMap<AccountId, (String, Timestamp)>,
    exclusions: BTreeMap<String, Exclusion>,
}

/// A VPC or subnet that is excepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Exclusion {
    id: String,
    owner: AccountId,
    /// The id of the VPC or subnet.
    thing: String,
    mode: String,
    made_at: Timestamp,
    tags: Tags,
}

impl Thing for Exclusion {
    const NOUN: &'static str = "vpcBlockPublicAccessExclusion";
    const NOT_FOUND: &'static str = "InvalidVpcBlockPublicAccessExclusionId.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

/// What an account forbids that has set nothing.
const OFF: &str = "off";
const MODES: [&str; 3] = [OFF, "block-bidirectional", "block-ingress"];
const EXCLUSIONS: [&str; 2] = ["allow-bidirectional", "allow-egress"];

impl Network {
    /// Returns what an account forbids a VPC of its own.
    pub(super) fn block_mode(&self, account: &AccountId, vpc_id: &str) -> &str {
        let PublicAccess { modes, exclusions } = &self.public_access;
        let is_excepted = exclusions.values().any(|exclusion| exclusion.thing == vpc_id);
        let mode = modes.get(account).filter(|_| !is_excepted);
        mode.map_or(OFF, |(mode, _)| mode)
    }
}

fn shown_options(access: &PublicAccess, call: &Call) -> Value {
    let set = access.modes.get(&call.caller.account);
    json!({ "vpcBlockPublicAccessOptions": {
        "awsAccountId": call.caller.account.as_str(),
        "awsRegion": call.region,
        "state": if set.is_some() { "update-complete" } else { "default-state" },
        "internetGatewayBlockMode": set.map_or(OFF, |(mode, _)| mode),
        "lastUpdateTimestamp": set.map(|(_, at)| at),
        "managedBy": "account",
        "exclusionsAllowed": "allowed",
    } })
}

fn describe_options(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    Ok(shown_options(&world.network(&call.region).public_access, call))
}

fn modify_options(world: &mut World, call: &Call) -> Answer {
    let mode = call.parameters.required("InternetGatewayBlockMode")?;
    if !MODES.contains(&mode) {
        return Err(Refusal::value("InternetGatewayBlockMode", mode));
    }
    dry_run(call)?;
    let now = world.now();
    let access = &mut world.network(&call.region).public_access;
    access.modes.insert(call.caller.account.clone(), (mode.to_owned(), now));
    Ok(shown_options(access, call))
}

fn create_exclusion(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let mode = parameters.required("InternetGatewayExclusionMode")?;
    if !EXCLUSIONS.contains(&mode) {
        return Err(Refusal::value("InternetGatewayExclusionMode", mode));
    }
    let tags = tags::at_birth(parameters, "vpc-block-public-access-exclusion")?;
    let network = world.network(&call.region);
    let thing = match (parameters.text("VpcId"), parameters.text("SubnetId")) {
        (Some(vpc), None) => network.own_vpc(call, vpc).map(|_| vpc)?,
        (None, Some(subnet)) => network.own_subnet(call, subnet).map(|_| subnet)?,
        _ => {
            let message = "Specify either a VPC or a subnet";
            return Err(Refusal::new("InvalidParameterCombination", message));
        }
    };
    dry_run(call)?;
    let exclusion = Exclusion {
        id: world.new_id("vpcbpa-exclude"),
        owner: call.caller.account.clone(),
        thing: thing.to_owned(),
        mode: mode.to_owned(),
        made_at: world.now(),
        tags,
    };
    let answer = json!({ "vpcBlockPublicAccessExclusion": shown(&exclusion, call, "create-complete") });
    let access = &mut world.network(&call.region).public_access;
    access.exclusions.insert(exclusion.id.clone(), exclusion);
    Ok(answer)
}

fn arn(exclusion: &Exclusion, call: &Call) -> String {
    let kind = if exclusion.thing.starts_with("vpc-") { "vpc" } else { "subnet" };
    format!("arn:aws:ec2:{}:{}:{kind}/{}", call.region, exclusion.owner, exclusion.thing)
}

fn shown(exclusion: &Exclusion, call: &Call, state: &str) -> Value {
    json!({
        "exclusionId": exclusion.id,
        "internetGatewayExclusionMode": exclusion.mode,
        "resourceArn": arn(exclusion, call),
        "state": state,
        "creationTimestamp": exclusion.made_at,
        "lastUpdateTimestamp": exclusion.made_at,
        "tagSet": tags::shown(&exclusion.tags),
    })
}

fn describe_exclusions(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "vpcBlockPublicAccessExclusionSet",
        ids: "ExclusionId",
        not_found: Exclusion::NOT_FOUND,
        visible: &|exclusion: &Exclusion| exclusion.owner == call.caller.account,
        filter: &|exclusion, filter| match filter {
            "resource-arn" => Some(texts([arn(exclusion, call)])),
            "internet-gateway-exclusion-mode" => Some(texts([&exclusion.mode])),
            "state" => Some(texts(["create-complete"])),
            _ => tags::filtered(&exclusion.tags, filter),
        },
        shown: &|exclusion| shown(exclusion, call, "create-complete"),
        page: (5, 1000),
    };
    describe(call, &network.public_access.exclusions, &description)
}

fn delete_exclusion(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("ExclusionId")?;
    let exclusions = &mut world.network(&call.region).public_access.exclusions;
    let gone = own(call, exclusions, id, false)?.clone();
    dry_run(call)?;
    exclusions.remove(id);
    Ok(json!({ "vpcBlockPublicAccessExclusion": shown(&gone, call, "delete-complete") }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{list, with_subnet};
    use crate::testing::text;

    /// "VPC BPA … block-bidirectional: … except for excluded VPCs and subnets"; each account for itself.
    #[test]
    fn an_account_forbids_and_excepts() {
        let (mut account, vpc, subnet) = with_subnet();
        let options = account.ok("DescribeVpcBlockPublicAccessOptions", json!({}));
        assert_eq!(options["vpcBlockPublicAccessOptions"]["internetGatewayBlockMode"], "off");
        let block = json!({ "InternetGatewayBlockMode": "block-bidirectional" });
        account.ok("ModifyVpcBlockPublicAccessOptions", block);
        let mode = |account: &mut crate::testing::Account| {
            let seen = account.ok("DescribeVpcs", json!({ "VpcId": [vpc] }));
            text(&seen["vpcSet"][0]["blockPublicAccessStates"]["internetGatewayBlockMode"])
        };
        assert_eq!(mode(&mut account), "block-bidirectional");
        account.other(|other| {
            let options = other.ok("DescribeVpcBlockPublicAccessOptions", json!({}));
            assert_eq!(options["vpcBlockPublicAccessOptions"]["state"], "default-state");
        });
        let wanted = json!({ "VpcId": vpc, "InternetGatewayExclusionMode": "allow-bidirectional" });
        let exclusion = account.ok("CreateVpcBlockPublicAccessExclusion", wanted);
        let id = text(&exclusion["vpcBlockPublicAccessExclusion"]["exclusionId"]);
        assert_eq!(mode(&mut account), "off");
        let all = account.ok("DescribeVpcBlockPublicAccessExclusions", json!({}));
        assert_eq!(list(&all, "vpcBlockPublicAccessExclusionSet").len(), 1);
        account.ok("DeleteVpcBlockPublicAccessExclusion", json!({ "ExclusionId": id }));
        assert_eq!(mode(&mut account), "block-bidirectional");
        let both = json!({
            "VpcId": vpc, "SubnetId": subnet, "InternetGatewayExclusionMode": "allow-egress",
        });
        account.refused("CreateVpcBlockPublicAccessExclusion", both, "InvalidParameterCombination");
        let colour = json!({ "InternetGatewayBlockMode": "red" });
        account.refused("ModifyVpcBlockPublicAccessOptions", colour, "InvalidParameterValue");
        let gone = json!({ "ExclusionId": id });
        let code = "InvalidVpcBlockPublicAccessExclusionId.NotFound";
        account.refused("DeleteVpcBlockPublicAccessExclusion", gone, code);
    }
}
