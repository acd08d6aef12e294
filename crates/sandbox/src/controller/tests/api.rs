//! A small API server: objects, finalizers, versions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cluster::testing::merge;
use crate::controller::{ApiAnswer, ApiRequest, Verb};

/// The objects of a cluster, by their paths.
#[derive(Debug, Default)]
pub(super) struct Api {
    pub(super) objects: BTreeMap<String, Value>,
    pub(super) version: u64,
    /// Whether nothing new may be made, since the namespace is being deleted.
    pub(super) is_ending: bool,
    made: u64,
}

impl Api {
    /// Answers a request.
    pub(super) fn answer(&mut self, request: &ApiRequest) -> ApiAnswer {
        let path = request.path.split('?').next().unwrap_or_default().to_owned();
        let (path, is_status) = match path.strip_suffix("/status") {
            Some(path) => (path.to_owned(), true),
            None => (path, false),
        };
        let body = request.body.clone().unwrap_or_default();
        match request.verb {
            Verb::Get if is_collection(&path) => self.list(&path),
            Verb::Get => self.objects.get(&path).map_or_else(not_found, |object| ok(object.clone())),
            Verb::Create if self.is_ending => {
                ApiAnswer { status: 403, body: json!({ "message": "unable to create new content" }) }
            }
            Verb::Create => {
                let name = body["metadata"]["name"].as_str().expect("it has a name");
                ok(self.put(&format!("{path}/{name}"), body.clone()))
            }
            Verb::Merge | Verb::StrategicMerge => self.patch(&path, &body, is_status),
            Verb::Delete => self.delete(&path),
        }
    }

    fn list(&self, path: &str) -> ApiAnswer {
        let (api, plural) = path.rsplit_once('/').expect("it has a last part");
        let is_meant = |key: &&String| {
            let (parent, _) = key.rsplit_once('/').expect("it has a last part");
            parent == path
                || (parent.starts_with(&format!("{api}/namespaces/"))
                    && parent.ends_with(&format!("/{plural}")))
        };
        let items: Vec<_> = self.objects.keys().filter(is_meant).map(|key| &self.objects[key]).collect();
        ok(json!({ "items": items }))
    }

    /// Puts an object in, or another in its place.
    pub(super) fn put(&mut self, path: &str, mut object: Value) -> Value {
        if let Some(present) = self.objects.get(path) {
            for name in ["uid", "resourceVersion", "generation", "finalizers", "deletionTimestamp"] {
                if object["metadata"][name].is_null() && !present["metadata"][name].is_null() {
                    object["metadata"][name] = present["metadata"][name].clone();
                }
            }
            if object.get("status").is_none() && present.get("status").is_some() {
                object["status"] = present["status"].clone();
            }
        } else {
            self.made += 1;
            if object["metadata"]["uid"].is_null() {
                object["metadata"]["uid"] = json!(format!("uid-{}", self.made));
            }
            object["metadata"]["generation"] = json!(1);
        }
        self.keep(path, object)
    }

    fn keep(&mut self, path: &str, mut object: Value) -> Value {
        if let Some(present) = self.objects.get(path) {
            if *present == object {
                return object;
            }
            if present["spec"] != object["spec"] {
                let generation = present["metadata"]["generation"].as_u64().unwrap_or_default();
                object["metadata"]["generation"] = json!(generation + 1);
            }
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(path.to_owned(), object.clone());
        object
    }

    fn patch(&mut self, path: &str, change: &Value, is_status: bool) -> ApiAnswer {
        let Some(present) = self.objects.get(path).cloned() else { return not_found() };
        let wanted = &change["metadata"]["resourceVersion"];
        if !wanted.is_null() && *wanted != present["metadata"]["resourceVersion"] {
            return ApiAnswer { status: 409, body: json!({ "message": "the object has been modified" }) };
        }
        assert!(!is_status || change.get("spec").is_none(), "a part is changed by its own path only");
        let object = merge(&present, change);
        let leaves = !object["metadata"]["deletionTimestamp"].is_null();
        if leaves && object["metadata"]["finalizers"].is_null() {
            self.remove(path);
            return ok(object);
        }
        ok(self.keep(path, object))
    }

    /// Deletes an object, as far as its finalizers let it.
    pub(super) fn delete(&mut self, path: &str) -> ApiAnswer {
        let Some(mut object) = self.objects.get(path).cloned() else { return not_found() };
        if object["metadata"]["finalizers"].is_null() {
            self.remove(path);
        } else if object["metadata"]["deletionTimestamp"].is_null() {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            self.keep(path, object.clone());
        }
        ok(object)
    }

    fn remove(&mut self, path: &str) {
        self.version += 1;
        self.objects.remove(path);
    }
}

fn is_collection(path: &str) -> bool {
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let rest = if parts[0] == "api" { &parts[2..] } else { &parts[3..] };
    rest.len() == 1 || (rest[0] == "namespaces" && rest.len() == 3)
}

fn ok(body: Value) -> ApiAnswer {
    ApiAnswer { status: 200, body }
}

fn not_found() -> ApiAnswer {
    ApiAnswer { status: 404, body: json!({ "message": "not found" }) }
}
