//! What is there, in the words of what is wanted.
//!
//! The API server has words of its own: `1000m` becomes `1`, a list that is a set is put in another
//! order. A dry run tells what it would make of what is wanted; where that is what is there, what is
//! there is what is wanted.

use serde_json::{Map, Value as Json};

use super::ownership::without_operation;

/// The fields of `metadata` that are no part of what anybody wants.
const BOOKKEEPING: [&str; 6] =
    ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"];

/// An object as it is, and as it would be.
pub(crate) struct Sides<'a> {
    /// What is wanted, as it is written.
    pub(crate) wanted: &'a Json,
    /// What is ours of what is there.
    pub(crate) owned: &'a Json,
    /// The whole object that is there.
    pub(crate) live: Json,
    /// The whole object that would be there.
    pub(crate) foreseen: Json,
}

impl Sides<'_> {
    /// Returns what is ours of what is there, in the words of what is wanted.
    pub(crate) fn recognized(mut self) -> Json {
        self.live = compared(&self.live);
        self.foreseen = compared(&self.foreseen);
        if self.live == self.foreseen {
            return self.wanted.clone();
        }
        let found = recognize(Some(self.wanted), Some(self.owned), Some(&self.live), Some(&self.foreseen));
        found.unwrap_or(Json::Null)
    }
}

/// Returns an object without what changes by itself.
pub(crate) fn compared(object: &Json) -> Json {
    let mut object = object.clone();
    let Some(entries) = object.as_object_mut() else { return object };
    entries.shift_remove("status");
    if let Some(Json::Object(metadata)) = entries.get_mut("metadata") {
        for key in BOOKKEEPING {
            metadata.shift_remove(key);
        }
    }
    without_operation(entries);
    sorted(&object)
}

/// Returns a value with the keys of its tables sorted, so that equal is equal.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(entries) => {
            let mut keys: Vec<_> = entries.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            keys.sort_by(|one, other| one.0.cmp(&other.0));
            Json::Object(keys.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}

fn recognize(
    wanted: Option<&Json>,
    owned: Option<&Json>,
    live: Option<&Json>,
    foreseen: Option<&Json>,
) -> Option<Json> {
    if live == foreseen {
        // What is ours and not wanted is somebody else's too, and stays.
        return wanted.cloned();
    }
    match (wanted, live, foreseen) {
        (Some(Json::Object(wanted)), Some(Json::Object(live)), Some(Json::Object(foreseen))) => {
            let none = Map::new();
            let owned = owned.and_then(Json::as_object).unwrap_or(&none);
            let mut found = Map::new();
            let more = owned.keys().filter(|key| !wanted.contains_key(*key));
            for key in wanted.keys().chain(more) {
                let part = recognize(wanted.get(key), owned.get(key), live.get(key), foreseen.get(key));
                found.extend(part.map(|part| (key.clone(), part)));
            }
            Some(Json::Object(found))
        }
        (Some(Json::Array(wanted)), Some(Json::Array(live)), Some(Json::Array(foreseen)))
            if wanted.len() == live.len() && live.len() == foreseen.len() =>
        {
            let owned = owned.and_then(Json::as_array).filter(|owned| owned.len() == wanted.len());
            let item = |index: usize| {
                let owned = owned.map(|owned| &owned[index]);
                recognize(Some(&wanted[index]), owned, Some(&live[index]), Some(&foreseen[index]))
            };
            Some(Json::Array((0..wanted.len()).filter_map(item).collect()))
        }
        (Some(_), live, _) => live.cloned(),
        // It is ours, is no longer wanted, and would go.
        (None, live, _) => owned.or(live).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recognized(wanted: &Json, owned: &Json, live: Json, foreseen: Json) -> Json {
        Sides { wanted, owned, live, foreseen }.recognized()
    }

    #[test]
    fn what_only_reads_otherwise_is_the_same() {
        let wanted = json!({"spec": {"cpu": "1000m", "size": 3}});
        let live =
            json!({"spec": {"cpu": "1", "size": 3, "theirs": true}, "metadata": {"resourceVersion": "1"}});
        let foreseen =
            json!({"spec": {"size": 3, "cpu": "1", "theirs": true}, "metadata": {"resourceVersion": "1"}});
        assert_eq!(recognized(&wanted, &json!({}), live, foreseen), wanted);
    }

    #[test]
    fn only_real_differences_are_left() {
        let wanted = json!({"spec": {"cpu": "1000m", "size": 3}});
        let owned = json!({"spec": {"cpu": "1", "size": 2, "old": "x"}});
        let live = json!({"spec": {"cpu": "1", "size": 2, "old": "x", "theirs": 1}});
        let foreseen = json!({"spec": {"cpu": "1", "size": 3, "theirs": 1}});
        let found = recognized(&wanted, &owned, live, foreseen);
        assert_eq!(found, json!({"spec": {"cpu": "1000m", "size": 2, "old": "x"}}));
    }

    #[test]
    fn lists_are_compared_by_item_where_they_can_be() {
        let wanted = json!({"ports": [{"port": 80, "cpu": "1000m"}]});
        let live = json!({"ports": [{"port": 81, "cpu": "1", "node": 3}]});
        let foreseen = json!({"ports": [{"port": 80, "cpu": "1", "node": 3}]});
        let found = recognized(&wanted, &json!({}), live, foreseen);
        assert_eq!(found, json!({"ports": [{"port": 81, "cpu": "1000m"}]}));
        let more = json!({"ports": [{"port": 80, "cpu": "1", "node": 3}, {"port": 2}]});
        let live = json!({"ports": [{"port": 80, "cpu": "1", "node": 3}]});
        assert_eq!(recognized(&wanted, &json!({}), live.clone(), more), live);
    }
}
