//! From the text of an expression to its tree: precedence climbing, with limits on size and depth.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::ast::{
    BinaryOperator, Conditional, Expression, ExpressionKind, Instance, Step, UnaryOperator,
};
use crate::spec::expression::functions;
use crate::spec::expression::lexer::{LexError, Token, TokenKind, next_token};
use crate::spec::expression::path;
use crate::spec::suggest;
use crate::spec::text::TextMap;
use crate::value::Value;

const MAXIMUM_DEPTH: usize = 64;
const MAXIMUM_TOKENS: usize = 500;

pub(super) type Parsed<T> = Result<T, Box<Diagnostic>>;

/// Reads the expression that begins at `offset` of `text` and ends with `}`; returns it with the
/// offset after that brace.
pub(crate) fn parse_expression(text: &str, offset: usize, map: &TextMap) -> Parsed<(Expression, usize)> {
    let mut parser = Parser { text, map, offset, peeked: None, tokens: 0, depth: 0 };
    let expression = parser.expression()?;
    let token = parser.take()?;
    match token.kind {
        TokenKind::Symbol("}") => Ok((expression, token.range.end)),
        TokenKind::End => Err(parser.error(offset..text.len(), "the expression has no closing `}`").into()),
        TokenKind::Symbol(_)
        | TokenKind::Name(_)
        | TokenKind::Integer(_)
        | TokenKind::Float(_)
        | TokenKind::Text(_) => Err(parser.unexpected(&token, "an operator or `}`")),
    }
}

pub(super) struct Parser<'a> {
    text: &'a str,
    map: &'a TextMap,
    offset: usize,
    peeked: Option<Token>,
    tokens: usize,
    depth: usize,
}

impl Parser<'_> {
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

    /// Tells whether the expression collects from all resources of a block, so that steps after
    /// it go into each of the items.
    fn is_splat(&self, expression: &Expression) -> bool {
        use crate::spec::expression::ast::{Reference, ResourceReference};
        let collects = matches!(
            &expression.kind,
            ExpressionKind::Reference(Reference::Resource(ResourceReference { instance: Instance::All, .. }))
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
                name => path::parse_reference(self, name, span),
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
        let Some(function) = functions::find(name) else {
            let diagnostic = Diagnostic::error("unknown-function", "unknown function")
                .with_span(span, "no function has this name")
                .with_detail(format!("There is no function `{name}`."));
            return Err(suggest::did_you_mean(diagnostic, name, functions::names()).into());
        };
        if !function.takes(arguments.len()) {
            let diagnostic = Diagnostic::error("wrong-argument-count", "wrong number of arguments")
                .with_span(span, format!("called with {} arguments", arguments.len()))
                .with_hint(format!("It is called as `{}`.", function.usage));
            return Err(diagnostic.into());
        }
        let span = join(span, self.before());
        Ok(Expression { span, kind: ExpressionKind::Call(function, arguments) })
    }

    fn list(&mut self, start: Span) -> Parsed<Expression> {
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

    /// Takes a name.
    pub(super) fn name(&mut self, wanted: &str) -> Parsed<(String, Span)> {
        let token = self.take()?;
        if let TokenKind::Name(name) = token.kind {
            return Ok((name, self.map.span(token.range)));
        }
        let mut diagnostic = self.unexpected(&token, wanted);
        if let TokenKind::Integer(index) = token.kind {
            *diagnostic = diagnostic.with_hint(format!("Positions are written `[{index}]`."));
        }
        Err(diagnostic)
    }

    /// Takes the symbol if it comes next. `[*]` counts as one.
    pub(super) fn take_symbol(&mut self, symbol: &'static str) -> Parsed<bool> {
        if symbol == "[*]" {
            return self.take_splat();
        }
        let found = self.peek()?.kind == TokenKind::Symbol(symbol);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    fn take_splat(&mut self) -> Parsed<bool> {
        let start = self.peek()?.clone();
        if start.kind != TokenKind::Symbol("[") {
            return Ok(false);
        }
        let rest = self.text[start.range.end..].trim_start();
        if !rest.starts_with('*') {
            return Ok(false);
        }
        self.take()?;
        self.take()?;
        self.expect("]")?;
        Ok(true)
    }

    pub(super) fn expect(&mut self, symbol: &'static str) -> Parsed<()> {
        let token = self.take()?;
        if token.kind == TokenKind::Symbol(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&token, &format!("`{symbol}`")))
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

    fn peek(&mut self) -> Parsed<&Token> {
        if self.peeked.is_none() {
            let token = self.lex()?;
            self.peeked = Some(token);
        }
        Ok(self.peeked.as_ref().expect("a token was just put there"))
    }

    fn take(&mut self) -> Parsed<Token> {
        let token = match self.peeked.take() {
            Some(token) => token,
            None => self.lex()?,
        };
        self.offset = token.range.end;
        Ok(token)
    }

    fn lex(&mut self) -> Parsed<Token> {
        self.tokens += 1;
        if self.tokens > MAXIMUM_TOKENS {
            let message = format!("the expression has more than {MAXIMUM_TOKENS} words and symbols");
            let diagnostic = self.error(self.offset..self.offset, message);
            return Err(diagnostic.with_hint("Split it with `[local]` values.").into());
        }
        next_token(self.text, self.offset).map_err(|LexError { message, hint, range }| {
            let diagnostic = self.error(range, message);
            hint.map_or(diagnostic.clone(), |hint| diagnostic.with_hint(hint)).into()
        })
    }

    /// Returns the place of the last token that was taken.
    pub(super) fn before(&self) -> Span {
        self.map.span(self.offset..self.offset)
    }

    fn unexpected(&self, token: &Token, wanted: &str) -> Box<Diagnostic> {
        let found = match &token.kind {
            TokenKind::End => "the end of the text".to_owned(),
            TokenKind::Symbol("=") => "`=`; equality is `==`".to_owned(),
            TokenKind::Symbol(_)
            | TokenKind::Name(_)
            | TokenKind::Integer(_)
            | TokenKind::Float(_)
            | TokenKind::Text(_) => format!("`{}`", &self.text[token.range.clone()]),
        };
        self.error(token.range.clone(), format!("expected {wanted}, found {found}")).into()
    }

    fn error(&self, range: Range<usize>, label: impl Into<String>) -> Diagnostic {
        Diagnostic::error("invalid-expression", "invalid expression").with_span(self.map.span(range), label)
    }
}

fn join(start: Span, end: Span) -> Span {
    Span { source: start.source, start: start.start, end: end.end.max(start.end) }
}
