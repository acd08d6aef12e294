//! What can be wrong with the members of a share, as far as they are known.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use super::member::is_account;
use crate::ec2::check::{is, problem};

/// Returns what is wrong with the inputs of a share in an account with this id.
pub(crate) fn share(account_id: &str, inputs: &ValueMap) -> Vec<Problem> {
    let resources = known(inputs, "resources").filter_map(malformed_resource);
    let principals =
        known(inputs, "principals").filter_map(|principal| wrong_principal(account_id, principal));
    resources.chain(principals).chain(external_subnets(inputs)).collect()
}

/// Returns the known ones among the values of a set.
fn known<'a>(inputs: &'a ValueMap, attribute: &str) -> impl Iterator<Item = &'a str> {
    let values = inputs.get(attribute).and_then(Value::as_list).unwrap_or_default();
    values.iter().filter_map(Value::as_str)
}

fn malformed_resource(resource: &str) -> Option<Problem> {
    (!is_arn(resource)).then(|| {
        problem(
            "resources",
            format!("`{resource}` is no ARN."),
            "Write the ARN of what is shared, such as `${subnet.NAME.arn}`, and not its id.",
        )
    })
}

fn wrong_principal(account_id: &str, principal: &str) -> Option<Problem> {
    if principal == account_id {
        return Some(problem(
            "principals",
            format!("{principal} is the account that owns the share: it has the resources already."),
            "Write the id of the account that shall use them, such as `${account.NAME.id}`.",
        ));
    }
    (!is_principal(principal)).then(|| {
        problem(
            "principals",
            format!("`{principal}` is nobody that something can be shared with."),
            "Write an account's id of twelve digits, or the ARN of an organization, of an organizational unit, \
             or of an IAM role or user.",
        )
    })
}

/// Subnets can be shared inside one organization only ("Share your VPC subnets", VPC user guide).
fn external_subnets(inputs: &ValueMap) -> Option<Problem> {
    let has_subnet = inputs.get("resources").is_some_and(is_subnet);
    (has_subnet && is(inputs, "allow_external_principals", true)).then(|| {
        problem(
            "allow_external_principals",
            "Subnets can be shared inside one organization only, so nobody outside of it could be let in.",
            "Remove `allow_external_principals`, or share the subnets apart from what goes outside.",
        )
    })
}

/// Tells whether this is or has the ARN of a subnet, known or not.
pub(crate) fn is_subnet(value: &Value) -> bool {
    match value {
        Value::String(arn) => subnet_id(arn).is_some(),
        Value::Unknown(unknown) => unknown.origin.address.block().kind.as_str() == "subnet",
        Value::List(items) => items.iter().any(is_subnet),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Map(_) => false,
    }
}

/// Returns the id in the ARN of a subnet, `arn:aws:ec2:REGION:ACCOUNT:subnet/subnet-…`.
pub(crate) fn subnet_id(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2)?;
    let resource = parts.nth(2)?;
    resource.strip_prefix("subnet/").filter(|_| service == "ec2")
}

fn is_arn(text: &str) -> bool {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, service, _, _, resource]
        if !partition.is_empty() && !service.is_empty() && !resource.is_empty())
}

/// Tells whether RAM can share with this (`CreateResourceShare`, parameter `principals`).
fn is_principal(text: &str) -> bool {
    let of_arn = |service: &str, sorts: &[&str]| {
        let mut parts = text.splitn(6, ':');
        let starts = parts.next() == Some("arn") && parts.next().is_some();
        let resource = |mut parts: std::str::SplitN<'_, char>| {
            let (owner, resource) = (parts.nth(1)?, parts.next()?);
            Some(is_account(owner) && sorts.iter().any(|sort| resource.starts_with(sort)))
        };
        starts && parts.next() == Some(service) && resource(parts) == Some(true)
    };
    is_account(text)
        || of_arn("organizations", &["organization/o-", "ou/o-"])
        || of_arn("iam", &["role/", "user/"])
        || text.strip_suffix(".amazonaws.com").is_some_and(|service| !service.is_empty())
}

#[cfg(test)]
mod tests {
    use straddle_engine::address::Address;

    use super::*;

    const OWNER: &str = "111122223333";
    const SUBNET: &str = "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-1";

    fn list(values: &[&str]) -> Value {
        Value::List(values.iter().map(|value| Value::from(*value)).collect())
    }

    /// Returns the messages about a share with these members.
    fn problems(resources: Value, principals: Value, external: bool) -> Vec<String> {
        let inputs = ValueMap::from([
            ("resources".to_owned(), resources),
            ("principals".to_owned(), principals),
            ("allow_external_principals".to_owned(), Value::from(external)),
        ]);
        share(OWNER, &inputs).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn everybody_that_ram_shares_with_is_a_principal() {
        let all = [
            "444455556666",
            "arn:aws:organizations::111122223333:organization/o-abc",
            "arn:aws-cn:organizations::111122223333:ou/o-abc/ou-def",
            "arn:aws:iam::444455556666:role/path/name",
            "arn:aws:iam::444455556666:user/name",
            "pca-connector-ad.amazonaws.com",
        ];
        assert_eq!(problems(list(&[SUBNET]), list(&all), false), Vec::<String>::new());
    }

    #[test]
    fn who_is_nobody_is_named() {
        let wrong = ["44445555666", "me", "arn:aws:iam::444455556666:root", "arn:aws:iam::4444:role/x", ""];
        let found = problems(list(&[]), list(&wrong), false);
        assert_eq!(found.len(), wrong.len(), "{found:?}");
        assert!(found[1].contains("`me`"), "{found:?}");
    }

    #[test]
    fn the_owner_needs_no_share() {
        let found = problems(list(&[SUBNET]), list(&[OWNER]), false);
        assert!(matches!(found.as_slice(), [message] if message.contains("owns the share")), "{found:?}");
    }

    #[test]
    fn an_id_is_no_arn() {
        let found = problems(list(&["subnet-1", "arn:aws:ec2", SUBNET]), list(&[]), false);
        assert_eq!(found, ["`subnet-1` is no ARN.", "`arn:aws:ec2` is no ARN."]);
    }

    #[test]
    fn subnets_stay_inside_the_organization_known_or_not() {
        let unknown = || Value::unknown(Address::new("subnet", "a"), "arn");
        for subnets in [list(&[SUBNET]), unknown(), Value::List(vec![unknown()])] {
            assert_eq!(problems(subnets.clone(), list(&[]), true).len(), 1, "{subnets:?}");
            assert_eq!(problems(subnets, list(&[]), false), Vec::<String>::new());
        }
        let other = list(&["arn:aws:ec2:us-east-1:111122223333:prefix-list/pl-1"]);
        assert_eq!(problems(other, list(&[]), true), Vec::<String>::new());
    }
}
