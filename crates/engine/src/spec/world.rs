//! What expressions may refer to besides resources; fixed once a spec is loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{AccountName, Address, BlockAddress};
use crate::spec::pattern::Pattern;
use crate::value::Value;

/// What expressions may refer to besides resources.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) stack_name: String,
    /// `None` for a variable whose problem was reported.
    pub(crate) variables: BTreeMap<String, Option<Value>>,
    pub(crate) locals: BTreeMap<String, Local>,
    /// `None` for an account whose problem was reported.
    pub(crate) accounts: BTreeMap<AccountName, Option<AccountFacts>>,
    pub(crate) shapes: BTreeMap<BlockAddress, Shape>,
}

/// What an expression can ask of an account.
#[derive(Debug, Clone)]
pub(crate) struct AccountFacts {
    pub(crate) id: Value,
    pub(crate) region: Value,
}

/// An entry of `[local]`.
#[derive(Debug, Clone)]
pub(crate) enum Local {
    Known(Value),
    /// Depends on what is known only later.
    Symbolic(Arc<Pattern>),
    Broken,
}

/// Which resources a block stands for.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Single(Address),
    /// With `for_each`: by key.
    Keyed(BTreeMap<Arc<str>, Address>),
    Broken,
}

/// The key and value that an instance of a block with `for_each` has.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) key: Arc<str>,
    pub(crate) value: Arc<Pattern>,
}
