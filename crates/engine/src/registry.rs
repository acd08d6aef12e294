//! The kinds and providers that a program was built with.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{Address, Kind};
use crate::audit::Audit;
use crate::bundle::{AnyBundle, Bundle};
use crate::cluster::ClusterProvider;
use crate::diagnosis::Diagnosis;
use crate::diagnostic::Diagnostic;
use crate::discovery::Discovery;
use crate::erased::{AnyKind, AnyResource, erase};
use crate::gate::Gate;
use crate::lookup::{AnyLookup, Lookup};
use crate::preflight::{AnyCheck, Check};
use crate::provider::Provider;
use crate::resource::{Home, Resource};
use crate::schema::KindSchema;
use crate::sharing::Sharing;
use crate::supply::Supplier;

/// The kinds and the provider that a program was built with.
#[derive(Clone)]
pub struct Registry {
    provider: Arc<dyn Provider>,
    kinds: BTreeMap<Kind, Arc<dyn AnyResource>>,
    bundles: BTreeMap<Kind, Arc<dyn AnyBundle>>,
    lookups: BTreeMap<Kind, Arc<dyn AnyLookup>>,
    gates: Vec<Arc<dyn Gate>>,
    checks: Vec<AnyCheck>,
    sharing: Option<Sharing>,
    discovery: Option<Arc<dyn Discovery>>,
    diagnosis: Option<Arc<dyn Diagnosis>>,
    audit: Option<Arc<dyn Audit>>,
    clusters: Option<Arc<dyn ClusterProvider>>,
    supplier: Option<Arc<dyn Supplier>>,
}

impl Registry {
    /// Makes a registry without kinds.
    #[must_use]
    pub fn new(provider: impl Provider + 'static) -> Self {
        Self {
            provider: Arc::new(provider),
            kinds: BTreeMap::new(),
            bundles: BTreeMap::new(),
            lookups: BTreeMap::new(),
            gates: Vec::new(),
            checks: Vec::new(),
            sharing: None,
            discovery: None,
            diagnosis: None,
            audit: None,
            clusters: None,
            supplier: None,
        }
    }

    /// Adds a kind.
    ///
    /// # Panics
    /// If two kinds have the same name.
    #[must_use]
    pub fn with<R: Resource>(mut self) -> Self {
        let previous = self.kinds.insert(Kind::new(R::KIND), erase::<R>());
        assert!(previous.is_none(), "the kind `{}` is registered twice", R::KIND);
        self
    }

    /// Adds a kind of block that brings in resources of another kind.
    ///
    /// # Panics
    /// If something else has its name, or if the kind of its members is not registered yet.
    #[must_use]
    pub fn with_bundle<B: Bundle>(mut self) -> Self {
        let member_kind = self.kind(B::MEMBER_KIND).cloned();
        let member_kind = member_kind.unwrap_or_else(|| panic!("`{}` is not registered", B::MEMBER_KIND));
        let previous = self.bundles.insert(Kind::new(B::KIND), crate::bundle::erase::<B>(member_kind));
        let is_new = previous.is_none() && !self.kinds.contains_key(B::KIND);
        assert!(is_new, "the kind `{}` is registered twice", B::KIND);
        self
    }

    /// Returns the bundle with this name.
    #[must_use]
    pub fn bundle(&self, kind: &str) -> Option<&Arc<dyn AnyBundle>> {
        self.bundles.get(kind)
    }

    /// Returns every bundle, sorted by name.
    pub fn bundles(&self) -> impl Iterator<Item = &Arc<dyn AnyBundle>> {
        self.bundles.values()
    }

    /// Returns what blocks with this word in the header describe: a kind of resource, or a bundle.
    #[must_use]
    pub fn described(&self, word: &str) -> Option<Arc<dyn AnyKind>> {
        let bundle = || self.bundle(word).map(|bundle| bundle.clone() as Arc<dyn AnyKind>);
        self.kind(word).map(|kind| kind.clone() as Arc<dyn AnyKind>).or_else(bundle)
    }

    /// Returns the kind of the resources that blocks with this word in the header stand for.
    #[must_use]
    pub fn kind_of_block(&self, word: &str) -> Option<&Arc<dyn AnyResource>> {
        self.kind(word).or_else(|| self.bundle(word).map(|bundle| bundle.member_kind()))
    }

    /// Returns everything that the headers of blocks can name, sorted: kinds, then bundles.
    pub fn all_described(&self) -> impl Iterator<Item = &dyn AnyKind> {
        let kinds = self.kinds.values().map(|kind| &**kind as &dyn AnyKind);
        kinds.chain(self.bundles.values().map(|bundle| &**bundle as &dyn AnyKind))
    }

    /// Returns the attributes of everything that a spec can describe, as the reference has a page of each:
    /// kinds, bundles and lookups.
    pub fn schemas(&self) -> impl Iterator<Item = &KindSchema> {
        let lookups = self.lookups.values().map(|lookup| lookup.schema());
        self.all_described().map(AnyKind::schema).chain(lookups)
    }

    /// Adds something that can be looked up.
    ///
    /// # Panics
    /// If two lookups have the same name.
    #[must_use]
    pub fn with_lookup<L: Lookup>(mut self) -> Self {
        let previous = self.lookups.insert(crate::lookup::kind_of(L::KIND), crate::lookup::erase::<L>());
        assert!(previous.is_none(), "the lookup `{}` is registered twice", L::KIND);
        self
    }

    /// Returns the lookup of this kind, as nodes have it.
    #[must_use]
    pub fn lookup(&self, kind: &Kind) -> Option<&Arc<dyn AnyLookup>> {
        self.lookups.get(kind)
    }

    /// Returns the lookups by the words after `kind =`, sorted.
    pub fn lookups(&self) -> impl Iterator<Item = (&str, &Arc<dyn AnyLookup>)> {
        let word = |kind: &'_ Kind| -> usize { kind.as_str().find('.').map_or(0, |dot| dot + 1) };
        self.lookups.iter().map(move |(kind, lookup)| (&kind.as_str()[word(kind)..], lookup))
    }

    /// Returns where no two things of a kind have the same id: a region of an account, or all of the
    /// account, without a region, if the kind's service is the same in all of them.
    #[must_use]
    pub fn scope<'a>(&self, kind: &Kind, home: Home<'a>) -> Home<'a> {
        let is_regional = |kind: &Arc<dyn AnyResource>| self.provider.is_regional(kind.traits().service);
        if self.kind(kind.as_str()).is_none_or(is_regional) { home } else { Home { region: "", ..home } }
    }

    /// Adds a sort of gate.
    #[must_use]
    pub fn with_gate(mut self, gate: impl Gate + 'static) -> Self {
        self.gates.push(Arc::new(gate));
        self
    }

    /// Adds a check before a run.
    ///
    /// # Panics
    /// If two checks have the same name.
    #[must_use]
    pub fn with_check<C: Check>(mut self) -> Self {
        assert!(self.checks.iter().all(|check| check.name != C::NAME), "`{}` is registered twice", C::NAME);
        self.checks.push(AnyCheck::of::<C>());
        self
    }

    /// Keeps only some of the checks.
    #[must_use]
    pub fn keeping_checks(mut self, keep: impl Fn(&AnyCheck) -> bool) -> Self {
        self.checks.retain(keep);
        self
    }

    /// Returns every check, in the order of registration.
    #[must_use]
    pub fn checks(&self) -> &[AnyCheck] {
        &self.checks
    }

    /// Says how accounts lend things to each other.
    #[must_use]
    pub fn with_sharing(self, sharing: Sharing) -> Self {
        Self { sharing: Some(sharing), ..self }
    }

    /// Says how to walk through what exists.
    #[must_use]
    pub fn with_discovery(self, discovery: impl Discovery + 'static) -> Self {
        Self { discovery: Some(Arc::new(discovery)), ..self }
    }

    /// Returns how to walk through what exists, if the program can.
    #[must_use]
    pub fn discovery(&self) -> Option<&dyn Discovery> {
        self.discovery.as_deref()
    }

    /// Says who finds out what keeps things from being deleted.
    #[must_use]
    pub fn with_diagnosis(self, diagnosis: impl Diagnosis + 'static) -> Self {
        Self { diagnosis: Some(Arc::new(diagnosis)), ..self }
    }

    /// Returns who finds out what keeps things from being deleted, if anybody does.
    #[must_use]
    pub fn diagnosis(&self) -> Option<&dyn Diagnosis> {
        self.diagnosis.as_deref()
    }

    /// Says who finds what is left behind.
    #[must_use]
    pub fn with_audit(self, audit: impl Audit + 'static) -> Self {
        Self { audit: Some(Arc::new(audit)), ..self }
    }

    /// Returns who finds what is left behind, if anybody does.
    #[must_use]
    pub fn audit(&self) -> Option<&dyn Audit> {
        self.audit.as_deref()
    }

    /// Says who connects to clusters.
    #[must_use]
    pub fn with_clusters(self, clusters: impl ClusterProvider + 'static) -> Self {
        Self { clusters: Some(Arc::new(clusters)), ..self }
    }

    /// Says who fetches what blocks are made of.
    #[must_use]
    pub fn with_supplier(self, supplier: impl Supplier + 'static) -> Self {
        Self { supplier: Some(Arc::new(supplier)), ..self }
    }

    /// Returns who fetches what blocks are made of, if anybody does.
    #[must_use]
    pub fn supplier(&self) -> Option<&dyn Supplier> {
        self.supplier.as_deref()
    }

    /// Returns who connects to clusters, if anybody does.
    #[must_use]
    pub fn clusters(&self) -> Option<&Arc<dyn ClusterProvider>> {
        self.clusters.as_ref()
    }

    /// Returns how accounts lend things to each other, if they do.
    #[must_use]
    pub fn sharing(&self) -> Option<&Sharing> {
        self.sharing.as_ref()
    }

    /// Returns every sort of gate.
    #[must_use]
    pub fn gates(&self) -> &[Arc<dyn Gate>] {
        &self.gates
    }

    /// Returns what connects to accounts.
    #[must_use]
    pub fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    /// Returns the kind with this name.
    #[must_use]
    pub fn kind(&self, kind: &str) -> Option<&Arc<dyn AnyResource>> {
        self.kinds.get(kind)
    }

    /// Returns the kind of a resource that the state has.
    ///
    /// # Errors
    /// If this program does not have it, with what to do.
    pub fn known(&self, kind: &Kind, address: &Address) -> Result<&dyn AnyResource, Box<Diagnostic>> {
        self.kind(kind.as_str()).map(|kind| &**kind).ok_or_else(|| {
            let problem = Diagnostic::error("unknown-kind", format!("the kind `{kind}` is not known"))
                .with_address(address.clone())
                .with_detail(format!("The state has {address}, which this program cannot handle."))
                .with_hint("Use the version of straddle that made it.");
            Box::new(problem)
        })
    }

    /// Returns every kind, sorted by name.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<dyn AnyResource>> {
        self.kinds.values()
    }
}
