//! The kinds of EC2, and what they share.

pub(crate) mod check;
pub(crate) mod cidr;
pub(crate) mod eip;
pub(crate) mod filters;
pub(crate) mod internet_gateway;
pub(crate) mod launch_template;
pub(crate) mod listing;
mod named;
pub(crate) mod nat_gateway;
pub(crate) mod route;
pub(crate) mod route_table;
pub(crate) mod route_table_association;
pub(crate) mod rule;
pub(crate) mod security_group;
pub(crate) mod security_group_rule;
pub(crate) mod subnet;
pub(crate) mod tags;
#[cfg(test)]
mod testing;
pub(crate) mod vpc;
pub(crate) mod vpc_endpoint;

pub(crate) use filters::{any_of, equals, owned_by};

/// The service whose limits the calls of these kinds fall under.
pub(crate) const SERVICE: &str = "ec2";
