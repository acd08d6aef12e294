//! What others do in the cloud, past the engine.

use std::collections::BTreeMap;

use straddle_engine::value::{Value, ValueMap};

use crate::cloud::{Action, Cloud, Object, Request};
use crate::kinds::rules_of;

impl Cloud {
    /// Makes a ready thing that belongs to somebody else, and returns its id.
    pub fn add_foreign(&mut self, account: &str, kind: &str, attributes: &ValueMap) -> String {
        let action = Action::Create { attributes: attributes.clone(), tags: BTreeMap::new(), token: None };
        let request =
            Request { account: account.to_owned(), operation: String::new(), kind: kind.to_owned(), action };
        let mut object = self.new_object(&request, rules_of(kind), attributes, &BTreeMap::new(), None);
        object.foreign = true;
        object.ready = self.now;
        object.visible = self.now;
        let id = object.id.clone();
        self.objects.push(object);
        id
    }

    /// Changes a thing behind the engine's back.
    pub fn meddle(&mut self, id: &str, meddle: impl FnOnce(&mut Object)) {
        let place = self.objects.with_id(id).next_back();
        if let Some(place) = place {
            self.objects.change(place, meddle);
            self.spread(place);
        }
    }

    /// Deletes a thing behind the engine's back, with everything that stands on it.
    pub fn vanish(&mut self, id: &str) {
        let now = self.now;
        let standing = |object: &Object| {
            let rules = rules_of(&object.kind);
            let named = rules.references.iter().any(|reference| object.names(reference.attribute, id));
            let goes = !object.foreign || object.kind == "interface";
            named && object.id != id && goes && object.kind != "share"
        };
        let above: Vec<_> =
            self.live().filter(|object| standing(object)).map(|object| object.id.clone()).collect();
        self.meddle(id, |object| {
            object.gone = Some(now);
            object.stale = None;
        });
        self.drop_from_shares(id);
        for id in above {
            self.vanish(&id);
        }
    }

    /// Lets a thing fail, if things of its kind can: it says from now on that it will never be ready.
    pub fn fail(&mut self, id: &str, reason: &str) {
        self.meddle(id, |object| {
            if rules_of(&object.kind).may_fail {
                object.doom = Some(reason.to_owned());
            }
        });
    }

    /// Sets one attribute behind the engine's back.
    pub fn set(&mut self, id: &str, attribute: &str, value: Value) {
        self.meddle(id, |object| {
            object.attributes.insert(attribute.to_owned(), value);
        });
    }

    /// Sets one tag behind the engine's back.
    pub fn tag(&mut self, id: &str, key: &str, value: &str) {
        self.meddle(id, |object| {
            object.tags.insert(key.to_owned(), value.to_owned());
        });
    }
}
