//! Progress as plain lines, for logs and pipes; live rows use the same words.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use straddle_engine::address::{AccountName, Address};
use straddle_engine::diagnosis::Blocker;
use straddle_engine::event::{Event, Observer, OperationLabel, Verb};

use crate::render::change::place;
use crate::render::error::sentence;
use crate::render::{Palette, duration_words, paint, preflight_warning};
use crate::running::{HEARTBEAT, Ongoing, Running, Snapshot};
use crate::safe::Safe;
use crate::terminal::Terminal;

/// When an operation that takes long is reported first; after that at intervals that grow.
const FIRST_REPORT: Duration = Duration::from_secs(10);
/// The longest time without a word from an operation that waits.
const LONGEST_SILENCE: Duration = Duration::from_mins(1);

/// Writes a line for each thing that happens, on standard error.
pub(crate) struct Lines {
    terminal: Arc<Terminal>,
    running: Running,
    reports: Mutex<BTreeMap<String, Duration>>,
}

impl Lines {
    pub(crate) fn new(terminal: Arc<Terminal>) -> Self {
        Self { terminal, running: Running::default(), reports: Mutex::default() }
    }

    /// Says for ever, at growing intervals, what goes on without a word of its own: one call can
    /// take longer than many waits.
    pub(crate) async fn heartbeat(self: Arc<Self>) {
        let mut interval = tokio::time::interval(HEARTBEAT);
        interval.tick().await;
        loop {
            interval.tick().await;
            let Snapshot { stage, operations } = self.running.snapshot();
            if let Some((stage, elapsed)) = stage
                && self.is_due(stage.to_owned(), elapsed)
            {
                self.terminal.stderr.line(&format!("Still {stage} after {}...", duration_words(elapsed)));
            }
            for Ongoing { operation, elapsed, waits_for } in operations {
                let reason = waits_for.unwrap_or_else(|| "no answer yet".to_owned());
                self.waiting(&Event::Waiting { operation, reason, elapsed });
            }
        }
    }

    /// Writes a line about an operation that waits, if it is time to.
    fn waiting(&self, event: &Event) {
        if let Event::Waiting { operation, elapsed, .. } = event
            && self.is_due(operation_key(operation), *elapsed)
        {
            self.write(event);
        }
    }

    fn write(&self, event: &Event) {
        if let Some(line) = line(event, &self.terminal.stderr.palette) {
            self.terminal.stderr.line(&line);
        }
    }

    /// Tells whether it is time to say again that an operation waits.
    fn is_due(&self, key: String, elapsed: Duration) -> bool {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let due = reports.entry(key).or_insert(FIRST_REPORT);
        let is_due = elapsed >= *due;
        if is_due {
            *due = elapsed + elapsed.min(LONGEST_SILENCE);
        }
        is_due
    }
}

impl Observer for Lines {
    fn notify(&self, event: &Event) {
        self.running.note(event);
        if matches!(event, Event::Waiting { .. }) {
            self.waiting(event);
        } else {
            self.write(event);
        }
    }
}

/// Returns what tells an operation from the others that run.
pub(crate) fn operation_key(operation: &OperationLabel) -> String {
    format!("{} {}", operation.address, doing(operation.verb))
}

/// Renders an event; `None` if it is not worth a line of its own.
pub(crate) fn line(event: &Event, palette: &Palette) -> Option<String> {
    let text = match event {
        Event::Connecting { accounts } => format!("Connecting to {}...", accounts_words(accounts)),
        Event::Refreshing { resources: 0 }
        | Event::Refreshed { listings: 0, .. }
        | Event::Call { .. }
        | Event::Identified { .. }
        | Event::Interrupted { .. } => return None,
        Event::WaitingForLock { holder, remaining } => format!(
            "The state is locked by {}; waiting for that run, for at most {}...",
            Safe(holder),
            duration_words(*remaining)
        ),
        Event::Refreshing { resources: 1 } => "Reading 1 resource...".to_owned(),
        Event::Refreshing { resources } => format!("Reading {resources} resources..."),
        Event::Refreshed { elapsed, .. } => format!("Read in {}.", duration_words(*elapsed)),
        Event::NotVisibleYet { addresses } => not_visible_yet(addresses, palette),
        Event::Checking { checks } => format!("Checking {checks} things beforehand..."),
        Event::Checked { checked, .. } => return preflight_warning(checked, palette),
        Event::Resolving { address, remaining } => format!(
            "{}: looking for what an earlier run may have made, for at most {}...",
            paint(palette.strong, Safe(address)),
            duration_words(*remaining)
        ),
        Event::OperationStarted { operation }
        | Event::Waiting { operation, .. }
        | Event::Blocked { operation, .. }
        | Event::OperationFinished { operation, .. }
        | Event::OperationFailed { operation, .. }
        | Event::OperationSkipped { operation, .. } => {
            let OperationLabel { address, account, region, .. } = operation;
            format!(
                "{}: {}",
                place(address, account, region, palette),
                operation_words(event, operation, palette)?
            )
        }
    };
    Some(text)
}

fn operation_words(event: &Event, operation: &OperationLabel, palette: &Palette) -> Option<String> {
    let verb = operation.verb;
    Some(match event {
        Event::OperationStarted { .. } => format!("{}...", doing(verb)),
        Event::Waiting { reason, elapsed, .. } => {
            format!("still {} after {}: {}", doing(verb), duration_words(*elapsed), Safe(reason))
        }
        Event::Blocked { blockers, .. } => {
            format!("{} {}", paint(palette.warning, "still used by"), blocker_list(blockers))
        }
        Event::OperationFinished { remote_id, elapsed, .. } => {
            let id = remote_id.as_ref().map_or_else(String::new, |id| format!(" {}", Safe(id)));
            format!("{}{id} in {}", paint(verb_style(verb, palette), done(verb)), duration_words(*elapsed))
        }
        Event::OperationFailed { error, elapsed, .. } => {
            let failed = paint(palette.failure, format!("failed to {}", to_do(verb)));
            format!("{failed} after {}: {}", duration_words(*elapsed), Safe(sentence(error)))
        }
        Event::OperationSkipped { because, .. } => {
            let reason = because
                .as_ref()
                .map_or_else(|| "interrupted".to_owned(), |because| format!("it needs {}", Safe(because)));
            format!("{}: {reason}", paint(palette.warning, "not started"))
        }
        Event::WaitingForLock { .. }
        | Event::Connecting { .. }
        | Event::Refreshing { .. }
        | Event::NotVisibleYet { .. }
        | Event::Refreshed { .. }
        | Event::Checking { .. }
        | Event::Checked { .. }
        | Event::Resolving { .. }
        | Event::Call { .. }
        | Event::Identified { .. }
        | Event::Interrupted { .. } => return None,
    })
}

/// How many of the things are listed that keep another one from being deleted.
const LISTED: usize = 10;

/// Lists what uses something, each chain on a line of its own.
pub(crate) fn blocker_list(blockers: &[Blocker]) -> String {
    let listed = blockers.iter().take(LISTED).map(|blocker| format!("\n  {}", Safe(blocker)));
    let more = match blockers.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    listed.chain([more]).collect()
}

fn not_visible_yet(addresses: &[Address], palette: &Palette) -> String {
    let names: Vec<_> =
        addresses.iter().map(|address| paint(palette.strong, Safe(address)).to_string()).collect();
    format!("Made a short while ago and not found yet, looking again: {}...", names.join(", "))
}

fn accounts_words(accounts: &[AccountName]) -> String {
    let names: Vec<_> = accounts.iter().map(|name| Safe(name).to_string()).collect();
    let noun = if names.len() == 1 { "account" } else { "accounts" };
    format!("the {noun} {}", names.join(", "))
}

fn verb_style(verb: Verb, palette: &Palette) -> anstyle::Style {
    match verb {
        Verb::Create => palette.create,
        Verb::Update | Verb::Withdraw | Verb::Advance => palette.update,
        Verb::Delete => palette.delete,
        Verb::Forget | Verb::Wait | Verb::Expect | Verb::Look => palette.faint,
    }
}

/// Returns what is going on: `creating`.
pub(crate) fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "creating",
        Verb::Update => "changing",
        Verb::Delete => "deleting",
        Verb::Forget => "forgetting",
        Verb::Withdraw => "withdrawing",
        Verb::Advance => "advancing",
        Verb::Wait => "waiting",
        Verb::Expect => "expecting",
        Verb::Look => "looking up",
    }
}

fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Update => "changed",
        Verb::Delete => "deleted",
        Verb::Forget => "forgotten",
        Verb::Withdraw => "withdrawn",
        Verb::Advance => "advanced",
        Verb::Wait => "waited",
        Verb::Expect => "there",
        Verb::Look => "looked up",
    }
}

fn to_do(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "change",
        Verb::Delete => "delete",
        Verb::Forget => "forget",
        Verb::Withdraw => "withdraw",
        Verb::Advance => "advance",
        Verb::Wait => "wait",
        Verb::Expect => "find",
        Verb::Look => "look up",
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{IntoData, assert_data_eq, str};
    use straddle_engine::address::{Address, RemoteId};

    use super::*;
    use crate::terminal::tests::{Captured, captured};

    fn operation(address: &str, verb: Verb) -> OperationLabel {
        let address: Address = address.parse().unwrap();
        OperationLabel { address, verb, account: AccountName::new("network"), region: "us-east-1".to_owned() }
    }

    /// Returns what is written when these things happen.
    fn written(events: &[Event]) -> String {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let lines = Lines::new(Arc::new(captured(&stdout, &stderr)));
        for event in events {
            lines.notify(event);
        }
        assert_eq!(stdout.text(), "");
        stderr.text()
    }

    #[test]
    fn everything_that_matters_has_a_line() {
        let subnet = || operation("subnet.public['a']", Verb::Create);
        let route = || operation("route_table.public/route['0.0.0.0/0']", Verb::Update);
        let gate = || operation("vpc.main", Verb::Delete);
        let elapsed = Duration::from_millis(3_200);
        let remote_id = RemoteId::new("subnet-0abc");
        let text = written(&[
            Event::Connecting { accounts: vec![AccountName::new("apps"), AccountName::new("network")] },
            Event::Refreshing { resources: 14 },
            Event::Refreshed { listings: 7, elapsed },
            Event::Resolving { address: subnet().address, remaining: Duration::from_mins(2) },
            Event::OperationStarted { operation: subnet() },
            Event::Call { operation: subnet(), call: "CreateSubnet".to_owned() },
            Event::Identified { operation: subnet(), remote_id: remote_id.clone() },
            Event::OperationFinished { operation: subnet(), remote_id: Some(remote_id), elapsed },
            Event::OperationStarted { operation: route() },
            Event::OperationFailed { operation: route(), error: "denied\u{1b}[2J".to_owned(), elapsed },
            Event::OperationSkipped { operation: gate(), because: Some(route().address) },
            Event::OperationSkipped { operation: gate(), because: None },
            Event::Interrupted { waiting: true },
        ]);
        assert_data_eq!(
            text,
            str![[r"
Connecting to the accounts apps, network...
Reading 14 resources...
Read in 3 s.
subnet.public['a']: looking for what an earlier run may have made, for at most 2 min...
subnet.public['a'] [network us-east-1]: creating...
subnet.public['a'] [network us-east-1]: created subnet-0abc in 3 s
route_table.public/route['0.0.0.0/0'] [network us-east-1]: changing...
route_table.public/route['0.0.0.0/0'] [network us-east-1]: failed to change after 3 s: denied\u{1b}[2J.
vpc.main [network us-east-1]: not started: it needs route_table.public/route['0.0.0.0/0']
vpc.main [network us-east-1]: not started: interrupted

"]]
            .raw()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_is_heard_of_too() {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let lines = Arc::new(Lines::new(Arc::new(captured(&stdout, &stderr))));
        lines.notify(&Event::Connecting { accounts: vec![AccountName::new("apps")] });
        let a_minute = Duration::from_mins(1);
        assert!(tokio::time::timeout(a_minute, Arc::clone(&lines).heartbeat()).await.is_err());
        let create = || operation("vpc.main", Verb::Create);
        lines.notify(&Event::OperationStarted { operation: create() });
        lines.notify(&Event::Call { operation: create(), call: "CreateVpc".to_owned() });
        assert!(tokio::time::timeout(a_minute, lines.heartbeat()).await.is_err());
        assert_data_eq!(
            stderr.text(),
            str![[r"
Connecting to the account apps...
Still connecting after 10 s...
Still connecting after 20 s...
Still connecting after 40 s...
vpc.main [network us-east-1]: creating...
vpc.main [network us-east-1]: still creating after 10 s: the answer to CreateVpc
vpc.main [network us-east-1]: still creating after 20 s: the answer to CreateVpc
vpc.main [network us-east-1]: still creating after 40 s: the answer to CreateVpc

"]]
            .raw()
        );
    }

    #[test]
    fn who_waits_long_is_heard_of_at_growing_intervals() {
        let waiting = |seconds| Event::Waiting {
            operation: operation("nat_gateway.main", Verb::Create),
            reason: "pending".to_owned(),
            elapsed: Duration::from_secs(seconds),
        };
        let text = written(&(1..=300).map(waiting).collect::<Vec<_>>());
        let heard: Vec<_> = text.lines().filter_map(|line| line.split(" after ").nth(1)).collect();
        let expected = ["10 s", "20 s", "40 s", "1 min 20 s", "2 min 20 s", "3 min 20 s", "4 min 20 s"];
        assert_eq!(heard, expected.map(|time| format!("{time}: pending")));
    }
}
