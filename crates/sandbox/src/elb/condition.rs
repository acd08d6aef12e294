//! Conditions: which requests a rule is about.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::visit::Visit;
use super::{invalid, one_of};
use crate::call::{Parameters, Refusal};
use crate::ec2::like;
use crate::validation::{length, required};

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Condition {
    field: String,
    /// What is in the attribute for the field: `Values`, and more.
    config: Value,
}

/// The fields, and the attributes in which their values are.
const FIELDS: [(&str, &str); 6] = [
    ("host-header", "HostHeaderConfig"),
    ("http-header", "HttpHeaderConfig"),
    ("http-request-method", "HttpRequestMethodConfig"),
    ("path-pattern", "PathPatternConfig"),
    ("query-string", "QueryStringConfig"),
    ("source-ip", "SourceIpConfig"),
];
/// The fields that a rule may have several conditions on.
const REPEATED: [&str; 2] = ["http-header", "query-string"];
/// "Condition values per rule" ("Quotas for your Application Load Balancers").
const MOST: usize = 5;

impl Condition {
    /// Returns it as answers have it. The older fields have their values in two places.
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({ "Field": self.field, attribute(&self.field): self.config });
        if ["host-header", "path-pattern"].contains(&self.field.as_str()) {
            shown["Values"] = self.config["Values"].clone();
        }
        shown
    }

    /// Tells whether it is about a request. What is compared with patterns has `*` and `?` in them, and is in
    /// capitals or not only in paths, methods and values ("Condition types for listener rules", ALB guide).
    pub(super) fn holds(&self, visit: &Visit<'_>) -> bool {
        let values = |name: &str| {
            let values = self.config[name].as_array().into_iter().flatten().filter_map(Value::as_str);
            values.map(str::to_owned).collect::<Vec<_>>()
        };
        let any = |text: &str| values("Values").iter().any(|pattern| like(pattern, text));
        let any_small = |text: &str| {
            values("Values").iter().any(|pattern| like(&pattern.to_lowercase(), &text.to_lowercase()))
        };
        match self.field.as_str() {
            "host-header" => any_small(visit.host),
            "http-request-method" => values("Values").iter().any(|method| method == visit.method),
            "path-pattern" => any(visit.path),
            "http-header" => {
                let name = self.config["HttpHeaderName"].as_str().unwrap_or_default();
                (visit.header)(name).is_some_and(|value| any_small(&value))
            }
            "query-string" => {
                let pairs: Vec<_> = form_urlencoded::parse(visit.query.as_bytes()).collect();
                let wanted = self.config["Values"].as_array().into_iter().flatten();
                let text = |pair: &Value, name: &str| pair[name].as_str().unwrap_or("*").to_lowercase();
                wanted.into_iter().any(|wanted| {
                    pairs.iter().any(|(key, value)| {
                        like(&text(wanted, "Key"), &key.to_lowercase())
                            && like(&text(wanted, "Value"), &value.to_lowercase())
                    })
                })
            }
            // Whoever comes, comes from somewhere in the internet.
            _ => values("Values").iter().any(|range| range == "0.0.0.0/0"),
        }
    }

    fn count(&self) -> usize {
        let lists = ["Values", "RegexValues"].map(|name| self.config[name].as_array().map_or(0, Vec::len));
        lists.iter().sum()
    }
}

fn attribute(field: &str) -> &'static str {
    FIELDS.iter().find(|(known, _)| *known == field).map_or("", |(_, attribute)| attribute)
}

/// Reads the conditions of a call.
pub(super) fn read_all(parameters: &Parameters) -> Result<Vec<Condition>, Refusal> {
    let mut conditions: Vec<Condition> = Vec::new();
    for condition in parameters.tables("Conditions") {
        let condition = read(&condition)?;
        let is_there = conditions.iter().any(|other| other.field == condition.field);
        if is_there && !REPEATED.contains(&condition.field.as_str()) {
            return Err(invalid(format!("A rule can only have one '{}' condition", condition.field)));
        }
        conditions.push(condition);
    }
    if conditions.is_empty() {
        return Err(invalid("A condition must be specified"));
    }
    if conditions.iter().map(Condition::count).sum::<usize>() > MOST {
        return Err(invalid(format!("A rule can only have '{MOST}' condition values")));
    }
    Ok(conditions)
}

fn read(condition: &Parameters) -> Result<Condition, Refusal> {
    let fields = FIELDS.map(|(field, _)| field);
    let field = one_of("Field", required(condition, "Field")?, &fields)?;
    let mut config = condition.table(attribute(field));
    for name in ["Values", "RegexValues"] {
        let plain = condition.texts(name);
        if !plain.is_empty() && !config.0.is_empty() {
            return Err(invalid("You cannot specify both a condition config and values"));
        }
        if !plain.is_empty() {
            config.0.insert(name.to_owned(), json!(plain));
        }
    }
    let condition = Condition { field: field.to_owned(), config: Value::Object(config.0.clone()) };
    if condition.count() == 0 {
        return Err(invalid(format!("A condition value must be specified for the field '{field}'")));
    }
    check(field, &config)?;
    Ok(condition)
}

/// Checks the values of a field (API reference, `RuleCondition`).
fn check(field: &str, config: &Parameters) -> Result<(), Refusal> {
    for value in config.texts("Values") {
        length("Values", value, 1, 128)?;
        let is_right = match field {
            "http-request-method" => {
                value.bytes().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(&byte))
            }
            "source-ip" => value.parse::<IpNet>().is_ok() && value.parse::<IpAddr>().is_err(),
            _ => true,
        };
        if !is_right {
            return Err(invalid(format!("Condition value '{value}' is not valid for the field '{field}'")));
        }
    }
    if field == "http-header" {
        required(config, "HttpHeaderName")?;
    }
    Ok(())
}
