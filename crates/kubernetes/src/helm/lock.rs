//! The file beside a spec that says which archives its charts are. It is meant to be kept with the spec,
//! so that everybody gets the same ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fetch::Reference;
use super::version::{Constraint, Version};

/// The name of the file. It has no ending that would make it a part of the spec.
pub const LOCK_FILE: &str = "charts.lock";

/// What the file begins with.
const HEADING: &str =
    "# The charts of this spec, as they were when they were locked. Keep this file with the spec.\n";

/// What is wrong with a lock file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It cannot be read.
    #[error("{LOCK_FILE} cannot be read: {0}")]
    Content(String),
}

/// A chart that is locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedChart {
    /// Where it comes from, as the spec says it.
    pub source: String,
    /// Its name.
    pub chart: String,
    /// The constraint that the version was chosen by.
    pub wanted: String,
    /// The version.
    pub version: String,
    /// The sha256 of the archive, in hexadecimal digits.
    pub sha256: String,
}

impl LockedChart {
    /// Whether it is what a spec names so.
    pub(super) fn is_for(&self, named: &Reference) -> bool {
        (self.source.as_str(), self.chart.as_str(), self.wanted.as_str())
            == (named.source(), named.chart(), named.wanted())
    }
}

/// The charts that are locked, by source, name and constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    charts: BTreeMap<[String; 3], LockedChart>,
}

/// The file as it is written.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    chart: Vec<LockedChart>,
}

impl Lock {
    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// It is no lock file, or has a chart twice.
    pub fn read(text: &str) -> Result<Self, LockError> {
        let file: File = toml::from_str(text).map_err(|error| LockError::Content(error.to_string()))?;
        let mut lock = Self::default();
        for chart in file.chart {
            let name = chart.chart.clone();
            if lock.put(chart).is_some() {
                return Err(LockError::Content(format!("the chart {name} is there twice")));
            }
        }
        Ok(lock)
    }

    /// Returns the text of the file, which is the same for the same charts.
    ///
    /// # Errors
    /// Something in it has no form in TOML.
    pub fn write(&self) -> Result<String, LockError> {
        let file = File { chart: self.charts.values().cloned().collect() };
        let text = toml::to_string(&file).map_err(|error| LockError::Content(error.to_string()))?;
        Ok(format!("{HEADING}\n{text}"))
    }

    /// Returns the chart that was locked for what a spec says now. One whose constraint no longer allows
    /// the version is not locked.
    #[must_use]
    pub fn find(&self, source: &str, chart: &str, wanted: &str) -> Option<&LockedChart> {
        let found = self.charts.get(&[source, chart, wanted].map(str::to_owned))?;
        let version = Version::parse(&found.version).ok()?;
        let allows = found.version == wanted || Constraint::parse(wanted).ok()?.allows(&version);
        allows.then_some(found)
    }

    /// Locks a chart; returns what was locked before in its place.
    pub fn put(&mut self, chart: LockedChart) -> Option<LockedChart> {
        let key = [&chart.source, &chart.chart, &chart.wanted].map(Clone::clone);
        self.charts.insert(key, chart)
    }

    /// Forgets the charts that a spec no longer has.
    pub fn keep(&mut self, is_used: impl Fn(&LockedChart) -> bool) {
        self.charts.retain(|_, chart| is_used(chart));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(wanted: &str, version: &str) -> LockedChart {
        LockedChart {
            source: "https://charts.example.com".to_owned(),
            chart: "web".to_owned(),
            wanted: wanted.to_owned(),
            version: version.to_owned(),
            sha256: crate::helm::fetch::sha256(b"archive"),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_always_the_same() {
        let (mut one, mut other) = (Lock::default(), Lock::default());
        let (first, second) = (web("^1", "1.9.0"), web("2.x", "2.1.0"));
        one.put(first.clone());
        one.put(second.clone());
        other.put(second);
        other.put(first);
        let text = one.write().expect("it has a form");
        assert_eq!(text, other.write().expect("it has a form"));
        assert_eq!(Lock::read(&text), Ok(one.clone()));
        assert_eq!(one.find("https://charts.example.com", "web", "^1"), Some(&web("^1", "1.9.0")));
        assert_eq!(one.find("https://charts.example.com", "web", "^3"), None);
        one.keep(|chart| chart.wanted == "2.x");
        assert_eq!(one.find("https://charts.example.com", "web", "^1"), None);
    }

    #[test]
    fn a_version_that_its_constraint_does_not_allow_is_not_locked() {
        let mut lock = Lock::default();
        lock.put(web("^1", "2.0.0"));
        assert_eq!(lock.find("https://charts.example.com", "web", "^1"), None);
    }

    #[test]
    fn a_broken_file_is_told() {
        let twice = format!(
            "{0}{0}",
            "[[chart]]\nsource = 's'\nchart = 'c'\nwanted = '1'\nversion = '1'\nsha256 = 'x'\n"
        );
        assert_eq!(Lock::read(&twice), Err(LockError::Content("the chart c is there twice".to_owned())));
        for text in ["[[chart]]\n", "charts = 1", "[[chart"] {
            assert!(Lock::read(text).is_err(), "{text}");
        }
        assert_eq!(Lock::read(""), Ok(Lock::default()));
    }
}
