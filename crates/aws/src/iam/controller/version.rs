//! Versions of the controller, and which of them a version of its chart installs.

use std::fmt;

/// A version of the controller, as far as its policy depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u64,
    minor: u64,
}

/// The oldest version whose policy is known, and the one that AWS's walkthroughs name.
const OLDEST: Version = Version::new(2, 5);
/// The newest version whose policy is known.
const NEWEST: Version = Version::new(3, 5);
/// The last minor version of 2 (tags of its repository: v2.17.1 is followed by v3.0.0).
const LAST_OF_2: u64 = 17;

impl Version {
    /// Makes the version. The policy never changes with a patch.
    pub(crate) const fn new(major: u64, minor: u64) -> Self {
        Self { major, minor }
    }

    /// Returns those whose policies are known, the newest first.
    pub(super) fn known() -> impl Iterator<Item = Self> {
        let minors = |major: u64, minors: std::ops::RangeInclusive<u64>| {
            minors.rev().map(move |minor| Self::new(major, minor))
        };
        minors(NEWEST.major, 0..=NEWEST.minor).chain(minors(OLDEST.major, OLDEST.minor..=LAST_OF_2))
    }

    /// Reads a version such as `v2.13.4`.
    ///
    /// # Errors
    /// If it is none, or one whose policy is not known, with what to write instead, in whole sentences.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((major, minor)) = text.strip_prefix('v').and_then(numbers) else {
            return Err(format!("`{text}` is no version of the controller. Write one such as `v2.13.4`."));
        };
        let version = Self::new(major, minor);
        if version < OLDEST {
            return Err(format!(
                "The policy of the controller is known from {OLDEST} on. Use a newer version of the controller, \
                 or write the policy's document yourself."
            ));
        }
        if version > NEWEST {
            return Err(format!(
                "The policy of the controller is known up to {NEWEST}. Write `{NEWEST}.0` if {text} needs nothing \
                 more, or write the policy's document yourself."
            ));
        }
        Ok(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v{}.{}", self.major, self.minor)
    }
}

/// Returns the version of the controller that this version of the chart `aws-load-balancer-controller`
/// installs; `None` if that is not known.
///
/// Charts before 3.0.0 have the controller's minor number and 1 in the place of its 2 (`Chart.yaml` of
/// each version of the chart: 1.5.5 has v2.5.4, 1.13.4 has v2.13.4, 3.0.0 has v3.0.0).
pub(crate) fn of_chart(chart: &str) -> Option<Version> {
    let (major, minor) = numbers(chart)?;
    let version = Version::new(if major == 1 { 2 } else { major }, minor);
    (major != 2 && (OLDEST..=NEWEST).contains(&version)).then_some(version)
}

/// Reads the first two of three numbers.
fn numbers(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let (major, minor, _patch) = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_others_refused_with_what_to_write() {
        assert_eq!(Version::parse("v2.13.4"), Ok(Version::new(2, 13)));
        assert!(Version::new(2, 17) < Version::new(3, 0));
        for (text, part) in [
            ("2.13.4", "such as `v2.13.4`"),
            ("v2.13", "no version"),
            ("v2.13.4.1", "no version"),
            ("v2.4.3", "from v2.5 on"),
            ("v3.6.0", "`v3.5.0` if v3.6.0"),
        ] {
            let message = Version::parse(text).expect_err("it is refused");
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn a_chart_tells_its_controller() {
        let pairs = [("1.5.5", (2, 5)), ("1.13.4", (2, 13)), ("1.14.1", (2, 14)), ("3.5.0", (3, 5))];
        for (chart, (major, minor)) in pairs {
            assert_eq!(of_chart(chart), Some(Version::new(major, minor)), "{chart}");
        }
        for unknown in ["1.4.8", "2.0.0", "3.9.0", "latest", "1.13"] {
            assert_eq!(of_chart(unknown), None, "{unknown}");
        }
    }
}
