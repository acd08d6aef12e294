//! For-expressions: `[for x in list : ...]` and `{for k, v in table : key => value}`.

use std::borrow::Cow;
use std::rc::Rc;

use crate::diagnostic::Span;
use crate::spec::expression::ast::{Comprehension, ComprehensionResult, Expression, ExpressionKind};
use crate::spec::expression::evaluate::{Evaluated, Evaluation, wrong};
use crate::spec::expression::functions::text::scalar_text;
use crate::spec::expression::operators;
use crate::spec::expression::parser::{Parsed, Parser, join};
use crate::value::{Unknown, Value, ValueMap};

/// Names that mean something else.
const RESERVED: [&str; 13] =
    ["var", "local", "input", "use", "account", "stack", "each", "true", "false", "null", "for", "in", "if"];

/// Reads what follows `[for`.
pub(super) fn parse_list(parser: &mut Parser<'_>, start: Span) -> Parsed<Expression> {
    parse(parser, start, "]", |parser| Ok(ComprehensionResult::List(parser.expression()?)))
}

/// Reads what follows `{for`.
pub(super) fn parse_table(parser: &mut Parser<'_>, start: Span) -> Parsed<Expression> {
    parse(parser, start, "}", |parser| {
        let key = parser.expression()?;
        parser.expect("=>")?;
        let value = parser.expression()?;
        Ok(ComprehensionResult::Table { key, value, grouped: parser.take_symbol("...")? })
    })
}

fn parse(
    parser: &mut Parser<'_>,
    start: Span,
    close: &'static str,
    result: impl FnOnce(&mut Parser<'_>) -> Parsed<ComprehensionResult>,
) -> Parsed<Expression> {
    let outside = parser.bound.len();
    let mut names = vec![parse_name(parser)?];
    if parser.take_symbol(",")? {
        names.push(parse_name(parser)?);
    }
    if !parser.take_word("in")? {
        let token = parser.peek()?.clone();
        return Err(parser.unexpected(&token, "`in`"));
    }
    let collection = parser.expression()?;
    parser.expect(":")?;
    let names_keys = names.len() == 2;
    parser.bound.extend(names);
    let result = result(parser)?;
    let condition = if parser.take_word("if")? { Some(parser.expression()?) } else { None };
    parser.bound.truncate(outside);
    parser.expect(close)?;
    let kind = ExpressionKind::For(Box::new(Comprehension { names_keys, collection, result, condition }));
    Ok(Expression { span: join(start, parser.before()), kind })
}

fn parse_name(parser: &mut Parser<'_>) -> Parsed<String> {
    let token = parser.peek()?.clone();
    let (name, _) = parser.name("a name for each item")?;
    if RESERVED.contains(&name.as_str()) {
        let label = format!("`{name}` means something else and names no item");
        return Err(parser.error(token.range, label).into());
    }
    Ok(name)
}

/// What came of a for-expression so far.
enum Made {
    List(Vec<Value>),
    Table(ValueMap),
}

impl<'a> Evaluation<'a> {
    /// Returns the value of a for-expression. It is unknown as a whole only if the collection, a
    /// condition or a key is.
    pub(super) fn comprehension(&self, written: &'a Comprehension) -> Evaluated<Cow<'a, Value>> {
        let collection = self.expression(&written.collection)?;
        let mut made = match &written.result {
            ComprehensionResult::List(_) => Made::List(Vec::new()),
            ComprehensionResult::Table { .. } => Made::Table(ValueMap::new()),
        };
        let mut postponed = None;
        let mut add = |key: Value, item: &Value| -> Evaluated<()> {
            self.budget.value(item, written.collection.span)?;
            let unknown = self.with_item(written, key, item, || self.item_of(written, &mut made))?;
            postponed = postponed.take().or(unknown);
            Ok(())
        };
        match &*collection {
            Value::List(items) => {
                for (position, item) in (0_i64..).zip(items) {
                    add(Value::Integer(position), item)?;
                }
            }
            Value::Map(entries) => {
                for (key, item) in entries {
                    add(Value::from(key.as_str()), item)?;
                }
            }
            Value::Unknown(unknown) => {
                let item = unknown.derived();
                self.with_item(written, item.clone(), &item, || self.foresee(&written.inside()))?;
                return Ok(Cow::Owned(self.postpone(unknown)));
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
                let label = format!("`for` takes a list or a table, found {}", collection.type_name());
                return Err(wrong("wrong-type", "wrong type", written.collection.span, label));
            }
        }
        Ok(Cow::Owned(match (postponed, made) {
            (Some(unknown), _) => self.postpone(&unknown),
            (None, Made::List(items)) => Value::List(items),
            (None, Made::Table(entries)) => Value::Map(entries),
        }))
    }

    /// Does something while the names of a for-expression stand for an item.
    fn with_item<T>(
        &self,
        written: &Comprehension,
        key: Value,
        item: &Value,
        inner: impl FnOnce() -> Evaluated<T>,
    ) -> Evaluated<T> {
        let outside = self.bound.borrow().len();
        if written.names_keys {
            self.bound.borrow_mut().push(Rc::new(key));
        }
        self.bound.borrow_mut().push(Rc::new(item.clone()));
        let result = inner();
        self.bound.borrow_mut().truncate(outside);
        result
    }

    /// Adds what one item comes to; returns why nobody knows what that is.
    fn item_of(&self, written: &'a Comprehension, made: &mut Made) -> Evaluated<Option<Unknown>> {
        if let Some(condition) = &written.condition {
            let truth = self.expression(condition)?;
            if let Some(unknown) = truth.first_unknown() {
                self.foresee(&written.result.parts())?;
                return Ok(Some(unknown.clone()));
            }
            let truth = operators::boolean(&truth)
                .map_err(|message| wrong("wrong-operand", "wrong operand", condition.span, message))?;
            if !truth {
                return Ok(None);
            }
        }
        match (&written.result, made) {
            (ComprehensionResult::List(item), Made::List(items)) => items.push(self.owned(item)?),
            (ComprehensionResult::Table { key, value, grouped }, Made::Table(entries)) => {
                let name = self.expression(key)?;
                if let Some(unknown) = name.first_unknown() {
                    self.foresee(&[value])?;
                    return Ok(Some(unknown.clone()));
                }
                let name = scalar_text(&name).ok_or_else(|| {
                    wrong("wrong-type", "wrong type", key.span, format!("{} is no key", name.type_name()))
                })?;
                add_entry(entries, name, self.owned(value)?, *grouped, key.span)?;
            }
            (ComprehensionResult::List(_), Made::Table(_))
            | (ComprehensionResult::Table { .. }, Made::List(_)) => {
                unreachable!("what is made was chosen by the result")
            }
        }
        Ok(None)
    }
}

impl Comprehension {
    /// Returns what is evaluated for each item.
    fn inside(&self) -> Vec<&Expression> {
        self.condition.iter().chain(self.result.parts()).collect()
    }
}

impl ComprehensionResult {
    fn parts(&self) -> Vec<&Expression> {
        match self {
            Self::List(item) => vec![item],
            Self::Table { key, value, .. } => vec![key, value],
        }
    }
}

fn add_entry(entries: &mut ValueMap, name: String, value: Value, grouped: bool, span: Span) -> Evaluated<()> {
    if grouped {
        let group = entries.entry(name).or_insert_with(|| Value::List(Vec::new()));
        if let Value::List(items) = group {
            items.push(value);
        }
        return Ok(());
    }
    if entries.contains_key(&name) {
        let label = format!("more than one item has the key `{}`", name.escape_debug());
        return Err(wrong("duplicate-key", "duplicate key", span, label));
    }
    entries.insert(name, value);
    Ok(())
}
