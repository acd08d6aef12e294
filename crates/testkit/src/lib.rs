//! An in-memory cloud with scripted faults, kinds on it, and a world in which the engine runs on
//! simulated time.
//!
//! - [`cloud`]: the cloud itself: things, accounts, and what time does to them;
//! - [`cloud_file`]: a cloud that whole programs share;
//! - [`fault`]: what can go wrong with a call;
//! - [`client`]: the way to the cloud, and the provider;
//! - [`kinds`]: resource kinds with the shapes that the kinds of AWS have;
//! - [`simulation`]: a world of these in which the engine runs, crashes and runs again;
//! - [`memory_files`]: a disk that crashes at a chosen operation, for tests of the state's store;
//! - [`story`]: records of made-up runs, for tests of the state's store.

mod census;
pub mod client;
pub mod clock;
pub mod cloud;
pub mod cloud_file;
pub mod fault;
pub mod kinds;
pub mod memory_files;
pub mod random;
pub mod simulation;
pub mod story;
