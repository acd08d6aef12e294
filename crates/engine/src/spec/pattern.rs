//! A value as it is written: known data with expressions in it.

use std::sync::Arc;

use crate::address::BlockAddress;
use crate::diagnostic::{Diagnostic, Diagnostics, Sources, Span};
use crate::spec::bundles::MemberAttribute;
use crate::spec::document::{Data, Node};
use crate::spec::expression::ast::{Expression, ExpressionKind, Reference, Step};
use crate::spec::expression::{parse_expression, parse_template_expression};
use crate::spec::sensitivity::Sensitivity;
use crate::spec::text::TextMap;
use crate::value::{AttributeReference, Unknown, Value, ValueMap};

/// A value as it is written, and where.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) span: Span,
    pub(crate) content: Content,
}

/// The sorts of pattern.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Constant(Value),
    Expression(Expression),
    /// Text with expressions in it.
    Text(Vec<Piece>),
    List(Vec<Arc<Pattern>>),
    Table(Vec<Field>),
    /// Tables of which later ones win: tags of the stack, of the file, of the resource.
    Layers(Vec<Arc<Pattern>>),
    /// One item of a list or table that is itself an expression.
    Item(Arc<Pattern>, Key),
    /// A value that is sensitive, whatever it is made of.
    Sealed(Arc<Pattern>),
    /// An attribute of a member of a bundle, of which the provider works out what it is.
    Member(MemberAttribute),
    /// A problem was reported here already.
    Broken,
}

/// A part of a text.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Literal(String),
    Expression(Expression),
}

/// One entry of a table.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Arc<Pattern>,
}

/// Names one item of a list or table.
#[derive(Debug, Clone)]
pub(crate) enum Key {
    Position(usize),
    Name(String),
}

impl Pattern {
    /// Makes a pattern of a value that is known.
    pub(crate) fn constant(span: Span, value: Value) -> Arc<Self> {
        Arc::new(Self { span, content: Content::Constant(value) })
    }

    /// Makes a pattern whose value is sensitive, whatever it is made of.
    pub(crate) fn sealed(pattern: Arc<Self>) -> Arc<Self> {
        Arc::new(Self { span: pattern.span, content: Content::Sealed(pattern) })
    }

    /// Makes a pattern of an attribute of one resource.
    pub(crate) fn attribute(span: Span, reference: AttributeReference) -> Arc<Self> {
        let kind = if reference.address.block().kind.as_str() == "stack" {
            ExpressionKind::Reference(Reference::StackId)
        } else {
            ExpressionKind::Attribute(reference)
        };
        Arc::new(Self { span, content: Content::Expression(Expression { span, kind }) })
    }

    /// Returns the patterns of the items of a list that was just evaluated: a known item stays
    /// known and a plain reference stays a reference. Items of a list that is written out tell
    /// themselves how sensitive they are; others are as sensitive as the list.
    pub(crate) fn items(self: &Arc<Self>, values: &[Value], sensitivity: Sensitivity) -> Vec<Arc<Self>> {
        if let Content::List(items) = &self.content {
            return items.clone();
        }
        let indexed = values.iter().enumerate();
        indexed.map(|(position, value)| self.part(Key::Position(position), value, sensitivity)).collect()
    }

    /// Does the same with the entries of a table.
    pub(crate) fn entries(
        self: &Arc<Self>,
        values: &ValueMap,
        sensitivity: Sensitivity,
    ) -> Vec<(String, Arc<Self>)> {
        if let Content::Table(fields) = &self.content {
            return fields.iter().map(|field| (field.key.clone(), field.value.clone())).collect();
        }
        let part = |(key, value): (&String, &Value)| {
            (key.clone(), self.part(Key::Name(key.clone()), value, sensitivity))
        };
        values.iter().map(part).collect()
    }

    fn part(self: &Arc<Self>, key: Key, value: &Value, sensitivity: Sensitivity) -> Arc<Self> {
        let part = from_value(self.span, value)
            .unwrap_or_else(|| Arc::new(Self { span: self.span, content: Content::Item(self.clone(), key) }));
        if sensitivity.is_any() { Self::sealed(part) } else { part }
    }

    /// Tells whether the items of a list or table are written one by one, so that each of them
    /// names what it is made of.
    pub(crate) fn is_literal(&self) -> bool {
        matches!(self.content, Content::List(_) | Content::Table(_))
    }

    /// Calls `visit` with every reference in the pattern and where it is written.
    pub(crate) fn visit_references<'a>(&'a self, visit: &mut dyn FnMut(&'a Reference, Span)) {
        match &self.content {
            // What a bundle is made of is named by its block.
            Content::Constant(_) | Content::Member(_) | Content::Broken => {}
            Content::Expression(expression) => expression.visit_references(visit),
            Content::Text(pieces) => pieces.iter().for_each(|piece| match piece {
                Piece::Literal(_) => {}
                Piece::Expression(expression) => expression.visit_references(visit),
            }),
            Content::List(items) | Content::Layers(items) => {
                for item in items {
                    item.visit_references(visit);
                }
            }
            Content::Table(fields) => fields.iter().for_each(|field| field.value.visit_references(visit)),
            Content::Item(of, _) | Content::Sealed(of) => of.visit_references(visit),
        }
    }

    /// Calls `visit` with every attribute that expansion referred to, inside the pattern.
    pub(crate) fn visit_attributes<'a>(&'a self, visit: &mut dyn FnMut(&'a AttributeReference)) {
        match &self.content {
            Content::Expression(Expression { kind: ExpressionKind::Attribute(reference), .. }) => {
                visit(reference);
            }
            Content::List(items) | Content::Layers(items) => {
                for item in items {
                    item.visit_attributes(visit);
                }
            }
            Content::Table(fields) => fields.iter().for_each(|field| field.value.visit_attributes(visit)),
            Content::Item(of, _) | Content::Sealed(of) => of.visit_attributes(visit),
            Content::Constant(_)
            | Content::Member(_)
            | Content::Broken
            | Content::Expression(_)
            | Content::Text(_) => {}
        }
    }

    /// Returns the place of a part, named as in [`crate::schema::TypeMismatch::path`], or of the
    /// innermost part that has a place of its own.
    pub(crate) fn locate(&self, path: &str) -> Span {
        let inner = match &self.content {
            Content::List(items) => path.strip_prefix('[').and_then(|rest| {
                let (position, rest) = rest.split_once(']')?;
                Some(items.get(position.parse::<usize>().ok()?)?.locate(rest.trim_start_matches('.')))
            }),
            Content::Table(fields) => fields.iter().find_map(|field| {
                let rest = path.strip_prefix(field.key.as_str())?;
                match rest.chars().next() {
                    None => Some(field.value.span),
                    Some('.' | '[') => Some(field.value.locate(rest.trim_start_matches('.'))),
                    Some(_) => None,
                }
            }),
            Content::Layers(layers) => layers.last().map(|own| own.locate(path)),
            Content::Sealed(sealed) => Some(sealed.locate(path)),
            Content::Constant(_)
            | Content::Expression(_)
            | Content::Text(_)
            | Content::Item(..)
            | Content::Member(_)
            | Content::Broken => None,
        };
        inner.unwrap_or(self.span)
    }
}

impl Pattern {
    /// Returns the block of which the pattern is all attributes; `None` if it is something else.
    pub(crate) fn whole_resource(&self) -> Option<&BlockAddress> {
        let Content::Expression(Expression { kind, .. }) = &self.content else { return None };
        let ExpressionKind::Reference(Reference::Whole(reference)) = kind else { return None };
        Some(&reference.block)
    }

    /// Returns the place of a key of the table, or of the whole if it has none of its own.
    pub(crate) fn locate_key(&self, key: &str) -> Span {
        let found = match &self.content {
            Content::Table(fields) => {
                fields.iter().find(|field| field.key == key).map(|field| field.key_span)
            }
            Content::Layers(layers) => layers.last().map(|own| own.locate_key(key)),
            Content::Sealed(sealed) => Some(sealed.locate_key(key)),
            Content::Constant(_)
            | Content::Expression(_)
            | Content::Text(_)
            | Content::List(_)
            | Content::Item(..)
            | Content::Member(_)
            | Content::Broken => None,
        };
        found.unwrap_or(self.span)
    }
}

/// Returns the pattern of a value whose unknown parts are plain references; `None` if they are not.
fn from_value(span: Span, value: &Value) -> Option<Arc<Pattern>> {
    let content = match value {
        Value::Unknown(Unknown { origin, exact: true }) => {
            return Some(Pattern::attribute(span, origin.clone()));
        }
        Value::Unknown(_) => return None,
        value if value.is_known() => Content::Constant(value.clone()),
        Value::List(items) => {
            Content::List(items.iter().map(|item| from_value(span, item)).collect::<Option<_>>()?)
        }
        Value::Map(entries) => {
            let field = |(key, value): (&String, &Value)| {
                Some(Field { key: key.clone(), key_span: span, value: from_value(span, value)? })
            };
            Content::Table(entries.iter().map(field).collect::<Option<_>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
            Content::Constant(value.clone())
        }
    };
    Some(Arc::new(Pattern { span, content }))
}

/// Reads the expressions in the strings of a node; what cannot be read is reported and broken.
pub(crate) fn read_pattern(node: &Node, sources: &Sources, diagnostics: &mut Diagnostics) -> Arc<Pattern> {
    let content = match &node.data {
        Data::Bool(value) => Content::Constant(Value::Bool(*value)),
        Data::Integer(value) => Content::Constant(Value::Integer(*value)),
        Data::Float(value) => Content::Constant(Value::Float(*value)),
        Data::Text(text) => read_text(text, node.span, sources).unwrap_or_else(|diagnostic| {
            diagnostics.push(*diagnostic);
            Content::Broken
        }),
        Data::List(items) => {
            Content::List(items.iter().map(|item| read_pattern(item, sources, diagnostics)).collect())
        }
        Data::Table(table) => {
            let mut fields = Vec::with_capacity(table.entries.len());
            for entry in &table.entries {
                let key = literal_key(&entry.key, entry.key_span, diagnostics);
                let value = read_pattern(&entry.node, sources, diagnostics);
                fields.push(Field { key, key_span: entry.key_span, value });
            }
            Content::Table(fields)
        }
    };
    Arc::new(Pattern { span: node.span, content })
}

fn literal_key(key: &str, span: Span, diagnostics: &mut Diagnostics) -> String {
    let literal = key.replace("$${", "\u{0}");
    if literal.contains("${") {
        let diagnostic = Diagnostic::error("expression-in-key", "expression in a key")
            .with_span(span, "keys are taken as they are")
            .with_hint("Write `$${` for a literal `${`, or make the whole table with an expression: `\"${{ (key) = value }}\"`.");
        diagnostics.push(diagnostic);
    }
    literal.replace('\u{0}', "${")
}

/// Reads `text ${expression} text`; a text that is exactly one expression keeps that one's type.
fn read_text(text: &str, span: Span, sources: &Sources) -> Result<Content, Box<Diagnostic>> {
    if !text.contains("${") {
        return Ok(Content::Constant(Value::from(text)));
    }
    let map = TextMap::new(&sources.get(span.source).text, span, text);
    let mut pieces = read_pieces(text, &map, &mut |offset| parse_expression(text, offset, &map))
        .map_err(|error| error.diagnostic)?;
    match pieces.as_slice() {
        [Piece::Literal(literal)] => return Ok(Content::Constant(Value::from(literal.as_str()))),
        [Piece::Expression(_)] => {
            if let Some(Piece::Expression(expression)) = pieces.pop() {
                return Ok(Content::Expression(expression));
            }
        }
        _ => {}
    }
    Ok(Content::Text(pieces))
}

/// What is wrong in a template, and in which line if that is known.
pub(crate) struct TemplateError {
    pub(crate) line: Option<usize>,
    pub(crate) diagnostic: Box<Diagnostic>,
}

/// Reads the text of a file that is named at `span`, in which only `names` mean something.
pub(crate) fn read_template(text: &str, span: Span, names: &[String]) -> Result<Vec<Piece>, TemplateError> {
    let map = TextMap::elsewhere(span);
    if let Some((start, word)) = find_directive(text) {
        let diagnostic = Diagnostic::error("invalid-expression", "invalid expression")
            .with_span(span, format!("`%{{{word}` means nothing here"))
            .with_hint("Write `${join('', [for x in list : ...])}` or `${condition ? 'this' : 'that'}`.");
        return Err(TemplateError { line: Some(line_of(text, start)), diagnostic: diagnostic.into() });
    }
    read_pieces(text, &map, &mut |offset| parse_template_expression(text, offset, &map, names))
}

/// Finds a `%{if ...}` or `%{for ...}` of other tools, which would stay in the text unnoticed.
fn find_directive(text: &str) -> Option<(usize, &str)> {
    text.match_indices("%{").find_map(|(start, _)| {
        let inside = text[start + 2..].trim_start_matches(['~', ' ']);
        let length = inside.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(inside.len());
        let word = &inside[..length];
        ["if", "else", "endif", "for", "endfor"].contains(&word).then_some((start, word))
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text[..offset].matches('\n').count()
}

/// Reads text and the expressions in it; `parse` reads one and returns where it ends.
fn read_pieces(
    text: &str,
    map: &TextMap,
    parse: &mut dyn FnMut(usize) -> Result<(Expression, usize), Box<Diagnostic>>,
) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut offset = 0;
    while let Some(found) = text[offset..].find("${") {
        let start = offset + found;
        if text[offset..start].ends_with('$') {
            literal.push_str(&text[offset..start]);
            literal.push('{');
            offset = start + 2;
            continue;
        }
        literal.push_str(&text[offset..start]);
        let expression = refuse_policy_variable(text, start, map).and_then(|()| parse(start + 2));
        let (expression, end) = expression
            .map_err(|diagnostic| TemplateError { line: Some(line_of(text, start)), diagnostic })?;
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Expression(expression));
        offset = end;
    }
    literal.push_str(&text[offset..]);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// Recognises `${aws:username}`, which is meant for IAM and not for us.
fn refuse_policy_variable(text: &str, start: usize, map: &TextMap) -> Result<(), Box<Diagnostic>> {
    let inside = &text[start + 2..];
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    let word = inside.find(|character| !is_part(character)).unwrap_or(inside.len());
    let names_something = inside[word..].strip_prefix(':').is_some_and(|rest| rest.starts_with(is_part));
    if word == 0 || !names_something {
        return Ok(());
    }
    let end = inside.find('}').map_or(text.len(), |end| start + 2 + end + 1);
    let diagnostic = Diagnostic::error("policy-variable", "policy variable taken for an expression")
        .with_span(map.span(start..end), "IAM replaces this, not the spec")
        .with_detail("`${` begins an expression of the spec.")
        .with_hint(format!("Write `${}` to pass it on as it is.", &text[start..end]));
    Err(diagnostic.into())
}

/// Returns the value of a node without expressions; `${` in it is reported.
pub(crate) fn read_constant(node: &Node, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Value> {
    let pattern = read_pattern(node, sources, diagnostics);
    let mut span = None;
    let value = constant(&pattern, &mut span);
    if let Some(span) = span {
        let diagnostic = Diagnostic::error("expression-not-allowed", "expression where none is allowed")
            .with_span(span, "only a plain value can stand here")
            .with_hint("Write `$${` for a literal `${`; values made of others go into `[local]`.");
        diagnostics.push(diagnostic);
    }
    value
}

/// Returns `None` if the pattern is no constant; `found` tells where the first expression is.
fn constant(pattern: &Pattern, found: &mut Option<Span>) -> Option<Value> {
    match &pattern.content {
        Content::Constant(value) => Some(value.clone()),
        Content::List(items) => {
            Some(Value::List(items.iter().map(|item| constant(item, found)).collect::<Option<_>>()?))
        }
        Content::Table(fields) => {
            let entries =
                fields.iter().map(|field| Some((field.key.clone(), constant(&field.value, found)?)));
            Some(Value::Map(entries.collect::<Option<ValueMap>>()?))
        }
        Content::Expression(_)
        | Content::Text(_)
        | Content::Layers(_)
        | Content::Item(..)
        | Content::Member(_)
        | Content::Sealed(_) => {
            found.get_or_insert(pattern.span);
            None
        }
        Content::Broken => None,
    }
}

/// Returns the steps as they are applied to a pattern, for names only.
pub(crate) fn field_named<'a>(pattern: &'a Pattern, step: &Step) -> Option<&'a Arc<Pattern>> {
    let (Content::Table(fields), Step::Name(name, _)) = (&pattern.content, step) else { return None };
    fields.iter().find(|field| field.key == *name).map(|field| &field.value)
}
