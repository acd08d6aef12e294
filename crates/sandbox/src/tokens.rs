//! Client tokens: the same token with the same parameters gets the same answer, for a day.
//!
//! The EC2 developer guide ("Ensuring idempotency in Amazon EC2 API requests"): a request that was
//! repeated with the same token and the same parameters succeeds without performing further actions;
//! with other parameters it gets `IdempotentParameterMismatch`. RAM says the same of `clientToken`.
//! A token outlives what was made with it.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{Call, Parameters, Refusal};
use crate::protocol::Service;

/// How long a token is remembered. The services promise no more than a day.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// The tokens that were used.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tokens {
    /// By who used them for what.
    used: BTreeMap<String, Used>,
    /// In the order in which they were used.
    order: VecDeque<(Timestamp, String)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Used {
    parameters: Parameters,
    answer: Value,
}

impl Tokens {
    /// Returns the answer that a call got before with its token; `None` if it is a new one.
    pub(crate) fn recall(
        &mut self,
        call: &Call,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Value>, Refusal> {
        self.forget(now);
        let Some(used) = self.used.get(&key(call, token)) else { return Ok(None) };
        if used.parameters == call.parameters {
            return Ok(Some(used.answer.clone()));
        }
        let message = "The client token was used before, with other parameters.";
        Err(match call.service {
            Service::Ec2 | Service::Elb | Service::Iam | Service::Sts => {
                Refusal::new("IdempotentParameterMismatch", message)
            }
            Service::Organizations | Service::Quotas | Service::Ram | Service::Tagging => {
                Refusal::new("IdempotentParameterMismatchException", message)
            }
            // EKS has no code of its own for it, and requests to clusters have no such tokens.
            Service::Eks | Service::EksAuth | Service::Kubernetes => {
                Refusal::new("InvalidParameterException", message)
            }
        })
    }

    /// Remembers what a call was answered.
    pub(crate) fn remember(&mut self, call: &Call, token: &str, answer: &Value, now: Timestamp) {
        let used = Used { parameters: call.parameters.clone(), answer: answer.clone() };
        let key = key(call, token);
        self.order.push_back((now, key.clone()));
        self.used.insert(key, used);
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.order.pop_front_if(|(used, _)| now.duration_since(*used) >= LIFETIME)
        {
            self.used.remove(&key);
        }
    }
}

/// Tokens are each account's own, and those of each operation.
fn key(call: &Call, token: &str) -> String {
    let Call { service, operation, region, caller, .. } = call;
    format!("{} {} {region} {operation} {token}", caller.account, service.scope())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Account, text};

    fn made(account: &mut Account, vpc: &str, token: &str) -> String {
        let wanted = json!({ "VpcId": vpc, "ClientToken": token });
        text(&account.ok("CreateRouteTable", wanted)["routeTable"]["routeTableId"])
    }

    /// As in "Ensuring idempotency in Amazon EC2 API requests", EC2 developer guide.
    #[test]
    fn the_same_token_makes_nothing_twice() {
        let mut account = Account::new();
        let vpc = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"]);
        let first = made(&mut account, &vpc, "a");
        assert_eq!(made(&mut account, &vpc, "a"), first);
        assert_ne!(made(&mut account, &vpc, "b"), first);
        let other = json!({ "VpcId": "vpc-1", "ClientToken": "a" });
        account.refused("CreateRouteTable", other, "IdempotentParameterMismatch");
        account.ok("DeleteRouteTable", json!({ "RouteTableId": first }));
        assert_eq!(made(&mut account, &vpc, "a"), first, "a token outlives what was made with it");
        account.wait(24 * 60 * 60);
        assert_ne!(made(&mut account, &vpc, "a"), first);
    }

    #[test]
    fn tokens_are_each_accounts_and_operations_own() {
        let mut account = Account::new();
        let share = |token: &str| json!({ "name": "s", "clientToken": token });
        let arn = |account: &mut Account| {
            text(&account.ok("ram:CreateResourceShare", share("a"))["resourceShare"]["resourceShareArn"])
        };
        let first = arn(&mut account);
        assert_eq!(arn(&mut account), first);
        account.other(|other| assert_ne!(arn(other), first));
        account.ok("ram:DeleteResourceShare", json!({ "resourceShareArn": first, "clientToken": "a" }));
        let other = json!({ "name": "t", "clientToken": "a" });
        account.refused("ram:CreateResourceShare", other, "IdempotentParameterMismatchException");
    }

    #[test]
    fn what_was_refused_may_be_tried_again_with_its_token() {
        let mut account = Account::new();
        let wrong = json!({ "VpcId": "vpc-1", "ClientToken": "a" });
        account.refused("CreateRouteTable", wrong, "InvalidVpcID.NotFound");
        let vpc = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"]);
        made(&mut account, &vpc, "a");
    }
}
