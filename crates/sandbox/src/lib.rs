//! A built-in organization of AWS accounts, on the real wire protocols.
//!
//! No emulator that can be installed shows a shared subnet to a second account, or refuses what
//! AWS refuses. This one does, and any SDK can talk to it. A request goes through these stages:
//!
//! 1. [`server`] takes it from the socket;
//! 2. [`identity`] tells whose request it is, and [`signature`] whether it really is;
//! 3. [`protocol`] finds the service, the operation and its parameters in it;
//! 4. [`dispatch`] looks the operation up in the tables of the services, lets [`access`] check what
//!    the caller may do, and carries it out;
//! 5. the operation (in [`ec2`], [`iam`], [`organizations`], [`ram`], [`sts`]) reads and changes the [`world`];
//! 6. [`protocol`] writes the answer in the service's own form.

mod access;
mod call;
mod dispatch;
mod ec2;
mod iam;
mod identity;
mod issuer;
mod organizations;
mod page;
mod policy;
mod protocol;
mod ram;
mod server;
mod signature;
mod sts;
#[cfg(test)]
mod testing;
mod validation;
mod world;

pub use server::{Sandbox, SandboxError};
pub use world::{AccountId, InvalidAccountId, Rules, World, WorldSettings};
