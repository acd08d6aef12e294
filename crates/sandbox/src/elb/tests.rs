//! What the tests of load balancing share.

mod access;
mod balancers;
mod listeners;
mod placement;
mod rules;
mod settings;
mod targets;
mod visits;

use serde_json::{Value, json};

use crate::ec2::testing::{attached_gateway, group};
use crate::testing::{Account, text};

/// An account with a VPC, two subnets in two zones, a way to the internet and a group.
struct Stage {
    account: Account,
    vpc: String,
    subnets: [String; 2],
    group: String,
}

impl Stage {
    fn new() -> Self {
        Self::of(Account::new())
    }

    fn of(mut account: Account) -> Self {
        let vpc = vpc(&mut account);
        let subnets = [("10.0.1.0/24", "use1-az1"), ("10.0.2.0/24", "use1-az2")];
        let subnets = subnets.map(|(range, zone)| subnet(&mut account, &vpc, range, zone));
        attached_gateway(&mut account, &vpc);
        let group = group(&mut account, &vpc, "alb");
        Self { account, vpc, subnets, group }
    }

    /// Returns what makes a load balancer of a name.
    fn wanted(&self, name: &str) -> Value {
        json!({ "Name": name, "Subnets": self.subnets, "SecurityGroups": [self.group] })
    }

    /// Makes a load balancer, and waits until it is ready.
    fn balancer(&mut self, name: &str) -> String {
        let wanted = self.wanted(name);
        let made = self.ok("CreateLoadBalancer", wanted);
        self.account.wait(150);
        text(&made["LoadBalancers"][0]["LoadBalancerArn"])
    }

    /// Makes a network load balancer, and waits until it is ready.
    fn network_balancer(&mut self, name: &str) -> String {
        let made = self
            .ok("CreateLoadBalancer", json!({ "Name": name, "Type": "network", "Subnets": self.subnets }));
        self.account.wait(150);
        text(&made["LoadBalancers"][0]["LoadBalancerArn"])
    }

    /// Makes a target group of addresses.
    fn target_group(&mut self, name: &str, protocol: &str) -> String {
        let wanted = json!({
            "Name": name, "Protocol": protocol, "Port": "80", "VpcId": self.vpc, "TargetType": "ip",
        });
        text(&self.ok("CreateTargetGroup", wanted)["TargetGroups"][0]["TargetGroupArn"])
    }

    /// Makes a listener that forwards.
    fn listener(&mut self, balancer: &str, target_group: &str) -> String {
        let protocol = if balancer.contains("/net/") { "TCP" } else { "HTTP" };
        let wanted = json!({
            "LoadBalancerArn": balancer, "Protocol": protocol, "Port": "80",
            "DefaultActions": [{ "Type": "forward", "TargetGroupArn": target_group }],
        });
        text(&self.ok("CreateListener", wanted)["Listeners"][0]["ListenerArn"])
    }

    #[track_caller]
    fn ok(&mut self, operation: &str, parameters: Value) -> Value {
        self.account.ok(&format!("elasticloadbalancing:{operation}"), parameters)
    }

    #[track_caller]
    fn refused(&mut self, operation: &str, parameters: Value, code: &str) {
        self.account.refused(&format!("elasticloadbalancing:{operation}"), parameters, code);
    }

    #[track_caller]
    fn message(&mut self, operation: &str, parameters: Value, code: &str) -> String {
        self.account.message(&format!("elasticloadbalancing:{operation}"), parameters, code)
    }
}

fn vpc(account: &mut Account) -> String {
    text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"])
}

fn subnet(account: &mut Account, vpc: &str, range: &str, zone: &str) -> String {
    let wanted = json!({ "VpcId": vpc, "CidrBlock": range, "AvailabilityZoneId": zone });
    text(&account.ok("CreateSubnet", wanted)["subnet"]["subnetId"])
}

/// Lets groups take TCP at port 80 from a peer.
fn allow(account: &mut Account, group: &str, peer: &Value) {
    let mut permission = json!({ "IpProtocol": "tcp", "FromPort": "80", "ToPort": "80" });
    permission.as_object_mut().expect("it is a table").extend(peer.as_object().cloned().expect("a table"));
    account.ok("AuthorizeSecurityGroupIngress", json!({ "GroupId": group, "IpPermissions": [permission] }));
}

/// Returns the interfaces with a description.
fn interfaces(account: &mut Account, description: &str) -> Vec<Value> {
    let filter = json!([{ "Name": "description", "Value": [description] }]);
    let found = account.ok("DescribeNetworkInterfaces", json!({ "Filter": filter }));
    found["networkInterfaceSet"].as_array().cloned().expect("it is a list")
}
