//! What others do behind the engine's back.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use straddle_engine::resource::OPERATION_TAG;
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::cloud::{Cloud, Object};
use straddle_testkit::kinds::rules_of;

use crate::check::FOREIGN_TAG;
use crate::model::ACCOUNTS;

/// What others do behind the engine's back, to the thing of this number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Drift {
    pub(crate) how: How,
    pub(crate) which: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum How {
    Delete,
    Change,
    Break,
    Tag,
    Untag,
    /// They make something of their own.
    Make,
    /// The other account puts something into a segment that is shared with it.
    Lodge,
    /// It takes that out again.
    Leave,
}

/// What others have made and tagged, and must find as they left it.
#[derive(Default)]
pub(crate) struct Others {
    pub(crate) made: Vec<Object>,
    /// Our things that others have tagged: their ids and when they were made.
    pub(crate) tagged: BTreeSet<(String, Duration)>,
}

impl Drift {
    /// Does it.
    pub(crate) fn apply(self, cloud: &mut Cloud, others: &mut Others) {
        match self.how {
            How::Lodge => return lodge(cloud, self.which),
            How::Leave => return leave(cloud),
            How::Make | How::Delete | How::Change | How::Break | How::Tag | How::Untag => {}
        }
        if let How::Make = self.how {
            let account = ACCOUNTS[usize::from(self.which % 2)].1;
            let id = if self.which % 4 < 2 {
                cloud.add_foreign(account, "gateway", &ValueMap::new())
            } else {
                let name = format!("foreign-{}", others.made.len());
                let attributes = [("name", Value::from(name)), ("body", Value::from("theirs"))];
                let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
                cloud.add_foreign(account, "document", &attributes.into())
            };
            others.made.extend(cloud.live().filter(|object| object.id == id && object.foreign).cloned());
            return;
        }
        let ours: Vec<_> = cloud.live().filter(|object| !object.foreign).cloned().collect();
        let Some(object) = ours.get(usize::from(self.which) % ours.len().max(1)) else { return };
        let taggable = rules_of(&object.kind).taggable;
        match self.how {
            How::Delete => cloud.vanish(&object.id),
            How::Change => {
                let (attribute, value) = changed(object);
                cloud.set(&object.id, attribute, value);
            }
            How::Break => cloud.fail(&object.id, "Broken"),
            How::Tag if taggable => {
                cloud.tag(&object.id, FOREIGN_TAG, "theirs");
                others.tagged.insert((object.id.clone(), object.created));
            }
            How::Untag if taggable => {
                let key = object.tags.keys().find(|key| *key != OPERATION_TAG);
                if let Some(key) = key {
                    cloud.meddle(&object.id, |object| drop(object.tags.remove(key)));
                    others.tagged.remove(&(object.id.clone(), object.created));
                }
            }
            How::Tag | How::Untag | How::Make | How::Lodge | How::Leave => {}
        }
    }
}

/// Lets the other account put something into one of the segments that are shared with it.
fn lodge(cloud: &mut Cloud, which: u8) {
    let guest = ACCOUNTS[1].1;
    let shares = cloud.live().filter(|object| object.kind == "share" && object.names("principals", guest));
    let lists = shares.filter_map(|share| share.attributes.get("resources")?.as_list());
    let segments: Vec<_> = lists.flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let Some(segment) = segments.get(usize::from(which) % segments.len().max(1)) else { return };
    let attributes = ValueMap::from([("segment".to_owned(), Value::from(segment.as_str()))]);
    cloud.add_foreign(guest, "interface", &attributes);
}

/// Takes out everything that was put in that way.
pub(crate) fn leave(cloud: &mut Cloud) {
    let lodgers: Vec<_> = lodgers(cloud).map(|object| object.id.clone()).collect();
    for id in lodgers {
        cloud.vanish(&id);
    }
}

/// Returns what was put into segments that way.
pub(crate) fn lodgers(cloud: &Cloud) -> impl Iterator<Item = &Object> {
    cloud.live().filter(|object| object.kind == "interface")
}

/// Returns an attribute that others may change, with another value.
fn changed(object: &Object) -> (&'static str, Value) {
    let flip = |name: &str| Value::Bool(object.attributes.get(name) != Some(&Value::Bool(true)));
    match object.kind.as_str() {
        "network" => ("names", flip("names")),
        "segment" => ("public", flip("public")),
        "host" => ("size", Value::Integer(9)),
        "share" => ("resources", Value::List(Vec::new())),
        "document" => ("body", Value::from("meddled")),
        _ => ("unknown", Value::Bool(true)),
    }
}
