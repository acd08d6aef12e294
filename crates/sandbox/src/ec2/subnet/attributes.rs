//! The settings of subnets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Subnet;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "ModifySubnetAttribute",
    &[
        "SubnetId",
        "MapPublicIpOnLaunch",
        "AssignIpv6AddressOnCreation",
        "EnableDns64",
        "EnableResourceNameDnsARecordOnLaunch",
        "EnableResourceNameDnsAAAARecordOnLaunch",
        "PrivateDnsHostnameTypeOnLaunch",
    ],
    modify_attribute,
);

/// What is set of a subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Settings {
    on: BTreeSet<Switch>,
    pub(super) hostname_type: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { on: BTreeSet::new(), hostname_type: "ip-name".to_owned() }
    }
}

impl Settings {
    /// Tells whether something is on.
    pub(super) fn is_on(&self, switch: Switch) -> bool {
        self.on.contains(&switch)
    }
}

/// Something that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Switch {
    MapPublicIp,
    AssignIpv6,
    Dns64,
    ARecord,
    AaaaRecord,
}

impl Switch {
    const ALL: [Self; 5] =
        [Self::MapPublicIp, Self::AssignIpv6, Self::Dns64, Self::ARecord, Self::AaaaRecord];

    fn parameter(self) -> &'static str {
        match self {
            Self::MapPublicIp => "MapPublicIpOnLaunch",
            Self::AssignIpv6 => "AssignIpv6AddressOnCreation",
            Self::Dns64 => "EnableDns64",
            Self::ARecord => "EnableResourceNameDnsARecordOnLaunch",
            Self::AaaaRecord => "EnableResourceNameDnsAAAARecordOnLaunch",
        }
    }

    /// Returns how messages name it, if it cannot be on without a range of IPv6.
    fn needs_ipv6(self) -> Option<&'static str> {
        match self {
            Self::MapPublicIp | Self::ARecord => None,
            Self::AssignIpv6 => Some("assign-ipv6-address-on-creation"),
            Self::Dns64 => Some("enable-dns64"),
            Self::AaaaRecord => Some("enable-resource-name-dns-aaaa-record-on-launch"),
        }
    }
}

/// Changes one attribute: "you can only modify one attribute at a time" (API reference,
/// `ModifySubnetAttribute`).
fn modify_attribute(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let id = parameters.required("SubnetId")?;
    let mut wanted = Vec::new();
    for switch in Switch::ALL {
        if let Some(on) = parameters.table(switch.parameter()).flag("Value")? {
            wanted.push((switch, on));
        }
    }
    let hostname_type = parameters.text("PrivateDnsHostnameTypeOnLaunch");
    if let Some(other) = hostname_type.filter(|name| !["ip-name", "resource-name"].contains(name)) {
        return Err(Refusal::value("privateDnsHostnameTypeOnLaunch", other));
    }
    let subnet = world.network(&call.region).own_subnet(call, id)?;
    match (wanted.as_slice(), hostname_type) {
        ([(switch, on)], None) => set(subnet, *switch, *on)?,
        ([], Some(name)) => name.clone_into(&mut subnet.settings.hostname_type),
        _ => {
            let message = "Exactly one attribute can be modified in a request";
            return Err(Refusal::new("InvalidParameterCombination", message));
        }
    }
    Ok(json!({ "return": true }))
}

fn set(subnet: &mut Subnet, switch: Switch, on: bool) -> Result<(), Refusal> {
    if let Some(name) = switch.needs_ipv6().filter(|_| on && subnet.ipv6.is_none()) {
        let message = format!(
            "Invalid value 'true' for {name}. Cannot set {name} to true unless the subnet ({}) has an IPv6 CIDR \
             block associated with it.",
            subnet.id
        );
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    if on {
        subnet.settings.on.insert(switch);
    } else {
        subnet.settings.on.remove(&switch);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::with_subnet;

    #[test]
    fn attributes_change_one_by_one() {
        let (mut account, _, subnet) = with_subnet();
        let change = json!({ "SubnetId": subnet, "MapPublicIpOnLaunch": { "Value": "true" } });
        account.ok("ModifySubnetAttribute", change.clone());
        let record =
            json!({ "SubnetId": subnet, "EnableResourceNameDnsARecordOnLaunch": { "Value": "true" } });
        account.ok("ModifySubnetAttribute", record);
        let names = json!({ "SubnetId": subnet, "PrivateDnsHostnameTypeOnLaunch": "resource-name" });
        account.ok("ModifySubnetAttribute", names);
        let seen = account.ok("DescribeSubnets", json!({ "SubnetId": [subnet] }))["subnetSet"][0].clone();
        assert_eq!(seen["mapPublicIpOnLaunch"], true);
        let expected = json!({
            "hostnameType": "resource-name",
            "enableResourceNameDnsARecord": true,
            "enableResourceNameDnsAAAARecord": false,
        });
        assert_eq!(seen["privateDnsNameOptionsOnLaunch"], expected);
        let mut two = change;
        two["PrivateDnsHostnameTypeOnLaunch"] = json!("resource-name");
        account.refused("ModifySubnetAttribute", two, "InvalidParameterCombination");
        let none = json!({ "SubnetId": subnet });
        account.refused("ModifySubnetAttribute", none, "InvalidParameterCombination");
        let unknown = json!({ "SubnetId": subnet, "PrivateDnsHostnameTypeOnLaunch": "x" });
        account.refused("ModifySubnetAttribute", unknown, "InvalidParameterValue");
    }
}
