//! What the live reads found, beside what the state knows.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::erased::ObservedValues;

/// What the live reads found of every resource in the state.
pub type Observations = BTreeMap<Address, Observation>;

/// What the live reads found of one resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// The current object; `None` if the state has none or it is gone.
    pub object: Option<ObservedValues>,
    /// The deposed objects, in the state's order; `None` for one that is gone.
    pub deposed: Vec<Option<ObservedValues>>,
    /// Whether attributes of the current object were left out, see [`Listing::SPARED`].
    ///
    /// [`Listing::SPARED`]: crate::resource::Listing::SPARED
    pub is_brief: bool,
    /// Whether nobody could be asked, and the user has it let go of then: it may be there or not.
    pub is_out_of_reach: bool,
}
