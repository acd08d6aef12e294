//! Charts: read, filled with values, and rendered to objects, without a `helm` binary.
//!
//! [`Chart`] is what somebody wrote, [`render()`] makes objects of it and of values, and neither reads
//! anything but what it is given. What Helm does was tried on its binaries (`tests/helm`).

mod capabilities;
mod chart;
mod dependencies;
pub mod fetch;
mod files;
mod functions;
pub mod lock;
mod manifests;
mod render;
mod schema;
mod supplier;
mod template;
mod values;
pub mod version;
pub mod yaml;

pub use capabilities::Capabilities;
pub use chart::{Chart, ChartError, ChartFile, Dependency, LARGEST_ARCHIVE, Metadata};
pub use manifests::{DeletePolicy, Event, Hook, Manifest, ManifestError, Rendered};
pub use render::{Answers, Keys, Query, Release, RenderError, Surroundings, render};
pub use supplier::ChartSupplier;
pub use template::TemplateError;
pub use values::{Values, overlay};
