//! Words: their letters' case, and lines that they are wrapped into.

use super::arguments::{int, position, text};
use super::{Function, takes};
use crate::helm::template::{CallError, GoValue};

pub(super) const FUNCTIONS: &[Function] = &[
    takes(1, "title", |_, arguments| Ok(GoValue::text(first_letters(&text(arguments, 0)?, upper)))),
    takes(1, "untitle", |_, arguments| Ok(GoValue::text(first_letters(&text(arguments, 0)?, lower)))),
    takes(1, "swapcase", |_, arguments| {
        let swap = |letter: char| if letter.is_uppercase() { lower(letter) } else { upper(letter) };
        Ok(GoValue::text(text(arguments, 0)?.chars().map(swap).collect::<String>()))
    }),
    takes(1, "initials", |_, arguments| {
        let whole = text(arguments, 0)?;
        let words = whole.split_whitespace();
        Ok(GoValue::text(words.filter_map(|word| word.chars().next()).collect::<String>()))
    }),
    takes(1, "snakecase", |_, arguments| Ok(GoValue::text(separated(&text(arguments, 0)?, '_')))),
    takes(1, "kebabcase", |_, arguments| Ok(GoValue::text(separated(&text(arguments, 0)?, '-')))),
    takes(1, "camelcase", |_, arguments| {
        let whole = text(arguments, 0)?;
        let words = whole.split(['_', '-', ' ']).filter(|word| !word.is_empty());
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map(upper).into_iter().chain(letters).collect::<String>()
        };
        Ok(GoValue::text(words.map(capital).collect::<String>()))
    }),
    takes(2, "abbrev", |_, arguments| {
        let (width, whole) = (int(arguments, 0)?, text(arguments, 1)?);
        Ok(GoValue::text(abbreviated(&whole, 0, position(width).unwrap_or(0))))
    }),
    takes(3, "abbrevboth", |_, arguments| {
        let (left, right, whole) = (int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
        Ok(GoValue::text(abbreviated(&whole, position(left).unwrap_or(0), position(right).unwrap_or(0))))
    }),
    takes(2, "wrap", |_, arguments| {
        Ok(GoValue::text(wrapped(&text(arguments, 1)?, width(arguments)?, "\n", false)))
    }),
    takes(3, "wrapWith", |_, arguments| {
        let separator = text(arguments, 1)?;
        Ok(GoValue::text(wrapped(&text(arguments, 2)?, width(arguments)?, &separator, true)))
    }),
];

fn upper(letter: char) -> char {
    letter.to_uppercase().next().unwrap_or(letter)
}

fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

/// Changes each letter that nothing of a word stands before.
fn first_letters(whole: &str, change: fn(char) -> char) -> String {
    let mut inside = false;
    let mut changed = String::new();
    for letter in whole.chars() {
        changed.push(if inside { letter } else { change(letter) });
        inside = letter.is_alphanumeric() || letter == '_' || letter == '\'';
    }
    changed
}

/// Returns words in small letters with a character between them.
fn separated(whole: &str, separator: char) -> String {
    let letters: Vec<char> = whole.chars().collect();
    let mut text = String::new();
    for (index, letter) in letters.iter().enumerate() {
        if matches!(letter, '_' | '-' | ' ') {
            if !text.ends_with(separator) {
                text.push(separator);
            }
            continue;
        }
        let before = index.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(index + 1);
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if begins && !text.ends_with(separator) {
            text.push(separator);
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// Cuts text to a width, with dots where something is left out.
fn abbreviated(whole: &str, left: usize, width: usize) -> String {
    let letters: Vec<char> = whole.chars().collect();
    let end: String = "...".to_owned();
    if width < 4 || (left > 0 && width < 7) || letters.len() <= width {
        return whole.to_owned();
    }
    let mut offset = left.min(letters.len());
    if letters.len() - offset < width - 3 {
        offset = letters.len() - (width - 3);
    }
    if offset <= 4 {
        return letters[..width - 3].iter().collect::<String>() + &end;
    }
    if offset + width - 3 < letters.len() {
        let inner: String = letters[offset..].iter().collect();
        return end + &abbreviated(&inner, 0, width - 3);
    }
    end + &letters[letters.len() - (width - 3)..].iter().collect::<String>()
}

fn width(arguments: &[GoValue]) -> Result<usize, CallError> {
    Ok(position(int(arguments, 0)?).filter(|width| *width > 0).unwrap_or(1))
}

/// Puts text into lines; words that are longer than one are cut or stand out.
fn wrapped(whole: &str, width: usize, separator: &str, cuts: bool) -> String {
    let letters: Vec<char> = whole.chars().collect();
    let mut lines: Vec<String> = Vec::new();
    let mut at = 0;
    while letters.len().saturating_sub(at) > width {
        if letters[at] == ' ' {
            at += 1;
            continue;
        }
        let space = (at..=at + width).rev().find(|place| letters[*place] == ' ');
        let end = match space {
            Some(space) => space,
            None if cuts => at + width,
            None => (at + width..letters.len()).find(|place| letters[*place] == ' ').unwrap_or(letters.len()),
        };
        lines.push(letters[at..end].iter().collect());
        at = end + usize::from(letters.get(end) == Some(&' '));
    }
    if at < letters.len() {
        lines.push(letters[at..].iter().collect());
    }
    lines.join(separator)
}
