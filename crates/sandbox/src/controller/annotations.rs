//! What annotations of Ingresses and Services say.

use std::collections::BTreeMap;

use serde_json::Value;

use super::object::texts;
use super::reach::{Done, Trouble};

/// What the names of the annotations begin with.
const PREFIX: &str = "alb.ingress.kubernetes.io/";

/// The annotations of one object, or of several of which the first have the say.
#[derive(Debug, Clone, Default)]
pub(super) struct Annotations {
    all: BTreeMap<String, String>,
}

impl Annotations {
    /// Returns those of an object.
    pub(super) fn of(object: &Value) -> Self {
        Self { all: texts(object, "/metadata/annotations") }
    }

    /// Returns those of an object and, for what it does not say, of others.
    pub(super) fn of_both(object: &Value, others: &Self) -> Self {
        let mut all = others.all.clone();
        all.extend(Self::of(object).all);
        Self { all }
    }

    /// Returns an annotation by its name without what all begin with.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all.get(&format!("{PREFIX}{name}")).map(String::as_str)
    }

    /// Returns an annotation, or what is meant without it.
    pub(super) fn or<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        self.get(name).unwrap_or(usual)
    }

    /// Returns a list, whose items are separated by commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let items = self.get(name).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    /// Returns a table: `key=value`, separated by commas.
    pub(super) fn table(&self, name: &str) -> Done<BTreeMap<String, String>> {
        let pairs = self.list(name);
        let pair = |item: String| {
            let pair =
                item.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
            pair.filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
                Trouble::other(format!(
                    "failed to parse stringMap annotation, {PREFIX}{name}: {}",
                    self.get(name).unwrap_or_default()
                ))
            })
        };
        pairs.into_iter().map(pair).collect()
    }

    /// Returns a whole number.
    pub(super) fn number(&self, name: &str, usual: i64) -> Done<i64> {
        let Some(text) = self.get(name) else { return Ok(usual) };
        text.parse().map_err(|_| {
            Trouble::other(format!(
                "failed to parse int64 annotation, {PREFIX}{name}: {text}: strconv.ParseInt: parsing \"{text}\": \
                 invalid syntax"
            ))
        })
    }

    /// Returns whether something is so.
    pub(super) fn flag(&self, name: &str, usual: bool) -> Done<bool> {
        match self.get(name) {
            None => Ok(usual),
            Some("true" | "True" | "TRUE" | "t" | "T" | "1") => Ok(true),
            Some("false" | "False" | "FALSE" | "f" | "F" | "0") => Ok(false),
            Some(text) => Err(Trouble::other(format!(
                "failed to parse bool annotation, {PREFIX}{name}: {text}: strconv.ParseBool: parsing \"{text}\": \
                 invalid syntax"
            ))),
        }
    }

    /// Returns what is written in JSON.
    pub(super) fn json(&self, name: &str) -> Done<Option<Value>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|error| {
            Trouble::other(format!("failed to parse json annotation, {PREFIX}{name}: {text}: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_by_their_kinds() {
        let ingress = json!({ "metadata": { "annotations": {
            "alb.ingress.kubernetes.io/subnets": "a, b,,c",
            "alb.ingress.kubernetes.io/tags": "team=games, env=a=b",
            "alb.ingress.kubernetes.io/healthcheck-interval-seconds": "x",
            "alb.ingress.kubernetes.io/listen-ports": "[{\"HTTP\": 80}",
            "alb.ingress.kubernetes.io/load-balancer-attributes": "nothing",
        } } });
        let service = json!({ "metadata": { "annotations": { "alb.ingress.kubernetes.io/subnets": "d" } } });
        let annotations = Annotations::of(&ingress);
        assert_eq!(annotations.list("subnets"), ["a", "b", "c"]);
        let tags = annotations.table("tags").expect("they are well formed");
        assert_eq!((tags["team"].as_str(), tags["env"].as_str()), ("games", "a=b"));
        assert_eq!(annotations.number("nothing", 7), Ok(7));
        for wrong in [
            annotations.number("healthcheck-interval-seconds", 1).map(drop),
            annotations.json("listen-ports").map(drop),
            annotations.table("load-balancer-attributes").map(drop),
            annotations.flag("subnets", true).map(drop),
        ] {
            let trouble = wrong.expect_err("it is wrong").to_string();
            assert!(trouble.contains("alb.ingress.kubernetes.io/"), "{trouble}");
        }
        assert_eq!(Annotations::of_both(&service, &annotations).list("subnets"), ["d"]);
    }
}
