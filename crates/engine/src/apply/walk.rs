//! Walks the graph: starts what is ready, holds back what depends on something that failed.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use petgraph::graph::NodeIndex;
use tokio::time::Instant;

use crate::address::{AccountName, Address, RemoteId};
use crate::apply::stop::Stop;
use crate::apply::{Run, gate, look, make, unmake};
use crate::diagnostic::Diagnostics;
use crate::event::{Event, OperationLabel, Verb};
use crate::graph::Node;
use crate::plan::{Change, ChangeAction, LookedUp};
use crate::run::{Failure, InterruptLevel};
use crate::state::StateError;

/// What came of a walk.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// What ended well.
    pub(crate) done: Vec<(Address, Verb)>,
    /// What failed.
    pub(crate) failures: Vec<Failure>,
    /// What was not started.
    pub(crate) skipped: Vec<(Address, Verb)>,
    /// Whether the user asked to stop before everything was done.
    pub(crate) interrupted: bool,
    /// Why outputs could not be worked out.
    pub(crate) output_problems: Diagnostics,
    /// Why nothing can be recorded any more.
    pub(crate) unrecorded: Option<StateError>,
}

impl Walked {
    /// Returns what failed and what was not started, by the address that it is shown as.
    pub(crate) fn undone(&self) -> impl Iterator<Item = &Address> {
        let failed = self.failures.iter().map(|failure| &failure.address);
        failed.chain(self.skipped.iter().map(|(address, _)| address))
    }
}

/// Carries out everything in the graph, as far as it goes.
pub(crate) async fn walk(run: &Run<'_>) -> Walked {
    let mut walk = Walk::new(run);
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < run.engine.settings.parallelism.max(1)
            && let Some(index) = walk.next()
        {
            running.push(async move { (index, execute(run, index).await) });
        }
        tokio::select! {
            biased;
            finished = running.next() => match finished {
                Some((index, result)) => walk.finished(index, result),
                None => return walk.ended(),
            },
            () = run.engine.interrupt.reached(walk.next_interrupt()), if walk.told < InterruptLevel::Fast => {
                walk.tell_interrupt();
            }
        }
    }
}

/// How far a walk is.
struct Walk<'a> {
    run: &'a Run<'a>,
    /// By node: how many of its predecessors are not done yet.
    waiting: Vec<usize>,
    /// By node: what keeps it from being started.
    blocked: Vec<Option<Address>>,
    ready: Vec<NodeIndex>,
    started: Vec<bool>,
    /// Whether a failure keeps anything more from being started.
    ended_early: bool,
    told: InterruptLevel,
    walked: Walked,
}

impl<'a> Walk<'a> {
    fn new(run: &'a Run<'a>) -> Self {
        let order = run.graph.order();
        let count = run.graph.len();
        let mut waiting = vec![0; count];
        for index in &order {
            waiting[index.index()] = run.graph.predecessor_count(*index);
        }
        // The last one is taken first.
        let ready = order.into_iter().rev().filter(|index| waiting[index.index()] == 0).collect();
        Self {
            run,
            waiting,
            blocked: vec![None; count],
            ready,
            started: vec![false; count],
            ended_early: false,
            told: InterruptLevel::None,
            walked: Walked::default(),
        }
    }

    /// Returns the next operation to start. What takes no time or is held back is passed over.
    fn next(&mut self) -> Option<NodeIndex> {
        while !self.stopping() {
            let index = self.ready.pop()?;
            self.started[index.index()] = true;
            let operation = label(self.run, index);
            match (operation, self.blocked[index.index()].clone()) {
                (None, _) => self.release(index),
                (Some(operation), Some(because)) => {
                    self.skip(operation, Some(because));
                    self.release(index);
                }
                (Some(operation), None) => {
                    self.run.notify(&Event::OperationStarted { operation });
                    return Some(index);
                }
            }
        }
        None
    }

    fn stopping(&self) -> bool {
        self.ended_early || self.run.engine.interrupt.level() > InterruptLevel::None
    }

    fn finished(&mut self, index: NodeIndex, result: Finished) {
        let Finished { operation, elapsed, outcome } = result;
        match outcome {
            Ok(remote_id) => {
                self.walked.done.push((operation.address.clone(), operation.verb));
                self.run.notify(&Event::OperationFinished { operation, remote_id, elapsed });
            }
            Err(stop) => {
                self.ended_early |= stop.ends_the_run();
                self.blocked[index.index()] = Some(operation.address.clone());
                let secrets = self.run.secrets(change_of(self.run, index));
                let (error, hint) = (secrets.hide(&stop.to_string()).into_owned(), stop.hint());
                let (problem, blockers) = (stop.problem().cloned(), stop.blockers().to_vec());
                self.run.notify(&Event::OperationFailed {
                    operation: operation.clone(),
                    error: error.clone(),
                    elapsed,
                });
                let OperationLabel { address, verb, account, .. } = operation;
                self.walked.failures.push(Failure { address, verb, account, error, hint, problem, blockers });
                if let Stop::Record(error) = stop {
                    self.walked.unrecorded.get_or_insert(error);
                }
            }
        }
        self.release(index);
    }

    /// Counts a node as done, and holds back what comes after it if it is blocked.
    fn release(&mut self, index: NodeIndex) {
        let because = self.blocked[index.index()].clone();
        for successor in self.run.graph.successors(index) {
            let waiting = &mut self.waiting[successor.index()];
            *waiting -= 1;
            if *waiting == 0 {
                self.ready.push(successor);
            }
            if because.is_some() && self.blocked[successor.index()].is_none() {
                self.blocked[successor.index()].clone_from(&because);
            }
        }
    }

    fn skip(&mut self, operation: OperationLabel, because: Option<Address>) {
        self.walked.skipped.push((operation.address.clone(), operation.verb));
        self.run.notify(&Event::OperationSkipped { operation, because });
    }

    fn next_interrupt(&self) -> InterruptLevel {
        match self.told {
            InterruptLevel::None => InterruptLevel::Graceful,
            InterruptLevel::Graceful | InterruptLevel::Fast => InterruptLevel::Fast,
        }
    }

    fn tell_interrupt(&mut self) {
        self.told = self.run.engine.interrupt.level();
        self.run.notify(&Event::Interrupted { waiting: self.told < InterruptLevel::Fast });
    }

    fn ended(mut self) -> Walked {
        for index in self.run.graph.order() {
            if !self.started[index.index()]
                && let Some(operation) = label(self.run, index)
            {
                let because = self.blocked[index.index()].clone();
                self.skip(operation, because);
            }
        }
        let undone = !self.walked.skipped.is_empty() || !self.walked.failures.is_empty();
        self.walked.interrupted = undone && self.run.engine.interrupt.level() > InterruptLevel::None;
        self.walked
    }
}

/// What came of one operation.
struct Finished {
    operation: OperationLabel,
    elapsed: std::time::Duration,
    outcome: Result<Option<RemoteId>, Stop>,
}

async fn execute(run: &Run<'_>, index: NodeIndex) -> Finished {
    let started = Instant::now();
    let operation = label(run, index).expect("only nodes that are operations are executed");
    let outcome = match run.graph.node(index) {
        Node::Make(position) => {
            let change = &run.plan.changes[*position];
            make::make(run, change, kind(run, change)).await
        }
        Node::Unmake(position) => {
            let change = &run.plan.changes[*position];
            unmake::unmake(run, change, kind(run, change)).await.map(|()| None)
        }
        Node::Withdraw(position) => {
            let change = &run.plan.changes[*position];
            make::withdraw(run, change, kind(run, change)).await
        }
        Node::Look(position) => look::look(run, &run.plan.lookups[*position]).await,
        Node::Round(position, round) => {
            let change = &run.plan.changes[*position];
            make::advance(run, change, &change.rounds[*round], kind(run, change)).await
        }
        Node::Gate(gate, placement) => gate::wait(run, &**gate, placement, &operation).await.map(|()| None),
        Node::Provider(_) | Node::Unchanged => Ok(None),
    };
    Finished { operation, elapsed: started.elapsed(), outcome }
}

fn kind<'a>(run: &Run<'a>, change: &Change) -> &'a dyn crate::erased::AnyResource {
    &**run.engine.registry.kind(change.kind.as_str()).expect("a plan has only kinds that the program has")
}

/// Returns the change that a node carries out.
fn change_of<'a>(run: &Run<'a>, index: NodeIndex) -> Option<&'a Change> {
    match run.graph.node(index) {
        Node::Make(position)
        | Node::Unmake(position)
        | Node::Withdraw(position)
        | Node::Round(position, _) => Some(&run.plan.changes[*position]),
        Node::Look(_) | Node::Gate(..) | Node::Provider(_) | Node::Unchanged => None,
    }
}

/// Returns what a node is shown as; `None` for one that takes no time.
fn label(run: &Run<'_>, index: NodeIndex) -> Option<OperationLabel> {
    match run.graph.node(index) {
        Node::Provider(_) | Node::Unchanged => None,
        Node::Make(position) => Some(change_label(run, &run.plan.changes[*position], true)),
        Node::Unmake(position) => Some(change_label(run, &run.plan.changes[*position], false)),
        Node::Withdraw(position) => {
            let label = change_label(run, &run.plan.changes[*position], true);
            Some(OperationLabel { verb: Verb::Withdraw, ..label })
        }
        Node::Look(position) => {
            let LookedUp { address, account, region, .. } = run.plan.lookups[*position].clone();
            Some(OperationLabel { address, verb: Verb::Look, account, region })
        }
        Node::Round(position, _) => {
            let label = change_label(run, &run.plan.changes[*position], true);
            Some(OperationLabel { verb: Verb::Advance, ..label })
        }
        Node::Gate(_, placement) => {
            let region = region(run, &placement.account);
            let (address, account) = (placement.address.clone(), placement.account.clone());
            Some(OperationLabel { address, verb: Verb::Wait, account, region })
        }
    }
}

fn change_label(run: &Run<'_>, change: &Change, making: bool) -> OperationLabel {
    let forced = run.plan.options.delete_made_by_others;
    let of_others = change.lifecycle.is_made_by_others();
    let verb = match change.action {
        ChangeAction::Create | ChangeAction::Update | ChangeAction::Replace(_) if of_others && making => {
            Verb::Expect
        }
        ChangeAction::Replace(_) | ChangeAction::Delete | ChangeAction::DeleteDeposed
            if of_others && !forced =>
        {
            Verb::Wait
        }
        ChangeAction::Update => Verb::Update,
        ChangeAction::Forget => Verb::Forget,
        ChangeAction::Create | ChangeAction::Replace(_) if making => Verb::Create,
        ChangeAction::Create
        | ChangeAction::Replace(_)
        | ChangeAction::Delete
        | ChangeAction::DeleteDeposed => Verb::Delete,
    };
    OperationLabel {
        address: change.address.clone(),
        verb,
        account: change.account.clone(),
        region: change.region.clone(),
    }
}

fn region(run: &Run<'_>, account: &AccountName) -> String {
    run.spec.accounts.get(account).map(|account| account.region.clone()).unwrap_or_default()
}
