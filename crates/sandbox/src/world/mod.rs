//! The world of a sandbox: accounts, their things, and the time.

mod account;
mod clock;
mod fate;
mod late;
mod newborn;
mod organization;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ec2::Network;
use crate::eks::{self, Clusters};
use crate::elb::Balancing;
use crate::iam::{self, Directory};
use crate::identity::Credentials;
use crate::issuer::Issuer;
use crate::quotas::Adjusted;
use crate::ram::Shares;
use crate::tokens::Tokens;

pub use account::{AccountId, InvalidAccountId};
pub(crate) use clock::{Clock, later};
pub(crate) use fate::Failure;
use late::Late;
use newborn::Newborn;
pub(crate) use organization::{ControlPolicy, FULL_ACCESS, Organization, RAM, Unit};
pub(crate) use timeline::Timeline;

/// Everything that a sandbox knows. Can be kept in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) organization: Organization,
    /// By access key.
    pub(crate) credentials: BTreeMap<String, Credentials>,
    /// The roles, users and policies of each account.
    pub(crate) directories: BTreeMap<AccountId, Directory>,
    /// Those who issue web identities, by their addresses.
    pub(crate) issuers: BTreeMap<String, Issuer>,
    /// How the world treats calls.
    pub(crate) rules: Rules,
    /// The things of EC2, by region: accounts of one organization share them.
    pub(crate) networks: BTreeMap<String, Network>,
    /// The clusters of all accounts, by region.
    #[serde(default)]
    pub(crate) clusters: BTreeMap<String, Clusters>,
    /// The load balancers and target groups, by region.
    #[serde(default)]
    pub(crate) balancing: BTreeMap<String, Balancing>,
    /// How much of what accounts may have.
    #[serde(default)]
    pub(crate) quotas: Adjusted,
    /// What is shared in RAM, by region.
    pub(crate) shares: BTreeMap<String, Shares>,
    /// Why what the next call makes is to fail.
    fate: Option<Failure>,
    /// The client tokens that were used.
    pub(crate) tokens: Tokens,
    /// Calls whose work is still to be done, the next one first.
    late: Vec<Late>,
    /// What reads may not know yet.
    #[serde(skip)]
    newborn: Newborn,
    seed: u64,
    made: u64,
}

/// How a world treats calls. Whoever starts the sandbox says so each time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Whether policies are asked what a caller may do; otherwise only trust policies are.
    pub enforce_iam: bool,
    /// For how many seconds of the world a new role is unknown to other services than IAM.
    pub iam_delay: f64,
    /// For how many seconds of the world reads do not know a new id.
    pub consistency_window: f64,
}

/// How a world begins.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldSettings {
    /// The account that manages the organization.
    pub management: AccountId,
    /// Its other accounts, by name.
    pub accounts: BTreeMap<String, AccountId>,
    /// How many times faster than on AWS things get ready; 0 stands still.
    pub speed: f64,
    /// From which ids are made: the same seed and the same calls give the same ids.
    pub seed: u64,
    /// When the world begins.
    pub start: Timestamp,
    /// How it treats calls.
    pub rules: Rules,
}

impl WorldSettings {
    /// Returns the settings of a world of this account, which begins now and runs as fast as ours.
    #[must_use]
    pub fn new(management: AccountId) -> Self {
        let (accounts, start, rules) = (BTreeMap::new(), Timestamp::now(), Rules::default());
        Self { management, accounts, speed: 1.0, seed: 0, start, rules }
    }
}

/// Returns a time as the JSON services write it: seconds since 1970.
pub(crate) fn seconds(time: Timestamp) -> serde_json::Value {
    time.as_duration().as_secs_f64().into()
}

impl World {
    /// Makes a world that has accounts and nothing in them.
    pub(crate) fn new(settings: WorldSettings) -> Self {
        let WorldSettings { management, accounts, speed, seed, start, rules } = settings;
        let mut world = Self {
            clock: Clock::new(start, speed),
            organization: Organization::new(management.clone(), BTreeMap::new(), start),
            credentials: BTreeMap::new(),
            directories: BTreeMap::new(),
            issuers: BTreeMap::new(),
            rules,
            networks: BTreeMap::new(),
            clusters: BTreeMap::new(),
            balancing: BTreeMap::new(),
            quotas: Adjusted::default(),
            shares: BTreeMap::new(),
            fate: None,
            tokens: Tokens::default(),
            late: Vec::new(),
            newborn: Newborn::default(),
            seed,
            made: 0,
        };
        world.add_account("management", &management);
        for (name, id) in accounts {
            world.add_account(&name, &id);
        }
        world
    }

    /// Goes on with a world that was kept: with more accounts, another speed and other rules. Its
    /// time has stood still meanwhile; it is not left behind ours, since clients compare the end
    /// of credentials with their own clock.
    pub(crate) fn resumed(mut self, settings: WorldSettings) -> Self {
        let WorldSettings { management: _, accounts, speed, seed: _, start, rules } = settings;
        self.clock.set_speed(speed);
        if speed > 0.0 {
            self.clock.catch_up(start);
        }
        for (name, id) in accounts {
            self.add_account(&name, &id);
        }
        Self { rules, ..self }
    }

    /// Returns a world with the same accounts and nothing in them. Its ids go on, so that none of
    /// the old world comes back.
    pub(crate) fn emptied(&self) -> Self {
        let Organization { management, accounts, .. } = &self.organization;
        let settings = WorldSettings {
            accounts: accounts.iter().map(|(id, name)| (name.clone(), id.clone())).collect(),
            speed: self.clock.speed(),
            seed: self.seed,
            start: self.now(),
            rules: self.rules,
            ..WorldSettings::new(management.clone())
        };
        let mut world = Self::new(settings);
        world.made = world.made.max(self.made);
        world
    }

    /// Adds an account to the organization, or gives one that is there another name.
    pub(crate) fn add_account(&mut self, name: &str, id: &AccountId) {
        let former = self.organization.accounts.insert(id.clone(), name.to_owned());
        if former.is_none() {
            iam::open_account(self, id);
        }
    }

    /// Returns the time in the world.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time go on from a moment, by the clock of whoever asks.
    pub(crate) fn go_on_from(&mut self, time: Timestamp, speed: f64) {
        self.clock = Clock::new(time, speed);
    }

    /// Lets time stand still at a moment.
    pub(crate) fn stand_at(&mut self, time: Timestamp) {
        self.clock = Clock::new(time, 0.0);
    }

    /// Returns the things of EC2 in a region, as they are by now.
    pub(crate) fn network(&mut self, region: &str) -> &mut Network {
        eks::settle(self, region);
        let now = self.now();
        let network = self.networks.entry(region.to_owned()).or_default();
        network.settle(now);
        network
    }

    /// Returns the clusters in a region, as they are by now.
    pub(crate) fn clusters(&mut self, region: &str) -> &mut Clusters {
        eks::settle(self, region);
        self.clusters.entry(region.to_owned()).or_default()
    }

    /// Returns the load balancers of a region, and the network that they are in.
    pub(crate) fn balancing(&mut self, region: &str) -> (&mut Balancing, &mut Network) {
        eks::settle(self, region);
        let now = self.now();
        let network = self.networks.entry(region.to_owned()).or_default();
        network.settle(now);
        (self.balancing.entry(region.to_owned()).or_default(), network)
    }

    /// Returns what is shared in a region.
    pub(crate) fn shares(&mut self, region: &str) -> &mut Shares {
        self.shares.entry(region.to_owned()).or_default()
    }

    /// Returns the roles, users and policies of an account.
    pub(crate) fn directory(&mut self, account: &AccountId) -> &mut Directory {
        let now = self.now();
        let directory = self.directories.entry(account.clone()).or_default();
        directory.settle(now);
        directory
    }

    /// Returns an id in the form of EC2: `vpc-0` and sixteen digits.
    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        let id = format!("{prefix}-0{}", &self.digits()[..16]);
        self.newborn.add(&id, self.now());
        id
    }

    /// Returns sixteen digits, which load balancers and what belongs to them have in their ARNs.
    pub(crate) fn new_digits(&mut self) -> String {
        self.digits()[..16].to_owned()
    }

    /// Returns the ids that were made in the last seconds.
    pub(crate) fn newborn(&self, seconds: f64) -> BTreeSet<String> {
        self.newborn.since(seconds, self.now())
    }

    /// Returns an id in the form of a UUID.
    pub(crate) fn new_uuid(&mut self) -> String {
        let digits = self.digits();
        let part = |from: usize, to: usize| &digits[from..to];
        format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
    }

    /// Returns who issues web identities at an address, who begins to with the first question.
    pub(crate) fn issuer(&mut self, url: &str) -> &Issuer {
        if !self.issuers.contains_key(url) {
            let issuer = Issuer::new(url, self.new_secret());
            self.issuers.insert(url.to_owned(), issuer);
        }
        &self.issuers[url]
    }

    /// Returns an id in the form of IAM: a prefix that tells what it is of, and 17 capitals and digits.
    pub(crate) fn new_unique_id(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", &BASE32_NOPAD.encode(&self.hash())[..17])
    }

    /// Returns an access key and its secret key.
    pub(crate) fn new_key(&mut self, prefix: &str) -> (String, String) {
        let key = format!("{prefix}{}", &BASE32_NOPAD.encode(&self.hash())[..16]);
        (key, self.new_secret())
    }

    /// Returns a text of forty characters that nobody guesses who does not know the seed.
    pub(crate) fn new_secret(&mut self) -> String {
        BASE64.encode(&self.hash())[..40].to_owned()
    }

    /// Returns how many ids have been made. What is done once more with the same number gets the same ids.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// Makes the ids again that came after so many.
    pub(crate) fn set_made(&mut self, made: u64) {
        self.made = made;
    }

    /// Returns what ids and keys are made from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    fn digits(&mut self) -> String {
        HEXLOWER.encode(&self.hash())
    }

    fn hash(&mut self) -> [u8; 32] {
        self.made += 1;
        Sha256::digest([self.seed.to_be_bytes(), self.made.to_be_bytes()].concat()).into()
    }
}
