//! Instance types: what a machine can do, and in which zones there are such machines.

mod table;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::describe::{Description, describe, texts};
use super::dry_run;
use super::zones::zones;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::World;
use table::TYPES;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "DescribeInstanceTypes",
        &["InstanceType", "Filter", "MaxResults", "NextToken", "IncludeUnsupportedInRegion", "DryRun"],
        describe_types,
    ),
    Operation::new(
        "DescribeInstanceTypeOfferings",
        &["LocationType", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_offerings,
    ),
];

/// An instance type.
#[derive(Debug)]
struct InstanceType {
    /// Such as `t3.medium`.
    name: &'static str,
    processor: Processor,
    processors: u32,
    /// In MiB.
    memory: u32,
    /// How many interfaces it can have, and how many addresses each of these.
    interfaces: (u32, u32),
    /// In words.
    network: &'static str,
}

/// Who makes the processors of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Processor {
    Amd,
    /// AWS itself.
    Graviton,
    Intel,
}

impl Processor {
    fn architecture(self) -> &'static str {
        match self {
            Self::Amd | Self::Intel => "x86_64",
            Self::Graviton => "arm64",
        }
    }

    fn manufacturer(self) -> &'static str {
        match self {
            Self::Amd => "AMD",
            Self::Graviton => "AWS",
            Self::Intel => "Intel",
        }
    }
}

/// The families that `DescribeInstanceTypes` no longer calls current.
const PREVIOUS: [&str; 5] = ["c5", "m5", "m6i", "r5", "r6i"];
/// The zone that has none of the types since the hypervisor is Nitro.
const OLD_ZONE: &str = "use1-az3";

impl InstanceType {
    const fn new(
        name: &'static str,
        processor: Processor,
        processors: u32,
        memory: u32,
        interfaces: (u32, u32),
        network: &'static str,
    ) -> Self {
        Self { name, processor, processors, memory, interfaces, network }
    }

    fn family(&self) -> &'static str {
        self.name.split('.').next().unwrap_or_default()
    }

    fn is_burstable(&self) -> bool {
        self.name.starts_with('t')
    }

    fn hypervisor(&self) -> &'static str {
        if self.family() == "t2" { "xen" } else { "nitro" }
    }

    /// Tells whether a new account may use it without paying.
    fn is_free(&self) -> bool {
        self.name.split('.').nth(1) == Some("micro")
    }

    fn is_current(&self) -> bool {
        !PREVIOUS.contains(&self.family())
    }

    /// Returns how many threads a core has: those of Graviton and of the oldest types have one.
    fn threads(&self) -> u32 {
        if self.processor == Processor::Graviton || self.family() == "t2" { 1 } else { 2 }
    }

    fn is_in_zone(&self, zone_id: &str) -> bool {
        zone_id != OLD_ZONE || self.hypervisor() == "xen"
    }

    fn shown(&self) -> Value {
        let (interfaces, addresses) = self.interfaces;
        let ena = if self.hypervisor() == "nitro" { "required" } else { "unsupported" };
        let card = json!({
            "networkCardIndex": 0,
            "networkPerformance": self.network,
            "maximumNetworkInterfaces": interfaces,
        });
        json!({
            "instanceType": self.name,
            "currentGeneration": self.is_current(),
            "freeTierEligible": self.is_free(),
            "supportedUsageClasses": ["on-demand", "spot"],
            "supportedRootDeviceTypes": ["ebs"],
            "supportedVirtualizationTypes": ["hvm"],
            "bareMetal": false,
            "hypervisor": self.hypervisor(),
            "processorInfo": {
                "supportedArchitectures": [self.processor.architecture()],
                "manufacturer": self.processor.manufacturer(),
            },
            "vCpuInfo": {
                "defaultVCpus": self.processors,
                "defaultCores": self.processors / self.threads(),
                "defaultThreadsPerCore": self.threads(),
            },
            "memoryInfo": { "sizeInMiB": self.memory },
            "instanceStorageSupported": false,
            "networkInfo": {
                "networkPerformance": self.network,
                "maximumNetworkInterfaces": interfaces,
                "maximumNetworkCards": 1,
                "defaultNetworkCardIndex": 0,
                "networkCards": [card],
                "ipv4AddressesPerInterface": addresses,
                "ipv6AddressesPerInterface": addresses,
                "ipv6Supported": true,
                "enaSupport": ena,
                "efaSupported": false,
            },
            "burstablePerformanceSupported": self.is_burstable(),
        })
    }

    fn filtered(&self, filter: &str) -> Option<Vec<String>> {
        let (interfaces, addresses) = self.interfaces;
        Some(match filter {
            "instance-type" => texts([self.name]),
            "current-generation" => texts([self.is_current()]),
            "hypervisor" => texts([self.hypervisor()]),
            "bare-metal" | "instance-storage-supported" => texts([false]),
            "burstable-performance-supported" => texts([self.is_burstable()]),
            "free-tier-eligible" => texts([self.is_free()]),
            "supported-usage-class" => texts(["on-demand", "spot"]),
            "supported-root-device-type" => texts(["ebs"]),
            "supported-virtualization-type" => texts(["hvm"]),
            "processor-info.supported-architecture" => texts([self.processor.architecture()]),
            "vcpu-info.default-vcpus" => texts([self.processors]),
            "memory-info.size-in-mib" => texts([self.memory]),
            "network-info.maximum-network-interfaces" => texts([interfaces]),
            "network-info.ipv4-addresses-per-interface" => texts([addresses]),
            "network-info.network-performance" => texts([self.network]),
            _ => return None,
        })
    }
}

static BY_NAME: LazyLock<BTreeMap<String, &InstanceType>> =
    LazyLock::new(|| TYPES.iter().map(|kind| (kind.name.to_owned(), kind)).collect());

/// Returns how many addresses an interface of an instance type can have; `None` if the type is not known.
pub(crate) fn addresses_of_interface(instance_type: &str) -> Option<usize> {
    let (_, addresses) = BY_NAME.get(instance_type)?.interfaces;
    usize::try_from(addresses).ok()
}

fn describe_types(_: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let description = Description {
        list: "instanceTypeSet",
        ids: "InstanceType",
        not_found: "InvalidInstanceType",
        visible: &|_: &&InstanceType| true,
        filter: &|kind, filter| kind.filtered(filter),
        shown: &|kind| kind.shown(),
        page: (5, 100),
    };
    describe(call, &BY_NAME, &description)
}

/// A type that a place has.
struct Offering {
    kind: &'static str,
    place: String,
}

fn describe_offerings(_: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let location_type = call.parameters.text("LocationType").unwrap_or("region");
    let places = places(call, location_type)?;
    let offered = |(zone_id, place): &(String, String)| {
        let there = TYPES.iter().filter(|kind| kind.is_in_zone(zone_id));
        let offering = |kind: &'static InstanceType| {
            (format!("{} {place}", kind.name), Offering { kind: kind.name, place: place.clone() })
        };
        there.map(offering).collect::<Vec<_>>()
    };
    let offerings: BTreeMap<_, _> = places.iter().flat_map(offered).collect();
    let description = Description {
        list: "instanceTypeOfferingSet",
        ids: "",
        not_found: "InvalidInstanceType",
        visible: &|_: &Offering| true,
        filter: &|offering, filter| match filter {
            "instance-type" => Some(texts([offering.kind])),
            "location" => Some(texts([&offering.place])),
            _ => None,
        },
        shown: &|offering| {
            json!({
                "instanceType": offering.kind,
                "locationType": location_type,
                "location": offering.place,
            })
        },
        page: (5, 1000),
    };
    describe(call, &offerings, &description)
}

/// Returns the ids of zones, with what a kind of locations calls the places there.
fn places(call: &Call, location_type: &str) -> Result<Vec<(String, String)>, Refusal> {
    let zones = zones(&call.region, &call.caller.account).into_iter();
    Ok(match location_type {
        "region" => zones.map(|zone| (zone.id, call.region.clone())).collect(),
        "availability-zone" => zones.map(|zone| (zone.id, zone.name)).collect(),
        "availability-zone-id" => zones.map(|zone| (zone.id.clone(), zone.id)).collect(),
        other => return Err(Refusal::value("locationType", other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::list;
    use crate::testing::Account;

    /// A t3.medium has two processors, 4 GiB, three interfaces with six addresses each ("Maximum IP addresses
    /// per network interface", EC2 user guide): 3 × (6 − 1) + 2 = 17 pods.
    #[test]
    fn types_have_the_figures_of_ec2() {
        let mut account = Account::new();
        let one = json!({ "InstanceType": ["t3.medium"] });
        let one = account.ok("DescribeInstanceTypes", one)["instanceTypeSet"][0].clone();
        assert_eq!(one["vCpuInfo"]["defaultVCpus"], 2);
        assert_eq!(one["memoryInfo"]["sizeInMiB"], 4096);
        assert_eq!(one["networkInfo"]["maximumNetworkInterfaces"], 3);
        assert_eq!(one["networkInfo"]["ipv4AddressesPerInterface"], 6);
        assert_eq!(one["processorInfo"]["supportedArchitectures"], json!(["x86_64"]));
        assert_eq!(addresses_of_interface("m5.large"), Some(10));
        account.refused(
            "DescribeInstanceTypes",
            json!({ "InstanceType": ["t9.huge"] }),
            "InvalidInstanceType",
        );
        let arm = json!([{ "Name": "processor-info.supported-architecture", "Value": ["arm64"] }]);
        let arm = account.ok("DescribeInstanceTypes", json!({ "Filter": arm }));
        let names = list(&arm, "instanceTypeSet").iter().map(|kind| kind["instanceType"].as_str());
        assert!(names.clone().count() > 5 && names.flatten().all(|name| name.contains('g')), "{arm}");
    }

    /// Zones differ in what they offer: those who asked use1-az3 for t3 were told that it is not there.
    #[test]
    fn not_every_zone_has_every_type() {
        let mut account = Account::new();
        let zones = |account: &mut Account, kind: &str| {
            let filter = json!([{ "Name": "instance-type", "Value": [kind] }]);
            let asked = json!({ "LocationType": "availability-zone-id", "Filter": filter });
            let answer = account.ok("DescribeInstanceTypeOfferings", asked);
            let offerings = list(&answer, "instanceTypeOfferingSet").iter();
            offerings.map(|offering| offering["location"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(zones(&mut account, "t2.micro").len(), 6);
        let five = zones(&mut account, "t3.medium");
        assert!(five.len() == 5 && !five.contains(&json!("use1-az3")), "{five:?}");
        assert!(zones(&mut account, "t9.huge").is_empty());
        let region = account.ok("DescribeInstanceTypeOfferings", json!({}));
        assert_eq!(list(&region, "instanceTypeOfferingSet")[0]["location"], "us-east-1");
        let outpost = json!({ "LocationType": "outpost" });
        account.refused("DescribeInstanceTypeOfferings", outpost, "InvalidParameterValue");
    }
}
