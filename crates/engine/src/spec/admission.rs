//! Checks an atomic resource and takes it into the spec.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::erased::AnyKind;
use crate::resource::{Home, Problem};
use crate::schema::KindSchema;
use crate::spec::canonical::{InvalidInput, canonical_inputs};
use crate::spec::check::{check_attribute, check_required, check_tags};
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::expression::evaluate::{Evaluated, Evaluation, View};
use crate::spec::follows::followed_value;
use crate::spec::order::Wait;
use crate::spec::pattern::Pattern;
use crate::spec::sensitivity::{revealed, shown_value};
use crate::spec::world::Each;
use crate::value::{Value, ValueMap};

/// How many resources a spec may have, and how many blocks that describe them.
pub(crate) const MAXIMUM_RESOURCES: usize = 100_000;

impl Evaluator<'_> {
    /// Tells whether so many more resources can be added; that there would be too many is reported
    /// once, and after that nothing is added any more.
    pub(crate) fn has_room_for(&mut self, count: usize, span: Span) -> bool {
        if !self.is_full && self.drafts.len() + count > MAXIMUM_RESOURCES {
            self.is_full = true;
            self.report(too_many_resources(span), None);
        }
        !self.is_full
    }

    /// Checks a resource, remembers its inputs and adds it.
    pub(crate) fn add(&mut self, mut draft: Draft, resource: &dyn AnyKind, wait: Wait) {
        if !self.has_room_for(1, draft.span) {
            return;
        }
        self.fill_in_owners(&mut draft, resource.schema());
        self.follow(&mut draft, resource.schema());
        for pattern in draft.attributes.values() {
            self.collect_dependencies(pattern, draft.each.as_deref(), wait, &mut draft.dependencies);
        }
        draft.dependencies.remove(&draft.address);
        self.find_sensitive(&mut draft, resource);
        let inputs = self.check(&draft, resource);
        self.note_sensitive(&draft, resource.keeps_secrets(&inputs));
        self.scope.inputs.insert(draft.address.clone(), inputs);
        self.drafts.insert(draft.address.clone(), draft);
    }

    /// Finds the attributes that are made of something sensitive.
    fn find_sensitive(&mut self, draft: &mut Draft, resource: &dyn AnyKind) {
        let each = draft.each.as_deref();
        let attributes = draft.attributes.iter();
        let sensitive = attributes.filter(|(_, pattern)| self.world.sensitivity(pattern, each).is_any());
        draft.lifecycle.sensitive = sensitive.map(|(name, _)| name.clone()).collect();
        let named = resource.identity().iter().find(|name| draft.lifecycle.sensitive.contains(**name));
        if let Some(name) = named {
            let detail =
                format!("The id of every `{}` has its `{name}` in it, and ids are shown.", draft.kind);
            let span = draft.attributes[*name].span;
            self.report(shown_value(span, detail), Some(&draft.address));
        }
    }

    /// Remembers for those that refer to it whether a resource has something sensitive.
    fn note_sensitive(&mut self, draft: &Draft, keeps_secrets: bool) {
        // Nothing can refer to a part of a block.
        if draft.address.child_name().is_none() {
            let made = &draft.lifecycle.sensitive;
            self.world.sensitive.add_attributes(draft.address.block(), made);
            self.world.sensitive.add_instance(&draft.address, keeps_secrets || !made.is_empty());
        }
    }

    /// Returns the inputs as far as they are known; what is wrong is reported, and unknown.
    fn check(&mut self, draft: &Draft, resource: &dyn AnyKind) -> ValueMap {
        let (inputs, problems) = self.inspect(draft, resource, View::Plain);
        self.report_problems(draft, resource, problems);
        inputs
    }

    /// Returns the inputs of what is no resource itself; `None` if something is wrong, which is reported.
    pub(crate) fn sound_inputs(&mut self, draft: &Draft, kind: &dyn AnyKind) -> Option<ValueMap> {
        let (inputs, problems) = self.inspect(draft, kind, View::Plain);
        let unread =
            |pattern: &Arc<Pattern>| self.value(pattern, draft.each.as_deref(), View::Plain).is_err();
        let sound = !problems.iter().any(|problem| problem.severity == Severity::Error)
            && !draft.attributes.values().any(unread);
        self.report_problems(draft, kind, problems);
        sound.then_some(inputs)
    }

    fn report_problems(&mut self, draft: &Draft, resource: &dyn AnyKind, mut problems: Vec<Diagnostic>) {
        let touched = |pattern: &Arc<Pattern>| self.world.sensitivity(pattern, draft.each.as_deref()).touched;
        if !problems.is_empty() && draft.attributes.values().any(touched) {
            let (_, masked) = self.inspect(draft, resource, View::Masked);
            problems = problems.into_iter().map(|problem| revealed(problem, &masked)).collect();
        }
        for problem in problems {
            self.report(problem, Some(&draft.address));
        }
    }

    /// Returns the inputs as far as they are known, and what is wrong.
    fn inspect(&self, draft: &Draft, resource: &dyn AnyKind, view: View) -> (ValueMap, Vec<Diagnostic>) {
        let schema = resource.schema();
        let mut values = ValueMap::new();
        let mut problems = Vec::new();
        let mut sound = true;
        for (name, pattern) in &draft.attributes {
            let unknown = || Value::unknown(draft.address.clone(), name.as_str());
            let value = self.value(pattern, draft.each.as_deref(), view);
            let value = match value.map(|value| followed_value(draft, resource, name, value)) {
                Ok(value) => {
                    let found = check_value(schema, name, &value, pattern);
                    let is_good = found.is_empty();
                    problems.extend(found);
                    Some(value).filter(|_| is_good)
                }
                Err(failure) => {
                    problems.extend(failure.reason());
                    None
                }
            };
            sound &= value.is_some();
            values.insert(name.clone(), value.unwrap_or_else(unknown));
        }
        let what = format!("Every `{}`", schema.kind);
        problems.extend(check_required(&schema.inputs, &values, &what, draft.span));
        let home = self.home(draft);
        let canonical = canonical_inputs(resource, home, values).unwrap_or_else(|invalid| {
            problems.extend(invalid.into_iter().map(|input| describe_input(draft, input)));
            ValueMap::new()
        });
        if sound && problems.is_empty() {
            let found = resource.check(home.account_id, &canonical);
            problems.extend(found.into_iter().map(|problem| describe(draft, problem)));
            problems.extend(resource.advice(&canonical).into_iter().map(|advice| advise(draft, advice)));
        }
        (canonical, problems)
    }

    /// Returns where a resource lives; what is wrong with its account was reported.
    fn home(&self, draft: &Draft) -> Home<'_> {
        let facts = self.world.accounts.get(&draft.account).and_then(Option::as_ref);
        facts.map_or_else(Home::default, |facts| Home {
            account_id: facts.id.as_str().unwrap_or_default(),
            region: facts.region.as_str().unwrap_or_default(),
        })
    }

    fn value(&self, pattern: &Pattern, each: Option<&Each>, view: View) -> Evaluated<Value> {
        match view {
            View::Plain => self.world.evaluate(pattern, each, &self.scope),
            View::Masked => Evaluation::new(&self.world, each, &self.scope).masked().pattern(pattern),
        }
    }
}

/// Describes a spec with more resources than there may be.
pub(crate) fn too_many_resources(span: Span) -> Diagnostic {
    Diagnostic::error("too-many-resources", "too many resources")
        .with_span(span, format!("the spec has more than {MAXIMUM_RESOURCES} resources"))
        .with_hint("Split it into several stacks.")
}

fn check_value(schema: &KindSchema, name: &str, value: &Value, pattern: &Pattern) -> Vec<Diagnostic> {
    let attribute = schema.input(name);
    let mut found = attribute.map_or(Vec::new(), |attribute| check_attribute(attribute, value, pattern));
    if name == "tags" && schema.has_tags() {
        found.extend(check_tags(value, pattern));
    }
    found
}

fn describe_input(draft: &Draft, input: InvalidInput) -> Diagnostic {
    match input {
        InvalidInput::Text(text) => {
            text.describe(|name| draft.attributes.get(name).map(|pattern| &**pattern), draft.span)
        }
        InvalidInput::Shorthand(problem) => describe(draft, problem),
    }
}

/// Says what is worth knowing although nothing is wrong.
fn advise(draft: &Draft, advice: Problem) -> Diagnostic {
    let written = draft.attributes.get(advice.attribute);
    let label =
        format!("`{}` is {}", advice.attribute, if written.is_some() { "set here" } else { "not set" });
    let span = written.map_or(draft.span, |pattern| pattern.span);
    let diagnostic = Diagnostic::warning("worth-knowing", "something worth knowing")
        .with_span(span, label)
        .with_detail(advice.message);
    match advice.hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// Says what the kind itself has found.
fn describe(draft: &Draft, problem: Problem) -> Diagnostic {
    let span = draft.attributes.get(problem.attribute).map_or(draft.span, |pattern| pattern.span);
    let diagnostic = Diagnostic::error("invalid-value", "invalid value")
        .with_span(span, format!("`{}` cannot be this", problem.attribute))
        .with_detail(problem.message);
    match problem.hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}
