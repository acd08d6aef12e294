//! Charts from repositories and registries. Nothing here opens a connection: `Fetch` does.

use data_encoding::HEXLOWER;
use reqwest::Url;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::LARGEST_ARCHIVE;
use super::version::{Constraint, Version};
use super::yaml::{YamlError, document};

/// The most that an index of a repository may have, in bytes.
const LARGEST_INDEX: usize = 64 << 20;

/// Gets what is at an address.
pub trait Fetch {
    /// Returns what is there, and refuses what has more than `largest` bytes.
    ///
    /// # Errors
    /// Why there is nothing, as the end of a sentence.
    fn get(&self, address: &Url, largest: usize) -> impl Future<Output = Result<Vec<u8>, String>> + Send;
}

/// Why a chart could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address of the repository is none.
    #[error("{address} is no address of a repository: {problem}")]
    Address {
        /// What is written.
        address: String,
        /// What is wrong.
        problem: String,
    },
    /// Nothing came from an address.
    #[error("{address} could not be read: {problem}")]
    Read {
        /// The address.
        address: String,
        /// Why.
        problem: String,
    },
    /// The index of a repository is none.
    #[error("the index of {repository} cannot be read: {source}")]
    Index {
        /// The repository.
        repository: String,
        /// What is wrong, and where.
        source: YamlError,
    },
    /// The repository has no such chart.
    #[error("{repository} has no chart {chart}")]
    Chart {
        /// The repository.
        repository: String,
        /// The chart.
        chart: String,
    },
    /// The repository does not have the chart in a version that is wanted.
    #[error("{repository} has no version of {chart} that is {wanted}; the newest is {newest}")]
    Version {
        /// The repository.
        repository: String,
        /// The chart.
        chart: String,
        /// The constraint.
        wanted: String,
        /// What there is.
        newest: String,
    },
    /// What came is not what was promised.
    #[error("{address} has the sha256 {found}, but {expected} is expected")]
    Digest {
        /// The address.
        address: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

/// A chart in a repository, before it is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The version.
    pub version: String,
    /// Where its archive is.
    pub address: Url,
    /// What the index says that the sha256 of the archive is, in hexadecimal digits.
    pub sha256: Option<String>,
}

/// Finds the newest version of a chart that a constraint allows, in the repository's `index.yaml`. What
/// comes before a release is found only if the constraint asks for that.
///
/// # Errors
/// The repository, its index, the chart or the version is not there.
pub async fn find(
    fetch: &impl Fetch,
    repository: &str,
    chart: &str,
    wanted: &str,
) -> Result<Entry, FetchError> {
    let error = |problem: String| FetchError::Address { address: repository.to_owned(), problem };
    // Without the slash, the last part of the address would be replaced and not followed.
    let base = Url::parse(&format!("{}/", repository.trim_end_matches('/')))
        .map_err(|problem| error(problem.to_string()))?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(error(format!("{} is neither http nor https", base.scheme())));
    }
    let constraint = Constraint::parse(wanted).map_err(|problem| error(problem.to_string()))?;
    let index = base.join("index.yaml").map_err(|problem| error(problem.to_string()))?;
    let bytes = read(fetch, &index, LARGEST_INDEX).await?;
    let index = document(&String::from_utf8_lossy(&bytes))
        .map_err(|source| FetchError::Index { repository: repository.to_owned(), source })?;
    choose(&index, &base, chart, wanted, &constraint)
}

fn choose(
    index: &Value,
    base: &Url,
    chart: &str,
    wanted: &str,
    constraint: &Constraint,
) -> Result<Entry, FetchError> {
    let repository = base.as_str().trim_end_matches('/').to_owned();
    let missing = || FetchError::Chart { repository: repository.clone(), chart: chart.to_owned() };
    let entries = index["entries"][chart].as_array().ok_or_else(missing)?;
    let mut versions: Vec<(Version, &Value)> = entries
        .iter()
        .filter_map(|entry| Some((Version::parse(entry["version"].as_str()?).ok()?, entry)))
        .collect();
    versions.sort_by(|(one, _), (other, _)| other.compare(one));
    let newest = versions.first().ok_or_else(missing)?.0.original().to_owned();
    let found =
        versions.iter().find(|(version, _)| version.original() == wanted || constraint.allows(version));
    let Some((version, entry)) = found else {
        return Err(FetchError::Version {
            repository,
            chart: chart.to_owned(),
            wanted: wanted.to_owned(),
            newest,
        });
    };
    let address = entry["urls"][0].as_str().ok_or_else(missing)?;
    let address = base.join(address).map_err(|problem| FetchError::Address {
        address: address.to_owned(),
        problem: problem.to_string(),
    })?;
    let sha256 = entry["digest"].as_str().map(|digest| digest.trim_start_matches("sha256:").to_lowercase());
    Ok(Entry { version: version.original().to_owned(), address, sha256 })
}

/// Fetches the archive of a chart, and compares it with what the index promises.
///
/// # Errors
/// It is not there, or another one.
pub async fn archive(fetch: &impl Fetch, entry: &Entry) -> Result<Vec<u8>, FetchError> {
    let bytes = read(fetch, &entry.address, LARGEST_ARCHIVE).await?;
    let found = sha256(&bytes);
    match &entry.sha256 {
        Some(expected) if *expected != found => {
            Err(FetchError::Digest { address: entry.address.to_string(), expected: expected.clone(), found })
        }
        _ => Ok(bytes),
    }
}

async fn read(fetch: &impl Fetch, address: &Url, largest: usize) -> Result<Vec<u8>, FetchError> {
    fetch
        .get(address, largest)
        .await
        .map_err(|problem| FetchError::Read { address: address.to_string(), problem })
}

/// Returns the sha256 of an archive in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Answers from memory.
    struct Prepared(BTreeMap<String, Vec<u8>>);

    impl Fetch for Prepared {
        async fn get(&self, address: &Url, largest: usize) -> Result<Vec<u8>, String> {
            match self.0.get(address.as_str()) {
                Some(bytes) if bytes.len() <= largest => Ok(bytes.clone()),
                Some(_) => Err(format!("it has more than {largest} bytes")),
                None => Err("404 Not Found".to_owned()),
            }
        }
    }

    const INDEX: &str = "\
apiVersion: v1
entries:
  web:
  - {version: 1.9.0, urls: [web-1.9.0.tgz], digest: 6a3a}
  - {version: 1.10.1, urls: ['https://other.example.com/web-1.10.1.tgz']}
  - {version: 2.0.0-rc.1, urls: [web-2.0.0-rc.1.tgz]}
  - {version: nonsense, urls: [x]}
";

    fn prepared() -> Prepared {
        Prepared(BTreeMap::from([
            ("https://charts.example.com/stable/index.yaml".to_owned(), INDEX.as_bytes().to_vec()),
            ("https://charts.example.com/stable/web-1.9.0.tgz".to_owned(), b"changed".to_vec()),
            ("https://broken.example.com/index.yaml".to_owned(), b"entries: [".to_vec()),
        ]))
    }

    async fn found(repository: &str, chart: &str, wanted: &str) -> String {
        match find(&prepared(), repository, chart, wanted).await {
            Ok(entry) => format!("{} {}", entry.version, entry.address),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn the_newest_version_that_is_allowed_is_found() {
        let repository = "https://charts.example.com/stable";
        for (wanted, expected) in [
            ("1.9.0", "1.9.0 https://charts.example.com/stable/web-1.9.0.tgz"),
            ("^1.2", "1.10.1 https://other.example.com/web-1.10.1.tgz"),
            ("", "1.10.1 https://other.example.com/web-1.10.1.tgz"),
            (">=1.0-0", "2.0.0-rc.1 https://charts.example.com/stable/web-2.0.0-rc.1.tgz"),
            ("2.0.0-rc.1", "2.0.0-rc.1 https://charts.example.com/stable/web-2.0.0-rc.1.tgz"),
            (
                "3.x",
                "https://charts.example.com/stable has no version of web that is 3.x; the newest is 2.0.0-rc.1",
            ),
        ] {
            assert_eq!(found(repository, "web", wanted).await, expected, "{wanted}");
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_named() {
        for (repository, chart, expected) in [
            ("https://charts.example.com/stable/", "db", "https://charts.example.com/stable has no chart db"),
            (
                "https://none.example.com",
                "web",
                "https://none.example.com/index.yaml could not be read: 404 Not Found",
            ),
            ("ftp://x", "web", "ftp://x is no address of a repository: ftp is neither http nor https"),
            ("nowhere", "web", "nowhere is no address of a repository: relative URL without a base"),
        ] {
            assert_eq!(found(repository, chart, "*").await, expected);
        }
        let broken = found("https://broken.example.com", "web", "*").await;
        assert!(
            broken.starts_with("the index of https://broken.example.com cannot be read: yaml: "),
            "{broken}"
        );
    }

    #[tokio::test]
    async fn an_archive_that_is_another_one_is_refused() {
        let entry = find(&prepared(), "https://charts.example.com/stable", "web", "1.9.0")
            .await
            .expect("it is there");
        let error = archive(&prepared(), &entry).await.expect_err("the digest is another one").to_string();
        assert_eq!(
            error,
            format!("{} has the sha256 {}, but 6a3a is expected", entry.address, sha256(b"changed"))
        );
        let entry = Entry { sha256: Some(sha256(b"changed")), ..entry };
        assert_eq!(archive(&prepared(), &entry).await.expect("it is right"), b"changed");
    }
}
