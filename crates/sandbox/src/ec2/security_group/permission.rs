//! What a rule allows: as it is asked for, in its one form, and as EC2 shows it.

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Parameters, Refusal};
use crate::world::AccountId;

/// Traffic of a protocol with somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ec2) struct Permission {
    /// A name where EC2 has one, else a number; `-1` for all.
    protocol: String,
    /// The first port, or the type; -1 for all.
    from: i64,
    /// The last port, or the code; -1 for all.
    to: i64,
    pub(super) peer: Peer,
}

/// With whom there is traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::ec2) enum Peer {
    Ipv4(Ipv4Net),
    Ipv6(Ipv6Net),
    PrefixList(String),
    Group { id: String, account: AccountId },
}

/// A permission with the text that describes it.
pub(super) type Described = (Permission, Option<String>);

impl Peer {
    /// Returns every address.
    pub(in crate::ec2) fn everybody() -> Self {
        Self::Ipv4(Ipv4Net::default())
    }

    /// Tells whether one can be changed into the other: ranges into ranges of the same family,
    /// lists into lists, groups into groups.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Permission {
    /// Returns all traffic with somebody.
    pub(in crate::ec2) fn all(peer: Peer) -> Self {
        Self { protocol: "-1".to_owned(), from: -1, to: -1, peer }
    }

    /// Reads the parameters `IpProtocol`, `FromPort` and `ToPort`.
    pub(super) fn read(parameters: &Parameters, peer: Peer) -> Result<Self, Refusal> {
        let protocol = protocol(parameters.required("IpProtocol")?)?;
        let (from, to) = (parameters.integer("FromPort")?, parameters.integer("ToPort")?);
        let (from, to) = match protocol.as_str() {
            "tcp" | "udp" => ports(from, to)?,
            "icmp" | "icmpv6" => types(from, to)?,
            // Any other protocol is allowed as a whole, "regardless of any port range".
            _ => (-1, -1),
        };
        Ok(Self { protocol, from, to, peer })
    }

    /// Tells whether it lets TCP to a port through, whoever the peer is.
    pub(super) fn lets_tcp(&self, port: u16) -> bool {
        let ports = self.from..=self.to;
        self.protocol == "-1" || (self.protocol == "tcp" && ports.contains(&i64::from(port)))
    }

    /// Returns the attributes of a rule.
    pub(super) fn shown(&self) -> Value {
        json!({ "ipProtocol": self.protocol, "fromPort": self.from, "toPort": self.to })
    }

    /// Returns the head of an `IpPermission`, under which permissions with the same are put together.
    pub(super) fn head(&self) -> (String, i64, i64) {
        (self.protocol.clone(), self.from, self.to)
    }

    /// Describes it in words of EC2's.
    pub(super) fn words(&self) -> String {
        let peer = match &self.peer {
            Peer::Ipv4(range) => range.to_string(),
            Peer::Ipv6(range) => range.to_string(),
            Peer::PrefixList(id) | Peer::Group { id, .. } => id.clone(),
        };
        let protocol = if self.protocol == "-1" { "ALL".to_owned() } else { self.protocol.to_uppercase() };
        format!("peer: {peer}, {protocol}, from port: {}, to port: {}, ALLOW", self.from, self.to)
    }

    /// Returns what a filter compares; `None` if there is no such filter.
    pub(super) fn filtered(&self, filter: &str) -> Option<Vec<String>> {
        let port = |port: i64| (port != -1).then(|| port.to_string());
        let value = match (filter, &self.peer) {
            ("protocol", _) => Some(self.protocol.clone()),
            ("from-port", _) => port(self.from),
            ("to-port", _) => port(self.to),
            ("cidr", Peer::Ipv4(range)) => Some(range.to_string()),
            ("ipv6-cidr", Peer::Ipv6(range)) => Some(range.to_string()),
            ("prefix-list-id", Peer::PrefixList(id)) | ("group-id", Peer::Group { id, .. }) => {
                Some(id.clone())
            }
            ("user-id", Peer::Group { account, .. }) => Some(account.to_string()),
            ("cidr" | "ipv6-cidr" | "prefix-list-id" | "group-id" | "user-id", _) => None,
            _ => return None,
        };
        Some(value.into_iter().collect())
    }
}

/// The protocols that EC2 shows by name ("Security group rules", VPC user guide).
const PROTOCOLS: [(&str, &str); 4] = [("tcp", "6"), ("udp", "17"), ("icmp", "1"), ("icmpv6", "58")];

fn protocol(text: &str) -> Result<String, Refusal> {
    let word = text.to_ascii_lowercase();
    if word == "-1" || word == "all" {
        return Ok("-1".to_owned());
    }
    if let Some((name, _)) = PROTOCOLS.iter().find(|(name, number)| word == *name || word == *number) {
        return Ok((*name).to_owned());
    }
    let wrong = |_| {
        let message = format!("Invalid value '{text}' for IP protocol. Unknown protocol.");
        Refusal::new("InvalidParameterValue", message)
    };
    word.parse::<u8>().map(|number| number.to_string()).map_err(wrong)
}

fn ports(from: Option<i64>, to: Option<i64>) -> Result<(i64, i64), Refusal> {
    let (Some(from), Some(to)) = (from, to) else {
        return Err(wrong_ports("Must specify both from and to ports with TCP/UDP."));
    };
    let range = 0..=65535;
    match (range.contains(&from), range.contains(&to)) {
        (true, true) if from <= to => Ok((from, to)),
        _ => Err(wrong_ports(&format!("TCP/UDP port ({from}-{to}) out of range"))),
    }
}

fn types(kind: Option<i64>, code: Option<i64>) -> Result<(i64, i64), Refusal> {
    let (Some(kind), Some(code)) = (kind, code) else {
        return Err(wrong_ports("Must specify both type and code with ICMP."));
    };
    let range = -1..=255;
    if range.contains(&kind) && range.contains(&code) && (kind != -1 || code == -1) {
        return Ok((kind, code));
    }
    Err(wrong_ports(&format!("ICMP type ({kind}) or code ({code}) out of range")))
}

fn wrong_ports(why: &str) -> Refusal {
    Refusal::new("InvalidParameterValue", format!("Invalid value '{why}' for portRange."))
}

/// Reads the permissions of a call: one for every peer that one of its `IpPermissions` names.
/// Groups without an account are the caller's.
pub(super) fn read_all(call: &Parameters, account: &AccountId) -> Result<Vec<Described>, Refusal> {
    let mut all: Vec<Described> = Vec::new();
    for asked in asked(call)? {
        let peers = peers(&asked, account)?;
        if peers.is_empty() {
            let message = "Missing source specification: include source security group or CIDR information";
            return Err(Refusal::new("MissingParameter", message));
        }
        for (peer, description) in peers {
            let permission = Permission::read(&asked, peer)?;
            if all.iter().any(|(other, _)| *other == permission) {
                let message = "The same permission must not appear multiple times";
                return Err(Refusal::new("InvalidParameterValue", message));
            }
            all.push((permission, description));
        }
    }
    Ok(all)
}

/// Returns the `IpPermissions` of a call, or the one that its other parameters are.
fn asked(call: &Parameters) -> Result<Vec<Parameters>, Refusal> {
    let mut asked = call.tables("IpPermissions");
    if let Some(range) = call.text("CidrIp") {
        if !asked.is_empty() {
            let message = "The parameter CidrIp cannot be used with the parameter IpPermissions";
            return Err(Refusal::new("InvalidParameterCombination", message));
        }
        let mut one = call.clone();
        one.0.insert("IpRanges".to_owned(), json!([{ "CidrIp": range }]));
        asked.push(one);
    }
    Ok(asked)
}

fn peers(asked: &Parameters, account: &AccountId) -> Result<Vec<(Peer, Option<String>)>, Refusal> {
    let mut peers = Vec::new();
    for range in asked.tables("IpRanges") {
        peers.push((Peer::Ipv4(ipv4(range.required("CidrIp")?)?), description(&range)?));
    }
    for range in asked.tables("Ipv6Ranges") {
        peers.push((Peer::Ipv6(ipv6(range.required("CidrIpv6")?)?), description(&range)?));
    }
    for list in asked.tables("PrefixListIds") {
        peers.push((Peer::PrefixList(list.required("PrefixListId")?.to_owned()), description(&list)?));
    }
    for group in asked.tables("Groups") {
        let id = group.required("GroupId")?.to_owned();
        let account = match group.text("UserId") {
            Some(text) => text.parse().map_err(|_| Refusal::value("userId", text))?,
            None => account.clone(),
        };
        peers.push((Peer::Group { id, account }, description(&group)?));
    }
    Ok(peers)
}

/// Reads a range. EC2 takes away the bits behind the prefix (API reference, `CidrIp`).
pub(super) fn ipv4(text: &str) -> Result<Ipv4Net, Refusal> {
    text.parse().map(|range: Ipv4Net| range.trunc()).map_err(|_| malformed(text))
}

/// Reads a range of the other family.
pub(super) fn ipv6(text: &str) -> Result<Ipv6Net, Refusal> {
    text.parse().map(|range: Ipv6Net| range.trunc()).map_err(|_| malformed(text))
}

fn malformed(text: &str) -> Refusal {
    Refusal::new("InvalidParameterValue", format!("CIDR block {text} is malformed"))
}

/// Returns the text that describes a rule; an empty one is none.
pub(super) fn description(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    let text = parameters.text("Description").filter(|text| !text.is_empty());
    text.map(|text| check_text("description", text).map(|()| text.to_owned())).transpose()
}

/// Checks the length and the alphabet of a text (API reference, `CreateSecurityGroup`, `IpRange`).
pub(super) fn check_text(name: &str, text: &str) -> Result<(), Refusal> {
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(character);
    if !text.is_empty() && text.chars().count() <= 255 && text.chars().all(allowed) {
        return Ok(());
    }
    let message = format!(
        "Value ({text}) for parameter {name} is invalid. Valid are strings less than 256 characters from the \
         following set: a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*"
    );
    Err(Refusal::new("InvalidParameterValue", message))
}
