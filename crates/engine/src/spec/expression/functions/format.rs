//! `format`: values put into a pattern.

use std::iter::Peekable;
use std::str::Chars;

use super::argument::{ArgumentError, check_size, text_argument};
use super::text::scalar_text;
use crate::value::Value;

const LARGEST_WIDTH: usize = 1000;

/// One `%...` of a pattern.
#[derive(Default)]
struct Verb {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

/// Knows `%s %v %q %d %x %f` and `%%`, with `-`, `0`, width and precision before the letter.
pub(super) fn format(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let pattern = text_argument(arguments, 0)?;
    let mut formatted = String::new();
    let mut next = 1;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            formatted.push(character);
            continue;
        }
        let verb = read_verb(&mut characters)?;
        if verb.letter == '%' {
            formatted.push('%');
            continue;
        }
        let value = arguments
            .get(next)
            .ok_or_else(|| ArgumentError::new(0, "the pattern wants more values than are given"))?;
        check_size(formatted.len())?;
        formatted.push_str(&verb.apply(value).map_err(|message| ArgumentError::new(next, message))?);
        next += 1;
    }
    if next < arguments.len() {
        return Err(ArgumentError::new(next, "the pattern has no place for this value"));
    }
    Ok(Value::from(formatted))
}

fn read_verb(characters: &mut Peekable<Chars<'_>>) -> Result<Verb, ArgumentError> {
    let mut verb = Verb::default();
    while let Some(flag) = characters.next_if(|character| matches!(character, '-' | '0')) {
        verb.left |= flag == '-';
        verb.zeros |= flag == '0';
    }
    verb.width = read_number(characters)?.unwrap_or(0);
    if characters.next_if_eq(&'.').is_some() {
        verb.precision = Some(read_number(characters)?.unwrap_or(0));
    }
    match characters.next() {
        Some(letter @ ('s' | 'v' | 'q' | 'd' | 'x' | 'f' | '%')) => Ok(Verb { letter, ..verb }),
        Some(letter) => Err(ArgumentError::new(
            0,
            format!("`%{}` is not known; there are %s %v %q %d %x %f %%", letter.escape_debug()),
        )),
        None => Err(ArgumentError::new(0, "the pattern ends with `%`; a literal one is `%%`")),
    }
}

fn read_number(characters: &mut Peekable<Chars<'_>>) -> Result<Option<usize>, ArgumentError> {
    let mut digits = String::new();
    while let Some(digit) = characters.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    if digits.is_empty() {
        return Ok(None);
    }
    let number = digits.parse().ok().filter(|number| *number <= LARGEST_WIDTH);
    number.map(Some).ok_or_else(|| ArgumentError::new(0, format!("a width is at most {LARGEST_WIDTH}")))
}

impl Verb {
    fn apply(&self, value: &Value) -> Result<String, String> {
        let text = self.text(value)?;
        let missing = self.width.saturating_sub(text.chars().count());
        Ok(match text.strip_prefix('-') {
            _ if self.left => text + &" ".repeat(missing),
            Some(digits) if self.zeros => format!("-{}{digits}", "0".repeat(missing)),
            None if self.zeros => "0".repeat(missing) + &text,
            Some(_) | None => " ".repeat(missing) + &text,
        })
    }

    fn text(&self, value: &Value) -> Result<String, String> {
        let wrong =
            |expected: &str| format!("`%{}` takes {expected}, not {}", self.letter, value.type_name());
        match (self.letter, value) {
            ('d', Value::Integer(integer)) => Ok(integer.to_string()),
            ('x', Value::Integer(integer)) => Ok(format!("{integer:x}")),
            ('f', Value::Float(float)) => Ok(format!("{float:.*}", self.precision.unwrap_or(6))),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a fraction is asked for, and `f64` is our only one"
            )]
            ('f', Value::Integer(integer)) => {
                Ok(format!("{:.*}", self.precision.unwrap_or(6), *integer as f64))
            }
            ('q', Value::String(text)) => Ok(serde_json::Value::from(text.as_str()).to_string()),
            ('d' | 'x', _) => Err(wrong("a whole number")),
            ('f', _) => Err(wrong("a number")),
            ('q', _) => Err(wrong("a string")),
            _ => {
                let text = scalar_text(value).ok_or_else(|| wrong("a string, number or boolean"))?;
                Ok(self.precision.map_or(text.clone(), |precision| text.chars().take(precision).collect()))
            }
        }
    }
}
