//! Everything that decides and orders; knows neither AWS nor a terminal.

mod access;
pub mod address;
mod apply;
pub mod diagnostic;
pub mod environment;
pub mod erased;
pub mod event;
pub mod gate;
pub mod graph;
pub mod observation;
pub mod plan;
pub mod provider;
mod recover;
mod refresh;
pub mod registry;
pub mod resource;
pub mod run;
pub mod schema;
pub mod spec;
mod stages;
pub mod state;
pub mod value;
mod value_json;

// The derive macro names this crate, also when it is used inside it.
extern crate self as straddle_engine;
