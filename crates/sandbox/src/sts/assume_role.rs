//! `AssumeRole`: credentials of a role for whom its trust policy names.

use super::session::{self, Assumed, Wanted};
use crate::access::{self, Policies, Reason, Verdict};
use crate::call::{Answer, Call, Operation, Permission, Refusal};
use crate::identity::Identity;
use crate::policy::{Decision, Document, Principal, Question};
use crate::validation;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    // Trust and the caller's policies decide together, see below.
    Operation::new(
        "AssumeRole",
        &[
            "RoleArn",
            "RoleSessionName",
            "DurationSeconds",
            "ExternalId",
            "Policy",
            "PolicyArns",
            "Tags",
            "TransitiveTagKeys",
        ],
        assume_role,
    )
    .with(Permission::Free),
];

fn assume_role(world: &mut World, call: &Call) -> Answer {
    let arn = validation::required(&call.parameters, "RoleArn")?;
    let mut wanted = Wanted::read(&call.parameters)?;
    // A role that does not exist is denied like one that does not trust the caller.
    let assumed = session::role(world, arn)?.ok_or_else(|| access::denied(call, ASSUME, arn, None))?;
    check(world, call, &assumed, ASSUME)?;
    if !wanted.tags.is_empty() {
        check(world, call, &assumed, TAG)?;
    }
    wanted.check_duration(&assumed.role, &call.caller)?;
    wanted.check_policies(world, &assumed.account)?;
    inherit_tags(&mut wanted, call)?;
    Ok(wanted.issue(world, assumed))
}

pub(super) const ASSUME: &str = "sts:AssumeRole";
pub(super) const TAG: &str = "sts:TagSession";

/// Checks that the role trusts the caller, and that the caller's own policies let it go there.
pub(super) fn check(world: &World, call: &Call, assumed: &Assumed, action: &str) -> Result<(), Refusal> {
    let arn = &assumed.role.arn;
    let mut context = access::of_call(world, call);
    context.extend(access::of_tags(&assumed.role.tags, "iam"));
    let denied = |reason: Option<Reason>| access::denied(call, action, arn, reason);
    let trust = Document::read(&assumed.role.trust.document(world));
    let trust = trust.map_err(|malformed| Refusal::new("MalformedPolicyDocument", malformed.to_string()))?;
    let own_names = call.caller.own_names();
    let all_names: Vec<Principal> = own_names.iter().cloned().chain([call.caller.account_name()]).collect();
    let trusts = |principals: &[Principal]| {
        let question = Question { action, resource: arn, principals, context: context.clone() };
        trust.decide(&question) == Decision::Allowed
    };
    if !trusts(&all_names) {
        return Err(denied(None));
    }
    let Some(policies) = Policies::of(world, &call.caller).filter(|_| world.rules.enforce_iam) else {
        return Ok(());
    };
    // Within an account, a trust policy that names the caller itself is enough. One that names the
    // account leaves it to the account, and across accounts both sides have to agree.
    let is_enough = call.caller.account == assumed.account && trusts(&own_names);
    let question = Question { action, resource: arn, principals: &[], context: context.clone() };
    match policies.decide(&question) {
        Verdict::Allowed => Ok(()),
        Verdict::Denied(reason) if is_enough && !reason.is_explicit() => Ok(()),
        Verdict::Denied(reason) => Err(denied(Some(reason))),
    }
}

/// Adds the tags that the caller's session passes on: "transitive tags persist during role
/// chaining", and cannot be set anew.
fn inherit_tags(wanted: &mut Wanted, call: &Call) -> Result<(), Refusal> {
    let Identity::Role(session) = &call.caller.identity else { return Ok(()) };
    for key in &session.transitive {
        if wanted.tags.keys().any(|given| given.eq_ignore_ascii_case(key)) {
            let message = "One of the specified tag keys can't be set because it conflicts with a transitive \
                           tag key from the calling session.";
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        let inherited = session.tags.get_key_value(key);
        wanted.tags.extend(inherited.map(|(key, value)| (key.clone(), value.clone())));
        wanted.transitive.push(key.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
