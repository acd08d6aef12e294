//! What the tests of RAM share.

use serde_json::json;

use crate::testing::{Account, text};

/// Makes a subnet, and returns its id and ARN.
pub(super) fn subnet(account: &mut Account) -> (String, String) {
    let vpc = account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }));
    let wanted = json!({ "VpcId": vpc["vpc"]["vpcId"], "CidrBlock": "10.0.1.0/24" });
    let made = account.ok("CreateSubnet", wanted);
    (text(&made["subnet"]["subnetId"]), text(&made["subnet"]["subnetArn"]))
}

/// Makes a share, and returns its ARN.
pub(super) fn share(account: &mut Account, resources: &[&str], principals: &[&str]) -> String {
    let wanted = json!({
        "name": "network",
        "resourceArns": resources,
        "principals": principals,
        "allowExternalPrincipals": false,
    });
    text(&account.ok("ram:CreateResourceShare", wanted)["resourceShare"]["resourceShareArn"])
}

/// Tells whether the other account sees a subnet.
pub(super) fn sees(account: &mut Account, subnet: &str) -> bool {
    let mut seen = false;
    let filter = json!([{ "Name": "subnet-id", "Value": [subnet] }]);
    account.other(|other| {
        let answer = other.ok("DescribeSubnets", json!({ "Filter": filter }));
        seen = answer["subnetSet"] != json!([]);
    });
    seen
}
