//! What the tests of operations share.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::call::{Answer, Call, Parameters};
use crate::dispatch;
use crate::identity::Caller;
use crate::protocol::Service;
use crate::world::{AccountId, Failure, World, WorldSettings};

const REGION: &str = "us-east-1";

/// An account in a world of its own.
pub(crate) struct Account {
    world: World,
    id: AccountId,
    other: AccountId,
    /// Who calls, if it is not the account's administrator.
    caller: Option<Caller>,
}

impl Account {
    /// Makes a world in which time stands still, and takes its management account.
    pub(crate) fn new() -> Self {
        let id: AccountId = "111111111111".parse().expect("it has twelve digits");
        let other: AccountId = "222222222222".parse().expect("it has twelve digits");
        let settings = WorldSettings {
            accounts: BTreeMap::from([("other".to_owned(), other.clone())]),
            speed: 0.0,
            start: Timestamp::UNIX_EPOCH,
            ..WorldSettings::new(id.clone())
        };
        Self { world: World::new(settings), id, other, caller: None }
    }

    /// Acts in the other account of the organization.
    pub(crate) fn other(&mut self, act: impl FnOnce(&mut Self)) {
        std::mem::swap(&mut self.id, &mut self.other);
        act(self);
        std::mem::swap(&mut self.id, &mut self.other);
    }

    /// Acts in an account that is in no organization.
    pub(crate) fn outsider(&mut self, act: impl FnOnce(&mut Self)) {
        self.stranger("333333333333", act);
    }

    /// Acts in the account with this number, which is in no organization.
    pub(crate) fn stranger(&mut self, number: &str, act: impl FnOnce(&mut Self)) {
        let stranger = number.parse().expect("it has twelve digits");
        let own = std::mem::replace(&mut self.id, stranger);
        act(self);
        self.id = own;
    }

    /// Lets policies decide what callers may do.
    pub(crate) fn enforcing(mut self) -> Self {
        self.world.rules.enforce_iam = true;
        self
    }

    /// Returns the world.
    pub(crate) fn world(&mut self) -> &mut World {
        &mut self.world
    }

    /// Acts with credentials that the sandbox issued: an answer's `Credentials` or `AccessKey`.
    pub(crate) fn with(&mut self, credentials: &Value, act: impl FnOnce(&mut Self)) {
        let key = text(&credentials["AccessKeyId"]);
        let caller = self.world.credentials[&key].caller.clone();
        let id = std::mem::replace(&mut self.id, caller.account.clone());
        let before = self.caller.replace(caller);
        act(self);
        self.caller = before;
        self.id = id;
    }

    /// Acts without credentials.
    pub(crate) fn nobody<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.caller.replace(Caller::nobody(self.id.clone()));
        let result = act(self);
        self.caller = before;
        result
    }

    /// Lets time pass in the world.
    pub(crate) fn wait(&mut self, seconds: i64) {
        self.world.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Lets what the next call makes fail.
    pub(crate) fn doom(&mut self, failure: Failure) {
        self.world.doom(Some(failure));
    }

    /// Lets the other account see a subnet.
    pub(crate) fn share_with_other(&mut self, subnet: &str) {
        let (other, now) = (self.other.clone(), self.world.now());
        self.world.network(REGION).shared.share(subnet, &other, now);
    }

    /// Makes a call. An operation of another service than EC2 has the service's name in the scope
    /// of signatures before it: `ram:CreateResourceShare`.
    fn call(&mut self, operation: &str, parameters: Value) -> Answer {
        let Value::Object(parameters) = parameters else { panic!("{parameters} is no table") };
        let (service, operation) = operation.split_once(':').unwrap_or(("ec2", operation));
        let call = Call {
            service: Service::of_scope(service).expect("the sandbox has the service"),
            operation: operation.to_owned(),
            region: REGION.to_owned(),
            caller: self.caller.clone().unwrap_or_else(|| Caller::administrator(self.id.clone())),
            parameters: Parameters(parameters),
            hidden: BTreeSet::new(),
        };
        dispatch::run(&mut self.world, &call)
    }

    /// Makes a call that succeeds.
    #[track_caller]
    pub(crate) fn ok(&mut self, operation: &str, parameters: Value) -> Value {
        self.call(operation, parameters).unwrap_or_else(|refusal| panic!("{operation}: {refusal}"))
    }

    /// Makes a call that is refused with this code.
    #[track_caller]
    pub(crate) fn refused(&mut self, operation: &str, parameters: Value, code: &str) {
        self.message(operation, parameters, code);
    }

    /// Makes a call that is refused with this code, and returns what it is told.
    #[track_caller]
    pub(crate) fn message(&mut self, operation: &str, parameters: Value, code: &str) -> String {
        let refusal = self.call(operation, parameters).expect_err("it has to be refused");
        assert_eq!(refusal.code, code, "{refusal}");
        refusal.message
    }
}

/// Returns the text that a value is.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
