//! Cuts the text of an expression into tokens.

use std::ops::Range;

/// One token and the bytes it takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) range: Range<usize>,
}

/// The sorts of token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    Name(String),
    Integer(i64),
    Float(f64),
    Text(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

/// Text that is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LexError {
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
    pub(crate) range: Range<usize>,
}

/// Longer symbols before those they begin with.
const SYMBOLS: [&str; 27] = [
    "...", "||", "&&", "==", "=>", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(",
    ")", "[", "]", "{", "}", ",", ".", "=",
];

/// Reads the token that begins at or after `offset`.
pub(crate) fn next_token(text: &str, offset: usize) -> Result<Token, LexError> {
    let start = text.len() - text[offset..].trim_start().len();
    let rest = &text[start..];
    let Some(first) = rest.chars().next() else {
        return Ok(Token { kind: TokenKind::End, range: start..start });
    };
    let (kind, length) = if first.is_ascii_alphabetic() || first == '_' {
        let length = name_length(rest);
        (TokenKind::Name(rest[..length].to_owned()), length)
    } else if first.is_ascii_digit() {
        number(rest).map_err(|message| LexError {
            message,
            hint: None,
            range: start..start + number_length(rest),
        })?
    } else if matches!(first, '"' | '\'') {
        quoted(rest, first).map_err(|mut error| {
            error.range = start..start + error.range.end;
            error
        })?
    } else {
        symbol(rest).map_err(|hint| LexError {
            message: format!("`{}` means nothing in an expression", first.escape_debug()),
            hint,
            range: start..start + first.len_utf8(),
        })?
    };
    Ok(Token { kind, range: start..start + length })
}

/// A name may contain `-`, as block names may, but not end with it.
fn name_length(text: &str) -> usize {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    let length = text.find(|character| !is_part(character)).unwrap_or(text.len());
    text[..length].trim_end_matches('-').len()
}

fn number_length(text: &str) -> usize {
    let whole = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let Some(fraction) = text[whole..].strip_prefix('.') else { return whole };
    let digits = fraction.find(|character: char| !character.is_ascii_digit()).unwrap_or(fraction.len());
    if digits == 0 { whole } else { whole + 1 + digits }
}

fn number(text: &str) -> Result<(TokenKind, usize), String> {
    let length = number_length(text);
    let digits = &text[..length];
    let kind = if digits.contains('.') {
        let float: f64 = digits.parse().map_err(|_| format!("`{digits}` is no number"))?;
        if !float.is_finite() {
            return Err("the number is too large".to_owned());
        }
        TokenKind::Float(float)
    } else {
        let integer = digits.parse().map_err(|_| format!("`{digits}` is larger than {}", i64::MAX))?;
        TokenKind::Integer(integer)
    };
    Ok((kind, length))
}

fn quoted(text: &str, quote: char) -> Result<(TokenKind, usize), LexError> {
    let error = |message: &str, hint, range| LexError { message: message.to_owned(), hint, range };
    let mut content = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((offset, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok((TokenKind::Text(content), offset + 1)),
            '\\' => match characters.next() {
                Some((_, 'n')) => content.push('\n'),
                Some((_, 't')) => content.push('\t'),
                Some((_, 'r')) => content.push('\r'),
                Some((_, escaped @ ('\\' | '\'' | '"'))) => content.push(escaped),
                Some((end, escaped)) => {
                    let range = offset..end + escaped.len_utf8();
                    let hint = Some("The escapes are `\\\\`, `\\'`, `\\\"`, `\\n`, `\\r` and `\\t`.");
                    return Err(error("there is no such escape", hint, range));
                }
                None => break,
            },
            '$' if text[offset..].starts_with("${") => {
                let hint = Some("Use `format('...%s...', value)` or `join`.");
                return Err(error(
                    "text inside an expression holds no expressions",
                    hint,
                    offset..offset + 2,
                ));
            }
            _ => content.push(character),
        }
    }
    Err(error("the text has no closing quote", None, 0..text.len()))
}

fn symbol(text: &str) -> Result<(TokenKind, usize), Option<&'static str>> {
    match SYMBOLS.into_iter().find(|symbol| text.starts_with(symbol)) {
        Some(symbol) => Ok((TokenKind::Symbol(symbol), symbol.len())),
        None if text.starts_with('&') => Err(Some("Write `&&` for `and`.")),
        None if text.starts_with('|') => Err(Some("Write `||` for `or`.")),
        None => Err(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lex(text: &str) -> Result<Vec<TokenKind>, LexError> {
        let mut tokens = Vec::new();
        let mut offset = 0;
        loop {
            let token = next_token(text, offset)?;
            if token.kind == TokenKind::End {
                return Ok(tokens);
            }
            offset = token.range.end;
            tokens.push(token.kind);
        }
    }

    #[test]
    fn names_keep_inner_dashes() {
        let name = |text: &str| TokenKind::Name(text.to_owned());
        assert_eq!(lex("my-vpc"), Ok(vec![name("my-vpc")]));
        assert_eq!(lex("a - b"), Ok(vec![name("a"), TokenKind::Symbol("-"), name("b")]));
        assert_eq!(lex("a- b"), Ok(vec![name("a"), TokenKind::Symbol("-"), name("b")]));
    }

    #[test]
    fn numbers_and_texts() {
        assert_eq!(lex("1.5 12"), Ok(vec![TokenKind::Float(1.5), TokenKind::Integer(12)]));
        assert_eq!(
            lex(r#"'it\'s' "x\n""#),
            Ok(vec![TokenKind::Text("it's".to_owned()), TokenKind::Text("x\n".to_owned())])
        );
    }

    #[test]
    fn broken_tokens_are_refused() {
        for text in ["'open", "'\\q'", "99999999999999999999", "a & b", "#", "'${x}'"] {
            assert!(lex(text).is_err(), "{text} was taken");
        }
    }
}
