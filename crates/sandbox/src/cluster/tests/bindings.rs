//! Placeholders of recordings: each stands for one value, the same wherever it is in a file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// What the placeholders of a file stand for.
#[derive(Default)]
pub(super) struct Bindings {
    values: BTreeMap<String, String>,
}

/// Hashes of pod templates: functions of what servers have in memory, which nobody outside can know.
const HASHES: &str = r"\b(5c5cb99db9|7fd7fd4bfb|6fd74df7b7)\b";

static PLACES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!(r"<([a-zA-Z -]+(?::\d+)?)>|{HASHES}")).unwrap());

impl Bindings {
    /// Puts what is known into a request. What is not known yet gets a value, which a server has never seen.
    pub(super) fn fill(&mut self, text: &str) -> String {
        let placeholders = Regex::new(r"%3C([a-zA-Z ]+(?::\d+)?)%3E|<([a-zA-Z -]+(?::\d+)?)>").unwrap();
        let filled = placeholders.replace_all(text, |found: &regex::Captures<'_>| {
            let name = found.get(1).or_else(|| found.get(2)).map_or("", |found| found.as_str());
            self.values.entry(name.to_owned()).or_insert_with(|| unseen(name)).clone()
        });
        // A port is a number, although its placeholder is a text.
        let ports = Regex::new(r#"("nodePort":\s*)"(\d+)""#).unwrap();
        let filled = ports.replace_all(&filled, "$1$2").into_owned();
        let hashes = Regex::new(HASHES).unwrap();
        hashes
            .replace_all(&filled, |found: &regex::Captures<'_>| {
                self.values.get(&found[0]).cloned().unwrap_or_else(|| found[0].to_owned())
            })
            .into_owned()
    }

    /// Returns where a value differs from what was recorded.
    pub(super) fn differences(
        &mut self,
        recorded: &Value,
        actual: &Value,
        path: &str,
        found: &mut Vec<String>,
    ) {
        match (recorded, actual) {
            (Value::Object(recorded), Value::Object(actual)) => {
                for (name, value) in recorded {
                    // What a column means is said in the documentation.
                    if name == "description" && path.contains("columnDefinitions") {
                        continue;
                    }
                    let name_now = self.known(name);
                    match actual.get(&name_now) {
                        Some(other) => self.differences(value, other, &format!("{path}.{name}"), found),
                        None => found.push(format!("{path}.{name} is missing: {value}")),
                    }
                }
                let known: Vec<_> = recorded.keys().map(|name| self.known(name)).collect();
                for (name, value) in actual.iter().filter(|(name, _)| !known.contains(name)) {
                    found.push(format!("{path}.{name} is too much: {value}"));
                }
            }
            (Value::Array(recorded), Value::Array(actual)) => {
                if recorded.len() != actual.len() {
                    found.push(format!("{path} has {} items, not {}", actual.len(), recorded.len()));
                }
                for (index, (value, other)) in recorded.iter().zip(actual).enumerate() {
                    self.differences(value, other, &format!("{path}[{index}]"), found);
                }
            }
            (Value::String(text), other) => {
                let shown = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
                if !self.fits(text, &shown) {
                    found.push(format!("{path} is {other}, not {recorded}"));
                }
            }
            _ if recorded != actual => found.push(format!("{path} is {actual}, not {recorded}")),
            _ => {}
        }
    }

    fn known(&self, name: &str) -> String {
        if !name.contains('<') {
            return name.to_owned();
        }
        let placeholders = Regex::new(r"<([a-zA-Z -]+(?::\d+)?)>").unwrap();
        let known = |found: &regex::Captures<'_>| {
            self.values.get(&found[1]).cloned().unwrap_or_else(|| found[0].to_owned())
        };
        placeholders.replace_all(name, known).into_owned()
    }

    /// Tells whether a text is the recorded one but for what placeholders stand for, which is learnt.
    pub(super) fn fits(&mut self, recorded: &str, actual: &str) -> bool {
        if !PLACES.is_match(recorded) {
            return recorded == actual;
        }
        let places = &*PLACES;
        let (mut pattern, mut names, mut end) = ("(?s)^".to_owned(), Vec::new(), 0);
        for found in places.captures_iter(recorded) {
            let whole = found.get(0).unwrap();
            pattern.push_str(&regex::escape(&recorded[end..whole.start()]));
            pattern.push_str("(.+?)");
            names.push(found.get(1).map_or(whole.as_str(), |name| name.as_str()).to_owned());
            end = whole.end();
        }
        pattern.push_str(&regex::escape(&recorded[end..]));
        pattern.push('$');
        let Some(found) = Regex::new(&pattern).unwrap().captures(actual) else { return false };
        names.into_iter().enumerate().all(|(index, name)| self.bind(&name, &found[index + 1]))
    }

    fn bind(&mut self, name: &str, value: &str) -> bool {
        if name == "event-id" {
            return true;
        }
        if let Some(known) = self.values.get(name) {
            return known == value;
        }
        let (kind, number) = name.split_once(':').unwrap_or((name, ""));
        let is_in_order = self.values.iter().all(|(other, known)| {
            let Some((_, other)) = other.split_once(':').filter(|(of, _)| *of == kind) else { return true };
            let order = number.parse::<u64>().ok().cmp(&other.parse::<u64>().ok());
            match kind {
                "rv" => order == value.parse::<u64>().ok().cmp(&known.parse::<u64>().ok()),
                "time" | "microtime" => order == value.cmp(known),
                _ => known != value,
            }
        });
        self.values.insert(name.to_owned(), value.to_owned());
        is_in_order
    }
}

/// Returns a value for a placeholder that no answer had so far.
fn unseen(name: &str) -> String {
    match name.split(':').next().unwrap_or_default() {
        "uid" => "00000000-0000-4000-8000-000000000000".to_owned(),
        "clusterIP" => "10.100.200.200".to_owned(),
        "nodePort" => "32000".to_owned(),
        "rv" => "999999999".to_owned(),
        "time" => "2026-09-21T14:13:20Z".to_owned(),
        "event-id" => "18a0b1c2d3e4f506".to_owned(),
        "caBundle" => "LS0tLS1CRUdJTg==".to_owned(),
        _ => name.to_owned(),
    }
}
