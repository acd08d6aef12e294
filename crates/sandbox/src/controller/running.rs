//! Which controllers run: those whose Deployments are available, in the clusters of all accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ApiAnswer, ApiRequest, AwsError, Controller, Instance, Reach, Settings, Verb};
use crate::call::{Call, Parameters, Refusal};
use crate::cluster::{self, ClusterName, Reply, Request, User};
use crate::eks;
use crate::identity::Caller;
use crate::playground::Playground;
use crate::protocol::Service;
use crate::store::Event;
use crate::world::World;

/// The controllers that run, by cluster.
#[derive(Debug, Default)]
pub(crate) struct Controllers {
    running: BTreeMap<ClusterName, Controller>,
    /// The versions of the objects of clusters at which it was looked what runs there.
    seen: BTreeMap<ClusterName, u64>,
}

/// How long a token holds ("Service account token volume projection", EKS pod identity webhook): a day.
const TOKEN_HOLDS: i64 = 86_400;

impl Controllers {
    /// Lets controllers start and end, and do what is to be done by now.
    pub(crate) fn act(playground: &mut Playground) {
        let clusters = eks::working(&playground.world);
        // While they act, nobody lets them act.
        let mut controllers = std::mem::take(&mut playground.controllers);
        controllers.running.retain(|name, _| clusters.iter().any(|(other, _)| other == name));
        controllers.seen.retain(|name, _| clusters.iter().any(|(other, _)| other == name));
        for (name, vpc_id) in clusters {
            let version = version(&mut playground.world, &name);
            let has_changed = controllers.seen.get(&name) != Some(&version);
            if has_changed {
                controllers.start_or_stop(&mut playground.world, &name, &vpc_id);
            }
            let now = playground.world.now();
            let is_due =
                |running: &&mut Controller| has_changed || running.next().is_some_and(|due| due <= now);
            let mut seen = version;
            if let Some(controller) = controllers.running.get_mut(&name).filter(is_due) {
                let account = controller.settings().account.clone();
                let user = User::service_account(&account.0, &account.1);
                controller.act(&mut Ground { playground, cluster: &name, user, account });
                seen = self::version(&mut playground.world, &name);
            }
            controllers.seen.insert(name, seen);
        }
        playground.controllers = controllers;
    }

    /// Starts the controller of a cluster whose Deployment has become available, and ends one whose has not. With
    /// other arguments it is started anew.
    fn start_or_stop(&mut self, world: &mut World, name: &ClusterName, vpc_id: &str) {
        let instance = Instance { region: &name.region, vpc_id };
        let settings = eks::with_plane(world, name, |plane, _| {
            let deployments = plane.store.list("deployments.apps", "");
            let mut available =
                deployments.filter(|one| one["status"]["availableReplicas"].as_u64() > Some(0));
            available.find_map(|deployment| Settings::of_deployment(deployment, instance))
        });
        match settings.flatten() {
            None => drop(self.running.remove(name)),
            Some(settings) => {
                let is_new = self.running.get(name).is_none_or(|running| *running.settings() != settings);
                if is_new {
                    self.running.insert(name.clone(), Controller::new(settings));
                }
            }
        }
    }
}

fn version(world: &mut World, name: &ClusterName) -> u64 {
    eks::with_plane(world, name, |plane, _| plane.store.version()).unwrap_or_default()
}

/// What a controller stands on.
struct Ground<'a> {
    playground: &'a mut Playground,
    cluster: &'a ClusterName,
    user: User,
    /// The namespace and name of its account.
    account: (String, String),
}

impl Ground<'_> {
    /// Makes a call through the front door: faults meet it, the journal keeps it and the log shows it.
    fn call(&mut self, call: Call, request_id: &str) -> Result<Value, Refusal> {
        let (handled, entry) = self.playground.meet(call, request_id);
        self.playground.note_handled(entry, &handled, Duration::ZERO);
        if handled.is_lost {
            let message = "send request failed: the answer is lost";
            return Err(Refusal { status: 500, ..Refusal::new("RequestError", message) });
        }
        handled.answer
    }

    /// Signs the claims of a token as the cluster does.
    fn signed(&mut self, claims: &Value) -> String {
        let issuer = claims["iss"].as_str().unwrap_or_default().to_owned();
        if !self.playground.world.issuers.contains_key(&issuer) {
            drop(self.playground.happen(Event::Issuer(issuer.clone())));
        }
        self.playground.world.issuer(&issuer).issue(claims)
    }

    /// Returns the pod that it runs in: of several the first one, which leads.
    fn pod(&mut self) -> Option<Value> {
        let (namespace, account) = self.account.clone();
        let found = eks::with_plane(&mut self.playground.world, self.cluster, |plane, _| {
            let mut pods = plane.store.list("pods", &namespace);
            let is_it = |pod: &&std::sync::Arc<Value>| {
                pod["spec"]["serviceAccountName"] == account && pod["status"]["phase"] == "Running"
            };
            pods.find(is_it).map(|pod| Value::clone(pod))
        });
        found.flatten()
    }

    fn caller(&self, access_key: Option<&str>) -> Option<Caller> {
        let world = &self.playground.world;
        match access_key {
            None => Some(Caller::nobody(world.organization.management.clone())),
            Some(key) => world.credentials.get(key).map(|credentials| credentials.caller.clone()),
        }
    }
}

impl Reach for Ground<'_> {
    fn now(&self) -> Timestamp {
        self.playground.world.now()
    }

    fn version(&mut self) -> u64 {
        version(&mut self.playground.world, self.cluster)
    }

    fn aws(
        &mut self,
        access_key: Option<&str>,
        service: Service,
        operation: &str,
        parameters: Value,
    ) -> Result<Value, AwsError> {
        let request_id = request_id(operation, &parameters);
        let refused = |refusal: Refusal| AwsError {
            service,
            operation: operation.to_owned(),
            status: refusal.status,
            code: refusal.code,
            message: refusal.message,
            request_id: request_id.clone(),
        };
        let Some(caller) = self.caller(access_key) else {
            let message = "The security token included in the request is invalid";
            return Err(refused(Refusal::forbidden("InvalidClientTokenId", message)));
        };
        let parameters = Parameters(parameters.as_object().cloned().unwrap_or_default());
        let (operation, region) = (operation.to_owned(), self.cluster.region.clone());
        let call = Call { service, operation, region, caller, parameters, hidden: BTreeSet::new() };
        self.call(call, &request_id).map_err(refused)
    }

    fn kubernetes(&mut self, request: &ApiRequest) -> ApiAnswer {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let (method, content_type) = match request.verb {
            Verb::Get => ("GET", ""),
            Verb::Create => ("POST", "application/json"),
            Verb::Merge => ("PATCH", "application/merge-patch+json"),
            Verb::StrategicMerge => ("PATCH", "application/strategic-merge-patch+json"),
            Verb::Delete => ("DELETE", "application/json"),
        };
        let asked = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            accept: "application/json".to_owned(),
            content_type: content_type.to_owned(),
            agent: "controller".to_owned(),
            body: request.body.as_ref().map(ToString::to_string).unwrap_or_default(),
        };
        // What it watches it has at hand: that is no request each time.
        let reply = if request.verb == Verb::Get {
            cluster::perform(&mut self.playground.world, self.cluster, &self.user, &asked)
        } else {
            let call = cluster::call(self.cluster, &self.user, &asked);
            let answer = self.call(call, &request_id(method, &json!(request.path)));
            answer.map(|reply| serde_json::from_value::<Reply>(reply).expect("it was made of one"))
        };
        match reply {
            Ok(reply) => ApiAnswer { status: reply.status, body: reply.body },
            Err(refusal) => ApiAnswer { status: refusal.status, body: json!({ "message": refusal.message }) },
        }
    }

    fn web_identity(&mut self) -> String {
        let issuer = eks::issuer_of(&self.playground.world, self.cluster).unwrap_or_default();
        let (namespace, account) = &self.account;
        let now = self.playground.world.now().as_second();
        let claims = json!({
            "iss": issuer,
            "sub": format!("system:serviceaccount:{namespace}:{account}"),
            "aud": ["sts.amazonaws.com"],
            "iat": now,
            "exp": now + TOKEN_HOLDS,
        });
        self.signed(&claims)
    }

    fn pod_credentials(&mut self) -> Result<Value, String> {
        let Some(pod) = self.pod() else { return Err(NO_ROLE.to_owned()) };
        let asking = eks::pod_caller(&self.playground.world, self.cluster, &pod);
        let (caller, mut claims) = asking.map_err(|lacking| match lacking {
            eks::Lacking::Address => NO_ROLE.to_owned(),
            eks::Lacking::Agent => NO_AGENT.to_owned(),
        })?;
        let now = self.playground.world.now().as_second();
        (claims["iat"], claims["exp"]) = (json!(now), json!(now + TOKEN_HOLDS));
        let token = self.signed(&claims);
        let asked = json!({ "clusterName": self.cluster.name, "token": token });
        let (operation, region) = ("AssumeRoleForPodIdentity".to_owned(), self.cluster.region.clone());
        // A token is another one each time.
        let request_id = request_id(&operation, &pod["metadata"]["uid"]);
        let parameters = Parameters(asked.as_object().cloned().unwrap_or_default());
        let service = Service::EksAuth;
        let call = Call { service, operation, region, caller, parameters, hidden: BTreeSet::new() };
        let answer = self.call(call, &request_id).map_err(|Refusal { code, message, .. }| {
            format!("failed to load credentials, [{request_id}]: ({code}): {message}, fault: client")
        })?;
        let expires = answer["credentials"]["expiration"].as_i64().unwrap_or_default();
        let expires = Timestamp::from_second(expires).unwrap_or_default().to_string();
        let key = &answer["credentials"]["accessKeyId"];
        Ok(json!({ "Credentials": { "AccessKeyId": key, "Expiration": expires } }))
    }
}

/// What an SDK says in a pod that was told of no role: it asks the node, which does not answer pods ("the default is
/// set to 1", EKS user guide on the hop limit of managed node groups).
const NO_ROLE: &str =
    "no EC2 IMDS role found, operation error ec2imds: GetMetadata, canceled, context deadline exceeded";
/// What an SDK says in a pod that has a role, on a node without an agent.
const NO_AGENT: &str = "failed to load credentials, exceeded maximum number of attempts, 3, request send failed, \
                        Get \"http://169.254.170.23/v1/credentials\": dial tcp 169.254.170.23:80: connect: \
                        connection refused";

/// Returns an id for a request. The same request has the same one each time, so that an event which tells of its
/// refusal is told again, and not another one.
fn request_id(operation: &str, parameters: &Value) -> String {
    let digits = HEXLOWER.encode(&Sha256::digest(format!("{operation} {parameters}")));
    format!(
        "{}-{}-4{}-8{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..15],
        &digits[15..18],
        &digits[18..30]
    )
}
