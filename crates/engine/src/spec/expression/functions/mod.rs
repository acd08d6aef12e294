//! The functions that expressions can call.
//!
//! All are pure: no clock, no random numbers, no environment, so that a plan is deterministic.
//! Each stands once in the table of its group; calls, messages, the reference and the test of the
//! examples all come from there.

mod address_ranges;
mod argument;
mod choice;
mod collections;
mod conversion;
mod encoding;
mod files;
mod foreign;
mod format;
mod lists;
mod numbers;
mod patterns;
mod secrecy;
mod sets;
mod tables;
pub(crate) mod text;

pub(crate) use argument::ArgumentError;
pub(crate) use foreign::explain_foreign;

use crate::value::Value;

/// Functions of the same sort, under one heading of the reference.
#[derive(Debug)]
pub struct FunctionGroup {
    /// The heading.
    pub title: &'static str,
    /// The functions, sorted by name.
    pub functions: &'static [Function],
}

/// A function of the expression language.
#[derive(Debug)]
pub struct Function {
    /// How it is called, such as `join(separator, list)`. What may be left out is in brackets, and
    /// `...` stands for more of the same.
    pub signature: &'static str,
    /// What it returns, in a sentence or two.
    pub documentation: &'static str,
    /// An expression that calls it.
    pub example: &'static str,
    /// What the example comes to, as an expression.
    pub result: &'static str,
    pub(crate) body: Body,
    minimum: usize,
    maximum: usize,
}

/// How a function is carried out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    /// Needs every part of every argument; the result is unknown if one of them is.
    Whole(Call),
    /// Looks at the outside of the first so many arguments; unknown parts inside stay what they are.
    Outside(usize, Call),
    /// Decides itself which of its arguments are evaluated, or reads files.
    Special(Special),
}

/// What only the evaluation itself can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    /// The first argument that can be evaluated.
    Try,
    /// Whether the argument can be evaluated.
    Can,
    /// The first argument that is not empty.
    Coalesce,
    /// The text of a file.
    File,
    /// The text of a file, its expressions evaluated.
    Template,
    /// The argument, from here on sensitive.
    Sensitive,
    /// The argument, from here on not sensitive.
    Nonsensitive,
}

/// Carries out a function.
pub(crate) type Call = fn(&[&Value]) -> Result<Value, ArgumentError>;

/// Stands for "as many arguments as you like".
const MANY: usize = usize::MAX;

static GROUPS: [FunctionGroup; 13] = [
    text::GROUP,
    patterns::GROUP,
    lists::GROUP,
    tables::GROUP,
    collections::GROUP,
    sets::GROUP,
    numbers::GROUP,
    address_ranges::GROUP,
    encoding::GROUP,
    conversion::GROUP,
    choice::GROUP,
    files::GROUP,
    secrecy::GROUP,
];

/// Returns every function of the expression language.
#[must_use]
pub fn function_groups() -> &'static [FunctionGroup] {
    &GROUPS
}

/// Returns the function with this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name() == name)
}

/// Returns every function.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|group| group.functions)
}

impl Function {
    const fn new(
        signature: &'static str,
        arity: (usize, usize),
        body: Body,
        documentation: &'static str,
        (example, result): (&'static str, &'static str),
    ) -> Self {
        Self { signature, documentation, example, result, body, minimum: arity.0, maximum: arity.1 }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.signature.split('(').next().unwrap_or(self.signature)
    }

    /// Tells whether it can be called with so many arguments.
    pub(crate) fn takes(&self, count: usize) -> bool {
        (self.minimum..=self.maximum).contains(&count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_function_is_there_once_and_sorted_in_its_group() {
        for group in &GROUPS {
            assert!(group.functions.is_sorted_by_key(Function::name), "{}", group.title);
        }
        let names: BTreeSet<_> = all().map(Function::name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn signatures_say_how_many_arguments_there_are() {
        for function in all() {
            let inside = function.signature.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
            let inside = inside.expect("a signature has parentheses");
            let (needed, rest) = inside.split_once('[').unwrap_or((inside, ""));
            let count =
                |text: &str| text.split(", ").filter(|word| !word.is_empty() && *word != "...").count();
            assert_eq!(count(needed), function.minimum, "{}", function.signature);
            let maximum = if inside.contains("...") {
                MANY
            } else {
                function.minimum + count(rest.trim_end_matches(']'))
            };
            assert_eq!(maximum, function.maximum, "{}", function.signature);
        }
    }

    #[test]
    fn every_function_is_explained_in_sentences_and_shown_in_its_example() {
        for function in all() {
            assert!(function.documentation.ends_with('.'), "{}", function.signature);
            assert!(function.example.contains(&format!("{}(", function.name())), "{}", function.signature);
        }
    }
}
