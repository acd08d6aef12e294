//! `kubernetes_object`: one object in a cluster, by server-side apply.

mod attributes;
mod controller;
mod foresight;
mod id;
mod json;
mod listing;
mod manifest;
mod ownership;
mod person;
mod readiness;
mod recognize;
mod references;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE64;
use http::Method;
use serde_json::Value as Json;
use straddle_engine::address::RemoteId;
use straddle_engine::cluster::Standing;
use straddle_engine::depiction::{Arrow, Depiction, End, Relation, Theme};
use straddle_engine::document::Document;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Foreseen, Home, Intent, Observed, Problem, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::value::{Value, ValueMap};

pub(crate) use self::json::{from_json, to_json};
pub(crate) use self::manifest::is_namespaced;

use self::attributes::{ObjectInputs, ObjectOutputs};
use self::id::ObjectId;
use self::listing::Objects;
use self::ownership::{MANAGER, OPERATION_ANNOTATION, owned};
use self::person::is_by_hand;
use crate::cluster::{Call, Cluster, Refusal};

/// What the body of a server-side apply is: JSON is YAML as well.
const APPLY: &str = "application/apply-patch+yaml";

/// The kind. Its ids are the cluster's name, the group and version, the kind, the namespace if it is in
/// one, and the name: `main/apps/v1/Deployment/game/app`. Those of the state have the object's `uid` too.
pub(crate) struct Object;

/// A change of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ObjectStep {
    /// Sets the fields that are wanted, and takes away those that are ours and no longer are.
    Apply { body: Json, force: bool, wait: Option<bool> },
    /// Deletes it and, after it, what it owns.
    Delete { uid: String },
    /// Takes out what a controller will never take out that makes load balancers.
    LetGo { uid: String },
}

impl Step for ObjectStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Apply { .. } => "apply",
            Self::Delete { .. } => "delete",
            Self::LetGo { .. } => "let go",
        }
    }
}

impl Resource for Object {
    const KIND: &'static str = "kubernetes_object";
    const TRAITS: Traits = Traits {
        service: "kubernetes",
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(3),
    };
    const DEPICTION: Depiction = Depiction {
        title: "object",
        theme: Theme::Workload,
        within: &["cluster"],
        gist: Some("kind"),
        arrows: &[Arrow::new(Relation::Traffic, End::Named("manifest"), End::Itself).of(&["target_group"])],
        ..Depiction::THING
    };
    const THROUGH: Option<&'static str> = Some("cluster");
    const FORESEES: bool = true;
    const EXAMPLE: &'static str = include_str!("example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["name", "kind", "namespace", "api_version", "cluster"];
    const ID_FORM: &'static str = "*/*/*/*";

    type Inputs = ObjectInputs;
    type Outputs = ObjectOutputs;
    type Client = Cluster;
    type Listing = Objects;
    type Step = ObjectStep;

    fn canonical(home: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        manifest::canonical(home, inputs)
    }

    fn standing(inputs: &ValueMap) -> Standing {
        references::standing(inputs)
    }

    /// Only a Secret does. What is written as `secret_data` of anything else counts as well.
    fn keeps_secrets(inputs: &ValueMap) -> bool {
        let text = |name: &str| inputs.get(name).and_then(Value::as_str);
        let is_secret = text("kind").zip(text("api_version")).is_none_or(|found| found == ("Secret", "v1"));
        is_secret || inputs.contains_key("secret_data")
    }

    /// Another version of the same group is the same object, and so is what has another certificate.
    fn must_replace(attribute: &str, before: &Value, after: &Value) -> bool {
        match attribute {
            "api_version" => group(before) != group(after) || group(before).is_none(),
            "cluster" => {
                let told = |cluster: &Value| {
                    let cluster = cluster.as_map()?;
                    Some(["name", "endpoint", "kubeconfig", "context"].map(|key| cluster.get(key).cloned()))
                };
                told(before).is_none() || told(before) != told(after)
            }
            _ => true,
        }
    }

    async fn foresee(
        cluster: &Cluster,
        found: Option<&Observed<ObjectInputs, ObjectOutputs>>,
        wanted: &ObjectInputs,
    ) -> Result<Foreseen<ObjectInputs>, ProviderError> {
        foresight::foresee(cluster, found, wanted).await
    }

    fn observe(listing: &Objects, id: &RemoteId) -> Option<Observed<ObjectInputs, ObjectOutputs>> {
        let (object, readiness) = listing.get(id)?;
        let (manifest, secret_data) = split(owned(object));
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let inputs = ObjectInputs {
            cluster: listing.cluster.clone(),
            manifest: Document::from(from_json(&manifest)),
            secret_data,
            conflicts: None,
            wait: None,
            api_version: text(&object["apiVersion"]),
            kind: text(&object["kind"]),
            namespace: text(&object["metadata"]["namespace"]),
            name: text(&object["metadata"]["name"]),
        };
        let status = object.get("status").map(|status| Document::from(from_json(status)));
        let uid = text(&object["metadata"]["uid"]).unwrap_or_default();
        let finalizers = controller::finalizers(object).map(str::to_owned).collect();
        let outputs = ObjectOutputs { uid, finalizers, status };
        Some(Observed { inputs, outputs, readiness })
    }

    async fn create(
        cluster: &Cluster,
        intent: &Intent,
        inputs: &ObjectInputs,
    ) -> Result<RemoteId, ProviderError> {
        let target = Target::of(cluster, inputs).await?;
        match cluster.call(Call::get(format!("get {}", target.id.kind), &target.path)).await {
            Ok(object) if operation_of(&object) == Some(intent.operation_id.as_str()) => {
                return Ok(target.identified(&object));
            }
            Ok(object) if !inputs.is_forced() => return Err(target.exists(&object)),
            Ok(_) => {}
            Err(error) if error.class == ErrorClass::NotFound => {}
            Err(error) => return Err(error),
        }
        cluster.remember_wait(&target.id.to_string(), inputs.wait);
        let mut body = body(inputs);
        body["metadata"]["annotations"][OPERATION_ANNOTATION] = intent.operation_id.as_str().into();
        let object = target.apply(cluster, &body, inputs.is_forced(), false).await;
        object.map(|object| target.identified(&object)).map_err(|refusal| target.explained(refusal))
    }

    fn next_step(
        observed: &Observed<ObjectInputs, ObjectOutputs>,
        desired: Option<&ObjectInputs>,
    ) -> Option<ObjectStep> {
        let Some(desired) = desired else {
            return Some(ObjectStep::Delete { uid: observed.outputs.uid.clone() });
        };
        let found = &observed.inputs;
        let is_same = found.manifest == desired.manifest && found.secret_data == desired.secret_data;
        (!is_same).then(|| ObjectStep::Apply {
            body: body(desired),
            force: desired.is_forced(),
            wait: desired.wait,
        })
    }

    async fn perform(
        cluster: &Cluster,
        id: &RemoteId,
        step: &ObjectStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let object = ObjectId::read(id).ok_or_else(|| {
            ProviderError::new(
                ErrorClass::Rejected,
                step.operation(),
                format!("`{id}` is no id of an object"),
            )
        })?;
        match step {
            ObjectStep::Apply { body, force, wait } => {
                let api_version = body["apiVersion"].as_str().unwrap_or(&object.api_version).to_owned();
                let target = Target::at(cluster, ObjectId { api_version, uid: None, ..object }).await?;
                cluster.remember_wait(&target.id.to_string(), *wait);
                let object = target.put_back(cluster, body, *force, false).await;
                let object = object.map_err(|refusal| target.explained(refusal))?;
                Ok(Some(target.identified(&object)))
            }
            ObjectStep::Delete { uid } => {
                let target = Target::at(cluster, object).await?;
                let mut options = serde_json::json!({
                    "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
                });
                if !uid.is_empty() {
                    options["preconditions"] = serde_json::json!({ "uid": uid });
                }
                let operation = format!("delete {}", target.id.kind);
                let body = Some(("application/json", &options));
                cluster.call(Call { operation, method: Method::DELETE, path: target.path, body }).await?;
                Ok(None)
            }
            ObjectStep::LetGo { uid } => {
                let namespace = match object.kind.as_str() {
                    "Namespace" => Some(Some(object.name.as_str())),
                    "CustomResourceDefinition" => Some(None),
                    _ => None,
                };
                if let Some(namespace) = namespace {
                    controller::let_bindings_go(cluster, namespace).await?;
                } else {
                    let target = Target::at(cluster, object).await?;
                    controller::let_go(cluster, &target.path, uid).await?;
                }
                Ok(None)
            }
        }
    }

    /// Asks whether the controller is there that has a part in the end of what it made load balancers of.
    async fn may_delete(
        cluster: &Cluster,
        observed: &Observed<ObjectInputs, ObjectOutputs>,
    ) -> Result<(), ProviderError> {
        let Observed { inputs, outputs, .. } = observed;
        if !outputs.finalizers.iter().any(|finalizer| controller::takes_away(finalizer)) {
            return Ok(());
        }
        let Some(why) = controller::missing(cluster).await else { return Ok(()) };
        let kind = inputs.kind.as_deref().unwrap_or("object");
        let message = format!(
            "{why}, and nobody else takes the load balancer of this {kind} away; {}",
            controller::ADVICE
        );
        Err(ProviderError::new(ErrorClass::Rejected, format!("delete {kind}"), message))
    }

    async fn said(cluster: &Cluster, inputs: &ObjectInputs) -> Result<String, ProviderError> {
        let target = Target::of(cluster, inputs).await?;
        let object = cluster.call(Call::get(format!("get {}", target.id.kind), &target.path)).await?;
        Ok(words::of(cluster, &object).await)
    }

    /// What the controller has made is in its way as long as the controller's finalizers are: in a namespace and
    /// of a definition that go, these are those of its bindings.
    fn release(observed: &Observed<ObjectInputs, ObjectOutputs>) -> Option<ObjectStep> {
        let Observed { inputs, outputs, .. } = observed;
        let has_bindings = match inputs.kind.as_deref() {
            Some("Namespace") => true,
            Some("CustomResourceDefinition") => inputs.name.as_deref() == Some(controller::BINDINGS),
            _ => false,
        };
        let waits = outputs.finalizers.iter().any(|finalizer| controller::takes_away(finalizer));
        (has_bindings || waits).then(|| ObjectStep::LetGo { uid: outputs.uid.clone() })
    }

    async fn find(
        cluster: &Cluster,
        intent: &Intent,
        inputs: &ObjectInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let target = match Target::of(cluster, inputs).await {
            Ok(target) => target,
            Err(error) if error.class == ErrorClass::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        match cluster.call(Call::get(format!("get {}", target.id.kind), &target.path)).await {
            Ok(object) if operation_of(&object) == Some(intent.operation_id.as_str()) => {
                Ok(vec![target.identified(&object)])
            }
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.class == ErrorClass::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// An object, and where it is.
struct Target {
    id: ObjectId,
    path: String,
}

impl Target {
    /// Finds out where the object of these inputs is.
    async fn of(cluster: &Cluster, inputs: &ObjectInputs) -> Result<Self, ProviderError> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let id = ObjectId {
            cluster: cluster.name().to_owned(),
            api_version: text(&inputs.api_version),
            kind: text(&inputs.kind),
            namespace: inputs.namespace.clone(),
            name: text(&inputs.name),
            uid: None,
        };
        Self::at(cluster, id).await
    }

    async fn at(cluster: &Cluster, id: ObjectId) -> Result<Self, ProviderError> {
        let resource = cluster.resource(&id.api_version, &id.kind).await?;
        let path = resource.path(&id.api_version, id.namespace.as_deref(), &id.name);
        Ok(Self { id, path })
    }

    /// Applies a manifest, or asks what would come of it.
    async fn apply(
        &self,
        cluster: &Cluster,
        body: &Json,
        force: bool,
        is_dry: bool,
    ) -> Result<Json, Refusal> {
        let force = if force { "&force=true" } else { "" };
        let dry = if is_dry { "&dryRun=All" } else { "" };
        let path = format!("{}?fieldManager={MANAGER}{force}{dry}&fieldValidation=Strict", self.path);
        let operation = format!("apply {}", self.id.kind);
        cluster.ask(Call { operation, method: Method::PATCH, path, body: Some((APPLY, body)) }).await
    }

    /// Applies a manifest of an object that is ours, as [`Self::apply`] does. What somebody has changed by hand is
    /// put back; what another program has set is refused.
    async fn put_back(
        &self,
        cluster: &Cluster,
        body: &Json,
        force: bool,
        is_dry: bool,
    ) -> Result<Json, Refusal> {
        match self.apply(cluster, body, force, is_dry).await {
            Err(refusal) if is_by_hand(&refusal) => self.apply(cluster, body, true, is_dry).await,
            answer => answer,
        }
    }

    /// Returns the id of an object that was found here.
    fn identified(&self, object: &Json) -> RemoteId {
        let uid = object["metadata"]["uid"].as_str().map(str::to_owned);
        ObjectId { uid, ..self.id.clone() }.write()
    }

    /// Refuses to make what is there already.
    fn exists(&self, object: &Json) -> ProviderError {
        let managers = object["metadata"]["managedFields"].as_array().into_iter().flatten();
        let mut managers: Vec<_> = managers.filter_map(|entry| entry["manager"].as_str()).collect();
        managers.sort_unstable();
        managers.dedup();
        let by =
            if managers.is_empty() { String::new() } else { format!(", set by {}", managers.join(", ")) };
        let message = format!(
            "{} exists already{by}. Import it with the id `{}`, or take it over with `conflicts = \"force\"`",
            self.id,
            self.id.write()
        );
        ProviderError::new(ErrorClass::Rejected, format!("apply {}", self.id.kind), message)
    }

    /// Says what can be done about a refusal.
    fn explained(&self, refusal: Refusal) -> ProviderError {
        let mut error = refusal.error;
        if error.code == "Conflict" && error.class == ErrorClass::Rejected {
            error.message = format!(
                "{}: {}. Leave these fields to them, or take them over with `conflicts = \"force\"`",
                self.id, error.message
            );
        }
        error
    }
}

/// Returns the operation that has made an object, if its manifest was not applied again since.
fn operation_of(object: &Json) -> Option<&str> {
    object["metadata"]["annotations"][OPERATION_ANNOTATION].as_str()
}

/// Returns what is sent of inputs.
fn body(inputs: &ObjectInputs) -> Json {
    use straddle_engine::schema::AttributeValue;
    let mut body = to_json(&inputs.manifest.to_value());
    if let Some(data) = &inputs.secret_data {
        body["data"] = data.iter().map(|(key, value)| (key.clone(), Json::from(value.as_str()))).collect();
    }
    body
}

/// Takes the data of a Secret out of an object.
fn split(mut object: Json) -> (Json, Option<BTreeMap<String, String>>) {
    if object["apiVersion"] != "v1" || object["kind"] != "Secret" {
        return (object, None);
    }
    let data = object.as_object_mut().and_then(|object| object.shift_remove("data"));
    let data = data.as_ref().and_then(Json::as_object).map(|data| {
        let text = |value: &Json| value.as_str().map_or_else(|| BASE64.encode(b""), str::to_owned);
        data.iter().map(|(key, value)| (key.clone(), text(value))).collect()
    });
    (object, data)
}

fn group(api_version: &Value) -> Option<&str> {
    let api_version = api_version.as_str()?;
    Some(api_version.split_once('/').map_or("", |(group, _)| group))
}
