//! Where requests meet the world: who asks, what is done, what is kept and written into the log.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::call::{Answer, Call, Operation, Refusal};
use crate::controller::Controllers;
use crate::dispatch::{self, Request};
use crate::fault::{self, Fault, Faults, Kind};
use crate::identity::{self, Caller};
use crate::request_log::{LoggedRequest, RequestLog, without_secrets};
use crate::server::Incoming;
use crate::store::{Event, Happened, Keeper, Kept};
use crate::world::{Failure, World, later};
use crate::{access, operations};

/// The world, and everything that happens on the way to it.
pub(crate) struct Playground {
    pub(crate) world: World,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    /// Who keeps the world in its files, if it has any.
    pub(crate) keeper: Option<Keeper>,
    /// The load balancer controllers that run in clusters.
    pub(crate) controllers: Controllers,
}

/// What came of a request.
pub(crate) struct Handled {
    pub(crate) answer: Answer,
    /// Tells when it is kept what the request has changed.
    pub(crate) kept: Option<Kept>,
    /// For how long the answer is held back.
    pub(crate) delay: Duration,
    /// Whether nobody gets the answer.
    pub(crate) is_lost: bool,
}

impl Handled {
    /// Answers at once.
    fn with(answer: Answer, kept: Option<Kept>) -> Self {
        Self { answer, kept, delay: Duration::ZERO, is_lost: false }
    }
}

impl Playground {
    /// Opens a world to requests.
    pub(crate) fn new(world: World, faults: Faults, keeper: Option<Keeper>) -> Self {
        Self { world, faults, log: RequestLog::default(), keeper, controllers: Controllers::default() }
    }

    /// Carries out a request. `age` is for how long it has been here.
    pub(crate) fn handle(
        &mut self,
        request: Request,
        incoming: &Incoming,
        request_id: &str,
        age: Duration,
    ) -> Handled {
        self.let_arrive();
        let caller = identity::caller(&self.world, request.service, &request.authorization, incoming);
        let (handled, entry) = match caller {
            Ok(caller) => self.meet(request.into_call(caller), request_id),
            Err(refusal) => {
                let entry = self.refused_entry(request, request_id);
                (Handled::with(Err(refusal), None), entry)
            }
        };
        self.note_handled(entry, &handled, age);
        handled
    }

    /// Carries out a call of somebody who is known already.
    pub(crate) fn handle_call(&mut self, call: Call, request_id: &str, age: Duration) -> Handled {
        self.let_arrive();
        let (handled, entry) = self.meet(call, request_id);
        self.note_handled(entry, &handled, age);
        handled
    }

    /// Writes into the log what came of a call.
    pub(crate) fn note_handled(&mut self, mut entry: LoggedRequest, handled: &Handled, age: Duration) {
        entry.note_answer(&handled.answer);
        entry.milliseconds = (age + handled.delay).as_secs_f64() * 1000.0;
        self.note(entry);
    }

    /// Writes into the log what was asked and is answered elsewhere.
    pub(crate) fn note_asked(&mut self, call: &Call, request_id: &str, answer: &Answer) {
        let mut entry = self.entry(call, request_id);
        entry.note_answer(answer);
        self.note(entry);
    }

    /// Lets a call meet what is in its way.
    pub(crate) fn meet(&mut self, call: Call, request_id: &str) -> (Handled, LoggedRequest) {
        let name = self.world.organization.accounts.get(&call.caller.account);
        let fault = self.faults.decide(&call, name.map_or("", String::as_str), self.world.now());
        let mut entry = self.entry(&call, request_id);
        entry.fault = fault.as_ref().map(|fault| fault.kind.name().to_owned());
        (self.suffer(call, fault), entry)
    }

    /// Carries out a call as far as a fault lets it.
    fn suffer(&mut self, call: Call, fault: Option<Fault>) -> Handled {
        let Some(Fault { kind, seconds, code, message }) = fault else {
            let (answer, kept) = self.carry_out(call);
            return Handled::with(answer, kept);
        };
        let service = call.service;
        match kind {
            Kind::Throttle => Handled::with(Err(fault::throttled(service)), None),
            Kind::Before => Handled::with(Err(fault::internal(service, code, message)), None),
            Kind::Expired => Handled::with(Err(identity::expired(service)), None),
            Kind::Denied => Handled::with(Err(denied(&call)), None),
            Kind::Capacity => Handled::with(Err(fault::capacity(service, code, message)), None),
            Kind::After => {
                let (_, kept) = self.carry_out(call);
                Handled::with(Err(fault::internal(service, code, message)), kept)
            }
            Kind::Lost => {
                let (answer, kept) = self.carry_out(call);
                Handled { is_lost: true, ..Handled::with(answer, kept) }
            }
            Kind::Slow => {
                let (answer, kept) = self.carry_out(call);
                let delay = Duration::try_from_secs_f64(seconds).unwrap_or_default();
                Handled { delay, ..Handled::with(answer, kept) }
            }
            Kind::Late => {
                let due = later(self.world.now(), seconds);
                let kept = self.happen(Event::Late { call: Box::new(call), due });
                Handled { is_lost: true, ..Handled::with(Ok(Value::Null), kept) }
            }
            Kind::NotFound => {
                let (answer, kept) = self.carry_out_blindly(call, seconds);
                Handled::with(answer, kept)
            }
            Kind::Fails => {
                let (answer, kept) = self.carry_out_doomed(call, failure(code, message));
                Handled::with(answer, kept)
            }
        }
    }

    /// Carries out a call, and keeps it if it has changed something.
    pub(crate) fn carry_out(&mut self, call: Call) -> (Answer, Option<Kept>) {
        let window = self.world.rules.consistency_window;
        self.carry_out_blindly(call, window)
    }

    fn carry_out_blindly(&mut self, call: Call, seconds: f64) -> (Answer, Option<Kept>) {
        let (at, made) = (self.world.now(), self.world.made());
        let answer = dispatch::run_blindly(&mut self.world, &call, seconds);
        let kept = if answer.is_ok() && !is_read(&call) {
            self.keep(&Happened { at, made, event: Event::Call { call: Box::new(call), fate: None } })
        } else {
            None
        };
        (answer, kept)
    }

    /// Carries out a call that makes something which fails.
    fn carry_out_doomed(&mut self, call: Call, fate: Failure) -> (Answer, Option<Kept>) {
        let (at, made) = (self.world.now(), self.world.made());
        self.world.doom(Some(fate.clone()));
        let answer = dispatch::run(&mut self.world, &call);
        self.world.doom(None);
        let event = Event::Call { call: Box::new(call), fate: Some(fate) };
        let kept = answer.is_ok().then(|| self.keep(&Happened { at, made, event })).flatten();
        (answer, kept)
    }

    fn keep(&self, happened: &Happened) -> Option<Kept> {
        self.keeper.as_ref().map(|keeper| keeper.keep(happened))
    }

    /// Lets the late calls arrive whose time has come, each at its own; then
    /// the controllers in clusters do what is to be done.
    pub(crate) fn let_arrive(&mut self) {
        while let Some(due) = self.world.next_arrival().filter(|due| *due <= self.world.now()) {
            let clock = self.world.clock.clone();
            self.world.stand_at(due);
            // Whoever waits for something that is kept later, waits for this too.
            drop(self.keep(&Happened { at: due, made: self.world.made(), event: Event::Arrived }));
            if let Some((call, answer)) = self.world.arrive() {
                let mut entry = self.entry(&call, "");
                entry.fault = Some("arrived".to_owned());
                entry.note_answer(&answer);
                self.note(entry);
            }
            self.world.clock = clock;
        }
        Controllers::act(self);
    }

    fn entry(&self, call: &Call, request_id: &str) -> LoggedRequest {
        LoggedRequest {
            sequence: 0,
            time: self.world.now(),
            account: call.caller.account.to_string(),
            principal: call.caller.arn.clone(),
            service: call.service.scope().to_owned(),
            region: call.region.clone(),
            operation: call.operation.clone(),
            parameters: without_secrets(&call.parameters),
            outcome: "ok".to_owned(),
            message: String::new(),
            fault: None,
            request_id: request_id.to_owned(),
            milliseconds: 0.0,
        }
    }

    /// Returns the entry of a request whose credentials are refused.
    fn refused_entry(&self, request: Request, request_id: &str) -> LoggedRequest {
        let principal = request.authorization.access_key.clone();
        let nobody = Caller::administrator(self.world.organization.management.clone());
        let entry = self.entry(&request.into_call(nobody), request_id);
        LoggedRequest { account: String::new(), principal, ..entry }
    }

    fn note(&mut self, entry: LoggedRequest) {
        let entry = self.log.add(entry);
        if let Some(keeper) = &self.keeper {
            let mut line = serde_json::to_vec(entry).expect("a request has a JSON form");
            line.push(b'\n');
            keeper.log(line);
        }
    }

    /// Lets something happen to the world that nothing can refuse.
    pub(crate) fn happen(&mut self, event: Event) -> Option<Kept> {
        let happened = Happened { at: self.world.now(), made: self.world.made(), event };
        let kept = self.keep(&happened);
        happened.event.apply(&mut self.world).expect("only calls are refused");
        kept
    }

    /// Begins anew with an empty world of the same accounts.
    pub(crate) fn reset(&mut self) -> Option<Kept> {
        self.world = self.world.emptied();
        self.keeper.as_ref().map(|keeper| keeper.write_down(&self.world))
    }
}

impl Request {
    /// Returns the call that it is, now that it is known who asks.
    pub(crate) fn into_call(self, caller: Caller) -> Call {
        let Self { authorization, service, operation, parameters } = self;
        let hidden = BTreeSet::new();
        Call { service, operation, region: authorization.region, caller, parameters, hidden }
    }
}

fn is_read(call: &Call) -> bool {
    operations::find(call.service, &call.operation).is_none_or(Operation::is_read)
}

fn denied(call: &Call) -> Refusal {
    let action = format!("{}:{}", call.service.prefix(), call.operation);
    access::denied(call, &action, "*", None)
}

fn failure(code: Option<String>, message: Option<String>) -> Failure {
    Failure {
        code: code.unwrap_or_else(|| "InternalError".to_owned()),
        message: message.unwrap_or_else(|| "The sandbox was told to let this fail".to_owned()),
    }
}

/// Waits until a change is kept. If it cannot be, nobody may rely on it.
pub(crate) async fn wait_for(kept: Option<Kept>) -> Result<(), Refusal> {
    let Some(kept) = kept else { return Ok(()) };
    let problem = match kept.await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(problem)) => problem,
        Err(_) => "nobody writes it any more".to_owned(),
    };
    let message = format!("The sandbox cannot keep its world: {problem}");
    Err(Refusal { status: 500, ..Refusal::new("InternalError", message) })
}
