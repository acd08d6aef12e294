//! Go's `fmt`: `printf` and `print`.

use std::fmt::Write as _;

use super::numbers::{float_text, not_finite, with_exponent};
use super::value::GoValue;

/// The widest that a value is made, in characters.
const WIDEST: usize = 1 << 16;

/// Returns values as `fmt.Sprint` writes them: with a space between two that are not text.
pub(in crate::helm) fn print_all(values: &[GoValue]) -> String {
    let mut text = String::new();
    let mut after_text = true;
    for (index, value) in values.iter().enumerate() {
        let is_text = matches!(value, GoValue::Text(_));
        if index > 0 && !is_text && !after_text {
            text.push(' ');
        }
        text.push_str(&value.display());
        after_text = is_text;
    }
    text
}

/// Returns values in the places that a pattern has for them. What does not fit is told in the text, as
/// Go does.
pub(in crate::helm) fn printf(pattern: &str, values: &[GoValue]) -> String {
    let mut printer = Printer { values, next: 0, reordered: false, text: String::new() };
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        printer.text.push_str(&rest[..at]);
        rest = printer.verb(&rest[at + 1..]);
    }
    printer.text.push_str(rest);
    printer.extra();
    printer.text
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that a pattern has or has not")]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

struct Printer<'a> {
    values: &'a [GoValue],
    next: usize,
    reordered: bool,
    text: String,
}

impl Printer<'_> {
    /// Writes what stands behind a percent sign, and returns what follows.
    fn verb<'p>(&mut self, pattern: &'p str) -> &'p str {
        let mut flags = Flags::default();
        let mut rest = pattern;
        while let Some(flag) = rest.chars().next() {
            match flag {
                '+' => flags.plus = true,
                '-' => flags.minus = true,
                '#' => flags.sharp = true,
                ' ' => flags.space = true,
                '0' => flags.zero = true,
                _ => break,
            }
            rest = &rest[1..];
        }
        rest = self.index(rest);
        (flags.width, rest) = self.number(rest);
        if let Some(after) = rest.strip_prefix('.') {
            rest = self.index(after);
            let (precision, after) = self.number(rest);
            flags.precision = Some(precision.unwrap_or(0));
            rest = after;
        }
        rest = self.index(rest);
        flags.zero &= !flags.minus;
        let Some(verb) = rest.chars().next() else {
            self.text.push_str("%!(NOVERB)");
            return rest;
        };
        rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            self.text.push('%');
            return rest;
        }
        let Some(value) = self.values.get(self.next) else {
            let _ = write!(self.text, "%!{verb}(MISSING)");
            return rest;
        };
        self.next += 1;
        let text = formatted(verb, &flags, value);
        self.text.push_str(&text);
        rest
    }

    /// Reads `[n]`, which says what value is next.
    fn index<'p>(&mut self, pattern: &'p str) -> &'p str {
        let Some((index, rest)) = pattern.strip_prefix('[').and_then(|inner| inner.split_once(']')) else {
            return pattern;
        };
        if let Ok(index) = index.parse::<usize>()
            && index > 0
        {
            self.next = index - 1;
            self.reordered = true;
        }
        rest
    }

    /// Reads a number that is written or, as `*`, the next value.
    fn number<'p>(&mut self, pattern: &'p str) -> (Option<usize>, &'p str) {
        if let Some(rest) = pattern.strip_prefix('*') {
            let number = match self.values.get(self.next) {
                Some(GoValue::Int(number) | GoValue::Int64(number)) => usize::try_from(*number).ok(),
                _ => None,
            };
            self.next += 1;
            return (number.map(|number| number.min(WIDEST)), rest);
        }
        let end = pattern.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(pattern.len());
        let number = pattern[..end].parse::<usize>().ok();
        (number.map(|number| number.min(WIDEST)), &pattern[end..])
    }

    /// Writes what had no place.
    fn extra(&mut self) {
        if self.reordered || self.next >= self.values.len() {
            return;
        }
        let extra: Vec<String> = self.values[self.next..]
            .iter()
            .map(|value| match value {
                GoValue::Nil => "<nil>".to_owned(),
                value => format!("{}={}", value.type_name(), value.display()),
            })
            .collect();
        let _ = write!(self.text, "%!(EXTRA {})", extra.join(", "));
    }
}

/// Returns one value as a verb writes it; lists and tables item by item.
fn formatted(verb: char, flags: &Flags, value: &GoValue) -> String {
    let inner = |value: &GoValue| formatted(verb, flags, value);
    match value {
        _ if verb == 'T' => padded(value.type_name().to_owned(), flags),
        GoValue::Nil if verb == 'v' => padded("<nil>".to_owned(), flags),
        GoValue::Nil => format!("%!{verb}(<nil>)"),
        GoValue::List(items) if !(verb == 'v' && flags.sharp) => {
            format!("[{}]", items.iter().map(inner).collect::<Vec<_>>().join(" "))
        }
        GoValue::Table(table) if !(verb == 'v' && flags.sharp) => {
            let table = table.borrow();
            let entries =
                table.iter().map(|(key, value)| format!("{}:{}", inner(&GoValue::text(key)), inner(value)));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
        GoValue::Object(object) => match object.data() {
            // What prints itself is text for the verbs that take text.
            _ if matches!(verb, 'v' | 's' | 'q' | 'x' | 'X') => inner(&GoValue::text(object.text())),
            data => inner(&data),
        },
        GoValue::Text(text) => text_verb(verb, flags, text),
        GoValue::Bool(word) if matches!(verb, 't' | 'v') => padded(word.to_string(), flags),
        GoValue::Int(number) | GoValue::Int64(number) => integer_verb(verb, flags, *number, value),
        GoValue::Float(number) => float_verb(verb, flags, *number, value),
        GoValue::Bool(_) | GoValue::List(_) | GoValue::Table(_) => wrong(verb, value),
    }
}

fn wrong(verb: char, value: &GoValue) -> String {
    format!("%!{verb}({}={})", value.type_name(), value.display())
}

fn text_verb(verb: char, flags: &Flags, text: &str) -> String {
    let cut: String = match flags.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    let hex = |upper: bool| {
        cut.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    match verb {
        'v' if flags.sharp => padded(quoted(&cut), flags),
        's' | 'v' => padded(cut, flags),
        'q' => padded(quoted(&cut), flags),
        'x' => padded(hex(false), flags),
        'X' => padded(hex(true), flags),
        _ => wrong(verb, &GoValue::text(text)),
    }
}

fn integer_verb(verb: char, flags: &Flags, number: i64, value: &GoValue) -> String {
    let size = number.unsigned_abs();
    let digits = match verb {
        'd' | 'v' => size.to_string(),
        'b' => format!("{size:b}"),
        'o' => format!("{}{size:o}", if flags.sharp { "0" } else { "" }),
        'O' => format!("0o{size:o}"),
        'x' => format!("{}{size:x}", if flags.sharp { "0x" } else { "" }),
        'X' => format!("{}{size:X}", if flags.sharp { "0X" } else { "" }),
        'c' => return padded(character(number).to_string(), flags),
        'q' => return padded(format!("{:?}", character(number)), flags),
        'U' => return padded(format!("U+{size:04X}"), flags),
        _ => return wrong(verb, value),
    };
    let digits = match flags.precision {
        Some(precision) => format!("{digits:0>precision$}"),
        None => digits,
    };
    signed(number < 0, &digits, &Flags { zero: flags.zero && flags.precision.is_none(), ..*flags })
}

fn float_verb(verb: char, flags: &Flags, number: f64, value: &GoValue) -> String {
    let size = number.abs();
    let digits = match (verb, flags.precision) {
        _ if !number.is_finite() => not_finite(size).unwrap_or_default().trim_start_matches('+').to_owned(),
        ('v' | 'g' | 'G', None) => float_text(size),
        ('v' | 'g' | 'G', Some(precision)) => rounded(size, precision.max(1)),
        ('f' | 'F', precision) => format!("{size:.*}", precision.unwrap_or(6)),
        ('e' | 'E', precision) => {
            let text = format!("{size:.*e}", precision.unwrap_or(6));
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        _ => return wrong(verb, value),
    };
    let digits = if verb.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
    signed(number.is_sign_negative(), &digits, flags)
}

/// Returns a float with so many digits that count, in the shorter form.
fn rounded(number: f64, precision: usize) -> String {
    let rounded: f64 = format!("{number:.*e}", precision - 1).parse().unwrap_or(number);
    let exponent = format!("{rounded:e}").split_once('e').and_then(|(_, text)| text.parse::<i64>().ok());
    let most = i64::try_from(precision).unwrap_or(i64::MAX);
    match exponent {
        Some(exponent) if rounded != 0.0 && (exponent < -4 || exponent >= most) => with_exponent(rounded),
        _ => format!("{rounded}"),
    }
}

fn signed(is_negative: bool, digits: &str, flags: &Flags) -> String {
    let sign = match () {
        () if is_negative => "-",
        () if flags.plus => "+",
        () if flags.space => " ",
        () => "",
    };
    match flags.width {
        Some(width) if flags.zero && !flags.minus => {
            format!("{sign}{digits:0>width$}", width = width.saturating_sub(sign.len()))
        }
        _ => padded(format!("{sign}{digits}"), flags),
    }
}

fn padded(text: String, flags: &Flags) -> String {
    let Some(width) = flags.width else { return text };
    match (flags.minus, flags.zero) {
        (true, _) => format!("{text:<width$}"),
        (false, true) => format!("{text:0>width$}"),
        (false, false) => format!("{text:>width$}"),
    }
}

fn character(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
}

/// Returns text in quotes as Go writes it.
pub(in crate::helm) fn quoted(text: &str) -> String {
    let mut into = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\u{7}' => into.push_str("\\a"),
            '\u{8}' => into.push_str("\\b"),
            '\u{c}' => into.push_str("\\f"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            '\u{b}' => into.push_str("\\v"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(into, "\\x{:02x}", u32::from(character));
            }
            '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                {
                    let _ = write!(into, "\\u{:04x}", u32::from(character));
                };
            }
            other => into.push(other),
        }
    }
    into.push('"');
    into
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, values: &[GoValue], expected: &str) {
        assert_eq!(printf(pattern, values), expected, "{pattern}");
    }

    /// What helm 3.17.2 prints for these.
    #[test]
    fn patterns_are_filled_as_go_does() {
        let (number, half) = (GoValue::Int(42), GoValue::Float(1.5));
        check(
            "%v %g %f %e",
            &[half.clone(), half.clone(), half.clone(), half],
            "1.5 1.5 1.500000 1.500000e+00",
        );
        check("%.2f %5.1f|", &[GoValue::Float(1.555), GoValue::Float(2.25)], "1.55   2.2|");
        check("%-4s|%4s|%05d", &[GoValue::text("a"), GoValue::text("b"), number], "a   |   b|00042");
        check(
            "%x %X %c %+d %U",
            &[GoValue::Int(255), GoValue::text("hi"), GoValue::Int(65), GoValue::Int(5), GoValue::Int(955)],
            "ff 6869 A +5 U+03BB",
        );
        check("%q", &[GoValue::texts(["a", "b\""])], r#"["a" "b\""]"#);
        check("%*d%%", &[GoValue::Int(5), GoValue::Int(3)], "    3%");
        check("%[2]s %[1]s", &[GoValue::text("a"), GoValue::text("b")], "b a");
        check(
            "%v",
            &[GoValue::table([("a".to_owned(), GoValue::list(vec![GoValue::Int(1), GoValue::Nil]))])],
            "map[a:[1 <nil>]]",
        );
    }

    #[test]
    fn what_does_not_fit_is_told() {
        check("%d %s", &[GoValue::text("a"), GoValue::Int(5)], "%!d(string=a) %!s(int=5)");
        check("%s", &[], "%!s(MISSING)");
        check("%s", &[GoValue::text("a"), GoValue::text("b")], "a%!(EXTRA string=b)");
        check("%s", &[GoValue::Nil], "%!s(<nil>)");
        check("100%", &[], "100%!(NOVERB)");
    }

    #[test]
    fn spaces_stand_between_what_is_no_text() {
        let values =
            [GoValue::text("a"), GoValue::Int(1), GoValue::Int(2), GoValue::text("b"), GoValue::Int(3)];
        assert_eq!(print_all(&values), "a1 2b3");
    }
}
