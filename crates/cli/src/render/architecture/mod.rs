//! A spec as people draw it: accounts, the networks in them, what stands where, who reaches and trusts whom.
//!
//! [`things`] asks the spec, [`gather`] finds out what is where, [`build`] makes a [`scene`] of it, [`layout`]
//! and [`lines`] put that on a [`sheet`], and [`svg`] writes it. What things of a kind look like is said by
//! the kind (`engine::depiction`); nothing here knows one.

mod build;
mod cards;
mod folding;
mod gather;
mod layout;
mod lines;
mod links;
mod scene;
mod sheet;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod things;

use straddle_engine::plan::Plan;
use straddle_engine::registry::Registry;
use straddle_engine::spec::Spec;

use self::scene::Scene;
use self::things::Things;

/// Draws a spec as SVG; `plan` is one as if nothing of it were there. Equal specs make equal pictures.
pub(crate) fn architecture(spec: &Spec, registry: &Registry, plan: &Plan) -> String {
    let scene = build::scene(&Things::new(spec, registry, plan));
    let title = format!("The architecture of {}", scene.stack);
    svg::svg(&layout::layout(&scene), &title, &described(&scene))
}

/// Says in words what the picture shows.
fn described(scene: &Scene) -> String {
    let mut said = Vec::new();
    for account in &scene.accounts {
        let networks = account.networks.iter().map(|network| {
            let lent = network.lent.as_ref().and_then(|lent| lent.by.as_ref());
            let of = lent.map(|owner| format!(" of account {owner}")).unwrap_or_default();
            format!("{} {}{of}", network.card.title, network.card.name)
        });
        let cards = account.cards.iter().map(|card| format!("{} {}", card.title, card.name));
        let inside: Vec<_> = networks.chain(cards).map(|text| text.trim().to_owned()).collect();
        let inside = if inside.is_empty() { "nothing".to_owned() } else { inside.join(", ") };
        said.push(format!("Account {} ({}) has {inside}.", account.name, account.detail));
    }
    for link in &scene.links {
        let verb = lines::verb(link.relation);
        said.push(format!("{} {verb} {}.", link.from, link.to));
    }
    said.join(" ")
}
