//! What is wrong with an access entry before EKS says so.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use crate::ec2::check::{is_set, problem};

/// How names begin that are EKS's own, of users and of groups (EKS user guide, "Creating access
/// entries").
const RESERVED: [&str; 5] = ["system:", "eks:", "aws:", "amazon:", "iam:"];

/// Returns what is wrong with the inputs.
pub(super) fn problems(inputs: &ValueMap) -> Vec<Problem> {
    let found = [session(inputs), reserved_user(inputs), reserved_group(inputs), groups_of_nodes(inputs)];
    found.into_iter().flatten().collect()
}

/// Sessions end, and EKS takes none ("Creating access entries": the STS session principal type).
fn session(inputs: &ValueMap) -> Option<Problem> {
    let arn = inputs.get("principal_arn").and_then(Value::as_str)?;
    let mut parts = arn.splitn(6, ':');
    let (scheme, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (account, resource) = (parts.nth(1)?, parts.next()?);
    let role = resource.strip_prefix("assumed-role/")?.split('/').next()?;
    (scheme == "arn" && service == "sts").then(|| {
        problem(
            "principal_arn",
            "This is the ARN of a session, which ends; EKS lets in roles and users.",
            format!(
                "Write the ARN of its role: `arn:{partition}:iam::{account}:role/{role}`, with the role's path \
                 before its name if it has one."
            ),
        )
    })
}

fn reserved_user(inputs: &ValueMap) -> Option<Problem> {
    let name = inputs.get("user_name").and_then(Value::as_str)?;
    let prefix = RESERVED.into_iter().find(|prefix| name.starts_with(prefix))?;
    Some(problem(
        "user_name",
        format!("Names of users that begin with `{prefix}` are EKS's own."),
        "Choose another name, or leave it out: EKS then makes one of the ARN.",
    ))
}

fn reserved_group(inputs: &ValueMap) -> Option<Problem> {
    let groups = inputs.get("kubernetes_groups").and_then(Value::as_list)?;
    let (group, prefix) = groups.iter().filter_map(Value::as_str).find_map(|group| {
        let prefix = RESERVED.into_iter().find(|prefix| group.starts_with(prefix))?;
        Some((group, prefix))
    })?;
    Some(problem(
        "kubernetes_groups",
        format!("The group `{group}` begins with `{prefix}`, and such groups are the cluster's own."),
        "Bind a role to a group of another name, or use `policies`: `AmazonEKSClusterAdminPolicy` allows what \
         `system:masters` does.",
    ))
}

/// EKS gives nodes their groups itself (API reference, `CreateAccessEntry`, `type`).
fn groups_of_nodes(inputs: &ValueMap) -> Option<Problem> {
    let sort = inputs.get("type").and_then(Value::as_str).filter(|sort| *sort != "STANDARD")?;
    let groups = inputs.get("kubernetes_groups").and_then(Value::as_list);
    let has_groups = groups.map_or_else(|| is_set(inputs, "kubernetes_groups"), |groups| !groups.is_empty());
    has_groups.then(|| {
        problem(
            "kubernetes_groups",
            format!("An entry of type `{sort}` has the groups that EKS gives to such nodes."),
            "Take the groups out, or the type.",
        )
    })
}
