//! Rows of names and values, nested and aligned: the body of a change.

use std::fmt::Write;

use anstyle::Style;
use similar::ChangeTag;

use crate::render::{Palette, paint};

/// What happens to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// It stays, or there is nothing to compare it with.
    None,
    /// It comes into being.
    Add,
    /// It goes away.
    Remove,
    /// It changes.
    Modify,
}

impl Marker {
    /// Returns the marker of a part of a text.
    pub(crate) fn of(tag: ChangeTag) -> Self {
        match tag {
            ChangeTag::Equal => Self::None,
            ChangeTag::Delete => Self::Remove,
            ChangeTag::Insert => Self::Add,
        }
    }

    fn symbol(self) -> char {
        match self {
            Self::None => ' ',
            Self::Add => '+',
            Self::Remove => '-',
            Self::Modify => '~',
        }
    }

    pub(crate) fn style(self, palette: &Palette) -> Style {
        match self {
            Self::None => Style::new(),
            Self::Add => palette.create,
            Self::Remove => palette.delete,
            Self::Modify => palette.update,
        }
    }
}

/// A row of a block. All text in it is safe to print.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) marker: Marker,
    /// The name before the equals sign; empty for the items of a list.
    pub(crate) name: String,
    pub(crate) content: Content,
    /// Words after the value, such as why it matters.
    pub(crate) remark: &'static str,
}

/// What stands behind a row's name.
#[derive(Debug)]
pub(crate) enum Content {
    /// A value on one line.
    Text(String),
    /// Rows between brackets.
    Rows {
        /// The opening and the closing bracket.
        brackets: (&'static str, &'static str),
        /// What is between them.
        rows: Vec<Row>,
    },
}

impl Row {
    pub(crate) fn new(marker: Marker, name: impl Into<String>, content: Content) -> Self {
        Self { marker, name: name.into(), content, remark: "" }
    }

    /// Makes a row without a name on one line.
    pub(crate) fn text(marker: Marker, text: impl Into<String>) -> Self {
        Self::new(marker, "", Content::Text(text.into()))
    }
}

/// Names longer than this do not push the values of the others to the right.
const LONGEST_ALIGNED: usize = 32;

/// Appends rows to a text, each line indented by `indent` columns, values aligned.
pub(crate) fn write(text: &mut String, rows: &[Row], indent: usize, palette: &Palette) {
    let widths = rows.iter().filter(|row| matches!(row.content, Content::Text(_)));
    let widths = widths.map(|row| row.name.chars().count()).filter(|width| *width <= LONGEST_ALIGNED);
    let width = widths.max().unwrap_or(0);
    for row in rows {
        write_row(text, row, indent, width, palette);
    }
}

fn write_row(text: &mut String, row: &Row, indent: usize, width: usize, palette: &Palette) {
    let symbol = paint(row.marker.style(palette), row.marker.symbol());
    let remark = if row.remark.is_empty() {
        String::new()
    } else {
        paint(palette.replace, format!("  ({})", row.remark)).to_string()
    };
    let pad = " ".repeat(indent);
    let (written, rows) = match &row.content {
        Content::Text(value) if row.name.is_empty() => (write!(text, "{pad}{symbol} {value}{remark}"), None),
        Content::Text(value) => (write!(text, "{pad}{symbol} {:width$} = {value}{remark}", row.name), None),
        Content::Rows { brackets: (open, close), rows } => {
            let equals = if row.name.is_empty() { "" } else { " = " };
            (write!(text, "{pad}{symbol} {}{equals}{open}{remark}", row.name), Some((rows, close)))
        }
    };
    written.expect("writing to a string cannot fail");
    text.push('\n');
    if let Some((rows, close)) = rows {
        write(text, rows, indent + 4, palette);
        text.push_str(&format!("{pad}  {close}\n"));
    }
}
