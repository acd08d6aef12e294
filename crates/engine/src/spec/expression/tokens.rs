//! How the parser takes one token after the other, and what it says of one that it did not want.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::lexer::{LexError, Token, TokenKind, next_token};
use crate::spec::expression::parser::{Parsed, Parser};

const MAXIMUM_TOKENS: usize = 500;

impl Parser<'_> {
    /// Takes `for` if a name follows it: otherwise it is a key, or a mistake.
    pub(super) fn take_for(&mut self) -> Parsed<bool> {
        if self.peek()?.kind != TokenKind::Name("for".to_owned()) {
            return Ok(false);
        }
        let before = (self.offset, self.peeked.clone());
        self.take()?;
        if matches!(self.peek()?.kind, TokenKind::Name(_)) {
            return Ok(true);
        }
        (self.offset, self.peeked) = before;
        Ok(false)
    }

    /// Takes a word such as `in` if it comes next.
    pub(super) fn take_word(&mut self, word: &str) -> Parsed<bool> {
        let found = matches!(&self.peek()?.kind, TokenKind::Name(name) if name == word);
        if found {
            self.take()?;
        }
        Ok(found)
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

    pub(super) fn peek(&mut self) -> Parsed<&Token> {
        if self.peeked.is_none() {
            let token = self.lex()?;
            self.peeked = Some(token);
        }
        Ok(self.peeked.as_ref().expect("a token was just put there"))
    }

    pub(super) fn take(&mut self) -> Parsed<Token> {
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

    pub(super) fn unexpected(&self, token: &Token, wanted: &str) -> Box<Diagnostic> {
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

    pub(super) fn error(&self, range: Range<usize>, label: impl Into<String>) -> Diagnostic {
        Diagnostic::error("invalid-expression", "invalid expression").with_span(self.map.span(range), label)
    }
}
