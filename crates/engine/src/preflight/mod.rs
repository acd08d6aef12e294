//! Checks before a run: what an expert looks at before touching an account.
//!
//! They only read, all of them at once, and each tells in whole sentences what it found, where, and
//! what to do. One that fails stops an apply before anything is written; warnings do not.

mod item;
mod run;
mod subject;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::address::AccountName;
use crate::permission::Need;
use crate::provider::{BoxFuture, ErrorClass, ProviderError};

pub use item::{Fate, Item};
pub(crate) use run::stop_at_failures;
pub use subject::Subject;

/// A check. A program registers those that its kinds need.
pub trait Check: Send + Sync + 'static {
    /// By what it is skipped, such as `zones`.
    const NAME: &'static str;
    /// What it looks at, as the end of "whether".
    const ABOUT: &'static str;
    /// What its calls have to be allowed, in the accounts that it concerns.
    const PERMISSIONS: &'static [Need] = &[];
    /// The heading under which a plan tells what it finds, if that is worth knowing also where all is well.
    const TOLD_AS: Option<&'static str> = None;

    /// Looks. Nothing found means that nothing of the run is concerned.
    fn run(subject: &Subject<'_>) -> impl Future<Output = Vec<Finding>> + Send;
}

/// A check without its type.
#[derive(Clone, Copy)]
pub struct AnyCheck {
    /// See [`Check::NAME`].
    pub name: &'static str,
    /// See [`Check::ABOUT`].
    pub about: &'static str,
    /// See [`Check::PERMISSIONS`].
    pub permissions: &'static [Need],
    /// See [`Check::TOLD_AS`].
    pub told_as: Option<&'static str>,
    run: for<'a> fn(&'a Subject<'a>) -> BoxFuture<'a, Vec<Finding>>,
}

impl AnyCheck {
    /// Takes the type off a check.
    #[must_use]
    pub fn of<C: Check>() -> Self {
        Self {
            name: C::NAME,
            about: C::ABOUT,
            permissions: C::PERMISSIONS,
            told_as: C::TOLD_AS,
            run: |subject| Box::pin(C::run(subject)),
        }
    }
}

impl fmt::Debug for AnyCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// By what it is skipped.
    pub name: &'static str,
    /// What it looked at, as the end of "whether".
    pub about: &'static str,
    /// The worst of what it found.
    pub verdict: Verdict,
    /// What it found.
    pub findings: Vec<Finding>,
    /// How long it took.
    #[serde(skip)]
    pub elapsed: Duration,
}

/// What a plan tells that a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// What it is about, as a heading.
    pub heading: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// What is so, in whole sentences.
    pub message: String,
    /// What to do about it, in whole sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How something is, better before worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was looked at, since nothing is concerned or it may not be looked at.
    Skipped,
    /// As it should be.
    Ok,
    /// It may go wrong.
    Warning,
    /// It will go wrong.
    Failed,
}

impl Verdict {
    /// Returns the word that it is shown as.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

impl Finding {
    fn new(verdict: Verdict, account: Option<&AccountName>, message: impl Into<String>) -> Self {
        Self { verdict, account: account.cloned(), message: message.into(), remedy: None }
    }

    /// Something is as it should be.
    #[must_use]
    pub fn ok<'a>(account: impl Into<Option<&'a AccountName>>, message: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, account.into(), message)
    }

    /// Something was not looked at, and why.
    #[must_use]
    pub fn skipped<'a>(account: impl Into<Option<&'a AccountName>>, why: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, account.into(), why)
    }

    /// Something may go wrong.
    #[must_use]
    pub fn warning<'a>(
        account: impl Into<Option<&'a AccountName>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { remedy: Some(remedy.into()), ..Self::new(Verdict::Warning, account.into(), message) }
    }

    /// Something will go wrong.
    #[must_use]
    pub fn failed<'a>(
        account: impl Into<Option<&'a AccountName>>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { remedy: Some(remedy.into()), ..Self::new(Verdict::Failed, account.into(), message) }
    }

    /// A call of the check failed, so that it cannot tell. That is not a reason to stop a run which
    /// may be allowed everything that it needs itself.
    #[must_use]
    pub fn unable(account: &AccountName, error: &ProviderError) -> Self {
        match error.class {
            ErrorClass::AccessDenied => Self {
                remedy: Some(
                    "Allow what `straddle iam-policy --phase preflight` prints, to have it checked."
                        .to_owned(),
                ),
                ..Self::skipped(account, format!("It cannot be checked: {} is not allowed.", error.operation))
            },
            ErrorClass::Throttled
            | ErrorClass::NotFound
            | ErrorClass::Propagation
            | ErrorClass::Busy
            | ErrorClass::Dependency
            | ErrorClass::AlreadyExists
            | ErrorClass::Expired
            | ErrorClass::Rejected
            | ErrorClass::Unreachable
            | ErrorClass::Ambiguous => Self::skipped(account, format!("It cannot be checked: {error}.")),
        }
    }
}

impl Checked {
    /// Tells what a check found, the worst first.
    fn new(check: &AnyCheck, mut findings: Vec<Finding>, elapsed: Duration) -> Self {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
        // The same trouble with many calls is one.
        findings.dedup();
        let verdict = findings.first().map_or(Verdict::Skipped, |worst| worst.verdict);
        if findings.is_empty() {
            findings.push(Finding::skipped(None, "Nothing of this run is concerned."));
        }
        Self { name: check.name, about: check.about, verdict, findings, elapsed }
    }
}
