//! A deletion that stays refused, since something still uses the object: what that is.

use std::time::Duration;

use tokio::time::Instant;

use crate::address::RemoteId;
use crate::apply::operation::Operation;
use crate::apply::stop::Stop;
use crate::diagnosis::{Blocker, Case, held_by, told};
use crate::event::Event;
use crate::provider::ProviderError;

/// How long a refusal is nothing strange: what was deleted a moment ago may still be on its way out.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a deletion is refused.
#[derive(Default)]
pub(crate) struct Refusal {
    /// Since when, if it is.
    since: Option<Instant>,
    /// When it was found out last what is in the way.
    explained: Option<Instant>,
    blockers: Vec<Blocker>,
    /// Why it could not be found out.
    unreadable: Option<String>,
}

impl Refusal {
    /// Takes note of a refusal, and returns what to wait for. What is in the way is found out once
    /// the refusal has lasted, and from time to time after that.
    pub(crate) async fn note(
        &mut self,
        operation: &Operation<'_>,
        id: &RemoteId,
        error: &ProviderError,
    ) -> String {
        let since = *self.since.get_or_insert_with(Instant::now);
        if self.explained.unwrap_or(since).elapsed() >= PATIENCE {
            self.explain(operation, id).await;
        }
        self.words(&error.to_string())
    }

    /// Takes note of a call that was not refused.
    pub(crate) fn is_over(&mut self) {
        *self = Self::default();
    }

    /// Returns why a deletion has failed whose time is up: for what is in the way, if it is refused.
    pub(crate) async fn time_is_up(
        &mut self,
        operation: &Operation<'_>,
        id: &RemoteId,
        limit: Duration,
        reason: String,
    ) -> Stop {
        if self.since.is_none() {
            return Stop::TimedOut { limit, reason };
        }
        if self.explained.is_none() {
            self.explain(operation, id).await;
        }
        let reason = if self.blockers.is_empty() { self.words(&reason) } else { reason };
        Stop::Held { limit, reason, blockers: std::mem::take(&mut self.blockers) }
    }

    /// Finds out what is in the way, and tells it if that is news.
    async fn explain(&mut self, operation: &Operation<'_>, id: &RemoteId) {
        self.explained = Some(Instant::now());
        let run = operation.run;
        let Some(diagnosis) = run.engine.registry.diagnosis() else { return };
        let change = operation.change;
        let (kind, account) = (&change.kind, operation.account);
        let case = Case { kind, remote_id: id, account, connections: run.access.connections() };
        match diagnosis.blockers(case).await {
            Ok(found) => {
                let secrets = run.secrets(Some(change));
                let found = run.recorder.with_state(|state| told(found, state, &secrets));
                self.unreadable = None;
                if found != self.blockers {
                    let (operation, blockers) = (operation.label.clone(), found.clone());
                    run.notify(&Event::Blocked { operation, blockers });
                    self.blockers = found;
                }
            }
            Err(error) => self.unreadable = Some(error.to_string()),
        }
    }

    fn words(&self, refusal: &str) -> String {
        match (held_by(&self.blockers), &self.unreadable) {
            (Some(blockers), _) => format!("{refusal}; it is used by {blockers}"),
            (None, Some(error)) => format!("{refusal}; by what it is used cannot be read: {error}"),
            (None, None) => refusal.to_owned(),
        }
    }
}
