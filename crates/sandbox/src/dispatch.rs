//! From a request to the operation that it names, and back.

use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::identity;
use crate::protocol::{self, Service};
use crate::server::{Incoming, Outgoing};
use crate::signature::Authorization;
use crate::world::World;
use crate::{access, ec2, iam, organizations, ram, sts};

/// Answers one request.
pub(crate) fn answer(world: &mut World, request: &Incoming) -> Outgoing {
    let Some(authorization) = Authorization::of_any(request) else {
        return Outgoing::plain(403, "the request is not signed (AWS signature version 4)");
    };
    let Some(service) = Service::of_scope(&authorization.service) else {
        let text = format!("the sandbox has no service `{}`", authorization.service);
        return Outgoing::plain(501, &text);
    };
    let request_id = world.request_id();
    let (operation, parameters) = match protocol::read(service, request) {
        Ok(found) => found,
        Err(refusal) => return protocol::write(service, "Unknown", &Err(refusal), &request_id),
    };
    let result = identity::caller(world, service, &authorization, request).and_then(|caller| {
        let region = authorization.region.clone();
        run(world, Call { service, operation: operation.clone(), region, caller, parameters })
    });
    protocol::write(service, &operation, &result, &request_id)
}

pub(crate) fn run(world: &mut World, mut call: Call) -> Answer {
    let found =
        operations(call.service).find(|operation| operation.name.eq_ignore_ascii_case(&call.operation));
    let Some(operation) = found else {
        let message = format!("The action {} is not valid for this web service.", call.operation);
        return Err(Refusal::new("InvalidAction", message));
    };
    operation.name.clone_into(&mut call.operation);
    check_names(operation, &call.parameters)?;
    access::check(world, operation, &call)?;
    (operation.run)(world, &call)
}

/// Returns the operations of a service.
fn operations(service: Service) -> Box<dyn Iterator<Item = &'static Operation>> {
    match service {
        Service::Ec2 => Box::new(ec2::operations()),
        Service::Sts => Box::new(sts::operations()),
        Service::Iam => Box::new(iam::operations()),
        Service::Organizations => Box::new(organizations::operations()),
        Service::Ram => Box::new(ram::operations()),
    }
}

fn check_names(operation: &Operation, parameters: &Parameters) -> Result<(), Refusal> {
    let unknown = parameters.0.keys().find(|name| !operation.parameters.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| {
        let message = format!("The parameter {name} is not recognized");
        Err(Refusal::new("UnknownParameter", message))
    })
}
