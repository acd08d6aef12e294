//! What the tests of EKS share.

use serde_json::{Value, json};

use crate::testing::{Account, text};

/// The number of the account that acts in these tests.
const ACCOUNT: &str = "111111111111";

/// A network for clusters, with roles for them and their nodes.
pub(super) struct Ground {
    pub(super) account: Account,
    pub(super) vpc: String,
    /// In `use1-az1` and `use1-az2`.
    pub(super) subnets: Vec<String>,
}

impl Ground {
    /// Makes one in the account that acts.
    pub(super) fn new() -> Self {
        let mut account = Account::new();
        add_roles(&mut account);
        let (vpc, subnets) = network(&mut account);
        Self { account, vpc, subnets }
    }

    /// Makes one whose network is another account's, which shares its subnets.
    pub(super) fn shared() -> Self {
        let mut account = Account::new();
        add_roles(&mut account);
        let mut made = None;
        account.other(|owner| {
            let (vpc, subnets) = network(owner);
            for subnet in &subnets {
                owner.share_with_other(subnet);
            }
            made = Some((vpc, subnets));
        });
        let (vpc, subnets) = made.expect("it was made");
        Self { account, vpc, subnets }
    }

    /// Returns what the cluster `main` is made from, and more.
    pub(super) fn wanted(&self, more: Value) -> Value {
        let wanted = json!({
            "name": "main",
            "roleArn": role("cluster"),
            "resourcesVpcConfig": { "subnetIds": self.subnets },
            "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" },
        });
        with(wanted, more)
    }

    /// Makes the cluster `main` and waits until it is ready.
    pub(super) fn cluster(&mut self, more: Value) -> Value {
        let wanted = self.wanted(more);
        self.account.ok("eks:CreateCluster", wanted);
        self.account.wait(9 * 60);
        self.seen()
    }

    /// Returns the cluster `main`.
    pub(super) fn seen(&mut self) -> Value {
        self.account.ok("eks:DescribeCluster", json!({ "name": "main" }))["cluster"].clone()
    }

    /// Returns what the node group `workers` is made from, and more.
    pub(super) fn wanted_group(&self, more: Value) -> Value {
        let wanted = json!({
            "clusterName": "main",
            "nodegroupName": "workers",
            "nodeRole": role("nodes"),
            "subnets": self.subnets,
        });
        with(wanted, more)
    }

    /// Makes the node group `workers` and waits until it is ready.
    pub(super) fn node_group(&mut self, more: Value) -> Value {
        let wanted = self.wanted_group(more);
        self.account.ok("eks:CreateNodegroup", wanted);
        self.account.wait(3 * 60);
        self.seen_group()
    }

    /// Returns the node group `workers`.
    pub(super) fn seen_group(&mut self) -> Value {
        let named = json!({ "clusterName": "main", "nodegroupName": "workers" });
        self.account.ok("eks:DescribeNodegroup", named)["nodegroup"].clone()
    }

    /// Returns the interfaces in the VPC.
    pub(super) fn interfaces(&mut self) -> Vec<Value> {
        let filter = json!([{ "Name": "vpc-id", "Value": [self.vpc] }]);
        let found = self.account.ok("DescribeNetworkInterfaces", json!({ "Filter": filter }));
        found["networkInterfaceSet"].as_array().cloned().unwrap_or_default()
    }

    /// Returns the instances that run.
    pub(super) fn instances(&mut self) -> Vec<String> {
        let filter = json!([{ "Name": "instance-state-name", "Value": ["running"] }]);
        let found = self.account.ok("DescribeInstances", json!({ "Filter": filter }));
        let ids = found["reservationSet"].as_array().into_iter().flatten();
        ids.map(|reservation| text(&reservation["instancesSet"][0]["instanceId"])).collect()
    }

    /// Returns an update of the cluster or, with `of`, of a part of it.
    pub(super) fn update(&mut self, answer: &Value, of: Value) -> Value {
        let named = with(json!({ "name": "main", "updateId": answer["update"]["id"] }), of);
        self.account.ok("eks:DescribeUpdate", named)["update"].clone()
    }
}

/// Returns the ARN of a role of the account that acts.
pub(super) fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// Adds entries to a table.
pub(super) fn with(mut table: Value, more: Value) -> Value {
    if let (Some(table), Value::Object(more)) = (table.as_object_mut(), more) {
        table.extend(more);
    }
    table
}

/// Makes a role that a service assumes and that has policies of AWS.
pub(super) fn add_role(account: &mut Account, name: &str, service: &str, policies: &[&str]) {
    let trust = json!({ "Statement": [{
        "Effect": "Allow", "Principal": { "Service": service }, "Action": ["sts:AssumeRole", "sts:TagSession"],
    }] });
    let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust.to_string() });
    account.ok("iam:CreateRole", role);
    for policy in policies {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        account.ok("iam:AttachRolePolicy", json!({ "RoleName": name, "PolicyArn": arn }));
    }
}

fn add_roles(account: &mut Account) {
    add_role(account, "cluster", "eks.amazonaws.com", &["AmazonEKSClusterPolicy"]);
    let policies =
        ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"];
    add_role(account, "nodes", "ec2.amazonaws.com", &policies);
}

fn network(account: &mut Account) -> (String, Vec<String>) {
    let vpc = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"]);
    let subnets = [1, 2].map(|number| {
        let wanted = json!({
            "VpcId": vpc,
            "CidrBlock": format!("10.0.{number}.0/24"),
            "AvailabilityZoneId": format!("use1-az{number}"),
        });
        text(&account.ok("CreateSubnet", wanted)["subnet"]["subnetId"])
    });
    (vpc, subnets.into())
}
