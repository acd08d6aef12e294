//! YAML as charts have it: read and written the way Kubernetes' tools do, by the rules of YAML 1.1.

mod read;
mod resolve;
mod write;

pub use read::{YamlError, document, documents};
pub use write::{Lists, write};
