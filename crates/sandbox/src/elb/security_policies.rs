//! Security policies: which versions of TLS a listener speaks ("Security policies for your Application Load
//! Balancer").

use serde_json::{Value, json};

use super::page;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "DescribeSSLPolicies",
    &["Names", "Marker", "PageSize", "LoadBalancerType"],
    describe_policies,
)];

/// The policy of a listener for which none is named: "ELBSecurityPolicy-2016-08 … when you create a
/// listener using the AWS CLI".
pub(super) const USUAL: &str = "ELBSecurityPolicy-2016-08";

const OLD: &[&str] = &["TLSv1", "TLSv1.1", "TLSv1.2"];

/// The policies, with their versions of TLS.
const POLICIES: &[(&str, &[&str])] = &[
    (USUAL, OLD),
    ("ELBSecurityPolicy-FS-1-1-2019-08", &["TLSv1.1", "TLSv1.2"]),
    ("ELBSecurityPolicy-FS-1-2-2019-08", &["TLSv1.2"]),
    ("ELBSecurityPolicy-FS-1-2-Res-2019-08", &["TLSv1.2"]),
    ("ELBSecurityPolicy-FS-1-2-Res-2020-10", &["TLSv1.2"]),
    ("ELBSecurityPolicy-FS-2018-06", OLD),
    ("ELBSecurityPolicy-TLS-1-1-2017-01", &["TLSv1.1", "TLSv1.2"]),
    ("ELBSecurityPolicy-TLS-1-2-2017-01", &["TLSv1.2"]),
    ("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", &["TLSv1.2"]),
    ("ELBSecurityPolicy-TLS13-1-0-2021-06", &["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]),
    ("ELBSecurityPolicy-TLS13-1-1-2021-06", &["TLSv1.1", "TLSv1.2", "TLSv1.3"]),
    ("ELBSecurityPolicy-TLS13-1-2-2021-06", TLS_1_2),
    ("ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", TLS_1_2),
    ("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", TLS_1_2),
    ("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", TLS_1_2),
    ("ELBSecurityPolicy-TLS13-1-3-2021-06", &["TLSv1.3"]),
];

const TLS_1_2: &[&str] = &["TLSv1.2", "TLSv1.3"];

/// The ciphers of each version that all its policies have.
const CIPHERS: [(&str, &[&str]); 4] = [
    ("TLSv1.3", &["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]),
    ("TLSv1.2", &["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"]),
    ("TLSv1.1", &["ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"]),
    ("TLSv1", &["ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"]),
];

/// Returns the name of a policy that there is.
pub(super) fn known(name: &str) -> Result<&str, Refusal> {
    if POLICIES.iter().any(|(known, _)| *known == name) {
        return Ok(name);
    }
    Err(Refusal::new("SSLPolicyNotFound", format!("SSL policy '{name}' not found")))
}

fn describe_policies(_: &mut World, call: &Call) -> Answer {
    let names = call.parameters.texts("Names");
    for name in &names {
        known(name)?;
    }
    let asked_for = |name: &str| names.is_empty() || names.contains(&name);
    let found = POLICIES.iter().filter(|(name, _)| asked_for(name));
    page(
        &call.parameters,
        "SslPolicies",
        found.map(|(name, versions)| ((*name).to_owned(), shown(name, versions))),
    )
}

fn shown(name: &str, versions: &[&str]) -> Value {
    let spoken = CIPHERS.iter().filter(|(version, _)| versions.contains(version));
    let mut ciphers: Vec<&str> = Vec::new();
    for cipher in spoken.flat_map(|(_, ciphers)| *ciphers) {
        if !ciphers.contains(cipher) {
            ciphers.push(cipher);
        }
    }
    let ciphers = ciphers.into_iter().enumerate();
    let ciphers: Vec<_> = ciphers.map(|(at, name)| json!({ "Name": name, "Priority": at + 1 })).collect();
    json!({
        "Name": name,
        "SslProtocols": versions,
        "Ciphers": ciphers,
        "SupportedLoadBalancerTypes": ["application", "network"],
    })
}
