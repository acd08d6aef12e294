//! Functions on address ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::argument::{ArgumentError, integer_argument, text_argument};
use super::{Body, Function, FunctionGroup, MANY};
use crate::value::Value;

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Address ranges",
    functions: &[
        Function::new(
            "cidrhost(range, number)",
            (2, 2),
            Body::Whole(cidrhost),
            "The address with a number in a range. Negative numbers count from the end.",
            ("cidrhost('10.0.0.0/24', -2)", "'10.0.0.254'"),
        ),
        Function::new(
            "cidrnetmask(range)",
            (1, 1),
            Body::Whole(cidrnetmask),
            "The mask of an IPv4 range.",
            ("cidrnetmask('10.0.0.0/20')", "'255.255.240.0'"),
        ),
        Function::new(
            "cidrsubnet(range, new_bits, number)",
            (3, 3),
            Body::Whole(cidrsubnet),
            "The part with a number, of the parts that so many more bits make.",
            ("cidrsubnet('10.0.0.0/16', 4, 9)", "'10.0.144.0/20'"),
        ),
        Function::new(
            "cidrsubnets(range, new_bits, ...)",
            (2, MANY),
            Body::Whole(cidrsubnets),
            "Parts that follow each other, each with so many more bits than the range.",
            ("cidrsubnets('10.0.0.0/16', 4, 4, 8)", "['10.0.0.0/20', '10.0.16.0/20', '10.0.32.0/24']"),
        ),
    ],
};

fn cidrsubnet(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let range = range_argument(arguments)?;
    let added = new_bits(&range, arguments, 1)?;
    let number = integer_argument(arguments, 2)?;
    let position = u128::try_from(number)
        .ok()
        .filter(|position| added >= 128 || *position < 1 << added)
        .ok_or_else(|| too_large(2, number, added))?;
    let length = range.prefix_len() + added;
    let host_bits = u32::from(range.max_prefix_len() - length);
    let offset = position.checked_shl(host_bits).unwrap_or(0);
    Ok(Value::from(part(&range, offset, length).to_string()))
}

fn cidrsubnets(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let range = range_argument(arguments)?;
    let last = last_offset(&range);
    // `None` once the range is full.
    let mut next = Some(0_u128);
    let mut parts = Vec::new();
    for argument in 1..arguments.len() {
        let length = range.prefix_len() + new_bits(&range, arguments, argument)?;
        let host_bits = range.max_prefix_len() - length;
        let inside = if host_bits >= 128 { u128::MAX } else { (1 << host_bits) - 1 };
        // A part begins at a multiple of its own size.
        let start = next.and_then(|next| next.checked_add(inside)).map(|end| end & !inside);
        let start = start.filter(|start| last - inside >= *start).ok_or_else(|| {
            ArgumentError::new(argument, format!("`{range}` has no room left for a part of /{length}"))
        })?;
        parts.push(part(&range, start, length).to_string());
        next = (start | inside).checked_add(1);
    }
    Ok(Value::from(parts))
}

fn cidrhost(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let range = range_argument(arguments)?;
    let number = integer_argument(arguments, 1)?;
    let last = last_offset(&range);
    let distance = u128::from(number.unsigned_abs());
    let offset = if number < 0 { last.checked_sub(distance - 1) } else { Some(distance) };
    let bits = range.max_prefix_len() - range.prefix_len();
    let offset = offset.filter(|offset| *offset <= last).ok_or_else(|| too_large(1, number, bits))?;
    Ok(Value::from(address_at(&range, offset).to_string()))
}

fn cidrnetmask(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    match range_argument(arguments)? {
        IpNet::V4(range) => Ok(Value::from(range.netmask().to_string())),
        IpNet::V6(_) => Err(ArgumentError::new(0, "ranges of IPv6 have no mask, only a length")),
    }
}

fn range_argument(arguments: &[&Value]) -> Result<IpNet, ArgumentError> {
    let text = text_argument(arguments, 0)?;
    let range: IpNet = text.parse().map_err(|_| {
        ArgumentError::new(0, format!("`{}` is no address range such as `10.0.0.0/16`", text.escape_debug()))
    })?;
    Ok(range.trunc())
}

fn new_bits(range: &IpNet, arguments: &[&Value], argument: usize) -> Result<u8, ArgumentError> {
    let bits = integer_argument(arguments, argument)?;
    let available = range.max_prefix_len() - range.prefix_len();
    u8::try_from(bits).ok().filter(|added| *added <= available).ok_or_else(|| {
        ArgumentError::new(argument, format!("`{range}` has room for 0 to {available} more bits, not {bits}"))
    })
}

fn last_offset(range: &IpNet) -> u128 {
    let bits = range.max_prefix_len() - range.prefix_len();
    if bits >= 128 { u128::MAX } else { (1 << bits) - 1 }
}

fn part(range: &IpNet, offset: u128, length: u8) -> IpNet {
    IpNet::new(address_at(range, offset), length).expect("the length was checked against the range")
}

fn address_at(range: &IpNet, offset: u128) -> IpAddr {
    match range {
        IpNet::V4(range) => {
            let offset = u32::try_from(offset).expect("the offset was checked against the range");
            IpAddr::V4(Ipv4Addr::from(u32::from(range.network()) | offset))
        }
        IpNet::V6(range) => IpAddr::V6(Ipv6Addr::from(u128::from(range.network()) | offset)),
    }
}

fn too_large(argument: usize, number: i64, bits: u8) -> ArgumentError {
    let values = if bits < 64 { (1_u64 << bits).to_string() } else { format!("2^{bits}") };
    ArgumentError::new(
        argument,
        format!("{bits} bits number {values} places from 0, and {number} is not among them"),
    )
}
