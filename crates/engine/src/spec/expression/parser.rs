//! From the text of an expression to its tree: precedence climbing, with limits on size and depth.

use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::ast::{
    BinaryOperator, Conditional, Expression, ExpressionKind, Instance, Reference, ResourceReference, Step,
    UnaryOperator, UseReference,
};
use crate::spec::expression::functions::{self, Body, Function, Special};
use crate::spec::expression::lexer::{Token, TokenKind};
use crate::spec::expression::{comprehension, path};
use crate::spec::suggest;
use crate::spec::text::TextMap;
use crate::value::Value;

const MAXIMUM_DEPTH: usize = 64;

pub(super) type Parsed<T> = Result<T, Box<Diagnostic>>;

/// Reads the expression that begins at `offset` of `text` and ends with `}`; returns it with the
/// offset after that brace.
pub(crate) fn parse_expression(text: &str, offset: usize, map: &TextMap) -> Parsed<(Expression, usize)> {
    Parser::new(text, offset, map).whole(offset)
}

/// Does the same in the text of a template, where only `names` mean something.
pub(crate) fn parse_template_expression(
    text: &str,
    offset: usize,
    map: &TextMap,
    names: &[String],
) -> Parsed<(Expression, usize)> {
    let parser = Parser { bound: names.to_vec(), in_template: true, ..Parser::new(text, offset, map) };
    parser.whole(offset)
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) map: &'a TextMap,
    pub(super) offset: usize,
    pub(super) peeked: Option<Token>,
    pub(super) tokens: usize,
    depth: usize,
    /// The names of the for-expressions around, the outermost first.
    pub(super) bound: Vec<String>,
    /// Whether the text is that of a template, which sees nothing of the spec.
    pub(super) in_template: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, offset: usize, map: &'a TextMap) -> Self {
        let (bound, in_template) = (Vec::new(), false);
        Self { text, map, offset, peeked: None, tokens: 0, depth: 0, bound, in_template }
    }

    /// Reads the whole expression and the `}` after it.
    fn whole(mut self, offset: usize) -> Parsed<(Expression, usize)> {
        let expression = self.expression()?;
        let token = self.take()?;
        match token.kind {
            TokenKind::Symbol("}") => Ok((expression, token.range.end)),
            TokenKind::End => {
                Err(self.error(offset..self.text.len(), "the expression has no closing `}`").into())
            }
            TokenKind::Symbol(_)
            | TokenKind::Name(_)
            | TokenKind::Integer(_)
            | TokenKind::Float(_)
            | TokenKind::Text(_) => Err(self.unexpected(&token, "an operator or `}`")),
        }
    }

    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > MAXIMUM_DEPTH {
            let here = self.peek()?.range.clone();
            let message = format!("the expression is nested more than {MAXIMUM_DEPTH} deep");
            return Err(self.error(here, message).with_hint("Split it with `[local]` values.").into());
        }
        let expression = self.conditional();
        self.depth -= 1;
        expression
    }

    fn conditional(&mut self) -> Parsed<Expression> {
        let condition = self.binary(0)?;
        if !self.take_symbol("?")? {
            return Ok(condition);
        }
        let then = self.expression()?;
        self.expect(":")?;
        let otherwise = self.expression()?;
        let span = join(condition.span, otherwise.span);
        let kind = ExpressionKind::Conditional(Box::new(Conditional { condition, then, otherwise }));
        Ok(Expression { span, kind })
    }

    fn binary(&mut self, minimum_power: u8) -> Parsed<Expression> {
        let mut left = self.unary()?;
        while let Some(operator) = self.peek_operator()?.filter(|operator| operator.power() > minimum_power) {
            self.take()?;
            let right = self.binary(operator.power())?;
            let span = join(left.span, right.span);
            left =
                Expression { span, kind: ExpressionKind::Binary(operator, Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn peek_operator(&mut self) -> Parsed<Option<BinaryOperator>> {
        use BinaryOperator as Operator;
        const OPERATORS: [Operator; 13] = [
            Operator::Or,
            Operator::And,
            Operator::Equal,
            Operator::NotEqual,
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Greater,
            Operator::GreaterOrEqual,
            Operator::Add,
            Operator::Subtract,
            Operator::Multiply,
            Operator::Divide,
            Operator::Remainder,
        ];
        let TokenKind::Symbol(symbol) = self.peek()?.kind else { return Ok(None) };
        Ok(OPERATORS.into_iter().find(|operator| operator.symbol() == symbol))
    }

    fn unary(&mut self) -> Parsed<Expression> {
        let operator = match self.peek()?.kind {
            TokenKind::Symbol("!") => UnaryOperator::Not,
            TokenKind::Symbol("-") => UnaryOperator::Negate,
            TokenKind::Symbol(_)
            | TokenKind::Name(_)
            | TokenKind::Integer(_)
            | TokenKind::Float(_)
            | TokenKind::Text(_)
            | TokenKind::End => return self.postfix(),
        };
        let start = self.take()?.range;
        self.depth += 1;
        if self.depth > MAXIMUM_DEPTH {
            return Err(self.error(start, "the expression is nested too deep").into());
        }
        let operand = self.unary()?;
        self.depth -= 1;
        let span = join(self.map.span(start), operand.span);
        Ok(Expression { span, kind: ExpressionKind::Unary(operator, Box::new(operand)) })
    }

    fn postfix(&mut self) -> Parsed<Expression> {
        let mut expression = self.primary()?;
        let mut steps = 0;
        loop {
            let splat = self.take_symbol("[*]")? || self.is_splat(&expression);
            if splat {
                let inner = self.steps()?;
                let span = join(expression.span, self.before());
                if inner.is_empty() && self.is_splat(&expression) {
                    return Ok(expression);
                }
                return Ok(Expression { span, kind: ExpressionKind::Splat(Box::new(expression), inner) });
            }
            let Some(step) = self.step()? else { return Ok(expression) };
            steps += 1;
            if steps > MAXIMUM_DEPTH {
                return Err(self.error(self.offset..self.offset, "the path is too long").into());
            }
            let span = join(expression.span, self.before());
            expression = Expression { span, kind: ExpressionKind::Access(Box::new(expression), step) };
        }
    }

    /// Tells whether the expression collects from all resources of a block or all instances of a
    /// component, so that steps after it go into each of the items.
    fn is_splat(&self, expression: &Expression) -> bool {
        let collects = matches!(
            &expression.kind,
            ExpressionKind::Reference(
                Reference::Resource(ResourceReference { instance: Instance::All, .. })
                    | Reference::Whole(ResourceReference { instance: Instance::All, .. })
                    | Reference::Use(UseReference { instance: Instance::All, .. })
            )
        );
        collects && !self.text[..self.offset].trim_end().ends_with(')')
    }

    fn steps(&mut self) -> Parsed<Vec<Step>> {
        let mut steps = Vec::new();
        while let Some(step) = self.step()? {
            steps.push(step);
        }
        Ok(steps)
    }

    fn step(&mut self) -> Parsed<Option<Step>> {
        if self.take_symbol(".")? {
            let (name, span) = self.name("a name after `.`")?;
            return Ok(Some(Step::Name(name, span)));
        }
        if self.take_symbol("[")? {
            let index = self.expression()?;
            self.expect("]")?;
            return Ok(Some(Step::Index(Box::new(index))));
        }
        Ok(None)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        let token = self.take()?;
        let span = self.map.span(token.range.clone());
        let literal = |value| Ok(Expression { span, kind: ExpressionKind::Literal(value) });
        match &token.kind {
            TokenKind::Integer(value) => literal(Value::Integer(*value)),
            TokenKind::Float(value) => literal(Value::Float(*value)),
            TokenKind::Text(text) => literal(Value::String(text.clone())),
            TokenKind::Name(name) => match name.as_str() {
                "true" => literal(Value::Bool(true)),
                "false" => literal(Value::Bool(false)),
                "null" => literal(Value::Null),
                name if self.take_symbol("(")? => self.call(name, span),
                name => match self.bound.iter().rposition(|bound| bound == name) {
                    Some(position) => Ok(Expression { span, kind: ExpressionKind::Bound(position) }),
                    None => path::parse_reference(self, name, span),
                },
            },
            TokenKind::Symbol("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            TokenKind::Symbol("[") => self.list(span),
            TokenKind::Symbol("{") => self.map_literal(span),
            TokenKind::Symbol(_) | TokenKind::End => Err(self.unexpected(&token, "a value")),
        }
    }

    fn call(&mut self, name: &str, span: Span) -> Parsed<Expression> {
        let arguments = self.items(")")?;
        let Some(function) = functions::find(name) else { return Err(unknown_function(name, span).into()) };
        if self.in_template && matches!(function.body, Body::Special(Special::File | Special::Template)) {
            let diagnostic = Diagnostic::error("invalid-expression", "invalid expression")
                .with_span(span, "a template reads no other files")
                .with_hint("Read them in the spec, and hand over their text.");
            return Err(diagnostic.into());
        }
        if !function.takes(arguments.len()) {
            let label = match arguments.len() {
                1 => "called with 1 argument".to_owned(),
                count => format!("called with {count} arguments"),
            };
            let diagnostic = Diagnostic::error("wrong-argument-count", "wrong number of arguments")
                .with_span(span, label)
                .with_hint(format!("It is called as `{}`.", function.signature));
            return Err(diagnostic.into());
        }
        let span = join(span, self.before());
        Ok(Expression { span, kind: ExpressionKind::Call(function, arguments) })
    }

    fn list(&mut self, start: Span) -> Parsed<Expression> {
        if self.take_for()? {
            return comprehension::parse_list(self, start);
        }
        let items = self.items("]")?;
        Ok(Expression { span: join(start, self.before()), kind: ExpressionKind::List(items) })
    }

    /// Reads expressions between commas up to `close`, a last comma allowed.
    fn items(&mut self, close: &'static str) -> Parsed<Vec<Expression>> {
        let mut items = Vec::new();
        while !self.take_symbol(close)? {
            items.push(self.expression()?);
            if !self.take_symbol(",")? {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn map_literal(&mut self, start: Span) -> Parsed<Expression> {
        if self.take_for()? {
            return comprehension::parse_table(self, start);
        }
        let mut entries = Vec::new();
        while !self.take_symbol("}")? {
            let key = self.map_key()?;
            if !self.take_symbol("=")? {
                self.expect(":")?;
            }
            entries.push((key, self.expression()?));
            if !self.take_symbol(",")? {
                self.expect("}")?;
                break;
            }
        }
        Ok(Expression { span: join(start, self.before()), kind: ExpressionKind::Map(entries) })
    }

    /// A bare name is the key itself; in parentheses it is an expression.
    fn map_key(&mut self) -> Parsed<Expression> {
        if let TokenKind::Name(_) = self.peek()?.kind {
            let (name, span) = self.name("a key")?;
            return Ok(Expression { span, kind: ExpressionKind::Literal(Value::String(name)) });
        }
        self.primary()
    }
}

fn unknown_function(name: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error("unknown-function", "unknown function")
        .with_span(span, "no function has this name");
    if let Some((why, instead)) = functions::explain_foreign(name) {
        return diagnostic.with_detail(why).with_hint(instead);
    }
    let diagnostic = diagnostic.with_detail(format!("There is no function `{name}`."));
    suggest::did_you_mean(diagnostic, name, functions::all().map(Function::name))
}

/// Returns the place from the beginning of one to the end of the other.
pub(super) fn join(start: Span, end: Span) -> Span {
    Span { source: start.source, start: start.start, end: end.end.max(start.end) }
}
