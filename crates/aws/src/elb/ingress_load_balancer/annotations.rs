//! What the annotations of an Ingress mean for the load balancer that a controller makes of it.
//!
//! "Ingress annotations" in the documentation of the AWS Load Balancer Controller. What an
//! `IngressClassParams` says besides is not known here: what differs for that reason is written in the spec.

use std::collections::BTreeSet;

use straddle_engine::json;
use straddle_engine::value::{Value, ValueMap};

use super::name::Origin;

const PREFIX: &str = "alb.ingress.kubernetes.io/";

/// What is told of one thing: known, not set, or known later.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact<T> {
    Known(T),
    Unset,
    /// The unknown value that it will be read of.
    Later(Value),
}

impl<T> Fact<T> {
    fn map<U>(self, function: impl FnOnce(T) -> Option<U>) -> Fact<U> {
        match self {
            Self::Known(value) => function(value).map_or(Fact::Unset, Fact::Known),
            Self::Unset => Fact::Unset,
            Self::Later(unknown) => Fact::Later(unknown),
        }
    }

    fn or(self, default: impl FnOnce() -> Option<T>) -> Self {
        match self {
            Self::Unset => default().map_or(Self::Unset, Self::Known),
            Self::Known(_) | Self::Later(_) => self,
        }
    }
}

/// An Ingress, as the controller reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) cluster: Fact<String>,
    pub(super) namespace: Fact<String>,
    pub(super) ingress: Fact<String>,
    pub(super) group: Fact<String>,
    pub(super) name: Fact<String>,
    pub(super) scheme: Fact<String>,
    pub(super) subnets: Fact<BTreeSet<String>>,
    pub(super) security_groups: Fact<BTreeSet<String>>,
    pub(super) ports: Fact<BTreeSet<i64>>,
    pub(super) target_type: Fact<String>,
}

impl Reading {
    /// Reads the value of an object, see the attribute `ingress`.
    pub(super) fn of(object: &ValueMap) -> Self {
        let metadata = member(object.get("manifest"), "metadata");
        let annotations = member(metadata.as_ref(), "annotations");
        let annotation = |name: &str| text(member(annotations.as_ref(), &format!("{PREFIX}{name}")).as_ref());
        let either =
            |name: &str| text(object.get(name)).or_fact(|| text(member(metadata.as_ref(), name).as_ref()));
        let cluster = match object.get("cluster") {
            Some(table @ Value::Map(_)) => text(member(Some(table), "name").as_ref()),
            other => text(other),
        };
        let scheme = annotation("scheme").or(|| Some("internal".to_owned()));
        let mut reading = Self {
            cluster,
            namespace: either("namespace"),
            ingress: either("name"),
            group: annotation("group.name").or_fact(|| text(object.get("group"))),
            name: annotation("load-balancer-name"),
            scheme,
            subnets: annotation("subnets").map(|ids| ids_only(&ids, "subnet-")),
            security_groups: annotation("security-groups").map(|ids| ids_only(&ids, "sg-")),
            ports: ports(&annotation("listen-ports"), &annotation("certificate-arn")),
            target_type: annotation("target-type"),
        };
        reading.name = reading.predicted_name();
        reading
    }

    fn predicted_name(&self) -> Fact<String> {
        let Fact::Unset = &self.name else { return self.name.clone() };
        match (self.origin(), &self.scheme) {
            (Fact::Known(origin), Fact::Known(scheme)) => Fact::Known(origin.balancer(scheme)),
            (Fact::Later(unknown), _) => Fact::Later(unknown),
            (_, Fact::Later(unknown)) => Fact::Later(unknown.clone()),
            (Fact::Unset, _) | (_, Fact::Unset) => Fact::Unset,
        }
    }

    /// Returns what the load balancer is made of.
    pub(super) fn origin(&self) -> Fact<Origin> {
        let parts = [&self.cluster, &self.namespace, &self.ingress];
        let unknown = parts.into_iter().chain([&self.group]).find_map(|part| match part {
            Fact::Later(unknown) => Some(unknown.clone()),
            Fact::Known(_) | Fact::Unset => None,
        });
        if let Some(unknown) = unknown {
            return Fact::Later(unknown);
        }
        let known =
            |fact: &Fact<String>| if let Fact::Known(text) = fact { Some(text.clone()) } else { None };
        let [Some(cluster), Some(namespace), Some(ingress)] = parts.map(known) else { return Fact::Unset };
        Fact::Known(Origin { cluster, namespace, ingress, group: known(&self.group) })
    }
}

impl Fact<String> {
    fn or_fact(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::Unset { other() } else { self }
    }
}

/// Returns a member of a table; unknown if the table is.
fn member(table: Option<&Value>, name: &str) -> Option<Value> {
    match table? {
        Value::Map(entries) => entries.get(name).cloned(),
        unknown @ Value::Unknown(_) => Some(unknown.clone()),
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::List(_) => None,
    }
}

fn text(value: Option<&Value>) -> Fact<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => Fact::Known(text.clone()),
        Some(unknown @ Value::Unknown(_)) => Fact::Later(unknown.clone()),
        Some(_) | None => Fact::Unset,
    }
}

/// Reads a list of ids; `None` if things are named in another way, of which nobody knows the ids.
fn ids_only(list: &str, prefix: &str) -> Option<BTreeSet<String>> {
    let ids: BTreeSet<_> =
        list.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    (!ids.is_empty() && ids.iter().all(|id| id.starts_with(prefix))).then_some(ids)
}

/// Returns the ports that are listened on: those that are named, or that of HTTPS if there is a
/// certificate, or that of HTTP.
fn ports(listen: &Fact<String>, certificate: &Fact<String>) -> Fact<BTreeSet<i64>> {
    match (listen, certificate) {
        (Fact::Known(listen), _) => Fact::Known(listen.as_str()).map(read_ports),
        (Fact::Later(unknown), _) | (Fact::Unset, Fact::Later(unknown)) => Fact::Later(unknown.clone()),
        (Fact::Unset, Fact::Known(_)) => Fact::Known([443].into()),
        (Fact::Unset, Fact::Unset) => Fact::Known([80].into()),
    }
}

/// Reads such as `[{"HTTP": 80}, {"HTTPS": 443}]`.
fn read_ports(text: &str) -> Option<BTreeSet<i64>> {
    let Value::List(entries) = json::decode(text).ok()? else { return None };
    let ports = entries.iter().map(|entry| {
        let ports = entry
            .as_map()?
            .values()
            .map(|port| if let Value::Integer(port) = port { Some(*port) } else { None });
        ports.collect::<Option<Vec<_>>>()
    });
    let ports: BTreeSet<_> = ports.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
    (!ports.is_empty()).then_some(ports)
}
