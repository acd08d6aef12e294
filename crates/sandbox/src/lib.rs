//! A built-in organization of AWS accounts, on the real wire protocols.
//!
//! No emulator that can be installed shows a shared subnet to a second account, or refuses what
//! AWS refuses. This one does, and any SDK can talk to it. A request goes through these stages:
//!
//! 1. [`server`] takes it from the socket;
//! 2. [`dispatch`] finds, with [`protocol`], the service, the operation and its parameters in it;
//! 3. [`playground`] takes the world for the request: [`identity`] tells whose request it is, and
//!    [`signature`] whether it really is;
//! 4. [`dispatch`] lets [`access`] check what the caller may do, and carries it out: the operation,
//!    one of [`operations`] (each service is a module), reads and changes the [`world`];
//!    [`tokens`] make calls safe to repeat, [`sight`] hides what is too new for reads;
//! 5. [`store`] keeps what has changed, and [`request_log`] what was asked;
//! 6. [`protocol`] writes the answer in the service's own form.
//!
//! What no service has a word for is ordered at the [`control`] endpoint; [`remote`] does that
//! from another process, [`witness`] from the same one. A world is kept as the calls that changed it. So what an operation does
//! may depend on the world, its time and the call, and on nothing else; and reads change nothing
//! but what follows from the time.

mod access;
mod call;
mod cluster;
mod control;
mod controller;
mod dispatch;
mod ec2;
mod eks;
mod elb;
mod fault;
mod iam;
mod identity;
mod issuer;
mod operations;
mod organizations;
mod outside;
mod page;
mod playground;
mod policy;
mod protocol;
mod quotas;
mod ram;
mod remote;
mod request_log;
mod server;
mod sight;
mod signature;
mod store;
mod sts;
mod tagged;
#[cfg(test)]
mod testing;
mod tokens;
mod validation;
mod witness;
mod world;

pub use control::Status;
pub use fault::{Calls, FaultRule, Kind};
pub use remote::{Remote, RemoteError};
pub use request_log::LoggedRequest;
pub use server::{Sandbox, SandboxError, SandboxSettings};
pub use store::{Holder, StoreError, WorldFiles};
pub use witness::{Witness, WorldCopy};
pub use world::{AccountId, InvalidAccountId, Rules, WorldSettings};
