//! Certificates of listeners. The sandbox has no service that issues any: what has the form of one's ARN is
//! one.

use serde_json::json;

use super::{invalid, page};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::quotas;
use crate::validation::required;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("AddListenerCertificates", &["ListenerArn", "Certificates"], add),
    Operation::new("RemoveListenerCertificates", &["ListenerArn", "Certificates"], remove),
    Operation::new(
        "DescribeListenerCertificates",
        &["ListenerArn", "Marker", "PageSize"],
        describe_certificates,
    ),
];

/// Returns the certificates that a call names: of ACM in the same account and region, or of IAM.
pub(super) fn named(call: &Call) -> Result<Vec<String>, Refusal> {
    let account = &call.caller.account;
    let issuers = [
        format!("arn:aws:acm:{}:{account}:certificate/", call.region),
        format!("arn:aws:iam::{account}:server-certificate/"),
    ];
    let mut named = Vec::new();
    for certificate in call.parameters.tables("Certificates") {
        if certificate.flag("IsDefault")?.is_some() {
            return Err(invalid(
                "IsDefault cannot be set: the certificate of the listener is the default one",
            ));
        }
        let arn = required(&certificate, "CertificateArn")?;
        if !issuers.iter().any(|issuer| arn.len() > issuer.len() && arn.starts_with(issuer)) {
            let message = format!("Certificate ARN '{arn}' is not valid");
            return Err(Refusal::new("CertificateNotFound", message));
        }
        named.push(arn.to_owned());
    }
    Ok(named)
}

/// Returns the certificates that a call names, for a listener that can have some.
fn of_listener<'a>(world: &mut World, call: &'a Call) -> Result<(&'a str, Vec<String>), Refusal> {
    let arn = required(&call.parameters, "ListenerArn")?;
    let (balancing, _) = world.balancing(&call.region);
    let listener = balancing.listener(call, arn)?;
    if !listener.is_secure() {
        return Err(invalid(format!("Certificates cannot be specified for {} listeners", listener.protocol)));
    }
    let named = named(call)?;
    if named.is_empty() { Err(invalid("A certificate must be specified")) } else { Ok((arn, named)) }
}

fn add(world: &mut World, call: &Call) -> Answer {
    let (arn, named) = of_listener(world, call)?;
    let of_network = arn.contains(":listener/net/");
    let quota =
        if of_network { quotas::CERTIFICATES_OF_NETWORK } else { quotas::CERTIFICATES_OF_APPLICATION };
    let most = world.quota(&call.caller.account, quota);
    let (balancing, _) = world.balancing(&call.region);
    let mut certificates = balancing.listener(call, arn)?.certificates.clone();
    for certificate in &named {
        if !certificates.contains(certificate) {
            certificates.push(certificate.clone());
        }
    }
    // "Certificates per load balancer, not counting default certificates."
    if certificates.len() - 1 > most {
        let message = "The maximum number of certificates has been reached.";
        return Err(Refusal::new("TooManyCertificates", message));
    }
    balancing.listener_mut(call, arn)?.certificates = certificates;
    let shown: Vec<_> =
        named.iter().map(|arn| json!({ "CertificateArn": arn, "IsDefault": false })).collect();
    Ok(json!({ "Certificates": shown }))
}

/// "You cannot remove the default certificate" (API reference, `RemoveListenerCertificates`).
fn remove(world: &mut World, call: &Call) -> Answer {
    let (arn, named) = of_listener(world, call)?;
    let (balancing, _) = world.balancing(&call.region);
    let listener = balancing.listener_mut(call, arn)?;
    if listener.certificates.first().is_some_and(|default| named.contains(default)) {
        let message = "Default certificate cannot be removed";
        return Err(Refusal::new("OperationNotPermitted", message));
    }
    listener.certificates.retain(|certificate| !named.contains(certificate));
    Ok(json!({}))
}

fn describe_certificates(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "ListenerArn")?;
    let (balancing, _) = world.balancing(&call.region);
    let listener = balancing.listener(call, arn)?;
    let shown = listener.certificates.iter().enumerate().map(|(position, arn)| {
        let shown = json!({ "CertificateArn": arn, "IsDefault": position == 0 });
        (format!("{position:06}"), shown)
    });
    page(&call.parameters, "Certificates", shown)
}
