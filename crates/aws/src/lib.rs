//! The AWS resource kinds and the connection to an account.

mod account;
mod client;
mod ec2;
mod error;

use straddle_engine::registry::Registry;

/// Returns a registry of the AWS kinds. A kind is one file, and one line here.
#[must_use]
pub fn registry() -> Registry {
    Registry::new(account::Aws::new())
        .with::<ec2::eip::Eip>()
        .with::<ec2::internet_gateway::InternetGateway>()
        .with::<ec2::nat_gateway::NatGateway>()
        .with::<ec2::route::Route>()
        .with::<ec2::route_table::RouteTable>()
        .with::<ec2::route_table_association::RouteTableAssociation>()
        .with::<ec2::subnet::Subnet>()
        .with::<ec2::vpc::Vpc>()
}
