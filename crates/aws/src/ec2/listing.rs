//! What a `Describe` call found, and where.

use std::collections::BTreeMap;

use aws_sdk_ec2::types;
use straddle_engine::resource::Readiness;

use crate::client::Place;

/// How many things a page of a `Describe` call has: the most that EC2 gives.
pub(crate) const PAGE_SIZE: i32 = 1000;

/// A thing with an id.
pub(crate) trait Identified {
    /// Returns the id.
    fn id(&self) -> Option<&str>;
}

macro_rules! identified {
    ($($thing:ident: $id:ident),*) => {
        $(impl Identified for types::$thing {
            fn id(&self) -> Option<&str> {
                self.$id()
            }
        })*
    };
}

identified!(
    Address: allocation_id,
    InternetGateway: internet_gateway_id,
    NatGateway: nat_gateway_id,
    RouteTable: route_table_id,
    Subnet: subnet_id,
    Vpc: vpc_id,
    VpcEndpoint: vpc_endpoint_id
);

/// What a `Describe` call found, and where.
pub(crate) struct Found<T> {
    things: BTreeMap<String, T>,
    /// Where they are.
    pub(crate) place: Place,
}

impl<T: Identified> Found<T> {
    /// Keeps what was found in this place.
    pub(crate) fn new(place: &Place, things: Vec<T>) -> Self {
        let things = things.into_iter().filter_map(|thing| Some((thing.id()?.to_owned(), thing)));
        Self { things: things.collect(), place: place.clone() }
    }

    /// Returns the thing with this id.
    pub(crate) fn thing(&self, id: &str) -> Option<&T> {
        self.things.get(id)
    }

    /// Returns every thing.
    pub(crate) fn things(&self) -> impl Iterator<Item = &T> {
        self.things.values()
    }
}

/// Tells whether a thing with a life of its own can be used. The words are the service's.
pub(crate) fn readiness(state: Option<&str>, ready: &str) -> Readiness {
    match state {
        Some(state) if state.starts_with("failed") => Readiness::Failed(state.to_owned()),
        Some(state) if state != ready => Readiness::Pending(state.to_owned()),
        _ => Readiness::Ready,
    }
}
