//! Service-linked roles: of services of AWS, which alone may change them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::within;
use super::role::{self, Role};
use super::trust::Trust;
use super::{Directory, no_such_entity};
use crate::access::set;
use crate::call::{Answer, Call, Need, Operation, Refusal};
use crate::validation;
use crate::world::{AccountId, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateServiceLinkedRole", &["AWSServiceName", "Description", "CustomSuffix"], create)
        .on(&[("AWSServiceName", "linked-role")]),
    Operation::new("DeleteServiceLinkedRole", &["RoleName"], delete).on(&[("RoleName", "role")]),
    Operation::new("GetServiceLinkedRoleDeletionStatus", &["DeletionTaskId"], get_deletion_status),
];

/// The services that have such roles, and what these are called.
const ROLES: &[(&str, &str)] = &[
    ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ("eks-fargate.amazonaws.com", "AWSServiceRoleForAmazonEKSForFargate"),
    ("eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup"),
    ("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
    ("elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    ("organizations.amazonaws.com", "AWSServiceRoleForOrganizations"),
    ("ram.amazonaws.com", "AWSServiceRoleForResourceAccessManager"),
    ("spot.amazonaws.com", "AWSServiceRoleForEC2Spot"),
    ("vpc-lattice.amazonaws.com", "AWSServiceRoleForVpcLattice"),
];

/// The service that has a role for each purpose.
const WITH_SUFFIX: &str = "autoscaling.amazonaws.com";

/// How long a deletion takes.
const DELETION: SignedDuration = SignedDuration::from_secs(5);

/// A role on its way out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Deletion {
    /// Its name, until it is gone.
    role: Option<String>,
    ends_at: Timestamp,
}

impl Directory {
    /// Lets happen what is due.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        for deletion in self.deletions.values_mut().filter(|deletion| deletion.ends_at <= now) {
            if let Some(role) = deletion.role.take() {
                self.roles.remove(&role);
            }
        }
    }
}

/// Returns the path and the name of a service's role.
pub(super) fn path_and_name(service: &str) -> Option<(String, &'static str)> {
    let (_, name) = ROLES.iter().find(|(known, _)| *known == service)?;
    Some((format!("/aws-service-role/{service}/"), *name))
}

/// Makes the role of a service in an account unless it is there, as services do on first use.
pub(crate) fn ensure(world: &mut World, account: &AccountId, service: &str) {
    if let Some((path, name)) = path_and_name(service)
        && !world.directory(account).roles.contains_key(name)
    {
        let role = Role::new(world, account, &path, name, Trust::of_service(service));
        world.directory(account).roles.insert(name.to_owned(), role);
    }
}

/// Returns the permission that makes the role of a service, where the account of a call has none yet.
pub(crate) fn need(world: &World, call: &Call, service: &str) -> Option<Need> {
    let (_, name) = path_and_name(service)?;
    let directory = world.directories.get(&call.caller.account);
    let is_there = directory.is_some_and(|directory| directory.roles.contains_key(name));
    let (resource, mut context) = super::resource(world, call, "linked-role", service);
    set(&mut context, "iam:AWSServiceName", service);
    let action = "iam:CreateServiceLinkedRole".to_owned();
    (!is_there).then_some(Need { action, resource, context })
}

fn create(world: &mut World, call: &Call) -> Answer {
    let service = validation::required(&call.parameters, "AWSServiceName")?;
    let description = call.parameters.text("Description").unwrap_or_default();
    validation::length("Description", description, 0, 1000)?;
    let Some((path, name)) = path_and_name(service) else {
        let message = format!("The sandbox knows no service-linked role of {service}.");
        return Err(Refusal::new("InvalidInput", message));
    };
    let name = match call.parameters.text("CustomSuffix") {
        None => name.to_owned(),
        Some(suffix) if service == WITH_SUFFIX => format!("{name}_{suffix}"),
        Some(_) => {
            let message = format!("Custom suffix is not allowed for {service}");
            return Err(Refusal::new("InvalidInput", message));
        }
    };
    let account = &call.caller.account;
    if world.directory(account).roles.contains_key(&name) {
        let message = format!(
            "Service role name {name} has been taken in this account, please try a different suffix."
        );
        return Err(Refusal::new("InvalidInput", message));
    }
    let description = (!description.is_empty()).then(|| description.to_owned());
    let role = Role::new(world, account, &path, &name, Trust::of_service(service)).described(description);
    let answer = within("Role", role::shown(world, &role));
    world.directory(account).roles.insert(name, role);
    Ok(answer)
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let role = role::named(world, call)?.clone();
    if !role.is_linked() {
        let message = format!("The role {} is not a service-linked role.", role.name);
        return Err(Refusal::new("InvalidInput", message));
    }
    let task = format!("task{}{}/{}", role.path, role.name, world.new_uuid());
    let ends_at = world.now().checked_add(DELETION).unwrap_or(Timestamp::MAX);
    let deletion = Deletion { role: Some(role.name), ends_at };
    world.directory(&call.caller.account).deletions.insert(task.clone(), deletion);
    Ok(json!({ "DeletionTaskId": task }))
}

fn get_deletion_status(world: &mut World, call: &Call) -> Answer {
    let task = validation::required(&call.parameters, "DeletionTaskId")?;
    let now = world.now();
    let deletion = world.directory(&call.caller.account).deletions.get(task);
    let deletion = deletion.ok_or_else(|| no_such_entity(format!("The task {task} cannot be found.")))?;
    let status = if deletion.ends_at <= now { "SUCCEEDED" } else { "IN_PROGRESS" };
    Ok(json!({ "Status": status, "Reason": Value::Null }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    #[test]
    fn a_linked_role_is_its_services() {
        let mut account = Account::new();
        let service = json!({ "AWSServiceName": "elasticloadbalancing.amazonaws.com" });
        let role = account.ok("iam:CreateServiceLinkedRole", service.clone())["Role"].clone();
        assert_eq!(
            role["Arn"],
            "arn:aws:iam::111111111111:role/aws-service-role/elasticloadbalancing.amazonaws.com/\
             AWSServiceRoleForElasticLoadBalancing"
        );
        let message = account.message("iam:CreateServiceLinkedRole", service.clone(), "InvalidInput");
        assert!(message.contains("has been taken in this account"), "{message}");
        let named = json!({ "RoleName": role["RoleName"] });
        account.refused("iam:DeleteRole", named.clone(), "UnmodifiableEntity");
        let attachment = json!({
            "RoleName": role["RoleName"],
            "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
        });
        account.refused("iam:AttachRolePolicy", attachment, "UnmodifiableEntity");
        let task = account.ok("iam:DeleteServiceLinkedRole", named.clone());
        let status = |account: &mut Account| {
            account.ok("iam:GetServiceLinkedRoleDeletionStatus", task.clone())["Status"].clone()
        };
        assert_eq!(status(&mut account), "IN_PROGRESS");
        account.ok("iam:GetRole", named.clone());
        account.wait(5);
        assert_eq!(status(&mut account), "SUCCEEDED");
        account.refused("iam:GetRole", named, "NoSuchEntity");
        account.ok("iam:CreateServiceLinkedRole", service);
        account.ok("iam:GetRole", json!({ "RoleName": role["RoleName"] }));
    }

    #[test]
    fn other_services_and_roles_are_refused() {
        let mut account = Account::new();
        let unknown = json!({ "AWSServiceName": "none.amazonaws.com" });
        account.refused("iam:CreateServiceLinkedRole", unknown, "InvalidInput");
        let suffixed = json!({ "AWSServiceName": "eks.amazonaws.com", "CustomSuffix": "x" });
        account.refused("iam:CreateServiceLinkedRole", suffixed, "InvalidInput");
        account.refused("iam:DeleteServiceLinkedRole", json!({ "RoleName": "Deployer" }), "InvalidInput");
        let none = json!({ "DeletionTaskId": "task/none" });
        account.refused("iam:GetServiceLinkedRoleDeletionStatus", none, "NoSuchEntity");
    }
}
