//! What the cloud knows of a kind: how long its things take, what holds them, what it refuses.

use std::time::Duration;

use straddle_engine::value::{Value, ValueMap};

use crate::cloud::{Action, Cloud, Object, Refusal};

/// What the cloud knows of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The kind.
    pub kind: &'static str,
    /// How its things get their ids.
    pub id: IdScheme,
    /// The attributes that name other things.
    pub references: &'static [Reference],
    /// The attributes of which no two things of an account may have the same values; empty for none.
    pub natural_key: &'static [&'static str],
    /// Whether a create with the token of an earlier one returns the earlier thing, also when
    /// that is gone (as EC2 does).
    pub takes_token: bool,
    /// Whether its things have tags.
    pub taggable: bool,
    /// The attribute that names the thing that it is a part of: listed with it, and gone with it.
    pub part_of: Option<&'static str>,
    /// The attributes that cannot be changed.
    pub fixed: &'static [&'static str],
    /// The attributes that are never returned.
    pub hidden: &'static [&'static str],
    /// What the service sets if the caller does not.
    pub defaults: &'static [(&'static str, bool)],
    /// How long at most a new thing is pending.
    pub pending: Duration,
    /// How long at most a changed thing is pending; calls that change it are refused meanwhile.
    pub updating: Duration,
    /// How long at most a deletion takes.
    pub deleting: Duration,
    /// How long a deleted thing is still listed, as `deleted`.
    pub lingers: Duration,
    /// Whether its things can fail.
    pub may_fail: bool,
    /// How many live things an account may have.
    pub quota: usize,
    /// Fills in what only the service knows, at birth and after every change.
    pub fill: fn(&mut ValueMap, id: &str),
    /// Refuses calls for reasons of the kind's own.
    pub refuse: fn(&Situation<'_>) -> Result<(), Refusal>,
    /// Tells why a thing that is being made will fail instead of becoming ready.
    pub doom: fn(&Situation<'_>) -> Option<String>,
}

/// How things get their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdScheme {
    /// This word and a number.
    Number(&'static str),
    /// The values of the natural key.
    NaturalKey,
}

/// An attribute that names other things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The attribute: text, or a list of texts.
    pub attribute: &'static str,
    /// Whether what it names cannot be deleted meanwhile.
    pub holds: bool,
}

/// A mutating call in the light of everything that is there.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The cloud before the call.
    pub cloud: &'a Cloud,
    /// The call.
    pub action: &'a Action,
    /// The thing that the call is about; `None` for a create.
    pub object: Option<&'a Object>,
    /// The attributes as the call would make them.
    pub attributes: &'a ValueMap,
}

impl Situation<'_> {
    /// Returns a text attribute as the call would make it.
    #[must_use]
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).and_then(Value::as_str)
    }
}

impl Rules {
    /// Makes rules of a kind without any peculiarity.
    #[must_use]
    pub const fn new(kind: &'static str, id: IdScheme) -> Self {
        Self {
            kind,
            id,
            references: &[],
            natural_key: &[],
            takes_token: false,
            taggable: true,
            part_of: None,
            fixed: &[],
            hidden: &[],
            defaults: &[],
            pending: Duration::ZERO,
            updating: Duration::ZERO,
            deleting: Duration::ZERO,
            lingers: Duration::ZERO,
            may_fail: false,
            quota: 1000,
            fill: |_, _| {},
            refuse: |_| Ok(()),
            doom: |_| None,
        }
    }
}
