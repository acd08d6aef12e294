//! Access: whether a caller may do what it asks for.
//!
//! Only if the world was made to enforce policies: otherwise everybody who has credentials may do
//! everything in the own account, and only trust policies decide.

mod context;
mod policies;

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use crate::call::{Call, Need, Operation, Permission, Refusal};
use crate::identity::{Caller, Identity};
use crate::policy::Question;
use crate::protocol::Service;
use crate::world::World;
use crate::{ec2, eks, elb, iam, ram};
pub(crate) use context::{Context, of_call, of_tags, set};
pub(crate) use policies::{Policies, Reason, Verdict};

/// Checks that the caller may carry an operation out.
///
/// # Errors
/// With the code and the text by which the service denies it.
pub(crate) fn check(world: &World, operation: &Operation, call: &Call) -> Result<(), Refusal> {
    if call.caller.identity == Identity::Nobody && operation.access.permission != Permission::Open {
        let message = "Request is missing Authentication Token";
        return Err(Refusal::forbidden("MissingAuthenticationToken", message));
    }
    if !world.rules.enforce_iam || operation.access.permission != Permission::Needed {
        return Ok(());
    }
    let Some(policies) = Policies::of(world, &call.caller) else { return Ok(()) };
    let context = of_call(world, call);
    for need in needs(world, operation, call) {
        let mut context = context.clone();
        context.extend(need.context);
        let question = Question { action: &need.action, resource: &need.resource, principals: &[], context };
        if let Verdict::Denied(reason) = policies.decide(&question) {
            return Err(denied(call, &need.action, &need.resource, Some(reason)));
        }
    }
    Ok(())
}

/// Returns what a caller has to be allowed for an operation.
fn needs(world: &World, operation: &Operation, call: &Call) -> Vec<Need> {
    let mut needs = match call.service {
        Service::Ec2 => ec2::needs(world, operation, call),
        Service::Elb => elb::needs(world, operation, call),
        Service::Eks
        | Service::EksAuth
        | Service::Iam
        | Service::Kubernetes
        | Service::Organizations
        | Service::Quotas
        | Service::Ram
        | Service::Sts
        | Service::Tagging => named_needs(world, operation, call),
    };
    needs.extend(operation.access.also.map(|also| also(world, call)).unwrap_or_default());
    needs
}

/// Returns what is needed on the things that the operation's parameters name.
fn named_needs(world: &World, operation: &Operation, call: &Call) -> Vec<Need> {
    let action = format!("{}:{}", call.service.prefix(), operation.name);
    let named = operation.access.on.iter().flat_map(|(parameter, kind)| {
        let given = call.parameters.text(parameter).or_else(|| implied(call, parameter));
        given.into_iter().chain(call.parameters.texts(parameter)).map(|name| (*kind, name))
    });
    let mut needs: Vec<_> = named
        .map(|(kind, name)| {
            let (resource, context) = match call.service {
                Service::Eks | Service::EksAuth => eks::resource(world, call, kind, name),
                Service::Iam => iam::resource(world, call, kind, name),
                Service::Ram => (name.to_owned(), ram::context(world, call, name)),
                Service::Ec2
                | Service::Elb
                | Service::Kubernetes
                | Service::Organizations
                | Service::Quotas
                | Service::Sts
                | Service::Tagging => (name.to_owned(), Context::new()),
            };
            Need { action: action.clone(), resource, context }
        })
        .collect();
    if needs.is_empty() {
        needs.push(Need { action, resource: "*".to_owned(), ..Need::default() });
    }
    if call.service == Service::Iam && !call.parameters.tables("Tags").is_empty() {
        needs.extend(iam::tagging(operation.name, &needs[0]));
    }
    needs
}

/// Returns the name that a call means which gives none: "if a user name is not specified, IAM
/// determines the user name implicitly".
fn implied<'a>(call: &'a Call, parameter: &str) -> Option<&'a str> {
    match &call.caller.identity {
        Identity::User(name) if parameter == "UserName" => Some(name),
        Identity::User(_) | Identity::Administrator | Identity::Role(_) | Identity::Nobody => None,
    }
}

/// Denies an action, in the service's words.
pub(crate) fn denied(call: &Call, action: &str, resource: &str, reason: Option<Reason>) -> Refusal {
    let because = reason.map(|reason| reason.text(action)).unwrap_or_default();
    let caller = &call.caller.arn;
    let message =
        format!("User: {caller} is not authorized to perform: {action} on resource: {resource}{because}");
    match call.service {
        Service::Ec2 => {
            let encoded = encoded_denial(&call.caller, action, resource, reason);
            let message = format!(
                "You are not authorized to perform this operation. {message}. Encoded authorization \
                 failure message: {encoded}"
            );
            Refusal::forbidden("UnauthorizedOperation", message)
        }
        Service::Kubernetes => Refusal::forbidden("Forbidden", message),
        Service::Elb | Service::Iam | Service::Sts => Refusal::forbidden("AccessDenied", message),
        Service::Organizations | Service::Quotas | Service::Tagging => {
            Refusal::new("AccessDeniedException", message)
        }
        Service::Eks | Service::EksAuth | Service::Ram => {
            Refusal::forbidden("AccessDeniedException", message)
        }
    }
}

/// Returns what `DecodeAuthorizationMessage` makes readable.
fn encoded_denial(caller: &Caller, action: &str, resource: &str, reason: Option<Reason>) -> String {
    let denial = json!({
        "allowed": false,
        "explicitDeny": reason.is_some_and(Reason::is_explicit),
        "context": {
            "principal": { "id": caller.user_id, "arn": caller.arn },
            "action": action,
            "resource": resource,
        },
    });
    BASE64URL_NOPAD.encode(denial.to_string().as_bytes())
}

/// Returns what was encoded in a message; `None` if it is none of ours.
pub(crate) fn decoded_denial(encoded: &str) -> Option<String> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()?).ok()?;
    text.starts_with(r#"{"allowed":"#).then_some(text)
}

#[cfg(test)]
mod tests;
