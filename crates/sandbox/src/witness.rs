//! A look into a sandbox from the process that serves it: what was asked, what there is, what is to go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::call::{Call, Parameters};
use crate::control::Status;
use crate::fault::FaultRule;
use crate::identity::Caller;
use crate::protocol::Service;
use crate::request_log::LoggedRequest;
use crate::server::Shared;
use crate::tagged;
use crate::world::{AccountId, World};

/// Looks into a sandbox that this process serves, and past every service: nothing of it is in the log.
#[derive(Clone)]
pub struct Witness {
    shared: Arc<Shared>,
}

/// Everything there is in a sandbox at a moment, from which another one can go on.
#[derive(Debug, Clone)]
pub struct WorldCopy {
    world: World,
    time: Timestamp,
}

impl WorldCopy {
    /// Lets time go on from where the copy was made, by the clock of whoever asks.
    pub(crate) fn into_world(self, speed: f64) -> World {
        let Self { mut world, time } = self;
        world.go_on_from(time, speed);
        world
    }
}

impl Witness {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Says who serves which world.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status(&self.shared.playground())
    }

    /// Returns the requests that came after a number, of the last ten thousand: older ones are forgotten.
    #[must_use]
    pub fn requests_after(&self, sequence: u64) -> Vec<LoggedRequest> {
        self.shared.playground().log.after(sequence).cloned().collect()
    }

    /// Adds a rule about what goes wrong. It comes before those that are there.
    pub fn add_fault(&self, rule: FaultRule) {
        self.shared.playground().faults.put_first(rule);
    }

    /// Takes the rule away that was added last. Returns how many calls have had a fault by it.
    #[must_use]
    pub fn take_fault(&self) -> u64 {
        self.shared.playground().faults.take_first()
    }

    /// Returns the ARNs of everything that an account has in the regions, with tags or without.
    #[must_use]
    pub fn things(&self, regions: &BTreeSet<String>) -> BTreeMap<AccountId, BTreeSet<String>> {
        let mut playground = self.shared.playground();
        playground.let_arrive();
        let accounts: Vec<_> = playground.world.organization.accounts.keys().cloned().collect();
        let of_account = |account: AccountId| {
            let mut arns = BTreeSet::new();
            for region in regions {
                let call = search(account.clone(), region.clone());
                arns.extend(tagged::arns(&mut playground.world, &call));
            }
            (account, arns)
        };
        accounts.into_iter().map(of_account).collect()
    }

    /// Copies everything there is.
    #[must_use]
    pub fn copy(&self) -> WorldCopy {
        let playground = self.shared.playground();
        WorldCopy { world: playground.world.clone(), time: playground.world.now() }
    }
}

/// Asks for everything that an account has in a region, as its administrator.
fn search(account: AccountId, region: String) -> Call {
    Call {
        service: Service::Tagging,
        operation: "GetResources".to_owned(),
        region,
        caller: Caller::administrator(account),
        parameters: Parameters::default(),
        hidden: BTreeSet::new(),
    }
}
