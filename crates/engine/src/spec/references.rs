//! Checks what expressions refer to, before anything is evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::BlockAddress;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::lookup::WORD;
use crate::registry::Registry;
use crate::schema::KindSchema;
use crate::spec::blocks::{Blocks, unknown_kind};
use crate::spec::expression::ast::{Instance, Reference, ResourceReference, UseReference};
use crate::spec::pattern::{Content, Pattern};
use crate::spec::suggest;
use crate::spec::world::LocalSort;

/// Everything that has a name.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) blocks: &'a Blocks,
    /// What each `[use]` brings in; `None` if that could not be read.
    pub(crate) components: &'a BTreeMap<String, Option<Arc<Blocks>>>,
    pub(crate) registry: &'a Registry,
}

/// Where an expression stands, which decides what it may refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Whether `each.key` and `each.value` mean something.
    pub(crate) each: bool,
    /// Whether resources may be referred to.
    pub(crate) resources: bool,
    /// The block whose own attribute this is; it cannot refer to itself.
    pub(crate) owner: Option<&'a BlockAddress>,
}

impl Place<'_> {
    /// A value that is needed before any resource is looked at.
    pub(crate) const STATIC: Self = Self { each: false, resources: false, owner: None };
    /// A value that belongs to no resource.
    pub(crate) const FREE: Self = Self { each: false, resources: true, owner: None };
}

enum Problem {
    /// Something else was reported that explains it.
    Explained,
    New(Box<Diagnostic>),
}

impl From<Diagnostic> for Problem {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::New(Box::new(diagnostic))
    }
}

impl Names<'_> {
    /// Reports every reference of the pattern that leads nowhere; the part of the pattern that it
    /// stands in is broken then.
    pub(crate) fn check(&self, pattern: &mut Arc<Pattern>, place: Place<'_>, diagnostics: &mut Diagnostics) {
        if !matches!(pattern.content, Content::List(_) | Content::Table(_)) {
            return self.check_whole(pattern, place, diagnostics);
        }
        let content = &mut Arc::make_mut(pattern).content;
        if let Content::List(items) = content {
            for item in items {
                self.check(item, place, diagnostics);
            }
        } else if let Content::Table(fields) = content {
            for field in fields {
                self.check(&mut field.value, place, diagnostics);
            }
        }
    }

    fn check_whole(&self, pattern: &mut Arc<Pattern>, place: Place<'_>, diagnostics: &mut Diagnostics) {
        let mut broken = false;
        pattern.visit_references(&mut |reference, span| {
            if let Err(problem) = self.reference(reference, span, place) {
                broken = true;
                if let Problem::New(diagnostic) = problem {
                    diagnostics.push(*diagnostic);
                }
            }
        });
        if broken {
            *pattern = Arc::new(Pattern { span: pattern.span, content: Content::Broken });
        }
    }

    fn reference(&self, reference: &Reference, span: Span, place: Place<'_>) -> Result<(), Problem> {
        match reference {
            Reference::Variable(name) => named("var", name, span, &self.blocks.variables),
            Reference::Local(name) => match name.sort {
                LocalSort::Input => named("input", &name.name, span, &self.blocks.inputs),
                LocalSort::Local | LocalSort::Output | LocalSort::Outputs | LocalSort::EachValue => {
                    named("local", &name.name, span, &self.blocks.locals)
                }
            },
            Reference::AccountId(name) | Reference::AccountRegion(name) => {
                named("account", name.as_str(), span, &self.blocks.accounts)
            }
            Reference::StackId if !place.resources => Err(not_allowed(span)),
            Reference::StackName | Reference::StackId => Ok(()),
            Reference::EachKey | Reference::EachValue if place.each => Ok(()),
            Reference::EachKey | Reference::EachValue => {
                Err(Diagnostic::error("no-for-each", "no `for_each` here")
                    .with_span(span, "means something only in a block with `for_each`")
                    .into())
            }
            // Without a key, all resources of a block are a table of tables.
            Reference::Whole(reference) if matches!(reference.instance, Instance::Single) => {
                let all = Instance::All;
                let keyed = self.target(&reference.block, reference.block_span)?.several.is_some();
                let instance = if keyed { all } else { Instance::Single };
                self.resource(&ResourceReference { instance, ..reference.clone() }, span, place)
            }
            Reference::Resource(reference) | Reference::Whole(reference) => {
                self.resource(reference, span, place)
            }
            Reference::Use(reference) => self.output(reference, span, place),
        }
    }

    fn resource(&self, reference: &ResourceReference, span: Span, place: Place<'_>) -> Result<(), Problem> {
        let block = &reference.block;
        let target = self.target(block, reference.block_span)?;
        if !place.resources {
            return Err(not_allowed(span));
        }
        if place.owner == Some(block) {
            return Err(Diagnostic::error("self-reference", "resource refers to itself")
                .with_span(span, format!("this is `{block}` itself"))
                .into());
        }
        check_attribute(target.schema, reference)?;
        check_instance(target.several, reference, span)
    }

    /// Reports a `depends_on` that leads nowhere.
    pub(crate) fn check_block(&self, block: &BlockAddress, keyed: bool, span: Span) -> Option<Diagnostic> {
        match self.target(block, span) {
            Ok(target) if keyed && target.several.is_none() => Some(needless_key(&block.to_string(), span)),
            Ok(_) | Err(Problem::Explained) => None,
            Err(Problem::New(diagnostic)) => Some(*diagnostic),
        }
    }

    fn output(&self, reference: &UseReference, span: Span, place: Place<'_>) -> Result<(), Problem> {
        let UseReference { name, name_span, instance, output, output_span } = reference;
        named("use", name, *name_span, self.components)?;
        if !place.resources {
            return Err(not_allowed(span));
        }
        let Some(component) = &self.components[name] else { return Err(Problem::Explained) };
        if !component.outputs.contains_key(output) {
            let diagnostic = Diagnostic::error("unknown-output", "unknown output")
                .with_span(*output_span, format!("the component has no `[output.{output}]`"));
            let known = component.outputs.keys().map(String::as_str);
            return Err(suggest::did_you_mean(diagnostic, output, known).into());
        }
        let written = format!("use.{name}");
        match (instance, self.is_keyed(name)) {
            (Instance::Single, false) | (Instance::Key(_) | Instance::All, true) => Ok(()),
            (Instance::Single, true) => {
                Err(missing_key(&written, "has `for_each` and is several components", output, span).into())
            }
            (Instance::Key(_) | Instance::All, false) => Err(needless_key(&written, span).into()),
        }
    }

    /// Reports a `use.NAME` in a `depends_on` that leads nowhere.
    pub(crate) fn check_use(&self, name: &str, keyed: bool, span: Span) -> Option<Diagnostic> {
        match named("use", name, span, self.components) {
            Ok(()) if keyed && !self.is_keyed(name) => Some(needless_key(&format!("use.{name}"), span)),
            Ok(()) | Err(Problem::Explained) => None,
            Err(Problem::New(diagnostic)) => Some(*diagnostic),
        }
    }

    fn is_keyed(&self, name: &str) -> bool {
        let block = self.blocks.uses.get(name);
        block.is_some_and(|block| block.table.entries.iter().any(|entry| entry.key == "for_each"))
    }

    fn target(&self, block: &BlockAddress, span: Span) -> Result<Target<'_>, Problem> {
        if let Some(found) = self.blocks.resources.get(block) {
            let has_for_each = found.block.table.entries.iter().any(|entry| entry.key == "for_each");
            let Some(members) = found.resource.members() else {
                let several = has_for_each.then_some("has `for_each` and is");
                return Ok(Target { schema: found.resource.schema(), several });
            };
            return Ok(Target { schema: members, several: Some("stands for") });
        }
        if self.blocks.refused.contains(block) {
            return Err(Problem::Explained);
        }
        if block.kind.as_str() != WORD && self.registry.described(block.kind.as_str()).is_none() {
            return Err(unknown_kind(block.kind.as_str(), span, self.registry).into());
        }
        let diagnostic = Diagnostic::error("unknown-block", "unknown block")
            .with_span(span, format!("there is no `[{block}]`"));
        let first = BlockAddress::new(block.kind.clone(), "");
        let siblings = self.blocks.resources.range(first..).map(|(address, _)| address);
        let names: Vec<_> =
            siblings.take_while(|address| address.kind == block.kind).map(|address| &*address.name).collect();
        if let Some(name) = suggest::closest(&block.name, names.iter().copied()) {
            return Err(diagnostic.with_hint(format!("Did you mean `{}.{name}`?", block.kind)).into());
        }
        let shown = suggest::list(&names[..names.len().min(10)]);
        let detail = if names.is_empty() {
            format!("The spec has no `{}` at all.", block.kind)
        } else {
            format!("The names of kind `{}` are {shown}.", block.kind)
        };
        Err(diagnostic.with_detail(detail).into())
    }
}

fn not_allowed(span: Span) -> Problem {
    resource_not_allowed(span).into()
}

/// Describes a value that depends on resources where none may.
pub(crate) fn resource_not_allowed(span: Span) -> Diagnostic {
    Diagnostic::error("resource-not-allowed", "reference to a resource where none is allowed")
        .with_span(span, "is needed before any resource is looked at")
        .with_hint("Variables, accounts and local values made of these can stand here.")
}

struct Target<'a> {
    schema: &'a KindSchema,
    /// Why it is several resources, each with a key, as the middle of a sentence; `None` if it is one.
    several: Option<&'static str>,
}

fn named<T>(word: &str, name: &str, span: Span, known: &BTreeMap<String, T>) -> Result<(), Problem> {
    if known.contains_key(name) {
        return Ok(());
    }
    let written =
        if word == "local" { format!("`{name}` in `[local]`") } else { format!("`[{word}.{name}]`") };
    let diagnostic = Diagnostic::error("unknown-reference", "unknown reference")
        .with_span(span, format!("there is no {written}"));
    Err(match suggest::closest(name, known.keys().map(String::as_str)) {
        Some(near) => diagnostic.with_hint(format!("Did you mean `{word}.{near}`?")),
        None => diagnostic,
    }
    .into())
}

fn check_attribute(schema: &KindSchema, reference: &ResourceReference) -> Result<(), Problem> {
    let name = reference.attribute.as_str();
    if name == "id" || schema.input(name).is_some() || schema.output(name).is_some() {
        return Ok(());
    }
    let kind = schema.kind.as_str();
    let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
        .with_span(reference.attribute_span, format!("`{kind}` has no such attribute"));
    if let Some(expansion) = schema.expansion(name) {
        let label = format!("becomes resources of kind `{}`", expansion.child_kind);
        return Err(Diagnostic::error("expanded-attribute", "attribute without a value of its own")
            .with_span(reference.attribute_span, label)
            .with_detail(format!(
                "The items of `{name}` are resources of their own and cannot be referred to."
            ))
            .into());
    }
    let names = || {
        let inputs = schema.inputs.iter().map(|attribute| attribute.name);
        inputs.chain(schema.outputs.iter().map(|attribute| attribute.name)).chain(["id"])
    };
    let ours = suggest::foreign_attribute(kind, name);
    if let Some(ours) = ours.iter().find(|ours| names().any(|name| name == *ours)) {
        return Err(diagnostic.with_hint(format!("This attribute is called `{ours}` here.")).into());
    }
    Err(suggest::did_you_mean(diagnostic, name, names()).into())
}

fn check_instance(several: Option<&str>, reference: &ResourceReference, span: Span) -> Result<(), Problem> {
    let block = &reference.block;
    match (&reference.instance, several) {
        (Instance::Single, None) | (Instance::Key(_) | Instance::All, Some(_)) => Ok(()),
        (Instance::Single, Some(several)) => {
            let why = format!("{several} several resources");
            Err(missing_key(&block.to_string(), &why, &reference.attribute, span).into())
        }
        (Instance::Key(_) | Instance::All, None) => Err(needless_key(&block.to_string(), span).into()),
    }
}

fn missing_key(block: &str, why: &str, attribute: &str, span: Span) -> Diagnostic {
    Diagnostic::error("missing-key", "missing key")
        .with_span(span, format!("`{block}` {why}"))
        .with_hint(format!("Write `{block}['KEY'].{attribute}` for one, `{block}[*].{attribute}` for all."))
}

fn needless_key(block: &str, span: Span) -> Diagnostic {
    Diagnostic::error("needless-key", "key of a block without `for_each`")
        .with_span(span, format!("`{block}` is one resource and has no keys"))
        .with_hint(format!("Write `{block}` alone."))
}
