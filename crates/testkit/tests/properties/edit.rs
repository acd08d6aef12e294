//! What users do to a spec.

use serde::{Deserialize, Serialize};

use crate::model::{About, Document, Gateway, Host, Model, Network, Relay, Segment, Table, Target};

/// One change of a spec. Numbers out of range are taken modulo what there is, so that every
/// edit makes sense with every model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Edit {
    pub(crate) what: What,
    /// The number of the network or document.
    pub(crate) of: u8,
    /// The number of the part.
    pub(crate) part: u8,
    pub(crate) value: u8,
}

/// What an edit changes. `Toggle` adds what is not there and takes away what is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum What {
    ToggleNetwork,
    ToggleGateway,
    ToggleSegment,
    ToggleRelay,
    ToggleTable,
    ToggleHost,
    ToggleDocument,
    NetworkRange,
    NetworkTenancy,
    NetworkSwitches,
    NetworkTags,
    GatewayAttachment,
    SegmentRange,
    SegmentPublic,
    SegmentTable,
    RelaySegment,
    RelayPool,
    TableEntry,
    TableRename,
    PartTags,
    HostImage,
    HostSize,
    HostSegments,
    HostLabels,
    HostAccount,
    ShareName,
    ShareSegments,
    ShareAccounts,
    DocumentName,
    DocumentBody,
    DocumentAbout,
    DocumentSecret,
    DocumentAccount,
    DocumentProtection,
    DocumentRename,
}

impl What {
    pub(crate) const ALL: [Self; 35] = [
        Self::ToggleNetwork,
        Self::ToggleGateway,
        Self::ToggleSegment,
        Self::ToggleRelay,
        Self::ToggleTable,
        Self::ToggleHost,
        Self::ToggleDocument,
        Self::NetworkRange,
        Self::NetworkTenancy,
        Self::NetworkSwitches,
        Self::NetworkTags,
        Self::GatewayAttachment,
        Self::SegmentRange,
        Self::SegmentPublic,
        Self::SegmentTable,
        Self::RelaySegment,
        Self::RelayPool,
        Self::TableEntry,
        Self::TableRename,
        Self::PartTags,
        Self::HostImage,
        Self::HostSize,
        Self::HostSegments,
        Self::HostLabels,
        Self::HostAccount,
        Self::ShareName,
        Self::ShareSegments,
        Self::ShareAccounts,
        Self::DocumentName,
        Self::DocumentBody,
        Self::DocumentAbout,
        Self::DocumentSecret,
        Self::DocumentAccount,
        Self::DocumentProtection,
        Self::DocumentRename,
    ];
}

impl Edit {
    /// Changes a model.
    pub(crate) fn apply(self, model: &mut Model) {
        let network = &mut model.networks[usize::from(self.of % 2)];
        let document = &mut model.documents[usize::from(self.of % 3)];
        match self.what {
            What::ToggleNetwork => toggle(network, || furnished(self.value)),
            What::DocumentRename => Self::rename(&mut model.renamed.documents[usize::from(self.of % 3)]),
            What::TableRename => {
                let tables = &mut model.renamed.tables[usize::from(self.of % 2)];
                Self::rename(&mut tables[usize::from(self.part % 2)]);
            }
            What::ToggleDocument => toggle(document, Document::default),
            What::DocumentName
            | What::DocumentBody
            | What::DocumentAbout
            | What::DocumentSecret
            | What::DocumentAccount
            | What::DocumentProtection => {
                self.apply_to_document(document.get_or_insert_default());
            }
            _ => self.apply_to_network(network.get_or_insert_default()),
        }
    }

    /// Gives a block a name that it never had.
    fn rename(times: &mut u8) {
        *times = times.saturating_add(1);
    }

    fn apply_to_document(self, document: &mut Document) {
        match self.what {
            What::DocumentName => document.generation = document.generation.wrapping_add(1),
            What::DocumentBody => document.body = self.value,
            What::DocumentAbout => {
                document.about = match self.value % 5 {
                    0 => About::Nothing,
                    1 => About::Network(self.part),
                    2 => About::Host(self.part),
                    3 => About::Version,
                    _ => About::After(self.part),
                };
            }
            What::DocumentSecret => (document.secret, document.remark) = (self.value, self.part),
            What::DocumentAccount => document.elsewhere = !document.elsewhere,
            What::DocumentProtection => document.protected = !document.protected,
            _ => unreachable!("only edits of documents come here"),
        }
    }

    fn apply_to_network(self, network: &mut Network) {
        let part = usize::from(self.part);
        match self.what {
            What::ToggleGateway => toggle(&mut network.gateway, Gateway::default),
            What::ToggleSegment => toggle(&mut network.segments[part % 3], Segment::default),
            What::ToggleRelay => toggle(&mut network.relay, Relay::default),
            What::ToggleTable => toggle(&mut network.tables[part % 2], Table::default),
            What::ToggleHost => {
                toggle(&mut network.host, || Host { segments: self.value, ..Host::default() });
            }
            What::NetworkRange => network.generation = network.generation.wrapping_add(1),
            What::NetworkTenancy => network.dedicated = choice(self.value),
            What::NetworkSwitches => (network.dns, network.names) = (choice(self.value), choice(self.part)),
            What::NetworkTags => network.tags = self.value,
            What::GatewayAttachment => {
                let gateway = network.gateway.get_or_insert_default();
                gateway.detached = !gateway.detached;
            }
            What::SegmentRange | What::SegmentPublic | What::SegmentTable => {
                self.apply_to_segment(network.segments[part % 3].get_or_insert_default());
            }
            What::RelaySegment => network.relay.get_or_insert_default().segment = self.value % 3,
            What::RelayPool => network.relay.get_or_insert_default().pool = self.value % 3,
            What::TableEntry => {
                let table = network.tables[part % 2].get_or_insert_default();
                table.entries[usize::from(self.value & 1)] = match self.value % 3 {
                    0 => None,
                    1 => Some(Target::Gateway),
                    _ => Some(Target::Relay),
                };
            }
            What::ShareName => network.share.other_name = !network.share.other_name,
            What::ShareSegments => network.share.segments = self.value,
            What::ShareAccounts => network.share.with_third = !network.share.with_third,
            What::PartTags => self.tag_part(network),
            What::HostImage | What::HostSize | What::HostSegments | What::HostLabels | What::HostAccount => {
                self.apply_to_host(network.host.get_or_insert_default());
            }
            _ => unreachable!("only edits of networks come here"),
        }
    }

    fn apply_to_segment(self, segment: &mut Segment) {
        match self.what {
            What::SegmentRange => segment.generation = segment.generation.wrapping_add(1),
            What::SegmentPublic => segment.public = !segment.public,
            _ => segment.table = [None, Some(0), Some(1)][usize::from(self.value % 3)],
        }
    }

    fn apply_to_host(self, host: &mut Host) {
        match self.what {
            What::HostImage => host.image = host.image.wrapping_add(1),
            What::HostSize => host.size = self.value % 4,
            What::HostSegments => host.segments = self.value,
            What::HostLabels => host.labels = self.value % 4,
            _ => host.elsewhere = !host.elsewhere,
        }
    }

    fn tag_part(self, network: &mut Network) {
        let tags = match self.part % 7 {
            0 => network.gateway.as_mut().map(|gateway| &mut gateway.tags),
            1 => network.relay.as_mut().map(|relay| &mut relay.tags),
            2 => network.tables[0].as_mut().map(|table| &mut table.tags),
            3 => network.host.as_mut().map(|host| &mut host.tags),
            6 => Some(&mut network.share.tags),
            part => network.segments[usize::from(part) - 4].as_mut().map(|segment| &mut segment.tags),
        };
        if let Some(tags) = tags {
            *tags = self.value;
        }
    }
}

/// A network with parts: one for each bit.
fn furnished(bits: u8) -> Network {
    let has = |bit: u8| bits & (1 << bit) != 0;
    let segment = |table| Segment { table, ..Segment::default() };
    let entries = [has(0).then_some(Target::Gateway), has(3).then_some(Target::Relay)];
    Network {
        gateway: has(0).then(Gateway::default),
        segments: [
            has(1).then(|| segment(Some(0))),
            has(2).then(|| segment(Some(1))),
            has(6).then(|| segment(Some(0))),
        ],
        relay: has(3).then(Relay::default),
        tables: [has(4).then(|| Table { entries, ..Table::default() }), has(4).then(Table::default)],
        host: has(5).then(|| Host { segments: bits, elsewhere: has(7), ..Host::default() }),
        ..Network::default()
    }
}

fn toggle<T>(place: &mut Option<T>, make: impl FnOnce() -> T) {
    *place = if place.is_some() { None } else { Some(make()) };
}

fn choice(value: u8) -> Option<bool> {
    [None, Some(false), Some(true)][usize::from(value % 3)]
}
