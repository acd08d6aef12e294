//! The plan: what has to change, why, and in which order. Pure: no reads, no writes, no clock.

mod model;

pub use model::{
    AttributeChange, Change, ChangeAction, Drift, Mode, OutputChange, Plan, PlannedAccount, Reason,
};
