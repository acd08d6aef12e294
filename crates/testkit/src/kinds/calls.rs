//! The calls that all kinds have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, Listing, OPERATION_TAG, Observed, Readiness, Step};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use crate::client::Client;
use crate::cloud::{Action, Answer, Filter, Rules, Seen};

/// What the cloud and the engine's side of a kind have in common.
pub trait CloudKind: Send + Sync + 'static {
    /// What the cloud knows of it.
    const RULES: &'static Rules;
    /// The operation that lists its things.
    const LIST: &'static str;
}

/// The things of one kind, by id.
#[derive(Debug)]
pub struct Things<K> {
    found: BTreeMap<String, Seen>,
    kind: PhantomData<fn() -> K>,
}

impl<K: CloudKind> Listing for Things<K> {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let filter = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let found = list::<K>(client, filter).await?;
        Ok(Self { found: found.into_iter().map(|seen| (seen.id.clone(), seen)).collect(), kind: PhantomData })
    }
}

impl<K> Things<K> {
    /// Returns a thing as a kind sees it; `None` if it is not there, or only listed as deleted.
    pub(super) fn observe<I: Attributes, O: Attributes>(&self, id: &RemoteId) -> Option<Observed<I, O>> {
        let seen = self.found.get(id.as_str())?;
        if matches!(&seen.readiness, Readiness::Failed(reason) if reason == "deleted") {
            return None;
        }
        Some(Observed {
            inputs: I::from_values(&seen.values).expect("the cloud keeps what a create sent"),
            outputs: O::from_values(&seen.values).expect("the cloud fills in the outputs"),
            readiness: seen.readiness.clone(),
        })
    }
}

/// One mutating call after birth.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudStep {
    operation: &'static str,
    deed: StepDeed,
}

#[derive(Debug, Clone, PartialEq)]
enum StepDeed {
    Change(ValueMap),
    Reissue(ValueMap),
    Add(&'static str, String),
    Take(&'static str, String),
    SetTags(BTreeMap<String, String>),
    RemoveTags(BTreeSet<String>),
    Delete,
}

impl Step for CloudStep {
    fn operation(&self) -> &'static str {
        self.operation
    }
}

impl CloudStep {
    /// Deletes the thing.
    pub(super) fn delete(operation: &'static str) -> Self {
        Self { operation, deed: StepDeed::Delete }
    }

    /// Sets one attribute.
    pub(super) fn change(operation: &'static str, attribute: &str, value: Value) -> Self {
        Self { operation, deed: StepDeed::Change(ValueMap::from([(attribute.to_owned(), value)])) }
    }

    /// Puts one item into a list.
    pub(super) fn add(operation: &'static str, attribute: &'static str, item: String) -> Self {
        Self { operation, deed: StepDeed::Add(attribute, item) }
    }

    /// Takes one item out of a list.
    pub(super) fn take(operation: &'static str, attribute: &'static str, item: String) -> Self {
        Self { operation, deed: StepDeed::Take(attribute, item) }
    }

    /// Sets one attribute, which gives the thing a new id.
    pub(super) fn reissue(operation: &'static str, attribute: &str, value: Value) -> Self {
        Self { operation, deed: StepDeed::Reissue(ValueMap::from([(attribute.to_owned(), value)])) }
    }

    /// Sets the first of these attributes that is wanted and differs.
    pub(super) fn first_change<I: Attributes>(
        operation: &'static str,
        observed: &I,
        desired: &I,
        attributes: &[&str],
    ) -> Option<Self> {
        let (observed, mut desired, schema) = (observed.to_values(), desired.to_values(), I::attributes());
        let differs = |name: &&&str| {
            let form = schema.iter().find(|attribute| attribute.name == **name)?.attribute_type.form();
            let (wanted, found) = (desired.get(**name)?, observed.get(**name).unwrap_or(&Value::Null));
            (!form.same(found, wanted)).then_some(())
        };
        let attribute = *attributes.iter().find(|name| differs(name).is_some())?;
        let value = desired.remove(attribute)?;
        Some(Self::change(operation, attribute, value))
    }

    /// Sets the tags that differ, and then removes those that are not wanted any more.
    pub(super) fn tags(observed: Option<&Tags>, desired: Option<&Tags>) -> Option<Self> {
        let nothing = Tags::default();
        let observed = &observed.unwrap_or(&nothing).0;
        let desired = &desired?.0;
        let wanted = desired.iter().filter(|(key, value)| observed.get(*key) != Some(value));
        let wanted: BTreeMap<_, _> = wanted.map(|(key, value)| (key.clone(), value.clone())).collect();
        if !wanted.is_empty() {
            return Some(Self { operation: "SetTags", deed: StepDeed::SetTags(wanted) });
        }
        let surplus = observed.keys().filter(|key| !desired.contains_key(*key) && *key != OPERATION_TAG);
        let surplus: BTreeSet<_> = surplus.cloned().collect();
        (!surplus.is_empty()).then_some(Self { operation: "RemoveTags", deed: StepDeed::RemoveTags(surplus) })
    }
}

/// Makes a thing, with the intent's token if the kind takes one, and its tags if it has any.
pub(super) async fn create<K: CloudKind>(
    client: &Client,
    operation: &'static str,
    intent: &Intent,
    inputs: &impl Attributes,
) -> Result<RemoteId, ProviderError> {
    let mut attributes = inputs.to_values();
    let tags = attributes.remove("tags").map_or_else(Tags::default, |tags| {
        straddle_engine::schema::AttributeValue::from_value(&tags).expect("the tags came from tags")
    });
    let tags = if K::RULES.taggable { intent.birth_tags(&tags).0 } else { BTreeMap::new() };
    let token = K::RULES.takes_token.then(|| intent.token.clone());
    let action = Action::Create { attributes, tags, token };
    match client.call(operation, K::RULES.kind, action).await? {
        Answer::Id(id) => Ok(RemoteId::new(id)),
        Answer::List(_) => unreachable!("a create is answered with an id"),
    }
}

/// Makes the call of a step.
pub(super) async fn perform<K: CloudKind>(
    client: &Client,
    id: &RemoteId,
    step: &CloudStep,
) -> Result<Option<RemoteId>, ProviderError> {
    let id = id.as_str().to_owned();
    let action = match step.deed.clone() {
        StepDeed::Change(attributes) => Action::Change { id: id.clone(), attributes },
        StepDeed::Reissue(attributes) => Action::Reissue { id: id.clone(), attributes },
        StepDeed::Add(attribute, item) => {
            Action::Add { id: id.clone(), attribute: attribute.to_owned(), item }
        }
        StepDeed::Take(attribute, item) => {
            Action::Take { id: id.clone(), attribute: attribute.to_owned(), item }
        }
        StepDeed::SetTags(tags) => Action::SetTags { id: id.clone(), tags },
        StepDeed::RemoveTags(keys) => Action::RemoveTags { id: id.clone(), keys },
        StepDeed::Delete => Action::Delete { id: id.clone() },
    };
    match client.call(step.operation, K::RULES.kind, action).await? {
        Answer::Id(new) => Ok((new != id).then(|| RemoteId::new(new))),
        Answer::List(_) => unreachable!("a step is answered with an id"),
    }
}

/// Lists what passes a filter.
pub(super) async fn list<K: CloudKind>(client: &Client, filter: Filter) -> Result<Vec<Seen>, ProviderError> {
    match client.call(K::LIST, K::RULES.kind, Action::List { filter }).await? {
        Answer::List(found) => Ok(found),
        Answer::Id(_) => unreachable!("a list is answered with a list"),
    }
}

/// Finds what an operation made by its tag.
pub(super) async fn find_by_operation<K: CloudKind>(
    client: &Client,
    intent: &Intent,
) -> Result<Vec<RemoteId>, ProviderError> {
    let filter = Filter::Tag { key: OPERATION_TAG.to_owned(), value: intent.operation_id.clone() };
    let found = list::<K>(client, filter).await?;
    let made = found.into_iter().filter(|seen| seen.kind == K::RULES.kind);
    Ok(made.map(|seen| RemoteId::new(seen.id)).collect())
}
