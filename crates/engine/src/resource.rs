//! The resource trait: what a kind has to say about itself.
//!
//! A kind makes one call per method and returns. Waiting, retrying, recording and ordering
//! are the engine's: **every mutating call is one journaled step**. `create` is the birth call
//! alone; whatever else a resource needs comes from [`Resource::next_step`], which names the one
//! call that brings it closer, until it answers that nothing is left. Update, repair after a
//! crash and deletion are the same loop.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::address::{Address, RemoteId};
use crate::cluster::Standing;
use crate::depiction::Depiction;
use crate::permission::Need;
use crate::provider::ProviderError;
use crate::schema::{Attributes, Expansion, Tags};
use crate::value::{Value, ValueMap};

/// The tag that carries the stack's id, the lineage of its state.
pub const STACK_TAG: &str = "straddle:stack";
/// The tag that carries the address, in the alphabet of [`Address::tag_value`].
pub const ADDRESS_TAG: &str = "straddle:address";
/// The tag that carries the operation that made the thing; set at birth and never changed.
pub const OPERATION_TAG: &str = "straddle:op";

/// A kind of resource.
///
/// The connection's client, the listing and the step are types of the provider's own.
pub trait Resource: Send + Sync + 'static {
    /// The word in the block's header.
    const KIND: &'static str;
    /// How the engine must treat it.
    const TRAITS: Traits;

    /// A spec that has one, with whatever it stands on, as somebody would write it who has the
    /// accounts `network` and `apps` and `account = "network"` in the file's `[defaults]`.
    const EXAMPLE: &'static str = "";

    /// The attributes that no two things of the kind can have alike at once, such as a range in a
    /// network. What gives them up goes before another takes them over. A thing without the first
    /// of them has nothing to itself; of the others, that one is not set is a value too.
    const EXCLUSIVE: &'static [&'static str] = &[];

    /// The attributes that are part of the id of every thing of the kind. They cannot be made of
    /// sensitive values, since ids are shown everywhere.
    const IDENTITY: &'static [&'static str] = &[];

    /// How ids of things of the kind look, for whoever imports one: `*` stands for any text that is
    /// not empty, `NAME` for
    /// text that has neither `/` nor `:`.
    const ID_FORM: &'static str = "*";

    /// The attribute that says which [cluster](crate::cluster) things of the kind are in; `None` if they are
    /// in the account itself. Where the spec does not say the account, it is that of the cluster.
    const THROUGH: Option<&'static str> = None;

    /// What things of the kind are in a picture of a whole spec.
    const DEPICTION: Depiction = Depiction::THING;

    /// Whether the service can be asked what it would make of inputs, by [`Self::foresee`].
    const FORESEES: bool = false;

    /// Whether things of the kind always outlive their stack, since others may rely on them by
    /// then: what would delete one only forgets it.
    const RETAINED: bool = false;

    /// Who makes things of the kind, if that is somebody else than this program. Such a thing is found and
    /// waited for, never made or changed, and what needs to be gone before it can go is deleted first.
    /// [`Self::create`] then makes no call that changes anything: it returns the id of what it finds,
    /// and as long as that is nothing an error of the class `Busy` that says what is missing.
    const MADE_BY: Option<MadeByOthers> = None;

    /// What policies call a thing of the kind, with [placeholders](Need::on); `{id}` is among them.
    /// An attribute `arn` that is known goes before it.
    const ARN: &'static str = "*";

    /// What the calls of the kind have to be allowed.
    const PERMISSIONS: &'static [Need] = &[];

    /// What the user writes.
    type Inputs: Attributes;
    /// What only the service knows.
    type Outputs: Attributes;
    /// One account in one region.
    type Client: Send + Sync + 'static;
    /// One read of many things; kinds with the same listing share its calls.
    type Listing: Listing<Client = Self::Client>;
    /// One mutating call after birth.
    type Step: Step;

    /// Returns the attributes that become resources of their own.
    #[must_use]
    fn expansions() -> Vec<Expansion> {
        Vec::new()
    }

    /// Returns the inputs with whole values where the spec may have shorthand for them. From here on
    /// a shorthand is as if the whole had been written: it is what is compared, shown and recorded.
    /// Parts may be unknown, and what is made of them is unknown then; what is written in full, or
    /// is of a wrong type, stays as it is.
    ///
    /// # Errors
    /// What is wrong with a shorthand.
    fn canonical(_home: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        Ok(inputs)
    }

    /// Returns the inputs of a thing as it was found without those that another one says as well, for
    /// whoever writes a spec of it.
    #[must_use]
    fn essential(found: ValueMap) -> ValueMap {
        found
    }

    /// Returns the shorthand that may stand for a value, for whoever writes a spec of what is there, the
    /// best first. Not all of it needs to: who asks compares by [`Self::canonical`].
    #[must_use]
    fn shorthands(_home: Home<'_>, _attribute: &str, _value: &Value) -> Vec<Value> {
        Vec::new()
    }

    /// Returns what is wrong with the inputs beyond the types; parts of them may be unknown.
    #[must_use]
    fn check(_inputs: &ValueMap) -> Vec<Problem> {
        Vec::new()
    }

    /// As [`Self::check`], for kinds for which it matters which account the thing is in.
    #[must_use]
    fn check_in(_account_id: &str, inputs: &ValueMap) -> Vec<Problem> {
        Self::check(inputs)
    }

    /// Returns what a thing in a cluster is called there, and what it names; parts of the inputs may be
    /// unknown.
    #[must_use]
    fn standing(_inputs: &ValueMap) -> Standing {
        Standing::default()
    }

    /// Returns what is worth knowing of the inputs although nothing is wrong with them, such as a default
    /// that costs something; each is a warning at its attribute. Parts may be unknown.
    #[must_use]
    fn advice(_inputs: &ValueMap) -> Vec<Problem> {
        Vec::new()
    }

    /// Tells whether a thing with these inputs may have something in the attributes that are marked
    /// `sensitive`. Of one that never has, a reference to all of it shows nothing that is secret. Parts of
    /// the inputs may be unknown.
    #[must_use]
    fn keeps_secrets(_inputs: &ValueMap) -> bool {
        true
    }

    /// Tells whether the service needs another resource for this change of an attribute that
    /// is marked `replace`. Kinds for which it depends on the values say so here.
    #[must_use]
    fn must_replace(_attribute: &str, _before: &Value, _after: &Value) -> bool {
        true
    }

    /// As [`Self::must_replace`], for kinds for which it depends on another attribute of what is there.
    #[must_use]
    fn must_replace_in(_observed: &ValueMap, attribute: &str, before: &Value, after: &Value) -> bool {
        Self::must_replace(attribute, before, after)
    }

    /// Returns the value of an attribute that [follows](crate::schema::Follows) another resource, given
    /// the value there and what was found of this one, if it exists; `None` if the service is to choose.
    /// Kinds that do not take the value as it is say so here.
    #[must_use]
    fn follow(
        _attribute: &str,
        followed: &Value,
        _found: Option<&Observed<Self::Inputs, Self::Outputs>>,
    ) -> Option<Value> {
        Some(followed.clone())
    }

    /// Returns the first stop of a change that the service does not make at once, such as the next minor
    /// version; `None` if it goes to its end at once. What needs the thing goes along to each stop. Asked
    /// of attributes that are `stepwise`, and of those that [follow](crate::schema::Follows) one that is.
    #[must_use]
    fn waypoint(_attribute: &str, _way: &Way<'_>) -> Option<Value> {
        None
    }

    /// Returns what is wrong with a change of a thing that exists, in place and of one attribute.
    #[must_use]
    fn check_change(_attribute: &'static str, _before: &Value, _after: &Value) -> Option<Problem> {
        None
    }

    /// Asks the service what it would make of inputs, without changing anything. `found` is what a read
    /// found of the thing, if it is there.
    fn foresee(
        _client: &Self::Client,
        _found: Option<&Observed<Self::Inputs, Self::Outputs>>,
        _wanted: &Self::Inputs,
    ) -> impl Future<Output = Result<Foreseen<Self::Inputs>, ProviderError>> + Send {
        async { Ok(Foreseen::default()) }
    }

    /// Finds a thing in a listing; `None` if it is gone or not visible yet.
    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<Self::Inputs, Self::Outputs>>;

    /// Makes the thing with one call, which returns before the thing is ready. The tags of
    /// `intent` are set in the same call wherever the service can do that.
    fn create(
        client: &Self::Client,
        intent: &Intent,
        inputs: &Self::Inputs,
    ) -> impl Future<Output = Result<RemoteId, ProviderError>> + Send;

    /// Names the one call that brings the thing closer to `desired`, or to deletion if that is
    /// `None`; `None` if no call is left to make. Never called while the thing is pending.
    fn next_step(
        observed: &Observed<Self::Inputs, Self::Outputs>,
        desired: Option<&Self::Inputs>,
    ) -> Option<Self::Step>;

    /// Makes that call. Returns the new id if the call changed it.
    fn perform(
        client: &Self::Client,
        id: &RemoteId,
        step: &Self::Step,
    ) -> impl Future<Output = Result<Option<RemoteId>, ProviderError>> + Send;

    /// Looks whether a thing that is as it shall be does what it is for, such as answering. Asked only
    /// after it was made or changed, never for a plan; reads only.
    fn verify(
        _client: &Self::Client,
        _observed: &Observed<Self::Inputs, Self::Outputs>,
        _desired: &Self::Inputs,
    ) -> impl Future<Output = Result<Readiness, ProviderError>> + Send {
        async { Ok(Readiness::Ready) }
    }

    /// Returns what is left of a thing whose end is waited for, to be shown meanwhile.
    #[must_use]
    fn remains(_observed: &Observed<Self::Inputs, Self::Outputs>) -> Option<String> {
        None
    }

    /// Asks whether the thing can be deleted, before the call that does it: not if that would wait for somebody
    /// who cannot do their part. Not asked if the user asked to delete what others made; reads only.
    ///
    /// # Errors
    /// Why not, and what to do.
    fn may_delete(
        _client: &Self::Client,
        _observed: &Observed<Self::Inputs, Self::Outputs>,
    ) -> impl Future<Output = Result<(), ProviderError>> + Send {
        async { Ok(()) }
    }

    /// Returns what those say who act on a thing with these inputs, such as why they have not made yet what it asks
    /// for; empty if nobody says anything. Reads only.
    fn said(
        _client: &Self::Client,
        _inputs: &Self::Inputs,
    ) -> impl Future<Output = Result<String, ProviderError>> + Send {
        async { Ok(String::new()) }
    }

    /// Names the call that lets a deletion come to its end that waits for somebody who will never do
    /// their part, such as taking out a finalizer. Made only if the user asked to delete what others
    /// made, of things that are on their way out.
    #[must_use]
    fn release(_observed: &Observed<Self::Inputs, Self::Outputs>) -> Option<Self::Step> {
        None
    }

    /// Returns the ids of the things that the create of `intent` made: by its operation tag, or
    /// by the natural key of `inputs`. Used after a crash or a lost answer. Oldest first.
    fn find(
        client: &Self::Client,
        intent: &Intent,
        inputs: &Self::Inputs,
    ) -> impl Future<Output = Result<Vec<RemoteId>, ProviderError>> + Send;
}

/// One read of many things of an account.
pub trait Listing: Sized + Send + Sync + 'static {
    /// The attributes that [`Self::survey`] may leave out, since each of them costs calls of its own.
    const SPARED: &'static [&'static str] = &[];

    /// One account in one region.
    type Client: Send + Sync + 'static;

    /// Reads the things with these ids; that one of them is missing is no error.
    fn fetch(
        client: &Self::Client,
        ids: &[RemoteId],
    ) -> impl Future<Output = Result<Self, ProviderError>> + Send;

    /// As [`Self::fetch`], for a plan that expects nothing to change. What is [spared](Self::SPARED) may
    /// be left out but for the attributes that are `wanted`, which the last apply has set. As soon as
    /// anything is to change, or something is made of what was left out, everything is read.
    fn survey(
        client: &Self::Client,
        ids: &[RemoteId],
        _wanted: &BTreeSet<String>,
    ) -> impl Future<Output = Result<Self, ProviderError>> + Send {
        Self::fetch(client, ids)
    }
}

/// One mutating call after birth. Equal steps are the same call with the same arguments.
pub trait Step: fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Returns the operation's name in the service's API, such as `ModifyVpcAttribute`.
    fn operation(&self) -> &'static str;
}

/// What a read found.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed<I, O> {
    /// The inputs as the service has them.
    pub inputs: I,
    /// What only the service knows.
    pub outputs: O,
    /// Whether it can be used.
    pub readiness: Readiness,
}

/// What a service would make of inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreseen<I> {
    /// What is there, in the words of what is wanted: whatever the service takes for the same is the
    /// same. `None` if the service could not be asked, or there is nothing to compare with.
    pub found: Option<I>,
    /// The place inside an attribute, such as `manifest.spec.selector`, that cannot be changed in place.
    pub immutable: Option<String>,
    /// Why the service would refuse it.
    pub refusal: Option<Problem>,
    /// Whether it is refused by something else of the same kind, such as a definition of what objects have. If that
    /// changes in the same plan, the refusal says nothing.
    pub is_by_another: bool,
}

impl<I> Default for Foreseen<I> {
    fn default() -> Self {
        Self { found: None, immutable: None, refusal: None, is_by_another: false }
    }
}

/// Whether a thing can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// Not yet, or no longer; the word is the service's own, such as `pending`.
    Pending(String),
    /// It can be changed, and it is not as it shall be yet: once no step is left to make, that is waited
    /// for. The words are the service's own.
    Degraded(String),
    /// A part of it failed, and steps can repair that part; the words are the service's own.
    Impaired(String),
    /// It never will; the words are the service's own.
    Failed(String),
}

/// Why and how a thing is made; recorded before the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The resource.
    pub address: Address,
    /// Names the one operation, in [`OPERATION_TAG`] and the journal.
    pub operation_id: String,
    /// At most 64 ASCII characters, for calls that take a client token. The same in every
    /// attempt of one operation, another in every other operation.
    pub token: String,
}

impl Intent {
    /// Returns the tags to set at birth: those of the inputs and the operation's.
    #[must_use]
    pub fn birth_tags(&self, tags: &Tags) -> Tags {
        let mut tags = tags.clone();
        tags.0.insert(OPERATION_TAG.to_owned(), self.operation_id.clone());
        tags
    }
}

/// Where a thing lives, as the spec says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home<'a> {
    /// The id of the account.
    pub account_id: &'a str,
    /// The region.
    pub region: &'a str,
}

/// What is wrong with an attribute's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The attribute.
    pub attribute: &'static str,
    /// What is wrong and why, in a whole sentence.
    pub message: String,
    /// What to write instead, in a whole sentence.
    pub hint: Option<String>,
}

/// The way of a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way<'a> {
    /// What it is.
    pub from: &'a Value,
    /// What it is to be in the end.
    pub to: &'a Value,
    /// What the attribute that it [follows](crate::schema::Follows) is at this stop of its own way;
    /// `None` if it follows none or that is at its end.
    pub followed: Option<&'a Value>,
}

/// Who makes the things of a kind that this program does not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeByOthers {
    /// The kinds of the things that somebody makes one of these for: its makers, for short. They are
    /// made before it is expected, and deleted before its end is waited for.
    pub of: &'static [&'static str],
    /// What to do where it does not come, in whole sentences.
    pub advice_missing: &'static str,
    /// What to do where it does not go away, in whole sentences.
    pub advice_left: &'static str,
}

/// How the engine must treat a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// The service whose limits its calls fall under, such as `ec2`.
    pub service: &'static str,
    /// How a create of unknown outcome is resolved.
    pub recovery: Recovery,
    /// In which order a replacement is done unless the spec says otherwise.
    pub replace_order: ReplaceOrder,
    /// How long the engine waits.
    pub timeouts: Timeouts,
    /// How long between two reads while waiting for readiness.
    pub poll: Duration,
}

/// How a create of unknown outcome is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// The call takes a client token: looked up by tag, else sent again with the same token.
    Token,
    /// The service refuses a second one with the same natural key: sent again, and adopted by
    /// that key if it exists.
    NaturalKey,
    /// Neither: searched by tag for the whole consistency window, and only then sent again.
    TagSearch,
}

/// In which order a replacement is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplaceOrder {
    /// The new one first, then what refers to it, then the old one goes.
    CreateFirst,
    /// The old one goes first, since both cannot exist at once.
    DeleteFirst,
}

/// How long the engine waits for each sort of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Timeouts {
    /// From the birth call to ready.
    pub create: Duration,
    /// From the first step to ready.
    pub update: Duration,
    /// From the first step to gone.
    pub delete: Duration,
}

impl Timeouts {
    /// Makes the same limit for everything.
    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        let limit = Duration::from_secs(minutes * 60);
        Self { create: limit, update: limit, delete: limit }
    }
}
