//! What the tests of EC2's operations share.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::call::{Answer, Call, Parameters};
use crate::dispatch;
use crate::identity::Caller;
use crate::protocol::Service;
use crate::world::{AccountId, World, WorldSettings};

/// An account in a world of its own.
pub(super) struct Account {
    world: World,
    id: AccountId,
}

impl Account {
    /// Makes a world in which time stands still, and takes its management account.
    pub(super) fn new() -> Self {
        let id: AccountId = "111111111111".parse().expect("it has twelve digits");
        let settings = WorldSettings {
            management: id.clone(),
            accounts: BTreeMap::new(),
            speed: 0.0,
            seed: 0,
            start: Timestamp::UNIX_EPOCH,
        };
        Self { world: World::new(settings), id }
    }

    fn call(&mut self, operation: &str, parameters: Value) -> Answer {
        let Value::Object(parameters) = parameters else { panic!("{parameters} is no table") };
        let call = Call {
            service: Service::Ec2,
            operation: operation.to_owned(),
            region: "us-east-1".to_owned(),
            caller: Caller::administrator(self.id.clone()),
            parameters: Parameters(parameters),
        };
        dispatch::run(&mut self.world, call)
    }

    /// Makes a call that succeeds.
    #[track_caller]
    pub(super) fn ok(&mut self, operation: &str, parameters: Value) -> Value {
        self.call(operation, parameters).unwrap_or_else(|refusal| panic!("{operation}: {refusal}"))
    }

    /// Makes a call that is refused with this code.
    #[track_caller]
    pub(super) fn refused(&mut self, operation: &str, parameters: Value, code: &str) {
        let refusal = self.call(operation, parameters).expect_err("it has to be refused");
        assert_eq!(refusal.code, code, "{refusal}");
    }
}

/// Returns the text that a value is.
#[track_caller]
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
