//! Dates, in the layouts of Go: `2006-01-02 15:04:05` is how a layout is written.

use std::fmt::Write as _;
use std::rc::Rc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::arguments::{shown, text, to_integer};
use super::{Function, Returned, by_chance, takes};
use crate::helm::template::{CallError, Executor, GoValue, Object};

pub(super) const FUNCTIONS: &[Function] = &[
    by_chance(takes(0, "now", |executor, _| Ok(moment(executor.world.now.to_zoned(TimeZone::UTC))))),
    takes(2, "date", |executor, arguments| formatted(executor, arguments, "UTC")),
    takes(3, "dateInZone", in_zone),
    takes(3, "date_in_zone", in_zone),
    takes(1, "htmlDate", |executor, arguments| {
        formatted(executor, &[GoValue::text("2006-01-02"), arguments[0].clone()], "UTC")
    }),
    takes(2, "htmlDateInZone", |executor, arguments| {
        let zone = text(arguments, 1)?;
        formatted(executor, &[GoValue::text("2006-01-02"), arguments[0].clone()], &zone)
    }),
    takes(2, "dateModify", modified),
    takes(2, "date_modify", modified),
    takes(2, "mustDateModify", modified),
    takes(2, "must_date_modify", modified),
    takes(2, "toDate", |_, arguments| {
        // What is no date is the beginning of time, as Go has it.
        let year_one = DateTime::constant(1, 1, 1, 0, 0, 0, 0);
        let read = parsed(&text(arguments, 0)?, &text(arguments, 1)?).unwrap_or(year_one);
        zoned(read)
    }),
    takes(2, "mustToDate", |_, arguments| {
        let (layout, date) = (text(arguments, 0)?, text(arguments, 1)?);
        zoned(parsed(&layout, &date).ok_or_else(|| {
            CallError::from(format!("parsing time {date:?} as {layout:?}: cannot parse {date:?}"))
        })?)
    }),
    takes(1, "unixEpoch", |executor, arguments| {
        Ok(GoValue::text(time_of(executor, &arguments[0]).as_second().to_string()))
    }),
    takes(1, "ago", |executor, arguments| {
        let passed = executor.world.now.as_second() - time_of(executor, &arguments[0]).as_second();
        Ok(GoValue::text(duration_text(SignedDuration::from_secs(passed))))
    }),
    takes(1, "duration", |_, arguments| {
        let seconds = match &arguments[0] {
            GoValue::Text(text) => text.parse().unwrap_or_default(),
            GoValue::Int64(number) => *number,
            _ => 0,
        };
        Ok(GoValue::text(duration_text(SignedDuration::from_secs(seconds))))
    }),
];

/// A time with its zone.
struct Moment(Zoned);

impl Object for Moment {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn member(&self, name: &str, arguments: &[GoValue]) -> Option<Result<GoValue, String>> {
        let number = |number: i64| Some(Ok(GoValue::Int(number)));
        match name {
            "Year" => number(self.0.year().into()),
            "Month" => Some(Ok(GoValue::text(layout_text("January", &self.0)))),
            "Day" => number(self.0.day().into()),
            "Hour" => number(self.0.hour().into()),
            "Minute" => number(self.0.minute().into()),
            "Second" => number(self.0.second().into()),
            "YearDay" => number(self.0.day_of_year().into()),
            "Unix" => Some(Ok(GoValue::Int64(self.0.timestamp().as_second()))),
            "UTC" => Some(Ok(moment(self.0.with_time_zone(TimeZone::UTC)))),
            "String" => Some(Ok(GoValue::text(self.text()))),
            "Format" => Some(match arguments {
                [GoValue::Text(layout)] => Ok(GoValue::text(layout_text(layout, &self.0))),
                _ => Err("Format takes a layout".to_owned()),
            }),
            _ => None,
        }
    }

    fn text(&self) -> String {
        layout_text("2006-01-02 15:04:05.999999999 -0700 MST", &self.0)
    }

    fn data(&self) -> GoValue {
        GoValue::text(layout_text("2006-01-02T15:04:05.999999999Z07:00", &self.0))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn moment(time: Zoned) -> GoValue {
    GoValue::Object(Rc::new(Moment(time)))
}

fn zoned(time: DateTime) -> Returned {
    time.to_zoned(TimeZone::UTC).map(moment).map_err(|error| error.to_string().into())
}

/// Returns the time that a value is: seconds, or now if it is no time.
fn time_of(executor: &Executor<'_>, value: &GoValue) -> Timestamp {
    match value {
        GoValue::Object(object) => {
            object.as_any().downcast_ref::<Moment>().map_or(executor.world.now, |moment| moment.0.timestamp())
        }
        GoValue::Int(_) | GoValue::Int64(_) => {
            Timestamp::from_second(to_integer(value)).unwrap_or(executor.world.now)
        }
        _ => executor.world.now,
    }
}

fn formatted(executor: &Executor<'_>, arguments: &[GoValue], zone: &str) -> Returned {
    let zone = match zone {
        "UTC" | "Local" | "" => TimeZone::UTC,
        name => {
            TimeZone::get(name).map_err(|_| CallError::from(format!("the time zone {name} is not known")))?
        }
    };
    let time = time_of(executor, &arguments[1]).to_zoned(zone);
    Ok(GoValue::text(layout_text(&text(arguments, 0)?, &time)))
}

fn in_zone(executor: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let zone = text(arguments, 2)?;
    formatted(executor, &arguments[..2], &zone)
}

fn modified(executor: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let by = shown(&arguments[0]);
    let by = duration(&by).ok_or_else(|| CallError::from(format!("time: invalid duration {by:?}")))?;
    let time = time_of(executor, &arguments[1])
        .checked_add(by)
        .map_err(|error| CallError::from(error.to_string()))?;
    Ok(moment(time.to_zoned(TimeZone::UTC)))
}

/// Reads a duration: `1h30m`, `-1.5h`.
fn duration(text: &str) -> Option<SignedDuration> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let number: f64 = rest[..unit_at].parse().ok()?;
        let unit_text = &rest[unit_at..];
        let units =
            [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
        let (unit, factor) = units.into_iter().find(|(unit, _)| unit_text.starts_with(unit))?;
        seconds += number * factor;
        rest = &unit_text[unit.len()..];
    }
    (!text.is_empty()).then(|| SignedDuration::try_from_secs_f64(sign * seconds).ok()).flatten()
}

/// Writes a duration as Go does: `1h1m1s`.
fn duration_text(duration: SignedDuration) -> String {
    let all = duration.as_secs();
    let (hours, minutes, seconds) = (all.abs() / 3600, all.abs() / 60 % 60, all.abs() % 60);
    let sign = if all < 0 { "-" } else { "" };
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// The pieces of layouts, longer ones before those that they begin with.
const PIECES: [&str; 27] = [
    "January", "Jan", "Monday", "Mon", "MST", "2006", "-07:00", "-0700", "-07", "Z07:00", "Z0700", "002",
    "01", "02", "03", "04", "05", "06", "_2", "15", "PM", "pm", "1", "2", "3", "4", "5",
];

/// Returns the piece that a layout begins with.
fn piece_of(layout: &str) -> Option<&'static str> {
    PIECES.into_iter().find(|piece| layout.starts_with(piece))
}

/// Returns how many digits of a second a layout begins with, and whether zeros are left out.
fn fraction_of(layout: &str) -> Option<(usize, bool)> {
    let digits = layout.strip_prefix(['.', ','])?;
    for (digit, leaves_out) in [('0', false), ('9', true)] {
        let count = digits.chars().take_while(|character| *character == digit).count();
        if count > 0 && !digits[count..].starts_with(|after: char| after.is_ascii_digit()) {
            return Some((count, leaves_out));
        }
    }
    None
}

/// Writes a time in a layout.
fn layout_text(layout: &str, time: &Zoned) -> String {
    let mut text = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        if let Some((digits, leaves_out)) = fraction_of(rest) {
            let all = format!("{:09}", time.subsec_nanosecond());
            let shown = &all[..digits.min(9)];
            let shown = if leaves_out { shown.trim_end_matches('0') } else { shown };
            if !shown.is_empty() {
                let _ = write!(text, "{first}{shown}");
            }
            rest = &rest[digits + 1..];
        } else if let Some(piece) = piece_of(rest) {
            text.push_str(&piece_text(piece, time));
            rest = &rest[piece.len()..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

fn piece_text(piece: &str, time: &Zoned) -> String {
    let hour_of_twelve = (time.hour() + 11) % 12 + 1;
    let offset = time.offset().seconds();
    let offset_text = |between: &str| {
        let sign = if offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}{between}{:02}", offset.abs() / 3600, offset.abs() / 60 % 60)
    };
    let named = |pattern: &str| time.strftime(pattern).to_string();
    match piece {
        "January" => named("%B"),
        "Jan" => named("%b"),
        "Monday" => named("%A"),
        "Mon" => named("%a"),
        "MST" => named("%Z"),
        "2006" => format!("{:04}", time.year()),
        "06" => format!("{:02}", time.year() % 100),
        "01" => format!("{:02}", time.month()),
        "1" => time.month().to_string(),
        "002" => format!("{:03}", time.day_of_year()),
        "02" => format!("{:02}", time.day()),
        "_2" => format!("{:>2}", time.day()),
        "2" => time.day().to_string(),
        "15" => format!("{:02}", time.hour()),
        "03" => format!("{hour_of_twelve:02}"),
        "3" => hour_of_twelve.to_string(),
        "04" => format!("{:02}", time.minute()),
        "4" => time.minute().to_string(),
        "05" => format!("{:02}", time.second()),
        "5" => time.second().to_string(),
        "PM" => if time.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        "pm" => if time.hour() < 12 { "am" } else { "pm" }.to_owned(),
        "Z07:00" | "Z0700" if offset == 0 => "Z".to_owned(),
        "Z07:00" | "-07:00" => offset_text(":"),
        "-07" => offset_text("").chars().take(3).collect(),
        _ => offset_text(""),
    }
}

/// Reads a time by a layout of numbers and names of months.
fn parsed(layout: &str, text: &str) -> Option<DateTime> {
    let (mut year, mut month, mut day) = (0_i16, 1_i8, 1_i8);
    let (mut hour, mut minute, mut second, mut afternoon) = (0_i8, 0_i8, 0_i8, None);
    let (mut layout, mut text) = (layout, text);
    while let Some(first) = layout.chars().next() {
        let Some(piece) = piece_of(layout) else {
            text = text.strip_prefix(first)?;
            layout = &layout[first.len_utf8()..];
            continue;
        };
        layout = &layout[piece.len()..];
        let most = match piece {
            "2006" => 4,
            _ => 2,
        };
        let digits = text.chars().take(most).take_while(char::is_ascii_digit).count();
        let number = || text[..digits].parse::<i8>().ok();
        let mut used = digits;
        match piece {
            "2006" => year = text[..digits].parse().ok().filter(|_| digits == 4)?,
            "06" => year = 2000 + i16::from(number()?),
            "01" | "1" => month = number()?,
            "02" | "2" | "_2" => day = number()?,
            "15" | "03" | "3" => hour = number()?,
            "04" | "4" => minute = number()?,
            "05" | "5" => second = number()?,
            "PM" | "pm" => {
                afternoon = Some(text.get(..2)?.eq_ignore_ascii_case("pm"));
                used = 2;
            }
            "Jan" | "January" => {
                let months =
                    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
                let at = months.iter().position(|name| text.starts_with(name))?;
                month = i8::try_from(at + 1).ok()?;
                used = text.chars().take_while(char::is_ascii_alphabetic).count();
            }
            "Z07:00" | "Z0700" if text.starts_with('Z') => used = 1,
            "MST" if text.starts_with("UTC") => used = 3,
            _ => return None,
        }
        text = &text[used..];
    }
    if let Some(is_afternoon) = afternoon {
        hour = hour % 12 + if is_afternoon { 12 } else { 0 };
    }
    text.is_empty().then(|| DateTime::new(year, month, day, hour, minute, second, 0).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What helm 3.17.2 prints for these.
    #[test]
    fn times_are_written_and_read_in_gos_layouts() {
        let time = parsed("2006-01-02 15:04", "2024-03-05 17:08").expect("it has this form");
        let time = time.to_zoned(TimeZone::UTC).expect("it is in range");
        assert_eq!(
            layout_text("2006-01-02T15:04:05.000Z07:00 Mon Jan 2 pm PM 3:4:5 06 _2 MST -0700", &time),
            "2024-03-05T17:08:00.000Z Tue Mar 5 pm PM 5:8:0 24  5 UTC +0000"
        );
        assert_eq!(parsed("Jan 2, 2006 3:04 PM", "Mar 5, 2024 5:08 PM"), Some(time.datetime()));
        assert_eq!(parsed("2006-01-02", "2024-03-05x"), None);
        assert_eq!(parsed("2006-01-02", "2024-13-05"), None);
    }

    #[test]
    fn durations_are_written_and_read() {
        for (text, seconds) in [("1h30m", 5400), ("-1.5h", -5400), ("300ms", 0), ("0", 0)] {
            assert_eq!(duration(text).map(|duration| duration.as_secs()), Some(seconds), "{text}");
        }
        assert_eq!(duration("1x"), None);
        assert_eq!(duration(""), None);
        assert_eq!(duration_text(SignedDuration::from_secs(3661)), "1h1m1s");
        assert_eq!(duration_text(SignedDuration::from_secs(-61)), "-1m1s");
    }
}
