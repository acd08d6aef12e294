//! The outputs of a stack.

use std::collections::BTreeMap;

use straddle_engine::value::Value;

use crate::render::Palette;
use crate::render::block::{self, Marker, Row};
use crate::render::plan::heading;
use crate::render::value::{key, row};

/// Renders the outputs under a heading.
pub(crate) fn outputs(outputs: &BTreeMap<String, Value>, palette: &Palette) -> String {
    let mut text = heading("Outputs", palette);
    block::write(&mut text, &rows(outputs), 0, palette);
    text
}

/// Renders the outputs, one a line.
pub(crate) fn output_list(outputs: &BTreeMap<String, Value>, palette: &Palette) -> String {
    let mut text = String::new();
    block::write(&mut text, &rows(outputs), 0, palette);
    let lines: Vec<_> = text.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    lines.join("\n") + "\n"
}

fn rows(outputs: &BTreeMap<String, Value>) -> Vec<Row> {
    outputs.iter().map(|(name, value)| row(Marker::None, &key(name), value)).collect()
}
