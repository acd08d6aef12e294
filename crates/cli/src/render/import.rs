//! What came of an import, as text.

use straddle_engine::import::ImportReport;
use straddle_engine::plan::{Import, Options};
use straddle_engine::spec::ImportNode;

use crate::render::change::{change, place};
use crate::render::plan::heading;
use crate::render::{Palette, paint};
use crate::safe::Safe;

/// Renders what is in the state now, and what the next apply would do with it.
pub(crate) fn import(asked: &ImportNode, report: &ImportReport, palette: &Palette) -> String {
    let mut text = String::new();
    if report.imports.is_empty() {
        text += &format!("{} is {} already; nothing was recorded.\n", Safe(&asked.to), Safe(&asked.id));
    } else {
        text += &heading("Recorded in the state; no thing was changed", palette);
        text.extend(report.imports.iter().map(|item| line(item, palette)));
    }
    text.push('\n');
    if report.changes.is_empty() {
        return text + "It is as the spec says.\n";
    }
    text += &heading("What the next apply changes in it", palette);
    text.extend(report.changes.iter().map(|item| change(item, &Options::default(), palette) + "\n"));
    text + "`straddle plan` shows this among everything else.\n"
}

/// Renders one thing that becomes a resource.
pub(crate) fn line(import: &Import, palette: &Palette) -> String {
    let place = place(&import.address, &import.account, &import.region, palette);
    let from = match &import.taken_from {
        Some(stack) => paint(palette.warning, format!("  taken from the stack {}", Safe(stack))).to_string(),
        None => String::new(),
    };
    format!("{} {place} {}{from}\n", paint(palette.update, format!("{:>3}", "<")), Safe(&import.remote_id))
}
