//! The journal file: one line for each write, which is there whole or not at all.
//!
//! A line is a CRC-32 of what follows it, the CRC-32 of the line before, the length of the text
//! in bytes, and the text, JSON:
//!
//! ```text
//! 5d3f0c1e 00000000 30 {"format":1,"program":"0.1.0"}
//! 90ab12cd 5d3f0c1e 160 [{"record":"run",...},{"record":"begin",...}]
//! ```
//!
//! The first line says the format; each of the others is the list of the records that were
//! appended together. A crash can only damage what was not synced, which is the last line. That
//! each line names the one before shows when whole lines are missing or in another order.

use serde::Serialize;

use crate::secrets::unreadable;
use crate::state::format::{Defect, FormatLine};
use crate::state::{Record, RunHeader, canonical};

/// What is in a journal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Journal {
    /// The first record.
    pub(super) header: RunHeader,
    /// Every record, the first included.
    pub(super) records: Vec<Record>,
    /// Where the good part of the file ends; what follows is the rest of a write that a crash
    /// has cut short.
    pub(super) end: End,
}

/// Where a journal ends, and the next line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct End {
    /// How many bytes there are.
    pub(super) length: u64,
    /// The checksum of the last line.
    checksum: u32,
}

impl End {
    /// Writes the lines that a journal begins with; see [`End::append`].
    pub(super) fn begin(&mut self, records: &[Record]) -> Result<String, serde_json::Error> {
        Ok(self.append_line(&FormatLine::current())? + &self.append(records)?)
    }

    /// Writes the line of records that are appended together, and moves on behind it. Fails for
    /// values that have no JSON form.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<String, serde_json::Error> {
        self.append_line(records)
    }

    fn append_line(&mut self, content: &(impl Serialize + ?Sized)) -> Result<String, serde_json::Error> {
        let text = serde_json::to_string(content)?;
        let sealed = format!("{:08x} {} {text}", self.checksum, text.len());
        let checksum = crc32fast::hash(sealed.as_bytes());
        let line = format!("{checksum:08x} {sealed}\n");
        *self = Self { length: self.length + line.len() as u64, checksum };
        Ok(line)
    }

    /// Takes the next line of a file, and moves on behind it if it is good.
    fn read_line<'a>(&mut self, line: &'a [u8]) -> Line<'a> {
        let Some(parts) = Parts::split(line) else { return Line::Torn };
        let Parts { checksum, sealed, before, length, text } = parts;
        if text.len() > length {
            return Line::Changed;
        }
        if text.len() < length || !line.ends_with(b"\n") || crc32fast::hash(sealed) != checksum {
            return Line::Torn;
        }
        if before != self.checksum {
            return Line::Changed;
        }
        *self = Self { length: self.length + line.len() as u64, checksum };
        Line::Good(text)
    }
}

/// Reads a journal, but for a last line that a crash has cut short.
pub(super) fn decode(bytes: &[u8]) -> Result<Journal, Defect> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    let mut end = End::default();
    let (_, first) = lines.next().unwrap_or_default();
    check_format(end.read_line(first))?;
    let mut records: Vec<Record> = Vec::new();
    while let Some((index, line)) = lines.next() {
        match end.read_line(line) {
            Line::Good(text) => {
                let more: Vec<Record> =
                    serde_json::from_slice(text).map_err(|error| on_line(index, &unreadable(&error)))?;
                records.extend(more);
            }
            Line::Torn if lines.next().is_none() => break,
            Line::Torn | Line::Changed => return Err(on_line(index, &"its checksums do not fit")),
        }
    }
    let Some(Record::Run(header)) = records.first() else {
        return Err(Defect::Damaged("it does not begin with the record of a run".to_owned()));
    };
    Ok(Journal { header: header.clone(), records, end })
}

fn check_format(line: Line<'_>) -> Result<(), Defect> {
    let Line::Good(text) = line else {
        return Err(Defect::Damaged("its first line is not that of a journal".to_owned()));
    };
    let format = canonical::canonical(text).and_then(|text| serde_json::from_slice(&text));
    let format: serde_json::Value = format.map_err(|error| on_line(0, &error))?;
    Defect::check_format(&format)?;
    serde_json::from_value::<FormatLine>(format).map(drop).map_err(|error| on_line(0, &error))
}

fn on_line(index: usize, problem: &impl std::fmt::Display) -> Defect {
    Defect::Damaged(format!("line {}: {problem}", index + 1))
}

/// A line of the file, and what has become of it.
#[derive(Clone, Copy)]
enum Line<'a> {
    /// It is as it was written; this is its text.
    Good(&'a [u8]),
    /// Not all of it was written.
    Torn,
    /// It is none that a crash leaves here.
    Changed,
}

struct Parts<'a> {
    checksum: u32,
    /// What the checksum is of.
    sealed: &'a [u8],
    before: u32,
    length: usize,
    text: &'a [u8],
}

impl<'a> Parts<'a> {
    fn split(line: &'a [u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let sealed = line.get(9..)?;
        let mut parts = line.splitn(4, |byte| *byte == b' ');
        Some(Self {
            checksum: checksum(parts.next()?)?,
            sealed,
            before: checksum(parts.next()?)?,
            length: std::str::from_utf8(parts.next()?).ok()?.parse().ok()?,
            text: parts.next()?,
        })
    }
}

fn checksum(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 8)?;
    u32::from_str_radix(digits, 16).ok()
}
