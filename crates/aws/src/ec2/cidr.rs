//! Address ranges in CIDR notation, in the form in which EC2 returns them.

use ipnet::{Ipv4Net, Ipv6Net};
use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

/// Puts an IPv4 range into its canonical form, as EC2 does: `100.68.0.18/18` becomes `100.68.0.0/18`.
pub(crate) fn normalize_ipv4(text: &str) -> Result<String, String> {
    let range: Ipv4Net =
        text.parse().map_err(|_| format!("`{text}` is no IPv4 range such as 10.0.0.0/16"))?;
    Ok(range.trunc().to_string())
}

/// Puts an IPv6 range into its canonical form, as EC2 does.
pub(crate) fn normalize_ipv6(text: &str) -> Result<String, String> {
    let range: Ipv6Net =
        text.parse().map_err(|_| format!("`{text}` is no IPv6 range such as 2001:db8::/64"))?;
    Ok(range.trunc().to_string())
}

/// Says what is wrong with the size of the IPv4 range of a VPC or subnet, if it is known.
pub(crate) fn check_ipv4_size(inputs: &ValueMap, attribute: &'static str, of: &str) -> Option<Problem> {
    let range: Ipv4Net = inputs.get(attribute).and_then(Value::as_str)?.parse().ok()?;
    let length = range.prefix_len();
    (!(16..=28).contains(&length)).then(|| Problem {
        attribute,
        message: format!("The range {range} is a /{length}, but that of a {of} is between /16 and /28."),
        hint: Some(format!("Write a range such as {}/{}.", range.trunc().addr(), length.clamp(16, 28))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_canonical() {
        assert_eq!(normalize_ipv4("100.68.0.18/18"), Ok("100.68.0.0/18".to_owned()));
        assert_eq!(normalize_ipv6("2001:DB8:0:0::1/64"), Ok("2001:db8::/64".to_owned()));
        assert_eq!(
            normalize_ipv4("10.0.0.0"),
            Err("`10.0.0.0` is no IPv4 range such as 10.0.0.0/16".to_owned())
        );
        normalize_ipv6("10.0.0.0/16").expect_err("that is IPv4");
    }

    #[test]
    fn sizes_are_checked_where_they_are_known() {
        let check = |range: &str| {
            let inputs = ValueMap::from([("cidr_block".to_owned(), Value::from(range))]);
            check_ipv4_size(&inputs, "cidr_block", "VPC").and_then(|problem| problem.hint)
        };
        assert_eq!(check("10.0.0.0/16"), None);
        assert_eq!(check("10.0.0.0/28"), None);
        assert_eq!(check("10.0.0.0/8"), Some("Write a range such as 10.0.0.0/16.".to_owned()));
        assert_eq!(check("10.0.0.0/29"), Some("Write a range such as 10.0.0.0/28.".to_owned()));
        assert_eq!(check_ipv4_size(&ValueMap::new(), "cidr_block", "VPC"), None);
    }
}
