//! Ranges of addresses that are associated with a VPC or a subnet.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::describe::texts;
use crate::call::{Call, Refusal};

/// A range, and the association that it is had by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AddressRange {
    pub(super) association_id: String,
    pub(super) range: IpNet,
}

/// What answers say of ranges that are there.
pub(super) const ASSOCIATED: &str = "associated";

impl AddressRange {
    /// Returns it as answers have it, in this state.
    pub(super) fn shown(&self, state: &str, call: &Call) -> Value {
        let (block, block_state) = match self.range {
            IpNet::V4(_) => ("cidrBlock", "cidrBlockState"),
            IpNet::V6(_) => ("ipv6CidrBlock", "ipv6CidrBlockState"),
        };
        let mut shown = Map::new();
        shown.insert("associationId".to_owned(), json!(self.association_id));
        shown.insert(block.to_owned(), json!(self.range));
        shown.insert(block_state.to_owned(), json!({ "state": state }));
        if self.is_ipv6() {
            shown.insert("networkBorderGroup".to_owned(), json!(call.region));
            shown.insert("ipv6Pool".to_owned(), json!("Amazon"));
            shown.insert("ipSource".to_owned(), json!("amazon"));
            shown.insert("ipv6AddressAttribute".to_owned(), json!("public"));
        }
        Value::Object(shown)
    }

    /// Tells which protocol its addresses are of.
    pub(super) fn is_ipv6(&self) -> bool {
        matches!(self.range, IpNet::V6(_))
    }
}

/// Returns the values of a filter on ranges, by the part of its name after
/// `cidr-block-association.`.
pub(super) fn filtered<'a>(
    ranges: impl Iterator<Item = &'a AddressRange>,
    part: &str,
) -> Option<Vec<String>> {
    Some(match part {
        "association-id" => texts(ranges.map(|range| &range.association_id)),
        "cidr-block" | "ipv6-cidr-block" => texts(ranges.map(|range| range.range)),
        "state" => texts(ranges.map(|_| ASSOCIATED)),
        _ => return None,
    })
}

/// Tells whether two ranges have an address in common.
pub(super) fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// Reads a range, without the bits behind its prefix, which EC2 takes away.
pub(super) fn read(name: &str, text: &str) -> Result<IpNet, Refusal> {
    let range: IpNet = text.parse().map_err(|_| Refusal::value(name, text))?;
    Ok(range.trunc())
}
