//! Everything that decides and orders; knows neither AWS nor a terminal.
//!
//! A run goes through these stages, one after the other; [`run::Engine`] is where they meet:
//!
//! 1. [`spec`]: the files become a checked [`spec::Spec`] of atomic resources;
//! 2. [`state`]: the state is read, with what a killed run left folded in;
//! 3. `access`: the accounts are connected to, each proven by its id;
//! 4. `recover`: creates of unknown outcome are found, or proved never to have happened;
//! 5. `refresh`: what is there is read, in one call for many things, into [`observation`];
//! 6. [`plan`]: what is wanted, what was last applied and what is there become a [`plan::Plan`]; pure;
//! 7. [`preflight`]: what an expert would look at in the accounts, all at once;
//! 8. [`graph`]: its changes get an order, with [`gate`]s where something has to be waited for;
//! 9. `apply`: the order is walked, each step recorded before, during and after;
//! 10. [`state`] again: the records become the new state.
//!
//! What a kind of resource has to say about itself is in [`resource`] and [`schema`]; how accounts
//! lend things to each other, in [`sharing`]; what calls have to be allowed, in [`permission`]; what
//! a program is built with, in [`registry`]; what happens on the way, in [`event`].

mod access;
pub mod address;
mod apply;
pub mod audit;
pub mod bundle;
pub mod cluster;
pub mod depiction;
pub mod diagnosis;
pub mod diagnostic;
pub mod difference;
pub mod discovery;
pub mod document;
pub mod environment;
pub mod erased;
pub mod event;
mod foresee;
mod from_state;
pub mod gate;
pub mod graph;
pub mod import;
pub mod json;
pub mod json_schema;
pub mod layout;
pub mod lookup;
pub mod observation;
pub mod outside;
pub mod permission;
pub mod plan;
pub mod policy;
pub mod preflight;
pub mod provider;
mod records;
mod recover;
mod refresh;
pub mod registry;
pub mod resource;
pub mod run;
pub mod schema;
mod schema_values;
pub mod secrets;
pub mod sharing;
mod sight;
pub mod spec;
mod stages;
pub mod state;
pub mod supply;
pub mod value;
mod value_json;
pub mod yaml;

// The derive macro names this crate, also when it is used inside it.
extern crate self as straddle_engine;
