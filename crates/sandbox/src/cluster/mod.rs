//! The Kubernetes side of a cluster: an API server with its objects, and the controllers that every
//! cluster has.
//!
//! A [`Request`] comes through the [`door`] or from inside the sandbox, by [`perform`]. [`request`] finds
//! what it is for among the [kinds](kind), [`user`] tells whether that is allowed, and [`read`],
//! [`watch`] or [`write`](mod@write) answers. What a kind's fields are and how they merge is in
//! [`schema`]; who owns them in [`managed`]. After each write [`life`] does what controllers and nodes
//! do. Everything follows from the requests and their times, so that a world that is made once more
//! from its calls has the same objects, ids and versions.

mod admission;
mod allocation;
mod body;
mod bootstrap;
mod custom;
mod defaults;
mod deletion;
mod discovery;
mod door;
mod events;
mod fields;
mod installed;
mod kind;
mod life;
mod logs;
mod managed;
mod openapi;
mod operation;
mod patch;
mod placement;
mod preparation;
mod protobuf;
mod read;
mod request;
mod reviews;
mod schema;
mod selector;
mod status;
mod store;
mod structure;
mod table;
#[cfg(test)]
mod tests;
mod token;
mod user;
mod validation;
mod watch;
mod write;

/// What tests of other parts ask clusters with.
#[cfg(test)]
pub(crate) mod testing {
    pub(crate) use super::operation::call;
    pub(crate) use super::patch::merge;
    pub(crate) use super::request::Request;
    pub(crate) use super::token::user as token_user;
}

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use admission::POD_IDENTITY_ADDRESS;
pub(crate) use door::{Sent, answer};
pub(crate) use installed::AddOn;
pub(crate) use operation::{ClusterName, OPERATIONS, call, perform};
pub(crate) use request::{Reply, Request};
pub(crate) use store::Key;
pub(crate) use user::{MASTERS, User};

use kind::Kind;
use request::Target;
use status::Failure;
use store::Store;
use write::Write;

/// What a cluster's control plane has to know of the outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// The cluster's name.
    pub(crate) name: String,
    /// Such as `1.33`.
    pub(crate) version: String,
    /// Where clients find it, such as `https://EXAMPLE.gr7.us-east-1.eks.amazonaws.com`.
    pub(crate) address: String,
    /// The PEM of the certificate by which it is known.
    pub(crate) certificate_authority: String,
    /// Who issues the identities of its pods.
    pub(crate) issuer: String,
    pub(crate) service_range: Ipv4Net,
}

/// A machine that pods run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Such as `ip-10-0-1-4.ec2.internal`.
    pub(crate) name: String,
    pub(crate) instance_id: String,
    pub(crate) instance_type: String,
    pub(crate) node_group: String,
    pub(crate) region: String,
    /// The zone as its owner names it.
    pub(crate) zone: String,
    pub(crate) address: Ipv4Addr,
    /// What it can give to pods.
    pub(crate) pod_addresses: Vec<Ipv4Addr>,
}

/// The control plane of a cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ControlPlane {
    pub(crate) store: Store,
    facts: Facts,
    machines: Vec<Machine>,
    /// What EKS has installed.
    #[serde(default)]
    add_ons: Vec<AddOn>,
    /// The namespaces and names of the accounts whose pods have roles by an association.
    #[serde(default)]
    identities: BTreeSet<(String, String)>,
    /// Objects at which controllers have to look.
    dirty: BTreeSet<Key>,
    /// When they have to look once more.
    due: BTreeSet<(Timestamp, Key)>,
}

/// Returns a time as objects have it.
fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl ControlPlane {
    /// Begins with the objects that every cluster has. `seed` is from what ids are made.
    pub(crate) fn new(facts: Facts, seed: &str, now: Timestamp) -> Self {
        let (dirty, due) = (BTreeSet::new(), BTreeSet::new());
        let (machines, add_ons, identities) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut plane = Self { store: Store::new(seed), facts, machines, add_ons, identities, dirty, due };
        bootstrap::fill(&mut plane, now);
        plane.settle(now);
        plane
    }

    /// Returns the kinds that are served now.
    fn kinds(&self, now: Timestamp) -> Vec<Arc<Kind>> {
        let mut kinds = kind::built_in().to_vec();
        for definition in self.store.list("customresourcedefinitions.apiextensions.k8s.io", "") {
            if life::is_served(definition, now) {
                kinds.extend(kind::of_definition(definition));
            }
        }
        kinds
    }

    /// Notes that controllers have to look at an object.
    fn touch(&mut self, key: &Key) {
        self.dirty.insert(key.clone());
    }

    /// Carries out what somebody asks for, who has said who they are.
    fn carry_out(&mut self, user: &User, request: &Request, now: Timestamp) -> Result<Reply, Failure> {
        let kinds = self.kinds(now);
        let place = match request.target(&kinds)? {
            Target::Path(path) => {
                user::check_path(&self.store, user, &path, &request.method.to_lowercase())?;
                return discovery::answer(self, &kinds, request);
            }
            Target::Place(place) => place,
        };
        let verb = place.verb(request)?;
        user::check(&self.store, user, &place, verb)?;
        logs::check_place(&place)?;
        let is_old = place.kind.resource() == "endpoints";
        let warnings = if is_old { vec![ENDPOINTS_WARNING.to_owned()] } else { Vec::new() };
        let reply = match verb {
            "get" => read::get(&self.store, &place, request, now),
            "list" => read::list(&self.store, &place, request, now),
            "create" if reviews::is_one(&place) => reviews::answer(self, user, &place, request, now),
            _ => {
                let api_version = place.kind.api_version();
                let place = &place;
                Write { plane: self, place, request, user, now, api_version, warnings: Vec::new() }
                    .carry_out(verb)
            }
        };
        match reply {
            Ok(mut reply) => {
                reply.warnings.splice(0..0, warnings);
                Ok(reply)
            }
            Err(failure) => Err(failure.warning(warnings)),
        }
    }

    /// Returns an object; controllers inside the sandbox read so.
    pub(crate) fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.store.get(&Key::new(resource, namespace, name))
    }
}

const ENDPOINTS_WARNING: &str = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
