//! Selectors: which objects of a kind are meant, by their labels or fields.

use serde_json::{Map, Value};

use super::kind::Kind;
use super::status::Failure;

/// What a label has to be.
#[derive(Debug, Clone, PartialEq)]
enum Demand {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

/// What the labels of an object have to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Labels(Vec<Demand>);

impl Labels {
    /// Reads a selector as queries have it, such as `app=x,tier in (a,b),!old`.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let mut tokens = tokens(text).into_iter().peekable();
        let mut demands = Vec::new();
        while let Some(token) = tokens.next() {
            let demand = if token.as_str() == "!" {
                Demand::Missing(name(tokens.next())?)
            } else {
                let key = name(Some(token))?;
                match tokens.peek().map(String::as_str) {
                    None | Some(",") => Demand::Exists(key),
                    Some("=" | "==") => {
                        tokens.next();
                        Demand::In(key, vec![value(&mut tokens)])
                    }
                    Some("!=") => {
                        tokens.next();
                        Demand::NotIn(key, vec![value(&mut tokens)])
                    }
                    Some("in") => {
                        tokens.next();
                        Demand::In(key, values(&mut tokens)?)
                    }
                    Some("notin") => {
                        tokens.next();
                        Demand::NotIn(key, values(&mut tokens)?)
                    }
                    Some(other) => return Err(unexpected(other, "in, notin, =, ==, !=, gt, lt")),
                }
            };
            demands.push(demand);
            match tokens.next().as_deref() {
                None | Some(",") => {}
                Some(other) => return Err(unexpected(other, "',' or 'end of string'")),
            }
        }
        Ok(Self(demands))
    }

    /// Reads a selector as objects have it: `matchLabels` and `matchExpressions`.
    pub(super) fn of_object(selector: &Value) -> Self {
        let labels = selector["matchLabels"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut demands: Vec<_> =
            labels.map(|(key, value)| Demand::In(key.clone(), vec![text(value)])).collect();
        for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
            let key = text(&expression["key"]);
            let values = expression["values"].as_array().into_iter().flatten().map(text).collect();
            demands.push(match expression["operator"].as_str() {
                Some("NotIn") => Demand::NotIn(key, values),
                Some("Exists") => Demand::Exists(key),
                Some("DoesNotExist") => Demand::Missing(key),
                _ => Demand::In(key, values),
            });
        }
        Self(demands)
    }

    /// Reads labels that all have to be there.
    pub(super) fn of_labels(labels: &Value) -> Self {
        Self::of_object(&serde_json::json!({ "matchLabels": labels }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether labels are as they have to be.
    pub(super) fn meet(&self, labels: &Value) -> bool {
        self.0.iter().all(|demand| {
            let of = |key: &String| labels.get(key).and_then(Value::as_str);
            match demand {
                Demand::In(key, values) => of(key).is_some_and(|value| values.iter().any(|one| one == value)),
                Demand::NotIn(key, values) => {
                    of(key).is_none_or(|value| values.iter().all(|one| one != value))
                }
                Demand::Exists(key) => of(key).is_some(),
                Demand::Missing(key) => of(key).is_none(),
            }
        })
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    let end = |word: &mut String, tokens: &mut Vec<String>| {
        if !word.is_empty() {
            tokens.push(std::mem::take(word));
        }
    };
    while let Some(letter) = letters.next() {
        match letter {
            ' ' => end(&mut word, &mut tokens),
            ',' | '(' | ')' => {
                end(&mut word, &mut tokens);
                tokens.push(letter.to_string());
            }
            '!' | '=' => {
                end(&mut word, &mut tokens);
                let is_double = letters.next_if_eq(&'=').is_some();
                tokens.push(if is_double { format!("{letter}=") } else { letter.to_string() });
            }
            letter => word.push(letter),
        }
    }
    end(&mut word, &mut tokens);
    tokens
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<String>>;

fn name(token: Option<String>) -> Result<String, Failure> {
    let token = token.unwrap_or_default();
    let is_name = !token.is_empty() && !["=", "==", "!=", "!", ",", "(", ")"].contains(&token.as_str());
    if is_name { Ok(token) } else { Err(unexpected(&token, "!, identifier, or 'end of string'")) }
}

fn value(tokens: &mut Tokens) -> String {
    tokens.next_if(|token| token != ",").unwrap_or_default()
}

fn values(tokens: &mut Tokens) -> Result<Vec<String>, Failure> {
    let found = tokens.next().unwrap_or_default();
    if found != "(" {
        return Err(unexpected(&found, "'('"));
    }
    let mut values = Vec::new();
    loop {
        match tokens.next().as_deref() {
            Some(")") => return Ok(values),
            Some(",") => {}
            Some(value) => values.push(value.to_owned()),
            None => return Err(unexpected("", "',', or ')'")),
        }
    }
}

fn unexpected(found: &str, expected: &str) -> Failure {
    Failure::bad_request(format!("found '{found}', expected: {expected}"))
}

/// What some fields of an object have to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Places(Vec<(String, String, bool)>);

impl Places {
    /// Reads a selector such as `metadata.name=a,status.phase!=Running`, of fields that the kind has
    /// for this.
    pub(super) fn read(text: &str, kind: &Kind) -> Result<Self, Failure> {
        let known = selectable(kind);
        let mut places = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (field, value, is) = if let Some((field, value)) = part.split_once("!=") {
                (field, value, false)
            } else if let Some((field, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (field, value, true)
            } else {
                let message = format!("invalid selector: {text:?}; can't understand {part:?}");
                return Err(Failure::bad_request(message));
            };
            if !known.contains(&field) {
                return Err(unknown(field, kind));
            }
            places.push((field.to_owned(), value.to_owned(), is));
        }
        Ok(Self(places))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn meet(&self, object: &Value) -> bool {
        self.0.iter().all(|(field, wanted, is)| {
            let pointer = format!("/{}", field.replace('.', "/"));
            let value = match object.pointer(&pointer) {
                Some(Value::String(text)) => text.clone(),
                None | Some(Value::Null) => String::new(),
                Some(other) => other.to_string(),
            };
            (value == *wanted) == *is
        })
    }
}

/// Returns the fields by which objects of a kind can be selected.
fn selectable(kind: &Kind) -> Vec<&'static str> {
    let own: &[&str] = match kind.stored_as().as_str() {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "namespaces" => &["status.phase"],
        "nodes" => &["spec.unschedulable"],
        "secrets" => &["type"],
        "services" => &["spec.clusterIP", "spec.type"],
        "replicasets.apps" | "replicationcontrollers" => &["status.replicas"],
        "jobs.batch" => &["status.successful"],
        _ => &[],
    };
    let mut known = vec!["metadata.name"];
    if kind.namespaced || kind.custom.is_none() {
        known.push("metadata.namespace");
    }
    known.extend(own);
    known
}

fn unknown(field: &str, kind: &Kind) -> Failure {
    let has_own = selectable(kind).len() > 2;
    let message = if has_own {
        format!("field label not supported: {field}")
    } else {
        format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    };
    Failure::bad_request(message)
}

/// Returns a selector of an object as text, such as `a=b,c in (d,e)`.
pub(super) fn written(selector: &Value) -> String {
    let labels = selector["matchLabels"].as_object().map_or_else(Vec::new, |labels: &Map<String, Value>| {
        labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect()
    });
    let mut parts = labels;
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        let values: Vec<_> =
            expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        parts.push(match expression["operator"].as_str() {
            Some("Exists") => key.to_owned(),
            Some("DoesNotExist") => format!("!{key}"),
            Some("NotIn") => format!("{key} notin ({})", values.join(",")),
            _ => format!("{key} in ({})", values.join(",")),
        });
    }
    parts.sort();
    parts.join(",")
}
