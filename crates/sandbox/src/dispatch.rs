//! From a request to the operation that it names.

use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::protocol::{self, Service};
use crate::server::{Incoming, Outgoing};
use crate::signature::Authorization;
use crate::world::World;
use crate::{access, operations, sight};

/// What a request asks for. Nobody knows yet who asks.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) authorization: Authorization,
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) parameters: Parameters,
}

/// Reads what a request asks for, or answers what cannot be read.
pub(crate) fn read(incoming: &Incoming, request_id: &str) -> Result<Request, Box<Outgoing>> {
    let Some(authorization) = Authorization::of_any(incoming) else {
        let text = "the request is not signed (AWS signature version 4)";
        return Err(Box::new(Outgoing::plain(403, text)));
    };
    let Some(service) = Service::of_scope(&authorization.service) else {
        let text = format!("the sandbox has no service `{}`", authorization.service);
        return Err(Box::new(Outgoing::plain(501, &text)));
    };
    match protocol::read(service, incoming) {
        Ok((operation, parameters)) => {
            let operation = match operations::find(service, &operation) {
                Some(known) => known.name.to_owned(),
                None => operation,
            };
            Ok(Request { authorization, service, operation, parameters })
        }
        Err(refusal) => Err(Box::new(protocol::write(service, "Unknown", &Err(refusal), request_id))),
    }
}

/// Carries out a call.
pub(crate) fn run(world: &mut World, call: &Call) -> Answer {
    run_blindly(world, call, world.rules.consistency_window)
}

/// Carries out a call; a read does not know what was made in the last seconds.
pub(crate) fn run_blindly(world: &mut World, call: &Call, seconds: f64) -> Answer {
    let Some(operation) = operations::find(call.service, &call.operation) else {
        let message = format!("The action {} is not valid for this web service.", call.operation);
        return Err(Refusal::new("InvalidAction", message));
    };
    check_names(operation, &call.parameters)?;
    access::check(world, operation, call)?;
    if operation.is_read() {
        let hidden = world.newborn(seconds);
        return sight::read(world, operation, call, hidden);
    }
    match operation.token().and_then(|name| call.parameters.text(name)) {
        Some(token) => run_once(world, operation, call, token),
        None => (operation.run)(world, call),
    }
}

/// Carries out a call unless its token says that this was done before.
fn run_once(world: &mut World, operation: &Operation, call: &Call, token: &str) -> Answer {
    let now = world.now();
    if let Some(answer) = world.tokens.recall(call, token, now)? {
        return Ok(answer);
    }
    let answer = (operation.run)(world, call)?;
    world.tokens.remember(call, token, &answer, now);
    Ok(answer)
}

fn check_names(operation: &Operation, parameters: &Parameters) -> Result<(), Refusal> {
    let unknown = parameters.0.keys().find(|name| !operation.parameters.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| {
        let message = format!("The parameter {name} is not recognized");
        Err(Refusal::new("UnknownParameter", message))
    })
}
