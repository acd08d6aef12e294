//! What references stand for.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use crate::address::Address;
use crate::diagnostic::Span;
use crate::spec::expression::access::missing_instance;
use crate::spec::expression::ast::{
    Expression, ExpressionKind, Instance, Reference, ResourceReference, Step,
};
use crate::spec::expression::evaluate::{Evaluated, Evaluation, Failure, View, wrong};
use crate::spec::pattern::{Content, Pattern, field_named};
use crate::spec::world::{Local, LocalName, Shape};
use crate::value::Value;

impl<'a> Evaluation<'a> {
    /// Returns what a reference stands for.
    pub(super) fn reference(&self, reference: &'a Reference, span: Span) -> Evaluated<Cow<'a, Value>> {
        let known = |value: Option<&'a Value>| value.map(Cow::Borrowed).ok_or(Failure::Broken);
        match reference {
            Reference::Variable(name) => {
                let value = known(self.world.variables.get(name).and_then(Option::as_ref))?;
                Ok(if self.world.sensitive.has_variable(name) { self.shown(value) } else { value })
            }
            Reference::Local(name) => match self.local(name) {
                Some(Local::Known(value)) => Ok(Cow::Borrowed(value)),
                Some(Local::Symbolic(pattern)) => {
                    let value = self.symbolic_local(name, pattern)?;
                    self.budget.value(&value, span)?;
                    Ok(Cow::Owned(Value::clone(&value)))
                }
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
                self.budget.text(&each.key, span)?;
                Ok(Cow::Owned(Value::from(&*each.key)))
            }
            Reference::EachValue => self.nested(&self.each.ok_or(Failure::Broken)?.value),
            Reference::Resource(reference) => {
                let attribute = |address: &Address| self.attribute(address, &reference.attribute, span);
                self.resource(reference, span, &attribute).map(Cow::Owned)
            }
            Reference::Whole(reference) => self.whole(reference, span).map(Cow::Owned),
            // Before it is linked, nobody knows what a component tells.
            Reference::Use(_) => Err(Failure::Broken),
        }
    }

    /// Returns a local value; where sensitive values are not to be seen, as one that is worked out
    /// anew.
    pub(super) fn local(&self, name: &LocalName) -> Option<&'a Local> {
        let masked = if self.view == View::Masked { self.world.sensitive.local(name) } else { None };
        masked.or_else(|| self.world.locals.get(name))
    }

    /// Returns a local value that is not all known; it is evaluated once.
    pub(super) fn symbolic_local(&self, name: &'a LocalName, pattern: &'a Pattern) -> Evaluated<Rc<Value>> {
        if let Some((value, doubt)) = self.locals.borrow().get(name) {
            self.doubt(doubt.clone());
            return Ok(value.clone());
        }
        let (value, doubt) = self.with_doubt(|| self.nested(pattern));
        self.doubt(doubt.clone());
        let value = value?;
        self.budget.value(&value, pattern.span)?;
        let value = Rc::new(value.into_owned());
        self.locals.borrow_mut().insert(name, (value.clone(), doubt));
        Ok(value)
    }

    /// Returns an attribute of a resource.
    pub(super) fn attribute(&self, address: &Address, name: &str, span: Span) -> Evaluated<Value> {
        let value = self.scope.attribute(address, name);
        self.budget.value(&value, span)?;
        if self.world.sensitive.has_attribute(address.block(), name) {
            return Ok(self.shown(Cow::Owned(value)).into_owned());
        }
        Ok(value)
    }

    /// Evaluates a pattern that a reference stands for; such patterns have no `each` of their own,
    /// and nothing of the for-expressions around the reference.
    pub(super) fn nested(&self, pattern: &'a Pattern) -> Evaluated<Cow<'a, Value>> {
        let around = self.bound.take();
        let value = match &pattern.content {
            Content::Constant(value) => Ok(Cow::Borrowed(value)),
            Content::Expression(expression) => self.expression(expression),
            Content::Text(_)
            | Content::List(_)
            | Content::Table(_)
            | Content::Layers(_)
            | Content::Item(..)
            | Content::Sealed(_)
            | Content::Member(_)
            | Content::Broken => self.pattern(pattern).map(Cow::Owned),
        };
        self.bound.replace(around);
        value
    }

    /// Returns all attributes of a resource, or those of all resources of a block by key.
    fn whole(&self, reference: &'a ResourceReference, span: Span) -> Evaluated<Value> {
        let kind = self.world.lookups.get(&reference.block).unwrap_or(&reference.block.kind);
        let names = self.world.attributes.get(kind).ok_or(Failure::Broken)?;
        let attributes = |address: &Address| {
            let value = |name: &&'static str| Ok(((*name).to_owned(), self.attribute(address, name, span)?));
            Ok(Value::Map(names.iter().map(value).collect::<Result<_, Failure>>()?))
        };
        match (self.world.shapes.get(&reference.block), &reference.instance) {
            (Some(Shape::Keyed(addresses)), Instance::Single) => {
                let entry = |(key, address): (&Arc<str>, &Address)| {
                    self.budget.text(key, span)?;
                    Ok((key.to_string(), attributes(address)?))
                };
                Ok(Value::Map(addresses.iter().map(entry).collect::<Result<_, Failure>>()?))
            }
            _ => self.resource(reference, span, &attributes),
        }
    }

    fn resource(
        &self,
        reference: &'a ResourceReference,
        span: Span,
        attribute: &dyn Fn(&Address) -> Evaluated<Value>,
    ) -> Evaluated<Value> {
        match (self.world.shapes.get(&reference.block), &reference.instance) {
            (Some(Shape::Single(address)), Instance::Single) => attribute(address),
            (Some(Shape::Keyed(addresses)), Instance::All) => {
                Ok(Value::List(addresses.values().map(attribute).collect::<Result<_, _>>()?))
            }
            (Some(Shape::Keyed(addresses)), Instance::Key(key)) => {
                let value = self.expression(key)?;
                let key = match &*value {
                    Value::Unknown(unknown) => return Ok(self.postpone(unknown)),
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
                attribute(address.ok_or_else(|| Failure::Wrong(missing().into()))?)
            }
            (Some(Shape::Single(_) | Shape::Keyed(_) | Shape::Broken) | None, _) => Err(Failure::Broken),
        }
    }

    /// Returns the part of `each.value` or of a local table that a path names, so that only that
    /// part is evaluated.
    pub(super) fn symbolic_field(&self, source: &'a Expression, step: &Step) -> Option<&'a Pattern> {
        let whole = match &source.kind {
            ExpressionKind::Reference(Reference::EachValue) => &*self.each?.value,
            ExpressionKind::Reference(Reference::Local(name)) => match self.local(name)? {
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
            | ExpressionKind::Bound(_)
            | ExpressionKind::For(_)
            | ExpressionKind::Call(..) => return None,
        };
        field_named(whole, step).map(|part| &**part)
    }
}
