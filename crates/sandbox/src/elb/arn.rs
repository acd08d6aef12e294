//! The names of things: what kind they are of, and whose.

use std::collections::BTreeMap;

use crate::call::{Call, Refusal};

/// A kind of things that have ARNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Balancer,
    TargetGroup,
    Listener,
    Rule,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Balancer, Self::TargetGroup, Self::Listener, Self::Rule];

    /// Returns what ARNs call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Balancer => "loadbalancer",
            Self::TargetGroup => "targetgroup",
            Self::Listener => "listener",
            Self::Rule => "listener-rule",
        }
    }

    /// Returns what messages call it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Balancer => "load balancer",
            Self::TargetGroup => "target group",
            Self::Listener => "listener",
            Self::Rule => "rule",
        }
    }

    /// Refuses the ARN of a thing that is not there, or not the caller's.
    pub(super) fn not_found(self, arn: &str) -> Refusal {
        match self {
            Self::Balancer => {
                Refusal::new("LoadBalancerNotFound", format!("Load balancer '{arn}' not found"))
            }
            Self::TargetGroup => {
                Refusal::new("TargetGroupNotFound", format!("Target group '{arn}' not found"))
            }
            Self::Listener => Refusal::new("ListenerNotFound", format!("Listener '{arn}' not found")),
            Self::Rule => Refusal::new("RuleNotFound", format!("Rule '{arn}' not found")),
        }
    }
}

/// Returns what the ARNs of an account's things of a kind begin with.
pub(super) fn of_account(call: &Call, kind: Kind) -> String {
    let account = &call.caller.account;
    format!("arn:aws:elasticloadbalancing:{}:{account}:{}/", call.region, kind.name())
}

/// Returns the kind of what an ARN names.
pub(super) fn kind(arn: &str) -> Option<Kind> {
    let resource = arn.strip_prefix("arn:")?.splitn(5, ':').last()?;
    let name = resource.split('/').next()?;
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}

/// Returns what the ARNs of a load balancer's listeners begin with.
pub(super) fn listeners_of(balancer: &str) -> String {
    format!("{}/", balancer.replacen(":loadbalancer/", ":listener/", 1))
}

/// Returns what the ARNs of a listener's rules begin with.
pub(super) fn rules_of(listener: &str) -> String {
    format!("{}/", listener.replacen(":listener/", ":listener-rule/", 1))
}

/// Returns the things whose ARNs begin so.
pub(super) fn with_prefix<T>(things: &BTreeMap<String, T>, prefix: String) -> impl Iterator<Item = &T> {
    let from = things.range(prefix.clone()..);
    from.take_while(move |(arn, _)| arn.starts_with(&prefix)).map(|(_, thing)| thing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_tell_their_kind() {
        let arn = |resource: &str| format!("arn:aws:elasticloadbalancing:us-east-1:111111111111:{resource}");
        assert_eq!(kind(&arn("loadbalancer/app/a/1")), Some(Kind::Balancer));
        assert_eq!(kind(&arn("listener-rule/app/a/1/2/3")), Some(Kind::Rule));
        assert_eq!(kind(&arn("truststore/a/1")), None);
        assert_eq!(kind("loadbalancer/app/a/1"), None);
        assert_eq!(rules_of(&arn("listener/app/a/1/2")), arn("listener-rule/app/a/1/2/"));
    }
}
