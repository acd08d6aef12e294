//! Address ranges, in the form in which the cloud returns them.

use ipnet::Ipv4Net;

/// Puts a range into the form in which the cloud returns it: `10.0.1.7/24` is `10.0.1.0/24`.
pub(super) fn normalize(text: &str) -> Result<String, String> {
    let range: Ipv4Net = text.parse().map_err(|_| format!("`{text}` is no range such as 10.0.0.0/16"))?;
    Ok(range.trunc().to_string())
}
