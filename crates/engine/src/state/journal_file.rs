//! The journal file: one line for each write, which is there whole or not at all.
//!
//! A line is the CRC-32 of its text, the length of its text in bytes, and its text, JSON:
//!
//! ```text
//! 5d3f0c1e 34 {"format":1,"program":"0.1.0"}
//! 90ab12cd 160 [{"record":"run",...},{"record":"begin",...}]
//! ```
//!
//! The first line says the format; each of the others is the list of the records that were
//! appended together. A crash can only damage what was not synced, which is the last line.

use serde::Serialize;

use crate::state::format::{Defect, FormatLine};
use crate::state::{Record, RunHeader, strict_json};

/// What is in a journal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Journal {
    /// The first record.
    pub(super) header: RunHeader,
    /// Every record, the first included.
    pub(super) records: Vec<Record>,
    /// How many bytes of the file are good; what follows is the rest of a write that a crash
    /// has cut short.
    pub(super) length: u64,
}

/// Writes the line that a journal begins with.
pub(super) fn encode_format() -> Vec<u8> {
    encode_line(&FormatLine::current()).expect("a version and a number have a JSON form")
}

/// Writes the line of records that are appended together; fails for values that have no JSON form.
pub(super) fn encode(records: &[Record]) -> Result<Vec<u8>, serde_json::Error> {
    encode_line(records)
}

fn encode_line(content: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, serde_json::Error> {
    let text = serde_json::to_string(content)?;
    Ok(format!("{:08x} {} {text}\n", crc32fast::hash(text.as_bytes()), text.len()).into_bytes())
}

/// Reads a journal, but for a last line that a crash has cut short.
pub(super) fn decode(bytes: &[u8]) -> Result<Journal, Defect> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    let (_, first) = lines.next().unwrap_or_default();
    check_format(first)?;
    let mut length = first.len();
    let mut records: Vec<Record> = Vec::new();
    while let Some((index, line)) = lines.next() {
        match check_line(line) {
            Line::Good(text) => {
                let more: Vec<Record> =
                    serde_json::from_slice(text).map_err(|error| on_line(index, &error))?;
                records.extend(more);
                length += line.len();
            }
            Line::Torn if lines.next().is_none() => break,
            Line::Torn | Line::Changed => return Err(on_line(index, &"its checksum does not fit")),
        }
    }
    let Some(Record::Run(header)) = records.first() else {
        return Err(Defect::Damaged("it does not begin with the record of a run".to_owned()));
    };
    Ok(Journal { header: header.clone(), length: length as u64, records })
}

fn check_format(line: &[u8]) -> Result<(), Defect> {
    let Line::Good(text) = check_line(line) else {
        return Err(Defect::Damaged("its first line is not that of a journal".to_owned()));
    };
    let format = strict_json::parse(text).map_err(|error| on_line(0, &error))?;
    Defect::check_format(&format)?;
    serde_json::from_value::<FormatLine>(format).map(drop).map_err(|error| on_line(0, &error))
}

fn on_line(index: usize, problem: &impl std::fmt::Display) -> Defect {
    Defect::Damaged(format!("line {}: {problem}", index + 1))
}

/// A line of the file, and what has become of it.
enum Line<'a> {
    /// It is as it was written; this is its text.
    Good(&'a [u8]),
    /// Not all of it was written.
    Torn,
    /// It has more than was written, which no crash brings about.
    Changed,
}

fn check_line(line: &[u8]) -> Line<'_> {
    let Some((checksum, length, text)) = split_line(line) else { return Line::Torn };
    let Some(content) = text.strip_suffix(b"\n") else {
        return if text.len() > length { Line::Changed } else { Line::Torn };
    };
    if content.len() > length {
        Line::Changed
    } else if content.len() == length && crc32fast::hash(content) == checksum {
        Line::Good(content)
    } else {
        Line::Torn
    }
}

fn split_line(line: &[u8]) -> Option<(u32, usize, &[u8])> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let checksum = std::str::from_utf8(parts.next()?).ok().filter(|digits| digits.len() == 8)?;
    let length = std::str::from_utf8(parts.next()?).ok()?;
    Some((u32::from_str_radix(checksum, 16).ok()?, length.parse().ok()?, parts.next()?))
}
