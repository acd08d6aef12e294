//! The sheet that a picture is drawn on: shapes in layers, at whole pixels.

use super::text::{Style, shorten, width};

/// An upright rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// What is drawn above what, from the bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Account,
    Band,
    Network,
    Lane,
    Frame,
    Line,
    Card,
    Text,
}

/// Something that is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Box {
        rect: Rect,
        radius: i32,
        class: String,
        tooltip: Option<String>,
    },
    Text {
        x: i32,
        y: i32,
        style: Style,
        text: String,
        anchor: Anchor,
        /// Whether it goes down the sheet.
        is_upright: bool,
    },
    Line {
        points: Vec<(i32, i32)>,
        class: String,
        has_head: bool,
        tooltip: Option<String>,
    },
}

/// Which part of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
}

/// What is drawn.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) width: i32,
    pub(super) height: i32,
    shapes: Vec<(Layer, Shape)>,
}

impl Rect {
    pub(super) fn right(self) -> i32 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> i32 {
        self.y + self.height
    }

    pub(super) fn middle(self) -> i32 {
        self.y + self.height / 2
    }
}

impl Sheet {
    pub(super) fn rect(&mut self, layer: Layer, rect: Rect, radius: i32, class: &str) {
        self.explained(layer, rect, radius, class, None);
    }

    /// Draws a box that says more to whoever points at it.
    pub(super) fn explained(
        &mut self,
        layer: Layer,
        rect: Rect,
        radius: i32,
        class: &str,
        tooltip: Option<String>,
    ) {
        let class = class.to_owned();
        self.shapes.push((layer, Shape::Box { rect, radius, class, tooltip }));
    }

    /// Writes as much of a text as there is room for, from the left; `y` is where letters stand.
    pub(super) fn text(&mut self, style: Style, (x, y): (i32, i32), room: i32, text: &str) {
        let text = shorten(text, style, room);
        self.shapes
            .push((Layer::Text, Shape::Text { x, y, style, text, anchor: Anchor::Start, is_upright: false }));
    }

    /// Writes a text around a place.
    pub(super) fn centered(&mut self, style: Style, (x, y): (i32, i32), room: i32, text: &str) {
        let text = shorten(text, style, room);
        self.shapes.push((
            Layer::Text,
            Shape::Text { x, y, style, text, anchor: Anchor::Middle, is_upright: false },
        ));
    }

    /// Writes a text over an upright line, in its middle, if there is room for all of it.
    pub(super) fn along(&mut self, x: i32, (top, bottom): (i32, i32), text: &str) {
        let style = Style::Small;
        let (long, middle) = (width(text, style) + 8, top.midpoint(bottom));
        if long + 12 <= bottom - top {
            let back = Rect { x: x - 7, y: middle - long / 2, width: 14, height: long };
            self.rect(Layer::Card, back, 3, "label");
            let text = text.to_owned();
            let shape =
                Shape::Text { x: x + 4, y: middle, style, text, anchor: Anchor::Middle, is_upright: true };
            self.shapes.push((Layer::Text, shape));
        }
    }

    pub(super) fn line(
        &mut self,
        points: Vec<(i32, i32)>,
        class: &str,
        has_head: bool,
        tooltip: Option<String>,
    ) {
        self.shapes.push((Layer::Line, Shape::Line { points, class: class.to_owned(), has_head, tooltip }));
    }

    /// Returns everything from the bottom to the top.
    pub(super) fn shapes(&self) -> Vec<&Shape> {
        let mut shapes: Vec<_> = self.shapes.iter().collect();
        shapes.sort_by_key(|(layer, _)| *layer);
        shapes.into_iter().map(|(_, shape)| shape).collect()
    }

    /// Returns the boxes of some layers.
    #[cfg(test)]
    pub(super) fn boxes(&self, layers: &[Layer]) -> Vec<Rect> {
        let shapes = self.shapes.iter().filter(|(layer, _)| layers.contains(layer));
        let rect = |(_, shape): &(Layer, Shape)| match shape {
            Shape::Box { rect, .. } => Some(*rect),
            Shape::Text { .. } | Shape::Line { .. } => None,
        };
        shapes.filter_map(rect).collect()
    }
}
