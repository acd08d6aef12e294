//! Events: what the controller tells of objects. What it told before is told again by a count.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::object::{name, namespace, text};
use super::reach::{ApiRequest, EVENT, Resource, Verb, send};
use super::work::Work;

/// The events that were told, by what they say.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<Vec<String>, (String, u64)>);

/// Whether an event tells something good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Normal,
    Warning,
}

/// What is told when all is well.
pub(super) const SUCCESS: (&str, &str) = ("SuccessfullyReconciled", "Successfully reconciled");

/// Tells something of an object. An event that cannot be written is lost, as in a namespace that is being deleted.
pub(super) fn tell(
    work: &mut Work<'_>,
    (resource, object): (Resource, &Value),
    mood: Mood,
    (reason, message): (&str, &str),
) {
    let uid = text(object, "/metadata/uid");
    let said =
        [resource.kind, namespace(object), name(object), uid, reason, message].map(str::to_owned).to_vec();
    let time = work.reach.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    if let Some((event, count)) = work.memory.told.0.get(&said).cloned() {
        let change = json!({ "count": count + 1, "lastTimestamp": time, "message": message });
        let path = EVENT.path(Some(namespace(object)), Some(&event));
        let request = ApiRequest { verb: Verb::StrategicMerge, path, body: Some(change) };
        match send(work.reach, &request) {
            Ok(_) => {
                work.memory.told.0.insert(said, (event, count + 1));
                return;
            }
            Err(trouble) if trouble.is_not_found() => {}
            Err(_) => return,
        }
    }
    let event = event(work, (resource, object), mood, (reason, message), &time);
    let event_name = name(&event).to_owned();
    if EVENT.create(work.reach, namespace(object), event).is_ok() {
        work.memory.told.0.insert(said, (event_name, 1));
    }
}

fn event(
    work: &Work<'_>,
    (resource, object): (Resource, &Value),
    mood: Mood,
    (reason, message): (&str, &str),
    time: &str,
) -> Value {
    let api_version = resource.path(None, None);
    let api_version = api_version.trim_start_matches("/apis/").trim_start_matches("/api/");
    let api_version = api_version.rsplit_once('/').map_or("v1", |(version, _)| version);
    let component = if resource.kind == "Ingress" { "ingress" } else { "targetGroupBinding" };
    // The controller takes the time in nanoseconds; of two events in one moment only one would be written here.
    let nanoseconds = work.reach.now().as_nanosecond().to_string();
    let digits = HEXLOWER.encode(&Sha256::digest([&nanoseconds, reason, message].join(" ")));
    json!({
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": { "name": format!("{}.{}", name(object), &digits[..16]), "namespace": namespace(object) },
        "involvedObject": {
            "kind": resource.kind,
            "namespace": namespace(object),
            "name": name(object),
            "uid": text(object, "/metadata/uid"),
            "apiVersion": api_version,
            "resourceVersion": text(object, "/metadata/resourceVersion"),
        },
        "reason": reason,
        "message": message,
        "source": { "component": component },
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
        "type": match mood { Mood::Normal => "Normal", Mood::Warning => "Warning" },
        "eventTime": null,
        "reportingComponent": component,
        "reportingInstance": "",
    })
}
