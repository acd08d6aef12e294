//! What differs between two values: a row for each place inside them, lists by item, texts by
//! line or word, JSON text as the data that it stands for.

use similar::DiffOp;
use straddle_engine::difference::{Difference, Differences, Form, differences};
use straddle_engine::json;
use straddle_engine::value::Value;

use crate::render::block::{Content, Marker, Row};
use crate::render::value::{BRACES, BRACKETS, LONGEST_INLINE, content, inline};
use crate::render::{Palette, paint, texts};
use crate::safe::Safe;

/// So many items that stay the same in a row are shown; more are counted.
const LONGEST_CONTEXT: usize = 4;

/// Makes the rows of an attribute, entry or item that may differ: one, or two if it becomes
/// something that has nothing in common with what it was.
pub(crate) fn rows(name: &str, before: &Value, after: &Value, form: Form, palette: &Palette) -> Vec<Row> {
    let whole = |marker, value| Row::new(marker, name, content(marker, value));
    match (before, after) {
        (before, after) if before == after => vec![whole(Marker::None, after)],
        (Value::Null, after) => vec![whole(Marker::Add, after)],
        (before, Value::Null) => vec![whole(Marker::Remove, before)],
        (before, after) => match changed(before, after, form, palette) {
            Some(content) => vec![Row::new(Marker::Modify, name, content)],
            None => vec![whole(Marker::Remove, before), whole(Marker::Add, after)],
        },
    }
}

/// Returns `None` if the values have nothing in common.
fn changed(before: &Value, after: &Value, form: Form, palette: &Palette) -> Option<Content> {
    match (before, after) {
        (Value::Map(_), Value::Map(_)) => places(before, after, form, palette),
        (Value::List(old), Value::List(new)) => {
            places(before, after, form, palette).or_else(|| Some(items(old, new, palette)))
        }
        (Value::String(before), Value::String(after)) => Some(text(before, after, palette)),
        (before, after) => {
            let (before, after) = (inline(before), inline(after));
            let is_short = |text: &str| text.chars().count() <= LONGEST_INLINE;
            (is_short(&before) && is_short(&after)).then(|| Content::Text(arrow(&before, &after, palette)))
        }
    }
}

/// Renders what was and what will be on one line.
pub(crate) fn arrow(before: &str, after: &str, palette: &Palette) -> String {
    format!("{} {} {after}", before, paint(palette.update, "->"))
}

/// Makes a row for each place at which two values differ; `None` if they differ as wholes.
fn places(before: &Value, after: &Value, form: Form, palette: &Palette) -> Option<Content> {
    let Differences { places, unchanged } = differences(form, before, after);
    if places.iter().any(|place| place.path.is_empty()) {
        return None;
    }
    let brackets = if matches!(after, Value::List(_)) { BRACKETS } else { BRACES };
    let rows = places.iter().flat_map(|Difference { path, before, after }| {
        rows(&Safe(path).to_string(), before, after, Form::Data, palette)
    });
    Some(Content::Rows { brackets, rows: rows.chain(counted(unchanged, palette)).collect() })
}

fn items(before: &[Value], after: &[Value], palette: &Palette) -> Content {
    // Floats have no order and no hash, so items are compared by how they are written.
    let written = |items: &[Value]| items.iter().map(inline).collect::<Vec<_>>();
    let operations =
        similar::capture_diff_slices(similar::Algorithm::Myers, &written(before), &written(after));
    let rows = operations.iter().flat_map(|operation| item_rows(operation, before, after, palette));
    Content::Rows { brackets: BRACKETS, rows: rows.collect() }
}

fn item_rows(operation: &DiffOp, before: &[Value], after: &[Value], palette: &Palette) -> Vec<Row> {
    let (before, after) = (&before[operation.old_range()], &after[operation.new_range()]);
    let marked = |marker, items: &[Value]| {
        items.iter().map(move |item| Row::new(marker, "", content(marker, item))).collect::<Vec<_>>()
    };
    match operation {
        DiffOp::Equal { len, .. } if *len > LONGEST_CONTEXT => counted(*len, palette).into_iter().collect(),
        DiffOp::Equal { .. } => marked(Marker::None, after),
        DiffOp::Delete { .. } => marked(Marker::Remove, before),
        DiffOp::Insert { .. } => marked(Marker::Add, after),
        DiffOp::Replace { .. } => {
            marked(Marker::Remove, before).into_iter().chain(marked(Marker::Add, after)).collect()
        }
    }
}

/// Says how many parts stay as they are.
fn counted(count: usize, palette: &Palette) -> Option<Row> {
    (count > 0)
        .then(|| Row::text(Marker::None, paint(palette.faint, format!("({count} unchanged)")).to_string()))
}

fn text(before: &str, after: &str, palette: &Palette) -> Content {
    if let (Some(before), Some(after)) = (data(before), data(after))
        && let Some(Content::Rows { brackets, rows }) = places(&before, &after, Form::Data, palette)
        && before != after
    {
        let note = Row::text(Marker::None, paint(palette.faint, "(JSON text)").to_string());
        return Content::Rows { brackets, rows: std::iter::once(note).chain(rows).collect() };
    }
    texts::changed(before, after, palette)
}

/// Reads a text that is a JSON table or list.
fn data(text: &str) -> Option<Value> {
    text.trim_start().starts_with(['{', '[']).then(|| json::decode(text).ok()).flatten()
}
