//! How boxes are drawn, and what they need of the sheet.

use std::collections::BTreeMap;

use straddle_engine::address::Address;
use straddle_engine::depiction::Theme;

use super::scene::Card;
use super::sheet::{Layer, Rect, Sheet};
use super::text::{Style, width};

/// Between boxes.
pub(super) const GAP: i32 = 12;
/// Between the border of a box and what is in it.
const PADDING: i32 = 12;
const LINE: i32 = 15;

/// Where lines can reach a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) rect: Rect,
    /// Whether nothing is between it and the border on the left of where it stands.
    pub(super) is_leftmost: bool,
    /// The same on the right.
    pub(super) is_rightmost: bool,
}

/// Where everything is that lines go to.
pub(super) type Ports = BTreeMap<Address, Port>;

/// Returns how high a box is.
pub(super) fn height(card: &Card) -> i32 {
    let head = head(card);
    match &card.inner {
        None => head,
        Some(inner) if inner.is_empty() => head,
        Some(inner) => head + inner.iter().map(|card| height(card) + GAP).sum::<i32>(),
    }
}

/// Returns how wide a box would have to be for everything in it.
pub(super) fn natural_width(card: &Card) -> i32 {
    let lines = card.lines.iter().map(|line| width(line, Style::Small)).max().unwrap_or(0);
    lines.max(width(&card.name, Style::Name)).max(width(&card.title, Style::Small)) + 2 * PADDING
}

fn head(card: &Card) -> i32 {
    let lines = i32::try_from(card.lines.len()).unwrap_or(0);
    let name = if card.name.is_empty() { 8 } else { 17 };
    18 + name + LINE * lines + 10
}

/// Draws a box and what is in it, one below the other.
pub(super) fn draw(sheet: &mut Sheet, ports: &mut Ports, card: &Card, port: Port) {
    let rect = port.rect;
    let (layer, place) = if card.inner.is_some() { (Layer::Frame, "frame") } else { (Layer::Card, "card") };
    let found = if card.is_found { " found" } else { "" };
    let theme = theme(card.theme);
    sheet.explained(layer, rect, 6, &format!("{place} {theme}{found}"), Some(card.explanation()));
    sheet.rect(
        layer,
        Rect { x: rect.x, y: rect.y + 6, width: 4, height: head(card) - 12 },
        2,
        &format!("mark {theme}"),
    );
    let (x, room) = (rect.x + PADDING, rect.width - 2 * PADDING);
    let mut y = rect.y + 18;
    sheet.text(Style::Small, (x, y), room, &card.title);
    if !card.name.is_empty() {
        y += 17;
        sheet.text(Style::Name, (x, y), room, &card.name);
    }
    for line in &card.lines {
        y += LINE;
        sheet.text(Style::Small, (x, y), room, line);
    }
    ports.insert(card.key().clone(), port);
    let mut y = rect.y + head(card);
    for inner in card.inner.iter().flatten() {
        let height = height(inner);
        let rect = Rect { x: rect.x + PADDING, y, width: rect.width - 2 * PADDING, height };
        draw(sheet, ports, inner, Port { rect, ..port });
        y += height + GAP;
    }
}

/// Returns how high boxes are in so many columns: those beside each other are equally high.
pub(super) fn grid_height(cards: &[Card], columns: usize) -> i32 {
    let rows = cards.chunks(columns.max(1));
    let height = |row: &[Card]| row.iter().map(height).max().unwrap_or(0);
    rows.map(|row| height(row) + GAP).sum::<i32>() - if cards.is_empty() { 0 } else { GAP }
}

/// Draws boxes in columns.
pub(super) fn draw_grid(sheet: &mut Sheet, ports: &mut Ports, cards: &[Card], columns: usize, area: Rect) {
    let count = i32::try_from(columns.max(1)).unwrap_or(1);
    let wide = (area.width - GAP * (count - 1)) / count;
    let mut y = area.y;
    for row in cards.chunks(columns.max(1)) {
        let height = row.iter().map(height).max().unwrap_or(0);
        for (number, card) in row.iter().enumerate() {
            let x = area.x + i32::try_from(number).unwrap_or(0) * (wide + GAP);
            let rect = Rect { x, y, width: wide, height };
            let (is_leftmost, is_rightmost) = (number == 0, number + 1 == row.len());
            draw(sheet, ports, card, Port { rect, is_leftmost, is_rightmost });
        }
        y += height + GAP;
    }
}

fn theme(theme: Theme) -> &'static str {
    match theme {
        Theme::Network => "network",
        Theme::Compute => "compute",
        Theme::Traffic => "traffic",
        Theme::Identity => "identity",
        Theme::Workload => "workload",
        Theme::Other => "other",
    }
}
