//! The control plane as its clients see it.

mod bindings;
mod life;
mod nodes;
mod replay;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::request::{Reply, Request};
use super::status::Failure;
use super::user::{MASTERS, User};
use super::{ControlPlane, Facts};

/// A cluster without machines, in which time stands still until it is let pass.
pub(super) struct Cluster {
    pub(super) plane: ControlPlane,
    pub(super) now: Timestamp,
}

impl Cluster {
    pub(super) fn new() -> Self {
        let facts = Facts {
            name: "main".to_owned(),
            version: "1.36".to_owned(),
            address: "https://cluster.example".to_owned(),
            certificate_authority: "-----BEGIN CERTIFICATE-----\n".to_owned(),
            issuer: "https://oidc.example".to_owned(),
            service_range: "10.100.0.0/16".parse().unwrap(),
        };
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        Self { plane: ControlPlane::new(facts, "seed", now), now }
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.wait_milliseconds(seconds * 1000);
    }

    pub(super) fn wait_milliseconds(&mut self, milliseconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_millis(milliseconds)).unwrap();
        self.plane.settle(self.now);
    }

    pub(super) fn ask(&mut self, user: &User, request: &Request) -> Result<Reply, Failure> {
        self.plane.settle(self.now);
        let reply = self.plane.carry_out(user, request, self.now);
        self.plane.settle(self.now);
        reply
    }

    /// Asks as an administrator, and returns the body of a good answer.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "bodies are written where they are sent")]
    pub(super) fn ok(&mut self, method: &str, path: &str, media: &str, body: Value) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            content_type: format!("application/{media}"),
            body: if body.is_null() { String::new() } else { body.to_string() },
            ..Request::default()
        };
        let reply = self.ask(&admin(), &request);
        reply.unwrap_or_else(|failure| panic!("{method} {path}: {failure:?}")).body
    }

    pub(super) fn get(&mut self, path: &str) -> Value {
        self.ok("GET", path, "json", json!(null))
    }
}

/// Somebody who may do everything.
pub(super) fn admin() -> User {
    User { uid: "admin".to_owned(), ..User::new("admin", &[MASTERS]) }
}
