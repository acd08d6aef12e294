//! Steps into lists and tables.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{Address, BlockAddress};
use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::evaluate::{Evaluated, Failure, wrong};
use crate::spec::suggest;
use crate::value::Value;

/// Returns an entry of a table.
pub(super) fn entry<'a>(value: Cow<'a, Value>, name: &str, span: Span) -> Evaluated<Cow<'a, Value>> {
    let type_name = value.type_name();
    let Some(entries) = value.as_map() else {
        let label = format!("`{}` is looked up in {type_name}, not in a table", name.escape_debug());
        return Err(wrong("wrong-type", "wrong type", span, label));
    };
    if !entries.contains_key(name) {
        let diagnostic = Diagnostic::error("missing-key", "missing key")
            .with_span(span, format!("the table has no `{}`", name.escape_debug()));
        let keys = entries.keys().map(String::as_str);
        return Err(Failure::Wrong(suggest::did_you_mean(diagnostic, name, keys).into()));
    }
    let found = match value {
        Cow::Borrowed(Value::Map(entries)) => entries.get(name).map(Cow::Borrowed),
        Cow::Owned(Value::Map(mut entries)) => entries.remove(name).map(Cow::Owned),
        Cow::Borrowed(_) | Cow::Owned(_) => None,
    };
    Ok(found.expect("the key was just found in the table"))
}

/// Returns an item of a list.
pub(super) fn position_in(value: Cow<'_, Value>, position: i64, span: Span) -> Evaluated<Cow<'_, Value>> {
    let type_name = value.type_name();
    let Some(items) = value.as_list() else {
        let label = format!("position {position} is looked up in {type_name}, not in a list");
        return Err(wrong("wrong-type", "wrong type", span, label));
    };
    let index = usize::try_from(position).ok().filter(|index| *index < items.len()).ok_or_else(|| {
        let label = format!("there is no position {position} in a list of length {}", items.len());
        wrong("missing-key", "missing key", span, label)
    })?;
    let found = match value {
        Cow::Borrowed(Value::List(items)) => items.get(index).map(Cow::Borrowed),
        Cow::Owned(Value::List(mut items)) => Some(Cow::Owned(items.swap_remove(index))),
        Cow::Borrowed(_) | Cow::Owned(_) => None,
    };
    Ok(found.expect("the position was just checked"))
}

/// Describes a key that no resource of a block has.
pub(crate) fn missing_instance(
    block: &BlockAddress,
    key: &str,
    instances: &BTreeMap<Arc<str>, Address>,
    span: Span,
) -> Diagnostic {
    let some: Vec<_> = instances.keys().take(10).collect();
    let diagnostic = Diagnostic::error("missing-key", "missing key")
        .with_span(span, format!("`{block}` has no `['{}']`", key.escape_debug()))
        .with_detail(format!("The keys of `{block}` are {}.", suggest::list(&some)));
    suggest::did_you_mean(diagnostic, key, instances.keys().map(|key| &**key))
}
