//! The loop that brings an object to what is wanted, or to its end: read, name the next call, make it.
//!
//! Creating, updating, repairing after a crash and deleting are all this loop.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::access::Backoff;
use crate::address::RemoteId;
use crate::apply::operation::Operation;
use crate::apply::refusal::Refusal;
use crate::apply::stop::Stop;
use crate::erased::{AnyStep, ObservedValues};
use crate::plan::{AttributeChange, Reason, diff, members};
use crate::provider::{ErrorClass, ProviderError};
use crate::resource::Readiness;
use crate::run::InterruptLevel;
use crate::schema::AttributeSchema;
use crate::sharing::Withdrawal;
use crate::value::ValueMap;

/// How often the same call is made that the service accepts but never shows.
const REPETITIONS: usize = 3;

/// What an object is brought to.
pub(crate) struct Settle<'a> {
    pub(crate) operation: &'a Operation<'a>,
    /// The object; a call may change it.
    pub(crate) id: RemoteId,
    /// What it shall be; `None` for gone.
    pub(crate) desired: Option<&'a ValueMap>,
    /// What a read of this run found already.
    pub(crate) observed: Option<ObservedValues>,
    /// How long it may take.
    pub(crate) limit: Duration,
    /// Whether what the service never returns has been sent, and is taken as it was sent.
    pub(crate) written: bool,
    /// What a share keeps for now, and lets go of in an operation after this one.
    pub(crate) later: Option<&'a Withdrawal>,
    /// How far the repair of a part is that failed.
    pub(crate) repair: Repair,
    /// The attributes that are wanted as they are found, whatever that is by then.
    pub(crate) left_alone: BTreeSet<String>,
    /// How its deletion is refused.
    pub(crate) refusal: Refusal,
}

/// How far the repair of a part is that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
    /// No part has failed so far.
    Unneeded,
    /// A part has failed, and steps repair it.
    UnderWay,
    /// What had failed is repaired. If it fails again, it would do so for ever.
    Done,
}

/// The last call that was made, for services that show its work late.
struct Performed {
    step: AnyStep,
    at: Instant,
    times: usize,
}

/// What to do after a look at the object.
enum Next {
    Done(ObservedValues),
    Gone,
    Wait(String),
    Call(AnyStep),
}

impl<'a> Settle<'a> {
    /// Wants an object to be as `desired`, or gone, within a limit.
    pub(crate) fn new(
        operation: &'a Operation<'a>,
        id: RemoteId,
        desired: Option<&'a ValueMap>,
        limit: Duration,
    ) -> Self {
        Self {
            operation,
            id,
            desired,
            observed: None,
            limit,
            written: false,
            later: None,
            repair: Repair::Unneeded,
            left_alone: operation.left_alone(),
            refusal: Refusal::default(),
        }
    }

    /// Brings the object to what is wanted. Returns what it is then; `None` for gone.
    pub(crate) async fn run(mut self) -> Result<Option<ObservedValues>, Stop> {
        let deadline = Instant::now() + self.limit;
        let mut delays = Backoff::new(self.limit);
        let mut performed: Option<Performed> = None;
        loop {
            let reason = match self.look(performed.as_ref()).await? {
                Next::Done(observed) => match self.verify(&observed).await? {
                    None => return Ok(Some(observed)),
                    Some(reason) => reason,
                },
                Next::Gone => return Ok(None),
                Next::Wait(reason) => reason,
                Next::Call(step) if Instant::now() >= deadline => {
                    let reason = format!("{} is still needed", step.operation());
                    return Err(self.time_is_up(reason).await);
                }
                Next::Call(_) if self.operation.run.engine.interrupt.level() == InterruptLevel::Fast => {
                    return Err(Stop::Interrupted);
                }
                Next::Call(step) => match self.perform(step, &mut performed).await? {
                    None => {
                        delays = Backoff::new(deadline.saturating_duration_since(Instant::now()));
                        continue;
                    }
                    Some(reason) => reason,
                },
            };
            let delay = delays.next().map(|delay| delay.min(self.operation.kind.traits().poll));
            let Some(delay) = delay else { return Err(self.time_is_up(reason).await) };
            self.operation.pause(delay, &reason).await?;
        }
    }

    async fn time_is_up(&mut self, reason: String) -> Stop {
        if let Some(others) = self.operation.kind.made_by().filter(|_| !self.is_forced()) {
            let advice = if self.desired.is_some() { others.advice_missing } else { others.advice_left };
            return Stop::Awaited { limit: self.limit, reason, advice };
        }
        self.refusal.time_is_up(self.operation, &self.id, self.limit, reason).await
    }

    async fn look(&mut self, performed: Option<&Performed>) -> Result<Next, Stop> {
        let observed = match self.observed.take() {
            Some(observed) => Some(observed),
            None => self.operation.read(&self.id, self.desired).await?,
        };
        let Some(observed) = observed else { return self.missing(performed).await };
        if let (Readiness::Impaired(reason) | Readiness::Failed(reason), Some(_), Some(_)) =
            (&observed.readiness, self.desired, self.operation.kind.made_by())
        {
            // Whoever makes it may put it right.
            return Ok(Next::Wait(reason.clone()));
        }
        match (&observed.readiness, self.desired) {
            (Readiness::Pending(reason), _) => {
                self.repaired();
                let release = self.operation.kind.release(&observed).filter(|_| self.lets_go());
                return match release {
                    Some(step) => self.unless_shown_late(step, &observed.readiness, performed),
                    None => Ok(Next::Wait(reason.clone())),
                };
            }
            (Readiness::Failed(reason), Some(_)) => return Err(Stop::Failed(reason.clone())),
            (Readiness::Failed(_) | Readiness::Impaired(_) | Readiness::Degraded(_), None) => {}
            (Readiness::Impaired(reason), Some(_)) if self.repair == Repair::Done => {
                return Err(Stop::Impaired(reason.clone()));
            }
            (Readiness::Impaired(_), Some(_)) => self.repair = Repair::UnderWay,
            (Readiness::Ready | Readiness::Degraded(_), _) => self.repaired(),
        }
        if self.desired.is_none() && performed.is_none() && !self.is_forced() {
            self.may_delete(&observed).await?;
        }
        let mut step = self.next_step(&observed)?;
        if step.is_some() && performed.map(|last| &last.step) == step.as_ref() && !self.written {
            // A call that seems to be needed again may have been about something that is never
            // returned.
            self.written = true;
            step = self.next_step(&observed)?;
        }
        Ok(match (step, &observed.readiness) {
            // What no step repairs may be what goes later.
            (None, Readiness::Impaired(reason)) if self.desired.is_some() && self.later.is_none() => {
                return Err(Stop::Impaired(reason.clone()));
            }
            (None, Readiness::Degraded(reason)) if self.desired.is_some() => Next::Wait(reason.clone()),
            (None, _) if self.desired.is_some() => match self.differs(&observed) {
                Some(reason) => Next::Wait(reason),
                None => Next::Done(observed),
            },
            (None, _) => Next::Wait(self.operation.kind.remains(&observed).unwrap_or_else(to_be_gone)),
            (Some(step), readiness) => self.unless_shown_late(step, readiness, performed)?,
        })
    }

    /// Notes that no part of the object has failed any more.
    fn repaired(&mut self) {
        if self.repair == Repair::UnderWay {
            self.repair = Repair::Done;
        }
    }

    /// Tells whether the user asked to delete what others made.
    fn is_forced(&self) -> bool {
        self.operation.run.plan.options.delete_made_by_others
    }

    /// Tells whether a deletion is not to wait for others any longer.
    fn lets_go(&self) -> bool {
        self.desired.is_none() && self.is_forced()
    }

    /// Says in what the object is not as wanted, of one that somebody else brings to that.
    fn differs(&self, observed: &ObservedValues) -> Option<String> {
        let (kind, desired) = (self.operation.kind, self.desired?);
        kind.made_by()?;
        let differences = diff::drift(kind, desired, observed, &BTreeSet::new());
        let of_ours = |change: &&AttributeChange| !self.left_alone.contains(&change.name);
        let names: Vec<_> =
            differences.iter().filter(of_ours).map(|change| format!("`{}`", change.name)).collect();
        (!names.is_empty()).then(|| format!("for {} to become as the spec says", names.join(", ")))
    }

    /// Asks the kind whether an object that is as it shall be does what it is for. Returns what to wait for.
    async fn verify(&self, observed: &ObservedValues) -> Result<Option<String>, Stop> {
        let (operation, Some(desired)) = (self.operation, self.desired) else { return Ok(None) };
        let connection = operation.reach(desired)?;
        let verify = || operation.kind.verify(&connection, observed, desired);
        let verified = operation.access().repeat(verify, operation.account, operation.kind).await;
        match verified.map_err(Stop::from_call)? {
            Readiness::Ready => Ok(None),
            Readiness::Pending(reason) | Readiness::Degraded(reason) => Ok(Some(reason)),
            Readiness::Impaired(reason) => Err(Stop::Impaired(reason)),
            Readiness::Failed(reason) => Err(Stop::Failed(reason)),
        }
    }

    /// Asks the kind whether a deletion can come to its end.
    async fn may_delete(&self, observed: &ObservedValues) -> Result<(), Stop> {
        let operation = self.operation;
        let connection = operation.connection(&self.id, None)?;
        let ask = || operation.kind.may_delete(&connection, observed);
        let answer = operation.access().repeat(ask, operation.account, operation.kind).await;
        answer.map_err(Stop::from_call)
    }

    fn next_step(&self, observed: &ObservedValues) -> Result<Option<AnyStep>, Stop> {
        let kind = self.operation.kind;
        if kind.made_by().is_some() && !self.lets_go() {
            return Ok(None);
        }
        let mut observed = observed.clone();
        if let Some(desired) = self.desired.filter(|_| self.written) {
            // What the service has in its own words cannot be compared with what was sent.
            let told_by_us =
                if kind.foresees() { |_: &_| true } else { AttributeSchema::is_told_by_the_state };
            members::copy(&kind.schema().inputs, told_by_us, desired, &mut observed.inputs);
        }
        let wanted = self.wanted(&observed);
        kind.next_step(&observed, wanted.as_ref()).map_err(|mismatch| Stop::Defect(mismatch.to_string()))
    }

    /// Returns what the object shall be next, given what it is.
    fn wanted(&self, observed: &ObservedValues) -> Option<ValueMap> {
        let mut wanted = self.desired?.clone();
        let mut before = wanted.clone();
        for change in &self.operation.change.attributes {
            before.insert(change.name.clone(), change.before.clone());
        }
        let attributes = &self.operation.kind.schema().inputs;
        members::leave_to_others(attributes, &mut wanted, &observed.inputs, &before);
        // A repair takes out what it puts back in.
        for name in self.left_alone.iter().filter(|_| self.repair == Repair::Unneeded) {
            match observed.inputs.get(name) {
                Some(found) => drop(wanted.insert(name.clone(), found.clone())),
                None => drop(wanted.remove(name)),
            }
        }
        Some(match self.later {
            Some(later) => later.held_back(wanted, &observed.inputs),
            None => wanted,
        })
    }

    /// Decides about an object that a read did not find.
    async fn missing(&mut self, performed: Option<&Performed>) -> Result<Next, Stop> {
        let deleting = self.desired.is_none();
        // A service that has taken a call about the object knows it everywhere.
        let known = deleting && performed.is_some();
        if !known && self.operation.is_new(&self.id) {
            return Ok(Next::Wait("to become visible".to_owned()));
        }
        if deleting {
            return Ok(Next::Gone);
        }
        // A call whose answer was lost may have changed the id.
        let operation = self.operation;
        let desired = self.desired.cloned().unwrap_or_default();
        let connection = operation.reach(&desired)?;
        let find = || operation.kind.find(&connection, &operation.intent, &desired);
        let found = operation.access().repeat(find, operation.account, operation.kind).await;
        match operation.unclaimed(found.map_err(Stop::from_call)?).as_slice() {
            [id] => {
                operation.identified(id).await?;
                self.id = id.clone();
                Ok(Next::Wait("to be read under its new id".to_owned()))
            }
            _ => Err(Stop::Vanished(self.vanished())),
        }
    }

    /// Says why something is gone that was to be changed.
    fn vanished(&self) -> String {
        // What an earlier run had begun may have been its deletion.
        if self.operation.change.reasons.contains(&Reason::Unfinished) {
            format!("{} went away: its deletion had been asked for before this run", self.id)
        } else {
            format!("{} was deleted by somebody else meanwhile", self.id)
        }
    }

    /// Makes a call again only after its work had time to show.
    fn unless_shown_late(
        &self,
        step: AnyStep,
        readiness: &Readiness,
        performed: Option<&Performed>,
    ) -> Result<Next, Stop> {
        let Some(last) = performed.filter(|last| last.step == step) else { return Ok(Next::Call(step)) };
        let shown_late = last.at.elapsed() < self.operation.run.engine.settings.consistency_window;
        if let (None, Readiness::Failed(reason)) = (self.desired, readiness) {
            // Either the call is shown late, or the deletion itself has failed.
            return match (shown_late, last.times >= REPETITIONS) {
                (true, _) => Ok(Next::Wait(reason.clone())),
                (false, false) => Ok(Next::Call(step)),
                (false, true) => Err(Stop::NotDeleted(reason.clone())),
            };
        }
        if shown_late || self.desired.is_none() {
            return Ok(if shown_late {
                Next::Wait(format!("for {} to show", step.operation()))
            } else {
                Next::Call(step)
            });
        }
        if last.times >= REPETITIONS {
            let operation = step.operation();
            return Err(Stop::Unheeded(format!(
                "the service accepted {operation} {REPETITIONS} times and still shows the old value"
            )));
        }
        Ok(Next::Call(step))
    }

    /// Makes one call. Returns what to wait for before the next look, if anything.
    async fn perform(
        &mut self,
        step: AnyStep,
        performed: &mut Option<Performed>,
    ) -> Result<Option<String>, Stop> {
        let operation = self.operation;
        let connection = operation.connection(&self.id, self.desired)?;
        let (kind, id, sent) = (operation.kind, self.id.clone(), step.clone());
        let answer = operation
            .call(step.operation(), || Box::pin(async move { kind.perform(&connection, &id, &sent).await }))
            .await?;
        match answer {
            Ok(new_id) => {
                self.refusal.is_over();
                if let Some(id) = new_id.filter(|id| *id != self.id) {
                    operation.identified(&id).await?;
                    self.id = id;
                }
                let times =
                    performed.as_ref().filter(|last| last.step == step).map_or(0, |last| last.times) + 1;
                *performed = Some(Performed { step, at: Instant::now(), times });
                Ok(None)
            }
            Err(error) if error.class == ErrorClass::Dependency && self.desired.is_none() => {
                Ok(Some(self.refusal.note(operation, &self.id, &error).await))
            }
            Err(error) => Self::after_error(error),
        }
    }

    fn after_error(error: ProviderError) -> Result<Option<String>, Stop> {
        match error.class {
            ErrorClass::Throttled
            | ErrorClass::Busy
            | ErrorClass::Propagation
            | ErrorClass::Ambiguous
            | ErrorClass::NotFound
            | ErrorClass::AlreadyExists
            | ErrorClass::Dependency => Ok(Some(error.to_string())),
            ErrorClass::AccessDenied
            | ErrorClass::Expired
            | ErrorClass::Rejected
            | ErrorClass::Unreachable => Err(Stop::from_call(error)),
        }
    }
}

fn to_be_gone() -> String {
    "to be gone".to_owned()
}
