//! Kinds without their types, as the engine handles them.

use std::any::{Any, TypeId};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::address::{Kind, RemoteId};
use crate::cluster::Standing;
use crate::depiction::Depiction;
use crate::permission::Need;
use crate::provider::{BoxFuture, Connection, ErrorClass, ProviderError};
use crate::resource::{
    Foreseen, Home, Intent, Listing, MadeByOthers, Observed, Problem, Readiness, Resource, Step, Timeouts,
    Traits, Way,
};
use crate::schema::{Attributes, KindSchema, TypeMismatch};
use crate::value::{Value, ValueMap};

/// Words that are read from a service.
type Told<'a> = BoxFuture<'a, Result<String, ProviderError>>;

/// What a read found, as values.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedValues {
    /// The inputs as the service has them.
    pub inputs: ValueMap,
    /// What only the service knows, `id` included.
    pub outputs: ValueMap,
    /// Whether it can be used.
    pub readiness: Readiness,
}

/// A listing of any type.
#[derive(Clone)]
pub struct AnyListing(Arc<dyn Any + Send + Sync>);

/// A step of any type.
#[derive(Clone)]
pub struct AnyStep {
    step: Arc<dyn Any + Send + Sync>,
    operation: &'static str,
    same: fn(&(dyn Any + Send + Sync), &(dyn Any + Send + Sync)) -> bool,
}

impl AnyStep {
    fn new<S: Step>(step: S) -> Self {
        let operation = step.operation();
        let same = |one: &(dyn Any + Send + Sync), other: &(dyn Any + Send + Sync)| {
            one.downcast_ref::<S>().is_some_and(|one| Some(one) == other.downcast_ref::<S>())
        };
        Self { step: Arc::new(step), operation, same }
    }

    /// Returns the operation's name in the service's API.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

impl PartialEq for AnyStep {
    fn eq(&self, other: &Self) -> bool {
        (self.same)(&*self.step, &*other.step)
    }
}

impl fmt::Debug for AnyStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.operation)
    }
}

/// What blocks describe: a kind of resource, or a lookup.
pub trait AnyKind: Send + Sync {
    /// Returns what its attributes are.
    fn schema(&self) -> &KindSchema;
    /// Returns what the attributes of the resources are that a block stands for, if these are of a kind
    /// of their own; see [`crate::bundle`].
    fn members(&self) -> Option<&KindSchema> {
        None
    }
    /// See [`Resource::IDENTITY`].
    fn identity(&self) -> &'static [&'static str];
    /// Returns how long its changes are waited for; `None` for what is only read.
    fn timeouts(&self) -> Option<Timeouts>;
    /// See [`Resource::canonical`].
    ///
    /// # Errors
    /// What is wrong with a shorthand.
    fn canonical(&self, home: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>>;
    /// See [`Resource::check_in`].
    fn check(&self, account_id: &str, inputs: &ValueMap) -> Vec<Problem>;
    /// See [`Resource::follow`].
    fn follow(&self, _attribute: &str, followed: &Value, _found: Option<&ObservedValues>) -> Option<Value> {
        Some(followed.clone())
    }
    /// See [`Resource::advice`].
    fn advice(&self, _inputs: &ValueMap) -> Vec<Problem> {
        Vec::new()
    }
    /// See [`Resource::keeps_secrets`].
    fn keeps_secrets(&self, _inputs: &ValueMap) -> bool {
        true
    }
    /// See [`Resource::THROUGH`].
    fn through(&self) -> Option<&'static str> {
        None
    }
}

/// A kind without its types. Made by [`erase`]; the methods are those of [`Resource`].
pub trait AnyResource: AnyKind {
    /// Returns how the engine must treat it.
    fn traits(&self) -> Traits;
    /// See [`Resource::essential`].
    fn essential(&self, found: ValueMap) -> ValueMap;
    /// See [`Resource::shorthands`].
    fn shorthands(&self, home: Home<'_>, attribute: &str, value: &Value) -> Vec<Value>;
    /// See [`Resource::EXCLUSIVE`].
    fn exclusive(&self) -> &'static [&'static str];
    /// See [`Resource::RETAINED`].
    fn retained(&self) -> bool;
    /// See [`Resource::MADE_BY`].
    fn made_by(&self) -> Option<MadeByOthers>;
    /// See [`Resource::DEPICTION`].
    fn depiction(&self) -> Depiction;
    /// See [`Resource::ARN`].
    fn arn(&self) -> &'static str;
    /// See [`Resource::PERMISSIONS`].
    fn permissions(&self) -> &'static [Need];
    /// See [`Resource::standing`].
    fn standing(&self, inputs: &ValueMap) -> Standing;
    /// See [`Resource::FORESEES`].
    fn foresees(&self) -> bool;
    /// See [`Resource::foresee`].
    fn foresee<'a>(
        &'a self,
        connection: &'a Connection,
        found: Option<&'a ObservedValues>,
        wanted: &'a ValueMap,
    ) -> BoxFuture<'a, Result<Foreseen<ValueMap>, ProviderError>>;
    /// See [`Resource::said`].
    fn said<'a>(&'a self, connection: &'a Connection, inputs: &'a ValueMap) -> Told<'a>;
    /// Tells which kinds share a listing: those with the same id.
    fn listing_id(&self) -> TypeId;
    /// See [`Listing::fetch`].
    fn fetch<'a>(
        &'a self,
        connection: &'a Connection,
        ids: &'a [RemoteId],
    ) -> BoxFuture<'a, Result<AnyListing, ProviderError>>;
    /// See [`Listing::SPARED`].
    fn spared(&self) -> &'static [&'static str];
    /// See [`Listing::survey`].
    fn survey<'a>(
        &'a self,
        connection: &'a Connection,
        ids: &'a [RemoteId],
        wanted: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<AnyListing, ProviderError>>;
    /// See [`Resource::observe`].
    fn observe(&self, listing: &AnyListing, id: &RemoteId) -> Option<ObservedValues>;
    /// See [`Resource::must_replace_in`].
    fn must_replace(&self, observed: &ValueMap, attribute: &str, before: &Value, after: &Value) -> bool;
    /// See [`Resource::waypoint`].
    fn waypoint(&self, attribute: &str, way: &Way<'_>) -> Option<Value>;
    /// See [`Resource::check_change`].
    fn check_change(&self, attribute: &'static str, before: &Value, after: &Value) -> Option<Problem>;
    /// See [`Resource::create`].
    fn create<'a>(
        &'a self,
        connection: &'a Connection,
        intent: &'a Intent,
        inputs: &'a ValueMap,
    ) -> BoxFuture<'a, Result<RemoteId, ProviderError>>;
    /// See [`Resource::next_step`].
    ///
    /// # Errors
    /// If the values do not fit the kind's attributes.
    fn next_step(
        &self,
        observed: &ObservedValues,
        desired: Option<&ValueMap>,
    ) -> Result<Option<AnyStep>, TypeMismatch>;
    /// See [`Resource::verify`].
    fn verify<'a>(
        &'a self,
        connection: &'a Connection,
        observed: &'a ObservedValues,
        desired: &'a ValueMap,
    ) -> BoxFuture<'a, Result<Readiness, ProviderError>>;
    /// See [`Resource::remains`].
    fn remains(&self, observed: &ObservedValues) -> Option<String>;
    /// See [`Resource::release`].
    fn release(&self, observed: &ObservedValues) -> Option<AnyStep>;
    /// See [`Resource::may_delete`].
    fn may_delete<'a>(
        &'a self,
        connection: &'a Connection,
        observed: &'a ObservedValues,
    ) -> BoxFuture<'a, Result<(), ProviderError>>;
    /// See [`Resource::perform`].
    fn perform<'a>(
        &'a self,
        connection: &'a Connection,
        id: &'a RemoteId,
        step: &'a AnyStep,
    ) -> BoxFuture<'a, Result<Option<RemoteId>, ProviderError>>;
    /// See [`Resource::find`].
    fn find<'a>(
        &'a self,
        connection: &'a Connection,
        intent: &'a Intent,
        inputs: &'a ValueMap,
    ) -> BoxFuture<'a, Result<Vec<RemoteId>, ProviderError>>;
}

/// Returns a kind without its types.
#[must_use]
pub fn erase<R: Resource>() -> Arc<dyn AnyResource> {
    Arc::new(Erased::<R> {
        schema: KindSchema {
            kind: Kind::new(R::KIND),
            documentation: R::Inputs::documentation(),
            inputs: R::Inputs::attributes(),
            outputs: R::Outputs::attributes(),
            expansions: R::expansions(),
            example: R::EXAMPLE,
            id_form: R::ID_FORM,
            member_kind: None,
        },
        resource: std::marker::PhantomData,
    })
}

struct Erased<R> {
    schema: KindSchema,
    resource: std::marker::PhantomData<fn() -> R>,
}

impl<R: Resource> AnyKind for Erased<R> {
    fn schema(&self) -> &KindSchema {
        &self.schema
    }

    fn identity(&self) -> &'static [&'static str] {
        R::IDENTITY
    }

    fn timeouts(&self) -> Option<Timeouts> {
        Some(R::TRAITS.timeouts)
    }

    fn canonical(&self, home: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        R::canonical(home, inputs)
    }

    fn check(&self, account_id: &str, inputs: &ValueMap) -> Vec<Problem> {
        R::check_in(account_id, inputs)
    }

    fn follow(&self, attribute: &str, followed: &Value, found: Option<&ObservedValues>) -> Option<Value> {
        let found = found.and_then(|found| typed_observed::<R>(found).ok());
        R::follow(attribute, followed, found.as_ref())
    }

    fn advice(&self, inputs: &ValueMap) -> Vec<Problem> {
        R::advice(inputs)
    }

    fn keeps_secrets(&self, inputs: &ValueMap) -> bool {
        R::keeps_secrets(inputs)
    }

    fn through(&self) -> Option<&'static str> {
        R::THROUGH
    }
}

impl<R: Resource> AnyResource for Erased<R> {
    fn traits(&self) -> Traits {
        R::TRAITS
    }

    fn essential(&self, found: ValueMap) -> ValueMap {
        R::essential(found)
    }

    fn shorthands(&self, home: Home<'_>, attribute: &str, value: &Value) -> Vec<Value> {
        R::shorthands(home, attribute, value)
    }

    fn exclusive(&self) -> &'static [&'static str] {
        R::EXCLUSIVE
    }

    fn retained(&self) -> bool {
        R::RETAINED
    }

    fn made_by(&self) -> Option<MadeByOthers> {
        R::MADE_BY
    }

    fn depiction(&self) -> Depiction {
        R::DEPICTION
    }

    fn arn(&self) -> &'static str {
        R::ARN
    }

    fn permissions(&self) -> &'static [Need] {
        R::PERMISSIONS
    }

    fn standing(&self, inputs: &ValueMap) -> Standing {
        R::standing(inputs)
    }

    fn foresees(&self) -> bool {
        R::FORESEES
    }

    fn foresee<'a>(
        &'a self,
        connection: &'a Connection,
        found: Option<&'a ObservedValues>,
        wanted: &'a ValueMap,
    ) -> BoxFuture<'a, Result<Foreseen<ValueMap>, ProviderError>> {
        Box::pin(async move {
            let wanted = typed::<R::Inputs>("foresee", wanted)?;
            let observed = found.map(typed_observed::<R>).transpose();
            let observed = observed.map_err(|mismatch| unfit("foresee", &mismatch))?;
            let foreseen = R::foresee(connection.client(), observed.as_ref(), &wanted).await?;
            let Foreseen { found, immutable, refusal, is_by_another } = foreseen;
            let found = found.map(|inputs| inputs.to_values());
            Ok(Foreseen { found, immutable, refusal, is_by_another })
        })
    }

    fn said<'a>(&'a self, connection: &'a Connection, inputs: &'a ValueMap) -> Told<'a> {
        Box::pin(async move { R::said(connection.client(), &typed::<R::Inputs>("said", inputs)?).await })
    }

    fn listing_id(&self) -> TypeId {
        TypeId::of::<R::Listing>()
    }

    fn fetch<'a>(
        &'a self,
        connection: &'a Connection,
        ids: &'a [RemoteId],
    ) -> BoxFuture<'a, Result<AnyListing, ProviderError>> {
        Box::pin(async move {
            let listing = R::Listing::fetch(connection.client(), ids).await?;
            Ok(AnyListing(Arc::new(listing)))
        })
    }

    fn spared(&self) -> &'static [&'static str] {
        R::Listing::SPARED
    }

    fn survey<'a>(
        &'a self,
        connection: &'a Connection,
        ids: &'a [RemoteId],
        wanted: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<AnyListing, ProviderError>> {
        Box::pin(async move {
            let listing = R::Listing::survey(connection.client(), ids, wanted).await?;
            Ok(AnyListing(Arc::new(listing)))
        })
    }

    fn observe(&self, listing: &AnyListing, id: &RemoteId) -> Option<ObservedValues> {
        let listing =
            listing.0.downcast_ref().expect("a listing is only read by kinds with the same listing id");
        let observed = R::observe(listing, id)?;
        let mut outputs = observed.outputs.to_values();
        outputs.insert("id".to_owned(), Value::from(id.as_str()));
        Some(ObservedValues { inputs: observed.inputs.to_values(), outputs, readiness: observed.readiness })
    }

    fn must_replace(&self, observed: &ValueMap, attribute: &str, before: &Value, after: &Value) -> bool {
        R::must_replace_in(observed, attribute, before, after)
    }

    fn waypoint(&self, attribute: &str, way: &Way<'_>) -> Option<Value> {
        R::waypoint(attribute, way)
    }

    fn check_change(&self, attribute: &'static str, before: &Value, after: &Value) -> Option<Problem> {
        R::check_change(attribute, before, after)
    }

    fn create<'a>(
        &'a self,
        connection: &'a Connection,
        intent: &'a Intent,
        inputs: &'a ValueMap,
    ) -> BoxFuture<'a, Result<RemoteId, ProviderError>> {
        Box::pin(async move {
            let inputs = typed::<R::Inputs>("create", inputs)?;
            R::create(connection.client(), intent, &inputs).await
        })
    }

    fn next_step(
        &self,
        observed: &ObservedValues,
        desired: Option<&ValueMap>,
    ) -> Result<Option<AnyStep>, TypeMismatch> {
        let observed = typed_observed::<R>(observed)?;
        let desired = desired.map(R::Inputs::from_values).transpose()?;
        Ok(R::next_step(&observed, desired.as_ref()).map(AnyStep::new))
    }

    fn verify<'a>(
        &'a self,
        connection: &'a Connection,
        observed: &'a ObservedValues,
        desired: &'a ValueMap,
    ) -> BoxFuture<'a, Result<Readiness, ProviderError>> {
        Box::pin(async move {
            let desired = typed::<R::Inputs>("verify", desired)?;
            let observed = typed_observed::<R>(observed).map_err(|mismatch| unfit("verify", &mismatch))?;
            R::verify(connection.client(), &observed, &desired).await
        })
    }

    fn remains(&self, observed: &ObservedValues) -> Option<String> {
        R::remains(&typed_observed::<R>(observed).ok()?)
    }

    fn release(&self, observed: &ObservedValues) -> Option<AnyStep> {
        R::release(&typed_observed::<R>(observed).ok()?).map(AnyStep::new)
    }

    fn may_delete<'a>(
        &'a self,
        connection: &'a Connection,
        observed: &'a ObservedValues,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(async move {
            let observed =
                typed_observed::<R>(observed).map_err(|mismatch| unfit("may_delete", &mismatch))?;
            R::may_delete(connection.client(), &observed).await
        })
    }

    fn perform<'a>(
        &'a self,
        connection: &'a Connection,
        id: &'a RemoteId,
        step: &'a AnyStep,
    ) -> BoxFuture<'a, Result<Option<RemoteId>, ProviderError>> {
        let step =
            step.step.downcast_ref::<R::Step>().expect("a step is performed by the kind that named it");
        Box::pin(R::perform(connection.client(), id, step))
    }

    fn find<'a>(
        &'a self,
        connection: &'a Connection,
        intent: &'a Intent,
        inputs: &'a ValueMap,
    ) -> BoxFuture<'a, Result<Vec<RemoteId>, ProviderError>> {
        Box::pin(async move {
            let inputs = typed::<R::Inputs>("find", inputs)?;
            R::find(connection.client(), intent, &inputs).await
        })
    }
}

fn typed_observed<R: Resource>(
    found: &ObservedValues,
) -> Result<Observed<R::Inputs, R::Outputs>, TypeMismatch> {
    Ok(Observed {
        inputs: R::Inputs::from_values(&found.inputs)?,
        outputs: R::Outputs::from_values(&found.outputs)?,
        readiness: found.readiness.clone(),
    })
}

fn typed<A: Attributes>(method: &str, values: &ValueMap) -> Result<A, ProviderError> {
    A::from_values(values).map_err(|mismatch| unfit(method, &mismatch))
}

fn unfit(method: &str, mismatch: &TypeMismatch) -> ProviderError {
    ProviderError::new(ErrorClass::Rejected, method, mismatch.to_string())
}
