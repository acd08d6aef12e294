//! The garbage collector: what belongs to something that is gone goes too.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{MANAGER, is_going, owners};
use crate::cluster::ControlPlane;
use crate::cluster::body::text;
use crate::cluster::store::Key;

/// Collects what belonged to an object that is gone.
pub(super) fn collect(plane: &mut ControlPlane, uid: &str, now: Timestamp) {
    for key in plane.store.owned_by(uid) {
        let Some(object) = plane.store.get(&key).cloned() else { continue };
        let has_other =
            owners(&object).any(|owner| owner["uid"] != *uid && plane.store.has_uid(text(&owner["uid"])));
        if has_other {
            release(plane, &key, uid, now);
        } else if !is_going(&object) {
            plane.discard(&key, "Background", now);
        }
    }
}

/// Lets something belong to nobody of this id any more.
fn release(plane: &mut ControlPlane, key: &Key, uid: &str, now: Timestamp) {
    plane.change(MANAGER, key, "", now, |object| {
        let Some(metadata) = object["metadata"].as_object_mut() else { return };
        let kept: Vec<Value> = metadata
            .get("ownerReferences")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|owner| owner["uid"] != *uid)
            .cloned()
            .collect();
        if kept.is_empty() {
            metadata.shift_remove("ownerReferences");
        } else {
            metadata.insert("ownerReferences".to_owned(), json!(kept));
        }
    });
}

/// Goes on with an object whose deletion waits for what belongs to it, or lets go of that.
pub(super) fn look(plane: &mut ControlPlane, key: &Key, object: &Value, now: Timestamp) {
    if !is_going(object) {
        return;
    }
    let has = |finalizer: &str| {
        object["metadata"]["finalizers"].as_array().into_iter().flatten().any(|own| own == finalizer)
    };
    let uid = text(&object["metadata"]["uid"]).to_owned();
    if has("orphan") {
        for owned in plane.store.owned_by(&uid) {
            release(plane, &owned, &uid, now);
        }
        finish(plane, key, "orphan", now);
    } else if has("foregroundDeletion") {
        let owned = plane.store.owned_by(&uid);
        for owned in &owned {
            let is_left = plane.store.get(owned).is_some_and(|owned| is_going(owned));
            if !is_left {
                plane.discard(owned, "Foreground", now);
            }
        }
        if plane.store.owned_by(&uid).is_empty() {
            finish(plane, key, "foregroundDeletion", now);
        }
    }
}

fn finish(plane: &mut ControlPlane, key: &Key, finalizer: &str, now: Timestamp) {
    plane.change(MANAGER, key, "", now, |object| {
        let Some(metadata) = object["metadata"].as_object_mut() else { return };
        let left: Vec<Value> = metadata
            .get("finalizers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|own| *own != finalizer)
            .cloned()
            .collect();
        if left.is_empty() {
            metadata.shift_remove("finalizers");
        } else {
            metadata.insert("finalizers".to_owned(), json!(left));
        }
    });
}
