//! `lookup` of the `zones` of a region, under the names that an account has for them.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::AvailabilityZone;
use straddle_engine::lookup::{Lookup, Match};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::Attributes;

use super::Filters;
use crate::client::Client;
use crate::ec2::SERVICE;
use crate::error::failed;

/// The lookup.
pub(crate) struct FindZones;

/// The zones of the account's region. Their names are the account's own: `us-east-1a` of one account may
/// be `us-east-1c` of another, and only the ids are the same everywhere.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ZonesInputs {
    /// Only zones in this state, such as `available`.
    state: Option<String>,
    /// Only zones of this sort.
    #[attribute(one_of = ["availability-zone", "local-zone", "wavelength-zone"])]
    zone_type: Option<String>,
}

/// What EC2 says of the zones.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ZonesOutputs {
    /// The ids, sorted.
    ids: Vec<String>,
    /// The names, sorted.
    names: Vec<String>,
    /// The ids by name.
    id_of: BTreeMap<String, String>,
    /// The names by id.
    name_of: BTreeMap<String, String>,
    /// The states by id.
    state_of: BTreeMap<String, String>,
}

impl Lookup for FindZones {
    const KIND: &'static str = "zones";
    const SERVICE: &'static str = SERVICE;
    const ACTIONS: &'static [&'static str] = &["ec2:DescribeAvailabilityZones"];
    const EXAMPLE: &'static str = r#"
[lookup.zones]
kind      = "zones"
zone_type = "availability-zone"

[output.names]
value = "${lookup.zones.name_of}"
"#;

    type Inputs = ZonesInputs;
    type Outputs = ZonesOutputs;
    type Client = Client;

    async fn read(client: &Client, inputs: &ZonesInputs) -> Result<Vec<Match<ZonesOutputs>>, ProviderError> {
        let filters = Filters::default()
            .with("state", inputs.state.as_ref())
            .with("zone-type", inputs.zone_type.as_ref());
        let call = client.ec2.reads.describe_availability_zones().set_filters(filters.into_sdk());
        let answer = call.send().await.map_err(failed("DescribeAvailabilityZones"))?;
        let outputs = outputs(answer.availability_zones());
        Ok(vec![Match { id: client.place.region.clone(), name: None, outputs }])
    }
}

fn outputs(zones: &[AvailabilityZone]) -> ZonesOutputs {
    let mut outputs = ZonesOutputs::default();
    for zone in zones {
        let (Some(id), Some(name)) = (zone.zone_id(), zone.zone_name()) else { continue };
        outputs.id_of.insert(name.to_owned(), id.to_owned());
        outputs.name_of.insert(id.to_owned(), name.to_owned());
        let state = zone.state().map(|state| state.as_str().to_owned());
        outputs.state_of.insert(id.to_owned(), state.unwrap_or_default());
    }
    outputs.ids = outputs.name_of.keys().cloned().collect();
    outputs.names = outputs.id_of.keys().cloned().collect();
    outputs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_by_name_and_by_id() {
        let zone = |id: &str, name: &str| AvailabilityZone::builder().zone_id(id).zone_name(name).build();
        let found = outputs(&[zone("use1-az2", "us-east-1a"), zone("use1-az1", "us-east-1b")]);
        assert_eq!(found.ids, ["use1-az1", "use1-az2"]);
        assert_eq!(found.names, ["us-east-1a", "us-east-1b"]);
        assert_eq!(found.id_of["us-east-1a"], "use1-az2");
        assert_eq!(found.name_of["use1-az1"], "us-east-1b");
    }
}
