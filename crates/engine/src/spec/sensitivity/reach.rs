//! How sensitive a value is, by what it is made of. Nothing is evaluated.

use crate::spec::expression::ast::{
    Comprehension, ComprehensionResult, Expression, ExpressionKind, Instance, Reference, ResourceReference,
    Step,
};
use crate::spec::expression::functions::{Body, Function, Special};
use crate::spec::pattern::{Content, Key, Pattern, Piece};
use crate::spec::sensitivity::{Extent, Sensitivities, Sensitivity};
use crate::value::Value;

/// Functions that put their arguments, or parts of them, into a list or table as they are.
const KEEP_PARTS: [&str; 6] = ["concat", "flatten", "merge", "reverse", "slice", "values"];
/// Functions that tell nothing of what is inside of their argument.
const TELL_OUTSIDE: [&str; 2] = ["keys", "length"];

/// Follows what values are made of.
pub(crate) struct Reach<'a> {
    known: &'a Sensitivities,
    /// What `each.value` stands for.
    each: Option<&'a Pattern>,
    /// What the names of the for-expressions around stand for, the outermost first.
    bound: Vec<Sensitivity>,
}

/// One step into a value.
enum PathStep<'a> {
    Name(&'a str),
    Position(usize),
    /// Any part: which one is known only once it is evaluated.
    Any,
}

impl<'a> PathStep<'a> {
    fn of(step: &'a Step) -> Self {
        let index = match step {
            Step::Name(name, _) => return Self::Name(name),
            Step::Index(index) => index,
        };
        let ExpressionKind::Literal(key) = &index.kind else { return Self::Any };
        if let Value::Integer(position) = key {
            return usize::try_from(*position).map_or(Self::Any, Self::Position);
        }
        key.as_str().map_or(Self::Any, Self::Name)
    }
}

impl<'a> Reach<'a> {
    pub(crate) fn new(known: &'a Sensitivities, each: Option<&'a Pattern>) -> Self {
        Self { known, each, bound: Vec::new() }
    }

    /// Returns how sensitive the value of a pattern is.
    pub(crate) fn pattern(&mut self, pattern: &'a Pattern) -> Sensitivity {
        match &pattern.content {
            Content::Constant(_) | Content::Broken => Sensitivity::default(),
            Content::Expression(expression) => self.expression(expression),
            Content::Text(pieces) => {
                let piece = |piece: &'a Piece| match piece {
                    Piece::Literal(_) => Sensitivity::default(),
                    Piece::Expression(expression) => self.expression(expression),
                };
                together(pieces.iter().map(piece)).mixed()
            }
            Content::List(items) => together(items.iter().map(|item| self.pattern(item))).around(),
            Content::Table(fields) => {
                together(fields.iter().map(|field| self.pattern(&field.value))).around()
            }
            Content::Layers(layers) => together(layers.iter().map(|layer| self.pattern(layer))),
            Content::Item(of, Key::Position(position)) => self.part(of, &[PathStep::Position(*position)]),
            Content::Item(of, Key::Name(name)) => self.part(of, &[PathStep::Name(name)]),
            Content::Member(member) => self.attribute(member.is_sensitive),
            Content::Sealed(_) => Sensitivity::WHOLE,
        }
    }

    /// Returns how sensitive a part of a pattern is: of tables and lists that are written out, of
    /// that part alone.
    fn part(&mut self, pattern: &'a Pattern, path: &[PathStep<'_>]) -> Sensitivity {
        let Some((first, rest)) = path.split_first() else { return self.pattern(pattern) };
        match (&pattern.content, first) {
            (Content::Table(fields), PathStep::Name(name)) => {
                let field = fields.iter().find(|field| field.key == **name);
                field.map(|field| self.part(&field.value, rest)).unwrap_or_default()
            }
            (Content::Table(fields), PathStep::Any | PathStep::Position(_)) => {
                together(fields.iter().map(|field| self.part(&field.value, rest)))
            }
            (Content::List(items), PathStep::Position(position)) => {
                items.get(*position).map(|item| self.part(item, rest)).unwrap_or_default()
            }
            (Content::List(items), PathStep::Any | PathStep::Name(_)) => {
                together(items.iter().map(|item| self.part(item, rest)))
            }
            (
                Content::Constant(_)
                | Content::Expression(_)
                | Content::Text(_)
                | Content::Layers(_)
                | Content::Item(..)
                | Content::Sealed(_)
                | Content::Member(_)
                | Content::Broken,
                _,
            ) => self.pattern(pattern).mixed(),
        }
    }

    fn expression(&mut self, expression: &'a Expression) -> Sensitivity {
        match &expression.kind {
            ExpressionKind::Literal(_) => Sensitivity::default(),
            ExpressionKind::Reference(reference) => self.reference(reference),
            ExpressionKind::Bound(position) => self.bound.get(*position).copied().unwrap_or_default(),
            ExpressionKind::Attribute(reference) => {
                self.attribute(self.known.has_attribute(reference.address.block(), &reference.attribute))
            }
            ExpressionKind::Access(..) => self.access(expression),
            ExpressionKind::Splat(source, steps) => {
                let source = self.expression(source);
                let indexes = together(steps.iter().map(|step| self.index(step)));
                source.and(indexes).mixed()
            }
            ExpressionKind::Unary(_, operand) => self.expression(operand).mixed(),
            ExpressionKind::Binary(_, left, right) => {
                self.expression(left).and(self.expression(right)).mixed()
            }
            ExpressionKind::Conditional(conditional) => {
                let condition = self.expression(&conditional.condition).mixed();
                let branches =
                    self.expression(&conditional.then).and(self.expression(&conditional.otherwise));
                condition.and(branches)
            }
            ExpressionKind::List(items) => together(items.iter().map(|item| self.expression(item))).around(),
            ExpressionKind::Map(entries) => {
                let entry = |(key, value): &'a (Expression, Expression)| {
                    self.expression(key).mixed().and(self.expression(value).around())
                };
                together(entries.iter().map(entry))
            }
            ExpressionKind::Call(function, arguments) => self.call(function, arguments),
            ExpressionKind::For(comprehension) => self.comprehension(comprehension),
        }
    }

    fn reference(&mut self, reference: &'a Reference) -> Sensitivity {
        match reference {
            Reference::Variable(name) => self.attribute(self.known.has_variable(name)),
            Reference::Local(name) => self.known.of_local(name),
            Reference::EachValue => self.each_value(&[]),
            Reference::Resource(reference) => {
                let found = self.attribute(self.known.has_attribute(&reference.block, &reference.attribute));
                self.instance(reference, found)
            }
            Reference::Whole(reference) => {
                let key = named_key(&reference.instance);
                let found = self.attribute(self.known.has_some_attribute(&reference.block, key));
                self.instance(reference, found.around())
            }
            Reference::AccountId(_)
            | Reference::AccountRegion(_)
            | Reference::StackName
            | Reference::StackId
            | Reference::EachKey
            | Reference::Use(_) => Sensitivity::default(),
        }
    }

    #[expect(clippy::unused_self, reason = "reads as its neighbours do")]
    fn attribute(&self, is_sensitive: bool) -> Sensitivity {
        if is_sensitive { Sensitivity::WHOLE } else { Sensitivity::default() }
    }

    /// Returns that of the attribute of one resource, or of all of a block.
    fn instance(&mut self, reference: &'a ResourceReference, attribute: Sensitivity) -> Sensitivity {
        match &reference.instance {
            Instance::Single => attribute,
            Instance::All => attribute.around(),
            Instance::Key(key) => attribute.and(self.expression(key).mixed()),
        }
    }

    /// Returns that of `each.value`, or of a part of it. It has no `each` of its own.
    fn each_value(&mut self, path: &[PathStep<'_>]) -> Sensitivity {
        let Some(each) = self.each else { return Sensitivity::default() };
        Reach::new(self.known, None).part(each, path)
    }

    /// Follows a path from where it begins.
    fn access(&mut self, expression: &'a Expression) -> Sensitivity {
        let mut steps = Vec::new();
        let mut root = expression;
        while let ExpressionKind::Access(source, step) = &root.kind {
            steps.push(step);
            root = source;
        }
        steps.reverse();
        let indexes = together(steps.iter().map(|step| self.index(step)));
        let path: Vec<_> = steps.into_iter().map(PathStep::of).collect();
        let found = if let ExpressionKind::Reference(Reference::EachValue) = &root.kind {
            self.each_value(&path)
        } else if let ExpressionKind::Reference(Reference::Local(name)) = &root.kind
            && let whole = self.known.of_local(name)
            && let Some(pattern) = self.known.pattern_of(name).filter(|_| whole.extent == Extent::Inside)
        {
            // The rest of it is looked at no longer: it may still be where an error comes from.
            let part = Reach::new(self.known, None).part(pattern, &path);
            Sensitivity { touched: true, ..part }
        } else {
            self.expression(root).mixed()
        };
        found.and(indexes)
    }

    fn index(&mut self, step: &'a Step) -> Sensitivity {
        match step {
            Step::Name(..) => Sensitivity::default(),
            Step::Index(index) => self.expression(index).mixed(),
        }
    }

    fn call(&mut self, function: &Function, arguments: &'a [Expression]) -> Sensitivity {
        let all = together(arguments.iter().map(|argument| self.expression(argument)));
        match function.body {
            Body::Special(Special::Sensitive) => Sensitivity::WHOLE,
            Body::Special(Special::Nonsensitive) => all.told(),
            Body::Special(Special::Try) => all,
            Body::Outside(..) if KEEP_PARTS.contains(&function.name()) => all,
            Body::Outside(..) if TELL_OUTSIDE.contains(&function.name()) => match all.extent {
                Extent::Nothing | Extent::Inside => all.told(),
                Extent::Whole => all,
            },
            Body::Whole(_)
            | Body::Outside(..)
            | Body::Special(Special::Can | Special::Coalesce | Special::File | Special::Template) => {
                all.mixed()
            }
        }
    }

    fn comprehension(&mut self, written: &'a Comprehension) -> Sensitivity {
        let collection = self.expression(&written.collection);
        let outside = self.bound.len();
        if written.names_keys {
            let keys = if collection.extent == Extent::Whole { collection } else { collection.told() };
            self.bound.push(keys);
        }
        self.bound.push(collection.mixed());
        let made = match &written.result {
            ComprehensionResult::List(item) => self.expression(item).around(),
            ComprehensionResult::Table { key, value, .. } => {
                self.expression(key).mixed().and(self.expression(value).around())
            }
        };
        let condition = written.condition.as_ref().map(|condition| self.expression(condition).mixed());
        self.bound.truncate(outside);
        // How many items there are tells of a collection of which that is not to be known.
        let shape = if collection.extent == Extent::Whole { collection } else { collection.told() };
        made.and(condition.unwrap_or_default()).and(shape)
    }
}

/// Returns the key that a reference names; `None` if it is worked out, or there is none.
fn named_key(instance: &Instance) -> Option<&str> {
    let Instance::Key(key) = instance else { return None };
    if let ExpressionKind::Literal(key) = &key.kind { key.as_str() } else { None }
}

fn together(all: impl Iterator<Item = Sensitivity>) -> Sensitivity {
    all.fold(Sensitivity::default(), Sensitivity::and)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::expression::functions::find;

    #[test]
    fn the_functions_that_are_told_apart_look_at_the_outside_only() {
        for name in KEEP_PARTS.into_iter().chain(TELL_OUTSIDE) {
            let function = find(name).unwrap_or_else(|| panic!("there is no function {name}"));
            assert!(matches!(function.body, Body::Outside(..)), "{name}");
        }
    }
}
