//! Lookups: what exists already and belongs to somebody else, read and never written.
//!
//! A `[lookup.NAME]` block is checked as a resource's, refers to others and is referred to as one,
//! but what it finds is no resource: the state has nothing of it. It is read while a plan is made if
//! its inputs are known by then and nothing that it waits for changes; else while the plan is carried
//! out, after what it needs.

mod read;

use std::future::Future;
use std::sync::Arc;

use crate::address::Kind;
use crate::erased::AnyKind;
use crate::provider::{BoxFuture, Connection, ErrorClass, ProviderError};
use crate::resource::{Home, Problem, Timeouts};
use crate::schema::{Attributes, KindSchema};
use crate::value::{Value, ValueMap};

pub(crate) use read::{Found, Wanted, describe, matches, read_all, read_wanted};

/// What the kind of a lookup begins with, so that it is none of a resource.
const PREFIX: &str = "lookup.";
/// The word in the header of the blocks.
pub(crate) const WORD: &str = "lookup";

/// Something that can be looked up. The connection's client is the provider's own.
pub trait Lookup: Send + Sync + 'static {
    /// The word after `kind =`.
    const KIND: &'static str;
    /// The service whose limits its calls fall under, such as `ec2`.
    const SERVICE: &'static str;
    /// The actions that have to be allowed, such as `ec2:DescribeVpcs`; they are reads, which name no thing.
    const ACTIONS: &'static [&'static str] = &[];
    /// See [`crate::resource::Resource::EXAMPLE`].
    const EXAMPLE: &'static str = "";

    /// What says which thing is meant.
    type Inputs: Attributes;
    /// What is known of it, besides its `id`.
    type Outputs: Attributes;
    /// One account in one region.
    type Client: Send + Sync + 'static;

    /// Returns what is wrong with the inputs beyond the types; parts of them may be unknown.
    #[must_use]
    fn check(_inputs: &ValueMap) -> Vec<Problem> {
        Vec::new()
    }

    /// Reads what fits the inputs. What stands for several things, such as the subnets of a network,
    /// is one match. That nothing is there is no error.
    fn read(
        client: &Self::Client,
        inputs: &Self::Inputs,
    ) -> impl Future<Output = Result<Vec<Match<Self::Outputs>>, ProviderError>> + Send;
}

/// Something that fits a lookup.
#[derive(Debug, Clone, PartialEq)]
pub struct Match<O> {
    /// What the service calls it.
    pub id: String,
    /// What people call it, if anything.
    pub name: Option<String>,
    /// What is known of it.
    pub outputs: O,
}

/// A lookup without its types. Made by [`erase`].
pub trait AnyLookup: AnyKind {
    /// See [`Lookup::SERVICE`].
    fn service(&self) -> &'static str;
    /// See [`Lookup::ACTIONS`].
    fn actions(&self) -> &'static [&'static str];
    /// See [`Lookup::read`]; the `id` is among the outputs.
    fn read<'a>(
        &'a self,
        connection: &'a Connection,
        inputs: &'a ValueMap,
    ) -> BoxFuture<'a, Result<Vec<Match<ValueMap>>, ProviderError>>;
}

/// Returns the kind of the nodes of a lookup.
pub(crate) fn kind_of(word: &str) -> Kind {
    Kind::new(format!("{PREFIX}{word}"))
}

/// Tells whether a kind is that of a lookup.
#[must_use]
pub fn is_lookup(kind: &Kind) -> bool {
    kind.as_str().starts_with(PREFIX)
}

/// Returns a lookup without its types.
#[must_use]
pub fn erase<L: Lookup>() -> Arc<dyn AnyLookup> {
    Arc::new(Erased::<L> {
        schema: KindSchema {
            kind: kind_of(L::KIND),
            documentation: L::Inputs::documentation(),
            inputs: L::Inputs::attributes(),
            outputs: L::Outputs::attributes(),
            expansions: Vec::new(),
            example: L::EXAMPLE,
            id_form: "*",
            member_kind: None,
        },
        lookup: std::marker::PhantomData,
    })
}

struct Erased<L> {
    schema: KindSchema,
    lookup: std::marker::PhantomData<fn() -> L>,
}

impl<L: Lookup> AnyKind for Erased<L> {
    fn schema(&self) -> &KindSchema {
        &self.schema
    }

    fn identity(&self) -> &'static [&'static str] {
        &[]
    }

    fn timeouts(&self) -> Option<Timeouts> {
        None
    }

    fn canonical(&self, _: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        Ok(inputs)
    }

    fn check(&self, _: &str, inputs: &ValueMap) -> Vec<Problem> {
        L::check(inputs)
    }
}

impl<L: Lookup> AnyLookup for Erased<L> {
    fn service(&self) -> &'static str {
        L::SERVICE
    }

    fn actions(&self) -> &'static [&'static str] {
        L::ACTIONS
    }

    fn read<'a>(
        &'a self,
        connection: &'a Connection,
        inputs: &'a ValueMap,
    ) -> BoxFuture<'a, Result<Vec<Match<ValueMap>>, ProviderError>> {
        Box::pin(async move {
            let typed = L::Inputs::from_values(inputs).map_err(|mismatch| {
                ProviderError::new(
                    ErrorClass::Rejected,
                    L::KIND,
                    format!("the inputs do not fit: {mismatch}"),
                )
            })?;
            let found = L::read(connection.client(), &typed).await?;
            let erased = |found: Match<L::Outputs>| {
                let mut outputs = found.outputs.to_values();
                outputs.insert("id".to_owned(), Value::from(found.id.as_str()));
                Match { id: found.id, name: found.name, outputs }
            };
            Ok(found.into_iter().map(erased).collect())
        })
    }
}
