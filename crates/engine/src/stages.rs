//! The stages of a run, one after the other: read the state, connect, recover, refresh, plan,
//! approve, carry out, save.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use futures::future::try_join;
use tokio::time::Instant;

use crate::access::Access;
use crate::address::Address;
use crate::apply::{self, Recorder, Run, Walked};
use crate::audit::{Audited, audit};
use crate::environment::random_id;
use crate::event::Event;
use crate::foresee::{self, Foretold};
use crate::from_state::nothing_was_read;
use crate::import::{self, Imports};
use crate::lookup::{self, Found};
use crate::observation::Observations;
use crate::plan::{self, Change, Mode, Options, Plan, Planned, Request};
use crate::preflight::{self, Checked};
use crate::records::{defect, hidden_record, seen_records};
use crate::refresh::{Depth, Reading};
use crate::run::{Approval, Engine, InterruptLevel, Report, RunError};
use crate::spec::{ImportNode, Spec};
use crate::state::{LockGuard, LockHolder, Record, RunHeader, State, StateError, fold, recovered};
use crate::{recover, refresh};

/// How long between two attempts to get the lock.
const LOCK_POLL: Duration = Duration::from_millis(500);

impl Engine<'_> {
    /// Shows what a run would do. Reads, and writes nothing.
    ///
    /// # Errors
    /// If the state cannot be used, an account cannot be read, or the plan is not allowed.
    pub async fn plan(&self, spec: &Spec, mode: Mode, options: &Options) -> Result<Plan, RunError> {
        if options.from_state {
            return self.plan_from_state(spec, mode, options).await;
        }
        let mut prepared = self.prepare(spec, mode, options, &spec.imports, None, brief(mode)).await?;
        let plan = &prepared.planned.plan;
        if mode == Mode::Apply && !plan.changes.is_empty() {
            prepared.planned.plan.told = self.tell(&prepared.access, spec, prepared.known(), plan).await;
        }
        Ok(prepared.planned.plan)
    }

    /// Makes a plan and carries it out once it is approved. The state is locked from before
    /// the plan is made until everything is recorded. A saved plan has its own mode and options.
    ///
    /// # Errors
    /// As [`Engine::plan`], and if the plan is not approved or recording fails. That operations
    /// failed is no error: the report says so.
    pub async fn apply(
        &self,
        spec: &Spec,
        mode: Mode,
        options: &Options,
        approval: Approval<'_>,
    ) -> Result<Report, RunError> {
        let (mode, options, saved) = match &approval {
            Approval::Saved(plan) => (plan.mode, &plan.options, Some(*plan)),
            Approval::Ask(_) => (mode, options, None),
        };
        if options.from_state {
            return Err(nothing_was_read());
        }
        let _lock = self.lock(command(mode)).await?;
        let mut prepared = self.prepare(spec, mode, options, &spec.imports, saved, brief(mode)).await?;
        let plan = &prepared.planned.plan;
        if let Approval::Saved(saved) = &approval {
            check_fresh(saved, plan, prepared.state.applied_plan.as_deref())?;
        }
        if mode == Mode::Apply && !plan.changes.is_empty() {
            let checked = self.check_prepared(spec, &prepared).await?;
            preflight::stop_at_failures(&checked)?;
            prepared.planned.plan.told = self.told(&checked);
        }
        if let Approval::Ask(ask) = approval
            && !ask(&prepared.planned.plan)
        {
            return Err(RunError::Declined);
        }
        self.carry_out(spec, prepared, saved.map(|plan| plan.nonce.clone())).await
    }

    /// Makes a plan, and looks whether it will work. Writes nothing.
    ///
    /// # Errors
    /// As [`Engine::plan`]. What the checks find is no error.
    pub async fn preflight(
        &self,
        spec: &Spec,
        mode: Mode,
        options: &Options,
    ) -> Result<Vec<Checked>, RunError> {
        let prepared = self.prepare(spec, mode, options, &spec.imports, None, Depth::Full).await?;
        self.check_prepared(spec, &prepared).await
    }

    async fn check_prepared(&self, spec: &Spec, prepared: &Prepared) -> Result<Vec<Checked>, RunError> {
        self.check(&prepared.access, spec, prepared.known(), &prepared.planned.plan).await
    }

    /// Returns the state with the records of a killed run folded in; `None` if there never was
    /// one. Reads only the backend, and writes nothing.
    ///
    /// # Errors
    /// If the state cannot be used.
    pub async fn state(&self) -> Result<Option<State>, RunError> {
        Ok(recovered(self.backend.read().await?)?)
    }

    /// Takes the lock. Waits for another run as long as the user wants, and says once who that is.
    pub(crate) async fn lock(&self, command: &str) -> Result<Box<dyn LockGuard>, RunError> {
        let (started, limit) = (Instant::now(), self.settings.lock_timeout);
        let mut told = None;
        loop {
            let error = match self.backend.lock(&self.holder(command)).await {
                Ok(guard) => return Ok(guard),
                Err(error) => error,
            };
            let remaining = limit.saturating_sub(started.elapsed());
            let StateError::Locked { holder, .. } = &error else { return Err(error.into()) };
            if remaining.is_zero() {
                return Err(error.into());
            }
            if told.as_ref() != Some(holder) {
                let holder = told.insert(holder.clone()).clone();
                self.observer.notify(&Event::WaitingForLock { holder, remaining });
            }
            tokio::select! {
                biased;
                () = self.interrupt.reached(InterruptLevel::Graceful) => return Err(RunError::Interrupted),
                () = tokio::time::sleep(LOCK_POLL.min(remaining)) => {}
            }
        }
    }

    /// Finds out everything that is known before a plan is approved. What is read briefly at first is
    /// read in full as soon as there is anything to do.
    pub(crate) async fn prepare(
        &self,
        spec: &Spec,
        mode: Mode,
        options: &Options,
        imports: &[ImportNode],
        saved: Option<&Plan>,
        depth: Depth,
    ) -> Result<Prepared, RunError> {
        let hide = |error: RunError| error.without(&spec.secrets);
        let stored = self.backend.read().await?;
        let left_over = !stored.journal.is_empty();
        let lineage = || saved.map_or_else(|| random_id(self.environment), |plan| plan.lineage.clone());
        let state = recovered(stored)?.unwrap_or_else(|| State::empty(spec.stack.name.as_str(), lineage()));
        let access = Access::open(self, spec, &state).await.map_err(hide)?;
        let forget_unreachable = options.forget_unreachable && mode == Mode::Destroy;
        let resolved = recover::resolve(self, &access, &state, forget_unreachable).await.map_err(hide)?;
        let state = fold(state, &resolved).map_err(defect)?;
        let followed = recover::follow(self, &access, &state, forget_unreachable).await.map_err(hide)?;
        let state = fold(state, &followed).map_err(defect)?;
        let renames = match mode {
            Mode::Apply | Mode::Destroy => plan::renames(spec, &state).map_err(RunError::Diagnostics)?,
            Mode::Refresh => BTreeMap::new(),
        };
        let under_new_names = renamed(&state, &renames)?;
        let now = under_new_names.as_ref().unwrap_or(&state);
        let looking = async {
            match mode {
                // What a part of the plan needs is known only once the whole is worked out.
                Mode::Apply if !options.is_partial() => {
                    lookup::read_all(self, &access, spec, &now.lineage).await
                }
                Mode::Apply | Mode::Destroy | Mode::Refresh => Ok(Found::new()),
            }
        };
        let (mut observations, found) =
            try_join(refresh::refresh(self, &access, now, Reading { depth, forget_unreachable }), looking)
                .await
                .map_err(hide)?;
        foresee::recognize(self, &access, now, &mut observations).await.map_err(hide)?;
        let imports = match mode {
            Mode::Apply => import::look(self, &access, spec, imports, now, &found, &mut observations)
                .await
                .map_err(hide)?,
            Mode::Destroy | Mode::Refresh => Imports::default(),
        };
        if !options.is_partial() {
            imports.check(&BTreeSet::new()).map_err(hide)?;
        }
        let records = imports.records();
        let adjusted = if records.is_empty() {
            under_new_names
        } else {
            let before = under_new_names.unwrap_or_else(|| state.clone());
            Some(fold(before, &records).map_err(defect)?)
        };
        let now = adjusted.as_ref().unwrap_or(&state);
        let request = Request {
            registry: self.registry,
            spec,
            state: now,
            renames: &renames,
            imports: &imports.told,
            lookups: &found,
            foreseen: &Foretold::new(),
            observations: &observations,
            mode,
            options,
        };
        let nonce = random_id(self.environment);
        let first = lookups_and_plan(self, &access, &request, nonce.clone()).await.map_err(hide);
        let is_done = matches!(&first, Ok((_, planned)) if planned.plan.is_empty());
        let completed = if is_done {
            None
        } else {
            refresh::complete(self, &access, now, &observations).await.map_err(hide)?
        };
        let request = Request { observations: completed.as_ref().unwrap_or(&observations), ..request };
        let (found, mut planned) = match completed {
            Some(_) => lookups_and_plan(self, &access, &request, nonce).await.map_err(hide)?,
            None => first?,
        };
        let request = Request { lookups: &found, ..request };
        let mut foretold = None;
        if let Some((observed, foreseen)) =
            foresee::changes(self, &access, &request, &planned.plan).await.map_err(hide)?
        {
            let request = Request { observations: &observed, foreseen: &foreseen, ..request };
            planned = plan::make(&request, planned.plan.nonce).map_err(RunError::Diagnostics)?;
            foretold = Some(observed);
        }
        let observations = foretold.or(completed).unwrap_or(observations);
        imports.check(&planned.left_out).map_err(hide)?;
        let recovered = left_over || !resolved.is_empty() || !followed.is_empty();
        Ok(Prepared { recovered, state, renames, imports, adjusted, access, observations, planned })
    }

    async fn carry_out(
        &self,
        spec: &Spec,
        prepared: Prepared,
        saved: Option<String>,
    ) -> Result<Report, RunError> {
        let Prepared { recovered, mut state, renames, mut imports, adjusted, access, observations, planned } =
            prepared;
        if recovered {
            state.serial += 1;
            self.backend.replace(state.serial - 1, &state).await?;
        }
        let Planned { plan, values, graph, left_out } = planned;
        imports.retain(|address| !left_out.contains(address));
        let now = adjusted.as_ref().unwrap_or(&state);
        let renaming = (!renames.is_empty()).then_some(Record::Renamed { names: renames });
        let kept = self.kept_records(spec, &plan, &left_out, now)?;
        let seen = seen_records(&plan, &left_out, now, &observations);
        let gone = self.gone_records(&left_out, now, &observations);
        let hidden = hidden_record(spec, &plan, now);
        let first = renaming.into_iter().chain(imports.records()).chain(gone);
        let first: Vec<_> = first.chain(kept).chain(seen).chain(hidden).collect();
        let nothing_failed = Walked::default();
        if plan.is_empty()
            && first.is_empty()
            && self.settled_records(spec, &plan, &left_out, &nothing_failed, now)?.is_empty()
        {
            return Ok(report(plan, nothing_failed, state, Audited::default()));
        }
        let serial = state.serial;
        let header = self.header(&state, saved);
        let recorder = Recorder::new(self.backend, state);
        recorder.append(&[vec![Record::Run(header)], first].concat()).await?;
        let values = Mutex::new(values.carried_out_at(self.environment.now()));
        let (access, observations) = (&access, &observations);
        let run = Run {
            engine: self,
            access,
            spec,
            plan: &plan,
            graph: &graph,
            observations,
            recorder: &recorder,
            values,
        };
        let mut walked = apply::walk(&run).await;
        let outputs = run.outputs(&mut walked);
        let now = recorder.with_state(State::clone);
        let settled = self.settled_records(spec, &plan, &left_out, &walked, &now)?;
        drop(run);
        let saved = match walked.unrecorded.take() {
            Some(error) => Err(error),
            None => self.save(serial, recorder, settled.into_iter().chain(outputs).collect()).await,
        };
        // From here on things may have been made: that they cannot be recorded is no plain error.
        let state = saved.map_err(RunError::Unrecorded)?;
        let complete = walked.failures.is_empty() && walked.skipped.is_empty();
        // A run that has not done everything is followed by another one.
        let audited = if !complete || plan.mode == Mode::Refresh {
            Audited::default()
        } else {
            tokio::select! {
                biased;
                () = self.interrupt.reached(InterruptLevel::Graceful) => Audited::default(),
                audited = audit(self.registry, access, spec, &plan, &state) => audited,
            }
        };
        Ok(report(plan, walked, state, audited))
    }

    pub(crate) async fn save(
        &self,
        serial: u64,
        recorder: Recorder<'_>,
        last: Vec<Record>,
    ) -> Result<State, StateError> {
        if !last.is_empty() {
            recorder.append(&last).await?;
        }
        let mut state = recorder.into_state();
        state.serial = serial + 1;
        self.backend.replace(serial, &state).await?;
        Ok(state)
    }

    pub(crate) fn header(&self, state: &State, saved: Option<String>) -> RunHeader {
        RunHeader {
            lineage: state.lineage.clone(),
            stack: state.stack.clone(),
            serial: state.serial,
            plan: saved,
            at: self.environment.now(),
        }
    }

    fn holder(&self, command: &str) -> LockHolder {
        let host = hostname::get().map(|name| name.to_string_lossy().into_owned());
        LockHolder {
            process_id: std::process::id(),
            host: host.unwrap_or_else(|_| "this machine".to_owned()),
            command: command.to_owned(),
            since: self.environment.now().to_string(),
        }
    }
}

/// Returns how much a plan of a mode reads at first: only where nothing may change is little enough.
fn brief(mode: Mode) -> Depth {
    match mode {
        Mode::Apply => Depth::Brief,
        Mode::Destroy | Mode::Refresh => Depth::Full,
    }
}

/// Reads the lookups whose inputs are known by now, and plans.
async fn lookups_and_plan(
    engine: &Engine<'_>,
    access: &Access,
    request: &Request<'_>,
    nonce: String,
) -> Result<(Found, Planned), RunError> {
    let found = lookup::read_wanted(engine, access, request, request.lookups.clone()).await?;
    let planned =
        plan::make(&Request { lookups: &found, ..*request }, nonce).map_err(RunError::Diagnostics)?;
    Ok((found, planned))
}

/// Returns how the command is called that carries out plans of a mode.
fn command(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "apply",
        Mode::Destroy => "destroy",
        Mode::Refresh => "apply --refresh-only",
    }
}

/// Everything that is known before a plan is approved.
pub(crate) struct Prepared {
    /// Whether a killed run left records, or creates whose outcome has been learned since.
    pub(crate) recovered: bool,
    pub(crate) state: State,
    /// What the spec calls resources of the state now, by what the state calls them.
    pub(crate) renames: BTreeMap<Address, Address>,
    /// What exists and becomes a resource.
    pub(crate) imports: Imports,
    /// The state with these names and imports, if there are any.
    adjusted: Option<State>,
    access: Access,
    observations: Observations,
    pub(crate) planned: Planned,
}

impl Prepared {
    /// Returns the state as the plan sees it.
    fn known(&self) -> &State {
        self.adjusted.as_ref().unwrap_or(&self.state)
    }
}

/// Returns the state with the names that the spec has now; `None` if it has them already.
///
/// # Errors
/// Never, unless the names are not those of the state.
pub(crate) fn renamed(state: &State, names: &BTreeMap<Address, Address>) -> Result<Option<State>, RunError> {
    if names.is_empty() {
        return Ok(None);
    }
    fold(state.clone(), &[Record::Renamed { names: names.clone() }]).map(Some).map_err(defect)
}

fn report(plan: Plan, walked: Walked, state: State, audited: Audited) -> Report {
    let Walked { done, failures, skipped, interrupted, output_problems, unrecorded: _ } = walked;
    let State { outputs, sensitive_outputs, .. } = state;
    Report {
        plan,
        done,
        failures,
        skipped,
        interrupted,
        outputs,
        sensitive_outputs,
        output_problems,
        audited,
    }
}

/// Checks that a saved plan is what would be planned now, and was not applied before.
fn check_fresh(saved: &Plan, fresh: &Plan, applied: Option<&str>) -> Result<(), RunError> {
    let stale = |reason: String| Err(RunError::Stale { reason });
    if applied == Some(saved.nonce.as_str()) {
        return stale("it has been applied already".to_owned());
    }
    if (saved.mode, &saved.stack, &saved.lineage) != (fresh.mode, &fresh.stack, &fresh.lineage) {
        return stale("it was made for another stack or state".to_owned());
    }
    if saved.spec_digest != fresh.spec_digest {
        return stale("the spec or its variables have changed since it was made".to_owned());
    }
    if saved.serial != fresh.serial {
        return stale(format!(
            "the state has changed since: serial {} became {}",
            saved.serial, fresh.serial
        ));
    }
    if saved.renames != fresh.renames {
        return stale("other resources have new names since it was made".to_owned());
    }
    if saved.imports != fresh.imports {
        return stale("other things are to be imported since it was made".to_owned());
    }
    if let Some(address) = first_difference(&saved.changes, &fresh.changes) {
        return stale(format!("{address} has changed since it was made"));
    }
    if saved.mode == Mode::Refresh && saved.drift != fresh.drift {
        return stale("what is there has changed since it was made".to_owned());
    }
    if saved.outputs != fresh.outputs || saved.accounts != fresh.accounts {
        return stale("outputs or accounts have changed since it was made".to_owned());
    }
    Ok(())
}

fn first_difference<'a>(saved: &'a [Change], fresh: &'a [Change]) -> Option<&'a Address> {
    let pairs =
        saved.iter().zip(fresh).find(|(saved, fresh)| saved != fresh).map(|(_, fresh)| &fresh.address);
    let longer = if saved.len() > fresh.len() { saved } else { fresh };
    pairs.or_else(|| longer.get(saved.len().min(fresh.len())).map(|change| &change.address))
}
