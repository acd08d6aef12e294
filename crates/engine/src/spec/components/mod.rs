//! Components: folders that a spec uses, each once or many times.
//!
//! 1. [`library`] reads the spec's folder and those of its components, each into a [`body`];
//! 2. [`check`] compares what every `[use]` gives with what the component wants;
//! 3. [`linker`] puts all instances into one [`program`], with [`names`] as they are inside.

pub(crate) mod aliases;
pub(crate) mod body;
pub(crate) mod check;
pub(crate) mod library;
pub(crate) mod linker;
mod names;
pub(crate) mod program;
mod read;

pub(crate) use read::component_alone;
