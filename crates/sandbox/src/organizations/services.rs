//! The services that the organization trusts.

use serde_json::json;

use super::{PAGING, managed, required};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ram;
use crate::world::{World, seconds};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("ListAWSServiceAccessForOrganization", &["NextToken", "MaxResults"], list),
    Operation::new("EnableAWSServiceAccess", &["ServicePrincipal"], enable),
    Operation::new("DisableAWSServiceAccess", &["ServicePrincipal"], disable),
];

fn list(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let services = organization.services.iter().map(|(name, since)| {
        (name.clone(), json!({ "ServicePrincipal": name, "DateEnabled": seconds(*since) }))
    });
    let (page, next) = PAGING.cut(&call.parameters, services)?;
    Ok(json!({ "EnabledServicePrincipals": page, "NextToken": next }))
}

/// Trusts a service. For RAM that is not enough: "we recommend that you use the service's own
/// operation", which also makes the role that it needs, so accounts still cannot share.
fn enable(world: &mut World, call: &Call) -> Answer {
    let (name, now) = (service(call)?, world.now());
    managed(world, call)?.services.entry(name).or_insert(now);
    Ok(json!({}))
}

fn disable(world: &mut World, call: &Call) -> Answer {
    let name = service(call)?;
    let organization = managed(world, call)?;
    organization.services.remove(&name);
    if name == crate::world::RAM {
        organization.shares_since = None;
        ram::look_anew(world);
    }
    Ok(json!({}))
}

fn service(call: &Call) -> Result<String, Refusal> {
    let name = required(call, "ServicePrincipal")?;
    if name.ends_with(".amazonaws.com") {
        return Ok(name.to_owned());
    }
    let message = "You specified an unrecognized service principal.";
    Err(Refusal::new("InvalidInputException", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    #[test]
    fn services_are_trusted_and_no_longer() {
        let mut account = Account::new();
        let names = |account: &mut Account| {
            let listed = account.ok("organizations:ListAWSServiceAccessForOrganization", json!({}));
            let services = listed["EnabledServicePrincipals"].as_array().cloned().unwrap_or_default();
            services.iter().map(|service| service["ServicePrincipal"].clone()).collect::<Vec<_>>()
        };
        let cloudtrail = json!({ "ServicePrincipal": "cloudtrail.amazonaws.com" });
        account.ok("organizations:EnableAWSServiceAccess", cloudtrail.clone());
        assert_eq!(names(&mut account), ["cloudtrail.amazonaws.com", "ram.amazonaws.com"]);
        account.ok("organizations:DisableAWSServiceAccess", cloudtrail.clone());
        assert_eq!(names(&mut account), ["ram.amazonaws.com"]);
        let wrong = json!({ "ServicePrincipal": "me" });
        account.refused("organizations:EnableAWSServiceAccess", wrong, "InvalidInputException");
        account.other(|member| {
            let operation = "organizations:EnableAWSServiceAccess";
            member.refused(operation, cloudtrail.clone(), "AccessDeniedException");
        });
    }
}
