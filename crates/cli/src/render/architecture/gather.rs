//! What is where: every resource of a spec that is drawn, with the place that it is in.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::address::{AccountName, Address};
use straddle_engine::depiction::Form;

use super::build::{Exit, Place, note_card};
use super::folding::counted;
use super::scene::{Card, Lent};
use super::things::{Things, called, detail, words};

/// Things that become one box.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) addresses: Vec<Address>,
}

impl Group {
    pub(super) fn of(address: Address) -> Self {
        Self { addresses: vec![address] }
    }
}

/// What is where.
pub(super) struct Gathered {
    /// The account that each network belongs to.
    pub(super) networks: BTreeMap<Address, AccountName>,
    /// The network of each lane.
    lanes: BTreeMap<Address, Address>,
    pub(super) exits: BTreeMap<Address, Exit>,
    /// By network.
    pub(super) doors: BTreeMap<Address, BTreeSet<Address>>,
    /// By who borrows and the network.
    pub(super) lent: BTreeMap<(AccountName, Address), Lent>,
    borrowed: BTreeMap<(AccountName, Address), BTreeSet<Address>>,
    /// By account and place: what is there, block by block.
    groups: BTreeMap<(AccountName, Place), Vec<Group>>,
    /// The things in each box, whatever their account.
    framed: BTreeMap<Address, Vec<Group>>,
    /// Where each thing is.
    pub(super) places: BTreeMap<Address, Place>,
    /// The notes of each thing, by what they are called.
    notes: BTreeMap<Address, BTreeMap<String, Vec<Address>>>,
    /// The notes that belong to nothing.
    rest: BTreeMap<AccountName, BTreeMap<String, Vec<Address>>>,
}

impl Gathered {
    pub(super) fn new(things: &Things<'_>) -> Self {
        let mut gathered = Self {
            networks: BTreeMap::new(),
            lanes: BTreeMap::new(),
            exits: BTreeMap::new(),
            doors: BTreeMap::new(),
            lent: BTreeMap::new(),
            borrowed: BTreeMap::new(),
            groups: BTreeMap::new(),
            framed: BTreeMap::new(),
            places: BTreeMap::new(),
            notes: BTreeMap::new(),
            rest: BTreeMap::new(),
        };
        gathered.take_networks(things);
        gathered.take_lanes(things);
        gathered.take_shares(things);
        gathered.take_things(things);
        gathered.take_notes(things);
        gathered
    }

    fn take_networks(&mut self, things: &Things<'_>) {
        for node in things.spec.resources.values().filter(|node| things.form(&node.address) == Form::Network)
        {
            self.networks.insert(node.address.clone(), node.account.clone());
        }
    }

    /// A lane of which the network is not known is in one of its own.
    fn take_lanes(&mut self, things: &Things<'_>) {
        let ways = things.ways();
        for node in things.spec.resources.values() {
            let address = &node.address;
            let network = || {
                let within = things.depiction(address).within.iter();
                let mut named = within.flat_map(|attribute| things.named(address, attribute));
                named.find(|named| self.networks.contains_key(named)).unwrap_or_else(|| address.clone())
            };
            match things.form(address) {
                Form::Lane { .. } => {
                    let network = network();
                    self.networks.entry(network.clone()).or_insert_with(|| node.account.clone());
                    self.lanes.insert(address.clone(), network);
                    self.exits.insert(address.clone(), exit(things, &ways, address));
                }
                Form::Door => {
                    let network = network();
                    if self.networks.contains_key(&network) {
                        self.doors.entry(network.clone()).or_default().insert(address.clone());
                        self.places.insert(address.clone(), Place::Network(network));
                    }
                }
                Form::Network | Form::Frame | Form::Thing | Form::Note | Form::Part => {}
            }
        }
    }

    fn take_shares(&mut self, things: &Things<'_>) {
        for crossing in &things.spec.crossings {
            let Some(node) = things.node(&crossing.resource) else { continue };
            self.lend(things, &node.account, &crossing.thing, &crossing.shares);
        }
        let Some(sharing) = things.sharing() else { return };
        let shares = things.spec.resources.values().filter(|node| node.kind.as_str() == sharing.share);
        for share in shares {
            let principals = things.value(&share.address, sharing.principals).unwrap_or_default();
            for account in things
                .spec
                .accounts
                .values()
                .filter(|account| principals.split(", ").any(|principal| principal == account.id))
            {
                for thing in things.named(&share.address, sharing.resources) {
                    self.lend(things, &account.name, &thing, &BTreeSet::from([share.address.clone()]));
                }
            }
        }
    }

    fn lend(&mut self, things: &Things<'_>, to: &AccountName, lane: &Address, shares: &BTreeSet<Address>) {
        let Some(network) = self.lanes.get(lane).filter(|network| self.networks[*network] != *to) else {
            return;
        };
        let key = (to.clone(), network.clone());
        self.borrowed.entry(key.clone()).or_default().insert(lane.clone());
        let lent = self.lent.entry(key).or_default();
        lent.shares
            .extend(shares.iter().map(|share| format!("{} {}", things.title(share), things.name(share))));
        lent.addresses.extend(shares.iter().cloned());
    }

    fn take_things(&mut self, things: &Things<'_>) {
        for node in things.spec.resources.values() {
            let address = &node.address;
            if !matches!(things.form(address), Form::Thing | Form::Frame) {
                continue;
            }
            let place = self.place(things, address);
            // Whoever stands in somebody else's lane sees it, whatever share it is by.
            if let Place::Lanes(_, lanes) = &place {
                for lane in lanes {
                    self.lend(things, &node.account, lane, &BTreeSet::new());
                }
            }
            self.places.insert(address.clone(), place.clone());
            let groups = match &place {
                Place::Frame(frame) => self.framed.entry(frame.clone()).or_default(),
                Place::Account | Place::Network(_) | Place::Lanes(..) => {
                    self.groups.entry((node.account.clone(), place)).or_default()
                }
            };
            let is_alike = |group: &&mut Group| {
                let first = &group.addresses[0];
                first.block() == address.block() && things.form(first) == Form::Thing
            };
            match groups.iter_mut().find(is_alike) {
                Some(group) if things.form(address) == Form::Thing => group.addresses.push(address.clone()),
                _ => groups.push(Group::of(address.clone())),
            }
        }
    }

    fn place(&self, things: &Things<'_>, address: &Address) -> Place {
        let within =
            things.depiction(address).within.iter().map(|attribute| things.named(address, attribute));
        // What is made for something else stands in the lanes of its own account that that names.
        let node = &things.spec.resources[address];
        let is_own_lane = |named: &Address| {
            self.lanes.get(named).is_some_and(|network| self.networks[network] == node.account)
        };
        let of_makers = node.lifecycle.made_by.iter().map(|_| {
            let needed = node.dependencies.difference(&node.depends_on);
            needed.filter(|named| is_own_lane(named)).cloned().collect::<BTreeSet<_>>()
        });
        let found = within.chain(of_makers).find_map(|named| {
            let frame = named.iter().find(|named| things.form(named) == Form::Frame && *named != address);
            let lanes: BTreeSet<_> =
                named.iter().filter(|named| self.lanes.contains_key(named)).cloned().collect();
            let network = lanes.first().map(|lane| self.lanes[lane].clone());
            let in_lanes = network.map(|network| {
                let lanes = lanes.into_iter().filter(|lane| self.lanes[lane] == network).collect();
                Place::Lanes(network, lanes)
            });
            let network = || named.iter().find(|named| self.networks.contains_key(named)).cloned();
            frame.cloned().map(Place::Frame).or(in_lanes).or_else(|| network().map(Place::Network))
        });
        found.unwrap_or(Place::Account)
    }

    fn take_notes(&mut self, things: &Things<'_>) {
        for node in things.spec.resources.values() {
            let address = &node.address;
            if things.form(address) != Form::Note {
                continue;
            }
            let title = things.title(address);
            let notes = match things.owner(address) {
                Some(owner) => self.notes.entry(owner).or_default(),
                None => self.rest.entry(node.account.clone()).or_default(),
            };
            notes.entry(title).or_default().push(address.clone());
        }
    }

    pub(super) fn account_of(&self, network: &Address) -> Option<&AccountName> {
        self.networks.get(network)
    }

    /// Returns the lanes of a network that an account sees.
    pub(super) fn lanes_seen(&self, viewer: &AccountName, network: &Address) -> BTreeSet<Address> {
        if self.networks.get(network) == Some(viewer) {
            let own = self.lanes.iter().filter(|(_, of)| *of == network);
            return own.map(|(lane, _)| lane.clone()).collect();
        }
        self.borrowed.get(&(viewer.clone(), network.clone())).cloned().unwrap_or_default()
    }

    /// Returns what stands in several lanes of a network.
    pub(super) fn spanning(
        &self,
        viewer: &AccountName,
        network: &Address,
    ) -> Vec<(BTreeSet<Address>, Group)> {
        let of_viewer = self.groups.iter().filter(|((account, _), _)| account == viewer);
        let spanning = of_viewer.filter_map(|((_, place), groups)| match place {
            Place::Lanes(of, lanes) if of == network && lanes.len() > 1 => {
                Some(groups.iter().map(|group| (lanes.clone(), group.clone())))
            }
            Place::Lanes(..) | Place::Account | Place::Network(_) | Place::Frame(_) => None,
        });
        spanning.flatten().collect()
    }

    /// Returns what stands in one lane alone.
    pub(super) fn in_lane(&self, things: &Things<'_>, viewer: &AccountName, lane: &Address) -> Vec<Card> {
        let network = self.lanes[lane].clone();
        self.cards(things, viewer, &Place::Lanes(network, BTreeSet::from([lane.clone()])))
    }

    /// Returns the boxes of an account in a place.
    pub(super) fn cards(&self, things: &Things<'_>, account: &AccountName, place: &Place) -> Vec<Card> {
        let groups = self.groups.get(&(account.clone(), place.clone()));
        groups.into_iter().flatten().map(|group| self.card(things, group)).collect()
    }

    /// Returns a box with the notes of an account that belong to nothing.
    pub(super) fn rest(&self, things: &Things<'_>, account: &AccountName) -> Option<Card> {
        let rest = self.rest.get(account)?;
        let addresses = rest.values().flatten().cloned().collect();
        Some(note_card("also", noted(things, rest), addresses))
    }

    /// Returns the box of a group.
    pub(super) fn card(&self, things: &Things<'_>, group: &Group) -> Card {
        let first = &group.addresses[0];
        let depiction = things.depiction(first);
        let gist = depiction.gist.and_then(|gist| things.value(first, gist));
        let is_one = group.addresses.len() == 1;
        let (title, name) = match gist {
            Some(gist) if is_one => (gist, things.name(first)),
            Some(_) => (words(first.block().kind.as_str()), called(&first.whole_block())),
            None if is_one => (things.title(first), things.name(first)),
            None => (counted(&things.title(first), group.addresses.len()), called(&first.whole_block())),
        };
        let mut lines = Vec::new();
        match depiction.gist {
            Some(gist) if !is_one => lines.push(gists(things, gist, &group.addresses)),
            _ => {
                let details = depiction.details.iter();
                let details = details.filter_map(|name| Some(detail(name, things.value(first, name)?)));
                let details: Vec<_> = details.filter(|_| is_one).collect();
                lines.extend(Some(details.join(" · ")).filter(|line| !line.is_empty()));
            }
        }
        let mut notes = BTreeMap::<String, Vec<Address>>::new();
        for (title, of) in group.addresses.iter().filter_map(|address| self.notes.get(address)).flatten() {
            notes.entry(title.clone()).or_default().extend(of.iter().cloned());
        }
        lines.extend(noted(things, &notes));
        let framed = self.framed.get(first);
        let inner = (depiction.form == Form::Frame).then(|| {
            let cards = framed.into_iter().flatten().map(|group| self.card(things, group));
            super::folding::fold(things, cards.collect(), super::folding::MOST_IN_FRAME)
        });
        let is_found = things.is_found(first);
        Card {
            addresses: group.addresses.clone(),
            title,
            name,
            lines,
            theme: depiction.theme,
            is_found,
            inner,
        }
    }
}

/// Follows the ways of a lane as far as the first thing that is drawn.
fn exit(things: &Things<'_>, ways: &BTreeMap<Address, BTreeSet<Address>>, lane: &Address) -> Exit {
    let mut seen = BTreeSet::from([lane]);
    let mut next = vec![lane];
    let mut through = BTreeSet::new();
    let mut leads_out = false;
    while let Some(at) = next.pop() {
        for to in ways.get(at).into_iter().flatten() {
            match things.form(to) {
                Form::Door => leads_out = true,
                Form::Part | Form::Note if seen.insert(to) => next.push(to),
                Form::Thing | Form::Frame => drop(through.insert(to.clone())),
                Form::Part | Form::Note | Form::Network | Form::Lane { .. } => {}
            }
        }
    }
    match (leads_out, through.is_empty()) {
        (true, _) => Exit::Doors,
        (false, false) => Exit::Through(through),
        (false, true) if things.is_found(lane) => Exit::Unknown,
        (false, true) => Exit::None,
    }
}

/// Says in a line for each sort which notes there are.
fn noted(things: &Things<'_>, notes: &BTreeMap<String, Vec<Address>>) -> Vec<String> {
    let line = |(title, addresses): (&String, &Vec<Address>)| {
        let names: Vec<_> = addresses.iter().map(|address| things.name(address)).collect();
        let title = if names.len() == 1 { title.clone() } else { super::folding::plural(title) };
        format!("{title}: {}", names.join(", "))
    };
    notes.iter().map(line).collect()
}

/// Counts things by what sums them up.
fn gists(things: &Things<'_>, gist: &str, addresses: &[Address]) -> String {
    let mut counts = BTreeMap::<String, usize>::new();
    for gist in addresses.iter().filter_map(|address| things.value(address, gist)) {
        *counts.entry(gist).or_default() += 1;
    }
    let counts = counts.into_iter().map(|(gist, count)| match count {
        1 => gist,
        _ => format!("{count} {}", super::folding::plural(&gist)),
    });
    counts.collect::<Vec<_>>().join(", ")
}
