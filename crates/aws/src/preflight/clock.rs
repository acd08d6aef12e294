//! Whether this machine's clock is right: a signature that is five minutes old is refused.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sts::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use jiff::{SignedDuration, Timestamp};
use straddle_engine::address::AccountName;
use straddle_engine::preflight::{Check, Finding, Subject};
use straddle_engine::provider::ProviderError;

use super::found;
use crate::client::Client;
use crate::error::failed;

/// The clock.
pub(crate) struct Clock;

impl Check for Clock {
    const NAME: &'static str = "clock";
    const ABOUT: &'static str = "the clock of this machine is right enough for signatures and tokens";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let Some((account, connection)) = subject.accounts().next() else { return Vec::new() };
        found(&account.name, look(&account.name, connection.client(), subject.now()).await)
    }
}

/// Reads the date in the head of an answer.
#[derive(Debug, Default, Clone)]
struct Date(Arc<Mutex<Option<String>>>);

impl Intercept for Date {
    fn name(&self) -> &'static str {
        "Date"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

async fn look(account: &AccountName, client: &Client, now: Timestamp) -> Result<Vec<Finding>, ProviderError> {
    let date = Date::default();
    let call = client.sts.get_caller_identity().customize().interceptor(date.clone());
    call.send().await.map_err(failed("GetCallerIdentity"))?;
    let date = date.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(vec![judge(account, date.as_deref(), now)])
}

/// How far a clock may be off ("AWS signature version 4", troubleshooting: five minutes).
const TOLERATED: SignedDuration = SignedDuration::from_mins(5);

fn judge(account: &AccountName, date: Option<&str>, now: Timestamp) -> Finding {
    let there = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|date| date.timestamp());
    let Some(there) = there else {
        return Finding::skipped(account, "The answer of STS has no date.");
    };
    let off = now.duration_since(there);
    let seconds = off.as_secs().abs();
    let way = if off.is_negative() { "slow" } else { "fast" };
    if off.abs() >= TOLERATED {
        return Finding::failed(
            account,
            format!("The clock of this machine is {seconds} s {way}; services refuse what it signs."),
            "Set the clock, by NTP if you can.",
        );
    }
    if off.abs() >= TOLERATED / 5 {
        return Finding::warning(
            account,
            format!(
                "The clock of this machine is {seconds} s {way}; from 300 s on, services refuse what it signs."
            ),
            "Set the clock, by NTP if you can.",
        );
    }
    Finding::ok(account, "The clock is right.")
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;

    #[test]
    fn a_clock_may_be_off_by_less_than_five_minutes() {
        let account = AccountName::new("network");
        let now: Timestamp = "2026-01-01T00:10:00Z".parse().expect("it is a time");
        let verdict = |date| judge(&account, date, now).verdict;
        assert_eq!(verdict(Some("Thu, 01 Jan 2026 00:10:02 GMT")), Verdict::Ok);
        assert_eq!(verdict(Some("Thu, 01 Jan 2026 00:08:00 GMT")), Verdict::Warning);
        assert_eq!(verdict(Some("Thu, 01 Jan 2026 00:15:00 GMT")), Verdict::Failed);
        assert_eq!(verdict(Some("yesterday")), Verdict::Skipped);
        assert_eq!(verdict(None), Verdict::Skipped);
    }
}
