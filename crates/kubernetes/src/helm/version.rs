//! Versions of charts and what is asked of them, as Helm reads both.
//!
//! Source: <https://helm.sh/docs/chart_best_practices/dependencies/> and the rules of the library that it
//! names, <https://github.com/Masterminds/semver>.

use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use semver::{BuildMetadata, Prerelease};

/// A text that is no version, or no constraint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// It is no version.
    #[error("Invalid Semantic Version")]
    Version,
    /// It is no constraint.
    #[error("improper constraint: {0}")]
    Constraint(String),
}

/// A version of a chart or of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    inner: semver::Version,
    original: String,
}

static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$")
        .expect("the pattern is right")
});

impl Version {
    /// Reads a version, which may begin with `v` and leave parts out at the end.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let parts = VERSION.captures(text).ok_or(VersionError::Version)?;
        let number = |index| part(&parts, index).map_or(Ok(0), |text: &str| text.parse::<u64>());
        let numbers =
            || -> Result<[u64; 3], std::num::ParseIntError> { Ok([number(1)?, number(2)?, number(3)?]) };
        let [major, minor, patch] = numbers().map_err(|_| VersionError::Version)?;
        let mut inner = semver::Version::new(major, minor, patch);
        inner.pre =
            Prerelease::new(part(&parts, 4).unwrap_or_default()).map_err(|_| VersionError::Version)?;
        inner.build =
            BuildMetadata::new(part(&parts, 5).unwrap_or_default()).map_err(|_| VersionError::Version)?;
        Ok(Self { inner, original: text.to_owned() })
    }

    /// Whether a text is one version with all its numbers, and not what versions have to be like.
    #[must_use]
    pub fn is_whole(text: &str) -> bool {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        numbers.split('.').count() == 3 && Self::parse(text).is_ok()
    }

    /// Returns the text that it was read from.
    #[must_use]
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Returns the first, second and third number.
    #[must_use]
    pub fn numbers(&self) -> [u64; 3] {
        [self.inner.major, self.inner.minor, self.inner.patch]
    }

    /// Returns what makes it come before the release; empty for a release.
    #[must_use]
    pub fn prerelease(&self) -> &str {
        self.inner.pre.as_str()
    }

    /// Returns what stands behind the plus sign.
    #[must_use]
    pub fn metadata(&self) -> &str {
        self.inner.build.as_str()
    }

    /// Compares two versions by what comes earlier.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        self.inner.cmp_precedence(&other.inner)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

fn part<'a>(parts: &'a Captures<'_>, index: usize) -> Option<&'a str> {
    parts.get(index).map(|part| part.as_str())
}

/// What a version has to be like: alternatives of several conditions each.
#[derive(Clone, Debug)]
pub struct Constraint {
    alternatives: Vec<Vec<Condition>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    /// Also where nothing stands.
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

#[derive(Clone, Debug)]
struct Condition {
    operator: Operator,
    version: Version,
    /// The part from which on the version says nothing, 0 to 2; 3 if it says all.
    open_from: usize,
}

const ANY_VERSION: &str =
    r"v?([0-9|xX*]+)(\.[0-9|xX*]+)?(\.[0-9|xX*]+)?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?";

static CONDITION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"^\s*(=|!=|>=|=>|<=|=<|>|<|~>|~|\^|)\s*(?:{ANY_VERSION})(?:\s*,\s*|\s+|$)"))
        .expect("the pattern is right")
});

static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"\s*({ANY_VERSION})\s+-\s+({ANY_VERSION})\s*")).expect("the pattern is right")
});

impl Constraint {
    /// Reads a constraint: `1.x`, `^1.2`, `>= 1.2, < 2 || 3.0.0`, `1.2 - 1.4`.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let error = || VersionError::Constraint(text.to_owned());
        let written =
            RANGE.replace_all(text, |range: &Captures<'_>| format!(" >= {}, <= {} ", &range[1], &range[6]));
        let alternatives =
            written.split("||").map(conditions).collect::<Option<Vec<_>>>().ok_or_else(error)?;
        Ok(Self { alternatives })
    }

    /// Whether a version is like that.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|all| all.iter().all(|condition| condition.allows(version)))
    }
}

/// Reads conditions that all have to hold.
fn conditions(text: &str) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        rest = "*";
    }
    while !rest.is_empty() {
        let found = CONDITION.captures(rest)?;
        conditions.push(condition(&found)?);
        rest = rest[found[0].len()..].trim_start();
    }
    Some(conditions)
}

fn condition(found: &Captures<'_>) -> Option<Condition> {
    let operator = match &found[1] {
        "" | "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" | "=>" => Operator::AtLeast,
        "<=" | "=<" => Operator::AtMost,
        "~" | "~>" => Operator::Tilde,
        _ => Operator::Caret,
    };
    let is_open =
        |index| part(found, index).is_none_or(|text| matches!(text.trim_start_matches('.'), "x" | "X" | "*"));
    let open_from = (2..5).position(is_open).unwrap_or(3);
    let numbers: String = match open_from {
        0 => "0.0.0".to_owned(),
        1 => format!("{}.0.0", &found[2]),
        2 => format!("{}{}.0", &found[2], &found[3]),
        _ => format!("{}{}{}", &found[2], &found[3], &found[4]),
    };
    let version = Version::parse(&format!("{numbers}{}", part(found, 5).unwrap_or_default())).ok()?;
    Some(Condition { operator, version, open_from })
}

impl Condition {
    fn allows(&self, version: &Version) -> bool {
        // Who does not ask for what comes before a release does not get it.
        if !version.prerelease().is_empty() && self.version.prerelease().is_empty() {
            return false;
        }
        let order = version.compare(&self.version);
        match self.operator {
            Operator::Equal if self.open_from < 3 => self.is_near(version),
            Operator::Equal => order.is_eq(),
            Operator::NotEqual if self.open_from < 3 => !self.is_alike(version),
            Operator::NotEqual => order.is_ne(),
            Operator::Greater if self.open_from < 3 => {
                order.is_gt() && !(self.open_from > 0 && self.is_alike(version))
            }
            Operator::Greater => order.is_gt(),
            Operator::Less => order.is_lt(),
            Operator::AtLeast => order.is_ge(),
            Operator::AtMost if self.open_from < 3 => order.is_le() || self.is_alike(version),
            Operator::AtMost => order.is_le(),
            Operator::Tilde => self.is_near(version),
            Operator::Caret => self.is_compatible(version),
        }
    }

    /// Whether a version is the same in the parts that are said.
    fn is_alike(&self, version: &Version) -> bool {
        version.numbers()[..self.open_from] == self.version.numbers()[..self.open_from]
    }

    /// `~`: the last part that is said may be larger, but not the first two.
    fn is_near(&self, version: &Version) -> bool {
        let numbers = self.version.numbers();
        if numbers == [0, 0, 0] && matches!(self.open_from, 0 | 3) {
            return true;
        }
        let fixed = self.open_from.min(2);
        version.compare(&self.version).is_ge() && version.numbers()[..fixed] == numbers[..fixed]
    }

    /// `^`: nothing up to the first part that is not zero may change.
    fn is_compatible(&self, version: &Version) -> bool {
        if version.compare(&self.version).is_lt() {
            return false;
        }
        let numbers = self.version.numbers();
        let fixed = match numbers {
            [major, ..] if major > 0 || self.open_from == 1 => 1,
            [_, minor, _] if minor > 0 || self.open_from == 2 => 2,
            _ => 3,
        };
        self.open_from == 0 || version.numbers()[..fixed] == numbers[..fixed]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(constraint: &str, version: &str, expected: bool) {
        let read = Constraint::parse(constraint).expect(constraint);
        assert_eq!(read.allows(&Version::parse(version).expect(version)), expected, "{constraint} {version}");
    }

    /// As helm 3.17.2 says by `semverCompare`.
    #[test]
    fn versions_are_like_what_is_asked() {
        for (constraint, version, expected) in [
            ("1.13.4", "1.13.4", true),
            ("=1.13", "1.13.9", true),
            ("1.x", "1.99.0", true),
            ("1.x", "2.0.0", false),
            ("*", "3.1.0", true),
            ("*", "3.1.0-rc.1", false),
            (">=1.18-0", "v1.33.1-eks-abc", true),
            (">=1.18", "1.33.1-eks-abc", false),
            ("^1.2.3", "1.9.0", true),
            ("^0.2.3", "0.3.0", false),
            ("^0.0.3", "0.0.4", false),
            ("^0", "0.9.0", true),
            ("~1.2.3", "1.2.9", true),
            ("~1.2.3", "1.3.0", false),
            ("~1", "1.9.0", true),
            ("~0.0.0", "5.0.0", true),
            (">= 1.2, < 2 || 3.0.0", "3.0.0", true),
            (">=1.2 <2", "2.0.0", false),
            ("1.2 - 1.4.5", "1.4.6", false),
            ("1.2 - 1.4", "1.4.9", true),
            (">1.2", "1.2.9", false),
            (">11", "11.1.0", false),
            ("<=1.2", "1.2.9", true),
            ("!=1.2", "1.2.3", false),
            ("!=1.2.4", "1.2.3", true),
            ("=1.2.3", "v1.2.3+build", true),
        ] {
            check(constraint, version, expected);
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["", "foo", "1.2.3.4", "1.2.3-", "v", "99999999999999999999"] {
            assert_eq!(Version::parse(text), Err(VersionError::Version), "{text}");
        }
        for text in ["foo", ">", "1.2.3.4", ">>1"] {
            assert!(Constraint::parse(text).is_err(), "{text}");
        }
    }
}
