//! From an expression to a value. Unknown parts make the result unknown, or stay inside it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::diagnostic::{Diagnostic, Span};
use crate::spec::Scope;
use crate::spec::expression::ast::{BinaryOperator, Conditional, Expression, ExpressionKind, UnaryOperator};
use crate::spec::expression::budget::Budget;
use crate::spec::expression::functions::text::scalar_text;
use crate::spec::expression::operators;
use crate::spec::pattern::{Content, Field, Key, Pattern, Piece};
use crate::spec::sensitivity::mask;
use crate::spec::world::{Each, LocalName, World};
use crate::value::{Unknown, Value, ValueMap};

/// How deep expressions, and local values inside them, may go.
const MAXIMUM_DEPTH: usize = 300;

/// Why there is no value.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// The reason was reported already, where it stands.
    Broken,
    /// The reason; `try` goes on with something else.
    Wrong(Box<Diagnostic>),
    /// The reason, after which nothing else is tried: whether it happens must not choose a value.
    Fatal(Box<Diagnostic>),
}

impl Failure {
    /// Returns the reason, unless it was reported already.
    pub(crate) fn reason(self) -> Option<Diagnostic> {
        match self {
            Self::Broken => None,
            Self::Wrong(reason) | Self::Fatal(reason) => Some(*reason),
        }
    }
}

pub(crate) type Evaluated<T> = Result<T, Failure>;

/// Whether an evaluation sees sensitive values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// As they are.
    Plain,
    /// Only stand-ins, so that nothing that is said can tell them.
    Masked,
}

/// One evaluation: what references mean during it.
pub(crate) struct Evaluation<'a> {
    pub(crate) world: &'a World,
    pub(super) each: Option<&'a Each>,
    pub(crate) scope: &'a dyn Scope,
    pub(super) view: View,
    depth: Cell<usize>,
    pub(super) budget: Budget,
    /// Local values that were evaluated already, so that each is only once.
    pub(super) locals: RefCell<BTreeMap<&'a LocalName, EvaluatedLocal>>,
    /// The first unknown value that something may still be wrong with, once it is known.
    doubt: RefCell<Option<Unknown>>,
    /// What the names of the for-expressions around stand for, the outermost first.
    pub(super) bound: RefCell<Vec<Rc<Value>>>,
}

/// A local value, and the unknown value that may make it fail later.
pub(super) type EvaluatedLocal = (Rc<Value>, Option<Unknown>);

impl<'a> Evaluation<'a> {
    pub(crate) fn new(world: &'a World, each: Option<&'a Each>, scope: &'a dyn Scope) -> Self {
        Self {
            world,
            each,
            scope,
            view: View::Plain,
            depth: Cell::new(0),
            budget: Budget::default(),
            locals: RefCell::default(),
            doubt: RefCell::default(),
            bound: RefCell::default(),
        }
    }

    /// Puts stand-ins in the place of sensitive values.
    pub(crate) fn masked(self) -> Self {
        Self { view: View::Masked, ..self }
    }

    /// Returns a sensitive value, or what stands for it.
    pub(crate) fn shown<'v>(&self, value: Cow<'v, Value>) -> Cow<'v, Value> {
        match self.view {
            View::Plain => value,
            View::Masked => Cow::Owned(mask(&value)),
        }
    }

    /// Evaluates what is written elsewhere, where only these names mean something.
    pub(super) fn with_names(&self, values: Vec<Rc<Value>>) -> Evaluation<'_> {
        Evaluation {
            world: self.world,
            each: None,
            scope: self.scope,
            view: self.view,
            depth: self.depth.clone(),
            budget: self.budget.same(),
            locals: RefCell::default(),
            doubt: RefCell::default(),
            bound: RefCell::new(values),
        }
    }

    /// Takes over what an evaluation with other names has cost, and what it left in doubt.
    pub(super) fn absorb(&self, inner: &Evaluation<'_>) {
        self.budget.spend(&inner.budget);
        self.doubt(inner.doubt.take());
    }

    /// Returns what is made from an unknown value; once that is known, it may turn out that it
    /// cannot be made.
    pub(super) fn postpone(&self, unknown: &Unknown) -> Value {
        self.doubt(Some(unknown.clone()));
        unknown.derived()
    }

    pub(super) fn doubt(&self, unknown: Option<Unknown>) {
        let first = self.doubt.take();
        self.doubt.replace(first.or(unknown));
    }

    /// Returns what `inner` does, and the unknown value that may make it fail later. The evaluation
    /// around learns nothing of that.
    pub(super) fn with_doubt<T>(&self, inner: impl FnOnce() -> T) -> (T, Option<Unknown>) {
        let before = self.doubt.take();
        let result = inner();
        (result, self.doubt.replace(before))
    }

    /// Evaluates what may be evaluated once more is known. The files in it are read now, since no
    /// other is read later; what is wrong with it does not matter unless it is really evaluated.
    pub(super) fn foresee(&self, expressions: &[&'a Expression]) -> Evaluated<()> {
        if self.world.files.is_closed() {
            return Ok(());
        }
        for expression in expressions {
            if let Err(failure @ Failure::Fatal(_)) = self.expression(expression) {
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Pays for a value that was made elsewhere.
    pub(crate) fn charge(&self, value: &Value, span: Span) -> Evaluated<()> {
        self.budget.value(value, span)
    }

    /// Returns the value of a pattern.
    pub(crate) fn pattern(&self, pattern: &'a Pattern) -> Evaluated<Value> {
        self.descend(pattern.span, || self.content(pattern))
    }

    fn content(&self, pattern: &'a Pattern) -> Evaluated<Value> {
        match &pattern.content {
            Content::Constant(value) => {
                self.budget.value(value, pattern.span)?;
                Ok(value.clone())
            }
            Content::Expression(expression) => self.expression(expression).map(Cow::into_owned),
            Content::Text(pieces) => self.text(pieces, pattern.span),
            Content::List(items) => {
                Ok(Value::List(items.iter().map(|item| self.pattern(item)).collect::<Result<_, _>>()?))
            }
            Content::Table(fields) => {
                let entry = |field: &'a Field| {
                    self.budget.text(&field.key, field.key_span)?;
                    Ok((field.key.clone(), self.pattern(&field.value)?))
                };
                Ok(Value::Map(fields.iter().map(entry).collect::<Result<_, Failure>>()?))
            }
            Content::Layers(layers) => self.layers(layers),
            Content::Item(of, key) => self.item(of, key),
            Content::Sealed(sealed) => Ok(self.shown(Cow::Owned(self.pattern(sealed)?)).into_owned()),
            Content::Member(member) => self.member(member, pattern.span),
            Content::Broken => Err(Failure::Broken),
        }
    }

    pub(super) fn text(&self, pieces: &'a [Piece], span: Span) -> Evaluated<Value> {
        let mut text = String::new();
        let mut unknown = None;
        for piece in pieces {
            let expression = match piece {
                Piece::Literal(literal) => {
                    self.budget.text(literal, span)?;
                    text.push_str(literal);
                    continue;
                }
                Piece::Expression(expression) => expression,
            };
            let value = self.expression(expression)?;
            if let Some(part) = value.first_unknown() {
                unknown.get_or_insert_with(|| self.postpone(part));
                continue;
            }
            let part = scalar_text(&value).ok_or_else(|| {
                let label = format!("{} cannot stand inside text", value.type_name());
                wrong("wrong-type", "wrong type", expression.span, label)
            })?;
            self.budget.value(&value, expression.span)?;
            text.push_str(&part);
        }
        Ok(unknown.unwrap_or(Value::String(text)))
    }

    fn layers(&self, layers: &'a [std::sync::Arc<Pattern>]) -> Evaluated<Value> {
        let mut merged = ValueMap::new();
        let mut postponed = None;
        for layer in layers {
            match self.pattern(layer)? {
                Value::Map(entries) => merged.extend(entries),
                Value::Null => {}
                Value::Unknown(unknown) => postponed = postponed.or_else(|| Some(self.postpone(&unknown))),
                other @ (Value::Bool(_)
                | Value::Integer(_)
                | Value::Float(_)
                | Value::String(_)
                | Value::List(_)) => {
                    let label = format!("expected a table, found {}", other.type_name());
                    return Err(wrong("wrong-type", "wrong type", layer.span, label));
                }
            }
        }
        Ok(postponed.unwrap_or(Value::Map(merged)))
    }

    fn item(&self, of: &'a Pattern, key: &Key) -> Evaluated<Value> {
        let found = match (self.pattern(of)?, key) {
            (Value::List(mut items), Key::Position(position)) if *position < items.len() => {
                Some(items.swap_remove(*position))
            }
            (Value::Map(mut entries), Key::Name(name)) => entries.remove(name),
            (Value::Unknown(unknown), _) => Some(self.postpone(&unknown)),
            _ => None,
        };
        found.ok_or_else(|| {
            wrong("changed-list", "list changed after it was expanded", of.span, "an item is no longer there")
        })
    }

    /// Returns the value of an expression.
    pub(crate) fn expression(&self, expression: &'a Expression) -> Evaluated<Cow<'a, Value>> {
        self.budget.step(expression.span)?;
        self.descend(expression.span, || self.kind(expression))
    }

    /// Returns the value of an expression as one that becomes part of another.
    pub(super) fn owned(&self, expression: &'a Expression) -> Evaluated<Value> {
        let value = self.expression(expression)?;
        self.budget.value(&value, expression.span)?;
        Ok(value.into_owned())
    }

    fn descend<T>(&self, span: Span, inner: impl FnOnce() -> Evaluated<T>) -> Evaluated<T> {
        let depth = self.depth.get();
        if depth == MAXIMUM_DEPTH {
            let label = format!("local values and expressions are nested more than {MAXIMUM_DEPTH} deep");
            return Err(fatal("invalid-expression", "invalid expression", span, label));
        }
        self.depth.set(depth + 1);
        let result = inner();
        self.depth.set(depth);
        result
    }

    fn kind(&self, expression: &'a Expression) -> Evaluated<Cow<'a, Value>> {
        match &expression.kind {
            ExpressionKind::Literal(value) => Ok(Cow::Borrowed(value)),
            ExpressionKind::Reference(reference) => self.reference(reference, expression.span),
            ExpressionKind::Bound(position) => self.bound(*position, expression.span),
            ExpressionKind::Attribute(reference) => {
                self.attribute(&reference.address, &reference.attribute, expression.span).map(Cow::Owned)
            }
            ExpressionKind::Access(source, step) => self.access(source, step, expression.span),
            ExpressionKind::Splat(source, steps) => self.splat(source, steps),
            ExpressionKind::Unary(operator, operand) => self.unary(*operator, operand),
            ExpressionKind::Binary(operator, left, right) => {
                self.binary(*operator, left, right, expression.span)
            }
            ExpressionKind::Conditional(conditional) => self.conditional(conditional),
            ExpressionKind::List(items) => self.list(items),
            ExpressionKind::Map(entries) => self.map(entries),
            ExpressionKind::Call(function, arguments) => self.call(function, arguments, expression.span),
            ExpressionKind::For(comprehension) => self.comprehension(comprehension),
        }
    }

    /// Outside of its for-expression, as when dependencies are collected, nobody knows.
    fn bound(&self, position: usize, span: Span) -> Evaluated<Cow<'a, Value>> {
        let bound = self.bound.borrow().get(position).cloned().ok_or(Failure::Broken)?;
        self.budget.value(&bound, span)?;
        Ok(Cow::Owned((*bound).clone()))
    }

    fn unary(&self, operator: UnaryOperator, operand: &'a Expression) -> Evaluated<Cow<'a, Value>> {
        let value = self.expression(operand)?;
        if let Some(unknown) = value.first_unknown() {
            return Ok(Cow::Owned(self.postpone(unknown)));
        }
        operators::unary(operator, &value).map(Cow::Owned).map_err(wrong_operand(operand.span))
    }

    fn list(&self, items: &'a [Expression]) -> Evaluated<Cow<'a, Value>> {
        let items = items.iter().map(|item| self.owned(item));
        Ok(Cow::Owned(Value::List(items.collect::<Result<_, _>>()?)))
    }

    /// Only the branch that is taken is evaluated.
    fn conditional(&self, conditional: &'a Conditional) -> Evaluated<Cow<'a, Value>> {
        let condition = self.expression(&conditional.condition)?;
        let (then, otherwise) = (&conditional.then, &conditional.otherwise);
        if let Value::Unknown(unknown) = &*condition {
            self.foresee(&[then, otherwise])?;
            return Ok(Cow::Owned(self.postpone(unknown)));
        }
        let truth = operators::boolean(&condition).map_err(wrong_operand(conditional.condition.span))?;
        self.expression(if truth { then } else { otherwise })
    }

    fn binary(
        &self,
        operator: BinaryOperator,
        left: &'a Expression,
        right: &'a Expression,
        span: Span,
    ) -> Evaluated<Cow<'a, Value>> {
        let left_value = self.expression(left)?;
        match (operator, &*left_value) {
            (BinaryOperator::Or, Value::Bool(true)) => return Ok(Cow::Owned(Value::Bool(true))),
            (BinaryOperator::And, Value::Bool(false)) => return Ok(Cow::Owned(Value::Bool(false))),
            _ => {}
        }
        let right_value = self.expression(right)?;
        if let Some(unknown) = left_value.first_unknown().or_else(|| right_value.first_unknown()) {
            let postponed = self.postpone(unknown);
            return Ok(match (operator, &*right_value) {
                (BinaryOperator::Or, Value::Bool(true)) | (BinaryOperator::And, Value::Bool(false)) => {
                    right_value
                }
                _ => Cow::Owned(postponed),
            });
        }
        operators::binary(operator, &left_value, &right_value).map(Cow::Owned).map_err(wrong_operand(span))
    }

    fn map(&self, entries: &'a [(Expression, Expression)]) -> Evaluated<Cow<'a, Value>> {
        let mut map = ValueMap::new();
        let mut postponed = None;
        for (key, value) in entries {
            let name = self.expression(key)?;
            if let Value::Unknown(unknown) = &*name {
                postponed.get_or_insert_with(|| self.postpone(unknown));
                self.foresee(&[value])?;
                continue;
            }
            let name = scalar_text(&name).ok_or_else(|| {
                wrong("wrong-type", "wrong type", key.span, format!("{} is no key", name.type_name()))
            })?;
            map.insert(name, self.owned(value)?);
        }
        Ok(Cow::Owned(postponed.unwrap_or(Value::Map(map))))
    }
}

/// Describes why there is no value, and never will be one.
pub(super) fn fatal(code: &'static str, summary: &str, span: Span, label: impl Into<String>) -> Failure {
    Failure::Fatal(Diagnostic::error(code, summary).with_span(span, label).into())
}

/// Describes why there is no value.
pub(crate) fn wrong(code: &'static str, summary: &str, span: Span, label: impl Into<String>) -> Failure {
    Failure::Wrong(Diagnostic::error(code, summary).with_span(span, label).into())
}

fn wrong_operand(span: Span) -> impl Fn(String) -> Failure {
    move |message| wrong("wrong-operand", "wrong operand", span, message)
}
