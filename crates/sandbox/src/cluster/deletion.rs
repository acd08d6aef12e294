//! Deletions: some objects go at once, others wait for whoever holds them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::kind::Kind;
use super::preparation::{has_generation, is_released};
use super::request::Request;
use super::status::{Cause, Failure};
use super::store::Key;
use super::{ControlPlane, body, custom, life, time};

/// How something is to be deleted.
#[derive(Debug, Clone, Default)]
pub(super) struct Deletion {
    pub(super) uid: Option<String>,
    pub(super) version: Option<String>,
    /// `Foreground`, `Background` or `Orphan`.
    pub(super) policy: Option<String>,
    pub(super) grace: Option<i64>,
}

impl Deletion {
    pub(super) fn read(request: &Request) -> Result<Self, Failure> {
        let body = if request.body.trim().is_empty() { json!({}) } else { body::yaml(&request.body)? };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let in_query = Some(request.one("propagationPolicy")).filter(|policy| !policy.is_empty());
        let policy = text(&body["propagationPolicy"]).or(in_query);
        if let Some(wrong) = policy
            .as_ref()
            .filter(|policy| !["Foreground", "Background", "Orphan"].contains(&policy.as_str()))
        {
            let supported = ["Foreground", "Background", "Orphan", "nil"];
            let cause = Cause::unsupported("propagationPolicy", &json!(wrong), &supported);
            return Err(Failure::invalid("meta.k8s.io", "DeleteOptions", "", &[cause]));
        }
        let grace =
            body["gracePeriodSeconds"].as_i64().or_else(|| request.one("gracePeriodSeconds").parse().ok());
        let preconditions = &body["preconditions"];
        let (uid, version) = (text(&preconditions["uid"]), text(&preconditions["resourceVersion"]));
        Ok(Self { uid, version, policy, grace })
    }

    pub(super) fn check(&self, kind: &Kind, name: &str, object: &Value) -> Result<(), Failure> {
        let conflict = |why: String| Failure::unfulfilled(&kind.group, &kind.kind, name, &why);
        let record = |field: &str| body::text(&object["metadata"][field]).to_owned();
        if let Some(uid) = self.uid.as_ref().filter(|uid| **uid != record("uid")) {
            let other = record("uid");
            return Err(conflict(format!(
                "the UID in the precondition ({uid}) does not match the UID in record ({other}). The object might \
                 have been deleted and then recreated"
            )));
        }
        if let Some(version) = self.version.as_ref().filter(|version| **version != record("resourceVersion"))
        {
            let other = record("resourceVersion");
            return Err(conflict(format!(
                "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record \
                 ({other}). The object might have been modified"
            )));
        }
        Ok(())
    }
}

impl ControlPlane {
    /// Deletes an object. Returns it as it is from now on, if something still holds it.
    pub(super) fn delete(
        &mut self,
        kind: &Kind,
        at: &Key,
        how: &Deletion,
        now: Timestamp,
        is_dry: bool,
    ) -> Option<Arc<Value>> {
        let old = self.store.get(at).cloned()?;
        if !old["metadata"]["deletionTimestamp"].is_null() && how.grace != Some(0) {
            return Some(old);
        }
        let mut new = Value::clone(&old);
        let grace = Self::grace(kind, &old, how.grace);
        let metadata = body::metadata(&mut new);
        let mut finalizers: Vec<Value> =
            metadata.get("finalizers").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(policy) = &how.policy {
            finalizers.retain(|finalizer| finalizer != "orphan" && finalizer != "foregroundDeletion");
            match policy.as_str() {
                "Foreground" => finalizers.push(json!("foregroundDeletion")),
                "Orphan" => finalizers.push(json!("orphan")),
                _ => {}
            }
        }
        let is_definition = kind.stored_as() == "customresourcedefinitions.apiextensions.k8s.io";
        if is_definition && !finalizers.iter().any(|finalizer| finalizer == custom::CLEANUP) {
            finalizers.push(json!(custom::CLEANUP));
        }
        if !finalizers.is_empty() {
            metadata.insert("finalizers".to_owned(), json!(finalizers));
        }
        let until = now.checked_add(jiff::SignedDuration::from_secs(grace)).unwrap_or(now);
        metadata.insert("deletionTimestamp".to_owned(), json!(time(until)));
        let is_namespace = kind.stored_as() == "namespaces";
        if is_namespace {
            new["status"]["phase"] = json!("Terminating");
        } else if !is_definition {
            let metadata = body::metadata(&mut new);
            metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(grace));
        }
        if has_generation(kind) && !is_definition {
            let generation = old["metadata"]["generation"].as_i64().unwrap_or(1);
            new["metadata"]["generation"] = json!(generation + 1);
        }
        let is_gone = is_released(&new);
        if is_dry {
            return (!is_gone).then(|| Arc::new(new));
        }
        if is_gone {
            self.store.delete(at);
            self.touch(at);
            // Nobody can ask later whose it was.
            life::tell_of_gone(self, at, &old);
            return None;
        }
        let stored = self.store.put(at, body::arranged(new));
        self.touch(at);
        Some(stored)
    }

    /// Returns for how many seconds something may still work: pods that run end in order.
    fn grace(kind: &Kind, object: &Value, wanted: Option<i64>) -> i64 {
        let runs = kind.stored_as() == "pods" && !body::text(&object["spec"]["nodeName"]).is_empty();
        let own = object["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
        if runs { wanted.unwrap_or(own) } else { 0 }
    }
}
