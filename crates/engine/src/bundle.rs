//! Blocks that bring in many resources of another kind, worked out by the provider: the objects in
//! files of manifests, those of a chart.
//!
//! A bundle is no resource: the state has nothing of it. What it brings in are resources like any
//! others, named by key as those of `for_each` are: `kubernetes_manifests.shop['Service/shop/web']`.
//! Which ones there are has to be known when the spec is loaded; what is in them need not be. Their
//! attributes are worked out anew by the plan and by the apply, by the same function, with what is
//! known by then.

use std::ops::Range;
use std::sync::Arc;

use crate::address::Kind;
use crate::erased::{AnyKind, AnyResource};
use crate::resource::{Home, Problem, Timeouts};
use crate::schema::{Attributes, KindSchema};
use crate::value::ValueMap;

/// A kind of block that brings in resources of another kind.
pub trait Bundle: Send + Sync + 'static {
    /// The word in the block's header.
    const KIND: &'static str;
    /// The kind of what it brings in.
    const MEMBER_KIND: &'static str;
    /// The attributes that every member has as they are written in the block, such as where it lives.
    const PASSED: &'static [&'static str] = &[];
    /// See [`crate::resource::Resource::EXAMPLE`].
    const EXAMPLE: &'static str = "";

    /// What the user writes.
    type Inputs: Attributes;

    /// Returns what is wrong with the inputs beyond the types; parts of them may be unknown.
    #[must_use]
    fn check(_inputs: &ValueMap) -> Vec<Problem> {
        Vec::new()
    }

    /// Works out what the block brings in. Equal inputs and files make equal members. Parts of the
    /// inputs may be unknown: what is made of them is unknown in the same place.
    ///
    /// # Errors
    /// Everything that is wrong, with its place; also where an unknown value would decide which
    /// members there are.
    fn members(inputs: &ValueMap, files: &dyn Files) -> Result<Vec<Member>, Vec<Trouble>>;
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
        }
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
}

/// A bundle without its types. Made by [`erase`].
pub trait AnyBundle: AnyKind {
    /// Returns the kind of what it brings in.
    fn member_kind(&self) -> &Arc<dyn AnyResource>;
    /// See [`Bundle::PASSED`].
    fn passed(&self) -> &'static [&'static str];
    /// See [`Bundle::members`].
    ///
    /// # Errors
    /// Everything that is wrong.
    fn work_out(&self, inputs: &ValueMap, files: &dyn Files) -> Result<Vec<Member>, Vec<Trouble>>;
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

    fn work_out(&self, inputs: &ValueMap, files: &dyn Files) -> Result<Vec<Member>, Vec<Trouble>> {
        B::members(inputs, files)
    }
}
