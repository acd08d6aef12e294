//! One thing in the cloud, and how it looks at a moment.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use straddle_engine::resource::Readiness;
use straddle_engine::value::{Value, ValueMap};

/// One thing in the cloud. Everything that happens to it later is written in it already, so
/// that nothing has to run for time to pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// The account that owns it.
    pub account: String,
    /// What it is.
    pub kind: String,
    /// What the cloud calls it.
    pub id: String,
    /// What it is like.
    pub attributes: ValueMap,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether somebody else made it.
    pub foreign: bool,
    /// When it was made.
    pub created: Duration,
    /// The client token that it was made with.
    pub(crate) token: Option<String>,
    /// Reads do not find it before this time.
    pub(crate) visible: Duration,
    /// It is pending until this time.
    pub(crate) ready: Duration,
    /// Why it fails instead of becoming ready.
    pub(crate) doom: Option<String>,
    /// When it is gone, once it is being deleted.
    pub(crate) gone: Option<Duration>,
    /// For a share: since when, or from when on, each account sees each thing.
    #[serde(default)]
    pub(crate) seen_since: BTreeMap<String, Duration>,
    /// Reads still find it as it was until this time, also when it is gone.
    pub(crate) stale: Option<Stale>,
}

/// How a thing was before a change that reads do not show yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stale {
    pub(crate) until: Duration,
    pub(crate) attributes: ValueMap,
    pub(crate) tags: BTreeMap<String, String>,
}

/// Where a thing is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// Being made or changed.
    Pending,
    /// Usable.
    Ready,
    /// Never usable.
    Failed(String),
    /// Being deleted.
    Deleting,
    /// No longer there.
    Gone,
}

/// How a read shows a thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The account that owns it.
    pub account: String,
    /// What it is.
    pub kind: String,
    /// What the cloud calls it.
    pub id: String,
    /// Its attributes and, if it has tags, `tags`.
    pub values: ValueMap,
    /// Whether it can be used.
    pub readiness: Readiness,
}

impl Object {
    /// Tells where it is in its life.
    #[must_use]
    pub fn life(&self, now: Duration) -> Life {
        match (self.gone, &self.doom) {
            (Some(gone), _) if gone <= now => Life::Gone,
            (Some(_), _) => Life::Deleting,
            (None, _) if now < self.ready => Life::Pending,
            (None, Some(reason)) => Life::Failed(reason.clone()),
            (None, None) => Life::Ready,
        }
    }

    /// Tells whether it is there, in whatever condition.
    #[must_use]
    pub fn is_live(&self, now: Duration) -> bool {
        self.life(now) != Life::Gone
    }

    /// Lets it be gone, and nothing that stands on it.
    pub fn gone_since(&mut self, now: Duration) {
        self.gone = Some(now);
    }

    /// Returns a text attribute.
    #[must_use]
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).and_then(Value::as_str)
    }

    /// Tells whether an attribute is this text, or a list that contains it.
    #[must_use]
    pub fn names(&self, attribute: &str, id: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|value| texts(value).any(|text| text == id))
    }

    /// Returns what reads show that do not lag behind; `None` if the thing is gone.
    pub(crate) fn seen_now(&self, now: Duration) -> Option<Seen> {
        let current = Self { stale: None, visible: Duration::ZERO, ..self.clone() };
        current.seen(now, Duration::ZERO)
    }

    /// Returns what reads show at a moment; `None` if they do not find it.
    pub(crate) fn seen(&self, now: Duration, lingers: Duration) -> Option<Seen> {
        let stale = self.stale.as_ref().filter(|stale| now < stale.until);
        let readiness = match self.life(now) {
            _ if now < self.visible => return None,
            Life::Pending => Readiness::Pending("pending".to_owned()),
            Life::Ready => Readiness::Ready,
            Life::Failed(reason) => Readiness::Failed(reason),
            Life::Deleting => Readiness::Pending("deleting".to_owned()),
            Life::Gone if self.gone.is_some_and(|gone| now < gone + lingers) => {
                Readiness::Failed("deleted".to_owned())
            }
            Life::Gone if stale.is_some() => Readiness::Ready,
            Life::Gone => return None,
        };
        let (attributes, tags) =
            stale.map_or((&self.attributes, &self.tags), |stale| (&stale.attributes, &stale.tags));
        let mut values = attributes.clone();
        if !tags.is_empty() {
            let tags = tags.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
            values.insert("tags".to_owned(), Value::Map(tags.collect()));
        }
        Some(Seen {
            account: self.account.clone(),
            kind: self.kind.clone(),
            id: self.id.clone(),
            values,
            readiness,
        })
    }
}

impl Seen {
    /// Returns a text attribute.
    #[must_use]
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.values.get(attribute).and_then(Value::as_str)
    }
}

/// Returns the texts in a text or a list of texts.
pub(crate) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_str().into_iter().chain(value.as_list().into_iter().flatten().filter_map(Value::as_str))
}
