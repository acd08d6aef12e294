//! What the spec wants of a resource, as values. Plan and apply both ask here.

use crate::diagnostic::Diagnostic;
use crate::erased::{AnyKind, AnyResource, ObservedValues};
use crate::plan::Values;
use crate::plan::members::add_defaults;
use crate::resource::{ADDRESS_TAG, Home, STACK_TAG};
use crate::spec::{InvalidInput, ResourceNode, Template, canonical_inputs};
use crate::value::{Value, ValueMap};

/// Evaluates what the spec wants of a resource, its ownership tags included. What was `found` of it
/// before the run counts where attributes follow another resource.
///
/// # Errors
/// If an expression cannot be evaluated or a value is not one that the kind takes.
pub(crate) fn desired_inputs(
    node: &ResourceNode,
    kind: &dyn AnyKind,
    home: Home<'_>,
    found: Option<&ObservedValues>,
    values: &Values,
    lineage: &str,
) -> Result<ValueMap, Vec<Diagnostic>> {
    let (inputs, problems) = evaluate(node, kind, found, values, lineage);
    if !problems.is_empty() {
        return Err(problems);
    }
    canonical_inputs(kind, home, inputs)
        .map_err(|problems| problems.into_iter().map(|problem| describe(node, problem)).collect())
}

/// As [`desired_inputs`], as far as it can be told: without the attributes that are wrong.
pub(crate) fn inputs_so_far(
    node: &ResourceNode,
    kind: &dyn AnyKind,
    home: Home<'_>,
    found: Option<&ObservedValues>,
    values: &Values,
    lineage: &str,
) -> ValueMap {
    let (mut inputs, _) = evaluate(node, kind, found, values, lineage);
    loop {
        let wrong = match canonical_inputs(kind, home, inputs.clone()) {
            Ok(inputs) => return inputs,
            Err(wrong) => wrong,
        };
        let before = inputs.len();
        inputs.retain(|name, _| !wrong.iter().any(|problem| problem.attribute() == name));
        if inputs.len() == before {
            return inputs;
        }
    }
}

/// Evaluates the attributes of a resource, and says what is wrong with the others.
fn evaluate(
    node: &ResourceNode,
    kind: &dyn AnyKind,
    found: Option<&ObservedValues>,
    values: &Values,
    lineage: &str,
) -> (ValueMap, Vec<Diagnostic>) {
    let mut inputs = ValueMap::new();
    let mut problems = Vec::new();
    for (name, template) in &node.attributes {
        match template.evaluate(values) {
            Ok(Value::Null) => {}
            Ok(value) => drop(inputs.insert(name.clone(), value)),
            Err(error) => problems.push(error.diagnostic.with_address(node.address.clone())),
        }
    }
    follow(node, kind, found, &mut inputs);
    add_defaults(&kind.schema().inputs, &mut inputs);
    if kind.schema().has_tags() {
        let ours = [(STACK_TAG, lineage.to_owned()), (ADDRESS_TAG, node.address.tag_value())];
        let ours = ours.map(|(key, value)| (key.to_owned(), Value::from(value)));
        match inputs.entry("tags".to_owned()).or_insert_with(|| Value::Map(ValueMap::new())) {
            Value::Map(tags) => tags.extend(ours),
            Value::Unknown(_) => problems.push(unknown_tags(node)),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::List(_) => {}
        }
    }
    (inputs, problems)
}

/// Says what is wrong with an input, now that more is known than when the spec was checked.
fn describe(node: &ResourceNode, problem: InvalidInput) -> Diagnostic {
    let attribute = problem.attribute().to_owned();
    let is_sensitive = node.lifecycle.sensitive.contains(&attribute);
    let (summary, hint) = match problem {
        InvalidInput::Text(text) if is_sensitive => (text.without_value().to_string(), None),
        InvalidInput::Text(text) => (text.to_string(), None),
        InvalidInput::Shorthand(_) if is_sensitive => {
            (format!("`{attribute}` is wrong: it is sensitive, and why is not shown"), None)
        }
        InvalidInput::Shorthand(problem) => {
            (format!("`{attribute}` is wrong: {}", problem.message), problem.hint)
        }
    };
    let diagnostic = Diagnostic::error("wrong-value", summary)
        .with_span(node.attributes.get(&attribute).map_or(node.span, Template::span), "")
        .with_address(node.address.clone());
    match hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// Lets the kind say what attributes are that follow those of another resource.
fn follow(node: &ResourceNode, kind: &dyn AnyKind, found: Option<&ObservedValues>, inputs: &mut ValueMap) {
    for (name, _) in node.follows.iter().filter(|(_, followed)| !followed.is_written) {
        let Some(value) = inputs.get(name).filter(|value| value.is_known()) else { continue };
        match kind.follow(name, value, found) {
            Some(value) => drop(inputs.insert(name.clone(), value)),
            None => drop(inputs.remove(name)),
        }
    }
}

fn unknown_tags(node: &ResourceNode) -> Diagnostic {
    Diagnostic::error("unknown-tags", "the keys of tags must be known when planning")
        .with_detail(format!(
            "The tags of {} as a whole come from a value that is known after apply.",
            node.address
        ))
        .with_hint("Write the keys in the spec; their values may be known after apply.")
        .with_span(node.attributes.get("tags").map_or(node.span, Template::span), "")
        .with_address(node.address.clone())
}

/// Returns what a resource with these inputs has to itself; `None` if that is nothing or not told.
/// A value that is exactly an attribute of another resource is told apart by that. The first of
/// the exclusive attributes has to be there; that another is not set is a value like any other.
pub(crate) fn exclusive_values(kind: &dyn AnyResource, inputs: &ValueMap) -> Option<Vec<String>> {
    let told = |value: &Value| {
        value.as_str() != Some("") && value.first_unknown().is_none_or(|unknown| unknown.exact)
    };
    let value = |(position, name): (usize, &&str)| match inputs.get(*name) {
        Some(value) => told(value).then(|| format!("{value:?}")),
        None => (position > 0).then(String::new),
    };
    let values: Option<Vec<_>> = kind.exclusive().iter().enumerate().map(value).collect();
    values.filter(|values| !values.is_empty())
}
