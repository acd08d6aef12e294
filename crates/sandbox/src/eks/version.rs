//! The versions of Kubernetes that EKS offers.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::PAGING;
use super::refusals::{invalid, one_of};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{World, seconds};

/// The operation.
pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "DescribeClusterVersions",
    &[
        "clusterType",
        "clusterVersions",
        "defaultOnly",
        "includeAll",
        "status",
        "versionStatus",
        "maxResults",
        "nextToken",
    ],
    describe,
)];

/// A version of Kubernetes.
pub(super) struct Offered {
    /// Such as `1.35`.
    pub(super) name: &'static str,
    /// The newest patch.
    patch: &'static str,
    /// The newest platform version.
    platform: u32,
    released: Date,
    standard_until: Date,
    extended_until: Date,
    /// The versions of the images for nodes, with the days on which they were made; the newest last.
    images: [&'static str; 2],
}

const fn day(year: i16, month: i8, day: i8) -> Date {
    jiff::civil::date(year, month, day)
}

/// Those that the sandbox has, the oldest first. The days are those of the "Amazon EKS Kubernetes
/// release calendar" (EKS user guide, "Understand the Kubernetes version lifecycle on EKS").
pub(super) const OFFERED: &[Offered] = &[
    Offered {
        name: "1.31",
        patch: "1.31.14",
        platform: 47,
        released: day(2024, 9, 26),
        standard_until: day(2025, 11, 26),
        extended_until: day(2026, 11, 26),
        images: ["1.31.13-20251209", "1.31.13-20260114"],
    },
    Offered {
        name: "1.32",
        patch: "1.32.11",
        platform: 36,
        released: day(2025, 1, 23),
        standard_until: day(2026, 3, 23),
        extended_until: day(2027, 3, 23),
        images: ["1.32.9-20251209", "1.32.9-20260114"],
    },
    Offered {
        name: "1.33",
        patch: "1.33.7",
        platform: 27,
        released: day(2025, 5, 29),
        standard_until: day(2026, 7, 29),
        extended_until: day(2027, 7, 29),
        images: ["1.33.5-20251209", "1.33.5-20260114"],
    },
    Offered {
        name: "1.34",
        patch: "1.34.3",
        platform: 15,
        released: day(2025, 10, 2),
        standard_until: day(2026, 12, 2),
        extended_until: day(2027, 12, 2),
        images: ["1.34.2-20251209", "1.34.2-20260114"],
    },
    Offered {
        name: "1.35",
        patch: "1.35.1",
        platform: 3,
        released: day(2026, 1, 27),
        standard_until: day(2027, 3, 27),
        extended_until: day(2028, 3, 27),
        images: ["1.35.0-20260120", "1.35.0-20260202"],
    },
];

/// The version of clusters that are not told which: the newest one.
pub(super) const DEFAULT: &Offered = &OFFERED[OFFERED.len() - 1];

impl Offered {
    /// Returns the word for the support that it has at a time.
    ///
    /// The sandbox goes on to offer what is no longer supported, so that a set-up which was tried
    /// once can be tried again.
    fn support(&self, now: Timestamp) -> &'static str {
        let today = now.to_zoned(TimeZone::UTC).date();
        if today < self.standard_until {
            "STANDARD_SUPPORT"
        } else if today < self.extended_until {
            "EXTENDED_SUPPORT"
        } else {
            "UNSUPPORTED"
        }
    }

    /// Returns the version of the image that nodes get: the one that is asked for, or the newest.
    ///
    /// # Errors
    /// If there is no such image for this version of Kubernetes.
    pub(super) fn image(&self, wanted: Option<&str>) -> Result<String, Refusal> {
        let Some(wanted) = wanted else { return Ok(self.images[self.images.len() - 1].to_owned()) };
        if self.images.contains(&wanted) {
            return Ok(wanted.to_owned());
        }
        let message =
            format!("Requested release version {wanted} is not valid for kubernetes version {}.", self.name);
        Err(invalid(message))
    }

    /// Returns it as answers have it.
    fn shown(&self, now: Timestamp) -> Value {
        let support = self.support(now);
        json!({
            "clusterVersion": self.name,
            "clusterType": "eks",
            "defaultPlatformVersion": self.platform(),
            "defaultVersion": self.name == DEFAULT.name,
            "releaseDate": beginning(self.released),
            "endOfStandardSupportDate": beginning(self.standard_until),
            "endOfExtendedSupportDate": beginning(self.extended_until),
            "status": support.to_lowercase().replace('_', "-"),
            "versionStatus": support,
            "kubernetesPatchVersion": self.patch,
        })
    }

    /// Returns the platform version, such as `eks.3`.
    pub(super) fn platform(&self) -> String {
        format!("eks.{}", self.platform)
    }
}

/// Returns a version that EKS offers.
pub(super) fn offered(name: &str) -> Result<&'static Offered, Refusal> {
    let found = OFFERED.iter().find(|offered| offered.name == name);
    found.ok_or_else(|| invalid(format!("unsupported Kubernetes version {name}")))
}

/// Returns the number behind the dot.
pub(super) fn minor(name: &str) -> u32 {
    name.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or_default()
}

/// Returns the beginning of a day.
fn beginning(day: Date) -> Value {
    let midnight = day.to_zoned(TimeZone::UTC).map(|midnight| midnight.timestamp());
    seconds(midnight.expect("these days are near"))
}

/// Lists those that are supported, or all if the call says so.
fn describe(world: &mut World, call: &Call) -> Answer {
    let (parameters, now) = (&call.parameters, world.now());
    let (names, all) =
        (parameters.texts("clusterVersions"), parameters.flag("includeAll")?.unwrap_or_default());
    let default_only = parameters.flag("defaultOnly")?.unwrap_or_default();
    let statuses = ["STANDARD_SUPPORT", "EXTENDED_SUPPORT", "UNSUPPORTED"];
    let status = parameters.text("versionStatus").or_else(|| parameters.text("status"));
    let status = status.map(|status| status.to_uppercase().replace('-', "_"));
    let status = status.as_deref().map(|status| one_of("versionStatus", status, &statuses)).transpose()?;
    let is_other = parameters.text("clusterType").is_some_and(|kind| kind != "eks");
    let chosen = OFFERED.iter().rev().filter(|offered| {
        let support = offered.support(now);
        let is_wanted = match status {
            Some(status) => support == status,
            None => all || !names.is_empty() || support != "UNSUPPORTED",
        };
        is_wanted
            && !is_other
            && (names.is_empty() || names.contains(&offered.name))
            && (!default_only || offered.name == DEFAULT.name)
    });
    // The newest one comes first.
    let shown = chosen.map(|offered| (format!("{:04}", 9999 - minor(offered.name)), offered.shown(now)));
    let (page, next) = PAGING.cut(parameters, shown)?;
    Ok(json!({ "clusterVersions": page, "nextToken": next }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    /// The calendar of the EKS user guide: 14 months of standard support, 12 more of extended.
    #[test]
    fn support_ends_by_the_calendar() {
        let mut account = Account::new();
        let versions = |account: &mut Account, asked: Value| {
            let found = account.ok("eks:DescribeClusterVersions", asked)["clusterVersions"].clone();
            let name = |version: &Value| version["clusterVersion"].as_str().unwrap().to_owned();
            found.as_array().into_iter().flatten().map(name).collect::<Vec<_>>()
        };
        let now: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
        account.world().stand_at(now);
        let standard = json!({ "versionStatus": "STANDARD_SUPPORT" });
        assert_eq!(versions(&mut account, standard), ["1.35", "1.34"]);
        let extended = json!({ "status": "extended-support" });
        assert_eq!(versions(&mut account, extended), ["1.33", "1.32", "1.31"]);
        assert_eq!(versions(&mut account, json!({ "defaultOnly": "true" })), ["1.35"]);
        account.world().stand_at("2026-12-01T00:00:00Z".parse().unwrap());
        assert_eq!(versions(&mut account, json!({})), ["1.35", "1.34", "1.33", "1.32"]);
        assert_eq!(versions(&mut account, json!({ "includeAll": "true" })).len(), OFFERED.len());
        let one = account.ok("eks:DescribeClusterVersions", json!({ "clusterVersions": ["1.34"] }));
        let end = one["clusterVersions"][0]["endOfStandardSupportDate"].as_f64();
        assert_eq!(end, Some(1_796_169_600.0), "2 December 2026");
        let wrong = json!({ "versionStatus": "NONE" });
        account.refused("eks:DescribeClusterVersions", wrong, "InvalidParameterException");
    }
}
