//! What is in a picture: accounts, the networks in them, and boxes. Where on the sheet, the layout says.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::address::{AccountName, Address};
use straddle_engine::depiction::{Relation, Theme};

/// Everything in the picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Scene {
    pub(super) stack: String,
    /// How many resources there are.
    pub(super) resources: usize,
    /// Those that lend come before those that borrow.
    pub(super) accounts: Vec<AccountScene>,
    pub(super) links: Vec<Link>,
}

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AccountScene {
    pub(super) name: AccountName,
    /// Its number and region.
    pub(super) detail: String,
    pub(super) networks: Vec<Network>,
    /// What is in no network.
    pub(super) cards: Vec<Card>,
}

/// A network as one account sees it, or anything else that has things in it and stands in no lane.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Network {
    /// Tells it from others; the same for all accounts that see it.
    pub(super) place: Address,
    /// What is said of it. Its inner cards are what is in it and in no lane.
    pub(super) card: Card,
    pub(super) lent: Option<Lent>,
    pub(super) doors: Vec<Card>,
    pub(super) rows: Vec<Row>,
}

/// How somebody else's network is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lent {
    /// The account that it belongs to.
    pub(super) by: Option<AccountName>,
    /// The titles and names of the shares.
    pub(super) shares: BTreeSet<String>,
    /// What the shares are in the spec.
    pub(super) addresses: BTreeSet<Address>,
}

/// The lanes of a network that lead to the same place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) title: String,
    pub(super) is_open: bool,
    pub(super) lanes: Vec<Lane>,
    /// What stands in several lanes.
    pub(super) bars: Vec<Bar>,
}

/// A part of a network in one zone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lane {
    /// Empty if it is not known.
    pub(super) zone: String,
    /// Which of the lanes of its zone in the row it is.
    pub(super) number: usize,
    /// What is said of it; the inner cards are in it.
    pub(super) card: Card,
}

/// What stands in several lanes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    /// The numbers of the lanes in the row.
    pub(super) lanes: BTreeSet<usize>,
    pub(super) card: Card,
}

/// A box.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Card {
    /// What it stands for; the first of them names it.
    pub(super) addresses: Vec<Address>,
    /// What such things are called.
    pub(super) title: String,
    pub(super) name: String,
    /// Whatever else is told.
    pub(super) lines: Vec<String>,
    pub(super) theme: Theme,
    /// Whether somebody else has it.
    pub(super) is_found: bool,
    /// What is in it, if it is a place.
    pub(super) inner: Option<Vec<Card>>,
}

/// An arrow between boxes, each by the first of its addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    pub(super) relation: Relation,
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) labels: BTreeSet<String>,
}

impl Card {
    /// Returns what it is known by.
    pub(super) fn key(&self) -> &Address {
        &self.addresses[0]
    }

    /// Returns all addresses, and what does not fit in words, for whoever points at it.
    pub(super) fn explanation(&self) -> String {
        /// More than these are not read by anybody.
        const MOST: usize = 12;
        let mut lines = vec![format!("{} {}", self.title, self.name).trim().to_owned()];
        lines.extend(self.lines.iter().cloned());
        lines.extend(self.addresses.iter().take(MOST).map(ToString::to_string));
        if let Some(more) = self.addresses.len().checked_sub(MOST).filter(|more| *more > 0) {
            lines.push(format!("and {more} more"));
        }
        lines.join("\n")
    }
}

impl Scene {
    /// Returns by the address of each box that of the outermost box or lane that it is in or is.
    pub(super) fn cards(&self) -> BTreeMap<&Address, &Card> {
        let mut cards = BTreeMap::new();
        for account in &self.accounts {
            account.cards.iter().for_each(|card| gather(card, &mut cards));
            for network in &account.networks {
                network.doors.iter().for_each(|door| gather(door, &mut cards));
                gather(&network.card, &mut cards);
                for row in &network.rows {
                    row.lanes.iter().for_each(|lane| gather(&lane.card, &mut cards));
                    row.bars.iter().for_each(|bar| gather(&bar.card, &mut cards));
                }
            }
        }
        cards
    }
}

fn gather<'a>(card: &'a Card, cards: &mut BTreeMap<&'a Address, &'a Card>) {
    for address in &card.addresses {
        cards.entry(address).or_insert(card);
    }
    card.inner.iter().flatten().for_each(|inner| gather(inner, cards));
}
