//! What policies that somebody wrote lack for a version of the controller.

use straddle_engine::policy::pattern::matches_any_case;
use straddle_engine::value::Value;

use super::document::needed;
use super::version::Version;

/// Returns the actions that this version needs at every turn and that no statement of the policies
/// allows with anything. What is not known yet may allow everything.
pub(crate) fn missing(policies: &[&Value], version: Version) -> Vec<&'static str> {
    lacking(policies, needed(version))
}

/// Returns which of these actions no statement of the policies allows with anything. What is not known yet may allow
/// everything.
pub(crate) fn lacking(policies: &[&Value], wanted: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let patterns: Option<Vec<_>> = policies.iter().map(|policy| allowed(policy)).collect();
    let Some(patterns) = patterns else { return Vec::new() };
    let patterns = patterns.concat();
    wanted.filter(|action| !patterns.iter().any(|pattern| matches_any_case(pattern, action))).collect()
}

/// Returns the patterns of everything that the policy allows; `None` if a part of that is not known.
fn allowed(policy: &Value) -> Option<Vec<&str>> {
    let mut patterns = Vec::new();
    for statement in element(policy, "Statement")?.items() {
        if element(statement, "Effect")?.as_str()? != "Allow" {
            continue;
        }
        // What is allowed by exception may be everything.
        let actions = element(statement, "Action")?.items().iter().map(Value::as_str);
        patterns.extend(actions.collect::<Option<Vec<_>>>()?);
    }
    Some(patterns)
}

fn element<'a>(table: &'a Value, name: &str) -> Option<&'a Value> {
    table.as_map()?.get(name)
}

#[cfg(test)]
mod tests {
    use straddle_engine::address::Address;
    use straddle_engine::policy::Policy;

    use super::super::document::{Scope, document};
    use super::*;

    const OLD: Version = Version::new(2, 5);
    const NEW: Version = Version::new(2, 13);

    fn scope(version: Version) -> Scope {
        Scope {
            version,
            partition: "aws".to_owned(),
            vpc_id: None,
            cluster: None,
            manages_security_groups: true,
        }
    }

    fn written(action: &str) -> Value {
        let text = format!(r#"{{"Statement": {{"Effect": "Allow", "Action": {action}, "Resource": "*"}}}}"#);
        Policy::from_text(&text).into()
    }

    #[test]
    fn the_policy_of_a_version_is_enough_for_it_and_names_what_a_newer_one_lacks() {
        assert_eq!(missing(&[&document(&scope(NEW))], NEW), Vec::<&str>::new());
        let lacking = missing(&[&document(&scope(OLD))], NEW);
        assert!(lacking.contains(&"elasticloadbalancing:DescribeListenerAttributes"), "{lacking:?}");
        assert!(lacking.contains(&"ec2:GetSecurityGroupsForVpc"), "{lacking:?}");
        assert!(!lacking.contains(&"ec2:DescribeSubnets"), "{lacking:?}");
        let without_groups = Scope { manages_security_groups: false, ..scope(NEW) };
        assert_eq!(missing(&[&document(&without_groups)], NEW), Vec::<&str>::new());
    }

    #[test]
    fn patterns_count_and_policies_add_up() {
        assert_eq!(missing(&[&written(r#""*""#)], NEW), Vec::<&str>::new());
        let network = written(r#"["EC2:describe*", "ec2:Get?ecurityGroupsForVpc", "ec2:GetCoip*Usage"]"#);
        let lacking = missing(&[&network], NEW);
        assert!(lacking.iter().all(|action| action.starts_with("elasticloadbalancing:")), "{lacking:?}");
        assert!(!lacking.is_empty());
        let balancers = written(r#""elasticloadbalancing:*""#);
        assert_eq!(missing(&[&network, &balancers], NEW), Vec::<&str>::new());
    }

    #[test]
    fn what_is_denied_is_not_allowed_and_what_is_unknown_may_be() {
        let text = r#"{"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}"#;
        assert_eq!(missing(&[&Policy::from_text(text).into()], NEW).len(), needed(NEW).count());
        let text = r#"{"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}"#;
        assert_eq!(missing(&[&Policy::from_text(text).into()], NEW), Vec::<&str>::new());
        let unknown = Value::unknown(Address::new("vpc", "main"), "id");
        assert_eq!(missing(&[&unknown], NEW), Vec::<&str>::new());
    }
}
