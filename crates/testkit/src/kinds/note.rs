//! `note`: like an object in a cluster, which is reached by way of the cluster, and names others there.

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::cluster::Standing;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Foreseen, Intent, Listing, Observed, Problem, Recovery, ReplaceOrder, Resource, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use crate::client::Client;
use crate::cloud::{Action, IdScheme, Object, Reference, Refusal, Rules, Situation};
use crate::kinds::calls::{self, CloudKind, CloudStep, Things};

/// A note, as [`Resource`].
#[derive(Debug)]
pub struct Note;

/// Something that is written down on a platform.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Inputs {
    /// The platform, by which it is reached.
    #[attribute(replace, refers_to = "platform")]
    platform: String,
    /// What it is called there.
    #[attribute(replace)]
    name: String,
    /// What it says. The platform keeps it in small letters. Asked before, it takes no text with the word `forbidden`,
    /// nor one with the word `disputed`, the latter for the sake of what it mentions.
    text: String,
    /// The names of other notes, which have to be there as long as it is.
    mentions: Option<Vec<String>>,
    /// Tags.
    tags: Option<Tags>,
}

/// What only the cloud knows: nothing but the id.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub struct Outputs {}

const FORBIDDEN: &str = "forbidden";
const DISPUTED: &str = "disputed";

pub(super) const RULES: Rules = Rules {
    references: &[Reference { attribute: "platform", holds: true }],
    natural_key: &["platform", "name"],
    fixed: &["platform", "name"],
    fill: |values, _| {
        let kept = values.get("text").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        values.insert("text".to_owned(), Value::from(kept));
    },
    refuse: stands_on_what_it_mentions,
    ..Rules::new("note", IdScheme::NaturalKey)
};

fn mentions(attributes: &ValueMap) -> impl Iterator<Item = &str> {
    let mentioned = attributes.get("mentions").map(Value::items).unwrap_or_default();
    mentioned.iter().filter_map(Value::as_str)
}

fn stands_on_what_it_mentions(situation: &Situation<'_>) -> Result<(), Refusal> {
    let text = |object: &Object, name: &str| {
        object.attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let platform = situation.text("platform").unwrap_or_default();
    let others: Vec<_> = situation
        .cloud
        .live()
        .filter(|object| object.kind == RULES.kind && text(object, "platform") == platform)
        .collect();
    let refused = |message: &str| Err(Refusal::new(ErrorClass::Rejected, "InvalidNote", message));
    if matches!(situation.action, Action::Delete { .. }) {
        let own = situation.text("name").unwrap_or_default();
        let is_mentioned = others.iter().any(|other| mentions(&other.attributes).any(|name| name == own));
        return if is_mentioned { refused("another note mentions it") } else { Ok(()) };
    }
    let is_there = |name: &str| others.iter().any(|other| text(other, "name") == name);
    if mentions(situation.attributes).all(is_there) {
        Ok(())
    } else {
        refused("it mentions what is not there")
    }
}

impl CloudKind for Note {
    const RULES: &'static Rules = &RULES;
    const LIST: &'static str = "ListNotes";
}

/// The notes of the platform by way of which they were read.
#[derive(Debug)]
pub struct Notes {
    platform: String,
    things: Things<Note>,
}

impl Listing for Notes {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let platform = inside(client)?.to_owned();
        Ok(Self { platform, things: Things::fetch(client, ids).await? })
    }
}

/// Returns the platform that a client is inside of.
fn inside(client: &Client) -> Result<&str, ProviderError> {
    let outside =
        || ProviderError::new(ErrorClass::Rejected, "connect", "notes are reached by way of their platform");
    client.platform().ok_or_else(outside)
}

impl Resource for Note {
    const KIND: &'static str = "note";
    const TRAITS: Traits = Traits {
        service: "platform",
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(2),
        poll: Duration::from_secs(2),
    };
    const THROUGH: Option<&'static str> = Some("platform");
    const FORESEES: bool = true;

    type Inputs = Inputs;
    type Outputs = Outputs;
    type Client = Client;
    type Listing = Notes;
    type Step = CloudStep;

    fn standing(inputs: &ValueMap) -> Standing {
        let name = inputs.get("name").and_then(Value::as_str);
        Standing {
            names: name.map(str::to_owned).into_iter().collect(),
            needs: mentions(inputs).map(str::to_owned).collect(),
        }
    }

    async fn foresee(
        client: &Client,
        found: Option<&Observed<Inputs, Outputs>>,
        wanted: &Inputs,
    ) -> Result<Foreseen<Inputs>, ProviderError> {
        inside(client)?;
        // What was found may be in the words of the last apply already.
        let is_same = |found: &&Observed<Inputs, Outputs>| {
            found.inputs.text.to_lowercase() == wanted.text.to_lowercase()
        };
        let found =
            found.filter(is_same).map(|found| Inputs { text: wanted.text.clone(), ..found.inputs.clone() });
        let says = |word: &str| wanted.text.to_lowercase().contains(word);
        let is_by_another = says(DISPUTED);
        let refusal = (is_by_another || says(FORBIDDEN)).then(|| Problem {
            attribute: "text",
            message: "The platform takes no such text.".to_owned(),
            hint: None,
        });
        Ok(Foreseen { found, immutable: None, refusal, is_by_another })
    }

    fn observe(listing: &Notes, id: &RemoteId) -> Option<Observed<Inputs, Outputs>> {
        let found: Observed<Inputs, Outputs> = listing.things.observe(id)?;
        (found.inputs.platform == listing.platform).then_some(found)
    }

    async fn create(client: &Client, intent: &Intent, inputs: &Inputs) -> Result<RemoteId, ProviderError> {
        if inside(client)? != inputs.platform {
            let message = "the platform is another one than it is reached by";
            return Err(ProviderError::new(ErrorClass::Rejected, "CreateNote", message));
        }
        calls::create::<Self>(client, "CreateNote", intent, inputs).await
    }

    fn next_step(observed: &Observed<Inputs, Outputs>, desired: Option<&Inputs>) -> Option<CloudStep> {
        let Some(desired) = desired else { return Some(CloudStep::delete("DeleteNote")) };
        CloudStep::first_change("PutNote", &observed.inputs, desired, &["text", "mentions"])
            .or_else(|| CloudStep::tags(observed.inputs.tags.as_ref(), desired.tags.as_ref()))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &CloudStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        inside(client)?;
        calls::perform::<Self>(client, id, step).await
    }

    async fn find(client: &Client, intent: &Intent, _: &Inputs) -> Result<Vec<RemoteId>, ProviderError> {
        inside(client)?;
        calls::find_by_operation::<Self>(client, intent).await
    }
}
