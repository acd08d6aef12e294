//! What names mean inside of one instance of a component.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::{AccountName, ComponentPath};
use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::ast::{Expression, ExpressionKind, Instance, Reference, Step, UseReference};
use crate::spec::pattern::{Content, Field, Pattern, Piece};
use crate::spec::suggest;
use crate::spec::world::{LocalName, LocalSort};
use crate::value::Value;

/// The instances of a `[use]`.
#[derive(Debug, Clone)]
pub(crate) enum Instances {
    /// The only one of a `[use]` without `for_each`.
    Single,
    /// With `for_each`: their keys.
    Keyed(BTreeSet<Arc<str>>),
    /// A problem was reported.
    Broken,
}

/// The key of an instance of a `[use]`, and what stands for its value.
type Each = (Arc<str>, LocalName);

/// What names mean inside of one instance of a component, or of the spec itself.
#[derive(Clone)]
pub(crate) struct Inside<'a> {
    path: &'a ComponentPath,
    /// The accounts that aliases stand for; `None` in the spec itself, which has accounts.
    accounts: Option<BTreeMap<AccountName, AccountName>>,
    uses: &'a BTreeMap<String, Instances>,
    /// What `each` means where an instance of a `[use]` gets its inputs.
    each: Option<Each>,
    /// Outputs of all instances of a `[use]`, by key, which some expression picks from.
    tables: BTreeMap<LocalName, Arc<Pattern>>,
    problems: Vec<Diagnostic>,
    broken: bool,
}

impl<'a> Inside<'a> {
    pub(crate) fn new(
        path: &'a ComponentPath,
        accounts: Option<BTreeMap<AccountName, AccountName>>,
        uses: &'a BTreeMap<String, Instances>,
    ) -> Self {
        Self {
            path,
            accounts,
            uses,
            each: None,
            tables: BTreeMap::new(),
            problems: Vec::new(),
            broken: false,
        }
    }

    /// Lets `each` mean an instance of a `[use]`.
    pub(crate) fn with_each(self, each: Option<Each>) -> Self {
        Self { each, ..self }
    }

    /// Returns the account that a name stands for; `None` if that was reported.
    pub(crate) fn account(&self, name: &AccountName) -> Option<AccountName> {
        match &self.accounts {
            None => Some(name.clone()),
            Some(accounts) => accounts.get(name).cloned(),
        }
    }

    /// Returns the tables that linking has made use of.
    pub(crate) fn take_tables(&mut self) -> BTreeMap<LocalName, Arc<Pattern>> {
        std::mem::take(&mut self.tables)
    }

    /// Returns what was found wrong.
    pub(crate) fn into_problems(self) -> Vec<Diagnostic> {
        self.problems
    }

    /// Returns the pattern as of this instance, while it is not known yet what components tell.
    pub(crate) fn scoped(&self, pattern: &Arc<Pattern>) -> Arc<Pattern> {
        self.clone().linked(pattern)
    }

    /// Returns the pattern as of this instance.
    pub(crate) fn linked(&mut self, pattern: &Arc<Pattern>) -> Arc<Pattern> {
        let mut names_something = false;
        pattern.visit_references(&mut |_, _| names_something = true);
        if !names_something {
            return pattern.clone();
        }
        self.broken = false;
        let linked = self.pattern(pattern);
        if self.broken { Arc::new(Pattern { span: pattern.span, content: Content::Broken }) } else { linked }
    }

    fn pattern(&mut self, pattern: &Arc<Pattern>) -> Arc<Pattern> {
        let content = match &pattern.content {
            Content::Constant(_) | Content::Member(_) | Content::Broken => return pattern.clone(),
            Content::Expression(expression) => Content::Expression(self.expression(expression)),
            Content::Text(pieces) => {
                let piece = |piece: &Piece| match piece {
                    Piece::Literal(_) => piece.clone(),
                    Piece::Expression(expression) => Piece::Expression(self.expression(expression)),
                };
                Content::Text(pieces.iter().map(piece).collect())
            }
            Content::List(items) => Content::List(items.iter().map(|item| self.pattern(item)).collect()),
            Content::Layers(layers) => {
                Content::Layers(layers.iter().map(|layer| self.pattern(layer)).collect())
            }
            Content::Table(fields) => {
                let field = |field: &Field| Field { value: self.pattern(&field.value), ..field.clone() };
                Content::Table(fields.iter().map(field).collect())
            }
            Content::Item(of, key) => Content::Item(self.pattern(of), key.clone()),
            Content::Sealed(sealed) => Content::Sealed(self.pattern(sealed)),
        };
        Arc::new(Pattern { span: pattern.span, content })
    }

    fn expression(&mut self, expression: &Expression) -> Expression {
        expression.rewritten(&mut |reference, span| self.reference(reference, span))
    }

    fn reference(&mut self, reference: &Reference, span: Span) -> ExpressionKind {
        let linked = match reference {
            Reference::Variable(_) | Reference::StackName | Reference::StackId => reference.clone(),
            Reference::Local(name) => Reference::Local(name.clone().within(self.path.clone())),
            Reference::AccountId(name) => match self.account(name) {
                Some(account) => Reference::AccountId(account),
                None => return self.broken(),
            },
            Reference::AccountRegion(name) => match self.account(name) {
                Some(account) => Reference::AccountRegion(account),
                None => return self.broken(),
            },
            Reference::EachKey => match &self.each {
                Some((key, _)) => return ExpressionKind::Literal(Value::from(&**key)),
                None => Reference::EachKey,
            },
            Reference::EachValue => match &self.each {
                Some((_, value)) => Reference::Local(value.clone()),
                None => Reference::EachValue,
            },
            Reference::Resource(resource) => {
                let mut resource = resource.rewritten(&mut |reference, span| self.reference(reference, span));
                resource.block = resource.block.within(self.path.clone());
                Reference::Resource(resource)
            }
            Reference::Whole(resource) => {
                let mut resource = resource.rewritten(&mut |reference, span| self.reference(reference, span));
                resource.block = resource.block.within(self.path.clone());
                Reference::Whole(resource)
            }
            Reference::Use(reference) => return self.output(reference, span),
        };
        ExpressionKind::Reference(linked)
    }

    fn broken(&mut self) -> ExpressionKind {
        self.broken = true;
        ExpressionKind::Literal(Value::Null)
    }

    /// Returns what stands for an output of a component.
    fn output(&mut self, reference: &UseReference, span: Span) -> ExpressionKind {
        let UseReference { name, instance, output, .. } = reference;
        let (path, uses) = (self.path, self.uses);
        let of = |key: Option<&str>| output_of(path.join(name.as_str(), key), output);
        let keys = match (uses.get(name), instance) {
            (Some(Instances::Single), Instance::Single) => return of(None),
            (Some(Instances::Keyed(keys)), Instance::Key(_) | Instance::All) => keys,
            (Some(Instances::Single | Instances::Keyed(_) | Instances::Broken) | None, _) => {
                return self.broken();
            }
        };
        let Instance::Key(key) = instance else {
            let table = self.table(name, output, keys, span);
            return ExpressionKind::Splat(Box::new(table), Vec::new());
        };
        let key = self.expression(key);
        if let ExpressionKind::Literal(Value::String(key)) = &key.kind {
            if keys.contains(key.as_str()) {
                return of(Some(key));
            }
            self.problems.push(missing_instance(name, key, keys, span));
            return self.broken();
        }
        let table = self.table(name, output, keys, span);
        ExpressionKind::Access(Box::new(table), Step::Index(Box::new(key)))
    }

    /// Returns the outputs of all instances of a `[use]`, by key.
    fn table(&mut self, name: &str, output: &str, keys: &BTreeSet<Arc<str>>, span: Span) -> Expression {
        let path = self.path;
        let table = LocalName::new(LocalSort::Outputs, format!("{name}.{output}")).within(path.clone());
        let field = |key: &Arc<str>| {
            let kind = output_of(path.join(name, Some(key)), output);
            let value = Arc::new(Pattern { span, content: Content::Expression(Expression { span, kind }) });
            Field { key: key.to_string(), key_span: span, value }
        };
        self.tables.entry(table.clone()).or_insert_with(|| {
            let content = Content::Table(keys.iter().map(field).collect());
            Arc::new(Pattern { span, content })
        });
        Expression { span, kind: ExpressionKind::Reference(Reference::Local(table)) }
    }
}

/// Returns what stands for an output of one instance.
fn output_of(component: ComponentPath, output: &str) -> ExpressionKind {
    let name = LocalName::new(LocalSort::Output, output).within(component);
    ExpressionKind::Reference(Reference::Local(name))
}

/// Describes a key that no instance of a `[use]` has.
pub(crate) fn missing_instance(name: &str, key: &str, keys: &BTreeSet<Arc<str>>, span: Span) -> Diagnostic {
    let some: Vec<_> = keys.iter().take(10).collect();
    let diagnostic = Diagnostic::error("missing-key", "missing key")
        .with_span(span, format!("`use.{name}` has no `['{}']`", key.escape_debug()))
        .with_detail(format!("The keys of `use.{name}` are {}.", suggest::list(&some)));
    suggest::did_you_mean(diagnostic, key, keys.iter().map(|key| &**key))
}
