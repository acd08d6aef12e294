//! Blocks that bring in many resources of another kind, worked out by the provider: the objects in
//! files of manifests, those of a chart.
//!
//! A bundle is no resource: the state has nothing of it. What it brings in are resources like any
//! others, named by key as those of `for_each` are: `kubernetes_manifests.shop['Service/shop/web']`.
//! Which ones there are has to be known when the spec is loaded; what is in them need not be. Their
//! attributes are worked out anew by the plan and by the apply, by the same function, with what is
//! known by then.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;

use crate::address::{Address, Kind};
use crate::erased::{AnyKind, AnyResource};
use crate::resource::{Home, Problem, Timeouts};
use crate::schema::{Attributes, KindSchema};
use crate::spec::Tree;
use crate::supply::{Supplied, Supply};
use crate::value::{Value, ValueMap};

/// A kind of block that brings in resources of another kind.
pub trait Bundle: Send + Sync + 'static {
    /// The word in the block's header.
    const KIND: &'static str;
    /// The kind of what it brings in.
    const MEMBER_KIND: &'static str;
    /// The attributes that every member has as they are written in the block, such as where it lives.
    const PASSED: &'static [&'static str] = &[];
    /// Whether what the members are depends on what they were: on parts that are made by chance, and
    /// stay as they are from then on.
    const KEEPS: bool = false;
    /// See [`crate::resource::Resource::EXAMPLE`].
    const EXAMPLE: &'static str = "";

    /// What the user writes.
    type Inputs: Attributes;

    /// Returns what is wrong with the inputs beyond the types; parts of them may be unknown.
    #[must_use]
    fn check(_inputs: &ValueMap) -> Vec<Problem> {
        Vec::new()
    }

    /// Works out what the block brings in. Equal inputs and files make equal members, but for what is
    /// made by chance: that is [unknown](Context::by_chance) until a plan is carried out, and is kept
    /// afterwards. Parts of the inputs may be unknown: what is made of them is unknown in the same place.
    ///
    /// # Errors
    /// Everything that is wrong, with its place; also where an unknown value would decide which
    /// members there are.
    fn members(inputs: &ValueMap, context: &Context<'_>) -> Result<Vec<Member>, Vec<Trouble>>;
}

/// What a bundle is worked out with besides its inputs.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The files beside the spec.
    pub files: &'a dyn Files,
    /// The block, or one instance of it.
    pub address: &'a Address,
    /// What stands; of those that do not [keep](Bundle::KEEPS) anything, nothing.
    pub standing: &'a Standing,
}

impl Context<'_> {
    /// Returns the inputs of a member as the last apply set them, if it is there.
    #[must_use]
    pub fn standing(&self, key: &str) -> Option<&ValueMap> {
        self.standing.0.resources.get(&member_address(self.address, key))
    }

    /// Returns the keys of the members that are there, with their inputs as the last apply set them.
    pub fn all_standing(&self) -> impl Iterator<Item = (&str, &ValueMap)> {
        let block = self.address.whole_block();
        let instance = self.address.key().map(|instance| format!("{instance}/"));
        self.standing.0.resources.iter().filter_map(move |(address, inputs)| {
            let key = address.key().filter(|_| address.whole_block() == block)?;
            let key = match &instance {
                Some(instance) => key.strip_prefix(instance.as_str())?,
                None => key,
            };
            Some((key, inputs))
        })
    }

    /// Returns when the plan began to be carried out; `None` as long as it is only made. Chance is used
    /// only then, so that a plan is what it is however often it is made.
    #[must_use]
    pub fn carried_out_at(&self) -> Option<Timestamp> {
        self.standing.0.carried_out_at
    }

    /// Returns what stands for something that is made by chance once the plan is carried out.
    #[must_use]
    pub fn by_chance(&self) -> Value {
        let Value::Unknown(unknown) = Value::unknown(self.address.clone(), "chart") else {
            unreachable!("an unknown value is one")
        };
        unknown.derived()
    }
}

/// Names a member; with `for_each`, by the key of the instance as well.
pub(crate) fn member_address(whole: &Address, key: &str) -> Address {
    match whole.key() {
        Some(instance) => whole.whole_block().with_key(format!("{instance}/{key}")),
        None => whole.clone().with_key(key),
    }
}

/// The members of bundles that are there, as the last apply set them, and whether a plan is carried out.
/// A clone is equal to what it is a clone of; nothing else is, unless both are empty.
#[derive(Clone, Default)]
pub struct Standing(Arc<Stood>);

#[derive(Clone, Default)]
struct Stood {
    resources: BTreeMap<Address, ValueMap>,
    carried_out_at: Option<Timestamp>,
}

impl Standing {
    /// Says what stands while a plan is made.
    #[must_use]
    pub fn new(resources: BTreeMap<Address, ValueMap>) -> Self {
        Self(Arc::new(Stood { resources, carried_out_at: None }))
    }

    /// Says that the plan is carried out from now on.
    #[must_use]
    pub fn carried_out_at(&self, now: Timestamp) -> Self {
        Self(Arc::new(Stood { carried_out_at: Some(now), ..(*self.0).clone() }))
    }
}

impl PartialEq for Standing {
    fn eq(&self, other: &Self) -> bool {
        let is_empty = |stood: &Stood| stood.resources.is_empty() && stood.carried_out_at.is_none();
        Arc::ptr_eq(&self.0, &other.0) || (is_empty(&self.0) && is_empty(&other.0))
    }
}

/// What stands has secrets in it.
impl fmt::Debug for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Standing").finish_non_exhaustive()
    }
}

/// One resource that a bundle brings in.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Tells it from the others of the bundle.
    pub key: String,
    /// Its attributes, besides those that are [passed](Bundle::PASSED).
    pub attributes: ValueMap,
    /// The keys of the members that have to be there before it.
    pub after: Vec<String>,
    /// Where it is written, if in a file.
    pub place: Option<Place>,
}

/// A place in a file beside the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was read.
    pub file: String,
    /// Bytes of its text.
    pub range: Range<usize>,
}

/// Why a bundle cannot be worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The input that it comes from, and the place inside of it: `files[0]`, `patch.x.kind`.
    pub input: String,
    /// Where it is in a file, if it is in one.
    pub place: Option<Place>,
    /// What is wrong, to stand under the place; without a full stop.
    pub message: String,
    /// A second place that explains it, with what is to be seen there.
    pub related: Option<(Place, String)>,
    /// Why, in whole sentences; may be empty.
    pub detail: String,
    /// What to write instead, in a whole sentence.
    pub hint: Option<String>,
    /// Whether nothing is wrong but that something was not fetched yet.
    pub is_unfetched: bool,
}

impl Trouble {
    /// Describes what is wrong with an input.
    #[must_use]
    pub fn new(input: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            input: input.into(),
            place: None,
            message: message.into(),
            related: None,
            detail: String::new(),
            hint: None,
            is_unfetched: false,
        }
    }

    /// Describes what has to be fetched before more can be said.
    #[must_use]
    pub fn unfetched(input: impl Into<String>, supply: &Supply) -> Self {
        let message = format!("{supply} was not fetched");
        Self { is_unfetched: true, ..Self::new(input, message) }
    }

    /// Says where it is in a file.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    /// Names a second place that explains it.
    #[must_use]
    pub fn with_related(self, place: Place, message: impl Into<String>) -> Self {
        Self { related: Some((place, message.into())), ..self }
    }

    /// Says why.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// Says what to write instead.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// The files beside the spec, each read once and counted in the spec's digest; none that is outside
/// of the folder.
pub trait Files {
    /// Returns what a file says.
    ///
    /// # Errors
    /// Why it cannot be read, without a full stop.
    fn read(&self, path: &str) -> Result<Arc<str>, String>;

    /// Returns the paths, sorted, that a pattern stands for: `*` and `?` stand for characters of a name,
    /// `**` for any folders. Names that begin with a dot are meant only where the pattern says so.
    ///
    /// # Errors
    /// Why the folders cannot be read, without a full stop.
    fn matching(&self, pattern: &str) -> Result<Vec<String>, String>;

    /// Returns every file in a folder as bytes, by its path in there; of a file, that alone, with an
    /// empty path.
    ///
    /// # Errors
    /// Why it cannot be read, without a full stop.
    fn tree(&self, path: &str) -> Result<Arc<Tree>, String>;

    /// Returns what came of fetching something; `None` if that was not done yet. That it is needed is noted.
    fn supplied(&self, supply: &Supply) -> Option<Supplied>;
}

/// A bundle without its types. Made by [`erase`].
pub trait AnyBundle: AnyKind {
    /// Returns the kind of what it brings in.
    fn member_kind(&self) -> &Arc<dyn AnyResource>;
    /// See [`Bundle::PASSED`].
    fn passed(&self) -> &'static [&'static str];
    /// See [`Bundle::KEEPS`].
    fn keeps(&self) -> bool;
    /// See [`Bundle::members`].
    ///
    /// # Errors
    /// Everything that is wrong.
    fn work_out(&self, inputs: &ValueMap, context: &Context<'_>) -> Result<Vec<Member>, Vec<Trouble>>;
}

/// Returns a bundle without its types, given the kind of its members.
pub(crate) fn erase<B: Bundle>(member_kind: Arc<dyn AnyResource>) -> Arc<dyn AnyBundle> {
    Arc::new(Erased::<B> {
        schema: KindSchema {
            kind: Kind::new(B::KIND),
            documentation: B::Inputs::documentation(),
            inputs: B::Inputs::attributes(),
            outputs: Vec::new(),
            expansions: Vec::new(),
            example: B::EXAMPLE,
            id_form: "*",
            member_kind: Some(Kind::new(B::MEMBER_KIND)),
        },
        member_kind,
        bundle: std::marker::PhantomData,
    })
}

struct Erased<B> {
    schema: KindSchema,
    member_kind: Arc<dyn AnyResource>,
    bundle: std::marker::PhantomData<fn() -> B>,
}

impl<B: Bundle> AnyKind for Erased<B> {
    fn schema(&self) -> &KindSchema {
        &self.schema
    }

    fn members(&self) -> Option<&KindSchema> {
        Some(self.member_kind.schema())
    }

    fn identity(&self) -> &'static [&'static str] {
        &[]
    }

    fn timeouts(&self) -> Option<Timeouts> {
        self.member_kind.timeouts()
    }

    fn canonical(&self, _: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        Ok(inputs)
    }

    fn check(&self, _: &str, inputs: &ValueMap) -> Vec<Problem> {
        B::check(inputs)
    }

    fn through(&self) -> Option<&'static str> {
        self.member_kind.through().filter(|attribute| B::PASSED.contains(attribute))
    }
}

impl<B: Bundle> AnyBundle for Erased<B> {
    fn member_kind(&self) -> &Arc<dyn AnyResource> {
        &self.member_kind
    }

    fn passed(&self) -> &'static [&'static str] {
        B::PASSED
    }

    fn keeps(&self) -> bool {
        B::KEEPS
    }

    fn work_out(&self, inputs: &ValueMap, context: &Context<'_>) -> Result<Vec<Member>, Vec<Trouble>> {
        B::members(inputs, context)
    }
}
