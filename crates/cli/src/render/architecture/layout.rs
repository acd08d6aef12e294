//! Where everything is on the sheet.
//!
//! Accounts are below each other, those that lend above those that borrow. In each, what is in no network
//! is on the left, and networks are beside each other; one that is borrowed stands below what it is of,
//! so that its lanes go on there. Between the left column and the networks there is room for lines that
//! tell of trust, and at the right of each network for those that tell of traffic.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::address::Address;
use straddle_engine::depiction::Relation;

use super::cards::{GAP, Port, Ports, draw, draw_grid, grid_height, height, natural_width};
use super::lines;
use super::scene::{AccountScene, Bar, Card, Lane, Link, Network, Row, Scene};
use super::sheet::{Layer, Rect, Sheet};
use super::text::{Style, width};

/// Around everything.
const MARGIN: i32 = 24;
/// Between the border of an account or a network and what is in it.
const PADDING: i32 = 20;
/// What stands above everything.
const HEADING: i32 = 92;
/// What stands at the top of an account, and the way of lines from one network to another.
const ACCOUNT_HEAD: i32 = 66;
const NETWORK_HEAD: i32 = 54;
const LANE_HEAD: i32 = 46;
const ROW_TITLE: i32 = 22;
/// Between accounts, without and with what one lends the other.
const APART: i32 = 32;
const BAND: i32 = 76;
/// How wide the boxes beside the networks are: as much as they need.
const CARD: std::ops::RangeInclusive<i32> = 220..=352;
/// How wide lanes are, if there are several beside each other and if there is one.
const LANE: i32 = 252;
const ONLY_LANE: i32 = 400;
const DOOR: i32 = 172;
/// How far a door stands out of its network.
const DOOR_STEP: i32 = 22;
const SMALLEST: i32 = 480;
/// How many boxes beside the networks are below each other before there is another column.
const COLUMN: usize = 8;

/// Where the things of a picture are.
pub(super) struct Layout {
    pub(super) sheet: Sheet,
    /// Where networks are, by account and network: what lines run along.
    pub(super) networks: Vec<PlacedNetwork>,
    pub(super) accounts: Vec<Rect>,
    pub(super) ports: Ports,
    /// Where lines run between the boxes beside the networks and the networks.
    pub(super) gutter: i32,
    pub(super) rail: i32,
    widths: BTreeMap<Address, Columns>,
}

/// A network on the sheet.
#[derive(Debug, Clone)]
pub(super) struct PlacedNetwork {
    pub(super) account: usize,
    pub(super) place: Address,
    pub(super) rect: Rect,
    /// From where to where it has lanes.
    lanes: Option<(i32, i32)>,
}

/// The columns of a network: one for each zone and lane in it.
#[derive(Debug, Clone, Default)]
struct Columns {
    zones: BTreeMap<(bool, String), usize>,
}

impl Columns {
    fn count(&self) -> i32 {
        i32::try_from(self.zones.values().sum::<usize>()).unwrap_or(0)
    }

    fn lane_width(&self) -> i32 {
        if self.count() > 1 { LANE } else { ONLY_LANE }
    }

    fn width(&self) -> i32 {
        let count = self.count().max(1);
        count * self.lane_width() + (count - 1) * GAP
    }

    /// Returns where a lane begins, from the beginning of the first.
    fn offset(&self, lane: &Lane) -> i32 {
        let zone = (lane.zone.is_empty(), lane.zone.clone());
        let before: usize = self.zones.range(..zone).map(|(_, count)| count).sum();
        i32::try_from(before + lane.number).unwrap_or(0) * (self.lane_width() + GAP)
    }
}

/// Puts a scene on a sheet.
pub(super) fn layout(scene: &Scene) -> Sheet {
    let many = |wanted: &dyn Fn(&Link) -> bool| {
        let count = scene.links.iter().filter(|link| wanted(link)).count();
        i32::try_from(count.min(lines::MOST)).unwrap_or(0) * lines::TRACK
    };
    let beside: BTreeSet<_> =
        scene.accounts.iter().flat_map(|account| &account.cards).map(Card::key).collect();
    let trust = many(&|link| {
        link.relation == Relation::Trust || beside.contains(&link.from) || beside.contains(&link.to)
    });
    let has_networks = scene.accounts.iter().any(|account| !account.networks.is_empty());
    let columns = scene.accounts.iter().map(|account| card_columns(account, has_networks)).max().unwrap_or(0);
    let cards = scene.accounts.iter().flat_map(|account| &account.cards);
    let card = cards.map(natural_width).max().unwrap_or(0).clamp(*CARD.start(), *CARD.end());
    let beside = span(columns, card);
    let gutter = MARGIN + PADDING + beside + GAP;
    let mut layout = Layout {
        sheet: Sheet::default(),
        networks: Vec::new(),
        accounts: Vec::new(),
        ports: Ports::new(),
        gutter,
        rail: PADDING + many(&|link| link.relation != Relation::Trust),
        widths: columns_of(scene),
    };
    let left = if beside == 0 && trust == 0 { MARGIN + PADDING } else { gutter + trust + GAP };
    let widest = layout.place_networks(scene, left);
    let inside = if has_networks { widest } else { gutter + trust };
    layout.sheet.width = (inside + PADDING + MARGIN).max(SMALLEST);
    layout.draw(scene, columns, beside);
    layout.sheet
}

/// Returns how wide so many boxes beside each other are.
fn span(columns: usize, width: i32) -> i32 {
    let columns = i32::try_from(columns).unwrap_or(0);
    (columns * (width + GAP) - GAP).max(0)
}

fn card_columns(account: &AccountScene, has_networks: bool) -> usize {
    let most = if has_networks { 2 } else { 4 };
    let enough = if has_networks { account.cards.len().div_ceil(COLUMN) } else { account.cards.len() };
    enough.min(most)
}

fn columns_of(scene: &Scene) -> BTreeMap<Address, Columns> {
    let mut columns = BTreeMap::<Address, Columns>::new();
    for network in scene.accounts.iter().flat_map(|account| &account.networks) {
        let columns = columns.entry(network.place.clone()).or_default();
        for lane in network.rows.iter().flat_map(|row| &row.lanes) {
            let count = columns.zones.entry((lane.zone.is_empty(), lane.zone.clone())).or_default();
            *count = (*count).max(lane.number + 1);
        }
    }
    columns
}

impl Layout {
    /// Gives each network its place across; returns where the last one ends.
    fn place_networks(&mut self, scene: &Scene, left: i32) -> i32 {
        let mut widest = left;
        for (account, of) in scene.accounts.iter().enumerate() {
            let mut x = left;
            for network in &of.networks {
                let lender = self.networks.iter().find(|placed| placed.place == network.place);
                x = x.max(lender.map_or(left, |lender| lender.rect.x));
                let width = PADDING + self.widths[&network.place].width() + self.rail;
                let rect = Rect { x, y: 0, width, height: 0 };
                self.networks.push(PlacedNetwork {
                    account,
                    place: network.place.clone(),
                    rect,
                    lanes: None,
                });
                x = rect.right() + 2 * GAP + lines::MOST_BETWEEN * lines::TRACK;
                widest = widest.max(rect.right());
            }
        }
        widest
    }

    fn draw(&mut self, scene: &Scene, columns: usize, beside: i32) {
        let mut y = if lines::has_internet(scene) { MARGIN + HEADING } else { MARGIN + HEADING - 28 };
        for (number, account) in scene.accounts.iter().enumerate() {
            let borrows = account.networks.iter().any(|network| network.lent.is_some());
            y += if number == 0 {
                0
            } else if borrows {
                BAND
            } else {
                APART
            };
            let rect = self.account(number, account, (columns, beside), y);
            y = rect.bottom();
        }
        self.sheet.height = y + MARGIN;
        self.bands(scene);
        lines::draw(self, scene);
        self.heading(scene);
        self.sheet.height += lines::legend(&mut self.sheet, scene);
    }

    fn heading(&mut self, scene: &Scene) {
        let (accounts, resources) = (scene.accounts.len(), scene.resources);
        let several = |count: usize| if count == 1 { "" } else { "s" };
        let said =
            format!("{resources} resource{} in {accounts} account{}", several(resources), several(accounts));
        let room = self.sheet.width / 2;
        self.sheet.text(Style::Heading, (MARGIN, MARGIN + 16), room, &scene.stack);
        self.sheet.text(Style::Small, (MARGIN, MARGIN + 36), room, &said);
    }

    fn account(
        &mut self,
        number: usize,
        account: &AccountScene,
        (columns, beside): (usize, i32),
        y: i32,
    ) -> Rect {
        let width = self.sheet.width - 2 * MARGIN;
        let (x, top) = (MARGIN + PADDING, y + ACCOUNT_HEAD);
        let area = Rect { x, y: top, width: beside, height: 0 };
        draw_grid(&mut self.sheet, &mut self.ports, &account.cards, columns, area);
        let mut bottom = top + grid_height(&account.cards, columns);
        let placed = (0..self.networks.len()).filter(|index| self.networks[*index].account == number);
        for (index, network) in placed.collect::<Vec<_>>().into_iter().zip(&account.networks) {
            bottom = bottom.max(self.network(index, network, top));
        }
        let rect = Rect { x: MARGIN, y, width, height: bottom + PADDING - y };
        let tooltip = Some(format!("account {}", account.name));
        self.sheet.explained(Layer::Account, rect, 12, "account", tooltip);
        let name = format!("account {}", account.name);
        let at = rect.x + PADDING;
        let room = (width - 2 * PADDING) / 2;
        self.sheet.text(Style::Place, (at, y + 27), room, &name);
        self.sheet.text(Style::Small, (at, y + 45), room, &account.detail);
        self.accounts.push(rect);
        rect
    }

    /// Draws a network, and returns where it ends.
    fn network(&mut self, index: usize, network: &Network, top: i32) -> i32 {
        let Rect { x, width, .. } = self.networks[index].rect;
        let content = Rect { x: x + PADDING, y: 0, width: width - PADDING - self.rail, height: 0 };
        let doors = network.doors.iter().map(|door| height(door) - DOOR_STEP + GAP).max().unwrap_or(0);
        let mut y = top + NETWORK_HEAD.max(doors);
        let inside = network.card.inner.as_deref().unwrap_or_default();
        if !inside.is_empty() {
            let columns =
                if network.rows.is_empty() { 1 } else { usize::try_from(content.width / 200).unwrap_or(1) };
            let columns = columns.clamp(1, inside.len());
            draw_grid(&mut self.sheet, &mut self.ports, inside, columns, Rect { y, ..content });
            y += grid_height(inside, columns) + GAP;
        }
        let mut lanes: Option<(i32, i32)> = None;
        for row in &network.rows {
            let (from, to, bottom) = self.row(&network.place, row, Rect { y, ..content });
            lanes = Some(lanes.map_or((from, to), |(left, right)| (left.min(from), right.max(to))));
            y = bottom + PADDING;
        }
        let bottom = if network.rows.is_empty() { y } else { y - PADDING + GAP };
        let rect = Rect { x, y: top, width, height: bottom - top };
        let class = if network.lent.is_some() || network.card.is_found { "place found" } else { "place" };
        self.sheet.explained(Layer::Network, rect, 10, class, Some(network.card.explanation()));
        self.networks[index].rect = rect;
        self.networks[index].lanes = lanes;
        let port =
            Port { rect: Rect { height: NETWORK_HEAD, ..rect }, is_leftmost: true, is_rightmost: true };
        self.ports.entry(network.place.clone()).or_insert(port);
        let doors = self.doors(network, rect);
        let title = format!("{} {}", network.card.title, network.card.name);
        let owner = network.lent.as_ref().and_then(|lent| lent.by.as_ref());
        let lent = owner.map(|owner| format!("of account {owner}"));
        let detail: Vec<_> = lent.into_iter().chain(network.card.lines.iter().cloned()).collect();
        let room = doors - content.x - GAP;
        self.sheet.text(Style::Place, (content.x, top + 25), room, &title);
        self.sheet.text(Style::Small, (content.x, top + 42), room, &detail.join(" · "));
        rect.bottom()
    }

    /// Draws the doors of a network in its border, from the right; returns where the last one begins.
    fn doors(&mut self, network: &Network, rect: Rect) -> i32 {
        let mut right = rect.right() - GAP;
        for door in &network.doors {
            let x = right - DOOR;
            let place = Rect { x, y: rect.y - DOOR_STEP, width: DOOR, height: height(door) };
            draw(
                &mut self.sheet,
                &mut self.ports,
                door,
                Port { rect: place, is_leftmost: true, is_rightmost: true },
            );
            right = x - GAP;
        }
        right
    }

    /// Draws the lanes of a row; returns where they begin, end, and end below.
    fn row(&mut self, place: &Address, row: &Row, area: Rect) -> (i32, i32, i32) {
        let columns = self.widths[place].clone();
        self.sheet.text(Style::Small, (area.x, area.y + 14), area.width, &row.title);
        let top = area.y + ROW_TITLE;
        let inner = |lane: &Lane| lane.card.inner.as_deref().map_or(0, |cards| grid_height(cards, 1));
        let inside = row.lanes.iter().map(inner).max().unwrap_or(0);
        let in_lanes = if inside == 0 { 0 } else { inside + GAP };
        let bars: i32 = row.bars.iter().map(|bar| height(&bar.card) + GAP).sum();
        let rect = |lane: &Lane| Rect {
            x: area.x + columns.offset(lane),
            y: top,
            width: columns.lane_width(),
            height: LANE_HEAD + in_lanes + bars,
        };
        let rects: Vec<_> = row.lanes.iter().map(rect).collect();
        for (lane, rect) in row.lanes.iter().zip(&rects) {
            self.lane(lane, *rect, row.is_open);
        }
        let mut y = top + LANE_HEAD + in_lanes;
        for bar in &row.bars {
            self.bar(bar, &rects, y);
            y += height(&bar.card) + GAP;
        }
        let left = rects.iter().map(|rect| rect.x).min().unwrap_or(area.x);
        let right = rects.iter().map(|rect| rect.right()).max().unwrap_or(area.x);
        (left, right, top + LANE_HEAD + in_lanes + bars)
    }

    fn lane(&mut self, lane: &Lane, rect: Rect, is_open: bool) {
        let class = match (lane.card.is_found, is_open) {
            (true, _) => "lane found",
            (false, true) => "lane open",
            (false, false) => "lane",
        };
        self.sheet.explained(Layer::Lane, rect, 8, class, Some(lane.card.explanation()));
        let (x, room) = (rect.x + GAP, rect.width - 2 * GAP);
        let name = format!("{} {}", lane.card.title, lane.card.name);
        let zone = Some(lane.zone.clone()).filter(|zone| !zone.is_empty());
        let detail: Vec<_> = lane.card.lines.iter().cloned().chain(zone).collect();
        self.sheet.text(Style::Name, (x, rect.y + 20), room, &name);
        self.sheet.text(Style::Small, (x, rect.y + 36), room, &detail.join(" · "));
        let cards = lane.card.inner.as_deref().unwrap_or_default();
        let area = Rect { x, y: rect.y + LANE_HEAD, width: room, height: 0 };
        draw_grid(&mut self.sheet, &mut self.ports, cards, 1, area);
    }

    /// Draws what stands in several lanes across them, with a foot in each if it is not in all that it covers.
    fn bar(&mut self, bar: &Bar, lanes: &[Rect], y: i32) {
        let within: Vec<_> = bar.lanes.iter().map(|number| lanes[*number]).collect();
        let left = within.iter().map(|rect| rect.x).min().unwrap_or(0) + GAP;
        let right = within.iter().map(|rect| rect.right()).max().unwrap_or(0) - GAP;
        let rect = Rect { x: left, y, width: right - left, height: height(&bar.card) };
        let port = Port { rect, is_leftmost: true, is_rightmost: true };
        draw(&mut self.sheet, &mut self.ports, &bar.card, port);
        let covers = |lane: &&Rect| lane.x < right && lane.right() > left;
        if lanes.iter().filter(covers).count() > within.len() {
            for lane in within {
                let foot = Rect { x: lane.x + lane.width / 2 - 5, y: y - 4, width: 10, height: 8 };
                self.sheet.rect(Layer::Card, foot, 4, "foot");
            }
        }
    }

    /// Draws what accounts lend each other, between them.
    fn bands(&mut self, scene: &Scene) {
        let mut bands = Vec::new();
        for (borrower, account) in scene.accounts.iter().enumerate() {
            for network in &account.networks {
                let Some(lent) = &network.lent else { continue };
                let placed = |index: usize| {
                    let is_there =
                        |placed: &&PlacedNetwork| placed.account == index && placed.place == network.place;
                    self.networks.iter().find(is_there)
                };
                let Some((lower, (from, to))) = placed(borrower).and_then(|at| Some((at.rect, at.lanes?)))
                else {
                    continue;
                };
                let above = borrower.checked_sub(1).and_then(placed).filter(|above| above.rect.x == lower.x);
                let account_top = self.accounts[borrower].y;
                let top = above.map_or(account_top - BAND / 2, |above| above.rect.bottom());
                let label = if lent.shares.is_empty() {
                    "shared".to_owned()
                } else {
                    lent.shares.iter().cloned().collect::<Vec<_>>().join(", ")
                };
                let addresses: Vec<_> = lent.addresses.iter().map(ToString::to_string).collect();
                let rect = Rect { x: from, y: top, width: to - from, height: lower.y - top };
                bands.push((rect, account_top - BAND / 2, label, addresses.join("\n")));
            }
        }
        for (rect, middle, label, tooltip) in bands {
            self.sheet.rect(Layer::Band, rect, 0, "band");
            let wide = (width(&label, Style::Name) + 2 * PADDING).min(rect.width);
            let pill = Rect { x: rect.x + (rect.width - wide) / 2, y: middle - 14, width: wide, height: 28 };
            self.sheet.explained(Layer::Card, pill, 14, "share", Some(tooltip));
            let at = (pill.x + wide / 2, middle + 5);
            self.sheet.centered(Style::Name, at, wide - PADDING, &label);
        }
    }
}
