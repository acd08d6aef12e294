//! What blocks are made of that is nowhere beside the spec: charts in repositories.
//!
//! Loading a spec reads nothing but files. What has to be fetched is said by the
//! [failure](crate::spec::LoadFailure::lacking); once it is there, the spec is loaded again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::outside::Outside;
use crate::provider::BoxFuture;
use crate::spec::Tree;

/// Something that has to be fetched, as a block names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Supply {
    /// Where it is; `None` if the name says that as well.
    pub repository: Option<String>,
    /// What it is called there.
    pub name: String,
    /// Which versions will do; any, if the block names none.
    pub version: Option<String>,
}

impl fmt::Display for Supply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        if let Some(version) = &self.version {
            write!(formatter, " {version}")?;
        }
        match &self.repository {
            Some(repository) => write!(formatter, " of {repository}"),
            None => Ok(()),
        }
    }
}

/// Why something could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupplied {
    /// What went wrong, without a full stop.
    pub reason: String,
    /// What to do about it, in whole sentences.
    pub remedy: Option<String>,
}

/// What came of fetching something: its files.
pub type Supplied = Result<Arc<Tree>, Unsupplied>;

/// What was fetched for a spec, and what could not be.
pub type Supplies = BTreeMap<Supply, Supplied>;

/// From where things are fetched, and what limits that.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    /// How hosts are reached. What a substitute has is not what is elsewhere under the same name, so that what
    /// is locked of it is only its version.
    pub outside: &'a Outside,
    /// A folder for what was fetched before; made if it is needed.
    pub cache: &'a Path,
    /// Files in the form of Docker's `config.json` with names and passwords for hosts; the first one that knows
    /// a host counts.
    pub logins: &'a [PathBuf],
    /// The text of the lock file beside the spec, if there is one.
    pub lock: Option<&'a str>,
}

/// Something that is locked: the one version that is meant, and what it consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// What the spec names.
    pub supply: Supply,
    /// The version that was locked before, if one was.
    pub before: Option<String>,
    /// The version that is locked now.
    pub version: String,
    /// The sha256 of what was fetched, in hexadecimal digits.
    pub sha256: String,
    /// Whether version and content are those that were locked before.
    pub is_same: bool,
}

/// What is to be locked.
#[derive(Debug, Clone, Copy)]
pub struct LockOrder<'a> {
    /// What the spec names.
    pub supplies: &'a BTreeSet<Supply>,
    /// The names of what gets the newest version that is allowed, although it is locked already; of all, if
    /// empty. `None` leaves alone what is locked.
    pub update: Option<&'a BTreeSet<String>>,
    /// Whether what the spec does not name any more is let go.
    pub prunes: bool,
}

/// Versions that were chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The new text of the lock file.
    pub lock: String,
    /// What it says of what was to be locked.
    pub locked: Vec<Locked>,
    /// What could not be had, and is in the file as it was before.
    pub failed: BTreeMap<Supply, Unsupplied>,
}

/// Fetches what blocks are made of. A program registers one.
pub trait Supplier: Send + Sync {
    /// Returns the name of the lock file that stands beside a spec.
    fn lock_file(&self) -> &'static str;

    /// Fetches what is named, in the versions that are locked, or that are named themselves. What is in the cache
    /// is not fetched again.
    ///
    /// # Errors
    /// If nothing can be fetched at all, or the lock file is none. What cannot be had of the single things is in
    /// the answer.
    fn fetch<'a>(
        &'a self,
        market: Market<'a>,
        supplies: &'a BTreeSet<Supply>,
    ) -> BoxFuture<'a, Result<Supplies, Unsupplied>>;

    /// Chooses versions. Nothing is written.
    ///
    /// # Errors
    /// If nothing can be fetched at all, or the lock file is none.
    fn lock<'a>(
        &'a self,
        market: Market<'a>,
        order: LockOrder<'a>,
    ) -> BoxFuture<'a, Result<Choice, Unsupplied>>;

    /// Returns the versions that a lock file has of what is named; nothing of what it does not have.
    ///
    /// # Errors
    /// If the lock file is none.
    fn locked(&self, lock: &str, supplies: &BTreeSet<Supply>)
    -> Result<BTreeMap<Supply, Locked>, Unsupplied>;
}
