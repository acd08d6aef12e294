//! The lines between boxes: sideways out of one, up or down where there is room, sideways into the other.

use std::collections::BTreeMap;

use straddle_engine::depiction::{Relation, Theme};

use super::cards::Port;
use super::layout::{Layout, PlacedNetwork};
use super::scene::{Link, Scene};
use super::sheet::{Layer, Rect, Sheet};
use super::text::{Style, width};

/// Between two lines beside each other.
pub(super) const TRACK: i32 = 14;
/// More lines than these share their way.
pub(super) const MOST: usize = 8;
/// The same between two networks.
pub(super) const MOST_BETWEEN: i32 = 2;
/// How high a row of the legend is.
const LEGEND: i32 = 26;
/// The internet.
const INTERNET: &str = "internet";
const INTERNET_WIDTH: i32 = 132;
const INTERNET_HEIGHT: i32 = 32;

/// Tells whether anything leads out.
pub(super) fn has_internet(scene: &Scene) -> bool {
    scene.accounts.iter().flat_map(|account| &account.networks).any(|network| !network.doors.is_empty())
}

/// Where a line leaves or enters a box.
#[derive(Debug, Clone, Copy)]
struct Stop {
    /// Where it touches the box.
    x: i32,
    y: i32,
    /// Where it goes up or down.
    corridor: i32,
    account: usize,
    /// Where it leaves a box that has others beside it: below them all.
    detour: Option<i32>,
}

/// Draws all lines.
pub(super) fn draw(layout: &mut Layout, scene: &Scene) {
    internet(layout, scene);
    let mut tracks = BTreeMap::<i32, i32>::new();
    let mut touches = BTreeMap::<(i32, i32), i32>::new();
    for link in &scene.links {
        let (Some(from), Some(to)) = (layout.ports.get(&link.from), layout.ports.get(&link.to)) else {
            continue;
        };
        let (from, to) = (stop(layout, link, *from, *to), stop(layout, link, *to, *from));
        let mut apart = |stop: Stop| {
            let count = touches.entry((stop.x, stop.y)).or_default();
            *count += 1;
            // Above and below in turn.
            let step = (*count / 2) * 9;
            Stop { y: stop.y + if *count % 2 == 0 { step } else { -step }, ..stop }
        };
        let (from, to) = (apart(from), apart(to));
        let points = way(layout, &mut tracks, from, to);
        let class = class(link.relation);
        let labels: Vec<_> = link.labels.iter().cloned().collect();
        let said = labels.join(", ");
        let tooltip = format!("{class} from {} to {}\n{said}", link.from, link.to);
        if !said.is_empty() {
            let upright = points.windows(2).filter(|pair| pair[0].0 == pair[1].0);
            let longest = upright.max_by_key(|pair| (pair[0].1 - pair[1].1).abs());
            if let Some(&[(x, one), (_, other)]) = longest.and_then(|pair| <&[_; 2]>::try_from(pair).ok()) {
                layout.sheet.along(x, (one.min(other), one.max(other)), &said);
            }
        }
        let has_head = link.relation != Relation::Admission;
        layout.sheet.line(points, class, has_head, Some(tooltip.trim_end().to_owned()));
    }
}

fn class(relation: Relation) -> &'static str {
    match relation {
        Relation::Way => "way",
        Relation::Traffic => "traffic",
        Relation::Admission => "admission",
        Relation::Trust => "trust",
    }
}

/// Says where a line touches a box. Trust is told on the left of networks, everything else on the right.
fn stop(layout: &Layout, link: &Link, port: Port, other: Port) -> Stop {
    let rect = port.rect;
    let account =
        layout.accounts.iter().position(|account| account.y <= rect.y && rect.y <= account.bottom());
    let account = account.unwrap_or(0);
    let network = |rect: Rect| {
        let holds = |placed: &&PlacedNetwork| {
            let around = placed.rect;
            around.x <= rect.x
                && rect.right() <= around.right()
                && around.y - 30 <= rect.y
                && rect.y < around.bottom()
        };
        layout.networks.iter().find(holds).map(|placed| placed.rect)
    };
    let detour = |is_clear: bool| (!is_clear).then_some(rect.bottom() + 6);
    let (x, corridor, detour) = match network(rect) {
        None => (rect.right(), layout.gutter, detour(port.is_rightmost)),
        Some(_) if link.relation == Relation::Trust || network(other.rect).is_none() => {
            let network = network(rect).unwrap_or(rect);
            let first = layout.networks.iter().all(|placed| placed.rect.x >= network.x);
            let corridor = if first { layout.gutter } else { network.x - TRACK * (MOST_BETWEEN + 1) };
            (rect.x, corridor, detour(port.is_leftmost))
        }
        Some(network) => {
            let corridor = network.right() - layout.rail + 6;
            (rect.right().min(corridor), corridor, detour(port.is_rightmost))
        }
    };
    // From a door, a line goes down at once.
    let is_door = network(rect).is_some_and(|network| rect.y < network.y);
    let y = if is_door { rect.bottom() } else { rect.middle() };
    Stop { x, y, corridor, account, detour }
}

fn way(layout: &Layout, tracks: &mut BTreeMap<i32, i32>, from: Stop, to: Stop) -> Vec<(i32, i32)> {
    let mut track = |corridor: i32| {
        let count = tracks.entry(corridor).or_default();
        let x = corridor + (*count % i32::try_from(MOST).unwrap_or(1)) * TRACK;
        *count += 1;
        x
    };
    let mut points = Vec::new();
    let leave = |points: &mut Vec<(i32, i32)>, stop: Stop| match stop.detour {
        Some(y) => points.extend([(stop.x - 20, y - 6), (stop.x - 20, y)]),
        None => points.push((stop.x, stop.y)),
    };
    let level = |stop: Stop| stop.detour.unwrap_or(stop.y);
    leave(&mut points, from);
    if from.corridor == to.corridor {
        let x = track(from.corridor);
        points.extend([(x, level(from)), (x, level(to))]);
    } else {
        let (one, other) = (track(from.corridor), track(to.corridor));
        let lower = from.account.max(to.account);
        // Between accounts, or where the names of accounts end.
        let y = if from.account == to.account {
            layout.accounts[lower].y + 56
        } else {
            layout.accounts[lower].y - 12
        };
        points.extend([(one, level(from)), (one, y), (other, y), (other, level(to))]);
    }
    let mut back = Vec::new();
    leave(&mut back, to);
    points.extend(back.into_iter().rev());
    points.dedup();
    points
}

/// Draws the internet above everything, and lines to each door.
fn internet(layout: &mut Layout, scene: &Scene) {
    let doors: Vec<_> = scene
        .accounts
        .iter()
        .flat_map(|account| &account.networks)
        .flat_map(|network| &network.doors)
        .filter_map(|door| layout.ports.get(door.key()).map(|port| port.rect))
        .collect();
    let Some(first) = doors.first() else { return };
    let center = first.x + first.width / 2;
    let top = layout.accounts[0].y - 24 - INTERNET_HEIGHT - 12;
    let pill =
        Rect { x: center - INTERNET_WIDTH / 2, y: top, width: INTERNET_WIDTH, height: INTERNET_HEIGHT };
    layout.sheet.rect(Layer::Card, pill, 16, INTERNET);
    layout.sheet.centered(Style::Name, (center, top + 21), INTERNET_WIDTH, "the internet");
    let outside = layout.sheet.width - 12;
    for door in &doors {
        let x = door.x + door.width / 2;
        let is_below_others = layout.accounts.first().is_some_and(|account| door.y > account.bottom());
        let points = if is_below_others {
            vec![
                (pill.right(), pill.middle()),
                (outside, pill.middle()),
                (outside, door.y - 12),
                (x, door.y - 12),
                (x, door.y),
            ]
        } else if x == center {
            vec![(center, pill.bottom()), (x, door.y)]
        } else {
            let between = pill.bottom() + 12;
            vec![(center, pill.bottom()), (center, between), (x, between), (x, door.y)]
        };
        layout.sheet.line(points, class(Relation::Traffic), true, None);
    }
}

/// Draws what the lines and colours mean, in as many rows as that takes; returns how high they are.
pub(super) fn legend(sheet: &mut Sheet, scene: &Scene) -> i32 {
    let internet = has_internet(scene);
    let has = |relation: Relation| {
        scene.links.iter().any(|link| link.relation == relation)
            || (internet && relation == Relation::Traffic)
    };
    let relations = [Relation::Traffic, Relation::Admission, Relation::Trust];
    let lines = relations.into_iter().filter(|relation| has(*relation));
    let lines = lines.map(|relation| (Sample::Line(relation), verb(relation)));
    let marks = themes(scene).into_iter().map(|(theme, said)| (Sample::Mark(theme), said));
    let (left, top) = (24, sheet.height + 6);
    let (mut x, mut y) = (left, top - LEGEND);
    for (number, (sample, said)) in lines.chain(marks).enumerate() {
        let wide = 34 + width(said, Style::Small);
        if number == 0 || x + wide > sheet.width - left {
            (x, y) = (left, y + LEGEND);
        }
        match sample {
            Sample::Line(relation) => {
                let has_head = relation != Relation::Admission;
                sheet.line(vec![(x, y), (x + 26, y)], class(relation), has_head, None);
            }
            Sample::Mark(theme) => {
                let mark = Rect { x: x + 18, y: y - 6, width: 8, height: 12 };
                sheet.rect(Layer::Card, mark, 2, &format!("mark {theme}"));
            }
        }
        sheet.text(Style::Small, (x + 34, y + 4), wide, said);
        x += wide + 20;
    }
    y - top + LEGEND
}

/// What a word of the legend is beside.
enum Sample {
    Line(Relation),
    Mark(&'static str),
}

/// Says what an arrow means.
pub(super) fn verb(relation: Relation) -> &'static str {
    match relation {
        Relation::Way | Relation::Traffic => "sends requests to",
        Relation::Admission => "may reach",
        Relation::Trust => "is trusted by",
    }
}

fn themes(scene: &Scene) -> Vec<(&'static str, &'static str)> {
    let mut there: Vec<_> = scene.cards().values().map(|card| card.theme).collect();
    there.sort();
    there.dedup();
    let said = |theme: Theme| match theme {
        Theme::Network => Some(("network", "network")),
        Theme::Compute => Some(("compute", "machines")),
        Theme::Traffic => Some(("traffic", "load balancing")),
        Theme::Identity => Some(("identity", "identity")),
        Theme::Workload => Some(("workload", "in a cluster")),
        Theme::Other => None,
    };
    there.into_iter().filter_map(said).collect()
}
