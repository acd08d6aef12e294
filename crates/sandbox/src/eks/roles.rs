//! Roles that are handed over to EKS: of the caller's account, trusted, and allowed enough.

use super::refusals::invalid;
use crate::access::{Context, Policies, Verdict};
use crate::call::{Call, Refusal};
use crate::iam::service::{Standing, standing};
use crate::identity::Caller;
use crate::policy::Question;
use crate::world::World;

/// Checks that EKS can act with a role for a cluster, in the words that users report.
///
/// # Errors
/// If the role is of another account, not known, does not trust EKS or may do too little.
pub(super) fn check_cluster_role(
    world: &World,
    call: &Call,
    role_arn: &str,
    cluster_arn: &str,
) -> Result<(), Refusal> {
    check_account(call, role_arn)?;
    match standing(world, &call.caller.account, role_arn, "eks.amazonaws.com", cluster_arn) {
        Standing::Unknown => Err(unknown(role_arn)),
        Standing::Untrusted => {
            Err(invalid("Role could not be assumed because the trusted entity is not correct"))
        }
        // "You must attach AmazonEKSClusterPolicy" ("Amazon EKS cluster IAM role", EKS user guide).
        Standing::Trusted if allows(world, call, role_arn, "ec2:DescribeSubnets") => Ok(()),
        Standing::Trusted => Err(invalid(
            "The provided role doesn't have the Amazon EKS Managed Policies associated with it. Please ensure \
             the following policies [arn:aws:iam::aws:policy/AmazonEKSClusterPolicy] are attached",
        )),
    }
}

/// Checks that a service can act with a role for a part of a cluster.
///
/// # Errors
/// If the role is of another account, not known or does not trust the service; then with what
/// EKS says to that.
pub(super) fn check_role(
    world: &World,
    call: &Call,
    role_arn: &str,
    service: &str,
    untrusted: impl FnOnce() -> Refusal,
) -> Result<(), Refusal> {
    match stands(world, call, role_arn, service)? {
        Standing::Unknown => Err(unknown(role_arn)),
        Standing::Untrusted => Err(untrusted()),
        Standing::Trusted => Ok(()),
    }
}

/// Checks that a role is there, whomever it trusts.
pub(super) fn check_exists(world: &World, call: &Call, role_arn: &str) -> Result<(), Refusal> {
    match stands(world, call, role_arn, "eks.amazonaws.com")? {
        Standing::Unknown => Err(unknown(role_arn)),
        Standing::Untrusted | Standing::Trusted => Ok(()),
    }
}

/// Tells how a role of the caller's account stands to a service.
pub(super) fn stands(world: &World, call: &Call, role_arn: &str, service: &str) -> Result<Standing, Refusal> {
    check_account(call, role_arn)?;
    let source = format!("arn:aws:eks:{}:{}:cluster/*", call.region, call.caller.account);
    Ok(standing(world, &call.caller.account, role_arn, service, &source))
}

/// Tells whether a role's policies let it carry out an action.
pub(super) fn allows(world: &World, call: &Call, role_arn: &str, action: &str) -> bool {
    let directory = world.directories.get(&call.caller.account);
    let name = role_arn.rsplit('/').next().unwrap_or_default();
    let grants = directory.and_then(|directory| directory.roles.get(name)).map(|role| &role.grants);
    let account = Caller::administrator(call.caller.account.clone());
    let question = Question { action, resource: "*", principals: &[], context: Context::new() };
    Policies::granted(world, &account, grants).decide(&question) == Verdict::Allowed
}

/// Refuses a role of another account: only services of its own account can be given one.
fn check_account(call: &Call, role_arn: &str) -> Result<(), Refusal> {
    let parts: Vec<_> = role_arn.splitn(6, ':').collect();
    let ["arn", "aws", "iam", "", account, thing] = parts[..] else {
        return Err(invalid(format!("The role ARN {role_arn} is not valid.")));
    };
    if !thing.starts_with("role/") {
        return Err(invalid(format!("The role ARN {role_arn} is not valid.")));
    }
    if account == call.caller.account.as_str() {
        return Ok(());
    }
    Err(Refusal::forbidden("AccessDeniedException", "Cross-account pass role is not allowed."))
}

fn unknown(role_arn: &str) -> Refusal {
    invalid(format!(
        "Role with arn: {role_arn}, could not be assumed because it does not exist or the trusted entity is not \
         correct"
    ))
}
