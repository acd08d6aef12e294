//! Watches: changes as they come.

#![expect(
    clippy::similar_names,
    reason = "a plane and a place, or an issuer and what was issued, are told apart by their types"
)]

use jiff::Timestamp;
use serde_json::{Value, json};

use super::body::text;
use super::read::Selection;
use super::request::{Place, Request, View};
use super::status::{Cause, Failure};
use super::store::Change;
use super::{ControlPlane, read, table};

/// Somebody who wants to know what changes.
#[derive(Debug)]
pub(super) struct Watch {
    place: Place,
    selection: Selection,
    view: View,
    include: String,
    /// What was told is of this version and before.
    version: u64,
    /// What is told before the changes.
    first: Vec<Value>,
    /// Whether the columns of tables were told.
    has_columns: bool,
    /// Whether it is over: the version is not known any more.
    pub(super) is_over: bool,
}

impl Watch {
    /// Begins a watch.
    pub(super) fn begin(
        plane: &ControlPlane,
        place: &Place,
        request: &Request,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let view = request.view()?;
        let selection = Selection::read(request, &place.kind)?;
        let asked = request.one("resourceVersion");
        let wants_first = request.flag("sendInitialEvents");
        if wants_first && request.one("resourceVersionMatch") != "NotOlderThan" {
            let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            let cause = Cause::forbidden("resourceVersionMatch", why);
            return Err(Failure::invalid("meta.k8s.io", "ListOptions", "", &[cause]));
        }
        let version = match asked.as_str() {
            "" => 0,
            number => number.parse().map_err(|_| {
                let why = format!("strconv.ParseUint: parsing {number:?}: invalid syntax");
                Failure::new(500, "", format!("resourceVersion: Invalid value: {number:?}: {why}"))
            })?,
        };
        let store = &plane.store;
        let mut watch = Self {
            place: place.clone(),
            selection,
            view,
            include: request.one("includeObject"),
            version,
            first: Vec::new(),
            has_columns: false,
            is_over: false,
        };
        if version == 0 || wants_first {
            watch.version = store.version();
            watch.begin_with_all(plane, now);
            if request.flag("allowWatchBookmarks") && (wants_first || asked.is_empty()) {
                let bookmark = watch.bookmark();
                watch.first.push(bookmark);
            }
        } else if version < store.horizon() {
            let message = format!("too old resource version: {version} ({})", store.horizon() + 1);
            let status = Failure::new(410, "Expired", message).body();
            watch.first.push(json!({ "type": "ERROR", "object": status }));
            watch.is_over = true;
        }
        Ok(watch)
    }

    fn begin_with_all(&mut self, plane: &ControlPlane, now: Timestamp) {
        let objects = plane.store.list(&self.place.kind.stored_as(), &self.place.namespace);
        let name = self.place.name.clone();
        let meant: Vec<_> = objects
            .filter(|object| self.selection.has(object))
            .filter(|object| name.is_empty() || object["metadata"]["name"] == *name)
            .cloned()
            .collect();
        for object in meant {
            let event = self.event("ADDED", &object, now);
            self.first.push(event);
        }
    }

    fn bookmark(&self) -> Value {
        let kind = &self.place.kind;
        json!({ "type": "BOOKMARK", "object": {
            "kind": kind.kind, "apiVersion": kind.api_version(),
            "metadata": {
                "resourceVersion": self.version.to_string(),
                "annotations": { "k8s.io/initial-events-end": "true" },
            },
        } })
    }

    fn event(&mut self, of: &str, object: &Value, now: Timestamp) -> Value {
        let kind = &self.place.kind;
        let object = match self.view {
            View::Json | View::Yaml => read::shown(kind, object),
            View::Metadata => table::metadata_only(object),
            View::Table => {
                let columns = if self.has_columns { Vec::new() } else { table::columns(kind) };
                self.has_columns = true;
                let row = table::row(kind, object, &self.include, now);
                let metadata = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
                table::table(&columns, &[row], &metadata)
            }
        };
        json!({ "type": of, "object": object })
    }

    /// Returns what has happened since it was asked the last time.
    pub(super) fn more(&mut self, plane: &ControlPlane, now: Timestamp) -> Vec<Value> {
        let mut events = std::mem::take(&mut self.first);
        if self.is_over {
            return events;
        }
        if self.version < plane.store.horizon() {
            // So much has changed meanwhile that not all of it is remembered.
            self.is_over = true;
            let status = Failure::new(410, "Expired", "too old resource version").body();
            events.push(json!({ "type": "ERROR", "object": status }));
            return events;
        }
        let resource = self.place.kind.stored_as();
        let changes: Vec<Change> = plane
            .store
            .changes_after(self.version)
            .filter(|change| change.key.resource == resource && self.concerns(change))
            .cloned()
            .collect();
        self.version = plane.store.version();
        for change in changes {
            events.extend(self.told(&change, now));
        }
        events
    }

    fn concerns(&self, change: &Change) -> bool {
        let Place { namespace, name, .. } = &self.place;
        (namespace.is_empty() || change.key.namespace == *namespace)
            && (name.is_empty() || change.key.name == *name)
    }

    fn told(&mut self, change: &Change, now: Timestamp) -> Option<Value> {
        let meant = |object: &Option<std::sync::Arc<Value>>| {
            object.as_ref().filter(|object| self.selection.has(object)).cloned()
        };
        match (meant(&change.before), meant(&change.after)) {
            (None, Some(after)) => Some(self.event("ADDED", &after, now)),
            (Some(_), Some(after)) => Some(self.event("MODIFIED", &after, now)),
            (Some(before), None) => {
                let mut last = Value::clone(&before);
                last["metadata"]["resourceVersion"] = json!(change.version.to_string());
                Some(self.event("DELETED", &last, now))
            }
            (None, None) => None,
        }
    }
}

/// Returns for how many seconds a watch lasts at most: a client says so, or servers choose.
pub(super) fn seconds(request: &Request) -> u64 {
    /// Half an hour to an hour, as servers choose; always the same here.
    const USUAL: u64 = 2400;
    text(&json!(request.one("timeoutSeconds"))).parse().ok().filter(|seconds| *seconds > 0).unwrap_or(USUAL)
}
