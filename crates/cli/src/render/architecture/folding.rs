//! Too many boxes in one place are fewer that say how many there are.

use std::collections::BTreeMap;

use super::scene::Card;
use super::things::Things;

/// How many boxes an account may have beside its networks.
pub(super) const MOST_IN_ACCOUNT: usize = 12;
/// How many boxes may be in a network and in no lane of it.
pub(super) const MOST_IN_NETWORK: usize = 9;
/// How many boxes may be in a lane.
pub(super) const MOST_IN_LANE: usize = 4;
/// How many boxes may be in another box.
pub(super) const MOST_IN_FRAME: usize = 10;

/// Leaves boxes as they are, unless they are too many: then there is one for each kind of thing.
pub(super) fn fold(things: &Things<'_>, cards: Vec<Card>, most: usize) -> Vec<Card> {
    if cards.len() <= most {
        return cards;
    }
    let mut folded = BTreeMap::<(usize, String), Vec<Card>>::new();
    for (number, card) in cards.into_iter().enumerate() {
        // What has something in it stays by itself.
        let apart = if card.inner.is_some() { number + 1 } else { 0 };
        folded.entry((apart, things.title(card.key()))).or_default().push(card);
    }
    folded.into_iter().map(|((_, title), cards)| one_of(&title, cards)).collect()
}

fn one_of(title: &str, mut cards: Vec<Card>) -> Card {
    if cards.len() == 1 {
        return cards.remove(0);
    }
    let names: Vec<_> = cards.iter().map(|card| card.name.clone()).collect();
    let (theme, is_found) = (cards[0].theme, cards.iter().all(|card| card.is_found));
    let addresses: Vec<_> = cards.into_iter().flat_map(|card| card.addresses).collect();
    Card {
        title: counted(title, addresses.len()),
        name: names.join(", "),
        lines: Vec::new(),
        addresses,
        theme,
        is_found,
        inner: None,
    }
}

/// Says how many things of a sort there are.
pub(super) fn counted(title: &str, count: usize) -> String {
    format!("{count} {}", plural(title))
}

/// Returns the word for several of what a word is for.
pub(super) fn plural(word: &str) -> String {
    if let Some(stem) = word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "ch", "sh"].iter().any(|ending| word.ends_with(ending));
    if hisses { format!("{word}es") } else { format!("{word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_several_things_are_those_that_people_use() {
        let several = ["policy", "gateway", "address", "subnet", "Ingress", "switch"].map(plural);
        assert_eq!(several, ["policies", "gateways", "addresses", "subnets", "Ingresses", "switches"]);
    }
}
