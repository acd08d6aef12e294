//! Who owns which fields of an object ("Server-Side Apply", Kubernetes reference).

use serde_json::{Value, json};

use super::fields::Fields;
use super::schema::Type;
use super::status::Failure;
use super::structure::{compare, merge, owned, remove, with_structs};

/// Somebody who owns fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Manager {
    pub(super) name: String,
    /// Whether they applied the fields, and did not only write them.
    pub(super) has_applied: bool,
    pub(super) api_version: String,
    /// Through which subresource; empty if through none.
    pub(super) subresource: String,
    pub(super) time: Option<String>,
    pub(super) fields: Fields,
}

/// A write, and who makes it.
pub(super) struct Writing<'a> {
    pub(super) of: &'a Type,
    pub(super) manager: &'a str,
    pub(super) api_version: &'a str,
    pub(super) subresource: &'a str,
    pub(super) now: &'a str,
    /// The fields that this write does not concern, such as `status`.
    pub(super) ignored: &'a [&'a str],
}

/// What is in no set, since nobody sets it.
const UNOWNED: &[&[&str]] = &[
    &["f:apiVersion"],
    &["f:kind"],
    &["f:metadata", "f:name"],
    &["f:metadata", "f:namespace"],
    &["f:metadata", "f:creationTimestamp"],
    &["f:metadata", "f:selfLink"],
    &["f:metadata", "f:uid"],
    &["f:metadata", "f:clusterName"],
    &["f:metadata", "f:generation"],
    &["f:metadata", "f:managedFields"],
    &["f:metadata", "f:resourceVersion"],
];

/// The manager that `kubectl apply --server-side` is by itself.
const KUBECTL: &str = "kubectl";
/// Where `kubectl apply` without it keeps what was applied last.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Takes the managers out of an object.
pub(super) fn take(object: &mut Value) -> Vec<Manager> {
    let entries = object.get_mut("metadata").and_then(Value::as_object_mut);
    let entries = entries.and_then(|metadata| metadata.shift_remove("managedFields"));
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let read = |entry: &Value| Manager {
        name: text(entry, "manager"),
        has_applied: entry["operation"] == "Apply",
        api_version: text(entry, "apiVersion"),
        subresource: text(entry, "subresource"),
        time: entry["time"].as_str().map(str::to_owned),
        fields: Fields::read_object(&entry["fieldsV1"]),
    };
    entries.as_ref().and_then(Value::as_array).into_iter().flatten().map(read).collect()
}

/// Puts the managers into an object, in the order in which servers show them.
pub(super) fn put(object: &mut Value, mut managers: Vec<Manager>) {
    managers.retain(|manager| !manager.fields.is_empty());
    if managers.is_empty() {
        return;
    }
    managers.sort_by(|a, b| {
        let key = |manager: &Manager| {
            let Manager { name, api_version, subresource, .. } = manager;
            (name.clone(), api_version.clone(), subresource.clone())
        };
        (!a.has_applied, &a.time).cmp(&(!b.has_applied, &b.time)).then_with(|| key(a).cmp(&key(b)))
    });
    let entries = managers.into_iter().map(|manager| {
        let mut entry = json!({
            "manager": manager.name,
            "operation": if manager.has_applied { "Apply" } else { "Update" },
            "apiVersion": manager.api_version,
        });
        if let Some(time) = manager.time {
            entry["time"] = json!(time);
        }
        entry["fieldsType"] = json!("FieldsV1");
        entry["fieldsV1"] = manager.fields.write();
        if !manager.subresource.is_empty() {
            entry["subresource"] = json!(manager.subresource);
        }
        entry
    });
    object["metadata"]["managedFields"] = entries.collect();
}

impl Writing<'_> {
    /// Returns a set without what nobody owns and what the write does not concern.
    fn cleared(&self, mut fields: Fields) -> Fields {
        for path in UNOWNED {
            fields.remove(path);
        }
        if let Some(metadata) = fields.below.get_mut("f:metadata") {
            metadata.is_member = false;
        }
        fields.is_member = false;
        self.ignored.iter().for_each(|name| fields.remove(&[format!("f:{name}").as_str()]));
        fields.below.retain(|_, below| !below.is_empty());
        fields
    }

    fn is_by(&self, manager: &Manager, has_applied: bool) -> bool {
        manager.name == self.manager
            && manager.has_applied == has_applied
            && manager.subresource == self.subresource
            && (has_applied || manager.api_version == self.api_version)
    }

    fn manager(&self, has_applied: bool, time: Option<String>, fields: Fields) -> Manager {
        Manager {
            name: self.manager.to_owned(),
            has_applied,
            api_version: self.api_version.to_owned(),
            subresource: self.subresource.to_owned(),
            time,
            fields,
        }
    }

    /// Notes whose the fields are that a write other than an apply changes. An object whose fields
    /// nobody owns stays so, unless it is new.
    pub(super) fn update(&self, old: Option<&Value>, new: &Value, managers: Vec<Manager>) -> Vec<Manager> {
        if managers.is_empty() && old.is_some() {
            return managers;
        }
        let nothing = json!({});
        let (mut old, mut new) = (old.unwrap_or(&nothing).clone(), new.clone());
        self.of.fill(&mut old);
        self.of.fill(&mut new);
        let comparison = compare(self.of, &old, &new);
        let changed = self.cleared(comparison.added.union(&comparison.modified));
        let removed = self.cleared(comparison.removed);
        if changed.is_empty() && removed.is_empty() {
            return managers;
        }
        let lost = changed.union(&removed);
        let mut own = Fields::default();
        let mut others = Vec::new();
        let mut time = None;
        for mut manager in managers {
            if self.is_by(&manager, false) {
                own = manager.fields.difference(&removed);
                time = manager.time;
            } else {
                manager.fields = manager.fields.difference(&lost);
                others.push(manager);
            }
        }
        let time = if changed.is_empty() { time } else { Some(self.now.to_owned()) };
        others.push(self.manager(false, time, own.union(&changed)));
        others
    }

    /// Applies an intent over a live object.
    pub(super) fn apply(
        &self,
        live: Option<&Value>,
        applied: &Value,
        mut managers: Vec<Manager>,
        is_forced: bool,
    ) -> Result<(Value, Vec<Manager>), Failure> {
        if let Some(live) = live.filter(|_| managers.is_empty()) {
            let before = Writing { manager: "before-first-apply", subresource: "", ..*self };
            managers = before.update(None, live, managers);
        }
        let nothing = json!({});
        let live = live.unwrap_or(&nothing);
        let last = managers.iter().position(|manager| self.is_by(manager, true));
        let last = last.map(|index| managers.remove(index));
        let fields = self.cleared(owned(self.of, applied));
        let mut object = merge(self.of, live, applied);
        if let Some(last) = &last {
            object = self.pruned(&object, &last.fields, &fields, &managers);
        }
        let comparison = compare(self.of, live, &object);
        let changed = self.cleared(comparison.added.union(&comparison.modified));
        let removed = self.cleared(comparison.removed);
        let conflicts: Vec<_> = managers
            .iter()
            .map(|manager| (manager, manager.fields.intersection(&changed)))
            .filter(|(_, fields)| !fields.is_empty())
            .map(|(manager, fields)| (conflict_with(manager), fields.paths()))
            .collect();
        if !is_forced && !conflicts.is_empty() && !self.takes_over(live, &managers, &changed) {
            return Err(conflict(&conflicts));
        }
        let taken = changed.union(&removed);
        for manager in &mut managers {
            manager.fields = manager.fields.difference(&taken);
        }
        let is_same = live == &object;
        let before = last.and_then(|last| last.time);
        let time = if is_same { before } else { Some(self.now.to_owned()) };
        managers.push(self.manager(true, time, fields));
        Ok((object, managers))
    }

    /// Tells whether kubectl only changes what it has applied without the server before: that is no conflict ("Upgrading
    /// from client-side apply to server-side apply", Kubernetes reference).
    fn takes_over(&self, live: &Value, managers: &[Manager], changed: &Fields) -> bool {
        let before = live["metadata"]["annotations"][LAST_APPLIED].as_str();
        let before =
            before.filter(|_| self.manager == KUBECTL).and_then(|text| serde_json::from_str(text).ok());
        let Some(before) = before else { return false };
        let own = self.cleared(owned(self.of, &before));
        managers.iter().all(|manager| manager.fields.intersection(changed).difference(&own).is_empty())
    }

    /// Notes in an object what kubectl has applied, if it was noted there before.
    pub(super) fn note_applied(&self, object: &mut Value, kind: &str, applied: &Value) {
        let metadata = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
        let Some(noted) = metadata.and_then(|annotations| annotations.get_mut(LAST_APPLIED)) else { return };
        if self.manager == KUBECTL {
            let mut whole = applied.clone();
            whole["apiVersion"] = json!(self.api_version);
            whole["kind"] = json!(kind);
            whole.sort_all_objects();
            *noted = json!(format!("{whole}\n"));
        }
    }

    /// Takes out what the manager applied the last time, does not apply any more, and nobody else owns.
    fn pruned(&self, object: &Value, last: &Fields, applied: &Fields, others: &[Manager]) -> Value {
        let of = self.of;
        let mut kept = with_structs(of, applied);
        for other in others {
            kept.add(&with_structs(of, &other.fields));
        }
        let gone = with_structs(of, last).difference(&kept);
        remove(of, object, &gone)
    }
}

fn conflict_with(manager: &Manager) -> String {
    let Manager { name, subresource, api_version, .. } = manager;
    let mut text = format!("conflict with {name:?}");
    if !subresource.is_empty() {
        text.extend([" with subresource \"", subresource, "\""]);
    }
    if !manager.has_applied {
        text.extend([" using ", api_version]);
    }
    text
}

fn conflict(conflicts: &[(String, Vec<String>)]) -> Failure {
    let count: usize = conflicts.iter().map(|(_, paths)| paths.len()).sum();
    let causes = conflicts.iter().flat_map(|(with, paths)| {
        paths
            .iter()
            .map(move |path| json!({ "reason": "FieldManagerConflict", "message": with, "field": path }))
    });
    let details = json!({ "causes": causes.collect::<Vec<_>>() });
    let told = conflicts.iter().map(|(with, paths)| {
        if let [path] = paths.as_slice() {
            return format!("{with}: {path}");
        }
        let lines = paths.join("\n- ");
        format!("{}:\n- {lines}", with.replacen("conflict with", "conflicts with", 1))
    });
    let told: Vec<_> = told.collect();
    let message = if count == 1 {
        format!("Apply failed with 1 conflict: {}", told.join(""))
    } else {
        format!("Apply failed with {count} conflicts: {}", told.join("\n"))
    };
    Failure::new(409, "Conflict", message).with_details(details)
}
