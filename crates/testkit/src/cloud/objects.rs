//! Everything that ever was in a cloud, found by what calls ask for, not by looking at all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;

use serde::{Deserialize, Serialize};

use crate::cloud::carry_out::key_values;
use crate::cloud::{Object, texts};
use crate::kinds::rules_of;

/// Everything that ever was in a cloud, oldest first.
///
/// The lists beside it say where something *may* be found: what changes stays where it was also
/// listed before, so whoever looks checks what is found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Object>", into = "Vec<Object>")]
pub(super) struct Objects {
    all: Vec<Object>,
    by_id: BTreeMap<String, Places>,
    by_token: BTreeMap<String, Places>,
    by_natural_key: BTreeMap<String, Places>,
    /// By the ids of the things that they name.
    by_reference: BTreeMap<String, Places>,
    touched: Places,
}

/// Places in [`Objects`], oldest first.
type Places = BTreeSet<usize>;

impl Objects {
    /// Returns all of them.
    pub(super) fn all(&self) -> &[Object] {
        &self.all
    }

    /// Returns the places of the things that have this id, or had it.
    pub(super) fn with_id(&self, id: &str) -> impl DoubleEndedIterator<Item = usize> {
        self.by_id.get(id).into_iter().flatten().copied().filter(move |place| self.all[*place].id == id)
    }

    /// Returns the things that may have been made with this token.
    pub(super) fn with_token(&self, token: &str) -> impl Iterator<Item = &Object> {
        self.at(self.by_token.get(token))
    }

    /// Returns the things that may name the one with this id.
    pub(super) fn naming(&self, id: &str) -> impl Iterator<Item = &Object> {
        self.at(self.by_reference.get(id))
    }

    /// Returns the places of the things that may name the one with this id.
    pub(super) fn places_naming(&self, id: &str) -> Vec<usize> {
        self.by_reference.get(id).into_iter().flatten().copied().collect()
    }

    /// Returns the things that may have the natural key of `object`.
    pub(super) fn alike(&self, object: &Object) -> impl Iterator<Item = &Object> {
        let key = natural_key(object);
        self.at(key.and_then(|key| self.by_natural_key.get(&key)))
    }

    /// Adds a new one.
    pub(super) fn push(&mut self, object: Object) {
        let place = self.all.len();
        self.all.push(object);
        self.list(place);
    }

    /// Changes one.
    pub(super) fn change(&mut self, place: usize, change: impl FnOnce(&mut Object)) {
        change(&mut self.all[place]);
        self.list(place);
    }

    /// Returns those that are new or changed since this was called last, with their places.
    pub(super) fn take_touched(&mut self) -> Vec<(usize, Object)> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().map(|place| (place, self.all[place].clone())).collect()
    }

    /// Puts things where others have them.
    pub(super) fn take_over(&mut self, objects: Vec<(usize, Object)>) {
        for (place, object) in objects {
            if place == self.all.len() {
                self.push(object);
            } else {
                self.change(place, |old| *old = object);
            }
            self.touched.remove(&place);
        }
    }

    fn at<'a>(&'a self, places: Option<&'a Places>) -> impl Iterator<Item = &'a Object> {
        places.into_iter().flatten().map(|place| &self.all[*place])
    }

    fn list(&mut self, place: usize) {
        self.touched.insert(place);
        let object = &self.all[place];
        let rules = rules_of(&object.kind);
        let add = |list: &mut BTreeMap<String, Places>, word: &str| match list.get_mut(word) {
            Some(places) => drop(places.insert(place)),
            None => drop(list.insert(word.to_owned(), Places::from([place]))),
        };
        add(&mut self.by_id, &object.id);
        if let Some(token) = &object.token {
            add(&mut self.by_token, token);
        }
        if let Some(key) = natural_key(object) {
            add(&mut self.by_natural_key, &key);
        }
        let references = rules.references.iter().map(|reference| reference.attribute);
        for value in references.chain(rules.part_of).filter_map(|name| object.attributes.get(name)) {
            texts(value).for_each(|id| add(&mut self.by_reference, id));
        }
    }
}

fn natural_key(object: &Object) -> Option<String> {
    let key = key_values(&object.attributes, rules_of(&object.kind));
    (!key.is_empty()).then(|| format!("{} {} {}", object.account, object.kind, key.join(" ")))
}

impl Index<usize> for Objects {
    type Output = Object;

    fn index(&self, place: usize) -> &Object {
        &self.all[place]
    }
}

impl PartialEq for Objects {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl From<Vec<Object>> for Objects {
    fn from(all: Vec<Object>) -> Self {
        let mut objects = Self { all, ..Self::default() };
        (0..objects.all.len()).for_each(|place| objects.list(place));
        objects.touched.clear();
        objects
    }
}

impl From<Objects> for Vec<Object> {
    fn from(objects: Objects) -> Self {
        objects.all
    }
}
