//! Reads what an expression names: `var.x`, `each.key`, `subnet.public['a'].id`.

use crate::address::{AccountName, BlockAddress, Kind};
use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::ast::{
    Expression, ExpressionKind, Instance, Reference, ResourceReference, UseReference,
};
use crate::spec::expression::parser::{Parsed, Parser};
use crate::spec::suggest;
use crate::spec::world::{LocalName, LocalSort};

/// Reads the reference that begins with `word`.
pub(super) fn parse_reference(parser: &mut Parser<'_>, word: &str, start: Span) -> Parsed<Expression> {
    if parser.in_template {
        return Err(Box::new(not_handed_over(word, start, &parser.bound)));
    }
    if !parser.take_symbol(".")? {
        return Err(Box::new(lone_word(word, start, &parser.bound)));
    }
    let (name, name_span) = parser.name("a name after `.`")?;
    let span = Span { end: name_span.end, ..start };
    let reference = match word {
        "var" => Reference::Variable(name),
        "local" => Reference::Local(LocalName::new(LocalSort::Local, name)),
        "input" => Reference::Local(LocalName::new(LocalSort::Input, name)),
        "use" => Reference::Use(component_output(parser, name, span)?),
        "account" => account(parser, name, span)?,
        "stack" => match name.as_str() {
            "name" => Reference::StackName,
            "id" => Reference::StackId,
            _ => return Err(no_such_part("stack", &name, name_span, &["name", "id"])),
        },
        "each" => match name.as_str() {
            "key" => Reference::EachKey,
            "value" => Reference::EachValue,
            _ => return Err(no_such_part("each", &name, name_span, &["key", "value"])),
        },
        _ => resource(parser, BlockAddress::new(Kind::new(word), name), span)?,
    };
    let span = Span { end: parser.before().end.max(span.end), ..start };
    Ok(Expression { span, kind: ExpressionKind::Reference(reference) })
}

fn account(parser: &mut Parser<'_>, name: String, span: Span) -> Parsed<Reference> {
    if !parser.take_symbol(".")? {
        let diagnostic = Diagnostic::error("incomplete-reference", "incomplete reference")
            .with_span(span, "names a whole account")
            .with_hint(format!("Write `account.{name}.id` or `account.{name}.region`."));
        return Err(diagnostic.into());
    }
    let (attribute, attribute_span) = parser.name("`id` or `region`")?;
    match attribute.as_str() {
        "id" => Ok(Reference::AccountId(AccountName::new(name))),
        "region" => Ok(Reference::AccountRegion(AccountName::new(name))),
        _ => Err(no_such_part(&format!("account.{name}"), &attribute, attribute_span, &["id", "region"])),
    }
}

/// Reads which of several resources or components is meant.
fn instance(parser: &mut Parser<'_>) -> Parsed<Instance> {
    if parser.take_symbol("[*]")? {
        Ok(Instance::All)
    } else if parser.take_symbol("[")? {
        let key = parser.expression()?;
        parser.expect("]")?;
        Ok(Instance::Key(Box::new(key)))
    } else {
        Ok(Instance::Single)
    }
}

fn component_output(parser: &mut Parser<'_>, name: String, name_span: Span) -> Parsed<UseReference> {
    let instance = instance(parser)?;
    if !parser.take_symbol(".")? {
        let diagnostic = Diagnostic::error("incomplete-reference", "incomplete reference")
            .with_span(Span { end: parser.before().end, ..name_span }, "names a whole component")
            .with_hint(format!("Name one of its outputs: `use.{name}.OUTPUT`."));
        return Err(diagnostic.into());
    }
    let (output, output_span) = parser.name("the name of an output")?;
    Ok(UseReference { name, name_span, instance, output, output_span })
}

fn resource(parser: &mut Parser<'_>, block: BlockAddress, block_span: Span) -> Parsed<Reference> {
    let instance = instance(parser)?;
    if !parser.take_symbol(".")? {
        let whole = Span { end: parser.before().end, ..block_span };
        if let Some(foreign) = suggest::foreign_block(block.kind.as_str()) {
            let diagnostic = Diagnostic::error("incomplete-reference", "incomplete reference")
                .with_span(whole, "names a whole resource")
                .with_hint(foreign);
            return Err(diagnostic.into());
        }
        let (attribute, attribute_span) = ("id".to_owned(), whole);
        return Ok(Reference::Whole(ResourceReference {
            block,
            block_span,
            instance,
            attribute,
            attribute_span,
        }));
    }
    let (attribute, attribute_span) = parser.name("the name of an attribute")?;
    Ok(Reference::Resource(ResourceReference { block, block_span, instance, attribute, attribute_span }))
}

fn not_handed_over(word: &str, span: Span, bound: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::error("unknown-reference", "unknown reference")
        .with_span(span, format!("`{word}` is not handed to the template"))
        .with_detail("A template sees only the entries of the table that `templatefile` gets.");
    suggest::did_you_mean(diagnostic, word, bound.iter().map(String::as_str))
}

fn lone_word(word: &str, span: Span, bound: &[String]) -> Diagnostic {
    let bound_before_dash =
        word.split_once('-').filter(|(before, _)| bound.iter().any(|name| name == before));
    let hint = match word {
        _ if bound_before_dash.is_some() => {
            "Names may have dashes in them: write spaces around a minus.".to_owned()
        }
        "var" | "local" | "input" => format!("Write `{word}.NAME`."),
        "use" => "Write `use.NAME.OUTPUT`.".to_owned(),
        "account" => "Write `account.NAME.id` or `account.NAME.region`.".to_owned(),
        "each" => "Write `each.key` or `each.value`.".to_owned(),
        "stack" => "Write `stack.name` or `stack.id`.".to_owned(),
        _ if let Some(sentence) = suggest::foreign_block(word) => sentence.to_owned(),
        _ => format!("A variable is `var.{word}`, a text is `'{word}'`."),
    };
    let diagnostic = Diagnostic::error("incomplete-reference", "incomplete reference")
        .with_span(span, "a word alone names nothing");
    match suggest::closest(word, bound.iter().map(String::as_str)) {
        Some(near) => diagnostic.with_hint(format!("Did you mean `{near}`?")),
        None => diagnostic.with_hint(hint),
    }
}

fn no_such_part(whole: &str, part: &str, span: Span, parts: &[&str]) -> Box<Diagnostic> {
    let diagnostic = Diagnostic::error("unknown-reference", "unknown reference")
        .with_span(span, format!("`{whole}` has no `{part}`"))
        .with_detail(format!("`{whole}` has {}.", suggest::list(parts)));
    suggest::did_you_mean(diagnostic, part, parts.iter().copied()).into()
}
