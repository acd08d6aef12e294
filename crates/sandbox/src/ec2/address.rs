//! Elastic IP addresses: public addresses that stay an account's until it releases them.

mod association;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address_pool::address;
use super::describe::{Description, describe, texts};
use super::network_interface::PublicAddress;
use super::ownership::{Thing, own};
use super::tags::Tags;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::quotas;
use crate::world::{AccountId, World};

pub(super) use association::OPERATIONS as ASSOCIATION_OPERATIONS;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "AllocateAddress",
        &[
            "Domain",
            "Address",
            "PublicIpv4Pool",
            "IpamPoolId",
            "NetworkBorderGroup",
            "TagSpecification",
            "DryRun",
        ],
        allocate,
    ),
    Operation::new(
        "DescribeAddresses",
        &["AllocationId", "PublicIp", "Filter", "DryRun"],
        describe_addresses,
    ),
    Operation::new("ReleaseAddress", &["AllocationId", "PublicIp", "NetworkBorderGroup", "DryRun"], release),
];

/// The pool that addresses come from unless an account brings its own.
const AMAZON_POOL: &str = "amazon";

/// An Elastic IP address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Address {
    id: String,
    owner: AccountId,
    pub(super) public_ip: Ipv4Addr,
    pub(super) association: Option<Association>,
    pub(super) tags: Tags,
}

/// Which private address an Elastic IP address stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Association {
    pub(super) id: String,
    pub(super) interface_id: String,
    pub(super) private_address: Ipv4Addr,
}

impl Thing for Address {
    const NOUN: &'static str = "allocation";
    const NOT_FOUND: &'static str = "InvalidAllocationID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

/// Which public addresses there are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct PublicAddresses {
    /// How many were given out for the first time.
    given: u32,
    /// Those that were released, with who had them last.
    released: BTreeMap<Ipv4Addr, AccountId>,
}

/// The first address of the range for benchmarks, which is nobody's on the internet (RFC 2544).
const FIRST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

impl PublicAddresses {
    fn give(&mut self) -> Ipv4Addr {
        let address = Ipv4Addr::from(u32::from(FIRST) + self.given);
        self.given += 1;
        address
    }

    /// Gives an account back an address that it released: "You might be able to recover it"
    /// (API reference, `ReleaseAddress`).
    fn recover(&mut self, address: Ipv4Addr, account: &AccountId) -> Result<Ipv4Addr, Refusal> {
        if self.released.get(&address) == Some(account) {
            self.released.remove(&address);
            return Ok(address);
        }
        let message = format!("Address '{address}' is not available.");
        Err(Refusal::new("InvalidAddress.NotFound", message))
    }
}

impl Network {
    /// Makes the first address of a service's interface known to the internet, by an address that is the
    /// service's own.
    pub(crate) fn publish(&mut self, interface_id: &str, service: &str) {
        let Some(interface) = self.interfaces.get(interface_id) else { return };
        let private_address = interface.primary_address();
        let public = PublicAddress {
            address: self.public_addresses.give(),
            owner: service.to_owned(),
            allocation_id: None,
            association_id: None,
        };
        self.map(interface_id, private_address, public);
    }

    /// Returns an address that the caller has, by its id or else by itself.
    pub(super) fn own_address(&mut self, call: &Call) -> Result<&mut Address, Refusal> {
        let parameters = &call.parameters;
        if let Some(id) = parameters.text("AllocationId") {
            return own(call, &mut self.addresses, id, false);
        }
        let public_ip = parameters.required("PublicIp")?;
        let mut own = self.addresses.values_mut().filter(|address| address.owner == call.caller.account);
        own.find(|address| address.public_ip.to_string() == public_ip)
            .ok_or_else(|| no_such_address(public_ip))
    }
}

fn allocate(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    check_source(call)?;
    let wanted = address(parameters, "Address")?;
    let tags = tags::at_birth(parameters, "elastic-ip")?;
    let owner = call.caller.account.clone();
    let most = world.quota(&owner, quotas::ADDRESSES);
    let network = world.network(&call.region);
    if network.addresses.values().filter(|address| address.owner == owner).count() >= most {
        let message = "The maximum number of addresses has been reached.";
        return Err(Refusal::new("AddressLimitExceeded", message));
    }
    dry_run(call)?;
    let public_ip = match wanted {
        Some(address) => network.public_addresses.recover(address, &owner)?,
        None => network.public_addresses.give(),
    };
    let made = Address { id: world.new_id("eipalloc"), owner, public_ip, association: None, tags };
    let answer = json!({
        "allocationId": made.id,
        "publicIp": public_ip,
        "domain": "vpc",
        "publicIpv4Pool": AMAZON_POOL,
        "networkBorderGroup": call.region,
    });
    world.network(&call.region).addresses.insert(made.id.clone(), made);
    Ok(answer)
}

/// Refuses pools and border groups that are not there.
fn check_source(call: &Call) -> Result<(), Refusal> {
    let parameters = &call.parameters;
    if let Some(domain) = parameters.text("Domain").filter(|domain| *domain != "vpc") {
        return Err(Refusal::value("domain", domain));
    }
    if let Some(group) = parameters.text("NetworkBorderGroup").filter(|group| *group != call.region) {
        return Err(Refusal::value("networkBorderGroup", group));
    }
    if let Some(pool) = parameters.text("IpamPoolId") {
        let message = format!("The ipam-pool ID '{pool}' does not exist");
        return Err(Refusal::new("InvalidIpamPoolId.NotFound", message));
    }
    match parameters.text("PublicIpv4Pool").filter(|pool| *pool != AMAZON_POOL) {
        Some(pool) => {
            let message = format!("The pool ID '{pool}' does not exist");
            Err(Refusal::new("InvalidPublicIpv4PoolID.NotFound", message))
        }
        None => Ok(()),
    }
}

fn describe_addresses(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let wanted = call.parameters.texts("PublicIp");
    let own = |address: &&Address| address.owner == call.caller.account;
    for public_ip in &wanted {
        let mut all = network.addresses.values().filter(own);
        if !all.any(|address| address.public_ip.to_string() == *public_ip) {
            return Err(no_such_address(public_ip));
        }
    }
    let asked_for =
        |address: &Address| wanted.is_empty() || wanted.contains(&address.public_ip.to_string().as_str());
    let description = Description {
        list: "addressesSet",
        ids: "AllocationId",
        not_found: Address::NOT_FOUND,
        visible: &|address| own(&address) && asked_for(address),
        filter: &|address, filter| filtered(network, address, call, filter),
        shown: &|address| shown(network, address, call),
        // `DescribeAddresses` has no pages.
        page: (1, i64::MAX),
    };
    describe(call, &network.addresses, &description)
}

fn no_such_address(public_ip: &str) -> Refusal {
    Refusal::new("InvalidAddress.NotFound", format!("Address '{public_ip}' not found."))
}

fn shown(network: &Network, address: &Address, call: &Call) -> Value {
    let association = address.association.as_ref();
    json!({
        "allocationId": address.id,
        "publicIp": address.public_ip,
        "domain": "vpc",
        "publicIpv4Pool": AMAZON_POOL,
        "networkBorderGroup": call.region,
        "associationId": association.map(|association| &association.id),
        "networkInterfaceId": association.map(|association| &association.interface_id),
        "networkInterfaceOwnerId": interface_owner(network, address),
        "privateIpAddress": association.map(|association| association.private_address),
        "tagSet": tags::shown(&address.tags),
    })
}

fn interface_owner<'a>(network: &'a Network, address: &Address) -> Option<&'a str> {
    let interface = network.interfaces.get(&address.association.as_ref()?.interface_id)?;
    Some(interface.owner().as_str())
}

fn filtered(network: &Network, address: &Address, call: &Call, filter: &str) -> Option<Vec<String>> {
    let association = address.association.iter();
    Some(match filter {
        "allocation-id" => texts([&address.id]),
        "public-ip" => texts([address.public_ip]),
        "domain" => texts(["vpc"]),
        "network-border-group" => texts([&call.region]),
        "association-id" => texts(association.map(|association| &association.id)),
        "network-interface-id" => texts(association.map(|association| &association.interface_id)),
        "network-interface-owner-id" => texts(interface_owner(network, address)),
        "private-ip-address" => texts(association.map(|association| association.private_address)),
        "instance-id" => Vec::new(),
        _ => return tags::filtered(&address.tags, filter),
    })
}

fn release(world: &mut World, call: &Call) -> Answer {
    let network = world.network(&call.region);
    let address = network.own_address(call)?;
    let (id, public_ip) = (address.id.clone(), address.public_ip);
    // "If you provide an incorrect network border group, you receive an InvalidAddress.NotFound
    // error" (API reference, `ReleaseAddress`).
    if call.parameters.text("NetworkBorderGroup").is_some_and(|group| group != call.region) {
        return Err(no_such_address(&public_ip.to_string()));
    }
    // "You must disassociate the Elastic IP address before you can release it. Otherwise, Amazon
    // EC2 returns an error (InvalidIPAddress.InUse)" (the same page).
    if address.association.is_some() {
        return Err(Refusal::new("InvalidIPAddress.InUse", format!("Address {public_ip} is in use.")));
    }
    dry_run(call)?;
    network.addresses.remove(&id);
    network.public_addresses.released.insert(public_ip, call.caller.account.clone());
    Ok(json!({ "return": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{address, list};
    use crate::testing::{Account, text};

    #[test]
    fn an_address_is_allocated_described_and_released() {
        let mut account = Account::new();
        let tag = json!([{ "ResourceType": "elastic-ip", "Tag": [{ "Key": "Name", "Value": "nat" }] }]);
        let made = account.ok("AllocateAddress", json!({ "Domain": "vpc", "TagSpecification": tag }));
        for filter in [
            json!({ "AllocationId": [made["allocationId"]] }),
            json!({ "PublicIp": [made["publicIp"]] }),
            json!({ "Filter": [{ "Name": "tag:Name", "Value": ["nat"] }] }),
            json!({ "Filter": [{ "Name": "public-ip", "Value": [made["publicIp"]] }] }),
        ] {
            let seen = account.ok("DescribeAddresses", filter);
            assert_eq!(list(&seen, "addressesSet")[0]["allocationId"], made["allocationId"]);
            assert_eq!(list(&seen, "addressesSet")[0]["networkBorderGroup"], "us-east-1");
        }
        let one = json!({ "AllocationId": made["allocationId"], "NetworkBorderGroup": "us-east-1" });
        let elsewhere = json!({ "AllocationId": made["allocationId"], "NetworkBorderGroup": "us-west-2" });
        account.refused("ReleaseAddress", elsewhere, "InvalidAddress.NotFound");
        account.ok("ReleaseAddress", one.clone());
        account.refused("ReleaseAddress", one, "InvalidAllocationID.NotFound");
        let gone = json!({ "PublicIp": [made["publicIp"]] });
        account.refused("DescribeAddresses", gone, "InvalidAddress.NotFound");
    }

    #[test]
    fn an_account_has_five_addresses_of_its_own() {
        let mut account = Account::new();
        let first = address(&mut account);
        for _ in 1..quotas::ADDRESSES.value {
            address(&mut account);
        }
        account.refused("AllocateAddress", json!({}), "AddressLimitExceeded");
        account.other(|other| {
            let one = json!({ "AllocationId": first });
            other.refused("ReleaseAddress", one, "InvalidAllocationID.NotFound");
            assert!(list(&other.ok("DescribeAddresses", json!({})), "addressesSet").is_empty());
            address(other);
        });
    }

    #[test]
    fn an_address_that_was_released_can_be_recovered_by_who_had_it() {
        let mut account = Account::new();
        let made = account.ok("AllocateAddress", json!({}));
        let wanted = json!({ "Address": text(&made["publicIp"]) });
        account.refused("AllocateAddress", wanted.clone(), "InvalidAddress.NotFound");
        account.ok("ReleaseAddress", json!({ "PublicIp": made["publicIp"] }));
        account.other(|other| other.refused("AllocateAddress", wanted.clone(), "InvalidAddress.NotFound"));
        let again = account.ok("AllocateAddress", wanted);
        assert_eq!(again["publicIp"], made["publicIp"]);
        assert_ne!(again["allocationId"], made["allocationId"]);
    }

    #[test]
    fn sources_that_are_not_there_are_refused() {
        let mut account = Account::new();
        for (name, value, code) in [
            ("Domain", "standard", "InvalidParameterValue"),
            ("NetworkBorderGroup", "us-west-2", "InvalidParameterValue"),
            ("IpamPoolId", "ipam-pool-0", "InvalidIpamPoolId.NotFound"),
            ("PublicIpv4Pool", "ipv4pool-ec2-0", "InvalidPublicIpv4PoolID.NotFound"),
            ("Address", "x", "InvalidParameterValue"),
        ] {
            account.refused("AllocateAddress", json!({ name: value }), code);
        }
    }
}
