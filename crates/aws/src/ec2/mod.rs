//! The kinds of EC2, and what they share.

mod check;
mod cidr;
mod filters;
pub(crate) mod internet_gateway;
mod listing;
pub(crate) mod subnet;
mod tags;
#[cfg(test)]
mod testing;
pub(crate) mod vpc;

/// The service whose limits the calls of these kinds fall under.
const SERVICE: &str = "ec2";
