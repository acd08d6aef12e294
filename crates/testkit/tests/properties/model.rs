//! What a generated stack wants, and how that is written as a spec.

use std::fmt::Write;

use straddle_engine::state::State;

use crate::renamed::{Renamed, moves, name_after};
use crate::toml::{Block, TAKES_EVERYTHING, reference, text};

/// The stack's name.
pub(crate) const STACK: &str = "generated";
/// The accounts' ids, by the last letter of their names.
pub(crate) const ACCOUNTS: [(&str, &str); 2] = [("a", "111111111111"), ("b", "222222222222")];

/// What a generated stack wants. Every value of this type is a spec without errors: what needs
/// something that is not there is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) networks: [Option<Network>; 2],
    pub(crate) documents: [Option<Document>; 3],
    pub(crate) renamed: Renamed,
}

/// A network and everything in it. Segments of the first one are instances of one block.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Network {
    pub(crate) generation: u8,
    pub(crate) dedicated: Option<bool>,
    pub(crate) dns: Option<bool>,
    pub(crate) names: Option<bool>,
    pub(crate) tags: u8,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) segments: [Option<Segment>; 3],
    pub(crate) relay: Option<Relay>,
    pub(crate) tables: [Option<Table>; 2],
    pub(crate) host: Option<Host>,
    pub(crate) share: Share,
}

/// What the network lends to the other account. It is there if the host needs it, or if it holds
/// a segment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Share {
    /// Which of its two names it has.
    pub(crate) other_name: bool,
    /// One bit for each segment that it holds besides those that the host needs.
    pub(crate) segments: u8,
    /// Whether a third account may use them as well.
    pub(crate) with_third: bool,
    pub(crate) tags: u8,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Gateway {
    pub(crate) tags: u8,
    pub(crate) detached: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Segment {
    pub(crate) generation: u8,
    pub(crate) public: bool,
    pub(crate) tags: u8,
    /// Which table directs its packets. The third segment has a link of its own for that.
    pub(crate) table: Option<u8>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Relay {
    pub(crate) segment: u8,
    pub(crate) pool: u8,
    pub(crate) tags: u8,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) tags: u8,
    pub(crate) entries: [Option<Target>; 2],
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    Gateway,
    Relay,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Host {
    pub(crate) image: u8,
    pub(crate) size: u8,
    pub(crate) labels: u8,
    pub(crate) tags: u8,
    /// One bit for each segment that it stands in.
    pub(crate) segments: u8,
    pub(crate) elsewhere: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Document {
    pub(crate) generation: u8,
    pub(crate) body: u8,
    pub(crate) secret: u8,
    pub(crate) remark: u8,
    pub(crate) tags: u8,
    pub(crate) protected: bool,
    pub(crate) elsewhere: bool,
    pub(crate) about: About,
}

/// What a document's data are about, and so what has to be there before it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum About {
    #[default]
    Nothing,
    /// An id.
    Network(u8),
    /// An output that stays as it is.
    Host(u8),
    /// An output that changes with every update.
    Version,
    /// No attribute: only an order.
    After(u8),
}

impl Model {
    /// Tells whether something must not be deleted.
    pub(crate) fn is_protected(&self) -> bool {
        self.documents.iter().flatten().any(|document| document.protected)
    }

    /// Gives up every protection. A document that the state protects is wanted as it is, since
    /// a protection has to be given up before what it protects can go.
    pub(crate) fn unprotect(&mut self, state: Option<&State>) {
        self.documents.iter_mut().flatten().for_each(|document| document.protected = false);
        for (address, resource) in state.iter().flat_map(|state| &state.resources) {
            let Some(object) = resource.object.as_ref().filter(|_| resource.lifecycle.prevent_destroy) else {
                continue;
            };
            let number = address.block().name[1..].split('r').next().and_then(|number| number.parse().ok());
            let number: usize = number.expect("documents are numbered");
            let name = object.inputs["name"].as_str().and_then(|name| name.split_once('-'));
            let generation = name.and_then(|(_, generation)| generation.parse().ok());
            let document = self.documents[number].get_or_insert_default();
            document.generation = generation.expect("the name of a document has its generation");
            document.elsewhere = resource.account.as_str() == "b";
        }
    }

    /// Writes the spec.
    pub(crate) fn to_toml(&self) -> String {
        let mut text = format!("[stack]\nname = \"{STACK}\"\n");
        for (name, id) in ACCOUNTS {
            write!(text, "[account.{name}]\nid = \"{id}\"\nregion = \"here\"\n").expect(TAKES_EVERYTHING);
        }
        text += "[defaults]\naccount = \"a\"\n";
        for (number, network) in self.networks.iter().enumerate() {
            if let Some(network) = network {
                text += &network.to_toml(number, self.renamed.tables[number]);
            }
        }
        for (number, document) in self.documents.iter().enumerate() {
            if let Some(document) = document {
                text += &self.document_toml(number, document);
                text += &moves("document", &format!("d{number}"), self.renamed.documents[number]);
            }
        }
        text
    }

    fn document_toml(&self, number: usize, document: &Document) -> String {
        let name = format!("d{number}-{}", document.generation);
        let here = name_after(&format!("d{number}"), self.renamed.documents[number]);
        let mut block = Block::new("document", &here);
        block.set("name", text(&name)).tags(document.tags).protect(document.protected);
        let network = |number: u8| self.networks[usize::from(number % 2)].as_ref();
        let about = match document.about {
            About::Network(of) if network(of).is_some() => format!("${{network.n{}.id}}", of % 2),
            About::Host(of) if network(of).is_some_and(|network| network.standing_host().is_some()) => {
                format!("${{host.n{}.endpoint}}", of % 2)
            }
            About::Version if number > 0 && self.documents[0].is_some() => {
                format!("version ${{document.{}.version}}", name_after("d0", self.renamed.documents[0]))
            }
            About::After(of) if network(of).is_some() => {
                block.set("depends_on", format!("[\"network.n{}\"]", of % 2));
                "nothing".to_owned()
            }
            About::Nothing | About::Network(_) | About::Host(_) | About::Version | About::After(_) => {
                "nothing".to_owned()
            }
        };
        let body = match document.body % 3 {
            0 => text(&about),
            1 => format!("{{ about = {}, parts = [1, 2, {{ deep = true }}] }}", text(&about)),
            _ => format!("[{}, {}]", document.body, text(&about)),
        };
        block.set("body", body);
        if document.secret > 0 {
            block.set("secret", text(&format!("secret-{}", document.secret)));
        }
        if document.remark > 0 {
            block.set("remark", text(&format!("remark-{}", document.remark)));
        }
        if document.elsewhere {
            block.set("account", text("b"));
        }
        block.text
    }
}

impl Network {
    /// Returns the segments that are there, by number.
    fn standing(&self) -> impl Iterator<Item = (usize, &Segment)> {
        let segments = self.segments.iter().enumerate();
        segments.filter_map(|(number, segment)| segment.as_ref().map(|segment| (number, segment)))
    }

    /// Returns the relay, if what it needs is there.
    fn standing_relay(&self) -> Option<&Relay> {
        let attached = self.gateway.as_ref().is_some_and(|gateway| !gateway.detached);
        self.relay.as_ref().filter(|relay| {
            attached && self.segments[usize::from(relay.segment) % self.segments.len()].is_some()
        })
    }

    /// Returns the host, if it has a segment to stand in.
    fn standing_host(&self) -> Option<&Host> {
        self.host.as_ref().filter(|_| self.standing().next().is_some())
    }

    fn to_toml(&self, number: usize, renamed: [u8; 2]) -> String {
        let here = format!("n{number}");
        let mut block = Block::new("network", &here);
        block.set("range", text(&format!("10.{}.0.0/16", number * 16 + usize::from(self.generation % 16))));
        block.tags(self.tags);
        if let Some(dedicated) = self.dedicated {
            block.set("tenancy", text(if dedicated { "dedicated" } else { "shared" }));
        }
        let dns = self.dns.filter(|_| self.names != Some(true));
        for (name, value) in [("dns", dns), ("names", self.names)] {
            if let Some(value) = value {
                block.set(name, value);
            }
        }
        let parts = [
            self.gateway_toml(&here),
            self.segments_toml(number),
            self.relay_toml(number),
            self.tables_toml(number, renamed),
            self.share_toml(number),
            self.host_toml(number),
            format!("[output.{here}]\nvalue = \"${{network.{here}.id}}\"\n"),
        ];
        block.text + &parts.concat()
    }

    fn gateway_toml(&self, here: &str) -> String {
        let Some(gateway) = &self.gateway else { return String::new() };
        let mut block = Block::new("gateway", here);
        if !gateway.detached {
            block.set("network", reference("network", here));
        }
        block.tags(gateway.tags).text.clone()
    }

    fn segments_toml(&self, number: usize) -> String {
        if number == 0 {
            return self.keyed_segments_toml();
        }
        let mut text = String::new();
        for (segment_number, segment) in self.standing() {
            let mut block = Block::new("segment", &format!("n{number}s{segment_number}"));
            block.set("network", reference("network", &format!("n{number}")));
            block.set("range", segment_range(number, segment_number, segment)).tags(segment.tags);
            if segment.public {
                block.set("public", true);
            }
            self.set_replace_order(&mut block);
            text += &block.text;
        }
        text
    }

    /// One block with an instance for each segment.
    fn keyed_segments_toml(&self) -> String {
        let entries: Vec<_> = self
            .standing()
            .map(|(number, segment)| {
                let range = segment_range(0, number, segment);
                format!(
                    "s{number} = {{ range = {range}, public = {}, tag = \"t{}\" }}",
                    segment.public, segment.tags
                )
            })
            .collect();
        if entries.is_empty() {
            return String::new();
        }
        let mut block = Block::new("segment", "n0");
        block.set("for_each", format!("{{ {} }}", entries.join(", ")));
        block.set("network", reference("network", "n0"));
        block.set("range", text("${each.value.range}"));
        block.set("public", text("${each.value.public}"));
        block.set("tags", "{ tag = \"${each.value.tag}\" }");
        self.set_replace_order(&mut block);
        block.text
    }

    /// A host lets go of a segment only once it has the next one.
    fn set_replace_order(&self, block: &mut Block) {
        if self.standing_host().is_some() {
            block.set("replace_order", text("create_first"));
        }
    }

    fn relay_toml(&self, number: usize) -> String {
        let Some(relay) = self.standing_relay() else { return String::new() };
        let here = format!("n{number}");
        let mut address = Block::new("address", &here);
        if relay.pool > 0 {
            address.set("pool", text(&format!("pool-{}", relay.pool)));
        }
        let mut block = Block::new("relay", &here);
        let segment = usize::from(relay.segment) % self.segments.len();
        block.set("segment", text(&segment_id(number, segment)));
        block.set("address", reference("address", &here)).tags(relay.tags);
        block.set("depends_on", format!("[\"gateway.{here}\"]"));
        address.text + &block.text
    }

    fn tables_toml(&self, number: usize, renamed: [u8; 2]) -> String {
        let mut written = String::new();
        for (table_number, table) in self.tables.iter().enumerate() {
            let Some(table) = table else { continue };
            let first_name = format!("n{number}t{table_number}");
            let mut block = Block::new("table", &name_after(&first_name, renamed[table_number]));
            block.set("network", reference("network", &format!("n{number}"))).tags(table.tags);
            let entries: Vec<_> = self.entries(number, table).collect();
            block.set("entries", format!("{{ {} }}", entries.join(", ")));
            let linked = self.standing().filter(|(segment_number, segment)| {
                *segment_number < 2 && segment.table.map(|table| usize::from(table) % 2) == Some(table_number)
            });
            let linked: Vec<_> = linked.map(|(segment, _)| text(&segment_id(number, segment))).collect();
            block.set("segments", format!("[{}]", linked.join(", ")));
            written += &block.text;
            written += &moves("table", &first_name, renamed[table_number]);
        }
        written + &self.free_link_toml(number, renamed)
    }

    fn entries(&self, number: usize, table: &Table) -> impl Iterator<Item = String> {
        let entries = table.entries.into_iter().enumerate();
        entries.filter_map(move |(entry, target)| {
            let kind = match target? {
                Target::Gateway => self.gateway.as_ref().map(|_| "gateway")?,
                Target::Relay => self.standing_relay().map(|_| "relay")?,
            };
            Some(format!("\"172.{}.0.0/16\" = {}", 16 + entry, reference(kind, &format!("n{number}"))))
        })
    }

    /// The third segment's link is a block of its own, so that it can move between tables.
    fn free_link_toml(&self, number: usize, renamed: [u8; 2]) -> String {
        let table = self.segments[2].as_ref().and_then(|segment| segment.table);
        let Some(table) = table.map(|table| usize::from(table) % 2) else { return String::new() };
        if self.tables[table].is_none() {
            return String::new();
        }
        let mut block = Block::new("table_link", &format!("n{number}"));
        let name = name_after(&format!("n{number}t{table}"), renamed[table]);
        block.set("table", reference("table", &name));
        block.set("segment", text(&segment_id(number, 2)));
        block.text
    }

    /// Returns the numbers of the segments that the host stands in.
    fn chosen(&self, host: &Host) -> Vec<usize> {
        let standing = || self.standing().map(|(segment, _)| segment);
        let chosen: Vec<_> = standing().filter(|segment| host.segments & (1 << segment) != 0).collect();
        if chosen.is_empty() { standing().take(1).collect() } else { chosen }
    }

    fn share_toml(&self, number: usize) -> String {
        let guest = self.standing_host().filter(|host| host.elsewhere);
        let needed = guest.map(|host| self.chosen(host)).unwrap_or_default();
        let standing = self.standing().map(|(segment, _)| segment);
        let held =
            standing.filter(|segment| needed.contains(segment) || self.share.segments & (1 << segment) != 0);
        let held: Vec<_> = held.collect();
        if held.is_empty() {
            return String::new();
        }
        let other = if self.share.other_name { "x" } else { "" };
        let mut block = Block::new("share", &format!("n{number}{other}"));
        block.set("resources", segment_ids(number, held));
        let third = if self.share.with_third { ", \"333333333333\"" } else { "" };
        block.set("principals", format!("[\"${{account.b.id}}\"{third}]"));
        block.tags(self.share.tags).text.clone()
    }

    fn host_toml(&self, number: usize) -> String {
        let Some(host) = self.standing_host() else { return String::new() };
        let mut block = Block::new("host", &format!("n{number}"));
        block.set("image", text(&format!("image-{}", host.image))).tags(host.tags);
        if host.size > 0 {
            block.set("size", host.size + 1);
        }
        if host.labels > 0 {
            block.set("labels", format!("{{ level = \"{}\" }}", host.labels));
        }
        block.set("segments", segment_ids(number, self.chosen(host)));
        if host.elsewhere {
            block.set("account", text("b"));
        }
        block.text
    }
}

fn segment_range(network: usize, number: usize, segment: &Segment) -> String {
    let third = number * 16 + usize::from(segment.generation % 16);
    text(&format!("10.{}.{third}.0/24", network * 16))
}

fn segment_id(network: usize, segment: usize) -> String {
    match network {
        0 => format!("${{segment.n0['s{segment}'].id}}"),
        _ => format!("${{segment.n{network}s{segment}.id}}"),
    }
}

fn segment_ids(network: usize, segments: Vec<usize>) -> String {
    let ids: Vec<_> = segments.into_iter().map(|segment| text(&segment_id(network, segment))).collect();
    format!("[{}]", ids.join(", "))
}
