//! From the resources of a spec to what is in the picture.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::address::{AccountName, Address, BlockAddress};
use straddle_engine::depiction::{Form, Theme};

use super::gather::{Gathered, Group};
use super::scene::{AccountScene, Bar, Card, Lane, Lent, Network, Row, Scene};
use super::things::Things;
use super::{folding, links};

/// From so many lanes in a zone on, they are drawn as one.
const MOST_LANES: usize = 3;

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In no network.
    Account,
    /// In a network, and in no lane.
    Network(Address),
    /// In these lanes of a network.
    Lanes(Address, BTreeSet<Address>),
    /// In a box.
    Frame(Address),
}

/// Finds out what is in the picture.
pub(super) fn scene(things: &Things<'_>) -> Scene {
    let gathered = Gathered::new(things);
    let accounts = ordered(things, &gathered);
    let accounts: Vec<_> = accounts.into_iter().map(|name| account(things, &gathered, name)).collect();
    let mut scene = Scene {
        stack: things.spec.stack.name.clone(),
        resources: things.spec.resources.keys().filter(|address| !things.is_found(address)).count(),
        accounts,
        links: Vec::new(),
    };
    scene.links = links::links(things, &gathered, &scene);
    scene
}

/// Returns the accounts, each after those that lend to it; in a circle the first by name begins.
fn ordered<'a>(things: &'a Things<'_>, gathered: &Gathered) -> Vec<&'a AccountName> {
    let mut left: Vec<_> = things.spec.accounts.keys().collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |name: &&AccountName| {
            let lenders = gathered.lent.keys().filter(|(borrower, _)| borrower == *name);
            lenders
                .filter_map(|(_, network)| gathered.account_of(network))
                .any(|lender| left.contains(&lender))
        };
        let next = left.iter().position(|name| !waits(name)).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

fn account(things: &Things<'_>, gathered: &Gathered, name: &AccountName) -> AccountScene {
    let account = &things.spec.accounts[name];
    let own = gathered.networks.iter().filter(|(_, owner)| *owner == name).map(|(network, _)| network);
    let borrowed = gathered.lent.keys().filter(|(borrower, _)| borrower == name).map(|(_, network)| network);
    // What is borrowed comes first, below what it is of.
    let networks = borrowed.chain(own).map(|place| network(things, gathered, name, place));
    let mut networks: Vec<_> = networks.collect();
    let (frames, cards): (Vec<_>, Vec<_>) =
        gathered.cards(things, name, &Place::Account).into_iter().partition(|card| card.inner.is_some());
    networks.extend(frames.into_iter().map(|card| Network {
        place: card.key().clone(),
        card,
        lent: None,
        doors: Vec::new(),
        rows: Vec::new(),
    }));
    let mut cards = folding::fold(things, cards, folding::MOST_IN_ACCOUNT);
    cards.extend(gathered.rest(things, name));
    AccountScene {
        name: name.clone(),
        detail: format!("{} · {}", account.id, account.region),
        networks,
        cards,
    }
}

fn network(things: &Things<'_>, gathered: &Gathered, viewer: &AccountName, place: &Address) -> Network {
    let lent = gathered.lent.get(&(viewer.clone(), place.clone()));
    let lanes = gathered.lanes_seen(viewer, place);
    let mut rows = BTreeMap::<_, BTreeSet<Address>>::new();
    for lane in lanes {
        rows.entry(gathered.exits[&lane].clone()).or_default().insert(lane);
    }
    let spanning = gathered.spanning(viewer, place);
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|(exit, lanes)| (lanes.clone(), row(things, gathered, viewer, &exit, lanes)))
        .collect();
    for (lanes, group) in spanning {
        place_bar(things, gathered, &mut rows, &lanes, &group);
    }
    let mut card = gathered.card(things, &Group::of(place.clone()));
    let inside = gathered.cards(things, viewer, &Place::Network(place.clone()));
    card.inner = Some(folding::fold(things, inside, folding::MOST_IN_NETWORK));
    if lent.is_some() {
        card.lines = Vec::new();
    }
    let is_own = gathered.account_of(place) == Some(viewer);
    let doors = gathered.doors.get(place).into_iter().flatten().filter(|_| is_own);
    Network {
        place: place.clone(),
        card,
        lent: lent.map(|lent| Lent { by: gathered.account_of(place).cloned(), ..lent.clone() }),
        doors: doors.map(|door| gathered.card(things, &Group::of(door.clone()))).collect(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
    }
}

/// The lanes that lead to the same place, sorted by zone; many of one block in one zone are one.
fn row(
    things: &Things<'_>,
    gathered: &Gathered,
    viewer: &AccountName,
    exit: &Exit,
    lanes: BTreeSet<Address>,
) -> Row {
    let mut zones = BTreeMap::<_, BTreeMap<BlockAddress, Vec<Address>>>::new();
    for lane in lanes {
        let zone = zone(things, &lane);
        let blocks = zones.entry((zone.is_empty(), zone)).or_default();
        blocks.entry(lane.block().clone()).or_default().push(lane);
    }
    let mut drawn = Vec::new();
    for ((_, zone), blocks) in zones {
        let many = blocks.values().map(Vec::len).sum::<usize>() > MOST_LANES;
        let groups: Vec<Group> = if many && blocks.len() > MOST_LANES {
            vec![Group { addresses: blocks.into_values().flatten().collect() }]
        } else if many {
            blocks.into_values().map(|addresses| Group { addresses }).collect()
        } else {
            blocks.into_values().flatten().map(Group::of).collect()
        };
        for (number, group) in groups.into_iter().enumerate() {
            drawn.push(lane(things, gathered, viewer, zone.clone(), number, &group));
        }
    }
    let is_open = matches!(exit, Exit::Doors);
    Row { title: exit.title(things), is_open, lanes: drawn, bars: Vec::new() }
}

fn lane(
    things: &Things<'_>,
    gathered: &Gathered,
    viewer: &AccountName,
    zone: String,
    number: usize,
    group: &Group,
) -> Lane {
    let mut card = gathered.card(things, group);
    let inside = group.addresses.iter().flat_map(|lane| gathered.in_lane(things, viewer, lane));
    card.inner = Some(folding::fold(things, inside.collect(), folding::MOST_IN_LANE));
    Lane { zone, number, card }
}

/// Puts what stands in several lanes where most of them are.
fn place_bar(
    things: &Things<'_>,
    gathered: &Gathered,
    rows: &mut [(BTreeSet<Address>, Row)],
    lanes: &BTreeSet<Address>,
    group: &Group,
) {
    let common = |row: &(BTreeSet<Address>, Row)| row.0.intersection(lanes).count();
    let Some((_, row)) = rows.iter_mut().max_by_key(|row| common(row)) else { return };
    let stands = |lane: &Lane| lane.card.addresses.iter().any(|address| lanes.contains(address));
    let within: BTreeSet<_> = (0..row.lanes.len()).filter(|number| stands(&row.lanes[*number])).collect();
    let card = gathered.card(things, group);
    match within.len() {
        // All of its lanes are drawn as one.
        1 => {
            let only = *within.first().expect("there is one");
            row.lanes[only].card.inner.get_or_insert_default().push(card);
        }
        _ => row.bars.push(Bar { lanes: within, card }),
    }
}

fn zone(things: &Things<'_>, lane: &Address) -> String {
    let Form::Lane { zone } = things.form(lane) else { return String::new() };
    zone.iter().find_map(|attribute| things.value(lane, attribute)).unwrap_or_default()
}

/// Where the ways of a lane lead. In this order, rows are drawn from the top.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// Out of the network.
    Doors,
    /// To these things.
    Through(BTreeSet<Address>),
    /// Nowhere that the spec knows of.
    None,
    /// It is not ours.
    Unknown,
}

impl Exit {
    fn title(&self, things: &Things<'_>) -> String {
        match self {
            Self::Doors => "public subnets: open to the internet".to_owned(),
            Self::Through(ends) => {
                let ends: BTreeSet<_> =
                    ends.iter().map(|end| format!("{} {}", things.title(end), end.block().name)).collect();
                let ends: Vec<_> = ends.into_iter().collect();
                format!("private subnets: out through {}", ends.join(", "))
            }
            Self::None => "subnets without a way out".to_owned(),
            Self::Unknown => "subnets".to_owned(),
        }
    }
}

/// What nothing else is known of.
pub(super) fn note_card(title: &str, lines: Vec<String>, addresses: Vec<Address>) -> Card {
    Card {
        addresses,
        title: title.to_owned(),
        name: String::new(),
        lines,
        theme: Theme::Other,
        is_found: false,
        inner: None,
    }
}
