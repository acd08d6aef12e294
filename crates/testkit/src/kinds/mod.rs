//! Resource kinds on the simulated cloud, each with the shapes that kinds of AWS have.
//!
//! | kind | stands for | what is peculiar |
//! | --- | --- | --- |
//! | `network` | VPC | no token and no natural key; attributes set one per call, one before the other |
//! | `segment` | subnet | the range is the natural key; the old one goes before the new one comes |
//! | `gateway` | internet gateway | attaching and detaching are steps |
//! | `address` | elastic IP | no token; cannot go while it is used |
//! | `relay` | NAT gateway | token; long pending; may fail with a reason; listed for long after |
//! | `table` | route table | token; its entries and links are resources of their own |
//! | `table_entry` | route | no tags; the id is the natural key; changed in place |
//! | `table_link` | association | no tags; moving it to another table gives it a new id |
//! | `host` | cluster | sets and maps; busy while it changes; may stand on another account's segments |
//! | `share` | resource share | members come and go one by one; others see them only after a while |
//! | `platform` | control plane | its release goes up one by one, once its workers have come as far |
//! | `worker` | node group, add-on | its release and its driver follow those of its platform |
//! | `note` | object in a cluster | reached by way of its platform, names others, and is kept in other words |
//! | `intake` | Ingress | a controller makes a spout for it, and takes it away with it |
//! | `spout` | what a controller makes | nobody here makes it or deletes it |
//! | `document` | IAM policy | any value; a secret that is never returned; an output that changes |
//! | `collection` | files of manifests | no resource itself: brings in documents, read from files |

mod address;
mod calls;
mod collection;
mod document;
mod gateway;
mod host;
mod intake;
mod lodgers;
mod lookups;
mod network;
mod note;
mod platform;
mod range;
mod relay;
mod segment;
mod share;
mod spout;
mod table;
mod table_entry;
mod table_link;
mod vacancy;
mod worker;

use straddle_engine::registry::Registry;

pub use address::Address;
pub use collection::Collection;
pub use document::Document;
pub use gateway::Gateway;
pub use host::Host;
pub use intake::Intake;
pub use lodgers::Lodgers;
pub use lookups::{FindNetwork, FindSegments, NetworkFilter};
pub use network::Network;
pub use note::Note;
pub use platform::Platform;
pub use relay::Relay;
pub use segment::Segment;
pub use share::Share;
pub use spout::Spout;
pub use table::Table;
pub use table_entry::TableEntry;
pub use table_link::TableLink;
pub use vacancy::Vacancy;
pub use worker::Worker;

pub(crate) use share::{PRINCIPALS, RESOURCES};

use crate::client::{CloudProvider, Platforms};
use crate::cloud::Rules;

/// Returns every kind on the provider of a cloud.
#[must_use]
pub fn registry(provider: CloudProvider) -> Registry {
    Registry::new(provider)
        .with::<Address>()
        .with::<Document>()
        .with::<Gateway>()
        .with::<Host>()
        .with::<Intake>()
        .with::<Network>()
        .with::<Note>()
        .with::<Platform>()
        .with::<Relay>()
        .with::<Segment>()
        .with::<Share>()
        .with::<Spout>()
        .with::<Table>()
        .with::<TableEntry>()
        .with::<TableLink>()
        .with::<Worker>()
        .with_clusters(Platforms)
        .with_bundle::<Collection>()
        .with_lookup::<FindNetwork>()
        .with_lookup::<FindSegments>()
        .with_gate(Vacancy)
        .with_diagnosis(Lodgers)
        .with_sharing(share::SHARING)
}

/// Returns what the cloud knows of a kind.
///
/// # Panics
/// If there is no such kind.
#[must_use]
pub fn rules_of(kind: &str) -> &'static Rules {
    const ALL: [&Rules; 17] = [
        &address::RULES,
        &document::RULES,
        &gateway::RULES,
        &host::RULES,
        &intake::RULES,
        &network::RULES,
        &note::RULES,
        &platform::RULES,
        &relay::RULES,
        &segment::RULES,
        &share::RULES,
        &spout::RULES,
        &table::RULES,
        &table_entry::RULES,
        &table_link::RULES,
        &vacancy::INTERFACE,
        &worker::RULES,
    ];
    let found = ALL.into_iter().find(|rules| rules.kind == kind);
    found.unwrap_or_else(|| panic!("the cloud has no kind `{kind}`"))
}
