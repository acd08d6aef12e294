//! What differs between two values, line by line: tables by key, lists by item, long texts by
//! line or word, JSON text as the data that it stands for.

use similar::{ChangeTag, DiffOp, TextDiff};
use straddle_engine::value::{Value, ValueMap};

use crate::render::block::{Content, Marker, Row};
use crate::render::value::{BRACES, BRACKETS, QUOTES, content, inline, key};
use crate::render::{Palette, paint};
use crate::safe::Safe;

/// Texts that are longer than this are shown as two lines, with the words that differ emphasised.
const LONGEST_ARROW: usize = 60;
/// How many lines that stay the same are shown around a line that changes.
const CONTEXT: usize = 2;

/// Makes the row of an attribute, entry or item that may differ.
pub(crate) fn row(name: &str, before: &Value, after: &Value, palette: &Palette) -> Row {
    if before == after {
        return Row::new(Marker::None, name, content(Marker::None, after));
    }
    match (before, after) {
        (Value::Null, after) => Row::new(Marker::Add, name, content(Marker::Add, after)),
        (before, Value::Null) => Row::new(Marker::Remove, name, content(Marker::Remove, before)),
        (before, after) => Row::new(Marker::Modify, name, changed(before, after, palette)),
    }
}

fn changed(before: &Value, after: &Value, palette: &Palette) -> Content {
    match (before, after) {
        (Value::Map(before), Value::Map(after)) => {
            Content::Rows { brackets: BRACES, rows: entries(before, after, palette) }
        }
        (Value::List(before), Value::List(after)) => {
            Content::Rows { brackets: BRACKETS, rows: items(before, after, palette) }
        }
        (Value::String(before), Value::String(after)) => text(before, after, palette),
        (before, after) => Content::Text(arrow(&inline(before), &inline(after), palette)),
    }
}

/// Renders what was and what will be on one line.
pub(crate) fn arrow(before: &str, after: &str, palette: &Palette) -> String {
    format!("{} {} {after}", before, paint(palette.update, "->"))
}

fn entries(before: &ValueMap, after: &ValueMap, palette: &Palette) -> Vec<Row> {
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let value = |map: &ValueMap, name: &str| map.get(name).cloned().unwrap_or(Value::Null);
    let all = names.into_iter().map(|name| (name, value(before, name), value(after, name)));
    let (same, differing): (Vec<_>, Vec<_>) = all.partition(|(_, before, after)| before == after);
    let rows = differing.iter().map(|(name, before, after)| row(&key(name), before, after, palette));
    rows.chain(unchanged(same.len(), palette)).collect()
}

fn items(before: &[Value], after: &[Value], palette: &Palette) -> Vec<Row> {
    // Floats have no order and no hash, so items are compared by how they are written.
    let written = |items: &[Value]| items.iter().map(inline).collect::<Vec<_>>();
    let operations =
        similar::capture_diff_slices(similar::Algorithm::Myers, &written(before), &written(after));
    operations.iter().flat_map(|operation| item_rows(operation, before, after, palette)).collect()
}

fn item_rows(operation: &DiffOp, before: &[Value], after: &[Value], palette: &Palette) -> Vec<Row> {
    let (before, after) = (&before[operation.old_range()], &after[operation.new_range()]);
    let marked = |marker, items: &[Value]| {
        items.iter().map(move |item| Row::new(marker, "", content(marker, item))).collect::<Vec<_>>()
    };
    match operation {
        DiffOp::Equal { len, .. } if *len > 2 * CONTEXT => unchanged(*len, palette).into_iter().collect(),
        DiffOp::Equal { .. } => marked(Marker::None, after),
        DiffOp::Delete { .. } => marked(Marker::Remove, before),
        DiffOp::Insert { .. } => marked(Marker::Add, after),
        DiffOp::Replace { .. } if before.len() == after.len() && before.iter().all(is_nested) => {
            before.iter().zip(after).map(|(before, after)| row("", before, after, palette)).collect()
        }
        DiffOp::Replace { .. } => {
            marked(Marker::Remove, before).into_iter().chain(marked(Marker::Add, after)).collect()
        }
    }
}

fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Map(_) | Value::List(_))
}

fn unchanged(count: usize, palette: &Palette) -> Option<Row> {
    let words = match count {
        0 => return None,
        1 => "(1 unchanged)".to_owned(),
        _ => format!("({count} unchanged)"),
    };
    Some(Row::text(Marker::None, paint(palette.faint, words).to_string()))
}

fn text(before: &str, after: &str, palette: &Palette) -> Content {
    if let (Some(before), Some(after)) = (json(before), json(after))
        && before != after
        && let Content::Rows { brackets, rows } = changed(&before, &after, palette)
    {
        let note = Row::text(Marker::None, paint(palette.faint, "(JSON text)").to_string());
        return Content::Rows { brackets, rows: std::iter::once(note).chain(rows).collect() };
    }
    if before.contains('\n') || after.contains('\n') {
        return Content::Rows { brackets: QUOTES, rows: changed_lines(before, after, palette) };
    }
    let (old, new) = (Value::from(before), Value::from(after));
    if before.len().max(after.len()) <= LONGEST_ARROW {
        return Content::Text(arrow(&inline(&old), &inline(&new), palette));
    }
    Content::Rows { brackets: QUOTES, rows: changed_words(before, after, palette) }
}

/// Reads a text that is a JSON table or list.
fn json(text: &str) -> Option<Value> {
    text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(text).ok()).flatten()
}

fn changed_lines(before: &str, after: &str, palette: &Palette) -> Vec<Row> {
    let difference = TextDiff::from_lines(before, after);
    let mut rows = Vec::new();
    for (index, group) in difference.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            rows.push(Row::text(Marker::None, paint(palette.faint, "...").to_string()));
        }
        for change in group.iter().flat_map(|operation| difference.iter_changes(operation)) {
            let line = Safe(change.value().trim_end_matches('\n')).to_string();
            let marker = marker(change.tag());
            rows.push(Row::text(marker, paint(marker.style(palette), line).to_string()));
        }
    }
    rows
}

fn changed_words(before: &str, after: &str, palette: &Palette) -> Vec<Row> {
    let difference = TextDiff::from_words(before, after);
    let side = |wanted: ChangeTag| {
        let changes = difference.iter_all_changes();
        let shown = changes.filter(|change| change.tag() == wanted || change.tag() == ChangeTag::Equal);
        let words = shown.map(|change| {
            let style = marker(change.tag()).style(palette);
            paint(style, Safe(change.value())).to_string()
        });
        Row::text(marker(wanted), words.collect::<String>())
    };
    vec![side(ChangeTag::Delete), side(ChangeTag::Insert)]
}

fn marker(tag: ChangeTag) -> Marker {
    match tag {
        ChangeTag::Equal => Marker::None,
        ChangeTag::Delete => Marker::Remove,
        ChangeTag::Insert => Marker::Add,
    }
}
