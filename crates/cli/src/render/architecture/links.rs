//! The arrows of a picture.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::address::Address;
use straddle_engine::depiction::{Arrow, End, Relation};

use super::build::{Exit, Place};
use super::gather::Gathered;
use super::scene::{Card, Link, Scene};
use super::things::Things;

/// Returns the arrows between the boxes of a scene, each once.
pub(super) fn links(things: &Things<'_>, gathered: &Gathered, scene: &Scene) -> Vec<Link> {
    let cards = scene.cards();
    let mut links = BTreeMap::<(Relation, Address, Address), BTreeSet<String>>::new();
    for node in things.spec.resources.values() {
        for arrow in things.depiction(&node.address).arrows {
            let label = label(things, &node.address, arrow);
            for (from, to) in ends(things, gathered, &node.address, arrow) {
                let drawn = |address: &Address| cards.get(&things.owner(address)?).copied();
                let (Some(one), Some(other)) = (drawn(&from), drawn(&to)) else { continue };
                if one.key() == other.key() || contains(one, other) || contains(other, one) {
                    continue;
                }
                let labels =
                    links.entry((arrow.relation, one.key().clone(), other.key().clone())).or_default();
                labels.extend(label.clone());
            }
        }
    }
    let link = |((relation, from, to), labels)| Link { relation, from, to, labels };
    links.into_iter().map(link).collect()
}

/// Returns what an arrow goes from and to, as far as it is drawn.
fn ends(
    things: &Things<'_>,
    gathered: &Gathered,
    address: &Address,
    arrow: &Arrow,
) -> Vec<(Address, Address)> {
    let account = |address: &Address| things.node(address).map(|node| &node.account);
    let is_drawn = |(from, to): &(Address, Address)| match arrow.relation {
        Relation::Way => false,
        Relation::Admission => account(from) != account(to),
        Relation::Traffic | Relation::Trust => true,
    };
    let side = |end: End| -> BTreeSet<Address> {
        let named = match end {
            End::Doors => doors(things, gathered, address),
            End::Itself | End::Makers => return things.end(address, end),
            End::Named(_) => things.end(address, end),
        };
        let is_of = |named: &Address| {
            let kind = things.node(named).map_or("", |node| node.kind.as_str());
            arrow.kinds.is_empty() || arrow.kinds.contains(&kind)
        };
        named.into_iter().filter(is_of).collect()
    };
    let (from, to) = (side(arrow.from), side(arrow.to));
    let pairs = from.iter().flat_map(|from| to.iter().map(|to| (from.clone(), to.clone())));
    pairs.filter(is_drawn).collect()
}

/// Returns the doors that lead to a thing: those of its network, if a lane that it stands in leads there
/// and it is not kept inside.
fn doors(things: &Things<'_>, gathered: &Gathered, address: &Address) -> BTreeSet<Address> {
    let is_inside = things.value(address, "scheme").is_some_and(|scheme| scheme == "internal")
        || things.value(address, "internal").is_some_and(|internal| internal == "true");
    let Some(Place::Lanes(network, lanes)) = gathered.places.get(address).filter(|_| !is_inside) else {
        return BTreeSet::new();
    };
    let is_open = lanes.iter().any(|lane| gathered.exits.get(lane) == Some(&Exit::Doors));
    gathered.doors.get(network).filter(|_| is_open).cloned().unwrap_or_default()
}

fn label(things: &Things<'_>, address: &Address, arrow: &Arrow) -> Option<String> {
    let said: Vec<_> = arrow.label.iter().filter_map(|attribute| things.value(address, attribute)).collect();
    Some(said.join(" ")).filter(|label| !label.is_empty())
}

fn contains(outer: &Card, inner: &Card) -> bool {
    outer.inner.iter().flatten().any(|card| card.key() == inner.key() || contains(card, inner))
}
