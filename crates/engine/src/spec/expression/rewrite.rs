//! Expressions in which references were replaced.

use crate::diagnostic::Span;
use crate::spec::expression::ast::{
    Comprehension, ComprehensionResult, Conditional, Expression, ExpressionKind, Instance, Reference,
    ResourceReference, Step,
};

/// Says what stands in the place of a reference.
pub(crate) type Replace<'a> = dyn FnMut(&Reference, Span) -> ExpressionKind + 'a;

impl Expression {
    /// Returns the expression with something else in the place of each reference. References inside
    /// of references are for `replace` to look after.
    pub(crate) fn rewritten(&self, replace: &mut Replace<'_>) -> Self {
        let kind = match &self.kind {
            ExpressionKind::Literal(_) | ExpressionKind::Bound(_) | ExpressionKind::Attribute(_) => {
                self.kind.clone()
            }
            ExpressionKind::Reference(reference) => replace(reference, self.span),
            ExpressionKind::Access(source, step) => {
                ExpressionKind::Access(Box::new(source.rewritten(replace)), step.rewritten(replace))
            }
            ExpressionKind::Splat(source, steps) => {
                let source = Box::new(source.rewritten(replace));
                ExpressionKind::Splat(source, steps.iter().map(|step| step.rewritten(replace)).collect())
            }
            ExpressionKind::Unary(operator, operand) => {
                ExpressionKind::Unary(*operator, Box::new(operand.rewritten(replace)))
            }
            ExpressionKind::Binary(operator, left, right) => ExpressionKind::Binary(
                *operator,
                Box::new(left.rewritten(replace)),
                Box::new(right.rewritten(replace)),
            ),
            ExpressionKind::Conditional(conditional) => ExpressionKind::Conditional(Box::new(Conditional {
                condition: conditional.condition.rewritten(replace),
                then: conditional.then.rewritten(replace),
                otherwise: conditional.otherwise.rewritten(replace),
            })),
            ExpressionKind::List(items) => ExpressionKind::List(rewritten_all(items, replace)),
            ExpressionKind::Map(entries) => {
                let entry = |(key, value): &(Self, Self)| (key.rewritten(replace), value.rewritten(replace));
                ExpressionKind::Map(entries.iter().map(entry).collect())
            }
            ExpressionKind::Call(function, arguments) => {
                ExpressionKind::Call(function, rewritten_all(arguments, replace))
            }
            ExpressionKind::For(written) => ExpressionKind::For(Box::new(written.rewritten(replace))),
        };
        Self { span: self.span, kind }
    }
}

fn rewritten_all(items: &[Expression], replace: &mut Replace<'_>) -> Vec<Expression> {
    items.iter().map(|item| item.rewritten(replace)).collect()
}

impl Comprehension {
    fn rewritten(&self, replace: &mut Replace<'_>) -> Self {
        let result = match &self.result {
            ComprehensionResult::List(item) => ComprehensionResult::List(item.rewritten(replace)),
            ComprehensionResult::Table { key, value, grouped } => ComprehensionResult::Table {
                key: key.rewritten(replace),
                value: value.rewritten(replace),
                grouped: *grouped,
            },
        };
        Self {
            names_keys: self.names_keys,
            collection: self.collection.rewritten(replace),
            result,
            condition: self.condition.as_ref().map(|condition| condition.rewritten(replace)),
        }
    }
}

impl Step {
    fn rewritten(&self, replace: &mut Replace<'_>) -> Self {
        match self {
            Self::Name(..) => self.clone(),
            Self::Index(index) => Self::Index(Box::new(index.rewritten(replace))),
        }
    }
}

impl Instance {
    /// Returns the same choice with something else in the place of each reference.
    pub(crate) fn rewritten(&self, replace: &mut Replace<'_>) -> Self {
        match self {
            Self::Key(key) => Self::Key(Box::new(key.rewritten(replace))),
            Self::Single | Self::All => self.clone(),
        }
    }
}

impl ResourceReference {
    /// Returns the same reference with something else in the place of each reference in its key.
    pub(crate) fn rewritten(&self, replace: &mut Replace<'_>) -> Self {
        Self { instance: self.instance.rewritten(replace), ..self.clone() }
    }
}
