//! The stage: a network and a role in one account, a cluster's objects, and a controller between them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::api::Api;
use crate::call::{Call, Parameters};
use crate::controller::{ApiAnswer, ApiRequest, AwsError, Controller, Instance, Reach, Settings, Verb};
use crate::dispatch;
use crate::identity::Caller;
use crate::protocol::Service;
use crate::world::{AccountId, World, WorldSettings};

/// Who owns the network.
pub(super) const OWNER: &str = "111122223333";
const REGION: &str = "us-east-1";
const ISSUER: &str = "https://oidc.eks.us-east-1.amazonaws.com/id/ABCDEF";
const ROLE: &str = "AmazonEKSLoadBalancerControllerRole";
/// The subject of the controller's account.
pub(super) const SUBJECT: &str = "system:serviceaccount:kube-system:aws-load-balancer-controller";

/// What a controller did.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deed {
    Aws { operation: String, parameters: Value, status: u16 },
    Kubernetes { verb: Verb, path: String, body: Value, status: u16 },
}

/// The stage.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) api: Api,
    pub(super) deeds: Vec<Deed>,
    /// What is there under which name: `<vpc>`, `<subnet:public-a>`.
    pub(super) names: BTreeMap<String, String>,
}

impl Stage {
    /// Makes a stage with all that the recordings began with.
    pub(super) fn new() -> Self {
        let owner: AccountId = OWNER.parse().expect("it has twelve digits");
        let other = "444455556666".parse().expect("it has twelve digits");
        let settings = WorldSettings {
            accounts: BTreeMap::from([("apps".to_owned(), other)]),
            speed: 0.0,
            start: Timestamp::UNIX_EPOCH,
            ..WorldSettings::new(owner)
        };
        let mut stage = Self {
            world: World::new(settings),
            api: Api::default(),
            deeds: Vec::new(),
            names: BTreeMap::new(),
        };
        stage.make_network();
        stage.make_role();
        stage.make_objects();
        stage
    }

    fn make_network(&mut self) {
        let vpc = self.ok("ec2", "CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"].clone();
        self.name("<vpc>", &vpc);
        let gateway = self.ok("ec2", "CreateInternetGateway", json!({}));
        let gateway = gateway["internetGateway"]["internetGatewayId"].clone();
        self.ok("ec2", "AttachInternetGateway", json!({ "VpcId": vpc, "InternetGatewayId": gateway }));
        let subnets = [
            ("public-a", "10.0.0.0/20", "us-east-1a"),
            ("public-b", "10.0.16.0/20", "us-east-1b"),
            ("public-a2", "10.0.32.0/20", "us-east-1a"),
            ("private-a", "10.0.128.0/20", "us-east-1a"),
            ("private-b", "10.0.144.0/20", "us-east-1b"),
        ];
        for (name, range, zone) in subnets {
            let wanted = json!({ "VpcId": vpc, "CidrBlock": range, "AvailabilityZone": zone });
            let subnet = self.ok("ec2", "CreateSubnet", wanted)["subnet"].clone();
            self.name(&format!("<subnet:{name}>"), &subnet["subnetId"]);
            let recorded = if zone == "us-east-1a" { "use1-az6" } else { "use1-az1" };
            self.name(recorded, &subnet["availabilityZoneId"]);
        }
        for (name, group) in [("alb", "game-2048-alb"), ("alb2", "other-alb"), ("node", "eks-nodes")] {
            let wanted = json!({ "VpcId": vpc, "GroupName": group, "GroupDescription": group });
            let id = self.ok("ec2", "CreateSecurityGroup", wanted)["groupId"].clone();
            self.name(&format!("<sg:{name}>"), &id);
        }
    }

    fn make_role(&mut self) {
        let provider = json!({ "Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"] });
        self.ok("iam", "CreateOpenIDConnectProvider", provider);
        let role = json!({ "RoleName": ROLE, "AssumeRolePolicyDocument": trust(ISSUER, SUBJECT) });
        self.ok("iam", "CreateRole", role);
        self.allow_all_but("nothing:AtAll");
    }

    fn make_objects(&mut self) {
        let account = json!({ "metadata": {
            "namespace": "kube-system",
            "name": "aws-load-balancer-controller",
            "annotations": { "eks.amazonaws.com/role-arn": format!("arn:aws:iam::{OWNER}:role/{ROLE}") },
        } });
        self.api.put("/api/v1/namespaces/kube-system/serviceaccounts/aws-load-balancer-controller", account);
        let class = json!({ "metadata": { "name": "alb" }, "spec": { "controller": "ingress.k8s.aws/alb" } });
        self.api.put("/apis/networking.k8s.io/v1/ingressclasses/alb", class);
        let other =
            json!({ "metadata": { "name": "nginx" }, "spec": { "controller": "k8s.io/ingress-nginx" } });
        self.api.put("/apis/networking.k8s.io/v1/ingressclasses/nginx", other);
        for number in 1..=3 {
            let provider = format!("aws:///us-east-1a/i-0aaaaaaaaaaaaaaa{number}");
            let node = json!({ "metadata": { "name": format!("node-{number}") }, "spec": { "providerID": provider } });
            self.api.put(&format!("/api/v1/nodes/node-{number}"), node);
        }
    }

    /// Lets the role trust this subject.
    pub(super) fn trust(&mut self, subject: &str) {
        self.trust_issuer(ISSUER, subject);
    }

    /// Lets the role trust this subject of an issuer.
    pub(super) fn trust_issuer(&mut self, issuer: &str, subject: &str) {
        let parameters = json!({ "RoleName": ROLE, "PolicyDocument": trust(issuer, subject) });
        self.ok("iam", "UpdateAssumeRolePolicy", parameters);
    }

    /// Lets the role do everything but one action.
    pub(super) fn allow_all_but(&mut self, action: &str) {
        self.world.rules.enforce_iam = true;
        let statement = json!({ "Effect": "Allow", "NotAction": action, "Resource": "*" });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let parameters = json!({ "RoleName": ROLE, "PolicyName": "controller", "PolicyDocument": document });
        self.ok("iam", "PutRolePolicy", parameters);
    }

    /// Gives what is there a name.
    pub(super) fn name(&mut self, name: &str, id: &Value) {
        self.names.insert(name.to_owned(), id.as_str().expect("it is an id").to_owned());
    }

    /// Starts a controller of a version.
    pub(super) fn controller(&self, version: &str) -> Controller {
        let image = format!("public.ecr.aws/eks/aws-load-balancer-controller:{version}");
        let deployment = json!({
            "metadata": { "namespace": "kube-system", "name": "aws-load-balancer-controller" },
            "spec": { "template": { "spec": {
                "serviceAccountName": "aws-load-balancer-controller",
                "containers": [{ "image": image, "args": ["--cluster-name=EKSTestDrive"] }],
            } } },
        });
        let instance = Instance { region: REGION, vpc_id: &self.names["<vpc>"] };
        Controller::new(Settings::of_deployment(&deployment, instance).expect("it is one of a controller"))
    }

    /// Makes a call as the owner's administrator, which succeeds.
    #[track_caller]
    pub(super) fn ok(&mut self, service: &str, operation: &str, parameters: Value) -> Value {
        let caller = Caller::administrator(OWNER.parse().expect("it has twelve digits"));
        let service = Service::of_scope(service).expect("the sandbox has the service");
        let call = call(service, operation, parameters, caller);
        dispatch::run(&mut self.world, &call).unwrap_or_else(|refusal| panic!("{operation}: {refusal}"))
    }

    /// Launches two instances as nodes, which the owner sees; pods have their addresses.
    pub(super) fn launch_nodes(&mut self) {
        let requester = Caller::administrator(OWNER.parse().expect("it has twelve digits")).user_id;
        for (number, subnet) in [(1, "<subnet:private-a>"), (2, "<subnet:private-b>")] {
            let id = self.world.new_id("i");
            let new = crate::ec2::NewInstance {
                id: id.clone(),
                owner: OWNER.parse().expect("it has twelve digits"),
                subnet_id: self.names[subnet].clone(),
                groups: vec![self.names["<sg:node>"].clone()],
                instance_type: "t3.medium".to_owned(),
                requester: requester.clone(),
                profile_arn: String::new(),
                is_spot: false,
                tags: BTreeMap::new(),
            };
            self.world.network(REGION).launch_instance(new).expect("there is room");
            let node = json!({
                "metadata": { "name": format!("node-{number}") },
                "spec": { "providerID": format!("aws:///us-east-1a/{id}") },
            });
            self.api.put(&format!("/api/v1/nodes/node-{number}"), node);
            self.names.insert(format!("<instance:{number}>"), id);
        }
        self.set_pods(&["10.0.128.4", "10.0.144.4"]);
    }

    /// Lets these pods be ready, and no other ones.
    pub(super) fn set_pods(&mut self, addresses: &[&str]) {
        let endpoints = addresses.iter().zip(1..).map(|(address, number): (_, i32)| {
            // As in the recordings, where there are two nodes.
            let node = format!("node-{}", (number - 1) % 2 + 1);
            json!({ "addresses": [address], "conditions": { "ready": true }, "nodeName": node })
        });
        let slice = json!({
            "metadata": {
                "name": "service-2048-abcde",
                "namespace": "game-2048",
                "labels": { "kubernetes.io/service-name": "service-2048" },
            },
            "ports": [{ "port": 80, "protocol": "TCP" }],
            "endpoints": endpoints.collect::<Vec<_>>(),
        });
        self.api
            .put("/apis/discovery.k8s.io/v1/namespaces/game-2048/endpointslices/service-2048-abcde", slice);
    }

    /// Lets a controller do what it does until a moment, in seconds since the beginning.
    pub(super) fn play_until(&mut self, controller: Option<&mut Controller>, seconds: f64) {
        let end = SignedDuration::from_secs_f64(seconds);
        let end = Timestamp::UNIX_EPOCH.checked_add(end).expect("it is not far");
        if let Some(controller) = controller {
            controller.act(self);
            while let Some(next) = controller.next().filter(|next| *next <= end) {
                self.world.stand_at(next);
                controller.act(self);
            }
        }
        self.world.stand_at(end);
    }
}

fn trust(issuer: &str, subject: &str) -> String {
    let host = issuer.trim_start_matches("https://");
    let conditions = json!({ format!("{host}:sub"): subject, format!("{host}:aud"): "sts.amazonaws.com" });
    let statement = json!({
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": { "Federated": format!("arn:aws:iam::{OWNER}:oidc-provider/{host}") },
        "Condition": { "StringEquals": conditions },
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn call(service: Service, operation: &str, parameters: Value, caller: Caller) -> Call {
    let Value::Object(parameters) = parameters else { panic!("{parameters} is no table") };
    Call {
        service,
        operation: operation.to_owned(),
        region: REGION.to_owned(),
        caller,
        parameters: Parameters(parameters),
        hidden: BTreeSet::new(),
    }
}

impl Reach for Stage {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn version(&mut self) -> u64 {
        self.api.version
    }

    fn aws(
        &mut self,
        access_key: Option<&str>,
        service: Service,
        operation: &str,
        parameters: Value,
    ) -> Result<Value, AwsError> {
        let caller = match access_key {
            Some(key) => self.world.credentials[key].caller.clone(),
            None => Caller::nobody(OWNER.parse().expect("it has twelve digits")),
        };
        let call = call(service, operation, parameters.clone(), caller);
        let answer = dispatch::run(&mut self.world, &call).map_err(|refusal| AwsError {
            service,
            operation: operation.to_owned(),
            status: refusal.status,
            code: refusal.code,
            message: refusal.message,
            request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        });
        let status = answer.as_ref().map_or_else(|error| error.status, |_| 200);
        self.deeds.push(Deed::Aws { operation: operation.to_owned(), parameters, status });
        answer
    }

    fn kubernetes(&mut self, request: &ApiRequest) -> ApiAnswer {
        let answer = self.api.answer(request);
        if request.verb != Verb::Get {
            let (verb, path, status) = (request.verb, request.path.clone(), answer.status);
            let body = request.body.clone().unwrap_or_default();
            self.deeds.push(Deed::Kubernetes { verb, path, body, status });
        }
        answer
    }

    fn web_identity(&mut self) -> String {
        let now = self.world.now().as_second();
        let claims = json!({
            "iss": ISSUER, "sub": SUBJECT, "aud": ["sts.amazonaws.com"], "iat": now, "exp": now + 86400,
        });
        self.world.issuer(ISSUER).issue(&claims)
    }

    fn pod_credentials(&mut self) -> Result<Value, String> {
        unreachable!("the account has a role")
    }
}
