//! Listeners.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Arns, rule, set_attributes};
use crate::controller::model::{Listener, Stack, Texts, tag_list};
use crate::controller::object::{items, text};
use crate::controller::reach::Done;
use crate::controller::work::Work;

/// Makes, changes and deletes listeners. Returns their ARNs by port.
pub(super) fn deploy(
    work: &mut Work<'_>,
    stack: &Stack,
    balancer: &str,
    arns: &Arns,
) -> Done<BTreeMap<u16, String>> {
    let present = work.elb_list("DescribeListeners", json!({ "LoadBalancerArn": balancer }), "Listeners")?;
    let listener_arns: Vec<_> = present.iter().map(|one| text(one, "/ListenerArn").to_owned()).collect();
    let tags = work.tags_of(&listener_arns)?;
    let (mut deployed, mut kept) = (BTreeMap::new(), Vec::new());
    for listener in present {
        let arn = text(&listener, "/ListenerArn").to_owned();
        let port = listener["Port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
        match stack.listeners.get(&port) {
            Some(wanted) => {
                deployed.insert(port, arn);
                kept.push((wanted, listener));
            }
            None => drop(work.elb("DeleteListener", json!({ "ListenerArn": arn }))?),
        }
    }
    for (port, wanted) in &stack.listeners {
        if !deployed.contains_key(port) {
            deployed.insert(*port, make(work, balancer, *port, wanted, arns)?);
        }
    }
    let none = Texts::new();
    for (wanted, listener) in kept {
        let tags = tags.get(text(&listener, "/ListenerArn")).unwrap_or(&none);
        change(work, wanted, &listener, tags, arns)?;
    }
    Ok(deployed)
}

/// Returns what a listener is, as parameters have it.
fn parameters(port: u16, wanted: &Listener, arns: &Arns) -> Value {
    let mut parameters = json!({
        "DefaultActions": rule::actions(&wanted.default_actions, arns),
        "Port": port.to_string(),
        "Protocol": wanted.protocol,
    });
    if let Some(certificate) = wanted.certificates.first() {
        parameters["Certificates"] = json!([{ "CertificateArn": certificate }]);
    }
    if let Some(policy) = &wanted.ssl_policy {
        parameters["SslPolicy"] = json!(policy);
    }
    parameters
}

fn make(work: &mut Work<'_>, balancer: &str, port: u16, wanted: &Listener, arns: &Arns) -> Done<String> {
    let mut parameters = parameters(port, wanted, arns);
    parameters["LoadBalancerArn"] = json!(balancer);
    parameters["Tags"] = tag_list(&wanted.tags);
    let answer = work.elb("CreateListener", parameters)?;
    let arn = text(&answer, "/Listeners/0/ListenerArn").to_owned();
    for certificate in wanted.certificates.iter().skip(1) {
        let more = json!({ "ListenerArn": arn, "Certificates": [{ "CertificateArn": certificate }] });
        work.elb("AddListenerCertificates", more)?;
    }
    attributes(work, &arn, wanted)?;
    Ok(arn)
}

fn change(work: &mut Work<'_>, wanted: &Listener, listener: &Value, tags: &Texts, arns: &Arns) -> Done<()> {
    let arn = text(listener, "/ListenerArn");
    work.set_tags(arn, tags, &wanted.tags)?;
    let port = listener["Port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
    let mut parameters = parameters(port, wanted, arns);
    let certificate = wanted.certificates.first().map_or("", String::as_str);
    let is_same = text(listener, "/Protocol") == wanted.protocol
        && wanted.ssl_policy.as_deref().is_none_or(|policy| text(listener, "/SslPolicy") == policy)
        && text(listener, "/Certificates/0/CertificateArn") == certificate
        && rule::are_same_actions(items(listener, "/DefaultActions"), items(&parameters, "/DefaultActions"));
    if !is_same {
        parameters["ListenerArn"] = json!(arn);
        work.elb("ModifyListener", parameters)?;
    }
    certificates(work, arn, wanted)?;
    attributes(work, arn, wanted)
}

/// Lets a listener have the certificates beside its first one that it is to have.
fn certificates(work: &mut Work<'_>, arn: &str, wanted: &Listener) -> Done<()> {
    let present =
        work.elb_list("DescribeListenerCertificates", json!({ "ListenerArn": arn }), "Certificates")?;
    let others = present.iter().filter(|certificate| certificate["IsDefault"] != json!(true));
    let others: Vec<_> = others.map(|certificate| text(certificate, "/CertificateArn")).collect();
    let wanted: Vec<_> = wanted.certificates.iter().skip(1).map(String::as_str).collect();
    for (call, certificates, except) in
        [("AddListenerCertificates", &wanted, &others), ("RemoveListenerCertificates", &others, &wanted)]
    {
        for certificate in certificates.iter().filter(|one| !except.contains(one)) {
            let parameters =
                json!({ "ListenerArn": arn, "Certificates": [{ "CertificateArn": certificate }] });
            work.elb(call, parameters)?;
        }
    }
    Ok(())
}

/// Newer versions look at the attributes of listeners, whether any are said or not.
fn attributes(work: &mut Work<'_>, arn: &str, wanted: &Listener) -> Done<()> {
    if !work.settings.is_since(2, 9) {
        return Ok(());
    }
    let calls = ("DescribeListenerAttributes", "ModifyListenerAttributes");
    set_attributes(work, calls, ("ListenerArn", arn), &wanted.attributes)
}
