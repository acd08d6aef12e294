//! The functions that expressions can call.
//!
//! All are pure: no clock, no random numbers, no environment, so that a plan is deterministic.

mod collection;
mod encoding;
mod format;
mod network;
pub(crate) mod text;

use crate::value::Value;

/// A function of the expression language.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// How it is called, for messages.
    pub(crate) usage: &'static str,
    minimum: usize,
    maximum: usize,
    pub(crate) body: Body,
}

/// How a function is carried out.
#[derive(Debug)]
pub(crate) enum Body {
    /// Needs every part of every argument; the result is unknown if one of them is.
    Whole(Call),
    /// Looks at the outside of the first so many arguments; unknown parts inside stay what they are.
    Outside(usize, Call),
    /// The first argument that can be evaluated.
    Try,
    /// Whether the argument can be evaluated.
    Can,
}

/// Carries out a function.
pub(crate) type Call = fn(&[Value]) -> Result<Value, ArgumentError>;

/// An argument that the function cannot take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArgumentError {
    /// Counted from 0.
    pub(crate) argument: usize,
    /// What is wrong, without a full stop.
    pub(crate) message: String,
}

impl Function {
    /// Tells whether it can be called with so many arguments.
    pub(crate) fn takes(&self, count: usize) -> bool {
        (self.minimum..=self.maximum).contains(&count)
    }

    const fn new(name: &'static str, usage: &'static str, arity: (usize, usize), body: Body) -> Self {
        Self { name, usage, minimum: arity.0, maximum: arity.1, body }
    }
}

const MANY: usize = usize::MAX;

/// Every function, sorted by name.
static FUNCTIONS: [Function; 26] = [
    Function::new("base64encode", "base64encode(text)", (1, 1), Body::Whole(encoding::base64encode)),
    Function::new("can", "can(expression)", (1, 1), Body::Can),
    Function::new("cidrhost", "cidrhost(prefix, number)", (2, 2), Body::Whole(network::cidrhost)),
    Function::new(
        "cidrsubnet",
        "cidrsubnet(prefix, new_bits, number)",
        (3, 3),
        Body::Whole(network::cidrsubnet),
    ),
    Function::new("concat", "concat(list, ...)", (1, MANY), Body::Outside(MANY, collection::concat)),
    Function::new("distinct", "distinct(list)", (1, 1), Body::Whole(collection::distinct)),
    Function::new("format", "format(pattern, value, ...)", (1, MANY), Body::Whole(format::format)),
    Function::new("index", "index(list, value)", (2, 2), Body::Whole(collection::index)),
    Function::new("join", "join(separator, list)", (2, 2), Body::Whole(text::join)),
    Function::new("jsondecode", "jsondecode(text)", (1, 1), Body::Whole(encoding::jsondecode)),
    Function::new("jsonencode", "jsonencode(value)", (1, 1), Body::Whole(encoding::jsonencode)),
    Function::new("keys", "keys(table)", (1, 1), Body::Outside(1, collection::keys)),
    Function::new("length", "length(list, table or text)", (1, 1), Body::Outside(1, collection::length)),
    Function::new("lookup", "lookup(table, key, default)", (2, 3), Body::Outside(2, collection::lookup)),
    Function::new("lower", "lower(text)", (1, 1), Body::Whole(text::lower)),
    Function::new("merge", "merge(table, ...)", (1, MANY), Body::Outside(MANY, collection::merge)),
    Function::new("replace", "replace(text, part, replacement)", (3, 3), Body::Whole(text::replace)),
    Function::new("sha256", "sha256(text)", (1, 1), Body::Whole(encoding::sha256)),
    Function::new("sort", "sort(list)", (1, 1), Body::Whole(collection::sort)),
    Function::new("split", "split(separator, text)", (2, 2), Body::Whole(text::split)),
    Function::new("tonumber", "tonumber(text)", (1, 1), Body::Whole(text::tonumber)),
    Function::new("tostring", "tostring(value)", (1, 1), Body::Whole(text::tostring)),
    Function::new("trim", "trim(text, characters)", (1, 2), Body::Whole(text::trim)),
    Function::new("try", "try(expression, ...)", (1, MANY), Body::Try),
    Function::new("upper", "upper(text)", (1, 1), Body::Whole(text::upper)),
    Function::new("values", "values(table)", (1, 1), Body::Outside(1, collection::values)),
];

/// Returns the function with this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Returns the name of every function.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

impl ArgumentError {
    fn new(argument: usize, message: impl Into<String>) -> Self {
        Self { argument, message: message.into() }
    }

    fn wrong_type(arguments: &[Value], argument: usize, expected: &str) -> Self {
        Self::new(argument, format!("expected {expected}, found {}", arguments[argument].type_name()))
    }
}

fn text_argument(arguments: &[Value], argument: usize) -> Result<&str, ArgumentError> {
    arguments[argument].as_str().ok_or_else(|| ArgumentError::wrong_type(arguments, argument, "a string"))
}

fn list_argument(arguments: &[Value], argument: usize) -> Result<&[Value], ArgumentError> {
    arguments[argument].as_list().ok_or_else(|| ArgumentError::wrong_type(arguments, argument, "a list"))
}

fn map_argument(arguments: &[Value], argument: usize) -> Result<&crate::value::ValueMap, ArgumentError> {
    arguments[argument].as_map().ok_or_else(|| ArgumentError::wrong_type(arguments, argument, "a table"))
}

fn integer_argument(arguments: &[Value], argument: usize) -> Result<i64, ArgumentError> {
    match arguments[argument] {
        Value::Integer(integer) => Ok(integer),
        Value::Null
        | Value::Bool(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown(_) => Err(ArgumentError::wrong_type(arguments, argument, "a whole number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_usages_begin_with_them() {
        assert!(names().is_sorted());
        for function in &FUNCTIONS {
            assert!(function.usage.starts_with(&format!("{}(", function.name)));
        }
    }
}
