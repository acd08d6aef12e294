//! Steps into lists and tables.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::address::{Address, BlockAddress};
use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::ast::{Expression, ExpressionKind, Reference, Step};
use crate::spec::expression::evaluate::{Evaluated, Evaluation, Failure, wrong};
use crate::spec::suggest;
use crate::spec::world::Local;
use crate::value::Value;

impl<'a> Evaluation<'a> {
    /// Returns the part of a value that a step leads to.
    pub(super) fn access(
        &self,
        source: &'a Expression,
        step: &'a Step,
        span: Span,
    ) -> Evaluated<Cow<'a, Value>> {
        if let Some(part) = self.symbolic_field(source, step) {
            return self.nested(part);
        }
        if let Some(shared) = self.shared_root(source)? {
            return self.shared_part(&shared, source, step, span).map(Cow::Owned);
        }
        let value = self.expression(source)?;
        self.step(value, step, span)
    }

    /// Returns what a path begins with, if that is the name of a for-expression or a local value
    /// that is not all known.
    fn shared_root(&self, path: &'a Expression) -> Evaluated<Option<Rc<Value>>> {
        let mut root = path;
        while let ExpressionKind::Access(inner, _) = &root.kind {
            root = inner;
        }
        if let ExpressionKind::Bound(position) = root.kind {
            return Ok(self.bound.borrow().get(position).cloned());
        }
        if let ExpressionKind::Reference(Reference::Local(name)) = &root.kind
            && let Some(Local::Symbolic(pattern)) = self.local(name)
        {
            return self.symbolic_local(name, pattern).map(Some);
        }
        Ok(None)
    }

    /// Follows a path from such a value; only what it leads to is copied.
    fn shared_part(
        &self,
        shared: &Value,
        source: &'a Expression,
        step: &'a Step,
        span: Span,
    ) -> Evaluated<Value> {
        let mut steps = vec![(step, span)];
        let mut root = source;
        while let ExpressionKind::Access(inner, step) = &root.kind {
            steps.push((step, root.span));
            root = inner;
        }
        let mut value = Cow::Borrowed(shared);
        for (step, span) in steps.into_iter().rev() {
            value = self.step(value, step, span)?;
        }
        self.budget.value(&value, span)?;
        Ok(value.into_owned())
    }

    fn step<'v>(&self, value: Cow<'v, Value>, step: &'a Step, span: Span) -> Evaluated<Cow<'v, Value>> {
        if let Value::Unknown(unknown) = &*value {
            self.foresee_step(step)?;
            return Ok(Cow::Owned(self.postpone(unknown)));
        }
        match step {
            Step::Name(name, name_span) => entry(value, name, *name_span),
            Step::Index(index) => {
                let key = self.expression(index)?;
                match &*key {
                    Value::Unknown(unknown) => Ok(Cow::Owned(self.postpone(unknown))),
                    Value::String(name) => entry(value, name, index.span),
                    Value::Integer(position) => position_in(value, *position, index.span),
                    Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
                        let label = format!("{} is neither a position nor a key", key.type_name());
                        Err(wrong("wrong-type", "wrong type", span, label))
                    }
                }
            }
        }
    }

    fn foresee_step(&self, step: &'a Step) -> Evaluated<()> {
        match step {
            Step::Name(..) => Ok(()),
            Step::Index(index) => self.foresee(&[index]),
        }
    }

    /// Returns what the steps lead to from every item.
    pub(super) fn splat(&self, source: &'a Expression, steps: &'a [Step]) -> Evaluated<Cow<'a, Value>> {
        let items = match self.owned(source)? {
            Value::List(items) => items,
            Value::Map(entries) => entries.into_values().collect(),
            Value::Unknown(unknown) => {
                steps.iter().try_for_each(|step| self.foresee_step(step))?;
                return Ok(Cow::Owned(self.postpone(&unknown)));
            }
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)) => {
                let label = format!("`[*]` takes a list or a table, found {}", other.type_name());
                return Err(wrong("wrong-type", "wrong type", source.span, label));
            }
        };
        let follow = |item| {
            let mut value = Cow::Owned(item);
            for step in steps {
                value = self.step(value, step, source.span)?;
            }
            Ok(value.into_owned())
        };
        Ok(Cow::Owned(Value::List(items.into_iter().map(follow).collect::<Result<_, Failure>>()?)))
    }
}

/// Returns an entry of a table.
fn entry<'a>(value: Cow<'a, Value>, name: &str, span: Span) -> Evaluated<Cow<'a, Value>> {
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
fn position_in(value: Cow<'_, Value>, position: i64, span: Span) -> Evaluated<Cow<'_, Value>> {
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
