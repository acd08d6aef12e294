//! What can go wrong: at every call that changes something, and at every write of the state.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use straddle_engine::plan::Mode;
use straddle_sandbox::{FaultRule, Kind, LoggedRequest};

use super::crash::{Crash, Side};
use super::stage::{Played, own_principal};

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trouble {
    /// In which run: that which makes everything, or that which takes it away.
    pub(crate) mode: Mode,
    pub(crate) sort: Sort,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sort {
    /// A call is answered with a fault.
    Fault { fault: Kind, call: Box<CallName> },
    /// The program dies.
    Crash(Crash),
}

/// Names one call of a run by what it asks and how often that was asked before: the order of calls that do not wait
/// for each other may be another one each time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallName {
    account: String,
    service: String,
    operation: String,
    /// The path and the query, for what is asked of a cluster.
    target: Option<(String, String)>,
    /// How many of the same kind were before it.
    before: u64,
}

impl Trouble {
    /// Returns what can go wrong in a run, in the order in which it does.
    pub(crate) fn all_of(mode: Mode, played: &Played, faults: &[Kind]) -> Vec<Self> {
        let calls = CallName::all_of(&played.requests);
        let with_each = |call: CallName| {
            faults.iter().map(move |fault| Sort::Fault { fault: *fault, call: Box::new(call.clone()) })
        };
        let faults = calls.into_iter().flat_map(with_each);
        let at = |write| [Side::Before, Side::After].map(|side| Sort::Crash(Crash { write, side }));
        let crashes = (1..=played.writes).flat_map(at);
        faults.chain(crashes).map(|sort| Self { mode, sort }).collect()
    }

    /// Returns the name of the run in which it happens.
    pub(crate) fn run(&self) -> &'static str {
        match self.mode {
            Mode::Apply | Mode::Refresh => "apply",
            Mode::Destroy => "destroy",
        }
    }

    /// Returns the rule that brings it about, if it is a fault.
    pub(crate) fn rule(&self) -> Option<FaultRule> {
        match &self.sort {
            Sort::Fault { fault, call } => Some(call.rule(*fault)),
            Sort::Crash(_) => None,
        }
    }

    /// Returns when the program dies, if it does.
    pub(crate) fn crash(&self) -> Option<Crash> {
        match &self.sort {
            Sort::Fault { .. } => None,
            Sort::Crash(crash) => Some(*crash),
        }
    }
}

impl CallName {
    fn all_of(requests: &[LoggedRequest]) -> Vec<Self> {
        let mut counts = BTreeMap::new();
        let mut name = |request: &LoggedRequest| {
            let text = |name: &str| request.parameters.get(name).and_then(Value::as_str).map(str::to_owned);
            let target = request
                .action()
                .is_none()
                .then(|| (text("path").unwrap_or_default(), text("query").unwrap_or_default()));
            let (service, operation) = (request.service.clone(), request.operation.clone());
            let name = Self { account: request.account.clone(), service, operation, target, before: 0 };
            let count = counts.entry(name.clone()).or_insert(0);
            *count += 1;
            Self { before: *count - 1, ..name }
        };
        requests.iter().filter(|request| request.is_write()).map(&mut name).collect()
    }

    fn rule(&self, fault: Kind) -> FaultRule {
        let mut rule = FaultRule::once(fault, &self.service, &self.operation, self.before);
        (rule.account, rule.principal) = (Some(self.account.clone()), Some(own_principal(&self.account)));
        if let Some((path, query)) = &self.target {
            rule.parameters = [("path", path), ("query", query)]
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .into();
        }
        rule
    }
}

impl fmt::Display for CallName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, service, operation, target, before } = self;
        write!(formatter, "{service}:{operation}")?;
        if let Some((path, _)) = target {
            write!(formatter, ":{path}")?;
        }
        write!(formatter, ":{account}:{}", before + 1)
    }
}

/// Writes its name, by which it can be played alone.
impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.run();
        match &self.sort {
            Sort::Fault { fault, call } => write!(formatter, "{mode}:{}:{call}", fault.name()),
            Sort::Crash(Crash { write, side: Side::Before }) => {
                write!(formatter, "{mode}:crash:before:{write}")
            }
            Sort::Crash(Crash { write, side: Side::After }) => {
                write!(formatter, "{mode}:crash:after:{write}")
            }
        }
    }
}

/// Returns so many of all, evenly spread over them.
pub(crate) fn sample<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    if all.len() <= most {
        return all.to_vec();
    }
    (0..most).map(|index| all[index * all.len() / most].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_all() {
        let all: Vec<_> = (0..10).collect();
        assert_eq!(sample(&all, 5), [0, 2, 4, 6, 8]);
        assert_eq!(sample(&all, 10), all);
        assert_eq!(sample(&all, 99), all);
        assert!(sample(&all, 0).is_empty());
    }

    #[test]
    fn calls_of_the_same_name_are_counted_by_account() {
        let request = |account: &str, operation: &str| {
            let request = serde_json::json!({
                "sequence": 1, "time": "2026-01-01T00:00:00Z", "account": account, "principal": "",
                "service": "ec2", "region": "us-east-1", "operation": operation, "parameters": {},
                "outcome": "ok", "request_id": "", "milliseconds": 0.0,
            });
            serde_json::from_value::<LoggedRequest>(request).unwrap()
        };
        let requests = [
            request("1", "CreateVpc"),
            request("1", "DescribeVpcs"),
            request("1", "CreateVpc"),
            request("2", "CreateVpc"),
        ];
        let names: Vec<_> = CallName::all_of(&requests).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["ec2:CreateVpc:1:1", "ec2:CreateVpc:1:2", "ec2:CreateVpc:2:1"]);
    }
}
