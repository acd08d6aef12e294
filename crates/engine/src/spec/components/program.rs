//! Everything that was read, of all components, and nothing evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{AccountName, Address, BlockAddress, ComponentPath};
use crate::diagnostic::{SourceId, Span};
use crate::spec::accounts::AccountBlock;
use crate::spec::components::body::{Defaults, Output};
use crate::spec::imports::ImportBlock;
use crate::spec::pattern::Pattern;
use crate::spec::refactoring::Refactoring;
use crate::spec::resource_block::ResourceBlock;
use crate::spec::stack::StackBlock;
use crate::spec::variables::VariableType;
use crate::spec::world::LocalName;

/// Everything that was read, of all components, and nothing evaluated.
pub(crate) struct Program {
    pub(crate) stack: StackBlock,
    pub(crate) locals: BTreeMap<LocalName, Arc<Pattern>>,
    /// What the inputs of components have to be.
    pub(crate) input_checks: BTreeMap<LocalName, InputCheck>,
    pub(crate) accounts: BTreeMap<AccountName, AccountBlock>,
    /// How the accounts of the stack are called in each component.
    pub(crate) settings: BTreeMap<ComponentPath, Setting>,
    pub(crate) defaults: BTreeMap<(ComponentPath, SourceId), Defaults>,
    pub(crate) resources: BTreeMap<BlockAddress, ResourceBlock>,
    pub(crate) outputs: BTreeMap<String, Output>,
    pub(crate) refactoring: Refactoring,
    pub(crate) imports: Vec<ImportBlock>,
}

/// What an input has to be.
pub(crate) struct InputCheck {
    pub(crate) wanted: VariableType,
    /// Where the component says so.
    pub(crate) declared: Span,
}

/// How the accounts of the stack are called in one instance of a component.
pub(crate) struct Setting {
    /// By alias.
    pub(crate) accounts: BTreeMap<AccountName, AccountName>,
    /// Where resources live that do not say so.
    pub(crate) account: DefaultAccount,
}

/// Where resources of a component live that do not say so.
#[derive(Debug, Clone)]
pub(crate) enum DefaultAccount {
    Known(AccountName),
    /// Where the component's user would put a resource that stands in the place of this `[use]`.
    OfUser(ComponentPath, Span),
    /// The component has several accounts, or a problem was reported.
    None,
}

impl Program {
    pub(crate) fn new(stack: StackBlock, accounts: BTreeMap<AccountName, AccountBlock>) -> Self {
        Self {
            stack,
            locals: BTreeMap::new(),
            input_checks: BTreeMap::new(),
            accounts,
            settings: BTreeMap::new(),
            defaults: BTreeMap::new(),
            resources: BTreeMap::new(),
            outputs: BTreeMap::new(),
            refactoring: Refactoring::default(),
            imports: Vec::new(),
        }
    }

    /// Replaces every component in a `depends_on` by all blocks in it.
    pub(crate) fn wait_for_components(&mut self) {
        let waits = |(address, _): &(Address, Span)| is_use(address);
        if !self.resources.values().any(|resource| resource.depends_on.iter().any(waits)) {
            return;
        }
        let mut inside = BTreeMap::<ComponentPath, Vec<BlockAddress>>::new();
        for address in self.resources.keys() {
            for depth in 1..=address.component.depth() {
                let path = address.component.outer(depth);
                if path.key().is_some() {
                    inside.entry(path.without_key()).or_default().push(address.clone());
                }
                inside.entry(path).or_default().push(address.clone());
            }
        }
        for resource in self.resources.values_mut() {
            let (uses, mut others): (Vec<_>, Vec<_>) =
                std::mem::take(&mut resource.depends_on).into_iter().partition(waits);
            for (address, span) in uses {
                let path = address.component().join(address.block().name.clone(), address.key());
                let blocks = inside.get(&path).into_iter().flatten();
                others.extend(blocks.map(|block| (Address::of_block(block.clone()), span)));
            }
            resource.depends_on = others;
        }
    }
}

/// Tells whether an address in a `depends_on` names a component: `use.network`.
pub(crate) fn is_use(address: &Address) -> bool {
    address.block().kind.as_str() == "use"
}
