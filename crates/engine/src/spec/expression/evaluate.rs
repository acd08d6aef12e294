//! From an expression to a value. Unknown parts make the result unknown, or stay inside it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::address::Address;
use crate::diagnostic::{Diagnostic, Span};
use crate::spec::Scope;
use crate::spec::expression::access::{entry, missing_instance, position_in};
use crate::spec::expression::ast::{
    BinaryOperator, Expression, ExpressionKind, Instance, Reference, ResourceReference, Step,
};
use crate::spec::expression::functions::text::scalar_text;
use crate::spec::expression::functions::{Body, Call, Function};
use crate::spec::expression::operators;
use crate::spec::pattern::{Content, Field, Key, Pattern, Piece, field_named};
use crate::spec::world::{Each, Local, Shape, World};
use crate::value::{Unknown, Value, ValueMap};

/// How deep expressions, and local values inside them, may go.
const MAXIMUM_DEPTH: usize = 400;

/// Why there is no value.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// The reason was reported already, where it stands.
    Broken,
    /// The reason.
    Wrong(Box<Diagnostic>),
}

pub(crate) type Evaluated<T> = Result<T, Failure>;

/// One evaluation: what references mean during it.
pub(crate) struct Evaluation<'a> {
    world: &'a World,
    each: Option<&'a Each>,
    scope: &'a dyn Scope,
    depth: Cell<usize>,
    /// Local values that were evaluated already, so that each is only once.
    locals: RefCell<BTreeMap<&'a str, Value>>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(world: &'a World, each: Option<&'a Each>, scope: &'a dyn Scope) -> Self {
        Self { world, each, scope, depth: Cell::new(0), locals: RefCell::default() }
    }

    /// Returns the value of a pattern.
    pub(crate) fn pattern(&self, pattern: &'a Pattern) -> Evaluated<Value> {
        self.descend(pattern.span, || self.content(pattern))
    }

    fn content(&self, pattern: &'a Pattern) -> Evaluated<Value> {
        match &pattern.content {
            Content::Constant(value) => Ok(value.clone()),
            Content::Expression(expression) => self.expression(expression).map(Cow::into_owned),
            Content::Text(pieces) => self.text(pieces),
            Content::List(items) => {
                Ok(Value::List(items.iter().map(|item| self.pattern(item)).collect::<Result<_, _>>()?))
            }
            Content::Table(fields) => {
                let entry = |field: &'a Field| Ok((field.key.clone(), self.pattern(&field.value)?));
                Ok(Value::Map(fields.iter().map(entry).collect::<Result<_, Failure>>()?))
            }
            Content::Layers(layers) => self.layers(layers),
            Content::Item(of, key) => self.item(of, key),
            Content::Broken => Err(Failure::Broken),
        }
    }

    fn text(&self, pieces: &'a [Piece]) -> Evaluated<Value> {
        let mut text = String::new();
        let mut unknown = None;
        for piece in pieces {
            let expression = match piece {
                Piece::Literal(literal) => {
                    text.push_str(literal);
                    continue;
                }
                Piece::Expression(expression) => expression,
            };
            let value = self.expression(expression)?;
            if let Some(part) = value.first_unknown() {
                unknown.get_or_insert_with(|| made_from(part));
                continue;
            }
            let part = scalar_text(&value).ok_or_else(|| {
                let label = format!("{} cannot stand inside text", value.type_name());
                wrong("wrong-type", "wrong type", expression.span, label)
            })?;
            text.push_str(&part);
        }
        Ok(unknown.unwrap_or(Value::String(text)))
    }

    fn layers(&self, layers: &'a [std::sync::Arc<Pattern>]) -> Evaluated<Value> {
        let mut merged = ValueMap::new();
        for layer in layers {
            match self.pattern(layer)? {
                Value::Map(entries) => merged.extend(entries),
                Value::Null => {}
                Value::Unknown(unknown) => return Ok(made_from(&unknown)),
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
        Ok(Value::Map(merged))
    }

    fn item(&self, of: &'a Pattern, key: &Key) -> Evaluated<Value> {
        let found = match (self.pattern(of)?, key) {
            (Value::List(mut items), Key::Position(position)) if *position < items.len() => {
                Some(items.swap_remove(*position))
            }
            (Value::Map(mut entries), Key::Name(name)) => entries.remove(name),
            (Value::Unknown(unknown), _) => Some(made_from(&unknown)),
            _ => None,
        };
        found.ok_or_else(|| {
            wrong("changed-list", "list changed after it was expanded", of.span, "an item is no longer there")
        })
    }

    /// Returns the value of an expression.
    pub(crate) fn expression(&self, expression: &'a Expression) -> Evaluated<Cow<'a, Value>> {
        self.descend(expression.span, || self.kind(expression))
    }

    fn descend<T>(&self, span: Span, inner: impl FnOnce() -> Evaluated<T>) -> Evaluated<T> {
        let depth = self.depth.get();
        if depth == MAXIMUM_DEPTH {
            let label = format!("local values and expressions are nested more than {MAXIMUM_DEPTH} deep");
            return Err(wrong("invalid-expression", "invalid expression", span, label));
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
            ExpressionKind::Attribute(reference) => {
                Ok(Cow::Owned(self.scope.attribute(&reference.address, &reference.attribute)))
            }
            ExpressionKind::Access(source, step) => self.access(source, step, expression.span),
            ExpressionKind::Splat(source, steps) => self.splat(source, steps).map(Cow::Owned),
            ExpressionKind::Unary(operator, operand) => {
                let value = self.expression(operand)?;
                if let Some(unknown) = value.first_unknown() {
                    return Ok(Cow::Owned(made_from(unknown)));
                }
                operators::unary(*operator, &value).map(Cow::Owned).map_err(wrong_operand(operand.span))
            }
            ExpressionKind::Binary(operator, left, right) => {
                self.binary(*operator, left, right, expression.span).map(Cow::Owned)
            }
            ExpressionKind::Conditional(conditional) => {
                let condition = self.expression(&conditional.condition)?;
                if let Value::Unknown(unknown) = &*condition {
                    return Ok(Cow::Owned(made_from(unknown)));
                }
                let span = conditional.condition.span;
                let truth = operators::boolean(&condition).map_err(wrong_operand(span))?;
                self.expression(if truth { &conditional.then } else { &conditional.otherwise })
            }
            ExpressionKind::List(items) => {
                let items = items.iter().map(|item| self.expression(item).map(Cow::into_owned));
                Ok(Cow::Owned(Value::List(items.collect::<Result<_, _>>()?)))
            }
            ExpressionKind::Map(entries) => self.map(entries).map(Cow::Owned),
            ExpressionKind::Call(function, arguments) => self.call(function, arguments).map(Cow::Owned),
        }
    }

    fn reference(&self, reference: &'a Reference, span: Span) -> Evaluated<Cow<'a, Value>> {
        let known = |value: Option<&'a Value>| value.map(Cow::Borrowed).ok_or(Failure::Broken);
        match reference {
            Reference::Variable(name) => known(self.world.variables.get(name).and_then(Option::as_ref)),
            Reference::Local(name) => match self.world.locals.get(name) {
                Some(Local::Known(value)) => Ok(Cow::Borrowed(value)),
                Some(Local::Symbolic(pattern)) => self.symbolic_local(name, pattern),
                Some(Local::Broken) | None => Err(Failure::Broken),
            },
            Reference::AccountId(name) => {
                known(self.world.accounts.get(name).and_then(Option::as_ref).map(|account| &account.id))
            }
            Reference::AccountRegion(name) => {
                known(self.world.accounts.get(name).and_then(Option::as_ref).map(|account| &account.region))
            }
            Reference::StackName => Ok(Cow::Owned(Value::from(self.world.stack_name.as_str()))),
            Reference::StackId => Ok(Cow::Owned(self.scope.stack_id())),
            Reference::EachKey => {
                let each = self.each.ok_or(Failure::Broken)?;
                Ok(Cow::Owned(Value::from(&*each.key)))
            }
            Reference::EachValue => self.nested(&self.each.ok_or(Failure::Broken)?.value),
            Reference::Resource(reference) => self.resource(reference, span).map(Cow::Owned),
        }
    }

    fn symbolic_local(&self, name: &'a str, pattern: &'a Pattern) -> Evaluated<Cow<'a, Value>> {
        if let Some(value) = self.locals.borrow().get(name) {
            return Ok(Cow::Owned(value.clone()));
        }
        let value = self.nested(pattern)?;
        self.locals.borrow_mut().insert(name, value.clone().into_owned());
        Ok(value)
    }

    /// Evaluates a pattern that a reference stands for; such patterns have no `each` of their own.
    fn nested(&self, pattern: &'a Pattern) -> Evaluated<Cow<'a, Value>> {
        match &pattern.content {
            Content::Constant(value) => Ok(Cow::Borrowed(value)),
            Content::Expression(expression) => self.expression(expression),
            Content::Text(_)
            | Content::List(_)
            | Content::Table(_)
            | Content::Layers(_)
            | Content::Item(..)
            | Content::Broken => self.pattern(pattern).map(Cow::Owned),
        }
    }

    fn resource(&self, reference: &'a ResourceReference, span: Span) -> Evaluated<Value> {
        let attribute = |address: &Address| self.scope.attribute(address, &reference.attribute);
        match (self.world.shapes.get(&reference.block), &reference.instance) {
            (Some(Shape::Single(address)), Instance::Single) => Ok(attribute(address)),
            (Some(Shape::Keyed(addresses)), Instance::All) => {
                Ok(Value::List(addresses.values().map(attribute).collect()))
            }
            (Some(Shape::Keyed(addresses)), Instance::Key(key)) => {
                let value = self.expression(key)?;
                let key = match &*value {
                    Value::Unknown(unknown) => return Ok(made_from(unknown)),
                    Value::String(key) => key,
                    Value::Null
                    | Value::Bool(_)
                    | Value::Integer(_)
                    | Value::Float(_)
                    | Value::List(_)
                    | Value::Map(_) => {
                        let label = format!("keys are strings, found {}", value.type_name());
                        return Err(wrong("wrong-type", "wrong type", key.span, label));
                    }
                };
                let missing = || missing_instance(&reference.block, key, addresses, span);
                let address = addresses.get(key.as_str());
                address.map(attribute).ok_or_else(|| Failure::Wrong(missing().into()))
            }
            (Some(Shape::Single(_) | Shape::Keyed(_) | Shape::Broken) | None, _) => Err(Failure::Broken),
        }
    }

    fn access(&self, source: &'a Expression, step: &'a Step, span: Span) -> Evaluated<Cow<'a, Value>> {
        if let Some(part) = self.symbolic_field(source, step) {
            return self.nested(part);
        }
        let value = self.expression(source)?;
        self.step(value, step, span)
    }

    /// Returns the part of `each.value` or of a local table that a path names, so that only that
    /// part is evaluated.
    fn symbolic_field(&self, source: &'a Expression, step: &Step) -> Option<&'a Pattern> {
        let whole = match &source.kind {
            ExpressionKind::Reference(Reference::EachValue) => &*self.each?.value,
            ExpressionKind::Reference(Reference::Local(name)) => match self.world.locals.get(name)? {
                Local::Symbolic(pattern) => pattern,
                Local::Known(_) | Local::Broken => return None,
            },
            ExpressionKind::Access(inner, inner_step) => self.symbolic_field(inner, inner_step)?,
            ExpressionKind::Literal(_)
            | ExpressionKind::Reference(_)
            | ExpressionKind::Attribute(_)
            | ExpressionKind::Splat(..)
            | ExpressionKind::Unary(..)
            | ExpressionKind::Binary(..)
            | ExpressionKind::Conditional(_)
            | ExpressionKind::List(_)
            | ExpressionKind::Map(_)
            | ExpressionKind::Call(..) => return None,
        };
        field_named(whole, step).map(|part| &**part)
    }

    fn step(&self, value: Cow<'a, Value>, step: &'a Step, span: Span) -> Evaluated<Cow<'a, Value>> {
        if let Value::Unknown(unknown) = &*value {
            return Ok(Cow::Owned(made_from(unknown)));
        }
        match step {
            Step::Name(name, name_span) => entry(value, name, *name_span),
            Step::Index(index) => {
                let key = self.expression(index)?;
                match &*key {
                    Value::Unknown(unknown) => Ok(Cow::Owned(made_from(unknown))),
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

    fn splat(&self, source: &'a Expression, steps: &'a [Step]) -> Evaluated<Value> {
        let items = match self.expression(source)?.into_owned() {
            Value::List(items) => items,
            Value::Map(entries) => entries.into_values().collect(),
            Value::Unknown(unknown) => return Ok(made_from(&unknown)),
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
        Ok(Value::List(items.into_iter().map(follow).collect::<Result<_, Failure>>()?))
    }

    fn binary(
        &self,
        operator: BinaryOperator,
        left: &'a Expression,
        right: &'a Expression,
        span: Span,
    ) -> Evaluated<Value> {
        let left_value = self.expression(left)?;
        match (operator, &*left_value) {
            (BinaryOperator::Or, Value::Bool(true)) => return Ok(Value::Bool(true)),
            (BinaryOperator::And, Value::Bool(false)) => return Ok(Value::Bool(false)),
            _ => {}
        }
        let right_value = self.expression(right)?;
        match (operator, &*right_value) {
            (BinaryOperator::Or, Value::Bool(true)) if !left_value.is_known() => {
                return Ok(Value::Bool(true));
            }
            (BinaryOperator::And, Value::Bool(false)) if !left_value.is_known() => {
                return Ok(Value::Bool(false));
            }
            _ => {}
        }
        if let Some(unknown) = left_value.first_unknown().or_else(|| right_value.first_unknown()) {
            return Ok(made_from(unknown));
        }
        operators::binary(operator, &left_value, &right_value).map_err(wrong_operand(span))
    }

    fn map(&self, entries: &'a [(Expression, Expression)]) -> Evaluated<Value> {
        let mut map = ValueMap::new();
        for (key, value) in entries {
            let name = self.expression(key)?;
            if let Value::Unknown(unknown) = &*name {
                return Ok(made_from(unknown));
            }
            let name = scalar_text(&name).ok_or_else(|| {
                wrong("wrong-type", "wrong type", key.span, format!("{} is no key", name.type_name()))
            })?;
            map.insert(name, self.expression(value)?.into_owned());
        }
        Ok(Value::Map(map))
    }

    fn call(&self, function: &'static Function, arguments: &'a [Expression]) -> Evaluated<Value> {
        match function.body {
            Body::Try => self.first_that_evaluates(arguments),
            Body::Can => match self.expression(&arguments[0]) {
                Ok(value) => Ok(value.first_unknown().map_or(Value::Bool(true), made_from)),
                Err(Failure::Wrong(_)) => Ok(Value::Bool(false)),
                Err(Failure::Broken) => Err(Failure::Broken),
            },
            Body::Whole(call) => self.call_with(call, usize::MAX, true, arguments),
            Body::Outside(count, call) => self.call_with(call, count, false, arguments),
        }
    }

    fn first_that_evaluates(&self, arguments: &'a [Expression]) -> Evaluated<Value> {
        let (last, others) = arguments.split_last().expect("`try` takes at least one argument");
        for argument in others {
            match self.expression(argument) {
                Err(Failure::Wrong(_)) => {}
                result => return result.map(Cow::into_owned),
            }
        }
        self.expression(last).map(Cow::into_owned)
    }

    fn call_with(
        &self,
        call: Call,
        looked_at: usize,
        inside: bool,
        arguments: &'a [Expression],
    ) -> Evaluated<Value> {
        let values = arguments.iter().map(|argument| self.expression(argument).map(Cow::into_owned));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let is_unknown = |value: &&Value| inside || matches!(value, Value::Unknown(_));
        let unknown = values.iter().take(looked_at).filter(is_unknown).find_map(Value::first_unknown);
        if let Some(unknown) = unknown {
            return Ok(made_from(unknown));
        }
        call(&values).map_err(|error| {
            wrong("invalid-argument", "invalid argument", arguments[error.argument].span, error.message)
        })
    }
}

/// Returns the unknown value that is made from another.
fn made_from(unknown: &Unknown) -> Value {
    Value::Unknown(Unknown { origin: unknown.origin.clone(), exact: false })
}

/// Describes why there is no value.
pub(super) fn wrong(code: &'static str, summary: &str, span: Span, label: impl Into<String>) -> Failure {
    Failure::Wrong(Diagnostic::error(code, summary).with_span(span, label).into())
}

fn wrong_operand(span: Span) -> impl Fn(String) -> Failure {
    move |message| wrong("wrong-operand", "wrong operand", span, message)
}
