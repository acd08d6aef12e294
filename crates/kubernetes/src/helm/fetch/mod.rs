//! Charts from repositories and registries, kept on this machine once they were fetched.
//!
//! [`Charts::obtain`] is for who installs a chart: it takes the version that is locked, or that the spec
//! names, and nothing else. [`Charts::newest`] is for who locks one. What is kept is found by its sha256,
//! so that a chart which is locked or named by its version is fetched once and then needs no network.

mod cache;
mod credentials;
mod error;
mod login;
mod reference;
mod registry;
mod repository;
#[cfg(test)]
mod tests;
mod visit;

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use straddle_engine::outside::Outside;
use straddle_web::{Patience, Url, Web};

pub use self::error::FetchError;
pub use self::reference::Reference;

use self::cache::Cache;
use self::credentials::Credentials;
use self::reference::Place;
use self::visit::Visit;
use super::lock::LockedChart;
use super::version::{Constraint, Version};
use super::{Chart, LARGEST_ARCHIVE};

/// Charts as they can be had from repositories and registries.
#[derive(Debug)]
pub struct Charts {
    web: Web,
    cache: Cache,
    credentials: Credentials,
}

/// A chart on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// Its archive.
    pub path: PathBuf,
    /// Its version, as the repository writes it.
    pub version: String,
    /// The sha256 of the archive, in hexadecimal digits.
    pub sha256: String,
}

impl Obtained {
    /// Returns the bytes of the archive.
    ///
    /// # Errors
    /// If it cannot be read any more.
    pub fn archive(&self) -> Result<Vec<u8>, FetchError> {
        std::fs::read(&self.path).map_err(|source| FetchError::Cache { path: self.path.clone(), source })
    }
}

/// A chart in a repository or registry, before it is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    /// The version; empty if only the archive says it.
    version: String,
    /// Where the archive is.
    address: Url,
    /// What is promised of the archive's sha256, in hexadecimal digits.
    sha256: Option<String>,
}

impl Charts {
    /// Makes ready to fetch charts into a folder, which is made when there is something to keep. `logins`
    /// are files in the form of Docker's `config.json` with names and passwords for hosts; the first one
    /// that knows a host counts.
    ///
    /// # Errors
    /// If nothing can be asked at all.
    pub fn new(folder: &Path, outside: &Outside, logins: &[PathBuf]) -> Result<Self, FetchError> {
        let web = Web::new(outside, Patience::FILES).map_err(FetchError::System)?;
        let (cache, credentials) = (Cache::in_folder(folder), Credentials::of(logins));
        Ok(Self { web, cache, credentials })
    }

    /// Returns a chart in the version that is locked, or else in the one that is named.
    ///
    /// # Errors
    /// It is not there, it is another one than was locked, or nothing says which version is meant.
    pub async fn obtain(
        &self,
        reference: &Reference,
        locked: Option<&LockedChart>,
    ) -> Result<Obtained, FetchError> {
        let kept = self.kept(reference, locked)?;
        if let Some(obtained) = kept {
            return Ok(obtained);
        }
        let exact = locked.map_or(reference.wanted(), |locked| &locked.version);
        let mut visit = self.visit(reference);
        let offer = self.offer(&mut visit, reference, exact).await?;
        if let (Some(locked), Some(sha256)) = (locked, &offer.sha256) {
            reference.compare(locked, sha256)?;
        }
        let obtained = self.fetch(&mut visit, reference, &offer, |sha256| match locked {
            Some(locked) => reference.compare(locked, sha256),
            None => Ok(()),
        });
        obtained.await
    }

    /// Returns the same as [`Self::obtain`] if it is on this machine already.
    ///
    /// # Errors
    /// What is kept cannot be read, or nothing says which version is meant.
    pub fn kept(
        &self,
        reference: &Reference,
        locked: Option<&LockedChart>,
    ) -> Result<Option<Obtained>, FetchError> {
        let (version, sha256) = match locked {
            Some(locked) => (locked.version.clone(), locked.sha256.clone()),
            None if !reference.is_exact() => return Err(reference.not_locked()),
            None => match self.cache.remembered(reference)? {
                Some(remembered) => remembered,
                None => return Ok(None),
            },
        };
        let path = self.cache.find(&sha256)?;
        Ok(path.map(|path| Obtained { path, version, sha256 }))
    }

    /// Returns the newest version of a chart that is allowed, whatever is locked or kept. What comes before a
    /// release is taken only if it is asked for.
    ///
    /// # Errors
    /// The repository, its index, the chart or the version is not there.
    pub async fn newest(&self, reference: &Reference) -> Result<Obtained, FetchError> {
        let mut visit = self.visit(reference);
        let offer = self.offer(&mut visit, reference, reference.wanted()).await?;
        let kept = offer.sha256.as_deref().map(|sha256| self.cache.find(sha256)).transpose()?.flatten();
        match (kept, offer.sha256.clone()) {
            (Some(path), Some(sha256)) if !offer.version.is_empty() => {
                self.cache.remember(reference, &offer.version, &sha256)?;
                Ok(Obtained { path, version: offer.version, sha256 })
            }
            _ => self.fetch(&mut visit, reference, &offer, |_| Ok(())).await,
        }
    }

    fn visit(&self, reference: &Reference) -> Visit<'_> {
        Visit::new(&self.web, &self.credentials, reference.origin())
    }

    /// Finds a chart in the newest version that is wanted.
    async fn offer(
        &self,
        visit: &mut Visit<'_>,
        reference: &Reference,
        wanted: &str,
    ) -> Result<Offer, FetchError> {
        match reference.place() {
            Place::Repository(base) => repository::offer(visit, base, reference, wanted).await,
            Place::Registry(name) => registry::offer(visit, name, reference, wanted).await,
            Place::Archive(address) => {
                Ok(Offer { version: String::new(), address: address.clone(), sha256: None })
            }
        }
    }

    /// Fetches an archive, compares it with what is promised, and keeps it.
    async fn fetch(
        &self,
        visit: &mut Visit<'_>,
        reference: &Reference,
        offer: &Offer,
        check: impl Fn(&str) -> Result<(), FetchError>,
    ) -> Result<Obtained, FetchError> {
        let bytes = visit.get(&offer.address, None, LARGEST_ARCHIVE).await?.body;
        let sha256 = sha256(&bytes);
        if let Some(expected) = offer.sha256.as_ref().filter(|expected| **expected != sha256) {
            let address = offer.address.to_string();
            return Err(FetchError::Digest { address, expected: expected.clone(), found: sha256 });
        }
        check(&sha256)?;
        let chart = Chart::from_archive(&bytes)
            .map_err(|source| FetchError::NoChart { address: offer.address.to_string(), source })?;
        let version = if offer.version.is_empty() { chart.metadata.version } else { offer.version.clone() };
        let path = self.cache.keep(&sha256, &bytes)?;
        self.cache.remember(reference, &version, &sha256)?;
        Ok(Obtained { path, version, sha256 })
    }
}

/// Returns the index of the newest version that is wanted; one that is written exactly so comes first.
fn choose(versions: &[Version], wanted: &str, constraint: &Constraint) -> Option<usize> {
    let exact = versions.iter().position(|version| version.original() == wanted);
    let allowed = || {
        let allowed = versions.iter().enumerate().filter(|(_, version)| constraint.allows(version));
        allowed.max_by(|(_, one), (_, other)| one.compare(other)).map(|(index, _)| index)
    };
    exact.or_else(allowed)
}

/// Returns the newest of versions, to tell what there is.
fn newest(versions: &[Version]) -> Option<&Version> {
    versions.iter().max_by(|one, other| one.compare(other))
}

/// Returns the sha256 of an archive in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
