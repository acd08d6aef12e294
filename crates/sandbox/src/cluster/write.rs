//! Writes: objects are created, changed and deleted.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::body;
use super::deletion::Deletion;
use super::kind::Kind;
use super::managed::{self, Manager, Writing};
use super::preparation::{
    has_generation, is_released, is_same, keep_what_is_not_written, raise_generation, rescaled,
};
use super::read::{self, Selection, key};
use super::request::{Place, Reply, Request};
use super::schema::Type;
use super::status::{Cause, Failure};
use super::store::Key;
use super::structure;
use super::user::{self, User};
use super::{ControlPlane, admission, allocation, defaults, patch, time, validation};

/// A write that is under way.
pub(super) struct Write<'a> {
    pub(super) plane: &'a mut ControlPlane,
    pub(super) place: &'a Place,
    pub(super) request: &'a Request,
    pub(super) user: &'a User,
    pub(super) now: Timestamp,
    /// Of the kind, as managers are noted with it.
    pub(super) api_version: String,
    pub(super) warnings: Vec<String>,
}

/// How an object was made of a request.
enum Authorship {
    Written,
    /// With those who own its fields since.
    Applied(Vec<Manager>),
}

impl Write<'_> {
    /// Carries a write out.
    pub(super) fn carry_out(mut self, verb: &str) -> Result<Reply, Failure> {
        let options = match verb {
            "create" => "CreateOptions",
            "update" => "UpdateOptions",
            "patch" => "PatchOptions",
            _ => "DeleteOptions",
        };
        self.request.check_dry_run(options)?;
        let reply = match verb {
            "create" => self.create(),
            "update" => self.replace(),
            "patch" => self.patch(),
            "delete" => self.delete(),
            _ => self.delete_all(),
        }?;
        Ok(Reply { warnings: self.warnings, ..reply })
    }

    fn kind(&self) -> &Kind {
        &self.place.kind
    }

    fn check_fields(&mut self, object: &mut Value, repeated: &[String]) -> Result<(), Failure> {
        let strictness = self.request.strictness();
        body::check_fields(object, &self.place.kind, strictness, repeated, &mut self.warnings)
    }

    fn live(&self) -> Option<Arc<Value>> {
        self.plane.store.get(&key(self.place)).cloned()
    }

    fn existing(&self) -> Result<Arc<Value>, Failure> {
        self.live().ok_or_else(|| Failure::not_found(self.kind(), &self.place.name))
    }

    fn answer(&self, object: &Value, status: u16) -> Result<Reply, Failure> {
        if self.place.subresource == "scale" {
            return Ok(Reply::new(status, read::scale(object)));
        }
        read::answer(self.kind(), object, status, self.request, self.now)
    }

    fn create(&mut self) -> Result<Reply, Failure> {
        let mut object = body::read(self.request, self.kind())?;
        body::check_kind(&object, self.kind())?;
        body::check_place(&mut object, self.place)?;
        let repeated = body::repeated(&self.request.body);
        self.check_fields(&mut object, &repeated)?;
        if self.kind().group == "events.k8s.io" {
            object = super::events::older(&object);
        }
        let object = self.finish_create(object, Authorship::Written)?;
        self.answer(&object, 201)
    }

    /// Lets a new object be.
    fn finish_create(&mut self, mut object: Value, by: Authorship) -> Result<Arc<Value>, Failure> {
        drop(managed::take(&mut object));
        let kind = Arc::clone(&self.place.kind);
        self.name(&mut object)?;
        let name = body::text(&object["metadata"]["name"]).to_owned();
        let at = Key::new(&kind.stored_as(), &self.place.namespace, &name);
        admission::check_namespace(&self.plane.store, &kind, &self.place.namespace, &name)?;
        if self.plane.store.get(&at).is_some() {
            return Err(Failure::exists(&kind, &name));
        }
        let metadata = body::metadata(&mut object);
        metadata.shift_remove("resourceVersion");
        metadata.shift_remove("deletionTimestamp");
        metadata.shift_remove("generation");
        metadata.insert("creationTimestamp".to_owned(), json!(time(self.now)));
        let uid = self.plane.store.new_uid();
        metadata.insert("uid".to_owned(), json!(uid));
        if has_generation(&kind) {
            metadata.insert("generation".to_owned(), json!(1));
        }
        if kind.subresource("status").is_some()
            && let Some(table) = object.as_object_mut()
        {
            table.shift_remove("status");
        }
        structure::tidy(&kind.of(), &mut object);
        defaults::set(&kind, &mut object, None);
        let managers = self.managers(&kind, None, &object, by, Vec::new());
        admission::mutate(self.plane, &kind, &at, &mut object)?;
        admission::ask_webhooks(&self.plane.store, &kind, "CREATE", &at, &object)?;
        let causes = validation::check(&kind, &object, None, &mut self.warnings);
        self.refuse(&name, &causes)?;
        allocation::allocate(self.plane, &kind, &mut object, None, self.request.is_dry())?;
        managed::put(&mut object, managers);
        let object = body::arranged(object);
        if self.request.is_dry() {
            return Ok(Arc::new(object));
        }
        let stored = self.plane.store.put(&at, object);
        self.plane.touch(&at);
        Ok(stored)
    }

    fn refuse(&self, name: &str, causes: &[Cause]) -> Result<(), Failure> {
        let Kind { group, kind, .. } = self.kind();
        if causes.is_empty() { Ok(()) } else { Err(Failure::invalid(group, kind, name, causes)) }
    }

    /// Gives an object a name that has only the beginning of one.
    fn name(&mut self, object: &mut Value) -> Result<(), Failure> {
        let metadata = body::metadata(object);
        let name = metadata.get("name").map(body::text).unwrap_or_default();
        if !name.is_empty() {
            return Ok(());
        }
        let Some(beginning) = metadata.get("generateName").map(|name| body::text(name).to_owned()) else {
            let cause = Cause::required("metadata.name", "name or generateName is required");
            let Kind { group, kind, .. } = self.kind();
            return Err(Failure::invalid(group, kind, "", &[cause]));
        };
        let name = format!("{beginning}{}", self.plane.store.new_suffix());
        metadata.insert("name".to_owned(), json!(name));
        Ok(())
    }

    /// Returns who owns what after a write.
    fn managers(
        &self,
        kind: &Kind,
        old: Option<&Value>,
        new: &Value,
        by: Authorship,
        before: Vec<Manager>,
    ) -> Vec<Manager> {
        match by {
            Authorship::Applied(managers) => managers,
            Authorship::Written => {
                let (of, manager, now) = (kind.of(), self.request.manager(), time(self.now));
                self.writing(kind, &of, &manager, &now).update(old, new, before)
            }
        }
    }

    fn writing<'b>(&'b self, kind: &'b Kind, of: &'b Type, manager: &'b str, now: &'b str) -> Writing<'b> {
        let (api_version, subresource) = (self.api_version.as_str(), self.place.subresource.as_str());
        let ignored: &[&str] = match subresource {
            "status" => &["spec"],
            "" if kind.subresource("status").is_some() => &["status"],
            _ => &[],
        };
        Writing { of, manager, api_version, subresource, now, ignored }
    }

    fn replace(&mut self) -> Result<Reply, Failure> {
        let mut object = body::read(self.request, self.kind())?;
        if self.place.subresource == "scale" {
            let old = self.existing()?;
            let object = rescaled(&old, &object)?;
            let object = self.finish_update(&old, object, Authorship::Written)?;
            return self.answer(&object, 200);
        }
        body::check_kind(&object, self.kind())?;
        body::check_place(&mut object, self.place)?;
        let repeated = body::repeated(&self.request.body);
        self.check_fields(&mut object, &repeated)?;
        let old = self.existing()?;
        let object = self.finish_update(&old, object, Authorship::Written)?;
        self.answer(&object, 200)
    }

    fn patch(&mut self) -> Result<Reply, Failure> {
        let media = self.request.media().to_owned();
        if media == "application/apply-patch+yaml" {
            return self.apply();
        }
        let is_custom = self.kind().custom.is_some();
        if is_custom && media == "application/strategic-merge-patch+json" {
            let message = "the body of the request was in an unknown format - accepted media types include: \
                application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            return Err(Failure::new(415, "UnsupportedMediaType", message));
        }
        let is_known = ["json-patch", "merge-patch", "strategic-merge-patch"]
            .iter()
            .any(|form| media == format!("application/{form}+json"));
        if !is_known {
            let message = "415: Unsupported Media Type";
            return Err(Failure::new(415, "UnsupportedMediaType", message).with_details(json!({})));
        }
        let change: Value = serde_json::from_str(&self.request.body)
            .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
        let old = self.existing()?;
        if self.place.subresource == "scale" {
            let scale = patch::merge(&read::scale(&old), &change);
            let object = rescaled(&old, &scale)?;
            let object = self.finish_update(&old, object, Authorship::Written)?;
            return self.answer(&object, 200);
        }
        let mut object = match media.as_str() {
            "application/json-patch+json" => patch::operations(&old, &change)?,
            "application/merge-patch+json" => patch::merge(&old, &change),
            _ => patch::strategic(&self.kind().of(), &old, &change),
        };
        self.check_fields(&mut object, &[])?;
        let object = self.finish_update(&old, object, Authorship::Written)?;
        self.answer(&object, 200)
    }

    fn apply(&mut self) -> Result<Reply, Failure> {
        let intent = self.intent()?;
        let kind = Arc::clone(&self.place.kind);
        let of = kind.of();
        let live = self.live();
        if live.is_none() && !self.place.subresource.is_empty() {
            return Err(Failure::not_found(&kind, &self.place.name));
        }
        if live.is_none() {
            user::check(&self.plane.store, self.user, self.place, "create")?;
            if !body::text(&intent["metadata"]["uid"]).is_empty() {
                let why = "the object has no UID, since it does not exist";
                return Err(Failure::unfulfilled(&kind.group, &kind.plural, &self.place.name, why));
            }
        }
        body::check_encodings(&of, &intent, &kind, self.place)?;
        let mut before = live.as_deref().cloned();
        let managers = before.as_mut().map(managed::take).unwrap_or_default();
        let (manager, now) = (self.request.one("fieldManager"), time(self.now));
        let is_forced = self.request.flag("force");
        let writing = self.writing(&kind, &of, &manager, &now);
        let (mut object, managers) = writing.apply(before.as_ref(), &intent, managers, is_forced)?;
        writing.note_applied(&mut object, &kind.kind, &intent);
        let by = Authorship::Applied(managers);
        match live {
            None => {
                let object = self.finish_create(object, by)?;
                self.answer(&object, 201)
            }
            Some(old) => {
                let object = self.finish_update(&old, object, by)?;
                self.answer(&object, 200)
            }
        }
    }

    /// Reads what is applied, and refuses what cannot be.
    fn intent(&self) -> Result<Value, Failure> {
        if self.request.one("fieldManager").is_empty() {
            let cause = Cause::required("fieldManager", "is required for apply patch");
            return Err(Failure::invalid("meta.k8s.io", "PatchOptions", "", &[cause]));
        }
        let kind = self.kind();
        let mut intent = body::yaml(&self.request.body)?;
        body::check_applied_kind(&intent, kind)?;
        body::check_place(&mut intent, self.place)?;
        if intent["metadata"].get("managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(Failure::bad_request("metadata.managedFields must be nil"));
        }
        let mut problems = Vec::new();
        structure::problems(&kind.of(), &intent, "", &mut problems);
        if problems.is_empty() {
            if let Some(table) = intent.as_object_mut() {
                table.shift_remove("kind");
                table.shift_remove("apiVersion");
            }
            return Ok(intent);
        }
        let told = match problems.as_slice() {
            [one] => one.clone(),
            several => {
                let lines: String = several.join("\n  ");
                format!("errors:\n  {lines}")
            }
        };
        let Place { namespace, name, .. } = self.place;
        let (version, kind) = (kind.api_version(), &kind.kind);
        let of = format!("{namespace}/{name}; {version}, Kind={kind}");
        Err(Failure::new(500, "", format!("failed to create typed patch object ({of}): {told}")))
    }

    /// Lets an object be another one.
    fn finish_update(
        &mut self,
        old: &Arc<Value>,
        mut new: Value,
        by: Authorship,
    ) -> Result<Arc<Value>, Failure> {
        let kind = Arc::clone(&self.place.kind);
        let name = self.place.name.clone();
        let given = managed::take(&mut new);
        let mut before = Value::clone(old);
        let known = managed::take(&mut before);
        // Who writes an object may write who owns its fields; what leaves that out leaves it as it is.
        let managers = if given.is_empty() { known } else { given };
        let wanted = body::text(&new["metadata"]["resourceVersion"]).to_owned();
        if !wanted.is_empty() && wanted != body::text(&old["metadata"]["resourceVersion"]) {
            return Err(Failure::modified(&kind, &name));
        }
        let foreign =
            new["metadata"].get("uid").filter(|uid| !uid.is_null() && **uid != old["metadata"]["uid"]);
        if let Some(uid) = foreign {
            let cause = Cause::invalid("metadata.uid", uid, "field is immutable");
            self.refuse(&name, &[cause.clone(), cause])?;
        }
        keep_what_is_not_written(&kind, &self.place.subresource, &before, &mut new);
        structure::tidy(&kind.of(), &mut new);
        defaults::set(&kind, &mut new, Some(&before));
        admission::ask_webhooks(&self.plane.store, &kind, "UPDATE", &key(self.place), &new)?;
        let causes = validation::check(&kind, &new, Some(&before), &mut self.warnings);
        self.refuse(&name, &causes)?;
        allocation::allocate(self.plane, &kind, &mut new, Some(&before), self.request.is_dry())?;
        raise_generation(&kind, &before, &mut new);
        let managers = self.managers(&kind, Some(&before), &new, by, managers);
        let is_last = is_released(&new);
        managed::put(&mut new, managers);
        let new = body::arranged(new);
        if is_same(old, &new) {
            return Ok(Arc::clone(old));
        }
        if self.request.is_dry() {
            return Ok(Arc::new(new));
        }
        let at = key(self.place);
        if is_last {
            self.plane.store.delete(&at);
            self.plane.touch(&at);
            return Ok(Arc::new(new));
        }
        let stored = self.plane.store.put(&at, new);
        self.plane.touch(&at);
        Ok(stored)
    }

    fn delete(&mut self) -> Result<Reply, Failure> {
        let options = Deletion::read(self.request)?;
        let old = self.existing()?;
        let kind = Arc::clone(&self.place.kind);
        options.check(&kind, &self.place.name, &old)?;
        admission::check_deletion(&kind, &self.place.name)?;
        admission::ask_webhooks(&self.plane.store, &kind, "DELETE", &key(self.place), &old)?;
        let gone = self.plane.delete(&kind, &key(self.place), &options, self.now, self.request.is_dry());
        let shows_object = ["services", "serviceaccounts"].contains(&kind.resource().as_str());
        match gone {
            Some(object) => self.answer(&object, 200),
            None if shows_object => self.answer(&old, 200),
            None => {
                let mut details = json!({ "name": self.place.name });
                if !kind.group.is_empty() {
                    details["group"] = json!(kind.group);
                }
                details["kind"] = json!(kind.plural);
                details["uid"] = old["metadata"]["uid"].clone();
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
                });
                Ok(Reply::new(200, status))
            }
        }
    }

    fn delete_all(&mut self) -> Result<Reply, Failure> {
        let options = Deletion::read(self.request)?;
        let selection = Selection::read(self.request, self.kind())?;
        let kind = Arc::clone(&self.place.kind);
        let objects = self.plane.store.list(&kind.stored_as(), &self.place.namespace);
        let chosen: Vec<_> = objects.filter(|object| selection.has(object)).cloned().collect();
        let reply = read::list(&self.plane.store, self.place, self.request, self.now)?;
        for object in &chosen {
            let metadata = &object["metadata"];
            let (namespace, name) = (body::text(&metadata["namespace"]), body::text(&metadata["name"]));
            let at = Key::new(&kind.stored_as(), namespace, name);
            self.plane.delete(&kind, &at, &options, self.now, self.request.is_dry());
        }
        Ok(reply)
    }
}
