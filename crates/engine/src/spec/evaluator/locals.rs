//! Values with names: entries of `[local]`, and what goes into components and comes out of them.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Span};
use crate::spec::evaluator::Evaluator;
use crate::spec::expression::ast::Reference;
use crate::spec::order::{Order, Part, Wait};
use crate::spec::pattern::Pattern;
use crate::spec::sensitivity::mask;
use crate::spec::syntax::MAXIMUM_DEPTH;
use crate::spec::world::{Local, LocalName};
use crate::value::Value;

/// The largest local value, by [`Value::weight`]; values made of values can double at each step.
const MAXIMUM_WEIGHT: usize = 16 * 1024 * 1024;

impl Evaluator<'_> {
    pub(super) fn find_late_locals(&mut self, order: &Order) {
        for part in &order.parts {
            if let Part::Local(name, Wait::Parent) = part
                && self.late_reference(&self.program.locals[name]).is_some()
            {
                self.late_locals.insert(name.clone());
            }
        }
    }

    /// Returns where the pattern refers to a resource, or to a local value that does.
    pub(super) fn late_reference(&self, pattern: &Pattern) -> Option<Span> {
        let mut found = None;
        pattern.visit_references(&mut |reference, span| {
            let late = match reference {
                Reference::Resource(_) | Reference::Whole(_) | Reference::StackId => true,
                Reference::Local(name) => self.late_locals.contains(name),
                Reference::Variable(_)
                | Reference::AccountId(_)
                | Reference::AccountRegion(_)
                | Reference::StackName
                | Reference::EachKey
                | Reference::EachValue
                | Reference::Use(_) => false,
            };
            if late {
                found.get_or_insert(span);
            }
        });
        found
    }

    pub(super) fn local(&mut self, name: &LocalName) {
        let pattern = self.program.locals[name].clone();
        let value = self
            .evaluate(&pattern, None, None)
            .filter(|value| self.check_size(value, pattern.span))
            .filter(|value| self.check_input(name, value, pattern.span));
        let sensitivity = self.world.sensitivity(&pattern, None);
        self.world.sensitive.add_local(name, sensitivity, &pattern);
        let local = match value {
            Some(value) if value.is_known() => Local::Known(value),
            Some(_) => Local::Symbolic(pattern),
            None => Local::Broken,
        };
        self.world.locals.insert(name.clone(), local);
    }

    /// Tells whether a value is small enough to be part of others.
    fn check_size(&mut self, value: &Value, span: Span) -> bool {
        // The depth comes first: what else looks at a value goes into it without counting.
        let label = if value.is_deeper_than(MAXIMUM_DEPTH) {
            format!("nested more than {MAXIMUM_DEPTH} deep once evaluated")
        } else if value.weight() > MAXIMUM_WEIGHT {
            "larger than 16 MiB once evaluated".to_owned()
        } else {
            return true;
        };
        self.diagnostics.push(Diagnostic::error("value-too-large", "value too large").with_span(span, label));
        false
    }

    /// Tells whether a value is what the component wants that it is an input of.
    fn check_input(&mut self, name: &LocalName, value: &Value, given: Span) -> bool {
        let Some(check) = self.program.input_checks.get(name) else { return true };
        if matches!(value, Value::Unknown(_)) {
            return true;
        }
        let Err(message) = check.wanted.check(value) else { return true };
        let is_sensitive = self.world.sensitivity(&self.program.locals[name], None).is_any();
        let told = is_sensitive.then(|| check.wanted.check(&mask(value)).err());
        let message = told.map_or(message, Option::unwrap_or_default);
        let diagnostic = Diagnostic::error("wrong-type", "wrong type")
            .with_span(given, message)
            .with_related(check.declared, "the input is described here");
        self.diagnostics.push(diagnostic);
        false
    }

    pub(super) fn late_local(&mut self, name: &LocalName, wait: Wait) {
        if wait == Wait::Parent {
            self.local(name);
        }
        let mut dependencies = BTreeSet::new();
        self.collect_dependencies(&self.program.locals[name], None, wait, &mut dependencies);
        self.local_dependencies.insert((name.clone(), wait), dependencies);
    }
}
