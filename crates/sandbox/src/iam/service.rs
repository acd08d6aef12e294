//! Services that act with a role of an account, as clusters do.

use crate::access::{Context, set};
use crate::policy::{Decision, Document, Principal, Question};
use crate::world::{AccountId, World};

/// How a role stands to a service that wants to act with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It does not exist, or the service does not know it yet.
    Unknown,
    /// It exists, but does not trust the service.
    Untrusted,
    /// The service may assume it.
    Trusted,
}

/// Tells whether a service can act with a role, for a thing of the account with this ARN.
pub(crate) fn standing(
    world: &World,
    account: &AccountId,
    role_arn: &str,
    service: &str,
    source_arn: &str,
) -> Standing {
    let name = super::managed::name_of(role_arn);
    let role = world.directories.get(account).and_then(|directory| directory.roles.get(name));
    let Some(role) = role.filter(|role| role.arn == role_arn && role.is_known(world)) else {
        return Standing::Unknown;
    };
    let mut context = Context::new();
    set(&mut context, "aws:SourceAccount", account.as_str());
    set(&mut context, "aws:SourceArn", source_arn);
    let question = Question {
        action: "sts:AssumeRole",
        resource: role_arn,
        principals: &[Principal::Service(service.to_owned())],
        context,
    };
    let trust = Document::read(&role.trust.document(world));
    match trust.map(|trust| trust.decide(&question)) {
        Ok(Decision::Allowed) => Standing::Trusted,
        Ok(Decision::Denied | Decision::Silent) | Err(_) => Standing::Untrusted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::Account;

    /// "Cross-service confused deputy prevention": the account for which a service acts is a
    /// condition.
    #[test]
    fn a_service_acts_with_known_roles_that_trust_it() {
        const ROLE: &str = "arn:aws:iam::111111111111:role/cluster";
        let mut account = Account::new();
        account.world().rules.iam_delay = 5.0;
        let trust = |source: &str| {
            let statement = json!({
                "Effect": "Allow",
                "Principal": { "Service": "eks.amazonaws.com" },
                "Action": "sts:AssumeRole",
                "Condition": { "StringEquals": { "aws:SourceAccount": source } },
            });
            json!({ "Statement": [statement] }).to_string()
        };
        let standing = |account: &mut Account, service: &str| {
            let id = "111111111111".parse().expect("it has twelve digits");
            standing(account.world(), &id, ROLE, service, "arn:aws:eks:us-east-1:111111111111:cluster/a")
        };
        assert_eq!(standing(&mut account, "eks.amazonaws.com"), Standing::Unknown);
        let role = json!({ "RoleName": "cluster", "AssumeRolePolicyDocument": trust("111111111111") });
        account.ok("iam:CreateRole", role);
        assert_eq!(standing(&mut account, "eks.amazonaws.com"), Standing::Unknown);
        account.wait(5);
        assert_eq!(standing(&mut account, "eks.amazonaws.com"), Standing::Trusted);
        assert_eq!(standing(&mut account, "ec2.amazonaws.com"), Standing::Untrusted);
        let other = json!({ "RoleName": "cluster", "PolicyDocument": trust("222222222222") });
        account.ok("iam:UpdateAssumeRolePolicy", other);
        assert_eq!(standing(&mut account, "eks.amazonaws.com"), Standing::Untrusted);
    }
}
