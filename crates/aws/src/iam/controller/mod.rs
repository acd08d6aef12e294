//! What the AWS Load Balancer Controller may do: its policy, for each of its versions.
//!
//! The policy belongs to a version: from v2.9.0 on the controller describes attributes of listeners
//! in every round, and with the policy of an older one it is refused each time. The facts are those
//! of the project's installation guide ("Installation", `docs/install/iam_policy.json` of each tag).

mod document;
mod missing;
mod short;
mod version;

pub(crate) use missing::{lacking, missing};
pub(crate) use short::{canonical, shorthands};
pub(crate) use version::Version;
