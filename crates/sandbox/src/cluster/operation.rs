//! Requests to clusters as calls: faults meet them, the journal keeps them, the log shows them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::{Reply, Request};
use super::status::Failure;
use super::user::User;
use crate::call::{Answer, Call, Operation, Parameters, Permission, Refusal};
use crate::eks;
use crate::identity::{Caller, Identity};
use crate::protocol::Service;
use crate::world::{AccountId, World};

/// Which cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct ClusterName {
    pub(crate) region: String,
    pub(crate) account: AccountId,
    pub(crate) name: String,
}

const PARAMETERS: &[&str] =
    &["cluster", "user", "method", "path", "query", "accept", "contentType", "agent", "requestBody"];

/// The operations: what requests do to objects.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("Get", PARAMETERS, run).with(Permission::Free),
    Operation::new("List", PARAMETERS, run).with(Permission::Free),
    Operation::new("Create", PARAMETERS, run).with(Permission::Free),
    Operation::new("Update", PARAMETERS, run).with(Permission::Free),
    Operation::new("Patch", PARAMETERS, run).with(Permission::Free),
    Operation::new("Delete", PARAMETERS, run).with(Permission::Free),
];

/// Returns the call that a request is.
pub(crate) fn call(cluster: &ClusterName, user: &User, request: &Request) -> Call {
    let name = match request.method.as_str() {
        "POST" => "Create",
        "PUT" => "Update",
        "PATCH" => "Patch",
        "DELETE" => "Delete",
        _ if request.is_of_many() => "List",
        _ => "Get",
    };
    let parameters = json!({
        "cluster": cluster.name,
        "user": user,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "accept": request.accept,
        "contentType": request.content_type,
        "agent": request.agent,
        "requestBody": request.body,
    });
    let Value::Object(parameters) = parameters else { unreachable!("it is written so") };
    let caller = Caller {
        account: cluster.account.clone(),
        arn: user.name.clone(),
        user_id: user.uid.clone(),
        identity: Identity::Administrator,
    };
    Call {
        service: Service::Kubernetes,
        operation: name.to_owned(),
        region: cluster.region.clone(),
        caller,
        parameters: Parameters(parameters),
        hidden: BTreeSet::new(),
    }
}

fn run(world: &mut World, call: &Call) -> Answer {
    let text = |name: &str| call.parameters.text(name).unwrap_or_default().to_owned();
    let cluster = ClusterName {
        region: call.region.clone(),
        account: call.caller.account.clone(),
        name: text("cluster"),
    };
    let request = Request {
        method: text("method"),
        path: text("path"),
        query: text("query"),
        accept: text("accept"),
        content_type: text("contentType"),
        agent: text("agent"),
        body: text("requestBody"),
    };
    let user = call.parameters.0.get("user").cloned().unwrap_or_default();
    let user = serde_json::from_value(user)
        .map_err(|error| Refusal::new("BadRequest", format!("nobody can be {error}")))?;
    let reply = perform(world, &cluster, &user, &request)?;
    Ok(serde_json::to_value(reply).expect("a reply has a JSON form"))
}

/// Carries out a request to a cluster as a user. Controllers inside the sandbox write so; whoever calls
/// this while no call is carried out has to let the journal know.
pub(crate) fn perform(
    world: &mut World,
    cluster: &ClusterName,
    user: &User,
    request: &Request,
) -> Result<Reply, Refusal> {
    let done = eks::with_plane(world, cluster, |plane, now| plane.carry_out(user, request, now));
    let mut reply = done.unwrap_or_else(|| Err(Failure::no_path())).map_err(Failure::refusal)?;
    if let Some(claims) = reply.to_sign.take() {
        let issuer = claims["iss"].as_str().unwrap_or_default().to_owned();
        reply.body["status"]["token"] = json!(world.issuer(&issuer).issue(&claims));
    }
    Ok(reply)
}
