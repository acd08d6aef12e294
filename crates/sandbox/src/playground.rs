//! Where requests meet the world: who asks, what is done, what is kept and written into the log.

use std::time::Duration;

use crate::call::{Answer, Call, Refusal};
use crate::dispatch::{self, Request};
use crate::identity::{self, Caller};
use crate::operations;
use crate::request_log::{LoggedRequest, RequestLog, without_secrets};
use crate::server::Incoming;
use crate::store::{Event, Happened, Keeper, Kept};
use crate::world::World;

/// The world, and everything that happens on the way to it.
pub(crate) struct Playground {
    pub(crate) world: World,
    pub(crate) log: RequestLog,
    /// Who keeps the world in its files, if it has any.
    pub(crate) keeper: Option<Keeper>,
}

/// What came of a request.
pub(crate) struct Handled {
    pub(crate) answer: Answer,
    /// Tells when it is kept what the request has changed.
    pub(crate) kept: Option<Kept>,
}

impl Playground {
    /// Opens a world to requests.
    pub(crate) fn new(world: World, keeper: Option<Keeper>) -> Self {
        Self { world, log: RequestLog::default(), keeper }
    }

    /// Carries out a request. `age` is for how long it has been here.
    pub(crate) fn handle(
        &mut self,
        request: Request,
        incoming: &Incoming,
        request_id: &str,
        age: Duration,
    ) -> Handled {
        let caller = identity::caller(&self.world, request.service, &request.authorization, incoming);
        let mut entry = self.entry(&request, caller.as_ref().ok(), request_id);
        let (answer, kept) = match caller {
            Ok(caller) => self.carry_out(request.into_call(caller)),
            Err(refusal) => (Err(refusal), None),
        };
        if let Err(refusal) = &answer {
            (entry.outcome, entry.message) = (refusal.code.clone(), refusal.message.clone());
        }
        entry.milliseconds = age.as_secs_f64() * 1000.0;
        self.note(entry);
        Handled { answer, kept }
    }

    /// Carries out a call, and keeps it if it has changed something.
    pub(crate) fn carry_out(&mut self, call: Call) -> (Answer, Option<Kept>) {
        let (at, made) = (self.world.now(), self.world.made());
        let answer = dispatch::run(&mut self.world, &call);
        let is_read = operations::find(call.service, &call.operation).is_none_or(|known| known.is_read());
        let kept = match &self.keeper {
            Some(keeper) if answer.is_ok() && !is_read => {
                Some(keeper.keep(&Happened { at, made, event: Event::Call(Box::new(call)) }))
            }
            _ => None,
        };
        (answer, kept)
    }

    fn entry(&self, request: &Request, caller: Option<&Caller>, request_id: &str) -> LoggedRequest {
        let principal = caller.map_or(&request.authorization.access_key, |caller| &caller.arn);
        LoggedRequest {
            sequence: 0,
            time: self.world.now(),
            account: caller.map(|caller| caller.account.to_string()).unwrap_or_default(),
            principal: principal.clone(),
            service: request.service.scope().to_owned(),
            region: request.authorization.region.clone(),
            operation: request.operation.clone(),
            parameters: without_secrets(&request.parameters),
            outcome: "ok".to_owned(),
            message: String::new(),
            fault: None,
            request_id: request_id.to_owned(),
            milliseconds: 0.0,
        }
    }

    fn note(&mut self, entry: LoggedRequest) {
        let entry = self.log.add(entry);
        if let Some(keeper) = &self.keeper {
            let mut line = serde_json::to_vec(entry).expect("a request has a JSON form");
            line.push(b'\n');
            keeper.log(line);
        }
    }

    /// Lets something happen to the world that is no call.
    pub(crate) fn happen(&mut self, event: Event) -> Option<Kept> {
        let happened = Happened { at: self.world.now(), made: self.world.made(), event };
        let kept = self.keeper.as_ref().map(|keeper| keeper.keep(&happened));
        happened.event.apply(&mut self.world);
        kept
    }

    /// Begins anew with an empty world of the same accounts.
    pub(crate) fn reset(&mut self) -> Option<Kept> {
        self.world = self.world.emptied();
        self.keeper.as_ref().map(|keeper| keeper.write_down(&self.world))
    }
}

impl Request {
    fn into_call(self, caller: Caller) -> Call {
        let Self { authorization, service, operation, parameters } = self;
        Call { service, operation, region: authorization.region, caller, parameters }
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
