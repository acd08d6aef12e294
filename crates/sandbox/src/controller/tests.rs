//! Tests of the controller: the recordings are played again, in a world of the sandbox.

mod api;
mod joined;
mod recording;
mod replay;
mod stage;
