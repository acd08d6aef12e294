//! What the server gives services: addresses and ports of the nodes.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::ControlPlane;
use super::body::text;
use super::kind::Kind;
use super::status::{Cause, Failure};

/// The ports of nodes that services get.
const PORTS: std::ops::Range<u32> = 30_000..32_768;

/// Gives a service what it needs and nobody has chosen.
pub(super) fn allocate(
    plane: &mut ControlPlane,
    kind: &Kind,
    object: &mut Value,
    old: Option<&Value>,
    is_dry: bool,
) -> Result<(), Failure> {
    if kind.resource() != "services" {
        return Ok(());
    }
    let form = text(&object["spec"]["type"]).to_owned();
    if form != "ExternalName" {
        give_address(plane, object, is_dry);
    }
    if ["NodePort", "LoadBalancer"].contains(&form.as_str()) {
        return give_ports(plane, object, old);
    }
    for port in ports(object) {
        port.as_object_mut().map(|port| port.shift_remove("nodePort"));
    }
    Ok(())
}

fn ports(service: &mut Value) -> impl Iterator<Item = &mut Value> {
    service["spec"].get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten()
}

fn give_address(plane: &mut ControlPlane, object: &mut Value, is_dry: bool) {
    let spec = &mut object["spec"];
    if text(&spec["clusterIP"]).is_empty() {
        let range = plane.facts.service_range;
        let address = if is_dry {
            range.network()
        } else {
            let taken: BTreeSet<String> = plane
                .store
                .list("services", "")
                .map(|service| text(&service["spec"]["clusterIP"]).to_owned())
                .collect();
            let size = 1_u32 << (32 - range.prefix_len());
            // The first ones are the server's and the name service's.
            let tries = std::iter::repeat_with(|| {
                Ipv4Addr::from(u32::from(range.network()) + 16 + plane.store.new_number(size - 17))
            });
            let mut free = tries.filter(|address| !taken.contains(&address.to_string()));
            free.next().expect("a range has more addresses than there are services")
        };
        spec["clusterIP"] = json!(address.to_string());
    }
    spec["clusterIPs"] = json!([spec["clusterIP"]]);
    for (name, usual) in [("ipFamilies", json!(["IPv4"])), ("ipFamilyPolicy", json!("SingleStack"))] {
        if spec[name].is_null() {
            spec[name] = usual;
        }
    }
}

fn give_ports(plane: &mut ControlPlane, object: &mut Value, old: Option<&Value>) -> Result<(), Failure> {
    let uid = object["metadata"]["uid"].clone();
    let others = plane.store.list("services", "").filter(|service| service["metadata"]["uid"] != uid);
    let of_service = |service: &Value| {
        let ports = service["spec"]["ports"].as_array().cloned().unwrap_or_default();
        ports.into_iter().filter_map(|port| port["nodePort"].as_u64()).collect::<Vec<_>>()
    };
    let mut taken: BTreeSet<u64> = others.flat_map(|service| of_service(service)).collect();
    let name = text(&object["metadata"]["name"]).to_owned();
    let before = old.and_then(|old| old["spec"]["ports"].as_array()).cloned().unwrap_or_default();
    for (index, port) in ports(object).enumerate() {
        let same =
            before.iter().find(|old| old["port"] == port["port"] && old["protocol"] == port["protocol"]);
        let chosen = port["nodePort"].as_u64().filter(|port| *port > 0);
        if let Some(wanted) = chosen.filter(|wanted| taken.contains(wanted)) {
            let field = format!("spec.ports[{index}].nodePort");
            let cause = Cause::invalid(field, &json!(wanted), "provided port is already allocated");
            return Err(Failure::invalid("", "Service", &name, &[cause]));
        }
        let number =
            chosen.or_else(|| same.and_then(|same| same["nodePort"].as_u64())).unwrap_or_else(|| {
                loop {
                    let number = u64::from(PORTS.start + plane.store.new_number(PORTS.end - PORTS.start));
                    if !taken.contains(&number) {
                        break number;
                    }
                }
            });
        taken.insert(number);
        port["nodePort"] = json!(number);
    }
    Ok(())
}
