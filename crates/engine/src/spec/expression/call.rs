//! Calls of functions.

use std::borrow::Cow;

use crate::diagnostic::Span;
use crate::spec::expression::ast::Expression;
use crate::spec::expression::evaluate::{Evaluated, Evaluation, Failure, wrong};
use crate::spec::expression::functions::{Body, Call, Function, Special};
use crate::value::{Unknown, Value};

impl<'a> Evaluation<'a> {
    /// Returns what a function makes of its arguments.
    pub(super) fn call(
        &self,
        function: &'static Function,
        arguments: &'a [Expression],
        span: Span,
    ) -> Evaluated<Cow<'a, Value>> {
        let value = match function.body {
            Body::Special(Special::Try) => return self.first_that_evaluates(arguments),
            Body::Special(Special::Can) => return self.evaluates(&arguments[0]).map(Cow::Owned),
            Body::Special(Special::Coalesce) => return self.first_that_is_something(arguments, span),
            Body::Special(Special::Sensitive) => return Ok(self.shown(self.expression(&arguments[0])?)),
            Body::Special(Special::Nonsensitive) => return self.expression(&arguments[0]),
            Body::Special(Special::File) => return self.file(&arguments[0]),
            Body::Special(Special::Template) => return self.template_file(&arguments[0], &arguments[1]),
            Body::Whole(call) => self.call_with(call, Value::first_unknown, usize::MAX, arguments),
            Body::Outside(count, call) => self.call_with(call, outside, count, arguments),
        }?;
        self.budget.value(&value, span)?;
        Ok(Cow::Owned(value))
    }

    /// Calls a function unless `unknown` finds something unknown in one of the first `looked_at` arguments.
    fn call_with(
        &self,
        call: Call,
        unknown: fn(&Value) -> Option<&Unknown>,
        looked_at: usize,
        arguments: &'a [Expression],
    ) -> Evaluated<Value> {
        let values: Vec<_> =
            arguments.iter().map(|argument| self.expression(argument)).collect::<Result<_, _>>()?;
        if let Some(unknown) = values.iter().take(looked_at).find_map(|value| unknown(value)) {
            return Ok(self.postpone(unknown));
        }
        if looked_at == usize::MAX {
            // What it returns may be all of them together; it is paid for before it is made.
            for (value, argument) in values.iter().zip(arguments) {
                self.budget.value(value, argument.span)?;
            }
        }
        let values: Vec<&Value> = values.iter().map(|value| &**value).collect();
        let value = call(&values).map_err(|error| {
            wrong("invalid-argument", "invalid argument", arguments[error.argument].span, error.message)
        })?;
        if let Value::Unknown(unknown) = &value
            && !unknown.exact
        {
            return Ok(self.postpone(unknown));
        }
        Ok(value)
    }

    fn evaluates(&self, argument: &'a Expression) -> Evaluated<Value> {
        let (value, doubt) = self.with_doubt(|| self.expression(argument));
        match value {
            Ok(_) => Ok(doubt.map_or(Value::Bool(true), |unknown| unknown.derived())),
            Err(Failure::Wrong(_)) => Ok(Value::Bool(false)),
            Err(failure @ (Failure::Broken | Failure::Fatal(_))) => Err(failure),
        }
    }

    /// What is in doubt is not chosen yet, however much of it is known: what comes after it may have
    /// another length.
    fn first_that_evaluates(&self, arguments: &'a [Expression]) -> Evaluated<Cow<'a, Value>> {
        let (last, others) = arguments.split_last().expect("`try` takes at least one argument");
        for (position, argument) in others.iter().enumerate() {
            match self.with_doubt(|| self.expression(argument)) {
                (Err(Failure::Wrong(_)), _) => {}
                (Ok(_), Some(unknown)) => {
                    let rest: Vec<_> = arguments[position + 1..].iter().collect();
                    self.foresee(&rest)?;
                    return Ok(Cow::Owned(self.postpone(&unknown)));
                }
                (result, _) => return result,
            }
        }
        self.expression(last)
    }

    fn first_that_is_something(&self, arguments: &'a [Expression], span: Span) -> Evaluated<Cow<'a, Value>> {
        for (position, argument) in arguments.iter().enumerate() {
            let value = self.expression(argument)?;
            if let Value::Unknown(unknown) = &*value {
                let rest: Vec<_> = arguments[position + 1..].iter().collect();
                self.foresee(&rest)?;
                return Ok(Cow::Owned(self.postpone(unknown)));
            }
            if !value.is_null() && value.as_str() != Some("") {
                return Ok(value);
            }
        }
        Err(wrong("invalid-argument", "invalid argument", span, "every value is null or empty"))
    }
}

fn outside(value: &Value) -> Option<&Unknown> {
    if let Value::Unknown(unknown) = value { Some(unknown) } else { None }
}
