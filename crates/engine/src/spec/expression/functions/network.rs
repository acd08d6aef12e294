//! Functions on address ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::{ArgumentError, integer_argument, text_argument};
use crate::value::Value;

/// The subnet with a number, of the subnets that so many more bits make.
pub(super) fn cidrsubnet(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let prefix = prefix_argument(arguments)?;
    let (bits, number) = (integer_argument(arguments, 1)?, integer_argument(arguments, 2)?);
    let available = prefix.max_prefix_len() - prefix.prefix_len();
    let added = u8::try_from(bits).ok().filter(|added| *added <= available).ok_or_else(|| {
        ArgumentError::new(1, format!("`{prefix}` has room for 0 to {available} more bits, not {bits}"))
    })?;
    let number = u128::try_from(number)
        .ok()
        .filter(|number| added >= 128 || *number < 1 << added)
        .ok_or_else(|| too_large(2, number, added))?;
    let length = prefix.prefix_len() + added;
    let host_bits = u32::from(prefix.max_prefix_len() - length);
    let offset = number.checked_shl(host_bits).unwrap_or(0);
    let subnet = IpNet::new(address_at(&prefix, offset), length).expect("the length was checked above");
    Ok(Value::from(subnet.to_string()))
}

/// The address with a number in a prefix; negative numbers count from the end.
pub(super) fn cidrhost(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let prefix = prefix_argument(arguments)?;
    let number = integer_argument(arguments, 1)?;
    let bits = prefix.max_prefix_len() - prefix.prefix_len();
    let last = if bits >= 128 { u128::MAX } else { (1 << bits) - 1 };
    let distance = u128::from(number.unsigned_abs());
    let offset = if number < 0 { (last).checked_sub(distance - 1) } else { Some(distance) };
    let offset = offset.filter(|offset| *offset <= last).ok_or_else(|| too_large(1, number, bits))?;
    Ok(Value::from(address_at(&prefix, offset).to_string()))
}

fn prefix_argument(arguments: &[Value]) -> Result<IpNet, ArgumentError> {
    let text = text_argument(arguments, 0)?;
    let prefix: IpNet = text.parse().map_err(|_| {
        ArgumentError::new(0, format!("`{}` is no address range such as `10.0.0.0/16`", text.escape_debug()))
    })?;
    Ok(prefix.trunc())
}

fn address_at(prefix: &IpNet, offset: u128) -> IpAddr {
    match prefix {
        IpNet::V4(prefix) => {
            let offset = u32::try_from(offset).expect("the offset was checked against the prefix");
            IpAddr::V4(Ipv4Addr::from(u32::from(prefix.network()) | offset))
        }
        IpNet::V6(prefix) => IpAddr::V6(Ipv6Addr::from(u128::from(prefix.network()) | offset)),
    }
}

fn too_large(argument: usize, number: i64, bits: u8) -> ArgumentError {
    let values = if bits < 64 { (1_u64 << bits).to_string() } else { format!("2^{bits}") };
    ArgumentError::new(
        argument,
        format!("{bits} bits number {values} places from 0, and {number} is not among them"),
    )
}
