//! The attributes that every resource takes, whatever its kind.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::address::Address;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::resource::{ReplaceOrder, Timeouts};
use crate::schema::KindSchema;
use crate::spec::document::{Data, Entry, Node};
use crate::spec::model::Lifecycle;
use crate::spec::suggest;

/// Reads an attribute into the lifecycle; `false` if it is none of the lifecycle's.
pub(crate) fn read_lifecycle(
    entry: &Entry,
    schema: &KindSchema,
    defaults: Timeouts,
    lifecycle: &mut Lifecycle,
    diagnostics: &mut Diagnostics,
) -> bool {
    let result = match entry.key.as_str() {
        "prevent_destroy" => boolean(&entry.node).map(|value| lifecycle.prevent_destroy = value),
        "retain_on_destroy" => boolean(&entry.node).map(|value| lifecycle.retain_on_destroy = value),
        "replace_order" => replace_order(&entry.node).map(|order| lifecycle.replace_order = Some(order)),
        "ignore_changes" => {
            ignore_changes(&entry.node, schema).map(|attributes| lifecycle.ignore_changes = attributes)
        }
        "timeouts" => timeouts(&entry.node, defaults).map(|timeouts| lifecycle.timeouts = Some(timeouts)),
        _ => return false,
    };
    if let Err(diagnostic) = result {
        diagnostics.push(*diagnostic);
    }
    true
}

/// Reads `depends_on`: addresses as plain text.
pub(crate) fn read_depends_on(node: &Node, diagnostics: &mut Diagnostics) -> Vec<(Address, Span)> {
    let Data::List(items) = &node.data else {
        diagnostics.push(*wrong_type(node, "a list of addresses, such as `[\"route_table.public\"]`"));
        return Vec::new();
    };
    let mut addresses = Vec::with_capacity(items.len());
    for item in items {
        match depends_on_item(item) {
            Ok(address) => addresses.push((address, item.span)),
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    addresses
}

fn depends_on_item(item: &Node) -> Result<Address, Box<Diagnostic>> {
    let Data::Text(text) = &item.data else { return Err(wrong_type(item, "an address in quotes")) };
    let diagnostic = Diagnostic::error("invalid-address", "invalid address");
    if let Some(inside) = text.strip_prefix("${").and_then(|text| text.strip_suffix('}')) {
        let hint = format!("`depends_on` takes addresses without `${{}}`: `\"{inside}\"`.");
        return Err(diagnostic.with_span(item.span, "no expression can stand here").with_hint(hint).into());
    }
    let address: Address = text.parse().map_err(|_| {
        diagnostic
            .clone()
            .with_span(item.span, "no address")
            .with_hint("Write `kind.name` or `kind.name['key']`.")
    })?;
    if let Some(parent) = address.parent() {
        let hint = format!("Name the whole block, `{parent}`; it is there once its parts are.");
        return Err(diagnostic.with_span(item.span, "names a part of a block").with_hint(hint).into());
    }
    Ok(address)
}

fn boolean(node: &Node) -> Result<bool, Box<Diagnostic>> {
    if let Data::Bool(value) = node.data { Ok(value) } else { Err(wrong_type(node, "a boolean")) }
}

fn text(node: &Node) -> Result<&str, Box<Diagnostic>> {
    if let Data::Text(text) = &node.data { Ok(text) } else { Err(wrong_type(node, "a string")) }
}

fn replace_order(node: &Node) -> Result<ReplaceOrder, Box<Diagnostic>> {
    match text(node)? {
        "create_first" => Ok(ReplaceOrder::CreateFirst),
        "delete_first" => Ok(ReplaceOrder::DeleteFirst),
        other => {
            let diagnostic = Diagnostic::error("invalid-value", "invalid value")
                .with_span(node.span, "expected `create_first` or `delete_first`");
            Err(suggest::did_you_mean(diagnostic, other, ["create_first", "delete_first"]).into())
        }
    }
}

fn ignore_changes(node: &Node, schema: &KindSchema) -> Result<BTreeSet<String>, Box<Diagnostic>> {
    let Data::List(items) = &node.data else { return Err(wrong_type(node, "a list of attributes")) };
    let name = |item| {
        let name = text(item)?;
        if schema.input(name).is_some() {
            return Ok(name.to_owned());
        }
        let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
            .with_span(item.span, format!("`{}` has no such attribute", schema.kind));
        let inputs = schema.inputs.iter().map(|attribute| attribute.name);
        Err(suggest::did_you_mean(diagnostic, name, inputs).into())
    };
    items.iter().map(name).collect()
}

fn timeouts(node: &Node, defaults: Timeouts) -> Result<Timeouts, Box<Diagnostic>> {
    let Data::Table(table) = &node.data else {
        return Err(wrong_type(node, "a table such as `{ create = \"30m\" }`"));
    };
    let mut timeouts = defaults;
    for entry in &table.entries {
        let place = match entry.key.as_str() {
            "create" => &mut timeouts.create,
            "update" => &mut timeouts.update,
            "delete" => &mut timeouts.delete,
            other => {
                let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
                    .with_span(entry.key_span, "there is `create`, `update` and `delete`");
                return Err(suggest::did_you_mean(diagnostic, other, ["create", "update", "delete"]).into());
            }
        };
        *place = parse_duration(text(&entry.node)?).ok_or_else(|| {
            let diagnostic = Diagnostic::error("invalid-duration", "invalid duration")
                .with_span(entry.node.span, "no length of time")
                .with_hint("Write such as `90s`, `30m` or `1h30m`; the longest is a week.");
            Box::new(diagnostic)
        })?;
    }
    Ok(timeouts)
}

/// Reads `1h30m`; `None` if it is none, is zero or longer than a week.
fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit())?;
        let unit = match rest[end..].chars().next()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(rest[..end].parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
    }
    (1..=7 * 24 * 3600).contains(&seconds).then(|| Duration::from_secs(seconds))
}

fn wrong_type(node: &Node, expected: &str) -> Box<Diagnostic> {
    let label = format!("expected {expected}, found {}", node.type_name());
    Diagnostic::error("wrong-type", "wrong type").with_span(node.span, label).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_hours_minutes_and_seconds() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1h0m5s", 3605)] {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "5", "m", "0s", "1d", "1h 5m", "-1s", "8000000h", "99999999999999999999h"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
