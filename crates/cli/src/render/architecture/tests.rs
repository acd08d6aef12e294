//! Scenes of any shape on sheets: nothing overlaps, nothing is written beyond its box, and nothing that
//! somebody calls a thing breaks out of the picture.

use std::collections::BTreeSet;

use straddle_engine::address::{AccountName, Address};
use straddle_engine::depiction::{Relation, Theme};

use super::layout::layout;
use super::scene::{AccountScene, Bar, Card, Lane, Lent, Link, Network, Row, Scene};
use super::sheet::{Anchor, Layer, Rect, Shape, Sheet};
use super::svg::svg;
use super::text::width;

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Makes scenes.
struct Maker {
    dice: Dice,
    made: usize,
}

const NAMES: &[&str] =
    &["a", "main", "<b>&\"'</title>", "a name that is far too long for any box that it is in", "網路"];

impl Maker {
    fn card(&mut self, depth: usize) -> Card {
        self.made += 1;
        let name = NAMES[self.dice.roll(NAMES.len())];
        let lines = (0..self.dice.roll(3)).map(|_| NAMES[self.dice.roll(NAMES.len())].repeat(3)).collect();
        let inner = (depth > 0 && self.dice.roll(2) == 0).then(|| {
            let count = self.dice.roll(4);
            (0..count).map(|_| self.card(depth - 1)).collect()
        });
        Card {
            addresses: vec![Address::new("thing", format!("n{}", self.made)).with_key(name)],
            title: "thing".to_owned(),
            name: name.to_owned(),
            lines,
            theme: Theme::Other,
            is_found: self.dice.roll(5) == 0,
            inner,
        }
    }

    fn cards(&mut self, most: usize, depth: usize) -> Vec<Card> {
        (0..self.dice.roll(most)).map(|_| self.card(depth)).collect()
    }

    fn row(&mut self) -> Row {
        let mut lanes = Vec::new();
        for zone in 0..=self.dice.roll(3) {
            for number in 0..=self.dice.roll(2) {
                let zone = if zone == 3 { String::new() } else { format!("z{zone}") };
                let inner = Some(self.cards(4, 1));
                lanes.push(Lane { zone, number, card: Card { inner, ..self.card(0) } });
            }
        }
        let mut bars = Vec::new();
        for _ in 0..self.dice.roll(3) {
            let within: BTreeSet<_> = (0..2).map(|_| self.dice.roll(lanes.len())).collect();
            bars.push(Bar { lanes: within, card: self.card(2) });
        }
        Row { title: "row".to_owned(), is_open: self.dice.roll(2) == 0, lanes, bars }
    }

    fn network(&mut self) -> Network {
        let card = Card { inner: Some(self.cards(6, 1)), ..self.card(0) };
        let rows = (0..self.dice.roll(3)).map(|_| self.row()).collect();
        Network { place: card.key().clone(), card, lent: None, doors: self.cards(2, 0), rows }
    }

    fn scene(&mut self) -> Scene {
        let mut accounts = Vec::<AccountScene>::new();
        for number in 0..=self.dice.roll(4) {
            let name = AccountName::new(format!("account{number}"));
            let mut networks: Vec<_> = (0..self.dice.roll(3)).map(|_| self.network()).collect();
            let above = accounts.last().and_then(|account| account.networks.first().cloned());
            if let Some(above) = above.filter(|_| self.dice.roll(2) == 0) {
                let lent = Lent { shares: BTreeSet::from([NAMES[2].to_owned()]), ..Lent::default() };
                let rows = above.rows.into_iter().map(|row| Row { bars: Vec::new(), ..row }).collect();
                let (lent, doors) = (Some(lent), Vec::new());
                networks.insert(0, Network { lent, doors, rows, ..above });
            }
            let cards = self.cards(20, 0);
            accounts.push(AccountScene { name, detail: NAMES[3].repeat(4), networks, cards });
        }
        let mut scene =
            Scene { stack: NAMES[2].to_owned(), resources: self.made, accounts, links: Vec::new() };
        let keys: Vec<_> = scene.cards().into_keys().cloned().collect();
        let relations = [Relation::Traffic, Relation::Admission, Relation::Trust];
        for _ in 0..self.dice.roll(12).min(keys.len()) {
            let [from, to] = [0, 1].map(|_| keys[self.dice.roll(keys.len())].clone());
            let labels = BTreeSet::from([NAMES[self.dice.roll(NAMES.len())].to_owned()]);
            scene.links.push(Link { relation: relations[self.dice.roll(3)], from, to, labels });
        }
        scene
    }
}

fn scenes() -> impl Iterator<Item = (u64, Scene)> {
    (0..300).map(|seed| (seed, Maker { dice: Dice(seed * 7919 + 1), made: 0 }.scene()))
}

fn contains(outer: Rect, inner: Rect) -> bool {
    outer.x <= inner.x
        && outer.y <= inner.y
        && inner.right() <= outer.right()
        && inner.bottom() <= outer.bottom()
}

fn is_apart(one: Rect, other: Rect) -> bool {
    one.right() <= other.x || other.right() <= one.x || one.bottom() <= other.y || other.bottom() <= one.y
}

/// Asserts that boxes of a layer are beside each other, or inside.
fn assert_apart(seed: u64, what: &str, boxes: &[Rect]) {
    for (number, one) in boxes.iter().enumerate() {
        for other in &boxes[number + 1..] {
            let fits = is_apart(*one, *other) || contains(*one, *other) || contains(*other, *one);
            assert!(fits, "scene {seed}: {what} {one:?} and {other:?} overlap");
        }
    }
}

fn inside(sheet: &Sheet, layer: Layer, around: Layer) -> Vec<Rect> {
    let around = sheet.boxes(&[around]);
    let boxes = sheet.boxes(&[layer]).into_iter();
    boxes.filter(|inner| !around.iter().any(|outer| contains(*outer, *inner))).collect()
}

#[test]
fn frames_are_inside_of_each_other_or_apart() {
    for (seed, scene) in scenes() {
        let sheet = layout(&scene);
        for (what, layers) in [
            ("places", vec![Layer::Account, Layer::Network, Layer::Lane]),
            ("boxes", vec![Layer::Account, Layer::Network, Layer::Frame]),
            ("boxes and what is in them", vec![Layer::Frame, Layer::Card]),
        ] {
            assert_apart(seed, what, &large(sheet.boxes(&layers)));
        }
        assert_eq!(inside(&sheet, Layer::Network, Layer::Account), [], "scene {seed}");
        assert_eq!(inside(&sheet, Layer::Lane, Layer::Network), [], "scene {seed}");
        assert_eq!(inside(&sheet, Layer::Frame, Layer::Network), [], "scene {seed}");
        let everything = Rect { x: 0, y: 0, width: sheet.width, height: sheet.height };
        let layers = [Layer::Account, Layer::Band, Layer::Network, Layer::Lane, Layer::Frame, Layer::Card];
        assert!(sheet.boxes(&layers).iter().all(|rect| contains(everything, *rect)), "scene {seed}");
    }
}

/// Marks, labels and feet lie on purpose on borders.
fn large(boxes: Vec<Rect>) -> Vec<Rect> {
    boxes.into_iter().filter(|rect| rect.width > 20 && rect.height > 28).collect()
}

#[test]
fn nothing_is_written_beyond_the_box_that_it_is_in() {
    let layers = [Layer::Account, Layer::Network, Layer::Lane, Layer::Frame, Layer::Card];
    for (seed, scene) in scenes() {
        let sheet = layout(&scene);
        let everything = Rect { x: 0, y: 0, width: sheet.width, height: sheet.height };
        let boxes: Vec<_> = layers.iter().map(|layer| large(sheet.boxes(&[*layer]))).collect();
        for shape in sheet.shapes() {
            let Shape::Text { x, y, style, text, anchor: Anchor::Start, .. } = shape else { continue };
            let end = x + width(text, *style);
            let begins_in =
                |rect: &&Rect| rect.x <= *x && *x <= rect.right() && rect.y <= *y && *y <= rect.bottom();
            // The smallest box of the topmost layer that the text begins in.
            let around = boxes
                .iter()
                .rev()
                .find_map(|boxes| boxes.iter().filter(begins_in).min_by_key(|rect| rect.width * rect.height));
            let around = around.unwrap_or(&everything);
            assert!(end <= around.right(), "scene {seed}: {text} ends at {end}, {around:?}");
        }
    }
}

#[test]
fn what_somebody_calls_a_thing_does_not_break_out() {
    for (seed, scene) in scenes().take(40) {
        let text = svg(&layout(&scene), NAMES[2], NAMES[2]);
        assert_eq!(text, svg(&layout(&scene), NAMES[2], NAMES[2]), "scene {seed}");
        assert_well_formed(&text);
        assert!(!text.contains("<b>") && !text.contains("<script") && !text.contains("url("), "scene {seed}");
    }
}

/// Asserts that every element is closed, in the right order, and that no character is left that would need
/// another form.
fn assert_well_formed(text: &str) {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find('<') {
        let (content, tag) = rest.split_at(begin);
        assert!(!content.contains('>') || open.last() == Some(&"style"), "{content}");
        for entity in content.split('&').skip(1) {
            assert!(
                ["amp;", "lt;", "gt;", "quot;"].iter().any(|known| entity.starts_with(known)),
                "{entity}"
            );
        }
        let end = tag.find('>').expect("a tag ends");
        let inside = &tag[1..end];
        let name = inside.trim_matches('/').split(' ').next().unwrap();
        if let Some(closed) = inside.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
        } else if !inside.ends_with('/') {
            open.push(name);
        }
        assert_eq!(inside.matches('"').count() % 2, 0, "{inside}");
        rest = &tag[end + 1..];
    }
    assert_eq!((open, rest.trim()), (Vec::new(), ""));
}

#[test]
fn a_scene_with_nothing_in_it_is_a_sheet() {
    let sheet = layout(&Scene { stack: "empty".to_owned(), ..Scene::default() });
    assert!(sheet.width > 100 && sheet.height > 50);
    assert_well_formed(&svg(&sheet, "empty", ""));
}
