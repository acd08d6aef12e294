//! The outputs of a stack.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::value::{SENSITIVE, Value};

use crate::render::Palette;
use crate::render::block::{self, Content, Marker, Row};
use crate::render::plan::heading;
use crate::render::value::{key, row};

/// Renders the outputs under a heading, without the values of those that are `sensitive`.
pub(crate) fn outputs(
    outputs: &BTreeMap<String, Value>,
    sensitive: &BTreeSet<String>,
    palette: &Palette,
) -> String {
    let mut text = heading("Outputs", palette);
    block::write(&mut text, &rows(outputs, sensitive), 0, palette);
    text
}

/// Renders the outputs, one a line, without the values of those that are `sensitive`.
pub(crate) fn output_list(
    outputs: &BTreeMap<String, Value>,
    sensitive: &BTreeSet<String>,
    palette: &Palette,
) -> String {
    let mut text = String::new();
    block::write(&mut text, &rows(outputs, sensitive), 0, palette);
    let lines: Vec<_> = text.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    lines.join("\n") + "\n"
}

fn rows(outputs: &BTreeMap<String, Value>, sensitive: &BTreeSet<String>) -> Vec<Row> {
    let output = |(name, value): (&String, &Value)| {
        if sensitive.contains(name) {
            return Row::new(Marker::None, key(name), Content::Text(SENSITIVE.to_owned()));
        }
        row(Marker::None, &key(name), value)
    };
    outputs.iter().map(output).collect()
}
