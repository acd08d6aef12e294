//! What a rule of a security group allows, in the words of the spec and in those of EC2.

use aws_sdk_ec2::types;
use ipnet::IpNet;

/// The protocols that have ports, and those that have types and codes.
const WITH_PORTS: [&str; 2] = ["tcp", "udp"];
const WITH_TYPES: [&str; 2] = ["icmp", "icmpv6"];

/// Names of protocols with their numbers (IANA, "Protocol Numbers"). EC2 returns a name for the
/// first four and a number for the others.
const PROTOCOLS: [(&str, &str); 12] = [
    ("tcp", "6"),
    ("udp", "17"),
    ("icmp", "1"),
    ("icmpv6", "58"),
    ("igmp", "2"),
    ("ipip", "4"),
    ("gre", "47"),
    ("esp", "50"),
    ("ah", "51"),
    ("ospf", "89"),
    ("vrrp", "112"),
    ("sctp", "132"),
];

/// The word for every protocol, and for every port.
pub(crate) const ALL: &str = "all";

/// The word for the group that a rule belongs to.
pub(crate) const SELF: &str = "self";

/// How many characters a name or a description has at most.
const TEXT_LENGTH: usize = 255;

/// What a protocol's `ports` mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ports {
    /// Ports.
    Numbers,
    /// A type and a code.
    Types,
    /// Nothing: such a rule is always about all of the protocol.
    None,
}

/// Tells what `ports` mean for a protocol in its normal form.
pub(crate) fn ports_of(protocol: &str) -> Ports {
    if WITH_PORTS.contains(&protocol) {
        Ports::Numbers
    } else if WITH_TYPES.contains(&protocol) {
        Ports::Types
    } else {
        Ports::None
    }
}

/// Puts a protocol into one form: a name where EC2 uses one, else a number, `all` for all.
pub(crate) fn normalize_protocol(text: &str) -> Result<String, String> {
    let word = text.to_ascii_lowercase();
    if word == ALL || word == "-1" {
        return Ok(ALL.to_owned());
    }
    let known = PROTOCOLS.iter().position(|(name, number)| word == *name || word == *number);
    if let Some(position) = known {
        let (name, number) = PROTOCOLS[position];
        return Ok(if position < 4 { name } else { number }.to_owned());
    }
    match word.parse::<u8>() {
        Ok(number) => Ok(number.to_string()),
        Err(_) => {
            Err(format!("`{text}` is no protocol; write `tcp`, `udp`, `icmp`, `icmpv6`, `all` or a number"))
        }
    }
}

/// Puts ports into one form: `80`, `80-90`, `all`, and for ICMP `8` or `3/4`.
pub(crate) fn normalize_ports(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case(ALL) || text == "-1" || text == "-1/-1" {
        return Ok(ALL.to_owned());
    }
    let wrong = || {
        format!(
            "`{text}` is neither a port such as 80, nor a range such as 8000-8080, nor `all`, nor an ICMP type and code such as 3/4"
        )
    };
    if let Some((kind, code)) = text.split_once('/') {
        let kind: u8 = kind.trim().parse().map_err(|_| wrong())?;
        return match code.trim() {
            "-1" => Ok(kind.to_string()),
            code => Ok(format!("{kind}/{}", code.parse::<u8>().map_err(|_| wrong())?)),
        };
    }
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let from: u16 = from.trim().parse().map_err(|_| wrong())?;
    let to: u16 = to.trim().parse().map_err(|_| wrong())?;
    match (from, to) {
        (0, u16::MAX) => Ok(ALL.to_owned()),
        _ if from > to => Err(format!("`{text}` ends before it begins")),
        _ if from == to => Ok(from.to_string()),
        _ => Ok(format!("{from}-{to}")),
    }
}

/// Puts a range of IPv4 or IPv6 addresses into the form in which EC2 returns it.
pub(crate) fn normalize_cidr(text: &str) -> Result<String, String> {
    let range: IpNet = text
        .parse()
        .map_err(|_| format!("`{text}` is no range such as 10.0.0.0/16, 203.0.113.7/32 or 2001:db8::/64"))?;
    Ok(range.trunc().to_string())
}

/// Checks the text that describes a rule.
pub(crate) fn normalize_description(text: &str) -> Result<String, String> {
    check_text(text)?;
    Ok(text.to_owned())
}

/// Checks the length and the alphabet of a name or a description (API reference,
/// `CreateSecurityGroup` and `IpRange`).
pub(crate) fn check_text(text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if length > TEXT_LENGTH {
        return Err(format!("it has {length} characters, and at most {TEXT_LENGTH} are allowed"));
    }
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(character);
    match text.chars().find(|character| !allowed(*character)) {
        None => Ok(()),
        Some(wrong) => Err(format!(
            "it has the character `{}`; allowed are letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$*",
            wrong.escape_debug()
        )),
    }
}

/// The protocol as EC2 takes it.
pub(crate) fn protocol_to_sdk(protocol: &str) -> &str {
    if protocol == ALL { "-1" } else { protocol }
}

/// The first and the last port as EC2 takes them, or the type and the code.
pub(crate) fn ports_to_sdk(protocol: &str, ports: &str) -> (Option<i32>, Option<i32>) {
    let number = |text: &str| text.parse().ok();
    match (ports_of(protocol), ports) {
        (Ports::None, _) if protocol == ALL => (None, None),
        (Ports::None, _) | (Ports::Types, ALL) => (Some(-1), Some(-1)),
        (Ports::Numbers, ALL) => (Some(0), Some(i32::from(u16::MAX))),
        (Ports::Numbers, ports) => {
            let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
            (number(from), number(to))
        }
        (Ports::Types, ports) => match ports.split_once('/') {
            Some((kind, code)) => (number(kind), number(code)),
            None => (number(ports), Some(-1)),
        },
    }
}

/// The protocol that a rule is about.
pub(crate) fn protocol(rule: &types::SecurityGroupRule) -> String {
    let text = rule.ip_protocol().unwrap_or("-1");
    normalize_protocol(text).unwrap_or_else(|_| text.to_owned())
}

/// The ports that a rule is about, or the type and the code.
pub(crate) fn ports(rule: &types::SecurityGroupRule) -> String {
    let (from, to) = (rule.from_port().unwrap_or(-1), rule.to_port().unwrap_or(-1));
    match (ports_of(&protocol(rule)), from, to) {
        (Ports::None, ..) | (_, -1, _) | (Ports::Numbers, 0, 65535) => ALL.to_owned(),
        (Ports::Numbers, from, to) if from == to => from.to_string(),
        (Ports::Numbers, from, to) => format!("{from}-{to}"),
        (Ports::Types, kind, -1) => kind.to_string(),
        (Ports::Types, kind, code) => format!("{kind}/{code}"),
    }
}

/// The range of addresses that a rule is about.
pub(crate) fn cidr(rule: &types::SecurityGroupRule) -> Option<String> {
    let text = rule.cidr_ipv4().or(rule.cidr_ipv6())?;
    Some(normalize_cidr(text).unwrap_or_else(|_| text.to_owned()))
}

/// The group that a rule is about; `self` for its own.
pub(crate) fn source(rule: &types::SecurityGroupRule) -> Option<String> {
    let group = rule.referenced_group_info()?.group_id()?;
    Some(if rule.group_id() == Some(group) { SELF } else { group }.to_owned())
}

/// The account of the group that a rule is about.
pub(crate) fn source_account(rule: &types::SecurityGroupRule) -> Option<String> {
    rule.referenced_group_info()?.user_id().map(str::to_owned)
}

/// Which way the traffic goes that a rule allows.
pub(crate) fn direction(rule: &types::SecurityGroupRule) -> &'static str {
    if rule.is_egress() == Some(true) { EGRESS } else { INGRESS }
}

/// To the members of a group.
pub(crate) const INGRESS: &str = "ingress";
/// From the members of a group.
pub(crate) const EGRESS: &str = "egress";

/// Describes a rule in one line that begins with its id and its direction.
pub(crate) fn describe(rule: &types::SecurityGroupRule) -> String {
    let id = rule.security_group_rule_id().unwrap_or_default();
    let (direction, protocol, ports) = (direction(rule), protocol(rule), ports(rule));
    let preposition = if direction == EGRESS { "to" } else { "from" };
    let ports = if ports == ALL { String::new() } else { format!(" {ports}") };
    let peer = cidr(rule).or_else(|| rule.prefix_list_id().map(str::to_owned)).or_else(|| source(rule));
    let peer = peer.unwrap_or_else(|| "nothing".to_owned());
    let description = rule.description().filter(|text| !text.is_empty());
    let description = description.map(|text| format!(" ({text})")).unwrap_or_default();
    format!("{id} {direction} {protocol}{ports} {preposition} {peer}{description}")
}

/// Returns the id and the direction of a rule that [`describe`] has described.
pub(crate) fn described(text: &str) -> Option<(&str, &'static str)> {
    let mut words = text.split(' ');
    let (id, direction) = (words.next()?, words.next()?);
    Some((id, if direction == EGRESS { EGRESS } else { INGRESS }))
}

/// Tells whether a rule that [`describe`] has described is about another group.
pub(crate) fn is_about_a_group(text: &str) -> bool {
    let mut words = text.split(' ').skip_while(|word| !matches!(*word, "to" | "from"));
    words.nth(1).is_some_and(|peer| peer.starts_with("sg-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports_read_back(protocol: &str, text: &str) -> String {
        let (from, to) = ports_to_sdk(protocol, text);
        let rule = types::SecurityGroupRule::builder().ip_protocol(protocol_to_sdk(protocol));
        ports(&rule.set_from_port(from).set_to_port(to).build())
    }

    #[test]
    fn protocols_have_one_form() {
        let normal = |text| normalize_protocol(text).expect("it is a protocol");
        assert_eq!(["TCP", "6", "tcp"].map(normal), ["tcp"; 3]);
        assert_eq!(["-1", "ALL"].map(normal), ["all"; 2]);
        assert_eq!(["58", "icmpv6", "esp", "50", "200"].map(normal), ["icmpv6", "icmpv6", "50", "50", "200"]);
        for wrong in ["", "http", "256", "-2"] {
            normalize_protocol(wrong).expect_err("that is no protocol");
        }
    }

    #[test]
    fn ports_have_one_form() {
        let normal = |text| normalize_ports(text).expect("these are ports");
        assert_eq!(["80", "80-80", " 80 - 80 "].map(normal), ["80"; 3]);
        assert_eq!(["all", "0-65535", "-1", "-1/-1"].map(normal), ["all"; 4]);
        assert_eq!(["80-90", "3/4", "8/-1"].map(normal), ["80-90", "3/4", "8"]);
        for wrong in ["", "http", "90-80", "65536", "1-2-3", "3/x", "256/0", "80,443"] {
            normalize_ports(wrong).expect_err("these are no ports");
        }
    }

    #[test]
    fn ports_survive_the_way_to_the_service_and_back() {
        for ports in ["80", "80-90", "all", "0"] {
            assert_eq!(ports_read_back("tcp", ports), ports);
        }
        for ports in ["all", "8", "3/4", "8/0"] {
            assert_eq!(ports_read_back("icmp", ports), ports);
        }
        assert_eq!(ports_read_back("all", "all"), "all");
        assert_eq!(ports_read_back("50", "all"), "all");
    }

    #[test]
    fn ranges_of_both_families_become_canonical() {
        assert_eq!(normalize_cidr("10.1.2.3/8"), Ok("10.0.0.0/8".to_owned()));
        assert_eq!(normalize_cidr("2001:DB8::1/64"), Ok("2001:db8::/64".to_owned()));
        normalize_cidr("10.0.0.1").expect_err("that is an address");
    }

    #[test]
    fn texts_keep_to_their_alphabet_and_length() {
        assert_eq!(check_text("HTTP from anywhere (80/tcp) [web]"), Ok(()));
        assert_eq!(check_text(&"x".repeat(255)), Ok(()));
        assert!(check_text(&"x".repeat(256)).is_err_and(|message| message.contains("256")));
        assert!(check_text("it's").is_err_and(|message| message.contains("`\\'`")));
    }

    #[test]
    fn a_description_tells_what_a_rule_is_about() {
        let rule = types::SecurityGroupRule::builder().security_group_rule_id("sgr-1").group_id("sg-1");
        let open = rule.clone().is_egress(true).ip_protocol("-1").cidr_ipv4("0.0.0.0/0").build();
        assert_eq!(describe(&open), "sgr-1 egress all to 0.0.0.0/0");
        assert_eq!(described(&describe(&open)), Some(("sgr-1", "egress")));
        assert!(!is_about_a_group(&describe(&open)));
        let other =
            types::ReferencedSecurityGroup::builder().group_id("sg-2").user_id("222222222222").build();
        let ssh = rule.ip_protocol("tcp").from_port(22).to_port(22).referenced_group_info(other);
        let ssh = ssh.is_egress(false).description("from sg-3").build();
        assert_eq!(describe(&ssh), "sgr-1 ingress tcp 22 from sg-2 (from sg-3)");
        assert_eq!(described(&describe(&ssh)), Some(("sgr-1", "ingress")));
        assert!(is_about_a_group(&describe(&ssh)));
    }
}
