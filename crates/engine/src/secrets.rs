//! Takes sensitive values out of what services say: a refusal may quote what was sent.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};

use crate::schema::AttributeSchema;
use crate::value::{SENSITIVE, Value, ValueMap};

/// Shorter texts are taken out only where they stand alone: they are parts of many words.
const SHORTEST_PART: usize = 4;

/// The texts of sensitive values. Shown, it tells none of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// As they are and as they are written in JSON, addresses and the like.
    texts: BTreeSet<String>,
}

impl Secrets {
    /// Adds a value, with everything in it.
    pub(crate) fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_text(text),
            Value::Integer(number) => self.add_text(&number.to_string()),
            Value::Float(number) => self.add_text(&number.to_string()),
            Value::List(items) => items.iter().for_each(|item| self.add(item)),
            Value::Map(entries) => entries.values().for_each(|value| self.add(value)),
            Value::Null | Value::Bool(_) | Value::Unknown(_) => {}
        }
    }

    /// Adds those of the inputs that must not be shown.
    pub(crate) fn add_inputs(
        &mut self,
        attributes: &[AttributeSchema],
        sensitive: &BTreeSet<String>,
        inputs: &ValueMap,
    ) {
        let hidden = attributes.iter().filter(|attribute| attribute.is_hidden(sensitive));
        hidden.filter_map(|attribute| inputs.get(attribute.name)).for_each(|value| self.add(value));
    }

    fn add_text(&mut self, text: &str) {
        if text.is_empty() || self.texts.contains(text) {
            return;
        }
        let escaped = [
            serde_json::to_string(text).unwrap_or_default().trim_matches('"').to_owned(),
            text.escape_debug().to_string(),
            percent_encoded(text),
        ];
        let encodings = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD];
        self.texts.extend(encodings.map(|encoding| encoding.encode(text.as_bytes())));
        self.texts.extend(escaped);
        self.texts.insert(text.to_owned());
    }

    /// Returns a text without them.
    pub(crate) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found: Vec<_> = self.texts.iter().filter(|secret| text.contains(secret.as_str())).collect();
        // What is a part of another one would leave the rest of that.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        found.into_iter().fold(Cow::Borrowed(text), |text, secret| match secret.len() {
            0..SHORTEST_PART => Cow::Owned(without_word(&text, secret)),
            _ => Cow::Owned(text.replace(secret, SENSITIVE)),
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(SENSITIVE)
    }
}

/// Says why JSON cannot be read, without the value that was found in the place of another one.
#[must_use]
pub fn unreadable(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => message,
    }
}

/// Returns a text without a word where that stands alone.
fn without_word(text: &str, word: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for (start, _) in text.match_indices(word) {
        let before = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        let after = text[start + word.len()..].chars().next().is_some_and(char::is_alphanumeric);
        if !before && !after {
            shown += &text[end..start];
            shown += SENSITIVE;
            end = start + word.len();
        }
    }
    shown + &text[end..]
}

fn percent_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &Value, said: &str, shown: &str) {
        let mut secrets = Secrets::default();
        secrets.add(secret);
        assert_eq!(secrets.hide(said), shown);
        assert_eq!(format!("{secrets:?}"), SENSITIVE);
    }

    #[test]
    fn values_are_taken_out_in_every_form_that_services_write_them_in() {
        let secret = || Value::from("sehr \"geheim\"\n/+");
        check(&secret(), "no: sehr \"geheim\"\n/+!", "no: (sensitive)!");
        check(&secret(), r#"{"it":"sehr \"geheim\"\n/+"}"#, r#"{"it":"(sensitive)"}"#);
        check(&secret(), "x=sehr%20%22geheim%22%0A%2F%2B&y", "x=(sensitive)&y");
        check(&secret(), "c2VociAiZ2VoZWltIgovKw==", "(sensitive)");
        check(&secret(), "what else?", "what else?");
    }

    #[test]
    fn what_is_wrong_with_json_is_said_without_what_it_holds() {
        let wrong = |text| unreadable(&serde_json::from_str::<Vec<u8>>(text).expect_err("it is wrong"));
        assert_eq!(wrong("[\"hunter2\"]"), "expected u8 at line 1 column 10");
        assert_eq!(wrong("[\"hunter2, expected \"]"), "expected u8 at line 1 column 21");
        assert_eq!(wrong("[1"), "EOF while parsing a list at line 1 column 2");
    }

    #[test]
    fn parts_and_what_is_short_are_taken_out_without_harm() {
        check(&Value::from(vec!["hunter", "hunter22"]), "hunter22 hunter", "(sensitive) (sensitive)");
        check(&Value::Integer(42), "42 is not in 142 or [42]", "(sensitive) is not in 142 or [(sensitive)]");
        check(&Value::from("a"), "a cat, \"a\"", "(sensitive) cat, \"(sensitive)\"");
    }
}
